"""View as: an admin sees the product as someone else sees it (isolation.md, View as).

What is refused meanwhile is refused by the path middleware, for every page alike.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import tenancy
from accounts.actor import Role
from accounts.errors import Conflict, InvalidArgument, NotFound, PermissionDenied
from accounts.principals import access, audit
from accounts.principals.contacts import contact_for
from accounts.principals.jobs import queue_view_end
from accounts.principals.membership import actor_by_membership
from accounts.principals.models import AuditEvent, ViewAs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.actor import Actor
    from accounts.models import Person

VIEW_TIME = timedelta(minutes=30)
MAX_REASON = 200


def view_start(
    *,
    actor: Actor,
    user_id: str = "",
    agent_id: str = "",
    contact_id: UUID | None = None,
    reason: str,
) -> ViewAs:
    """Begin to see the product as a user, on behalf of an agent if one is named.

    Args:
        contact_id: see only what this contact sees; the user is then its owner.

    Raises:
        PermissionDenied: the caller is no admin as itself.
        InvalidArgument: no reason, or a long one; oneself.
        NotFound: no such user, agent or contact.
    """
    if actor.role is not Role.ADMIN or not actor.as_itself or actor.viewing:
        raise PermissionDenied("Only an admin of the account sees it as someone else.")
    assert actor.principal is not None  # as_itself says so
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= MAX_REASON:
        raise InvalidArgument(
            f"A reason of 1 to {MAX_REASON} characters is needed: the user can read it.",
            field="reason",
        )
    with transaction.atomic():
        contact = contact_for(actor, contact_id) if contact_id else None
        if contact is not None and not contact.owner.is_active:
            raise NotFound("contact", str(contact_id))  # nobody acts for a deleted user
        subject = contact.owner if contact else access.user_for(user_id)
        if contact is None and subject.pk == actor.principal.id:
            raise InvalidArgument("You see the product as yourself already.", field="user")
        agent = access.agent_for(agent_id) if agent_id else None
        view = ViewAs(
            viewer_id=actor.principal.id,
            user=subject,
            agent=agent,
            contact=contact,
            reason=reason,
            expires_at=timezone.now() + VIEW_TIME,
        )
        view.save(force_insert=True)
        audit.record(
            actor=actor,
            action="view.started",
            target_type="user",
            target=subject.pk,
            view=view.pk,
            **({"agent": agent.pk} if agent else {}),
            **({"contact": contact.pk} if contact else {}),
        )
        queue_view_end(account=actor.account.id, view=view.pk, at=view.expires_at)
    return view


def view_end(*, actor: Actor) -> None:
    """Leave the view that the actor has; the audit log says when.

    Raises:
        Conflict: the actor views nobody.
    """
    if actor.viewing is None:
        raise Conflict("You see the product as yourself.")
    with transaction.atomic():
        if _closed(actor.viewing.id):
            audit.record(
                actor=actor,
                action="view.ended",
                target_type="user",
                target=actor.user.id,
                view=actor.viewing.id,
            )


def views_leave(*, person: Person, held: Mapping[str, str], request_id: str) -> None:
    """End the views that a browser holds, when its person signs out.

    Args:
        held: account_id → id of a ViewAs; what is over or foreign is passed over.
    """
    for account_id, view in held.items():
        with tenancy.public():
            actor = actor_by_membership(
                account_id, person.pk, request_id=request_id, view=UUID(view)
            )
            if actor is not None and actor.viewing:
                view_end(actor=actor)


def view_expire(*, view: UUID) -> None:
    """Write down the end of a view that nobody left, inside the account, by a job."""
    with transaction.atomic():
        row = ViewAs.objects.filter(pk=view, expires_at__lte=timezone.now()).first()
        if row is not None and _closed(view):
            AuditEvent(
                action="view.ended",
                actor_role="",
                target_type="user",
                target=row.user_id,
                data={"view": str(view)},
            ).save(force_insert=True)


def _closed(view: UUID) -> bool:
    """Whether this call closed it: the end is written down once."""
    return ViewAs.objects.filter(pk=view, ended_at=None).update(ended_at=timezone.now()) == 1
