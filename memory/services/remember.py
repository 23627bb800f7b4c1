"""Remembering: one memory is kept, as it was said (memory.md, Remember and history)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.actor import Principal
from accounts.errors import (
    Conflict,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
)
from accounts.principals import audit
from accounts.principals.contacts import contact_ref, narrowed_by_parameter
from accounts.principals.services import with_everyone_registered
from accounts.settings import AccountSettings
from memory import access
from memory.models import Evidence, Memory, Salience, Scope, Source, State
from memory.services import guards
from memory.services.checks import Cleaner
from sessions_app import access as sessions
from sessions_app.models import Message
from sessions_app.services.sessions import check_contact_given

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from accounts.actor import Actor
    from sessions_app.models import Session

MAX_SUPERSEDED = 100
MAX_EVIDENCE = 100


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be remembered; limits are in memory.services.checks.

    Attributes:
        topic_key: with one, the active memory of the same tuple is replaced.
        contact_id: a contact's UUID or `platform:id`; None: the header's, else the session's.
        session_id: in which it was said; the actor must see it.
        supersedes: ids of memories that this one takes the place of.
        evidence: ids (`msg_…`) of the messages that it comes from.
    """

    content: str
    summary: str = ""
    kind: str = "facts"
    topic_key: str | None = None
    scope: str = Scope.USER
    salience: str = Salience.MEDIUM
    topics: Sequence[str] = ()
    source: str = Source.USER_STATED
    expires_at: datetime | None = None
    contact_id: str | None = None
    session_id: str | None = None
    supersedes: Sequence[UUID] = ()
    evidence: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Remembered:
    """What became of it.

    Attributes:
        memory: the row, with its user, agent and contact. created: False when an upsert replaced
            the state of an older row. redacted: how many secrets were taken out.
        actor: who wrote it, narrowed as the note asked and with everyone registered.
    """

    memory: Memory
    created: bool
    redacted: int
    actor: Actor


def memory_remember(*, actor: Actor, note: Note) -> Remembered:
    """Keep one memory. Everything is checked first: what is refused changes nothing.

    Raises:
        InvalidArgument: a value that is refused, or a secret where the account keeps none.
        PermissionDenied: a memory of the agent, by a key that is not bound to it; a contact that
            the caller may not name.
        NotFound: a contact, session, message or superseded memory that the actor does not see or
            may not change; a topic of the agent that somebody else wrote.
        Conflict: contact_id contradicts the header or the session.
        FailedPrecondition: the gate of the agent is closed, the session's memory is paused, or the
            contact did not agree.
    """
    cleaner = Cleaner.of(actor)
    values = cleaner.changes(
        {
            "content": note.content,
            "summary": note.summary,
            "kind": note.kind,
            "topic_key": note.topic_key,
            "scope": note.scope,
            "salience": note.salience,
            "topics": note.topics,
            "source": note.source,
            "expires_at": note.expires_at,
        }
    )
    messages, superseded = _message_keys(note.evidence), _superseded_keys(note.supersedes)
    with transaction.atomic():
        actor = narrowed_by_parameter(actor, note.contact_id)
        session = sessions.session_for(actor, note.session_id) if note.session_id else None
        if session is not None:
            guards.require_unpaused(session)
            actor = _with_its_contact(actor, session)
        check_contact_given(actor)
        if note.scope == Scope.AGENT:
            access.require_agent_writer(actor)
        actor = with_everyone_registered(actor, actor.agent)
        guards.require_gate(actor)
        guards.require_consent(actor, actor.contact.id if actor.contact else None)
        memory = _stamped(actor, session, values)
        _hold(memory, superseded)
        memory, created = _kept(actor, memory)
        _supersede(actor, memory, superseded)
        _add_evidence(actor, memory, messages)
        if actor.simulating or not created:
            audit.record(
                actor=actor,
                action="memory.created" if created else "memory.updated",
                target_type="memory",
                target=memory.pk,
                redacted=cleaner.redacted,
            )
    found = access.memory_for(actor, memory.pk)  # with what the database wrote: version, times
    return Remembered(found, created, cleaner.redacted, actor)


def _with_its_contact(actor: Actor, session: Session) -> Actor:
    """What is remembered out of a contact's session is that contact's, whoever remembers it."""
    if session.contact is None or actor.contact is not None:
        return actor
    owner = session.contact.owner
    if not actor.is_admin and owner.pk != actor.user.id:
        raise PermissionDenied("This session is with a contact of another user.")
    narrowed = replace(actor, contact=contact_ref(session.contact))
    return replace(narrowed, user=Principal(owner.pk, owner.user_id))


