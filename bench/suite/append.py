"""A message over HTTP at 1, 8 and 32 clients, against the same rows by plain SQL."""

from __future__ import annotations

import os
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb
from uuid_utils.compat import uuid7

from bench.figures import Burst, Summary, summary
from bench.load import Answers, drive, once, request
from bench.report import Bar, Report, Worthless, shown
from bench.stand import Stand

CLIENTS = (1, 8, 32)
SESSIONS = 64
CHARACTERS = 200  # of a message; what people write in chats is shorter, what agents write longer
MIN_RATIO = 0.25  # of the floor's rate at 8 clients with one process; the goal is 0.35
MAX_OWN = 1.5  # ms
MAX_TAIL = 5  # p99 / p50
TEXT = (
    "the train to porto leaves at seven forty from platform two please book a seat by the window "
    "and send me an invoice for march we moved our meeting to thursday could you ask maria whether "
    "her team has tested that release yesterday it rained all day so nobody painted any fences"
)


@dataclass(slots=True)
class Round:
    """The three measured one right after the other, so that noise hits all of them."""

    floor: Burst
    noop: Burst
    append: Burst


@dataclass(slots=True)
class Work:
    """What is sent, and what was acknowledged.

    Attributes:
        written: how many messages the floor wrote into each of its sessions.
    """

    key: str
    schema: str
    appends: Iterator[bytes]
    noops: Iterator[bytes]
    acknowledged: Answers = field(default_factory=Answers)
    written: dict[UUID, int] = field(default_factory=dict)


def run(stand: Stand) -> Report:
    """Interleave floor, no-op and append in rounds, and take medians."""
    cores = os.cpu_count() or 1
    processes = sorted({1, cores})
    rounds, seconds = (2, 0.6) if stand.quick else (7, 1.0)
    with ExitStack() as servers:
        ports = {count: servers.enter_context(stand.server(count)) for count in processes}
        work = _prepare(stand, ports[1])
        floor = _Floor(stand, work)
        for port in ports.values():  # each thread connects and compiles once
            drive(port, work.noops, clients=32, seconds=0.5)
            drive(port, work.appends, clients=32, seconds=1.0, answers=work.acknowledged)
        floor.burst(0.5)
        measured: dict[tuple[int, int], list[Round]] = defaultdict(list)
        for _ in range(rounds):
            for count, port in ports.items():
                for clients in CLIENTS:
                    measured[count, clients].append(
                        Round(
                            floor.burst(seconds),
                            drive(port, work.noops, clients=clients, seconds=seconds),
                            drive(
                                port,
                                work.appends,
                                clients=clients,
                                seconds=seconds * 1.5,
                                answers=work.acknowledged,
                            ),
                        )
                    )
    kept = _verify(stand.connect(work.schema), work)
    sizes = {"rounds": rounds, "sessions": SESSIONS, "characters": CHARACTERS}
    report = Report("append: POST a message", _COLUMNS, sizes)
    _fill(report, measured)
    floors = [each.floor.rate for rounds in measured.values() for each in rounds]
    report.notes.append(
        f"Noise: the floor's rate varied by a factor of {shown(max(floors) / min(floors))} in the "
        "run; above 2 another program took part."
    )
    report.notes.append(
        f"Every one of {len(work.acknowledged.bodies):,} acknowledged messages is there once, "
        f"seq is contiguous in all sessions ({kept:,} messages with the floor's)."
    )
    return report


_COLUMNS = [
    "processes", "work", "clients", "rate/s", "p50 ms", "p95 ms", "p99 ms", "p99/p50", "÷ floor",
    "÷ no-op",
]  # fmt: skip


def _fill(report: Report, measured: dict[tuple[int, int], list[Round]]) -> None:
    floor = summary(each.floor for rounds in measured.values() for each in rounds)
    report.rows.append(["", "floor", 1, *_figures(floor), None, None])
    ratios: dict[tuple[int, int], float] = {}
    for (processes, clients), rounds in measured.items():
        noop = summary(each.noop for each in rounds)
        append = summary(each.append for each in rounds)
        ratios[processes, clients] = median(each.append.rate / each.floor.rate for each in rounds)
        by_noop = median(each.append.rate / each.noop.rate for each in rounds)
        label = str(processes)
        report.rows += [
            [label, "no-op", clients, *_figures(noop), None, None],
            [label, "append", clients, *_figures(append), ratios[processes, clients], by_noop],
        ]
    own = median(
        each.append.percentile(50) - each.noop.percentile(50) - each.floor.percentile(50)
        for each in measured[1, 1]
    )
    tail, where = max(
        (_tail(summary(each.append for each in rounds)), cell) for cell, rounds in measured.items()
    )
    report.bars += [
        Bar("of the floor's rate, 8 clients, one process", ratios[1, 8], MIN_RATIO, at_least=True),
        Bar("the same, as a goal", ratios[1, 8], 0.35, at_least=True),
        Bar("ms own time: p50 of append less no-op and floor, 1 client, one process", own, MAX_OWN),
        Bar(f"p99 / p50, the worst: {where[0]} processes, {where[1]} clients", tail, MAX_TAIL),
    ]


