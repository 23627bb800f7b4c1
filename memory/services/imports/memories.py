"""Memories and runs of extraction come in: some hundred a transaction, each with its receipt."""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from django.db import DataError, IntegrityError, transaction

from accounts.errors import DomainError
from accounts.settings import AccountSettings
from memory.importers.plain import Problem
from memory.importers.values import short
from memory.models import Extraction, ImportReceipt, Memory, State
from memory.services import guards
from memory.services.checks import Cleaner
from memory.services.imports.people import as_importer
from memory.services.imports.sessions import KEY, people_receipts
from sessions_app.models import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from uuid import UUID

    from memory.importers.plain import Source, SourceExtraction, SourceMemory
    from memory.models import Import
    from memory.services.imports.people import People

T = TypeVar("T")
K = TypeVar("K", "SourceMemory", "SourceExtraction")
Done: TypeAlias = tuple[int, int, list[Problem]]
AT_ONCE = 200
MEMORY, EXTRACTION = ImportReceipt.Kind.MEMORY, ImportReceipt.Kind.EXTRACTION


def memories_import(
    *, run: Import, source: Source, people: People
) -> Iterator[tuple[int, int, list[Problem]]]:
    """Bring all memories in, a batch a step: how many are new, were known, and what went wrong."""
    for batch in _batches(source.memories()):
        yield from _kept(batch, lambda some: _batch(run, some, people), people)
    _link(source)


def extractions_import(
    *, run: Import, source: Source, people: People
) -> Iterator[tuple[int, int, list[Problem]]]:
    """Bring all runs of extraction in, as memories_import."""
    for batch in _batches(source.extractions()):
        yield from _kept(batch, lambda some: _extractions(run, some, people), people)


def _kept(
    batch: Sequence[K], keep: Callable[[Sequence[K]], Done], people: People, *, again: bool = True
) -> Iterator[Done]:
    """Keep a batch in one transaction; where the database refuses that, each thing in its own.

    Tried twice: somebody may have brought in the same, or kept that topic, at the same time.
    """
    try:
        with transaction.atomic():
            done = keep(batch)
    except (DomainError, IntegrityError, DataError) as error:
        people.forget()
        if len(batch) > 1:
            for one in batch:
                yield from _kept([one], keep, people)
        elif again:
            yield from _kept(batch, keep, people, again=False)
        else:
            yield 0, 0, [Problem(batch[0].name, _why(error), 1)]
        return
    except BaseException:
        people.forget()
        raise
    yield done


def _why(error: Exception) -> str:
    if isinstance(error, DomainError):
        return error.message
    return f"The database refuses it: {type(error).__name__}."


def _batch(
    run: Import, batch: Sequence[SourceMemory], people: People
) -> tuple[int, int, list[Problem]]:
    hashes = {one.key: _hash(one) for one in batch}
    known = _known(MEMORY, batch)
    problems, rows, receipts = [], [], []
    for one in batch:
        before = known.get(short(one.key, KEY))
        if before is not None:
            if before != hashes[one.key]:
                problems.append(Problem(one.name, "It has changed since it was imported.", 1))
            continue
        try:
            row, notes = _memory(one, people)
        except DomainError as error:
            problems.append(Problem(one.name, error.message, 1))
            continue
        problems += notes
        rows.append(row)
        receipts.append(_receipt(run, MEMORY, one, hashes[one.key], row.pk))
    taken = _without_taken_topics(rows)
    problems += [Problem(f"memory {key}", "Its topic is taken; kept without one.") for key in taken]
    Memory.objects.bulk_create(rows)
    ImportReceipt.objects.bulk_create([*receipts, *people_receipts(run, people)])
    return len(rows), len(known), problems


def _memory(one: SourceMemory, people: People) -> tuple[Memory, list[Problem]]:
    """An unsaved row, by the rules of remembering, but for gate and consent: what was kept
    elsewhere comes in, and stays hidden while either is lacking."""
    whose = people.whose(one.user, one.agent, one.sender)
    actor = as_importer(people.actor, whose)
    cleaner = Cleaner.of(actor)
    values: dict[str, Any] = cleaner.changes(
        {
            "content": one.content,
            "summary": one.summary,
            "kind": one.kind,
            "topic_key": one.topic_key,
            "scope": one.scope,
            "salience": one.salience,
            "topics": one.topics,
            "source": one.source,
        }
    )
    assert whose.agent.id is not None
    session = _session(one.session)
    user, contact = whose.user.id, whose.contact.id if whose.contact else None
    if session is not None and session.contact_id is not None:
        # What was said to somebody stays with them, whatever the memory itself says.
        user, contact = session.owner_id, session.contact_id
    row = Memory(
        user_id=user,
        agent_id=whose.agent.id,
        contact_id=contact,
        session=session,
        confidence=one.confidence,
        state=one.state,
        expires_at=one.expires_at,
        language=AccountSettings.of(actor.settings).language,
        created_at=one.at,
        updated_at=one.at,
        written_by=actor.written_by,
        written_key=actor.key,
        **values,
    )
    notes = []
    if cleaner.redacted:
        notes.append(Problem(one.name, f"{cleaner.redacted} secrets were taken out."))
    return row, notes


