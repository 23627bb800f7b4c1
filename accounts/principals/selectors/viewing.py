"""Views as a user: whose eyes an admin borrowed, when and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts.principals.models import ViewAs

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from accounts.actor import Actor
    from accounts.guard import AccountQuerySet

RECENT = 100


@dataclass(frozen=True, slots=True)
class ViewFacts:
    """One view, begun at `started_at`; it ended at `ended_at`, or lasts until `expires_at`."""

    id: UUID
    viewer: str
    user_id: str
    agent_id: str | None
    reason: str
    started_at: datetime
    ended_at: datetime | None
    expires_at: datetime


def views_by(*, actor: Actor, limit: int = 10) -> list[ViewFacts]:
    """What the actor itself viewed, newest first."""
    if actor.principal is None:
        return []
    return _facts(ViewAs.objects.get_queryset().filter(viewer_id=actor.principal.id), limit)


def views_of(*, user: UUID, limit: int = RECENT) -> list[ViewFacts]:
    """Who viewed as this user, newest first. For that user and for admins: the caller says so."""
    return _facts(ViewAs.objects.get_queryset().filter(user_id=user), limit)


def _facts(rows: AccountQuerySet[ViewAs], limit: int) -> list[ViewFacts]:
    found = rows.select_related("viewer", "user", "agent").order_by("-created_at", "-id")
    return [
        ViewFacts(
            id=row.pk,
            viewer=row.viewer.user_id,
            user_id=row.user.user_id,
            agent_id=row.agent.agent_id if row.agent else None,
            reason=row.reason,
            started_at=row.created_at,
            ended_at=row.ended_at,
            expires_at=row.expires_at,
        )
        for row in found[:limit]
    ]
