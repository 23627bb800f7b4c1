"""Loading a whole session that was held elsewhere: its messages come as a stream, in one COPY.

The rules of appending hold (authors, participants, contiguous seq, counters from true times); what
differs is that nothing is refused for being blank: it was said elsewhere, and comes in as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.types.json import Jsonb
from uuid_utils.compat import uuid7

from accounts import tenancy
from accounts.settings import AccountSettings
from sessions_app.models import Participant, Session
from sessions_app.parts import Part, text_of, tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from accounts.actor import Actor

COLUMNS = (
    "id", "session_id", "seq", "role", "role_id", "contact_id", "parts", "text", "language",
    "source", "created_at", "written_by", "written_key",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LoadedMessage:
    """One message to load.

    Attributes:
        column: of Participant, for who spoke: user_id, agent_id, contact_id; None: nobody.
        speaker: that row. role_id: as domain.md has it.
    """

    role: str
    role_id: str | None
    parts: list[Part]
    at: datetime
    column: str | None = None
    speaker: UUID | None = None
    source: str | None = None


@dataclass(slots=True)
class _Tally:
    """What the rows add up to, while they pass."""

    count: int = 0
    tokens: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    spoke: dict[tuple[str, UUID], list[Any]] = field(default_factory=dict)

    def add(self, message: LoadedMessage, tokens: int) -> None:
        self.count += 1
        self.tokens += tokens
        self.first_at = min(self.first_at or message.at, message.at)
        self.last_at = max(self.last_at or message.at, message.at)
        if message.column and message.speaker:
            seen = self.spoke.setdefault((message.column, message.speaker), [self.count, 0, 0, 0])
            seen[1:] = [self.count, message.at, seen[3] + 1]


def session_load(*, actor: Actor, session: Session, messages: Iterable[LoadedMessage]) -> Session:
    """Save a new session with all its messages, inside the caller's transaction.

    Memory is constant however many there are.

    Args:
        session: unsaved; its owner, agent and contact are registered. `last_activity_at` stands
            when there are no messages.

    Raises:
        IntegrityError: its id is taken.
    """
    session.message_count = 0
    session.save(force_insert=True)
    tally = _Tally()
    tenancy.copy_rows("agent_sessions_message", COLUMNS, _rows(actor, session, messages, tally))
    Participant.objects.bulk_create(
        Participant(
            session=session,
            first_seq=first,
            last_seq=last,
            last_at=at,
            message_count=count,
            **{column: speaker},
        )
        for (column, speaker), (first, last, at, count) in tally.spoke.items()
    )
    session.message_count, session.pending_tokens = tally.count, tally.tokens
    if tally.last_at is not None and tally.first_at is not None:
        session.last_activity_at = tally.last_at
        session.started_at = min(session.started_at, tally.first_at)
    session.save(
        update_fields=["message_count", "pending_tokens", "last_activity_at", "started_at"]
    )
    return session


def _rows(
    actor: Actor, session: Session, messages: Iterable[LoadedMessage], tally: _Tally
) -> Iterator[tuple[Any, ...]]:
    language = AccountSettings.of(actor.settings).language
    for message in messages:
        tally.add(message, tokens_of(message.parts))
        yield (
            uuid7(),
            session.pk,
            tally.count,
            message.role,
            message.role_id,
            message.speaker if message.column == "contact_id" else None,
            Jsonb(message.parts),
            text_of(message.parts),
            language,
            message.source,
            message.at,
            actor.written_by,
            actor.key,
        )