def _without_taken_topics(rows: Sequence[Memory]) -> list[str]:
    """Clear the topics that another active memory stands for; of a batch the last one keeps it."""
    cleared, seen = [], set()
    for row in reversed(rows):
        if row.topic_key is None or row.state != State.ACTIVE:
            continue
        key = (row.scope, row.user_id, row.agent_id, row.contact_id, row.kind, row.topic_key)
        if key in seen or guards.same_topic(row).exists():
            cleared.append(row.topic_key)
            row.topic_key = None
        seen.add(key)
    return cleared


def _link(source: Source) -> None:
    """Say which memory superseded which, once all are in; harmless when repeated."""
    for batch in _batches(one for one in source.memories() if one.superseded_by):
        wanted = {short(one.key, KEY) for one in batch} | {
            short(one.superseded_by or "", KEY) for one in batch
        }
        rows = dict(
            ImportReceipt.objects.filter(kind=MEMORY, source_key__in=wanted).values_list(
                "source_key", "target"
            )
        )
        for one in batch:
            old, new = rows.get(short(one.key, KEY)), rows.get(short(one.superseded_by or "", KEY))
            if old and new and old != new:
                Memory.objects.filter(
                    pk=old, superseded_by=None, state__in=[State.SUPERSEDED, State.DELETED]
                ).update(superseded_by=new)


def _extractions(
    run: Import, batch: Sequence[SourceExtraction], people: People
) -> tuple[int, int, list[Problem]]:
    known = _known(EXTRACTION, batch)
    rows, receipts = [], []
    for one in batch:
        if short(one.key, KEY) in known:
            continue
        whose = people.whose(one.user, one.agent, None)
        assert whose.agent.id is not None
        session = _session(one.session)
        row = Extraction(
            session=session,
            user_id=session.owner_id if session and session.contact_id else whose.user.id,
            agent_id=whose.agent.id,
            contact_id=session.contact_id if session else None,
            first_seq=1,
            last_seq=max(1, session.message_count if session else 1),
            state=Extraction.State.COMPLETED,
            memories=one.memories,
            created_at=one.at,
            finished_at=one.at,
        )
        rows.append(row)
        receipts.append(_receipt(run, EXTRACTION, one, _hash(one), row.pk))
    Extraction.objects.bulk_create(rows)
    ImportReceipt.objects.bulk_create([*receipts, *people_receipts(run, people)])
    return len(rows), len(known), []


def _known(
    kind: str, batch: Sequence[SourceMemory] | Sequence[SourceExtraction]
) -> dict[str, bytes]:
    rows = ImportReceipt.objects.filter(
        kind=kind, source_key__in=[short(one.key, KEY) for one in batch]
    )
    return {key: bytes(found) for key, found in rows.values_list("source_key", "source_hash")}


def _receipt(
    run: Import, kind: str, one: SourceMemory | SourceExtraction, digest: bytes, target: UUID
) -> ImportReceipt:
    return ImportReceipt(
        run=run,
        kind=kind,
        source_key=short(one.key, KEY),
        source_name=one.name[:KEY],
        source_hash=digest,
        source_length=1,
        target=target,
    )


def _hash(one: SourceMemory | SourceExtraction) -> bytes:
    """Of all that was read, so that a change there is noticed."""
    return hashlib.sha256(repr(one).encode("utf-8", "surrogatepass")).digest()


def _session(key: str | None) -> Session | None:
    if key is None:
        return None
    found = ImportReceipt.objects.filter(kind="session", source_key=short(key, KEY))
    return Session.objects.filter(pk__in=found.values("target")).first()


def _batches(rows: Iterable[T]) -> Iterator[list[T]]:
    stream = iter(rows)
    while batch := list(islice(stream, AT_ONCE)):
        yield batch
