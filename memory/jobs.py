"""Queueing jobs by name, inside the caller's transaction: services stand below the jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

if TYPE_CHECKING:
    from uuid import UUID


READ_IMPORT = "memory.tasks.read_import"
AHEAD = ("todo", "doing")


def queue_import(*, account: UUID, run: UUID) -> None:
    """Queue the reading of an upload; it rolls back with the transaction."""
    app.configure_task(READ_IMPORT).defer(account=str(account), run=str(run))


def import_is_queued(*, run: UUID) -> bool:
    """Whether a job waits for the run, or is at it; one whose worker died counts until it waits
    again."""
    jobs = ProcrastinateJob.objects.filter(task_name=READ_IMPORT, args__run=str(run))
    return jobs.filter(status__in=AHEAD).exists()
