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
    event = _event(actor, action, target_type, target)
    event.data = {
        key: value if isinstance(value, int) else str(value) for key, value in data.items()
    }
    event.save(force_insert=True)


def record_each(
    *, actor: Actor | Operator, action: str, target_type: str, targets: Iterable[UUID]
) -> None:
    """Write one event for each target, in one statement, inside the caller's transaction."""
    AuditEvent.objects.bulk_create(
        [_event(actor, action, target_type, target) for target in targets]
    )


def _event(
    actor: Actor | Operator, action: str, target_type: str, target: UUID | None
) -> AuditEvent:
    """An unsaved event that names who is really there, and as whom."""
    event = AuditEvent(
        action=action,
        target_type=target_type,
        target=target,
        request_id=actor.request_id if is_plain_number(actor.request_id) else "",
    )
    if not isinstance(actor, Actor):
        event.actor_role = Role.ROOT
    elif actor.viewing:
        event.actor, event.actor_role = actor.viewing.viewer.id, Role.ADMIN
        event.acting_as = actor.user.id
    else:
        event.actor = actor.principal.id if actor.principal else None
        event.actor_role = actor.role
        event.actor_key = actor.key
        event.acting_as = actor.user.id if actor.simulating else None
    return event


def note_read(*, actor: Actor, kind: str, subjects: Iterable[UUID]) -> None:
    """Note that an ADMIN or ROOT reads others' content: once per subject, kind and hour.

    Args:
        kind: what was read; one word of ours.
        subjects: the Users whose content it is.
    """
    if actor.role is Role.USER and not actor.viewing:
        return
    reader = actor.viewing.viewer.id if actor.viewing else actor.written_by
    _note(actor, f"read.{kind}", set(subjects) - {reader}, "user")


def note(*, actor: Actor, action: str, subject: UUID, target_type: str = "user") -> None:
    """Record what would else be recorded too often: once per actor, subject and hour."""
    _note(actor, action, {subject}, target_type)


def _note(actor: Actor, action: str, subjects: set[UUID], target_type: str) -> None:
    """One statement when all is noted, two when it is not: a page names fifty people."""
    if not subjects:
        return
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    events = {subject: _event(actor, action, target_type, subject) for subject in sorted(subjects)}
    like = next(iter(events.values()))
    noted = AuditEvent.objects.filter(
        action=action,
        actor=like.actor,
        actor_role=like.actor_role,
        acting_as=like.acting_as,
        target__in=subjects,
        created_at__gte=hour,
    ).values_list("target", flat=True)
    known = set(noted)
    AuditEvent.objects.bulk_create(
        [event for subject, event in events.items() if subject not in known]
    )
