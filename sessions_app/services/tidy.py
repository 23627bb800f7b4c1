"""Housekeeping of one account: retention, and work that was committed but never queued."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.principals.idempotency import forget_old
from accounts.selectors import account_settings
from sessions_app.access import FAILED_TASK_KEPT, TASK_KEPT
from sessions_app.jobs import queue_archive
from sessions_app.models import Archive, Session, Task
from sessions_app.services.days import days_count

if TYPE_CHECKING:
    from accounts.tenancy import AccountRef

OVERDUE = timedelta(minutes=30)  # a pending archive that old lost its job


def account_tidy(*, account: AccountRef) -> None:
    """Run inside the account, by a job; each step is harmless when repeated."""
    now = timezone.now()
    done = [Task.Status.COMPLETED, Task.Status.CANCELLED]
    Task.objects.filter(status__in=done, updated_at__lt=now - TASK_KEPT).delete()
    Task.objects.filter(status=Task.Status.FAILED, updated_at__lt=now - FAILED_TASK_KEPT).delete()
    forget_old()
    days_count()  # before retention: what is deleted stays counted
    _retain(account)
    with transaction.atomic():
        overdue = Archive.objects.filter(
            state=Archive.State.PENDING, created_at__lt=now - OVERDUE
        ).values_list("pk", flat=True)
        for archive in overdue:
            queue_archive(account=account.id, archive=archive)


def _retain(account: AccountRef) -> None:
    """Delete sessions that ended longer ago than the account keeps them."""
    days = account_settings(account).retention_days
    if days:
        Session.objects.filter(
            state=Session.State.ENDED, ended_at__lt=timezone.now() - timedelta(days=days)
        ).delete()
