"""One way to write the account's audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.actor import Actor, Role
from accounts.principals.models import AuditEvent

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.actor import Operator


def record(
    *,
    actor: Actor | Operator,
    action: str,
    target_type: str,
    target: UUID | None,
    **data: UUID | int | bool,
) -> None:
    """Write one event inside the caller's transaction and account.

    Args:
        action: `<noun>.<past participle>`, for instance `user.created`.
        data: ids and counts only. Never text, names, handles or slugs: they may be names, and the
            log outlives erasure.
    """
    event = AuditEvent(
        action=action,
        target_type=target_type,
        target=target,
        data={key: value if isinstance(value, int) else str(value) for key, value in data.items()},
        request_id=actor.request_id,
    )
    if isinstance(actor, Actor):
        event.actor = actor.principal.id if actor.principal else None
        event.actor_role = actor.role
        event.actor_key = actor.key
        event.acting_as = None if actor.as_itself else actor.user.id
    else:
        event.actor_role = Role.ROOT
    event.save(force_insert=True)
