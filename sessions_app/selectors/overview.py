"""The account at a glance. Every number costs one statement, however much was said."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.principals import selectors as principal_selectors
from sessions_app import access
from sessions_app.models import DayCount, Message, Session
from sessions_app.ports import memories
from sessions_app.selectors.sessions import (
    SessionCount,
    SessionFilter,
    live_sessions,
    session_count,
)
from sessions_app.selectors.tasks import QueueLine, failed_task_count, queue_lines

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.actor import Actor
    from accounts.guard import AccountQuerySet
    from accounts.principals.selectors import Standing
    from sessions_app.ports import KindCounts

DAYS = 30
LIVE_SHOWN = 5
# The row that says how far the days were counted; no message is older (accounts/moments.py).
COUNTED_SINCE = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Activity:
    """Numbers of each of the last days (UTC), oldest first; the last day is not over."""

    days: list[date]
    messages: list[int]
    sessions: list[int]


@dataclass(frozen=True, slots=True)
class Overview:
    """What the overview says."""

    activity: Activity
    live: list[Session]
    count: SessionCount
    queue: list[QueueLine]
    failed: int
    standing: Standing
    kept: KindCounts


def account_overview(*, actor: Actor) -> Overview:
    """Everything at once. Raises PermissionDenied unless an ADMIN asks as itself."""
    access.require_whole_account(actor)
    return Overview(
        activity=activity(actor=actor),
        live=live_sessions(actor=actor, limit=LIVE_SHOWN),
        count=session_count(actor=actor, where=SessionFilter()),
        queue=queue_lines(actor=actor),
        failed=failed_task_count(actor=actor),
        standing=principal_selectors.standing_of(actor=actor),
        kept=memories().by_kind(actor=actor),
    )


def activity(*, actor: Actor, days: int = DAYS) -> Activity:
    """What was counted hourly (services/days.py), and what came since, counted now.

    Raises:
        PermissionDenied: unless an ADMIN asks as itself.
    """
    access.require_whole_account(actor)
    today = timezone.now().astimezone(UTC).date()
    shown = [today - timedelta(days=ago) for ago in range(days - 1, -1, -1)]
    # The counts and how far they reach come from one statement, so that they agree.
    counted = {row.day: row for row in DayCount.objects.filter(day__in=[COUNTED_SINCE, *shown])}
    reached = counted[COUNTED_SINCE].counted_to if COUNTED_SINCE in counted else None
    messages = _since(Message.objects.get_queryset(), "created_at", reached)
    sessions = _since(Session.objects.get_queryset(), "started_at", reached)
    for day, row in counted.items():
        messages[day] += row.messages
        sessions[day] += row.sessions
    return Activity(shown, [messages[day] for day in shown], [sessions[day] for day in shown])


def _since(
    rows: AccountQuerySet[Message] | AccountQuerySet[Session], moment: str, reached: UUID | None
) -> Counter[date]:
    """By day, the rows that were not counted yet: few, and together at the end of the key."""
    if reached is not None:
        rows = rows.filter(id__gte=reached)
    days = (
        rows.annotate(day=TruncDate(moment, tzinfo=UTC)).values("day").annotate(count=Count("pk"))
    )
    return Counter({row["day"]: row["count"] for row in days.order_by()})
