"""Reading sessions. Lists and pages, never a lazy queryset; visibility is part of each query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import takewhile
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db.models import CharField, Exists, F, Func, OuterRef, Q, Subquery
from django.db.models.functions import Left
from django.utils import timezone

from accounts.errors import NotFound
from accounts.http.paging import encode_cursor, moment_from_cursor
from accounts.namespace import session_uri
from accounts.principals.contacts import narrowed_by_parameter
from accounts.settings import AccountSettings
from sessions_app import access
from sessions_app.context import ArchiveSummary, Assembled, assemble
from sessions_app.fold import fold, search_words
from sessions_app.models import Archive, Message, Participant, Session, Task
from sessions_app.parts import tokens_of

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.actor import Actor
    from accounts.guard import AccountQuerySet

LIVE_SECONDS = 300  # activity within five minutes counts as live
COUNTED = 10_000  # lists count no further: counting a million rows costs more than the page
LAST_WORDS = 160  # characters of a session's last message in a list


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """What a list is narrowed to; ids that nobody has match nothing.

    Attributes:
        agent, user: the session's own agent and owner.
        contact: the UUID of the contact that the session is with.
        participant: a user or agent that took part.
        q: words in the title or in a message.
        since: activity at or after this moment.
    """

    agent: str = ""
    user: str = ""
    contact: UUID | None = None
    participant: str = ""
    thread_key: str = ""
    state: str = ""
    q: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class SessionPage:
    """One page, newest activity first, and the cursors of its neighbours."""

    rows: list[Session]
    older: str | None
    newer: str | None = None


@dataclass(frozen=True, slots=True)
class SessionCount:
    """How many there are, counted to COUNTED; and how many of them are live."""

    total: int
    live: int

    @property
    def capped(self) -> bool:
        return self.total >= COUNTED


@dataclass(frozen=True, slots=True)
class SessionDetail:
    """One session with who took part, in the order of their first message."""

    session: Session
    participants: list[Participant]
    parent: Session | None  # None also when the actor may not see it
    archives: list[Archive]

    @property
    def user_ids(self) -> list[str]:
        return [row.user.user_id for row in self.participants if row.user]

    @property
    def agent_ids(self) -> list[str]:
        return [row.agent.agent_id for row in self.participants if row.agent]

    @property
    def contact_ids(self) -> list[str]:
        return [str(row.contact_id) for row in self.participants if row.contact_id]


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Messages in ascending order, and whether there are more on either side."""

    session: Session
    rows: list[Message]
    has_older: bool
    has_newer: bool


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
class BatchRange:
    """The messages that one batch added."""

    session_id: str
    first: int
    last: int
    message_ids: list[str]
    key: UUID  # the session's row


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


def session_page(
    *,
    actor: Actor,
    where: SessionFilter,
    limit: int,
    older_than: str | None = None,
    newer_than: str | None = None,
    last_words: bool = False,
) -> SessionPage:
    """One page of the sessions that the actor sees.

    Args:
        older_than, newer_than: a cursor; at most one of them.
        last_words: for a page: annotate each row with the beginning of its last message.
    """
    backwards = newer_than is not None
    position = moment_from_cursor(newer_than if backwards else older_than)
    rows = _filtered(actor, where).select_related("owner", "agent", "contact")
    if position is not None:
        rows = _beyond(rows, position, newer=backwards)
    order = ("last_activity_at", "id") if backwards else ("-last_activity_at", "-id")
    if last_words:
        last = Message.objects.filter(session=OuterRef("pk"), seq=OuterRef("message_count"))
        rows = rows.annotate(last_words=Subquery(last.values(words=Left("text", LAST_WORDS))))
        rows = rows.prefetch_related("contact__handles")
    found = list(rows.order_by(*order)[: limit + 1])
    more, found = len(found) > limit, found[:limit]
    if backwards:
        found.reverse()
        return SessionPage(
            found, older=_cursor(found, -1), newer=_cursor(found, 0) if more else None
        )
    newer = _cursor(found, 0) if position is not None else None
    return SessionPage(found, older=_cursor(found, -1) if more else None, newer=newer)


def session_count(*, actor: Actor, where: SessionFilter) -> SessionCount:
    """How many sessions a list holds, for its count line."""
    rows = _filtered(actor, where)
    live_since = timezone.now() - timedelta(seconds=LIVE_SECONDS)
    live = rows.filter(last_activity_at__gte=live_since).exclude(state=Session.State.ENDED)
    return SessionCount(total=rows[:COUNTED].count(), live=live[:COUNTED].count())


def session_detail(*, actor: Actor, session_id: str) -> SessionDetail:
    """One session with its participants. Raises NotFound as access.session_for does."""
    session = access.session_for(actor, session_id)
    participants = (
        Participant.objects.filter(session=session)
        .select_related("user", "agent", "contact")
        .prefetch_related("contact__handles")
        .order_by("first_seq", "id")
    )
    archives = session.archives.defer("overview").order_by("number")
    return SessionDetail(
        session, list(participants), access.visible_parent(actor, session), list(archives)
    )


def message_page(
    *,
    actor: Actor,
    session_id: str,
    limit: int,
    after_seq: int | None = None,
    before_seq: int | None = None,
) -> MessagePage:
    """Messages in ascending order: those after `after_seq`, else the last ones before `before_seq`.

    With both, the first ones between them. With neither, the first ones of the session.
    """
    session = access.session_for(actor, session_id)
    rows = Message.objects.filter(session=session).defer("search", "language")
    rows = rows.select_related("contact").prefetch_related("contact__handles")
    if after_seq is not None:
        rows = rows.filter(seq__gt=after_seq)
    if before_seq is not None:
        rows = rows.filter(seq__lt=before_seq)
    backwards = before_seq is not None and after_seq is None
    found = list(rows.order_by("-seq" if backwards else "seq")[:limit])
    if backwards:
        found.reverse()
    first, last = (found[0].seq, found[-1].seq) if found else (1, session.message_count)
    newest = session.message_count
    if before_seq is not None and not backwards:
        newest = min(newest, before_seq - 1)
    return MessagePage(session, found, has_older=first > 1, has_newer=last < newest)


