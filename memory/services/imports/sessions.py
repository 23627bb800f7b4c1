"""Bringing sessions in: one transaction each, with its receipt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
from django.db import DataError, IntegrityError, transaction
from uuid_utils.compat import uuid7

from accounts.errors import DomainError
from memory.importers.plain import Problem
from memory.importers.values import short
from memory.models import ImportReceipt
from memory.services.imports.naming import other_session_id_for, session_id_for
from memory.services.imports.people import as_importer
from sessions_app.models import Session
from sessions_app.services.loading import LoadedMessage, session_load
from sessions_app.services.sessions import MAX_THREAD_KEY, MAX_TITLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from uuid import UUID

    from django.db.models import QuerySet

    from memory.importers.plain import Source, SourceMessage, SourceSession
    from memory.models import Import
    from memory.services.imports.people import People, Whose

SESSION, FILE = ImportReceipt.Kind.SESSION, ImportReceipt.Kind.FILE
KEY = 600
_HASH = re.compile(r"[0-9a-f]{64}")
# What the database or JSON makes of values that no reader should have let through.
_UNFIT = (DataError, psycopg.DataError, ValueError, RecursionError)


class _ChangedError(Exception):
    """The source gave other messages than it had announced."""


def known_session(store: Source, source: SourceSession) -> ImportReceipt | Problem | None:
    """Whether the session is in already, or something of its name that is not it.

    Renaming a file changes neither its content nor, where the key lies inside, its key; the same
    content under two names at once is two sessions.
    """
    same = _receipts_of(bytes.fromhex(source.sha256))
    exact = same.filter(source_key=short(source.key, KEY)).first()
    if exact is not None:
        return exact
    renamed = _renamed(store, source, same)
    if renamed is not None:
        return renamed
    moved = _moved_from_a_file(source)
    if moved is not None:
        return moved
    before = ImportReceipt.objects.filter(kind=SESSION, source_key=short(source.key, KEY)).first()
    if before is None:
        return None
    return Problem(
        source.name,
        "It has changed since it was imported; roll that import back to bring it in anew.",
        lost=max(1, source.messages - before.messages),
    )


def _renamed(
    store: Source, source: SourceSession, same: QuerySet[ImportReceipt]
) -> ImportReceipt | None:
    """What it was when it came in under another name, which the store no longer has.

    All that are empty are alike, and tell nothing.
    """
    if not source.messages:
        return None
    others = same.filter(kind=SESSION, run__format=store.format)
    return next((one for one in others[:100] if not store.holds(one.source_key)), None)


def _receipts_of(digest: bytes) -> QuerySet[ImportReceipt]:
    rows = ImportReceipt.objects.filter(kind__in=[SESSION, FILE], source_hash=digest)
    return rows.select_related("run")


def _moved_from_a_file(source: SourceSession) -> ImportReceipt | Problem | None:
    """Whether it is what a JSONL file held that came in before the source itself moved it.

    `metadata.jsonl` names such a file by name and SHA-256.
    """
    file = source.metadata.get("jsonl")
    if not isinstance(file, dict) or not _HASH.fullmatch(str(file.get("sha256"))):
        return None
    # By its name, too: of two files with the same words each is a session.
    named = _receipts_of(bytes.fromhex(file["sha256"])).filter(source_key=_key_of_file(file))
    found = named.first()
    if found is None or found.messages == source.messages:
        return found
    return Problem(
        source.name,
        f"Its file came in before, with {found.messages:,} messages; roll that import back to bring"
        f" in all {source.messages:,}.",
        lost=max(1, source.messages - found.messages),
    )


def session_import(
    *, run: Import, source: Source, session: SourceSession, people: People
) -> ImportReceipt | Problem:
    """Bring one session in, with everyone it names, or nothing of it.

    Returns:
        Its receipt; a Problem when its id is taken by a session that no import made, when somebody
        it names is refused, or when it cannot be kept as it is.
    """
    session_id, lost = session_id_for(session.key), max(1, session.messages)
    if _came_in(session_id):
        session_id = other_session_id_for(session.key)
    if Session.objects.filter(session_id__lower=session_id.lower()).exists():
        what = f"A session {session_id} is there already; it was not touched."
        return Problem(session.name, what, lost=lost)
    try:
        with transaction.atomic():
            return _brought_in(run, source, session, session_id, people)
    except IntegrityError:
        what = f"Somebody made the session {session_id} at the same time; it was not touched."
    except _ChangedError:
        what = "It changed while it was read; run the import again."
    except DomainError as error:
        what = error.message
    except _UNFIT as error:
        what = f"Something in it cannot be kept: {type(error).__name__}."
    except BaseException:
        people.forget()
        raise
    people.forget()
    return Problem(session.name, what, lost)


def _brought_in(
    run: Import, source: Source, session: SourceSession, session_id: str, people: People
) -> ImportReceipt:
    """Write it, inside the caller's transaction. Raises _ChangedError: it is not what was said."""
    whose = people.whose(session.user, session.agent, session.sender)
    for speaker in session.speakers:  # now: while rows are copied nothing can be asked
        people.contact(speaker, whose.user)
    actor = as_importer(people.actor, whose)
    assert whose.agent.id is not None
    row = Session(
        session_id=session_id,
        owner_id=whose.user.id,
        agent_id=whose.agent.id,
        contact_id=whose.contact.id if whose.contact else None,
        parent_id=_parent(session),
        thread_key=(session.thread or "")[:MAX_THREAD_KEY] or None,
        title=session.title[:MAX_TITLE],
        state=Session.State.ENDED if session.ended else Session.State.ACTIVE,
        ended_at=session.at if session.ended else None,
        started_at=session.started_at or session.at,
        last_activity_at=session.at,
        metadata=_metadata(session, session_id),
        written_by=actor.written_by,
        written_key=actor.key,
    )
    timed = _Timed(source.messages(session))
    row = session_load(actor=actor, session=row, messages=loaded(timed, session, whose, people))
    if row.message_count != session.messages:
        raise _ChangedError
    if not timed.any:
        row.last_activity_at = session.at
        row.save(update_fields=["last_activity_at"])
    return _receipts(run, session, row, people)


