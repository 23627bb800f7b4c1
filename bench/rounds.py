"""What the benches of writing share: floor, no-op and work in turns, and what became of each row.

The floor is `floor.sql` by psycopg in the account's own tables, the no-op a ninja POST of the same
body. Each is measured right beside the work, so that noise hits all three.
"""

from __future__ import annotations

import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
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
MAX_TAIL = 5  # p99 / p50
COLUMNS = [
    "processes", "work", "clients", "rate/s", "p50 ms", "p95 ms", "p99 ms", "p99/p50", "÷ floor",
    "÷ no-op",
]  # fmt: skip
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
    work: Burst


@dataclass(slots=True)
class Work:
    """What is sent, and what was acknowledged.

    Attributes:
        name: as the table calls it.
        key: of a user of the account; the floor looks it up as well.
        requests: without an end.
        written: how many messages the floor wrote into each of its sessions.
    """

    name: str
    key: str
    schema: str
    requests: Iterator[bytes]
    acknowledged: Answers = field(default_factory=Answers)
    written: dict[UUID, int] = field(default_factory=dict)


@dataclass(slots=True)
class Measured:
    """All rounds, by (server processes, clients)."""

    work: Work
    cells: dict[tuple[int, int], list[Round]]
    count: int  # rounds of each

    def floor_ratio(self, processes: int, clients: int) -> float:
        """The work's rate against the floor's, each round by itself."""
        return median(one.work.rate / one.floor.rate for one in self.cells[processes, clients])

    def own_time(self) -> float:
        """Milliseconds that are ours: one client, one process."""
        return median(
            one.work.percentile(50) - one.noop.percentile(50) - one.floor.percentile(50)
            for one in self.cells[1, 1]
        )

    def tail_bar(self) -> Bar:
        """The worst p99 / p50 of all cells."""
        tail, where = max(
            (_tail(summary(one.work for one in rounds)), cell)
            for cell, rounds in self.cells.items()
        )
        text = f"p99 / p50, the worst: {where[0]} processes, {where[1]} clients"
        return Bar(text, tail, MAX_TAIL)

    def fill(self, report: Report) -> None:
        """The floor's row, then a no-op's and the work's for each cell; and how noisy it was."""
        floors = [one.floor for rounds in self.cells.values() for one in rounds]
        report.rows.append(["", "floor", 1, *_figures(summary(floors)), None, None])
        for (processes, clients), rounds in self.cells.items():
            noop = summary(one.noop for one in rounds)
            work = summary(one.work for one in rounds)
            by_noop = median(one.work.rate / one.noop.rate for one in rounds)
            by_floor = self.floor_ratio(processes, clients)
            label = str(processes)
            report.rows += [
                [label, "no-op", clients, *_figures(noop), None, None],
                [label, self.work.name, clients, *_figures(work), by_floor, by_noop],
            ]
        rates = [one.rate for one in floors]
        report.notes.append(
            f"Noise: the floor's rate varied by a factor of {shown(max(rates) / min(rates))} in "
            "the run; above 2 another program took part."
        )


def measure(stand: Stand, prepare: Callable[[Stand, int], Work]) -> Measured:
    """Interleave floor, no-op and work in rounds, with one server process and one per core.

    Args:
        prepare: makes the account and the requests, on the server at that port.
    """
    processes = sorted({1, os.cpu_count() or 1})
    count, seconds = (2, 0.6) if stand.quick else (7, 1.0)
    with ExitStack() as servers:
        ports = {each: servers.enter_context(stand.server(each)) for each in processes}
        work = prepare(stand, ports[1])
        floor, noops = _Floor(stand, work, ports[1]), _noops(work.key)
        for port in ports.values():  # each thread connects and compiles once
            drive(port, noops, clients=32, seconds=0.5)
            drive(port, work.requests, clients=32, seconds=1.0, answers=work.acknowledged)
        floor.burst(0.5)
        cells: dict[tuple[int, int], list[Round]] = defaultdict(list)
        for _ in range(count):
            for each, port in ports.items():
                for clients in CLIENTS:
                    cells[each, clients].append(
                        Round(
                            floor.burst(seconds),
                            drive(port, noops, clients=clients, seconds=seconds),
                            drive(
                                port,
                                work.requests,
                                clients=clients,
                                seconds=seconds * 1.5,
                                answers=work.acknowledged,
                            ),
                        )
                    )
    return Measured(work, cells, count)


def verify(
    connection: psycopg.Connection[Any], work: Work, told: dict[UUID, tuple[str, int]]
) -> int:
    """How many messages there are in all.

    Args:
        told: session and seq of each message that was acknowledged.

    Raises:
        Worthless: an acknowledged message is missing, doubled or elsewhere, or a seq is.
    """
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
    sent = len(work.acknowledged.bodies)
    expected = sent + sum(work.written.values())
    lost = [key for key, place in told.items() if there.get(key) != place]
    if len(told) != sent or lost or wrong or len(rows) != expected:
        raise Worthless(
            f"{len(lost)} acknowledged messages are lost or elsewhere, {wrong} sessions have a "
            f"wrong seq, {len(rows)} messages are there and {expected} were written."
        )
    return len(rows)


def row_of(message_id: str) -> UUID:
    """The row that a `msg_…` names."""
    return UUID(message_id.removeprefix("msg_"))


def said(chance: random.Random) -> str:
    """What somebody may have written."""
    text, words = "", TEXT.split()
    while len(text) < CHARACTERS:
        text += chance.choice(words) + " "
    return text.strip()


def _noops(key: str) -> Iterator[bytes]:
    chance = random.Random(5)
    bodies = [{"role": "user", "content": said(chance)} for _ in range(SESSIONS * 16)]
    return cycle([request("POST", "/bench/noop", key, body) for body in bodies])


def _figures(found: Summary) -> list[float]:
    return [found.rate, found.p50, found.p95, found.p99, _tail(found)]


def _tail(found: Summary) -> float:
    return found.p99 / found.p50


class _Floor:
    """floor.sql on one connection, statement by statement as any client would."""

    def __init__(self, stand: Stand, work: Work, port: int) -> None:
        for number in range(SESSIONS):
            once(port, "POST", "/sessions", work.key, {"session_id": f"floor_{number}"})
        sql = Path(__file__).with_name("floor.sql").read_text(encoding="utf-8")
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
        self.texts = [said(chance) for _ in range(SESSIONS)]

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
