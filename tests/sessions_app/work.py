"""Running queued jobs inside a test's transaction, and looking at what they made."""

from __future__ import annotations

from typing import Any

from django.db import connection

from accounts import tenancy
from sessions_app.models import Archive
from sessions_app.tasks import complete_archive

# Accounts of tests that are rolled back; live tests leave jobs of theirs in the same queue.
_OURS = ["north", "south", "east", "west"]
_WAITING = """
    SELECT job.id, job.args->>'account', job.args->>'archive'
    FROM public.procrastinate_jobs job
    JOIN public.accounts_account a ON a.id::text = job.args->>'account'
    WHERE job.status = 'todo' AND job.task_name = 'sessions_app.tasks.complete_archive'
        AND a.account_id = ANY(%s)
    ORDER BY job.id
"""


def queued() -> list[dict[str, Any]]:
    """Arguments of the jobs on archives that wait, oldest first."""
    return [{"account": account, "archive": archive} for _, account, archive in _waiting()]


def run_queued() -> int:
    """Do what a worker would do with the queue; how many jobs there were."""
    tenancy.leave()
    waiting = _waiting()
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM public.procrastinate_jobs WHERE id = ANY(%s)",
            [[row[0] for row in waiting]],
        )
    for _, account, archive in waiting:
        complete_archive(account=account, archive=archive)
    return len(waiting)


def _waiting() -> list[tuple[int, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [_OURS])
        return cursor.fetchall()


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
