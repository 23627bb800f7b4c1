"""Appending a message: the hottest write, so one statement where nothing is new.

The statement locks the session's row, takes the next seq from its counter, inserts the message
and counts the participant. Concurrent appends to one session wait for each other on that row, so
seq stays contiguous and nothing is lost or doubled.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from psycopg.types.json import Jsonb
from uuid_utils.compat import uuid7

from accounts import tenancy
from accounts.actor import AgentRef, Role
from accounts.errors import FailedPrecondition, InvalidArgument, NotFound
from accounts.names import check_id, check_session_id
from accounts.principals.access import user_by_id
from accounts.principals.services import agent_on_sight
from sessions_app import access
from sessions_app.models import Message, Session
from sessions_app.parts import Part, parts_of, text_of, tokens_of
from sessions_app.services.sessions import named_agent, new_session, record_simulated

if TYPE_CHECKING:
    from accounts.actor import Actor

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)

_APPEND = """
WITH touched AS (
    UPDATE agent_sessions_session
    SET message_count = message_count + 1,
        pending_tokens = pending_tokens + %(tokens)s,
        started_at = CASE WHEN message_count = 0 THEN least(started_at, %(at)s)
                     ELSE started_at END,
        last_activity_at = %(at)s,
        state = 'active'
    WHERE id IN ({visible}) AND state <> 'ended'
    RETURNING id, session_id, message_count
), written AS (
    INSERT INTO agent_sessions_message
        (id, session_id, seq, role, role_id, parts, text, language, source, created_at,
         written_by, written_key)
    SELECT %(id)s, id, message_count, %(role)s, %(role_id)s, %(parts)s, %(text)s, 'english',
        %(source)s, %(at)s, %(written_by)s, %(written_key)s
    FROM touched
){participant}
SELECT id, session_id, message_count FROM touched
"""
_PARTICIPANT = """
, took_part AS (
    INSERT INTO agent_sessions_participant
        (id, session_id, {column}, first_seq, last_seq, last_at, message_count)
    SELECT %(participant_row)s, id, %(participant)s, message_count, message_count, %(at)s, 1
    FROM touched
    ON CONFLICT (session_id, {column}) DO UPDATE
    SET last_seq = excluded.last_seq, last_at = excluded.last_at,
        message_count = agent_sessions_participant.message_count + 1
)
"""


@dataclass(frozen=True, slots=True)
class MessageInput:
    """A message as a surface received it.

    Attributes:
        role_id_sent: whether the field was there at all, even as null.
        created_at: its true time; now when None.
    """

    role: str
    content: str | None = None
    parts: list[Part] | None = None
    role_id: str | None = None
    role_id_sent: bool = False
    source: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """Where the message went."""

    session_id: str
    message_count: int
    message_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class _Author:
    """The `role_id` of a message and the participant that it stands for."""

    role_id: str | None
    user: UUID | None = None
    agent: AgentRef | None = None


def message_append(*, actor: Actor, session_id: str, message: MessageInput) -> Appended:
    """Append a message; a session that is not there yet is created by its first valid message.

    Raises:
        Malformed: neither content nor parts.
        InvalidArgument: blank, or a value that is refused; role_id rules 1 to 5.
        NotFound: the session exists, but the actor may not see it.
        FailedPrecondition: the session has ended.
    """
    # Validation comes first: a refused message leaves nothing behind (role_id, rule 5).
    check_session_id(session_id)
    row = _validated(actor, message)
    author = _author(actor, message)
    # One statement is its own transaction; more than one needs a block.
    if actor.as_itself and actor.agent.id and (author.agent is None or author.agent.id):
        done = _append(actor, session_id, row, author)
        if done is not None:
            return done
    with transaction.atomic():
        agent = agent_on_sight(actor=actor, agent=actor.agent)
        if author.agent is not None:
            author = _Author(author.role_id, agent=agent_on_sight(actor=actor, agent=author.agent))
        done = _append(actor, session_id, row, author)
        if done is None:
            _begin(actor, session_id, agent)
            done = _append(actor, session_id, row, author)
        if done is None:  # ended or hidden by someone since
            raise NotFound("session", session_id)
    return done


def _validated(actor: Actor, message: MessageInput) -> dict[str, Any]:
    """The columns of the message's row, but for its author."""
    if message.role not in Message.Role.values:
        raise InvalidArgument(
            f"role must be one of {', '.join(Message.Role.values)}.", field="role"
        )
    if message.source not in (None, *Message.Source.values):
        raise InvalidArgument("source must be null or 'context_injection'.", field="source")
    parts = parts_of(message.content, message.parts)
    return {
        "id": uuid7(),
        "role": message.role,
        "parts": Jsonb(parts),
        "text": text_of(parts),
        "tokens": tokens_of(parts),
        "source": message.source,
        "at": _moment(message.created_at),
        "written_by": actor.written_by,
        "written_key": actor.key,
    }


