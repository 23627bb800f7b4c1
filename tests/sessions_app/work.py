"""Running queued jobs inside a test's transaction, and looking at what they made."""

from __future__ import annotations

from typing import Any

from django.db import connection

from accounts import tenancy
from sessions_app.models import Archive
from sessions_app.tasks import complete_archive


def queued() -> list[dict[str, Any]]:
    """Arguments of the jobs on archives that wait, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args->>'account', args->>'archive' FROM public.procrastinate_jobs"
            " WHERE status = 'todo' AND task_name = 'sessions_app.tasks.complete_archive'"
            " ORDER BY id"
        )
        return [{"account": account, "archive": archive} for account, archive in cursor.fetchall()]


def run_queued() -> int:
    """Do what a worker would do with the queue; how many jobs there were."""
    tenancy.leave()
    waiting = queued()
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM public.procrastinate_jobs"
            " WHERE task_name = 'sessions_app.tasks.complete_archive'"
        )
    for arguments in waiting:
        complete_archive(**arguments)
    return len(waiting)


def fail_archive(account: tenancy.AccountRef, session_id: str, number: int = 1) -> None:
    """As if the job of this archive had failed."""
    with tenancy.account(account):
        changed = Archive.objects.filter(
            session__session_id=session_id, number=number, state=Archive.State.PENDING
        ).update(state=Archive.State.FAILED, error="broken")
    assert changed == 1


def said(rows: list[dict[str, Any]]) -> list[str]:
    """The words of messages that the API answered."""
    return [row["parts"][0]["text"] for row in rows]
