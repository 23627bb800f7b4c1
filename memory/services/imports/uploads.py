"""Imports from the browser: files are put aside, counted by a job, and brought in when told to."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.actor import Role
from accounts.errors import Conflict, DomainError, InvalidArgument, NotFound, PermissionDenied
from accounts.principals import audit
from accounts.principals.membership import actor_in_job
from memory import access
from memory.importers.detect import AUTO, FORMATS, detected, open_source
from memory.importers.plain import UnreadableSource
from memory.jobs import import_is_queued, queue_import
from memory.models import Import
from memory.services.imports import files as uploaded
from memory.services.imports.runs import import_create, import_fail, import_run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from uuid import UUID

    from accounts.actor import Actor
    from accounts.tenancy import AccountRef
    from memory.importers.plain import Source
    from memory.services.imports.files import Uploaded

KEPT = timedelta(hours=24)
SAVED_EVERY = 1.0  # seconds, for who watches the progress
UNFINISHED = (Import.State.WAITING, Import.State.RUNNING)


def import_upload(
    *,
    actor: Actor,
    files: Sequence[Uploaded],
    format: str = AUTO,  # noqa: A002 - the word of the command and the page
    user_id: str = "",
    agent_id: str = "",
) -> Import:
    """Put the files aside, and let a job count what is in them; nothing is brought in yet.

    Args:
        files: what `import_sessions` would read: .jsonl files, databases, or one .zip of a folder.

    Raises:
        PermissionDenied: the actor is no ADMIN as itself.
        InvalidArgument: no file, a name or an archive that is refused, or too much of it.
        NotFound: no such user.
    """
    access.require_importer(actor)
    if format not in (AUTO, *FORMATS):
        raise InvalidArgument(
            f"format must be one of {', '.join([AUTO, *FORMATS])}.", field="format"
        )
    token = uploaded.put_aside(files)
    try:
        with transaction.atomic():
            run = import_create(
                actor=actor,
                format=format,
                source=uploaded.called(files),
                user_id=user_id,
                agent_id=agent_id,
                upload=token,
                dry_run=True,
            )
            queue_import(account=actor.account.id, run=run.pk)
    except BaseException:
        uploaded.throw_away(token)
        raise
    return run


def import_apply(*, actor: Actor, run_id: UUID) -> Import:
    """Bring in what was counted.

    Raises:
        PermissionDenied: the actor is no ADMIN as itself.
        NotFound: no such import.
        Conflict: it was not counted, or the files are gone.
    """
    access.require_importer(actor)
    with transaction.atomic():
        run = _held(run_id)
        counted = run.dry_run and run.state == Import.State.COMPLETED
        if not counted or not uploaded.is_there(run.upload):
            raise Conflict("There is nothing to bring in; upload the files again.")
        fresh = {"done": 0, "problems": [], "problem_count": 0, "finished_at": None}
        for name, value in {"dry_run": False, "state": Import.State.WAITING, **fresh}.items():
            setattr(run, name, value)
        run.save(update_fields=["dry_run", "state", *fresh])
        audit.record(
            actor=actor,
            action="import.applied",
            target_type="import",
            target=run.pk,
            sessions=run.sessions,
            memories=run.memories,
        )
        queue_import(account=actor.account.id, run=run.pk)
    return run


def import_discard(*, actor: Actor, run_id: UUID) -> Import:
    """Throw the uploaded files away; what was counted stays as a report.

    Raises:
        PermissionDenied: the actor is no ADMIN as itself.
        NotFound: no such import.
        Conflict: it is being read, or was thrown away before.
    """
    access.require_importer(actor)
    with transaction.atomic():
        run = _held(run_id)
        if run.state in UNFINISHED:
            raise Conflict("This import is being read; wait until it is done.")
        if not run.upload:
            raise Conflict("The uploaded files are gone already.")
        token, run.upload = run.upload, ""
        run.save(update_fields=["upload"])
        audit.record(actor=actor, action="import.discarded", target_type="import", target=run.pk)
    uploaded.throw_away(token)
    return run


def upload_work(*, account: AccountRef, run_id: UUID) -> None:
    """The job, inside the account: count, or bring in. Run again after a crash it goes on.

    The files are not put aside as on a disk of the source's own: a job that was killed after that
    would not find them again.
    """
    run = Import.objects.filter(pk=run_id).first()
    if run is None or not run.upload or run.state not in UNFINISHED:
        return
    actor = actor_in_job(account, run.written_by) if run.written_by else None
    try:
        importer = _importer(actor)
        import_run(actor=importer, run=run, source=_source(run), progress=_Saver(run), settle=False)
    except (DomainError, UnreadableSource, OSError) as error:
        import_fail(actor=actor, run=run, what=uploaded.without_place(run.upload, _said(error)))
        return
    except Exception:
        # A defect of ours: the log has it. Still running for ever, it could not be discarded.
        import_fail(
            actor=actor,
            run=run,
            what="Something went wrong here, and reading stopped; the log of the worker has it.",
        )
        raise
    if not run.dry_run:
        Import.objects.filter(pk=run.pk).update(upload="")
        uploaded.throw_away(run.upload)


def uploads_tidy(*, account: AccountRef) -> None:
    """In the current account: throw away what nobody brought in for a day, and queue again what
    waits for a job that is gone, such as one that came while the account was suspended."""
    held = Import.objects.exclude(upload="")
    for run in held.exclude(state__in=UNFINISHED).filter(created_at__lt=timezone.now() - KEPT):
        Import.objects.filter(pk=run.pk).update(upload="")
        uploaded.throw_away(run.upload)
    for run in held.filter(state__in=UNFINISHED):
        if not import_is_queued(run=run.pk):
            queue_import(account=account.id, run=run.pk)


def _importer(actor: Actor | None) -> Actor:
    """Who began the import, if they may still run one; their role is that of now.

    Raises:
        PermissionDenied: they are gone, or no admin any more.
    """
    if actor is None:
        raise PermissionDenied("Who began this import is not a user of the account any more.")
    if actor.role is not Role.ADMIN:
        raise PermissionDenied(
            f"{actor.user.user_id}, who began this import, is no admin any more."
        )
    access.require_importer(actor)
    return actor


def _source(run: Import) -> Source:
    """What was uploaded, in its format; a database may have any name.

    Raises:
        UnreadableSource: it is not there, or nothing of that format.
    """
    folder = uploaded.folder_of(run.upload)
    if not uploaded.is_there(run.upload):
        raise UnreadableSource("The uploaded files are gone; upload them again.")
    path: Path = folder
    if run.format != "jsonl":
        found, there = detected(folder)
        if run.format in (AUTO, found):
            path = there
        run.format = found if run.format == AUTO else run.format
    source = open_source(run.format, path)
    run.save(update_fields=["format"])
    return source


class _Saver:
    """Keeps how far a run is, a second at a time; the comparison at the end counts no more."""

    def __init__(self, run: Import) -> None:
        self._run = run
        self._saved = monotonic()

    def __call__(self, done: int, total: int, what: str) -> None:
        del total
        if what == "verified" or monotonic() - self._saved < SAVED_EVERY:
            return
        self._saved = monotonic()
        Import.objects.filter(pk=self._run.pk).update(done=done)


def _said(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"The uploaded files cannot be read: {error.strerror or 'the disk refuses'}."
    return str(error)


def _held(run_id: UUID) -> Import:
    run = Import.objects.select_for_update().filter(pk=run_id).first()
    if run is None:
        raise NotFound("import", str(run_id))
    return run
