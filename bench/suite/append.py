"""A message over HTTP at 1, 8 and 32 clients, against the same rows by plain SQL."""

from __future__ import annotations

import random
from itertools import cycle

from bench.load import once, request
from bench.report import Bar, Report
from bench.rounds import CHARACTERS, COLUMNS, SESSIONS, Work, measure, row_of, said, verify
from bench.stand import Stand

MIN_RATIO = 0.25  # of the floor's rate at 8 clients with one process
GOAL = 0.35
MAX_OWN = 1.5  # ms


def run(stand: Stand) -> Report:
    """Interleave floor, no-op and append in rounds, and take medians."""
    measured = measure(stand, _prepare)
    work = measured.work
    told = {
        row_of(made["message_id"]): (made["session_id"], made["seq"])
        for made in work.acknowledged.results()
    }
    kept = verify(stand.connect(work.schema), work, told)
    sizes = {"rounds": measured.count, "sessions": SESSIONS, "characters": CHARACTERS}
    report = Report("append: POST a message", COLUMNS, sizes)
    measured.fill(report)
    ratio = measured.floor_ratio(1, 8)
    own = "ms own time: p50 of append less no-op and floor, 1 client, one process"
    report.bars += [
        Bar("of the floor's rate, 8 clients, one process", ratio, MIN_RATIO, at_least=True),
        Bar("the same, as a goal", ratio, GOAL, at_least=True),
        Bar(own, measured.own_time(), MAX_OWN),
        measured.tail_bar(),
    ]
    report.notes.append(
        f"Every one of {len(told):,} acknowledged messages is there once, seq is contiguous in "
        f"all sessions ({kept:,} messages with the floor's)."
    )
    return report


def _prepare(stand: Stand, port: int) -> Work:
    """An account, its sessions, and the bytes of the requests."""
    schema, key = stand.account(port, "bench")
    chance = random.Random(7)
    names = [f"sess_{number}" for number in range(SESSIONS)]
    for name in names:
        once(port, "POST", "/sessions", key, {"session_id": name})
    paths = names * 16
    chance.shuffle(paths)
    appends = [
        request(
            "POST",
            f"/sessions/{name}/messages",
            key,
            {"role": "user", "content": said(chance)},
        )
        for name in paths
    ]
    return Work("append", key, schema, cycle(appends))
