"""Queueing jobs by name, inside the caller's transaction: services stand below the jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from procrastinate.contrib.django import app

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


def queue_view_end(*, account: UUID, view: UUID, at: datetime) -> None:
    """Queue the end of a view for the moment when it expires."""
    app.configure_task("accounts.principals.tasks.end_view", schedule_at=at).defer(
        account=str(account), view=str(view)
    )


def queue_invitation(*, account: UUID, invitation: UUID, site: str) -> None:
    """Queue the mail of an invitation; it rolls back with the transaction."""
    app.configure_task("accounts.principals.tasks.send_invitation").defer(
        account=str(account), invitation=str(invitation), site=site
    )
