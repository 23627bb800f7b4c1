"""Deleting and quarantining memories, one or many; nothing here removes a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.actor import DEFAULT_ID
from accounts.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from accounts.principals import audit
from memory import access
from memory.models import Memory, State
from memory.services.editing import memory_restore, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from accounts.actor import Actor

MAX_AT_ONCE = 200
PRUNED_AT_ONCE = 1_000
KEPT = (State.ACTIVE, State.QUARANTINED, State.SUPERSEDED)


@dataclass(frozen=True, slots=True)
class Wiped:
    """How much of a user's memory was deleted.

    Attributes:
        topics: memories kept with no particular agent (the agent `default`).
        agent_topics: those kept with a named one. extractions: runs that were forgotten.
    """

    user_id: str
    topics: int
    agent_topics: int
    extractions: int


def memory_delete(*, actor: Actor, memory_id: UUID) -> Memory:
    """Mark a memory as deleted: it can be restored. Deleting it again changes nothing.

    Raises:
        NotFound: the actor sees no such memory.
        PermissionDenied: somebody else wrote it for its agent.
    """
    with transaction.atomic():
        memory = access.editable_memory(actor, memory_id)
        if memory.state != State.DELETED:
            write(actor, memory, {"state": State.DELETED})
            _note(actor, "memory.deleted", [memory.pk])
    return access.memory_for(actor, memory_id)


def memories_delete(*, actor: Actor, ids: Sequence[UUID]) -> list[UUID]:
    """Mark up to 200 memories as deleted, all or none; those that are already stay as they are.

    Returns:
        Those that this changed, for undoing it.

    Raises:
        NotFound, PermissionDenied: as memory_delete, for any of them.
        InvalidArgument: none, or too many.
    """
    with transaction.atomic():
        doomed = [row.pk for row in _held(actor, ids) if row.state != State.DELETED]
        _mark(actor, doomed, State.DELETED)
        _note(actor, "memory.deleted", doomed)
    return doomed


def memories_quarantine(*, actor: Actor, ids: Sequence[UUID]) -> list[UUID]:
    """Put up to 200 active memories in quarantine; the others stay as they are.

    Returns:
        Those that this changed, for undoing it.

    Raises:
        PermissionDenied: the actor is no admin as itself.
        NotFound, InvalidArgument: as memories_delete.
    """
    access.require_keeper(actor)
    with transaction.atomic():
        doubtful = [row.pk for row in _held(actor, ids) if row.state == State.ACTIVE]
        _mark(actor, doubtful, State.QUARANTINED)
        _note(actor, "memory.quarantined", doubtful)
    return doubtful


def memories_restore(*, actor: Actor, ids: Sequence[UUID]) -> list[UUID]:
    """Bring back up to 200 memories, all or none. Raises as memory_restore."""
    with transaction.atomic():
        back = [row.pk for row in _held(actor, ids) if row.state not in KEPT[:2]]
        for key in back:
            memory_restore(actor=actor, memory_id=key)
    return back


def memories_release(*, actor: Actor, ids: Sequence[UUID]) -> list[UUID]:
    """Let up to 200 memories out of quarantine, all or none. Raises as memory_release."""
    with transaction.atomic():
        held = [row.pk for row in _held(actor, ids) if row.state == State.QUARANTINED]
        for key in held:
            memory_release(actor=actor, memory_id=key)
    return held


def memory_quarantine(*, actor: Actor, memory_id: UUID) -> Memory:
    """Withhold an active memory from everyone until an admin releases it.

    Raises:
        PermissionDenied: the actor is no admin as itself.
        NotFound: there is no such memory.
        FailedPrecondition: it is deleted or superseded.
    """
    return _moved(actor, memory_id, State.QUARANTINED, "memory.quarantined")


def memory_release(*, actor: Actor, memory_id: UUID) -> Memory:
    """Let a memory out of quarantine. Raises as memory_quarantine, and:

    Raises:
        Conflict: another active memory stands for its topic; it is named.
    """
    return _moved(actor, memory_id, State.ACTIVE, "memory.released")


def memory_wipe(
    *, actor: Actor, user_id: str, agent_id: str | None = None, topic: str | None = None
) -> Wiped:
    """Mark a user's memories as deleted, all at once or not at all; memories of agents stay.

    Args:
        agent_id: only those kept with this agent. topic: only this topic_key; then the runs of
            extraction stay.

    Raises:
        InvalidArgument, PermissionDenied, NotFound: as access.subject_for.
        NotFound: no such agent; or a topic of which nothing is kept.
    """
    subject = access.subject_for(actor, user_id)
    with transaction.atomic():
        rows = access.controlled(actor, subject).filter(state__in=KEPT)
        runs = access.extractions_of(actor, subject)
        if agent_id is not None:
            agent = access.control_agent(actor, agent_id)
            rows, runs = rows.filter(agent=agent), runs.filter(agent=agent)
        if topic is not None:
            rows = rows.filter(topic_key=topic)
        found = list(
            rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", "agent__agent_id")
        )
        if topic is not None and not found:
            raise NotFound("topic", topic)
        _mark(actor, [key for key, _ in found], State.DELETED)
        forgotten = 0
        if topic is None:
            # By key: a delete through a join would be two statements for each row.
            forgotten = len(keys := list(runs.values_list("pk", flat=True)))
            access.extractions_of(actor, subject).filter(pk__in=keys).delete()
        plain = sum(1 for _, name in found if name == DEFAULT_ID)
        audit.record(
            actor=actor,
            action="memory.wiped",
            target_type="user",
            target=subject.pk,
            memories=len(found),
            extractions=forgotten,
        )
    return Wiped(subject.user_id, plain, len(found) - plain, forgotten)


def memories_prune() -> int:
    """Mark what has expired as deleted, in the current account: a job. How many it was.

    A state that nobody wrote has no author.
    """
    expired = Memory.objects.filter(state=State.ACTIVE, expires_at__lte=timezone.now())
    keys = list(expired.order_by("expires_at").values_list("pk", flat=True)[:PRUNED_AT_ONCE])
    return Memory.objects.filter(
        pk__in=keys, state=State.ACTIVE, expires_at__lte=timezone.now()
    ).update(state=State.DELETED, written_by=None, written_key=None)


def _held(actor: Actor, ids: Sequence[UUID]) -> list[Memory]:
    """The rows, locked; all of them editable by the actor."""
    wanted = set(ids)
    if not 1 <= len(wanted) <= MAX_AT_ONCE:
        raise InvalidArgument(f"Name 1 to {MAX_AT_ONCE} memories.", field="ids")
    rows = access.memories_of(actor).filter(pk__in=wanted).order_by("pk")
    found = list(rows.select_for_update(of=("self",)))
    missing = wanted - {row.pk for row in found}
    if missing:
        raise NotFound("memory", str(min(missing)))
    if not all(access.may_edit(actor, row) for row in found):
        raise PermissionDenied("Only who wrote a memory of an agent changes it, or an admin.")
    return found


def _mark(actor: Actor, keys: Iterable[UUID], state: State) -> None:
    Memory.objects.filter(Q(pk__in=list(keys))).update(
        state=state, written_by=actor.written_by, written_key=actor.key
    )


def _moved(actor: Actor, memory_id: UUID, state: State, action: str) -> Memory:
    access.require_keeper(actor)
    with transaction.atomic():
        memory = access.memory_for(actor, memory_id, lock=True)
        if memory.state not in (State.ACTIVE, State.QUARANTINED):
            raise FailedPrecondition(
                f"This memory is {memory.state}; restore it first.", state=memory.state
            )
        if memory.state != state:
            write(actor, memory, {"state": state})
            _note(actor, action, [memory.pk])
    return access.memory_for(actor, memory_id)


def _note(actor: Actor, action: str, keys: Iterable[UUID]) -> None:
    """One event for each, so that a memory's own history in the log is whole."""
    audit.record_each(actor=actor, action=action, target_type="memory", targets=keys)
