"""Changing what one memory says, and bringing back what it said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.errors import (
    Conflict,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
)
from accounts.principals import audit
from memory import access
from memory.models import Memory, State, Version
from memory.services import guards
from memory.services.checks import Cleaner
from sessions_app.models import Session

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from accounts.actor import Actor

EDITABLE = ("content", "summary", "kind", "topic_key", "salience", "topics", "expires_at")
WORDS = {"content", "summary", "topic_key", "topics"}
CLEARABLE = ("topic_key", "expires_at")
OWNED = ("scope", "user", "agent", "contact")  # whose it is
SAID = (
    "kind", "topic_key", "summary", "content", "source", "salience", "topics", "confidence",
    "expires_at", "language",
)  # fmt: skip


def memory_update(
    *,
    actor: Actor,
    memory_id: UUID,
    changes: Mapping[str, Any],
    version: int | None = None,
) -> tuple[Memory, int]:
    """Change what is given; the rest stays. What it said before is kept as a revision.

    Args:
        changes: of EDITABLE; None clears topic_key and expires_at.
        version: the one that was edited; None: whichever is there.

    Returns:
        The memory, and how many secrets were taken out.

    Raises:
        NotFound: the actor sees no such memory.
        PermissionDenied: somebody else wrote it for its agent.
        InvalidArgument: a value that is refused.
        Conflict: it was changed since that version, or its new topic is taken.
        FailedPrecondition: it is deleted or superseded, or its contact withdrew consent.
    """
    cleaner = Cleaner.of(actor)
    unclearable = [
        name for name, value in changes.items() if value is None and name not in CLEARABLE
    ]
    if unclearable:
        raise InvalidArgument(f"{unclearable[0]} cannot be null.", field=unclearable[0])
    values = cleaner.changes(dict(changes))
    with transaction.atomic():
        memory = access.editable_memory(actor, memory_id)
        if version is not None and version != memory.version:
            raise Conflict("This memory was changed meanwhile.", version=memory.version)
        if memory.state not in (State.ACTIVE, State.QUARANTINED):
            raise FailedPrecondition(
                f"This memory is {memory.state}; restore it first.", state=memory.state
            )
        if values.keys() & WORDS:  # nothing new is kept of who does not agree
            guards.require_consent(actor, memory.contact_id)
        if write(actor, memory, values):
            audit.record(
                actor=actor, action="memory.updated", target_type="memory", target=memory.pk
            )
    return access.memory_for(actor, memory_id), cleaner.redacted


def memory_restore(*, actor: Actor, memory_id: UUID, version: int | None = None) -> Memory:
    """Bring a memory back: out of deletion or supersession, or to what it said once.

    One that was in quarantine when it was deleted comes back into quarantine. A past expiry is
    cleared, else the memory would be gone again at once.

    Args:
        version: the state to bring back, with content, scope, user, agent and contact; None: as
            it stands.

    Raises:
        NotFound: the actor sees no such memory, or it has no such version.
        PermissionDenied: somebody else wrote it for its agent, or it was somebody else's then.
        Conflict: another active memory stands for its topic; it is named.
        FailedPrecondition: its contact withdrew consent.
    """
    with transaction.atomic():
        memory = access.editable_memory(actor, memory_id)
        bring_back(actor, memory, version)
    return access.memory_for(actor, memory_id)


def bring_back(actor: Actor, memory: Memory, version: int | None = None) -> None:
    """As memory_restore, for a row that the caller holds and the actor may change."""
    values: dict[str, Any] = {"state": _state_before(memory), "superseded_by_id": None}
    if version is not None and version != memory.version:
        values |= _as_in(actor, memory, version)
    expires_at: datetime | None = values.get("expires_at", memory.expires_at)
    if expires_at is not None and expires_at <= timezone.now():
        values["expires_at"] = None
    guards.require_consent(actor, values.get("contact_id", memory.contact_id))
    write(actor, memory, values)
    audit.record(actor=actor, action="memory.restored", target_type="memory", target=memory.pk)


def write(actor: Actor, memory: Memory, values: Mapping[str, Any]) -> bool:
    """Write what differs into a row that the caller holds, in the actor's name; whether any did.

    Raises:
        Conflict: its topic is taken.
    """
    changed = {name: value for name, value in values.items() if getattr(memory, name) != value}
    if not changed:
        return False
    changed |= {"written_by": actor.written_by, "written_key": actor.key}
    for name, value in changed.items():
        setattr(memory, name, value)
    guards.require_free_topic(memory)
    try:
        with transaction.atomic():
            memory.save(update_fields=list(changed))
    except IntegrityError:  # taken since it was looked up
        guards.require_free_topic(memory)
        raise
    return True


def _state_before(memory: Memory) -> str:
    """What it was before it was deleted or superseded: active, or in quarantine."""
    if memory.state in (State.ACTIVE, State.QUARANTINED):
        return memory.state
    last = (
        Version.objects.filter(memory=memory, state__in=[State.ACTIVE, State.QUARANTINED])
        .order_by("-version")
        .values_list("state", flat=True)
        .first()
    )
    return last or State.ACTIVE


def _as_in(actor: Actor, memory: Memory, version: int) -> dict[str, Any]:
    """What the memory said and whose it was in that version."""
    past = Version.objects.defer("search").filter(memory=memory, version=version).first()
    if past is None:
        raise NotFound("version", str(version))
    owner = {f"{name}_id" if name != "scope" else name: getattr(past, name) for name in OWNED}
    moved = any(getattr(memory, name) != value for name, value in owner.items())
    if moved and not actor.is_admin:
        raise PermissionDenied("It was somebody else's then; an admin may restore that version.")
    there = past.session is not None and Session.objects.filter(pk=past.session).exists()
    said = {name: getattr(past, name) for name in SAID}
    # What the account keeps may be stricter by now.
    said |= Cleaner.of(actor).changes({name: said[name] for name in WORDS})
    return {**owner, **said, "session_id": past.session if there else None}
