"""One way to write the account's audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from accounts.actor import Actor, Role
from accounts.names import is_plain_number
from accounts.principals.models import AuditEvent

if TYPE_CHECKING:
    from collections.abc import Iterable
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
        request_id=actor.request_id if is_plain_number(actor.request_id) else "",
    )
    if isinstance(actor, Actor) and actor.viewing:
        event.actor = actor.viewing.viewer.id
        event.actor_role = Role.ADMIN
        event.acting_as = actor.user.id
    elif isinstance(actor, Actor):
        event.actor = actor.principal.id if actor.principal else None
        event.actor_role = actor.role
        event.actor_key = actor.key
        event.acting_as = actor.user.id if actor.simulating else None
    else:
        event.actor_role = Role.ROOT
    event.save(force_insert=True)


def note_read(*, actor: Actor, kind: str, subjects: Iterable[UUID]) -> None:
    """Note that an ADMIN or ROOT reads others' content: once per subject, kind and hour.

    Args:
        kind: what was read; one word of ours.
        subjects: the Users whose content it is.
    """
    if actor.role is Role.USER and not actor.viewing:
        return
    reader = actor.viewing.viewer.id if actor.viewing else actor.written_by
    for subject in set(subjects) - {reader}:
        note(actor=actor, action=f"read.{kind}", subject=subject)


def note(*, actor: Actor, action: str, subject: UUID, target_type: str = "user") -> None:
    """Record what would else be recorded too often: once per actor, subject and hour."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    principal, role = actor.principal.id if actor.principal else None, actor.role
    if actor.viewing:
        principal, role = actor.viewing.viewer.id, Role.ADMIN
    noted = AuditEvent.objects.filter(
        action=action, actor=principal, actor_role=role, target=subject, created_at__gte=hour
    )
    if not noted.exists():
        record(actor=actor, action=action, target_type=target_type, target=subject)
