"""Views as a user: whose eyes an admin borrowed, when and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts.principals.audit_words import LOOKED
from accounts.principals.contact_words import contact_view
from accounts.principals.models import AuditEvent, ViewAs
from accounts.principals.selectors.newest import newest
from accounts.principals.selectors.users import user_names

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from accounts.actor import Actor
    from accounts.guard import AccountQuerySet
    from accounts.principals.contact_words import ContactView

RECENT = 100


@dataclass(frozen=True, slots=True)
class ViewFacts:
    """One view, begun at `started_at`; it ended at `ended_at`, or lasts until `expires_at`."""

    id: UUID
    viewer: str
    user_id: str
    agent_id: str | None
    contact: ContactView | None  # to which it was narrowed
    reason: str
    started_at: datetime
    ended_at: datetime | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody looked at what is a user's: through that user's eyes, or with an admin's own.

    Attributes:
        who: a user_id; None: an operator.
        view: as which the account was seen; None: a read of the user's content.
        action: of a read: its name in the audit log, noted once an hour.
        acting_as: of a read: it was done while seeing the account as this user.
    """

    at: datetime
    who: str | None
    view: ViewFacts | None = None
    action: str = ""
    acting_as: str | None = None


@dataclass(frozen=True, slots=True)
class LookPage:
    """One page, newest first, and the cursors of its neighbours."""

    rows: list[Look]
    older: str | None
    newer: str | None


def views_by(*, actor: Actor, limit: int = 10) -> list[ViewFacts]:
    """What the actor itself viewed, newest first."""
    if actor.principal is None:
        return []
    return _facts(ViewAs.objects.get_queryset().filter(viewer_id=actor.principal.id), limit)


def views_of(*, user: UUID, limit: int = RECENT) -> list[ViewFacts]:
    """Who viewed as this user, newest first. For that user and for admins: the caller says so."""
    return _facts(ViewAs.objects.get_queryset().filter(user_id=user), limit)


def looks_of(
    *,
    user: UUID,
    limit: int = RECENT,
    older: str | None = None,
    newer: str | None = None,
) -> LookPage:
    """Who looked at what is this user's, newest first. For that user and for admins: the caller
    says so. Three statements.

    Raises:
        InvalidArgument: a cursor that no list gave out.
    """
    views = ViewAs.objects.get_queryset().filter(user_id=user)
    reads = AuditEvent.objects.get_queryset().filter(
        target=user, target_type="user", action__in=list(LOOKED)
    )
    page = newest(
        _with_all(views),
        reads,
        limit=limit,
        older=older,
        newer=newer,
    )
    read = [row for row in page.rows if isinstance(row, AuditEvent)]
    names = user_names({one for row in read for one in (row.actor, row.acting_as) if one})
    return LookPage([_look(row, names) for row in page.rows], page.older, page.newer)


def _look(row: ViewAs | AuditEvent, names: dict[UUID, str]) -> Look:
    if isinstance(row, ViewAs):
        return Look(at=row.created_at, who=row.viewer.user_id, view=_view(row))
    return _read(row, names)


def _read(row: AuditEvent, names: dict[UUID, str]) -> Look:
    return Look(
        at=row.created_at,
        who=names.get(row.actor) if row.actor else None,
        action=row.action,
        acting_as=names.get(row.acting_as) if row.acting_as else None,
    )


def _facts(rows: AccountQuerySet[ViewAs], limit: int) -> list[ViewFacts]:
    found = _with_all(rows).order_by("-created_at", "-id")
    return [_view(row) for row in found[:limit]]


def _with_all(rows: AccountQuerySet[ViewAs]) -> AccountQuerySet[ViewAs]:
    """With everybody whom a view names; the handles cost a statement only where contacts are."""
    joined = rows.select_related("viewer", "user", "agent", "contact")
    return joined.prefetch_related("contact__handles")


def _view(row: ViewAs) -> ViewFacts:
    return ViewFacts(
        id=row.pk,
        viewer=row.viewer.user_id,
        user_id=row.user.user_id,
        agent_id=row.agent.agent_id if row.agent else None,
        contact=contact_view(row.contact),
        reason=row.reason,
        started_at=row.created_at,
        ended_at=row.ended_at,
        expires_at=row.expires_at,
    )