def _figures(found: Summary) -> list[float]:
    return [found.rate, found.p50, found.p95, found.p99, _tail(found)]


def _tail(found: Summary) -> float:
    return found.p99 / found.p50


def _prepare(stand: Stand, port: int) -> Work:
    """An account, its sessions, and the bytes of the requests."""
    schema, key = stand.account(port, "bench")
    chance = random.Random(7)
    names = [f"sess_{number}" for number in range(SESSIONS)]
    for name in [*names, *(f"floor_{number}" for number in range(SESSIONS))]:
        once(port, "POST", "/sessions", key, {"session_id": name})
    bodies = [{"role": "user", "content": _text(chance)} for _ in range(SESSIONS * 16)]
    paths = names * 16
    chance.shuffle(paths)
    appends = [
        request("POST", f"/sessions/{name}/messages", key, body)
        for name, body in zip(paths, bodies, strict=True)
    ]
    noops = [request("POST", "/bench/noop", key, body) for body in bodies]
    return Work(key, schema, cycle(appends), cycle(noops))


def _text(chance: random.Random) -> str:
    text, words = "", TEXT.split()
    while len(text) < CHARACTERS:
        text += chance.choice(words) + " "
    return text.strip()


class _Floor:
    """bench/floor.sql on one connection, statement by statement as any client would."""

    def __init__(self, stand: Stand, work: Work) -> None:
        sql = (Path(__file__).parent.parent / "floor.sql").read_text(encoding="utf-8")
        self.statements = [part.strip() for part in sql.split(";") if part.strip()]
        self.connection = stand.connect(work.schema)
        self.key_id = work.key.split(".")[1]
        self.written = work.written
        found = self.connection.execute(
            "SELECT s.id, u.id, u.user_id, k.id FROM agent_sessions_session s, principals_user u"
            " JOIN principals_apikey k ON k.user_id = u.id AND k.key_id = %s"
            " WHERE s.session_id LIKE 'floor%%'",
            [self.key_id],
        ).fetchall()
        self.sessions = [row[0] for row in found]
        _, self.user, self.role_id, self.key = found[0]
        chance = random.Random(11)
        self.texts = [_text(chance) for _ in range(SESSIONS)]

    def burst(self, seconds: float) -> Burst:
        """Write messages for that long."""
        latencies: list[float] = []
        began = ended = time.perf_counter()
        while ended - began < seconds:
            started = time.perf_counter()
            number = len(latencies) % SESSIONS
            self._write(self.sessions[number], self.texts[number])
            ended = time.perf_counter()
            latencies.append(ended - started)
        return Burst(ended - began, latencies)

    def _write(self, session: UUID, text: str) -> None:
        seq = self.written[session] = self.written.get(session, 0) + 1
        values = {
            "key_id": self.key_id, "key": self.key, "user": self.user, "role_id": self.role_id,
            "id": uuid7(), "session": session, "seq": seq, "text": text,
            "parts": Jsonb([{"type": "text", "text": text}]), "tokens": len(text) // 4,
        }  # fmt: skip
        for statement in self.statements:
            self.connection.execute(statement, values if "%(" in statement else None)


def _verify(connection: psycopg.Connection[Any], work: Work) -> int:
    """How many messages there are in all.

    Raises:
        Worthless: an acknowledged message is missing, doubled or elsewhere, or a seq is.
    """
    told = {
        UUID(made["message_id"].removeprefix("msg_")): (made["session_id"], made["seq"])
        for made in work.acknowledged.results()
    }
    rows = connection.execute(
        "SELECT m.id, s.session_id, m.seq FROM agent_sessions_message m"
        " JOIN agent_sessions_session s ON s.id = m.session_id"
    ).fetchall()
    there = {row[0]: (row[1], row[2]) for row in rows}
    wrong = connection.execute(
        "SELECT count(*) FROM (SELECT s.message_count, count(m.id) AS rows, min(m.seq) AS first,"
        " max(m.seq) AS last, count(DISTINCT m.seq) AS seqs FROM agent_sessions_session s"
        " LEFT JOIN agent_sessions_message m ON m.session_id = s.id GROUP BY s.id) AS each"
        " WHERE rows > 0 AND (first <> 1 OR last <> rows OR seqs <> rows)"
        " OR message_count <> rows"
    ).fetchall()[0][0]
    expected = len(work.acknowledged.bodies) + sum(work.written.values())
    lost = [key for key, place in told.items() if there.get(key) != place]
    if len(told) != len(work.acknowledged.bodies) or lost or wrong or len(rows) != expected:
        raise Worthless(
            f"{len(lost)} acknowledged messages are lost or elsewhere, {wrong} sessions have a "
            f"wrong seq, {len(rows)} messages are there and {expected} were written."
        )
    return len(rows)
