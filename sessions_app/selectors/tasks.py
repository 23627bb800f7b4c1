"""Tasks: the caller's own, and for admins those of the whole account."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Count, Min, Q
from django.db.models.functions import TruncHour
from django.utils import timezone

from sessions_app import access
from sessions_app.models import Archive, Task
from sessions_app.selectors.sessions import COUNTED

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.actor import Actor

HOURS = 12
UNFINISHED = Q(status__in=[Task.Status.PENDING, Task.Status.RUNNING])
# What failed and was neither retried nor skipped since; each archive counts once.
FAILED = Q(status=Task.Status.FAILED, archive__state=Archive.State.FAILED)


@dataclass(frozen=True, slots=True)
class QueueLine:
    """How one type of task stands.

    Attributes:
        waiting: pending and running. oldest: when the oldest of them began to wait.
        done: completed in the last hour. hours: completed in each of the last HOURS hours.
    """

    task_type: str
    waiting: int
    oldest: datetime | None
    done: int
    failed: int
    hours: list[int]


def task_page(
    *,
    actor: Actor,
    task_type: str,
    status: str,
    resource_id: str,
    after: UUID | None,
    limit: int,
) -> list[Task]:
    """The effective user's tasks, newest first; one more than `limit` when there are more."""
    rows = access.tasks_of(actor).select_related("session", "archive").order_by("-id")
    if task_type:
        rows = rows.filter(task_type=task_type)
    if status:
        rows = rows.filter(status=status)
    if resource_id:
        rows = rows.filter(session__session_id__lower=resource_id.lower())
    if after is not None:
        rows = rows.filter(id__lt=after)
    return list(rows[: limit + 1])


def task_detail(*, actor: Actor, task_id: str) -> Task:
    """One task of the effective user. Raises NotFound."""
    return access.task_for(actor, task_id)


def account_task_page(*, actor: Actor, status: str, after: UUID | None, limit: int) -> list[Task]:
    """Everybody's tasks, newest first; one more than `limit` when there are more.

    Raises:
        PermissionDenied: unless an ADMIN asks as itself.
    """
    rows = access.account_tasks_of(actor).order_by("-id")
    rows = rows.select_related("session", "archive", "user", "contact")
    rows = rows.prefetch_related("contact__handles")
    if status:
        rows = rows.filter(status=status)
    if after is not None:
        rows = rows.filter(id__lt=after)
    return list(rows[: limit + 1])


def task_counts(*, actor: Actor) -> dict[str, int]:
    """How many tasks of the account there are in each state that has any.

    Raises:
        PermissionDenied: unless an ADMIN asks as itself.
    """
    rows = access.account_tasks_of(actor).values("status").annotate(count=Count("pk")).order_by()
    return {row["status"]: row["count"] for row in rows}


def failed_task_count(*, actor: Actor) -> int:
    """How many tasks of the account failed and wait for an admin; counted to COUNTED."""
    if not actor.is_admin:
        return 0
    rows = Task.objects.filter(FAILED).values("archive").distinct()
    return rows[:COUNTED].count()


def open_failures(*, limit: int) -> list[Task]:
    """The latest failed task of each archive that failed; the caller has shown an admin asks."""
    rows = Task.objects.filter(FAILED).order_by("archive", "-id").distinct("archive")
    return list(rows[:limit])


def queue_lines(*, actor: Actor) -> list[QueueLine]:
    """How the account's tasks stand, each type. Finished ones are kept for a day: few rows.

    Raises:
        PermissionDenied: unless an ADMIN asks as itself.
    """
    now = timezone.now()
    done = Q(status=Task.Status.COMPLETED)
    rows = access.account_tasks_of(actor)
    stand = {
        row["task_type"]: row
        for row in rows.values("task_type")
        .annotate(
            waiting=Count("pk", filter=UNFINISHED),
            oldest=Min("created_at", filter=UNFINISHED),
            done=Count("pk", filter=done & Q(updated_at__gte=now - timedelta(hours=1))),
            failed=Count("archive", filter=FAILED, distinct=True),
        )
        .order_by()
    }
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    shown = [this_hour - timedelta(hours=ago) for ago in range(HOURS - 1, -1, -1)]
    finished = (
        rows.filter(done, updated_at__gte=shown[0])
        .annotate(hour=TruncHour("updated_at", tzinfo=UTC))
        .values("task_type", "hour")
        .annotate(count=Count("pk"))
        .order_by()
    )
    by_hour = Counter({(row["task_type"], row["hour"]): row["count"] for row in finished})
    lines = []
    for kind in Task.Type.values:
        row = stand.get(kind)
        lines.append(
            QueueLine(
                task_type=kind,
                waiting=row["waiting"] if row else 0,
                oldest=row["oldest"] if row else None,
                done=row["done"] if row else 0,
                failed=row["failed"] if row else 0,
                hours=[by_hour[kind, hour] for hour in shown],
            )
        )
    return lines