def _moment(created_at: datetime | None) -> datetime:
    if created_at is None:
        return timezone.now()
    if created_at.tzinfo is None:
        created_at = created_at.replace(tzinfo=UTC)
    if not EARLIEST <= created_at < LATEST:
        raise InvalidArgument(
            f"created_at must lie between {EARLIEST.year} and {LATEST.year}.", field="created_at"
        )
    return created_at


def _author(actor: Actor, message: MessageInput) -> _Author:
    """Rules 1 to 4 on role_id (isolation.md)."""
    if message.role_id_sent and actor.role is Role.USER:
        raise InvalidArgument("role_id may be set by admins only.", field="role_id")
    given = message.role_id or None
    if given is not None:
        check_id(given, "role_id")
    if message.role == Message.Role.USER:
        if given is None or given.lower() == actor.user.user_id.lower():
            return _Author(actor.user.user_id, user=actor.user.id)
        user = user_by_id(given)
        if user is None:
            raise InvalidArgument("role_id names no user of this account.", field="role_id")
        return _Author(user.user_id, user=user.pk)
    if message.role == Message.Role.ASSISTANT:
        agent = named_agent(actor, given)
        return _Author(agent.agent_id, agent=agent)
    return _Author(given)


def _append(actor: Actor, session_id: str, row: dict[str, Any], author: _Author) -> Appended | None:
    """Run the statement; None when the actor sees no session of that id that is not ended."""
    seen = access.sessions_of(actor).filter(session_id__lower=session_id.lower()).values("pk")
    visible, parameters = seen.query.sql_with_params()
    named = [f"visible_{number}" for number in range(len(parameters))]
    column = "user_id" if author.user else "agent_id" if author.agent else None
    done = tenancy.fetch_row(
        _APPEND.format(
            visible=visible % tuple(f"%({name})s" for name in named),
            participant=_PARTICIPANT.format(column=column) if column else "",
        ),
        {
            **row,
            **dict(zip(named, parameters, strict=True)),
            "role_id": author.role_id,
            "participant_row": uuid7(),
            "participant": author.user or (author.agent.id if author.agent else None),
        },
    )
    if done is None:
        return None
    record_simulated(actor, "message.written", done["id"])
    return Appended(
        session_id=done["session_id"],
        message_count=done["message_count"],
        message_id=f"msg_{row['id'].hex}",
        seq=done["message_count"],
    )


def _begin(actor: Actor, session_id: str, agent: AgentRef) -> None:
    """Make the session that a first message asked for, unless its id is taken."""
    if access.session_exists(session_id):
        access.session_for(actor, session_id)
        raise FailedPrecondition("This session has ended.", session_id=session_id)
    session = new_session(actor, session_id, agent)
    # Two first messages at once: the second waits here, and then finds the first one's session.
    Session.objects.bulk_create([session], ignore_conflicts=True)
    record_simulated(actor, "session.created", session.pk)
