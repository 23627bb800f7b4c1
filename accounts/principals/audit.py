"""One way to write the account's audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

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
        event.acting_as = actor.user.id if actor.simulating else None
    else:
        event.actor_role = Role.ROOT
    event.save(force_insert=True)


def note_read(*, actor: Actor, kind: str, subject: UUID) -> None:
    """Note that an ADMIN or ROOT reads another's content: once per subject, kind and hour.

    Args:
        kind: what was read; one word of ours.
        subject: the User whose content it is.
    """
    if actor.role is Role.USER or subject == actor.written_by:
        return
    action = f"read.{kind}"
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    principal = actor.principal.id if actor.principal else None
    noted = AuditEvent.objects.filter(
        action=action, actor=principal, actor_role=actor.role, target=subject, created_at__gte=hour
    )
    if not noted.exists():
        record(actor=actor, action=action, target_type="user", target=subject)
