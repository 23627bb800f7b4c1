"""Messages and sessions a day: counted hourly, so that the overview need not count millions."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts import tenancy
from sessions_app.models import DayCount, Message, Session
from sessions_app.selectors import COUNTED_SINCE

if TYPE_CHECKING:
    from accounts.guard import AccountQuerySet

# An id is made before its transaction begins, on a machine whose clock may differ a little.
LATE = timedelta(minutes=5)
_NOTHING = UUID(int=0)
# What other transactions of this database are still writing cannot be counted yet.
_OLDEST_OPEN = """
SELECT min(xact_start) AS began FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
    AND pid <> pg_backend_pid()
"""


def days_count(*, until: datetime | None = None) -> None:
    """Add what was written since the last time to the days' counts, inside the account, by a job.

    A row counts on the day of its own time, which may be long past, and is known as new by its id
    (UUIDv7, in the order of writing). Counted once, when it was said: what is deleted later stays
    counted. Running it again, or twice at once, is harmless: the row of COUNTED_SINCE says how far
    it came, and is held meanwhile.

    Args:
        until: ids made from then on are left for the next time; what is safe when None.
    """
    horizon = id_of(until or safe_horizon())
    with transaction.atomic():
        before = _held()
        if before.counted_to >= horizon:
            return
        messages = _by_day(Message.objects.get_queryset(), "created_at", before, horizon)
        sessions = _by_day(Session.objects.get_queryset(), "started_at", before, horizon)
        _add(messages, sessions, horizon)
        DayCount.objects.filter(pk=before.pk).update(counted_to=horizon)


def safe_horizon() -> datetime:
    """No transaction that is still open, or began before its ids were, wrote a row before this."""
    began = (tenancy.fetch_row(_OLDEST_OPEN, []) or {})["began"]
    now = timezone.now()
    return min(began or now, now) - LATE


def id_of(moment: datetime) -> UUID:
    """The smallest UUIDv7 of that millisecond."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def _held() -> DayCount:
    """The row that says how far it came, made if it is not there, and locked."""
    first = DayCount(day=COUNTED_SINCE, counted_to=_NOTHING)
    DayCount.objects.bulk_create([first], ignore_conflicts=True)
    return DayCount.objects.select_for_update().get(day=COUNTED_SINCE)


def _by_day(
    rows: AccountQuerySet[Message] | AccountQuerySet[Session],
    moment: str,
    before: DayCount,
    horizon: UUID,
) -> Counter[date]:
    days = (
        rows.filter(id__gte=before.counted_to, id__lt=horizon)
        .annotate(day=TruncDate(moment, tzinfo=UTC))
        .values("day")
        .annotate(count=Count("pk"))
        .order_by()
    )
    return Counter({row["day"]: row["count"] for row in days})


def _add(messages: Counter[date], sessions: Counter[date], horizon: UUID) -> None:
    days = {*messages, *sessions}
    known = {row.day: row for row in DayCount.objects.filter(day__in=days)}
    rows = [known.get(day) or DayCount(day=day) for day in sorted(days)]
    for row in rows:
        row.messages += messages[row.day]
        row.sessions += sessions[row.day]
        row.counted_to = horizon
    DayCount.objects.bulk_create(
        rows,
        update_conflicts=True,
        update_fields=["messages", "sessions", "counted_to"],
        unique_fields=["day"],
    )
