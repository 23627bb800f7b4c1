"""Imports as the pages show them: the list, and one with what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Sum

from accounts.principals.selectors import user_names
from accounts.principals.selectors.pages import Page, newest_first
from memory import access
from memory.models import Import, ImportReceipt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from accounts.actor import Actor

State = Import.State
UNFINISHED = (State.WAITING, State.RUNNING)
PROBLEMS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class ImportFacts:
    """One import.

    Attributes:
        format: `auto` until it is known. source: what was uploaded, or the path on the machine.
        by: the user_id of who began it; "" for an operator.
        done, total: sessions that were dealt with, of how many; total is None until it is known.
        sessions, messages, memories, extractions: what would come in, or did. known: were in.
        held: the uploaded files are still there.
    """

    id: UUID
    created_at: datetime
    finished_at: datetime | None
    format: str
    source: str
    state: str
    dry_run: bool
    by: str
    user: str
    agent: str
    done: int
    total: int | None
    sessions: int
    messages: int
    memories: int
    extractions: int
    known: int
    problem_count: int
    held: bool

    @property
    def unfinished(self) -> bool:
        return self.state in UNFINISHED

    @property
    def counted(self) -> bool:
        """Read and reported, with nothing brought in."""
        return self.dry_run and self.state == State.COMPLETED

    @property
    def found(self) -> bool:
        """Whether something in it is new."""
        return bool(self.sessions or self.memories or self.extractions)

    @property
    def may_apply(self) -> bool:
        return self.counted and self.held and self.found

    @property
    def may_discard(self) -> bool:
        return self.held and not self.unfinished

    @property
    def may_roll_back(self) -> bool:
        return not self.dry_run and self.state in (State.COMPLETED, State.FAILED)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """One import with what was said of it.

    Attributes:
        problems: the first PROBLEMS_SHOWN: {where, what, lost}. further: how many more there are.
    """

    facts: ImportFacts
    notes: list[str]
    problems: list[dict[str, Any]]
    further: int


@dataclass(frozen=True, slots=True)
class ImportStock:
    """What goes when an import is taken out again.

    Attributes:
        counts: by kind of receipt. messages: in its sessions.
    """

    facts: ImportFacts
    messages: int
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def sessions(self) -> int:
        return self.counts.get(ImportReceipt.Kind.SESSION, 0)

    @property
    def memories(self) -> int:
        return self.counts.get(ImportReceipt.Kind.MEMORY, 0)


def import_page(
    *, actor: Actor, limit: int, older: str | None = None, newer: str | None = None
) -> Page[ImportFacts]:
    """Imports, newest first.

    Raises:
        PermissionDenied: the actor may not run imports.
        InvalidArgument: a cursor that no list gave out.
    """
    access.require_importer(actor)
    rows = Import.objects.get_queryset().defer("problems", "notes")
    found = newest_first(rows, limit=limit, older=older, newer=newer)
    return Page(_facts(found.rows), found.total, found.older, found.newer)


def import_report(*, actor: Actor, run_id: UUID) -> ImportReport:
    """One import with its problems. Raises PermissionDenied, NotFound."""
    run = access.import_for(actor, run_id)
    shown = run.problems[:PROBLEMS_SHOWN]
    return ImportReport(
        _facts([run])[0], list(run.notes), shown, max(0, run.problem_count - len(shown))
    )


def import_stock(*, actor: Actor, run_id: UUID) -> ImportStock:
    """What an import made, by its receipts. Raises PermissionDenied, NotFound."""
    run = access.import_for(actor, run_id)
    rows = ImportReceipt.objects.filter(run=run).order_by().values_list("kind")
    counted = list(rows.annotate(Count("pk"), Sum("messages")))
    return ImportStock(
        facts=_facts([run])[0],
        messages=sum(messages for _, _, messages in counted),
        counts={kind: count for kind, count, _ in counted},
    )


def _facts(rows: Sequence[Import]) -> list[ImportFacts]:
    names = user_names({row.written_by for row in rows if row.written_by})
    return [
        ImportFacts(
            id=row.pk,
            created_at=row.created_at,
            finished_at=row.finished_at,
            format=row.format,
            source=row.source,
            state=row.state,
            dry_run=row.dry_run,
            by=names.get(row.written_by, "") if row.written_by else "",
            user=row.user,
            agent=row.agent,
            done=row.done,
            total=row.total,
            sessions=row.sessions,
            messages=row.messages,
            memories=row.memories,
            extractions=row.extractions,
            known=row.known,
            problem_count=row.problem_count,
            held=bool(row.upload),
        )
        for row in rows
    ]