class _Timed:
    """Messages as they pass, and whether any of them had a time of its own."""

    def __init__(self, messages: Iterable[SourceMessage]) -> None:
        self._messages = messages
        self.any = False

    def __iter__(self) -> Iterator[SourceMessage]:
        for message in self._messages:
            self.any = self.any or message.at is not None
            yield message


def _came_in(session_id: str) -> bool:
    """Whether a session of that id, in whatever case, is one that an import made."""
    held = Session.objects.filter(session_id__lower=session_id.lower())
    ours = ImportReceipt.objects.filter(kind=SESSION, target__in=held.values("pk"))
    return ours.exists()


def loaded(
    messages: Iterable[SourceMessage], session: SourceSession, whose: Whose, people: People
) -> Iterator[LoadedMessage]:
    """The messages as they stand here: with an author, and a time that never runs backwards
    where the source has none."""
    at = session.started_at or session.at
    for message in messages:
        at = message.at or at
        column, speaker, role_id = _author(message, whose, people)
        yield LoadedMessage(
            role=message.role,
            role_id=role_id,
            parts=message.parts,
            at=at,
            column=column,
            speaker=speaker,
            source=message.source,
        )


def _author(
    message: SourceMessage, whose: Whose, people: People
) -> tuple[str | None, UUID | None, str | None]:
    """Participant's column, the row, and the role_id (isolation.md, role_id)."""
    if message.role == "assistant":
        return "agent_id", whose.agent.id, whose.agent.agent_id
    if message.role != "user":
        return None, None, None
    if message.speaker is not None:
        speaker = people.contact(message.speaker, whose.user)
        return "contact_id", speaker.id, str(speaker.id)
    if whose.contact is not None:
        return "contact_id", whose.contact.id, str(whose.contact.id)
    return "user_id", whose.user.id, whose.user.user_id


def _parent(session: SourceSession) -> UUID | None:
    """What it is a fork of, if that came in; parents come first."""
    if session.parent is None:
        return None
    found = ImportReceipt.objects.filter(kind=SESSION, source_key=short(session.parent, KEY))
    there = Session.objects.filter(pk__in=found.values("target"))
    return there.values_list("pk", flat=True).first()


def _metadata(session: SourceSession, session_id: str) -> dict[str, object]:
    known = {} if session.key == session_id else {"source_key": session.key}
    return {**session.metadata, **known}


def _receipts(run: Import, session: SourceSession, row: Session, people: People) -> ImportReceipt:
    receipt = ImportReceipt(
        id=uuid7(),
        run=run,
        kind=SESSION,
        source_key=short(session.key, KEY),
        source_name=session.name[:KEY],
        source_hash=bytes.fromhex(session.sha256),
        source_length=session.length,
        target=row.pk,
        messages=row.message_count,
    )
    ImportReceipt.objects.bulk_create(
        [receipt, *_of_its_file(receipt, session), *people_receipts(run, people)],
        ignore_conflicts=True,  # a file of which two sessions say that they were it
    )
    return receipt


def _of_its_file(receipt: ImportReceipt, session: SourceSession) -> list[ImportReceipt]:
    """A receipt of the file that the source moved it from, which then is in, too."""
    file = session.metadata.get("jsonl")
    if not isinstance(file, dict) or not _HASH.fullmatch(str(file.get("sha256"))):
        return []
    name = str(file.get("name"))
    return [
        ImportReceipt(
            run=receipt.run,
            kind=FILE,
            source_key=_key_of_file(file),
            source_name=name[:KEY],
            source_hash=bytes.fromhex(file["sha256"]),
            source_length=receipt.source_length,
            target=receipt.target,
            messages=receipt.messages,
        )
    ]


def _key_of_file(file: dict[str, object]) -> str:
    return short(str(file.get("name")).removesuffix(".jsonl"), KEY)


def people_receipts(run: Import, people: People) -> list[ImportReceipt]:
    """Receipts of those who were registered with what is written in the same transaction."""
    return [
        ImportReceipt(
            run=run, kind=kind, source_key=short(key, KEY), source_hash=row.bytes * 2, target=row
        )
        for kind, key, row in people.made()
    ]