def _stamped(actor: Actor, session: Session | None, values: dict[str, Any]) -> Memory:
    """An unsaved memory: who and with whom are both always recorded."""
    assert actor.agent.id is not None  # registered by now
    return Memory(
        user_id=actor.user.id,
        agent_id=actor.agent.id,
        contact_id=actor.contact.id if actor.contact else None,
        session=session,
        language=AccountSettings.of(actor.settings).language,
        written_by=actor.written_by,
        written_key=actor.key,
        **values,
    )


def _hold(memory: Memory, superseded: list[UUID]) -> None:
    """Lock all rows that this will change in one order, so that two who replace each other's
    memories wait instead of blocking one another."""
    if memory.topic_key is None or not superseded:
        return
    replaced = guards.same_topic(memory).values("pk")
    rows = Memory.objects.filter(Q(pk__in=superseded) | Q(pk__in=replaced))
    list(rows.order_by("pk").select_for_update().values_list("pk", flat=True))


def _kept(actor: Actor, memory: Memory) -> tuple[Memory, bool]:
    """The new row, or the one that it replaces the state of; and whether it is new."""
    if memory.topic_key is None:
        memory.save(force_insert=True)
        return memory, True
    for _attempt in range(3):
        held = guards.same_topic(memory).select_for_update().first()
        if held is not None:
            if not access.may_edit(actor, held):
                raise NotFound("memory", memory.topic_key)
            _overwrite(held, memory)
            return held, False
        try:
            with transaction.atomic():
                memory.save(force_insert=True)
        except IntegrityError:  # someone was quicker: theirs is the one to replace
            continue
        return memory, True
    raise Conflict("Others are writing this topic at the same time; try again.")


REPLACED = (
    "summary", "content", "source", "salience", "topics", "confidence", "session", "expires_at",
    "language",
    "written_by", "written_key",
)  # fmt: skip


def _overwrite(held: Memory, memory: Memory) -> None:
    for name in REPLACED:
        setattr(held, name, getattr(memory, name))
    held.save(update_fields=REPLACED)
    held.evidence.all().delete()  # it was for what was said before


def _superseded_keys(ids: Sequence[UUID]) -> list[UUID]:
    if len(ids) > MAX_SUPERSEDED:
        raise InvalidArgument(
            f"supersedes names at most {MAX_SUPERSEDED} memories.", field="supersedes"
        )
    return list(dict.fromkeys(ids))


def _supersede(actor: Actor, memory: Memory, ids: list[UUID]) -> None:
    """Mark older memories in the same transaction; only those that the actor may edit."""
    if memory.pk in ids:
        raise InvalidArgument("A memory cannot supersede itself.", field="supersedes")
    if not ids:
        return
    rows = access.memories_of(actor).filter(access.editable_by(actor), pk__in=ids)
    found = rows.filter(state=State.ACTIVE).order_by("pk").select_for_update(of=("self",))
    missing = set(ids) - set(found.values_list("pk", flat=True))
    if missing:
        raise NotFound("memory", str(min(missing)))
    Memory.objects.filter(pk__in=ids).update(
        state=State.SUPERSEDED,
        superseded_by=memory,
        written_by=actor.written_by,
        written_key=actor.key,
    )


def _message_keys(ids: Sequence[str]) -> list[UUID]:
    """The rows that `msg_…` ids stand for."""
    if len(ids) > MAX_EVIDENCE:
        raise InvalidArgument(f"evidence names at most {MAX_EVIDENCE} messages.", field="evidence")
    try:
        return list(dict.fromkeys(UUID(text.removeprefix("msg_")) for text in ids))
    except ValueError:
        raise InvalidArgument("evidence names messages by their ids.", field="evidence") from None


def _add_evidence(actor: Actor, memory: Memory, messages: list[UUID]) -> None:
    if not messages:
        return
    seen = Message.objects.filter(pk__in=messages, session__in=sessions.sessions_of(actor))
    seen = seen.select_related("session", "session__contact").only(
        "session__session_id", "session__memory_paused", "session__contact__root"
    )
    found = {message.pk: message.session for message in seen}
    missing = set(messages) - set(found)
    if missing:
        raise NotFound("message", f"msg_{min(missing).hex}")
    for session in found.values():
        guards.require_unpaused(session)
        if session.contact and session.contact.root != memory.contact_id:
            raise FailedPrecondition(
                "A message of a contact's session is evidence for a memory of that contact only:"
                " name the session, or the contact.",
                contact_id=str(session.contact.root),
            )
    Evidence.objects.bulk_create(
        [Evidence(memory=memory, message_id=key) for key in messages], ignore_conflicts=True
    )
