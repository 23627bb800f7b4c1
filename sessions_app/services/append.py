"""Appending messages: the hottest write, so one statement where nothing is new.

The statement locks the session's row, takes the next seq from its counter, inserts the message
and counts the participant. Concurrent appends to one session wait for each other on that row, so
seq stays contiguous and nothing is lost or doubled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from psycopg.types.json import Jsonb
from uuid_utils.compat import uuid7

from accounts import tenancy
from accounts.errors import Conflict, FailedPrecondition, InvalidArgument, NotFound
from accounts.moments import checked_moment
from accounts.names import check_session_id
from accounts.principals.idempotency import KeyReused
from sessions_app import access
from sessions_app.models import Message, Session
from sessions_app.parts import Part, parts_of, text_of, tokens_of
from sessions_app.services.authors import author_of, is_author, may_speak, with_author_registered
from sessions_app.services.sessions import new_session, record_simulated

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from accounts.actor import Actor
    from sessions_app.services.authors import Author

MAX_BATCH = 500  # messages of one batch

_APPEND = """
WITH touched AS (
    UPDATE agent_sessions_session
    SET message_count = message_count + 1,
        pending_tokens = pending_tokens + %(tokens)s,
        started_at = CASE WHEN message_count = 0 THEN least(started_at, %(at)s)
                     ELSE started_at END,
        last_activity_at = %(at)s,
        state = 'active'
    WHERE id IN ({visible}) AND state <> 'ended' {with_speaker}
    RETURNING id, session_id, message_count
), written AS (
    INSERT INTO agent_sessions_message
        (id, session_id, seq, role, role_id, contact_id, parts, text, language, source,
         idempotency_key, external_id, agent, created_at, written_by, written_key)
    SELECT %(id)s, id, message_count, %(role)s, %(role_id)s, %(speaker)s, %(parts)s, %(text)s,
        %(language)s, %(source)s, %(key)s, %(external_id)s, %(agent)s, %(at)s, %(written_by)s,
        %(written_key)s
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
# A speaker other than the session's contact would contradict it. In a group many speak.
_WITH_SPEAKER = """AND (contact_id IS NULL OR contact_id IN
    (SELECT c.id FROM principals_contact c WHERE c.root = %(speaker)s))"""


@dataclass(frozen=True, slots=True)
class MessageInput:
    """A message as a surface received it.

    Attributes:
        role_id_sent: whether the field was there at all, even as null.
        created_at: its true time; now when None.
        peer_id: the speaking contact, on platform `peer`, of the effective user.
        key: the Idempotency-Key; kept on the message for ever.
    """

    role: str
    content: str | None = None
    parts: list[Part] | None = None
    role_id: str | None = None
    role_id_sent: bool = False
    source: str | None = None
    created_at: datetime | None = None
    peer_id: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """Where the message went."""

    session_id: str
    message_count: int
    message_id: str
    seq: int
    session: UUID  # its row


def message_append(*, actor: Actor, session_id: str, message: MessageInput) -> Appended:
    """Append a message; a session that is not there yet is created by its first valid message.

    Raises:
        Malformed: neither content nor parts.
        InvalidArgument: blank, or a value that is refused; role_id rules 1 to 5.
        NotFound: the session exists, but the actor may not see it.
        Conflict: the speaker contradicts the session's contact.
        FailedPrecondition: the session has ended.
        KeyReused: the Idempotency-Key stands for another message.
    """
    # Validation comes first: a refused message leaves nothing behind (role_id, rule 5).
    check_session_id(session_id)
    row, author = validated(actor, message), author_of(actor, session_id, message)
    if message.key is not None:
        before = _written_before(actor, session_id, message, row, author)
        if before is not None:
            return before
    try:
        # One statement is its own transaction; more than one needs a block.
        if not actor.simulating and _everyone_known(actor) and author.is_known:
            done = append_to(actor, session_id, row, author)
            if done is not None:
                return done
        with transaction.atomic():
            return _append_or_begin(actor, session_id, row, author)
    except IntegrityError:  # the same key, at the same time
        if message.key is None:
            raise
        before = _written_before(actor, session_id, message, row, author)
        if before is None:
            raise
        return before


def message_append_batch(
    *, actor: Actor, session_id: str, messages: Sequence[MessageInput]
) -> list[Appended]:
    """Append several messages, all or none.

    Raises:
        InvalidArgument: none, or more than MAX_BATCH; else as message_append, naming the number
            of the first message that is refused.
    """
    check_session_id(session_id)
    if not 1 <= len(messages) <= MAX_BATCH:
        raise InvalidArgument(f"A batch has 1 to {MAX_BATCH} messages.", field="messages")
    rows = [
        (validated(actor, message), author_of(actor, session_id, message)) for message in messages
    ]
    with transaction.atomic():
        return [_append_or_begin(actor, session_id, row, author) for row, author in rows]


def _append_or_begin(
    actor: Actor, session_id: str, row: dict[str, Any], author: Author
) -> Appended:
    """Append inside the caller's transaction; register and create what is new."""
    actor, author = with_author_registered(actor, author)
    done = append_to(actor, session_id, row, author)
    if done is None:
        _begin(actor, session_id, author)
        done = append_to(actor, session_id, row, author)
    if done is None:  # ended or hidden by someone since
        raise NotFound("session", session_id)
    return done


def validated(
    actor: Actor,
    message: MessageInput,
    *,
    external_id: str | None = None,
    agent: UUID | None = None,
) -> dict[str, Any]:
    """The columns of the message's row, but for its author.

    Raises:
        Malformed: neither content nor parts.
        InvalidArgument: blank, or a value that is refused.
    """
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
        "language": actor.settings.get("language", "english"),
        "tokens": tokens_of(parts),
        "source": message.source,
        "key": message.key,
        "external_id": external_id,
        "agent": agent,
        "at": checked_moment(message.created_at, "created_at")
        if message.created_at
        else timezone.now(),
    }


