"""Taking an import out again, by its receipts: the account is as it was before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F, ProtectedError

from accounts.errors import Conflict, NotFound
from accounts.models import Account
from accounts.principals import audit
from accounts.principals.models import Agent, ApiKey, Contact, User
from memory import access
from memory.models import Consent, Evidence, Extraction, Import, ImportReceipt, Memory
from memory.services.erasing import erase_memories
from sessions_app.models import Session

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.actor import Actor

AT_ONCE = 500
Kind = ImportReceipt.Kind


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What was taken out.

    Attributes:
        files: names of the source's files that were put aside, with the SHA-256 of each.
    """

    run: Import
    files: dict[str, str]


def import_rollback(*, actor: Actor, run_id: UUID) -> RolledBack:
    """Remove all that an import made, in one transaction: memories, runs, sessions, people.

    Whoever has come to own something else since stays, with its receipt gone.

    Raises:
        PermissionDenied: the actor may not run imports.
        NotFound: no such import.
        Conflict: it was taken out before, only counted, or still runs; or one of its sessions has
            been continued, one of its memories changed, or something else refers to them.
    """
    access.require_importer(actor)
    with transaction.atomic():
        run = Import.objects.select_for_update().filter(pk=run_id).first()
        if run is None:
            raise NotFound("import", str(run_id))
        _refuse_early(run)
        _refuse_continued(run)
        memories = _targets(run, Kind.MEMORY)
        erase_memories(memories)
        Extraction.objects.filter(pk__in=_targets(run, Kind.EXTRACTION)).delete()
        sessions, files = _targets(run, Kind.SESSION), _files(run)
        for start in range(0, len(sessions), AT_ONCE):
            Session.objects.filter(pk__in=sessions[start : start + AT_ONCE]).delete()
        _remove_people(actor, run)
        run.receipts.all().delete()
        run.state = Import.State.ROLLED_BACK
        run.save(update_fields=["state"])
        audit.record(
            actor=actor,
            action="import.rolled_back",
            target_type="import",
            target=run.pk,
            sessions=len(sessions),
            memories=len(memories),
        )
    return RolledBack(run, files)


def _refuse_early(run: Import) -> None:
    """A run of the command that was killed says for ever that it runs: it can be taken out."""
    if run.state == Import.State.ROLLED_BACK:
        raise Conflict("This import was taken out before; there is nothing of it here.")
    if run.dry_run:
        raise Conflict("This import only counted; there is nothing of it here.")
    unfinished = run.state in (Import.State.WAITING, Import.State.RUNNING)
    if unfinished and run.upload:
        raise Conflict("This import is at work; wait until it is done.")


def _files(run: Import) -> dict[str, str]:
    rows = run.receipts.filter(kind=Kind.SESSION).values_list("source_name", "source_hash")
    return {name: bytes(digest).hex() for name, digest in rows}


def _targets(run: Import, kind: str) -> list[UUID]:
    return list(run.receipts.filter(kind=kind).values_list("target", flat=True))


def _refuse_continued(run: Import) -> None:
    """What people did with it since would go, too: they must decide that themselves."""
    held = dict(run.receipts.filter(kind=Kind.SESSION).values_list("target", "messages"))
    rows = Session.objects.filter(pk__in=list(held)).order_by("pk").select_for_update()
    for key, session_id, count in rows.values_list("pk", "session_id", "message_count"):
        if count != held[key]:
            raise Conflict(
                f"The session {session_id} has been continued since; delete it first, or leave"
                " the import.",
                session_id=session_id,
            )
    ours = set(_targets(run, Kind.MEMORY))
    others = Memory.objects.filter(session__in=list(held)).exclude(pk__in=ours)
    evidence = Evidence.objects.filter(message__session__in=list(held)).exclude(memory__in=ours)
    if others.exists() or evidence.exists():
        raise Conflict("Memories were made of these sessions since; delete those first.")
    # One version, or two where the import itself said which one superseded it.
    changed = Memory.objects.filter(pk__in=ours, version__gt=1)
    if changed.exclude(version=2, superseded_by__in=ours).exists():
        raise Conflict("Some of these memories were changed since; the import stays.")


def _has_more(kind: str, key: UUID) -> bool:
    """Whether somebody has gained what would go with them: a user keys, a contact consent."""
    if kind == Kind.USER:
        return ApiKey.objects.filter(user=key).exists()
    return kind == Kind.CONTACT and Consent.objects.filter(contact=key).exists()


def _remove_people(actor: Actor, run: Import) -> None:
    for kind, model in ((Kind.CONTACT, Contact), (Kind.AGENT, Agent), (Kind.USER, User)):
        for key in _targets(run, kind):
            if _has_more(kind, key):
                continue
            try:
                with transaction.atomic():
                    gone, _ = model.objects.filter(pk=key).delete()
            except ProtectedError:
                continue  # it owns something else by now
            if gone and kind == Kind.USER:
                Account.objects.filter(pk=actor.account.id).update(user_count=F("user_count") - 1)
