"""A source in memory, for the writing side; and looking at what came of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from memory.importers.plain import (
    Problem,
    SourceExtraction,
    SourceMemory,
    SourceMessage,
    SourceSession,
)
from sessions_app.models import Message, Participant, Session

LONG_AGO = datetime(2024, 3, 1, 8, 30, tzinfo=UTC)


@dataclass
class Store:
    """A source that is a few lists."""

    talks: dict[str, list[SourceMessage]] = field(default_factory=dict)
    about: dict[str, dict[str, Any]] = field(default_factory=dict)
    kept: list[SourceMemory] = field(default_factory=list)
    runs: list[SourceExtraction] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)
    defaults: frozenset[str] = frozenset()
    format: str = "jsonl"
    path: Path = Path("store")
    notes: list[str] = field(default_factory=list)
    put_aside: bool = False
    dies_at: int | None = None  # how many messages are read before the process is killed
    read: int = 0

    def sessions(self):
        for key, messages in self.talks.items():
            words = repr([(one.role, one.parts, one.at) for one in messages]).encode()
            facts = {"at": LONG_AGO, **self.about.get(key, {})}
            yield SourceSession(
                key=key,
                name=f"sessions/{key}.jsonl",
                sha256=hashlib.sha256(words).hexdigest(),
                length=len(words),
                messages=len(messages),
                **facts,
            )

    def messages(self, session):
        for message in self.talks[session.key]:
            self.read += 1
            if self.dies_at is not None and self.read > self.dies_at:
                raise KilledError
            yield message

    def memories(self):
        yield from self.kept

    def extractions(self):
        yield from self.runs

    def problems(self):
        return self.faults

    def default_users(self):
        return self.defaults

    def holds(self, session):
        return session in self.talks

    def settled(self):
        self.put_aside = True


class KilledError(BaseException):
    """The process is gone: no handler of ours runs on."""


def say(*words: str, role: str = "user", start: datetime | None = LONG_AGO) -> list[SourceMessage]:
    """Messages of alternating roles, a minute apart; without times when start is None."""
    roles = ("user", "assistant") if role == "user" else (role,)
    return [
        SourceMessage(
            role=roles[number % len(roles)],
            parts=[{"type": "text", "text": text}],
            at=start + timedelta(minutes=number) if start else None,
        )
        for number, text in enumerate(words)
    ]


def told() -> dict[str, list[tuple[str, str, datetime]]]:
    """What the account holds: of each session its messages in order."""
    found: dict[str, list[tuple[str, str, datetime]]] = {
        name: [] for name in Session.objects.values_list("session_id", flat=True)
    }
    rows = Message.objects.order_by("session__session_id", "seq")
    for name, role, text, at in rows.values_list(
        "session__session_id", "role", "text", "created_at"
    ):
        found[name].append((role, text, at))
    return found


def took_part(session_id: str) -> set[tuple[str, int]]:
    rows = Participant.objects.filter(session__session_id=session_id)
    return {
        (
            row.user.user_id if row.user else row.agent.agent_id if row.agent else "contact",
            row.message_count,
        )
        for row in rows.select_related("user", "agent")
    }
