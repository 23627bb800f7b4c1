"""Queueing jobs by name, inside the caller's transaction: services stand below the jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from procrastinate.contrib.django import app

if TYPE_CHECKING:
    from uuid import UUID


def queue_archive(*, account: UUID, archive: UUID) -> None:
    """Queue the summary of an archive; it rolls back with the transaction."""
    app.configure_task("sessions_app.tasks.complete_archive").defer(
        account=str(account), archive=str(archive)
    )