def _everyone_known(actor: Actor) -> bool:
    return (
        actor.user.registered
        and actor.agent.id is not None
        and (actor.contact is None or actor.contact.id is not None)
    )


def append_to(
    actor: Actor, session_id: str, row: dict[str, Any], author: Author
) -> Appended | None:
    """Run the statement; None when the actor sees no session of that id that takes the message."""
    visible, seen = access.visible_ids(actor, session_id)
    column, participant = _participant(author)
    in_group = actor.contact is not None and actor.contact.is_group
    done = tenancy.fetch_row(
        _APPEND.format(
            visible=visible,
            with_speaker="" if author.contact is None or in_group else _WITH_SPEAKER,
            participant=_PARTICIPANT.format(column=column) if column else "",
        ),
        {
            **row,
            "written_by": actor.written_by,
            "written_key": actor.key,
            **seen,
            "role_id": author.role_id,
            "speaker": author.contact.id if author.contact else None,
            "participant_row": uuid7(),
            "participant": participant,
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
        session=done["id"],
    )


def _participant(author: Author) -> tuple[str | None, UUID | None]:
    if author.contact is not None:
        return "contact_id", author.contact.id
    if author.user is not None:
        return "user_id", author.user.id
    if author.agent is not None:
        return "agent_id", author.agent.id
    return None, None


def _begin(actor: Actor, session_id: str, author: Author) -> None:
    """Make the session that a first message asked for, unless its id is taken."""
    if access.session_exists(session_id):
        session = access.session_for(actor, session_id)
        if session.state == Session.State.ENDED:
            raise FailedPrecondition("This session has ended.", session_id=session.session_id)
        if author.contact and not may_speak(actor, session, author.contact):
            raise Conflict("The speaker is not the contact that this session is with.")
        return
    met = actor.contact
    if author.contact and met and not met.is_group and author.contact.id != met.id:
        raise Conflict("The speaker is not the contact that this session is with.")
    session = new_session(actor, session_id)
    # Two first messages at once: the second waits here, and then finds the first one's session.
    Session.objects.bulk_create([session], ignore_conflicts=True)
    record_simulated(actor, "session.created", session.pk)


def _written_before(
    actor: Actor, session_id: str, message: MessageInput, row: dict[str, Any], author: Author
) -> Appended | None:
    """What a message with this Idempotency-Key got, in a session that the actor sees.

    Raises:
        KeyReused: the key stands for another message, or for another writer's.
    """
    found = (
        Message.objects.filter(
            idempotency_key=message.key,
            session__in=access.sessions_of(actor).filter(session_id__lower=session_id.lower()),
        )
        .select_related("session")
        .first()
    )
    if found is None:
        return None
    same = (
        (found.role, found.parts, found.source) == (row["role"], row["parts"].obj, row["source"])
        and found.written_by == actor.written_by
        and is_author(found, author)
        and (message.created_at is None or found.created_at == row["at"])
    )
    if not same:
        raise KeyReused("This Idempotency-Key was used for another message.")
    return Appended(
        found.session.session_id, found.seq, found.message_id, found.seq, found.session_id
    )
