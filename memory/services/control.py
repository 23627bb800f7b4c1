"""Deleting one memory of a user, and bringing it back: by whoever controls what is kept of it.

What a user controls is more than what it lists: its memories with every agent, also where the
policy splits them. Hence the look-up by subject instead of access.memory_for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts.errors import NotFound
from accounts.principals import audit
from memory import access
from memory.models import State
from memory.services.editing import bring_back, write

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.actor import Actor
    from memory.models import Memory


def user_memory_delete(*, actor: Actor, user_id: str, memory_id: UUID) -> Memory:
    """Mark one memory of a user as deleted. Deleting it again changes nothing.

    Raises:
        InvalidArgument, PermissionDenied, NotFound: as access.subject_for.
        NotFound: it is none of that user's.
    """
    with transaction.atomic():
        memory = _controlled(actor, user_id, memory_id)
        if memory.state != State.DELETED:
            write(actor, memory, {"state": State.DELETED})
            audit.record(
                actor=actor, action="memory.deleted", target_type="memory", target=memory.pk
            )
    return memory


def user_memory_restore(*, actor: Actor, user_id: str, memory_id: UUID) -> Memory:
    """Bring one memory of a user back, as it stands. Raises as user_memory_delete, and:

    Raises:
        Conflict: another active memory stands for its topic; it is named.
        FailedPrecondition: its contact withdrew consent.
    """
    with transaction.atomic():
        memory = _controlled(actor, user_id, memory_id)
        bring_back(actor, memory)
    return memory


def _controlled(actor: Actor, user_id: str, memory_id: UUID) -> Memory:
    subject = access.subject_for(actor, user_id)
    rows = access.controlled(actor, subject).filter(pk=memory_id)
    found = rows.select_for_update(of=("self",)).first()
    if found is None:
        raise NotFound("memory", str(memory_id))
    return found
