"""Running an import from beginning to end: dry, or for good; interrupted, and again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from django.db import transaction
from django.db.models import Count, Sum
from django.utils import timezone

from accounts.actor import DEFAULT_ID
from accounts.names import check_id
from accounts.principals import audit
from accounts.principals.access import user_for
from memory import access
from memory.importers.plain import Problem
from memory.models import Import, ImportReceipt
from memory.services.imports.memories import extractions_import, memories_import
from memory.services.imports.people import People
from memory.services.imports.sessions import known_session, session_import
from memory.services.imports.verify import session_verify

if TYPE_CHECKING:
    from accounts.actor import Actor
    from memory.importers.plain import Source, SourceSession

MAX_PROBLEMS = 1_000  # kept with the run; the others are counted
SAVED_EVERY = 20  # sessions, for who watches the progress


class Progress(Protocol):
    """Told how far it is; a bar, or nothing."""

    def __call__(self, done: int, total: int, what: str) -> None: ...


@dataclass(slots=True)
class Report:
    """What an import did, or would do.

    Attributes:
        known: things that were in already. problems: with `lost` messages or memories each.
    """

    sessions: int = 0
    messages: int = 0
    memories: int = 0
    extractions: int = 0
    known: int = 0
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0
    lost: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether everything of the source is in."""
        return self.lost == 0

    def note(self, problem: Problem) -> None:
        self.problem_count += 1
        self.lost += problem.lost
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)


def import_create(
    *,
    actor: Actor,
    format: str,  # noqa: A002 - the word of the command and the page
    source: str,
    user_id: str = "",
    agent_id: str = "",
    upload: str = "",
    dry_run: bool = False,
) -> Import:
    """Write down that an import is to run.

    Raises:
        PermissionDenied: the actor is neither an ADMIN as itself nor an operator.
        InvalidArgument, NotFound: a user or agent that is no id, or a user who is not there.
    """
    access.require_importer(actor)
    if user_id:
        user_id = user_for(user_id).user_id
    if agent_id:
        check_id(agent_id, "agent")
    with transaction.atomic():
        run = Import.objects.create(
            format=format,
            source=source[:300],
            user=user_id,
            agent=agent_id,
            upload=upload,
            dry_run=dry_run,
            written_by=actor.written_by,
        )
        audit.record(actor=actor, action="import.started", target_type="import", target=run.pk)
    return run


def import_run(
    *,
    actor: Actor,
    run: Import,
    source: Source,
    progress: Progress | None = None,
    settle: bool = True,
) -> Report:
    """Read the source and bring it in, or with `run.dry_run` only count.

    Each session is one transaction with its receipt: an import that was killed is run again, and
    goes on where it stopped. At the end source and account are read again and compared; only when
    they agree is the source put aside.

    Args:
        settle: put the source aside at the end.

    Raises:
        PermissionDenied: the actor is neither an ADMIN as itself nor an operator.
        UnreadableSource: nothing can be read at all.
    """
    access.require_importer(actor)
    tell = progress or (lambda _done, _total, _what: None)
    report = Report(notes=list(source.notes))
    _mark(run, state=Import.State.RUNNING)
    people = People(actor, run.user or DEFAULT_ID, run.agent or DEFAULT_ID, source.default_users())
    try:
        total = sum(1 for _ in source.sessions())
        _mark(run, total=total)
        if run.dry_run:
            _count(source, report, total, tell)
        else:
            _bring_in(run, source, people, report, total, tell)
            _tally(run, report)
            _verify(source, report, total, tell)
        for problem in source.problems():
            report.note(problem)
        if not run.dry_run and report.whole and settle:
            source.settled()
    except Exception:  # also a defect of ours: nothing may say for ever that it runs
        _tally(run, report)
        with transaction.atomic():
            _keep(run, report, Import.State.FAILED)
            _note_failed(actor, run)
        raise
    with transaction.atomic():
        _keep(run, report, Import.State.COMPLETED)
        audit.record(
            actor=actor,
            action="import.counted" if run.dry_run else "import.completed",
            target_type="import",
            target=run.pk,
            **_numbers(run),
        )
    return report