def message_of(*, actor: Actor, session_id: str, seq: int) -> tuple[Session, Message | None]:
    """One message by its number, or None in its place."""
    session = access.session_for(actor, session_id)
    rows = Message.objects.select_related("contact").prefetch_related("contact__handles")
    return session, rows.filter(session=session, seq=seq).first()


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
    return ArchiveDetail(archive, list(messages.defer("search", "language").order_by("seq")))


def task_page(
    *,
    actor: Actor,
    task_type: str,
    status: str,
    resource_id: str,
    after: UUID | None,
    limit: int,
) -> list[Task]:
    """The effective user's tasks, newest first; one more than `limit` when there are more."""
    rows = access.tasks_of(actor).select_related("session", "archive").order_by("-id")
    if task_type:
        rows = rows.filter(task_type=task_type)
    if status:
        rows = rows.filter(status=status)
    if resource_id:
        rows = rows.filter(session__session_id__lower=resource_id.lower())
    if after is not None:
        rows = rows.filter(id__lt=after)
    return list(rows[: limit + 1])


def task_detail(*, actor: Actor, task_id: str) -> Task:
    """One task of the effective user. Raises NotFound."""
    return access.task_for(actor, task_id)


def _filtered(actor: Actor, where: SessionFilter) -> AccountQuerySet[Session]:
    equal = {
        "agent__agent_id__lower": where.agent.lower(),
        "owner__user_id__lower": where.user.lower(),
        "contact": where.contact,
        "thread_key": where.thread_key,
        "state": where.state,
        "last_activity_at__gte": where.since,
    }
    rows = access.sessions_of(actor).filter(**{name: is_ for name, is_ in equal.items() if is_})
    if where.participant:
        name = where.participant.lower()
        took_part = Participant.objects.filter(session=OuterRef("pk")).filter(
            Q(user__user_id__lower=name) | Q(agent__agent_id__lower=name)
        )
        rows = rows.filter(Exists(took_part))
    if where.q:
        rows = _matching(rows, where.q, AccountSettings.of(actor.settings).language)
    return rows


def _matching(rows: AccountQuerySet[Session], q: str, language: str) -> AccountQuerySet[Session]:
    """Sessions with the words in their title or in a message."""
    matches = Q()
    for config in sorted({language, "english"}):  # messages written before the setting changed
        matches |= Q(search=SearchQuery(search_words(q), config=config, search_type="websearch"))
    said = Message.objects.filter(matches, session=OuterRef("pk"))
    title = Func(F("title"), function="public.bw_fold", output_field=CharField())
    return rows.annotate(folded=title).filter(Q(folded__contains=fold(q)) | Q(Exists(said)))


def _beyond(
    rows: AccountQuerySet[Session], position: tuple[datetime, UUID], *, newer: bool
) -> AccountQuerySet[Session]:
    """Rows on one side of the position, said so that the index on (last_activity_at, id) serves."""
    moment, row = position
    if newer:
        return rows.filter(last_activity_at__gte=moment).exclude(
            last_activity_at=moment, id__lte=row
        )
    return rows.filter(last_activity_at__lte=moment).exclude(last_activity_at=moment, id__gte=row)


def _cursor(rows: list[Session], index: int) -> str | None:
    if not rows:
        return None
    return encode_cursor(rows[index].last_activity_at.isoformat(), str(rows[index].pk))


def session_of(*, actor: Actor, key: UUID, contact_id: str | None = None) -> Session:
    """A session by its row, for answering a repeated request. Raises NotFound.

    Args:
        contact_id: the contact that the request's body named.
    """
    actor = narrowed_by_parameter(actor, contact_id)
    found = access.sessions_of(actor).filter(pk=key).select_related("owner", "agent").first()
    if found is None:
        raise NotFound("session", str(key))
    return found


def batch_of(*, actor: Actor, session: str, first: int, last: int) -> BatchRange:
    """The messages of an earlier batch, for answering its repetition. Raises NotFound.

    Args:
        session: the row's id; the session's own id may be another session's by now.
    """
    found = session_of(actor=actor, key=UUID(session))
    rows = Message.objects.filter(session=found, seq__gte=first, seq__lte=last)
    return BatchRange(
        found.session_id,
        first,
        last,
        [f"msg_{key.hex}" for key in rows.order_by("seq").values_list("pk", flat=True)],
        found.pk,
    )


def commit_of(*, actor: Actor, session: str, archive: str | None, task: str | None) -> Committed:
    """What an earlier commit began, for answering its repetition. Raises NotFound."""
    found = session_of(actor=actor, key=UUID(session))
    return Committed(
        found,
        found.archives.filter(pk=archive).first() if archive else None,
        found.tasks.filter(pk=task).first() if task else None,
    )


def visible_parent(*, actor: Actor, session: Session) -> Session | None:
    """What the session is a fork of, unless the actor may not see that."""
    return access.visible_parent(actor, session)


def failed_task_count(*, actor: Actor) -> int:
    """How many tasks of the account failed and wait for an admin; counted to COUNTED."""
    if not actor.is_admin:
        return 0
    rows = Task.objects.filter(status=Task.Status.FAILED)
    return rows[:COUNTED].count()
