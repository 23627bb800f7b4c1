"""Archives: what a commit began, one of them, and the context that they leave."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING
from uuid import UUID

from accounts.errors import NotFound
from accounts.namespace import session_uri
from sessions_app import access
from sessions_app.context import ArchiveSummary, Assembled, assemble
from sessions_app.models import Archive, Message
from sessions_app.parts import tokens_of
from sessions_app.selectors.sessions import session_of

if TYPE_CHECKING:
    from accounts.actor import Actor
    from sessions_app.models import Session, Task


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit began; both are None when there was nothing to archive."""

    session: Session
    archive: Archive | None = None
    task: Task | None = None

    @property
    def archive_uri(self) -> str | None:
        if self.archive is None:
            return None
        return f"{session_uri(self.session.session_id)}/history/{self.archive.archive_id}"


@dataclass(frozen=True, slots=True)
class ArchiveDetail:
    """A completed archive and its messages, in ascending order."""

    archive: Archive
    messages: list[Message]


@dataclass(frozen=True, slots=True)
class SessionContext:
    """What `/context` answers."""

    session: Session
    messages: list[Message]
    assembled: Assembled
    total_archives: int
    failed_archives: int


def session_context(*, actor: Actor, session_id: str, token_budget: int) -> SessionContext:
    """All messages that no archive covers, and what else fits the budget."""
    session = access.session_for(actor, session_id)
    archives = list(session.archives.order_by("number"))
    # Up to the first that is not completed: behind it, messages would be in no summary and gone.
    done = list(takewhile(lambda archive: archive.state == Archive.State.COMPLETED, archives))
    rows = Message.objects.filter(session=session)
    if done:
        rows = rows.filter(seq__gt=done[-1].last_seq)
    messages = list(rows.defer("search", "language", "text").order_by("seq"))
    summaries = [ArchiveSummary(row.archive_id, row.abstract, row.overview) for row in done]
    active = sum(tokens_of(message.parts) for message in messages)
    return SessionContext(
        session,
        messages,
        assemble(active, summaries, token_budget),
        total_archives=len(archives),
        failed_archives=sum(row.state == Archive.State.FAILED for row in archives),
    )


def archive_detail(*, actor: Actor, session_id: str, archive_id: str) -> ArchiveDetail:
    """A completed archive with its messages.

    Raises:
        NotFound: no such archive for the actor, or it is not completed.
    """
    archive = access.archive_for(actor, session_id, archive_id)
    if archive.state != Archive.State.COMPLETED:
        raise NotFound("archive", archive_id)
    messages = Message.objects.filter(
        session=archive.session, seq__gte=archive.first_seq, seq__lte=archive.last_seq
    )
    rows = messages.select_related("contact").defer("search", "language").order_by("seq")
    return ArchiveDetail(archive, list(rows))


def commit_of(*, actor: Actor, session: str, archive: str | None, task: str | None) -> Committed:
    """What an earlier commit began, for answering its repetition. Raises NotFound."""
    found = session_of(actor=actor, key=UUID(session))
    return Committed(
        found,
        found.archives.filter(pk=archive).first() if archive else None,
        found.tasks.filter(pk=task).first() if task else None,
    )
