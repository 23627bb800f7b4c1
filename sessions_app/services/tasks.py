"""Tasks by hand: the caller's own, and on the page Jobs, for admins, everybody's.

A job keeps whose it is: who retries it for somebody does not become its owner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts.errors import Conflict
from accounts.principals import audit
from sessions_app import access
from sessions_app.models import Archive, Session, Task
from sessions_app.selectors import open_failures
from sessions_app.services.commit import complete, finish, queued_again
from sessions_app.services.sessions import record_simulated
from sessions_app.summary import skipped_abstract_of

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.actor import Actor

RETRIED_AT_ONCE = 500


def task_cancel(*, actor: Actor, task_id: str) -> Task:
    """Cancel a task that has not begun; its archive counts as failed, to be retried or skipped.

    Raises:
        NotFound: the actor has no such task.
        Conflict: it runs, or is finished.
    """
    with transaction.atomic():
        task = _cancelled(access.task_for(actor, task_id))
        if task.session_id is not None:
            record_simulated(actor, "task.cancelled", task.session_id)
    return task


def job_cancel(*, actor: Actor, task_id: str) -> Task:
    """As task_cancel, for a task of anybody in the account.

    Raises:
        PermissionDenied: unless an ADMIN acts as itself.
        NotFound, Conflict: as task_cancel.
    """
    with transaction.atomic():
        task = _cancelled(access.account_task_for(actor, task_id))
        _record(actor, "task.cancelled", task, task.session_id)
    return task


def job_retry(*, actor: Actor, task_id: str) -> Task:
    """Queue the failed archive of a task again, as a new task of the same user.

    Raises:
        PermissionDenied: unless an ADMIN acts as itself.
        NotFound: the account has no such task.
        Conflict: its archive has not failed, or not any more.
    """
    with transaction.atomic():
        task = access.account_task_for(actor, task_id)
        return _retried(actor, task, _held_failure(task))


def jobs_retry(*, actor: Actor) -> int:
    """Queue everything again that failed, RETRIED_AT_ONCE at most; how many there were.

    Raises:
        PermissionDenied: unless an ADMIN acts as itself.
    """
    access.require_whole_account(actor)
    with transaction.atomic():
        tasks = open_failures(limit=RETRIED_AT_ONCE)
        # In one order, so that two who press at once wait for each other instead of dying.
        _hold({task.session_id for task in tasks if task.session_id})
        held = Archive.objects.select_for_update().filter(
            pk__in=[task.archive_id for task in tasks]
        )
        failed = {row.pk: row for row in held.order_by("pk") if row.state == Archive.State.FAILED}
        for task in tasks:
            if task.archive_id in failed:
                _retried(actor, task, failed[task.archive_id])
        return len(failed)


def job_skip(*, actor: Actor, task_id: str) -> Task:
    """Complete the failed archive of a task without a summary; nothing is lost.

    Raises:
        PermissionDenied, NotFound, Conflict: as job_retry.
    """
    with transaction.atomic():
        task = access.account_task_for(actor, task_id)
        archive = _held_failure(task)
        complete(archive, skipped_abstract_of(archive), "")
        _record(actor, "archive.skipped", task, archive.session_id)
    return task


def _cancelled(found: Task) -> Task:
    # The archive first, as the job does it: the other order would deadlock with it.
    archive = Archive.objects.select_for_update(of=("self",)).filter(tasks=found.pk).first()
    task = Task.objects.select_for_update().get(pk=found.pk)
    if task.status != Task.Status.PENDING:
        raise Conflict(f"The task is {task.status}; only a pending one can be cancelled.")
    finish(task, Task.Status.CANCELLED)
    if archive is not None and archive.state == Archive.State.PENDING:
        archive.state, archive.error = Archive.State.FAILED, "cancelled"
        archive.save(update_fields=["state", "error"])
    return task


def _held_failure(task: Task) -> Archive:
    """The task's archive, which failed, held; its session first, as a commit does it."""
    if task.archive_id is None or task.session_id is None:
        raise Conflict("This task has no archive to retry or skip.")
    _hold({task.session_id})
    archive = Archive.objects.select_for_update().filter(pk=task.archive_id).first()
    state = archive.state if archive else "gone"
    if archive is None or state != Archive.State.FAILED:
        raise Conflict(f"The archive is {state}; only a failed one is retried or skipped.")
    return archive


def _hold(sessions: set[UUID]) -> None:
    list(Session.objects.select_for_update().filter(pk__in=sessions).order_by("pk"))


def _retried(actor: Actor, task: Task, archive: Archive) -> Task:
    again = queued_again(
        archive, account=actor.account.id, user=task.user_id, contact=task.contact_id
    )
    _record(actor, "archive.retried", task, archive.session_id)
    return again


def _record(actor: Actor, action: str, task: Task, session: UUID | None) -> None:
    """Work on somebody else's job is written down, as a simulated write is."""
    if task.user_id != actor.user.id:
        audit.record(
            actor=actor, action=action, target_type="session", target=session, task=task.pk
        )