def import_fail(*, actor: Actor | None, run: Import, what: str) -> None:
    """Write down why nothing more came of it; what is in stays in, with its receipts.

    Args:
        actor: who ran it; None: it is gone.
    """
    problems = [{"where": run.source, "what": what, "lost": 0}, *run.problems]
    noted = run.state == Import.State.FAILED
    with transaction.atomic():
        _mark(
            run,
            state=Import.State.FAILED,
            finished_at=timezone.now(),
            problems=problems[:MAX_PROBLEMS],
            problem_count=run.problem_count + 1,
        )
        if actor is not None and not noted:
            _note_failed(actor, run)


def _bring_in(
    run: Import, source: Source, people: People, report: Report, total: int, tell: Progress
) -> None:
    for done, session in enumerate(source.sessions(), start=1):
        found = known_session(source, session)
        if isinstance(found, ImportReceipt):
            report.known += 1
        elif found is not None:
            report.note(found)
        else:
            made = session_import(run=run, source=source, session=session, people=people)
            if isinstance(made, Problem):
                report.note(made)
            else:
                report.sessions += 1
                report.messages += made.messages
        tell(done, total, "sessions")
        if done % SAVED_EVERY == 0:
            _mark(run, done=done, sessions=report.sessions, messages=report.messages)
    for new, known, problems in memories_import(run=run, source=source, people=people):
        report.memories += new
        report.known += known
        _note_all(report, problems)
    for new, known, problems in extractions_import(run=run, source=source, people=people):
        report.extractions += new
        report.known += known
        _note_all(report, problems)


def _verify(source: Source, report: Report, total: int, tell: Progress) -> None:
    """Everything that has a receipt, from this run or an earlier one."""
    for done, session in enumerate(source.sessions(), start=1):
        found = known_session(source, session)
        # What came in out of another format stands here as it stood there.
        if not isinstance(found, ImportReceipt):
            # Refused above, and told; or it came, grew or was taken out since.
            if not any(one.lost and one.where == session.name for one in report.problems):
                what = "It came in meanwhile, or was taken out; run the import again."
                report.note(found or Problem(session.name, what, max(1, session.messages)))
        elif found.run.format == source.format:
            differs = session_verify(source=source, session=session, receipt=found)
            if differs is not None:
                report.note(differs)
        tell(done, total, "verified")


def _count(source: Source, report: Report, total: int, tell: Progress) -> None:
    for done, session in enumerate(source.sessions(), start=1):
        found = known_session(source, session)
        if isinstance(found, ImportReceipt):
            report.known += 1
        elif found is not None:
            report.note(found)
        else:
            report.sessions += 1
            report.messages += _length(source, session)
        tell(done, total, "read")
    report.memories = sum(1 for _ in source.memories())
    report.extractions = sum(1 for _ in source.extractions())


def _length(source: Source, session: SourceSession) -> int:
    return sum(1 for _ in source.messages(session))


def _note_all(report: Report, problems: list[Problem]) -> None:
    for problem in problems:
        report.note(problem)


def _mark(run: Import, **values: object) -> None:
    for name, value in values.items():
        setattr(run, name, value)
    run.save(update_fields=list(values))


def _tally(run: Import, report: Report) -> None:
    """Count what came in by its receipts: some of it before the run was interrupted."""
    if run.dry_run:
        return
    seen = report.sessions + report.memories + report.extractions
    rows = run.receipts.order_by().values_list("kind").annotate(Count("pk"), Sum("messages"))
    found = {kind: (count, messages) for kind, count, messages in rows}
    kinds = ImportReceipt.Kind
    report.sessions, report.messages = found.get(kinds.SESSION, (0, 0))
    report.memories = found.get(kinds.MEMORY, (0, 0))[0]
    report.extractions = found.get(kinds.EXTRACTION, (0, 0))[0]
    report.known -= report.sessions + report.memories + report.extractions - seen


def _note_failed(actor: Actor, run: Import) -> None:
    audit.record(
        actor=actor, action="import.failed", target_type="import", target=run.pk, **_numbers(run)
    )


def _numbers(run: Import) -> dict[str, int]:
    return {"sessions": run.sessions, "messages": run.messages, "memories": run.memories}


def _keep(run: Import, report: Report, state: str) -> None:
    _mark(
        run,
        state=state,
        done=(run.total or 0) if state == Import.State.COMPLETED else run.done,
        sessions=report.sessions,
        messages=report.messages,
        memories=report.memories,
        extractions=report.extractions,
        known=report.known,
        problems=[
            {"where": one.where, "what": one.what, "lost": one.lost} for one in report.problems
        ],
        problem_count=report.problem_count,
        notes=report.notes,
        finished_at=timezone.now(),
    )
