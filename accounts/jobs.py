"""Queueing jobs by name, inside the caller's transaction: services stand below the jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from procrastinate.contrib.django import app

if TYPE_CHECKING:
    from uuid import UUID


def queue_password_link(*, person: UUID, site: str) -> None:
    """Queue the mail by which a person sets a new password.

    Args:
        site: scheme and host for the link, from a request whose host was checked.
    """
    app.configure_task("accounts.tasks.send_password_link").defer(person=str(person), site=site)
