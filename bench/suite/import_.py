"""A million JSONL messages through the importer, against COPY of the same rows."""

from __future__ import annotations

import json
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg.types.json import Jsonb
from uuid_utils.compat import uuid7

from accounts import tenancy
from accounts.actor import Operator
from accounts.principals.authentication import actor_of_operator
from accounts.principals.services import account_create
from bench.report import Bar, Report, Worthless
from bench.stand import Stand
from memory.importers.jsonl import JsonlSource
from memory.models import Import
from memory.services.imports import import_create, import_run
from sessions_app.models import Message, Session
from sessions_app.services.loading import COLUMNS

MESSAGES, QUICK_MESSAGES = 1_000_000, 50_000
A_FILE = 1_000  # messages of one session
MIN_RATIO = 0.2  # of the floor's rate
MAX_GROWTH = 64  # MB that the process may grow by between a tenth of the way and the end
WORDS = (
    "The 07:40 train to Porto, please, with a window seat if there is one; we leave from Campanhã"
    " and must be back before the garden is watered on Saturday."
)


def run(stand: Stand) -> Report:
    """COPY into one account, the importer into another; then every message is counted."""
    count = QUICK_MESSAGES if stand.quick else MESSAGES
    folder = Path(tempfile.mkdtemp(prefix="bailiwick-bench-import-"))
    try:
        _write(folder / "sessions", count)
        floor = _floor(count)
        took, phases, grown = _import(folder, count)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report = Report(
        "import: JSONL sessions",
        ["", "s", "messages/s"],
        {"messages": count, "messages a file": A_FILE},
    )
    report.rows = [
        ["floor: COPY of the same rows", floor, count / floor],
        ["the importer, with its verification", took, count / took],
        ["of it reading and writing", phases["sessions"], count / phases["sessions"]],
        ["of it verifying", phases["verified"], count / phases["verified"]],
    ]
    report.bars = [
        Bar("of the floor's rate, at least", floor / took, MIN_RATIO, at_least=True),
        Bar("MB that the process grew by after the first tenth", grown, MAX_GROWTH),
    ]
    report.notes.append("Both tables have the product's own indexes; the search vector is made.")
    return report


def _write(folder: Path, count: int) -> None:
    folder.mkdir()
    for number in range(count // A_FILE):
        with (folder / f"talk-{number:05}.jsonl").open("w", encoding="utf-8") as file:
            for turn in range(A_FILE):
                role = "assistant" if turn % 2 else "user"
                line = {"role": role, "content": f"{number}.{turn} {WORDS}"}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _floor(count: int) -> float:
    """The sessions are there; the rows are made while they are sent, as the importer must."""
    made = account_create(actor=Operator(), account_id="floor", admin_user_id="alice")
    with tenancy.account(made.ref):
        actor = actor_of_operator(made.ref)
        now = datetime.now(UTC)
        sessions = [
            Session(
                session_id=f"talk-{number:05}",
                owner_id=actor.user.id,
                agent_id=actor.agent.id,  # type: ignore[misc]  # the default agent is registered
                started_at=now,
                last_activity_at=now,
            )
            for number in range(count // A_FILE)
        ]
        Session.objects.bulk_create(sessions)
        started = time.perf_counter()
        tenancy.copy_rows("agent_sessions_message", COLUMNS, _rows(sessions, now))
        return time.perf_counter() - started


def _rows(sessions: list[Session], now: datetime) -> Iterator[tuple[Any, ...]]:
    for number, session in enumerate(sessions):
        for turn in range(A_FILE):
            role, role_id = ("assistant", "default") if turn % 2 else ("user", "default")
            text = f"{number}.{turn} {WORDS}"
            parts = Jsonb([{"type": "text", "text": text}])
            yield (
                uuid7(), session.pk, turn + 1, role, role_id, None, parts, text, "english", None,
                now, None, None,
            )  # fmt: skip


def _import(folder: Path, count: int) -> tuple[float, dict[str, float], float]:
    made = account_create(actor=Operator(), account_id="imported", admin_user_id="alice")
    began: dict[str, float] = {}
    ended: dict[str, float] = {}
    sizes: list[float] = []

    def tell(done: int, total: int, what: str) -> None:
        ended[what] = time.perf_counter()
        if done == max(1, total // 10) and what == "sessions":
            sizes.append(_megabytes())
        began.setdefault(what, ended[what])

    with tenancy.account(made.ref):
        actor = actor_of_operator(made.ref)
        run = import_create(actor=actor, format="jsonl", source="bench")
        started = time.perf_counter()
        report = import_run(actor=actor, run=run, source=JsonlSource(folder), progress=tell)
        took = time.perf_counter() - started
        kept = Message.objects.count()
        if kept != count or report.problem_count or run.state != Import.State.COMPLETED:
            raise Worthless(f"{kept:,} of {count:,} messages are in.")
    phases = {what: ended[what] - began[what] for what in began}
    return took, phases, _megabytes() - sizes[0]


def _megabytes() -> float:
    """The most that the process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
