"""Committing a session in two phases: archived at once, summarised by a job.

The request cuts off a range of messages as a pending archive and answers with a task. The job
writes abstract and overview. Until it has, the messages stay in the context.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.errors import Conflict, FailedPrecondition, InvalidArgument
from sessions_app import access
from sessions_app.jobs import queue_archive
from sessions_app.models import Archive, Message, Session, Task
from sessions_app.parts import tokens_of
from sessions_app.selectors import Committed
from sessions_app.services.sessions import record_simulated
from sessions_app.summary import abstract_of, overview_of, skipped_abstract_of

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.actor import Actor

MAX_KEEP = 100_000
MAX_ERROR = 500  # characters of a failure's text
_FINISHED = (Task.Status.COMPLETED, Task.Status.FAILED, Task.Status.CANCELLED)


def session_commit(*, actor: Actor, session_id: str, keep_recent_count: int = 0) -> Committed:
    """Archive all messages that no archive covers, but for the most recent ones.

    Args:
        keep_recent_count: how many messages stay out of the archive.

    Raises:
        NotFound: the actor sees no such session.
        InvalidArgument: keep_recent_count is out of range.
        FailedPrecondition: an earlier archive failed, and was neither retried nor skipped.
    """
    if not 0 <= keep_recent_count <= MAX_KEEP:
        raise InvalidArgument(
            f"keep_recent_count must be from 0 to {MAX_KEEP}.", field="keep_recent_count"
        )
    with transaction.atomic():
        session = access.session_for(actor, session_id, lock=True)
        failed = session.archives.filter(state=Archive.State.FAILED).order_by("number").first()
        if failed is not None:
            raise FailedPrecondition(
                f"{failed.archive_id} failed; retry or skip it first.",
                archive_id=failed.archive_id,
            )
        latest = session.archives.order_by("-number").first()
        first = latest.last_seq + 1 if latest else 1
        last = session.message_count - keep_recent_count
        if last < first:
            return Committed(session)
        tokens = sum(
            tokens_of(parts)
            for parts in _messages(session, first, last).values_list("parts", flat=True)
        )
        archive = Archive.objects.create(
            session=session,
            number=latest.number + 1 if latest else 1,
            first_seq=first,
            last_seq=last,
            tokens=tokens,
        )
        session.pending_tokens = max(0, session.pending_tokens - tokens)
        session.save(update_fields=["pending_tokens"])
        contact = actor.contact.id if actor.contact else None
        task = _queue(archive, account=actor.account.id, user=actor.user.id, contact=contact)
        record_simulated(actor, "session.committed", session.pk)
    return Committed(session, archive, task)


def archive_retry(*, actor: Actor, session_id: str, archive_id: str) -> Committed:
    """Queue a failed archive again.

    Raises:
        NotFound: no such session or archive for the actor.
        Conflict: the archive has not failed.
    """
    with transaction.atomic():
        session = access.session_for(actor, session_id, lock=True)
        archive = _failed(actor, session, archive_id)
        contact = actor.contact.id if actor.contact else None
        task = queued_again(archive, account=actor.account.id, user=actor.user.id, contact=contact)
        record_simulated(actor, "archive.retried", session.pk)
    return Committed(session, archive, task)


def archive_skip(*, actor: Actor, session_id: str, archive_id: str) -> Committed:
    """Complete a failed archive without a summary, so that commits go on; nothing is lost.

    Raises:
        NotFound: no such session or archive for the actor.
        Conflict: the archive has not failed.
    """
    with transaction.atomic():
        session = access.session_for(actor, session_id, lock=True)
        archive = _failed(actor, session, archive_id)
        complete(archive, skipped_abstract_of(archive), "")
        record_simulated(actor, "archive.skipped", session.pk)
    return Committed(session, archive)


def archive_complete(*, archive_id: UUID) -> None:
    """The job: write abstract and overview, inside the account. Running it again is harmless.

    A cancelled task is left alone. A failure is written down and visible; the earlier archives
    stay as they are.
    """
    try:
        with transaction.atomic():
            archive, task = _claimed(archive_id)
            if archive is None:
                return
            messages = list(_messages(archive.session, archive.first_seq, archive.last_seq))
            complete(archive, abstract_of(archive, messages), overview_of(archive, messages))
            finish(task, Task.Status.COMPLETED, archive=archive)
    except Exception as error:
        _fail(archive_id, f"{type(error).__name__}: the summary could not be written.")
        raise


def _messages(session: Session, first: int, last: int) -> QuerySet[Message]:
    rows = Message.objects.filter(session=session, seq__gte=first, seq__lte=last)
    return rows.defer("search", "language").order_by("seq")


def queued_again(archive: Archive, *, account: UUID, user: UUID, contact: UUID | None) -> Task:
    """A new task for a failed archive whose row the caller holds."""
    archive.state, archive.error = Archive.State.PENDING, ""
    archive.save(update_fields=["state", "error"])
    return _queue(archive, account=account, user=user, contact=contact)


def _queue(archive: Archive, *, account: UUID, user: UUID, contact: UUID | None) -> Task:
    """A task for the archive, and the job that does it, inside the caller's transaction."""
    task = Task.objects.create(
        user_id=user,
        contact_id=contact,
        task_type=Task.Type.SESSION_COMMIT,
        updated_at=timezone.now(),
        session_id=archive.session_id,
        archive=archive,
    )
    queue_archive(account=account, archive=archive.pk)
    return task


def _failed(actor: Actor, session: Session, archive_id: str) -> Archive:
    found = access.archive_for(actor, session.session_id, archive_id)
    archive = Archive.objects.select_for_update().get(pk=found.pk)
    if archive.state != Archive.State.FAILED:
        raise Conflict(f"The archive is {archive.state}; only a failed one is retried or skipped.")
    return archive


def _claimed(archive_id: UUID) -> tuple[Archive | None, Task | None]:
    """The pending archive under its lock, with its task; Nones when there is nothing to do."""
    archive = (
        Archive.objects.select_for_update(of=("self",))
        .filter(pk=archive_id, state=Archive.State.PENDING)
        .select_related("session")
        .first()
    )
    if archive is None:
        return None, None
    task = archive.tasks.exclude(status__in=_FINISHED).order_by("-id").first()
    return archive, task


def complete(archive: Archive, abstract: str, overview: str) -> None:
    archive.state = Archive.State.COMPLETED
    archive.abstract, archive.overview = abstract, overview
    archive.completed_at = timezone.now()
    archive.save(update_fields=["state", "abstract", "overview", "completed_at"])


def finish(
    task: Task | None, status: Task.Status, *, archive: Archive | None = None, error: str = ""
) -> None:
    if task is None:
        return
    task.status, task.error, task.updated_at = status, error, timezone.now()
    if archive is not None:
        task.result = {
            "archive_id": archive.archive_id,
            "messages": archive.last_seq - archive.first_seq + 1,
        }
    task.save(update_fields=["status", "error", "result", "updated_at"])


def _fail(archive_id: UUID, error: str) -> None:
    with transaction.atomic():
        archive, task = _claimed(archive_id)
        if archive is None:
            return
        archive.state, archive.error = Archive.State.FAILED, error[:MAX_ERROR]
        archive.save(update_fields=["state", "error"])
        finish(task, Task.Status.FAILED, error=archive.error)
