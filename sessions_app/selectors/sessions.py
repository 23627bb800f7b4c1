"""Sessions: lists, counts, one of them; visibility is part of each query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import Left
from django.utils import timezone

from accounts.errors import NotFound
from accounts.http.paging import encode_cursor, moment_from_cursor
from accounts.principals.contacts import narrowed_by_parameter
from accounts.principals.models import Agent, Contact, User
from accounts.settings import AccountSettings
from sessions_app import access
from sessions_app.fold import fold, search_words
from sessions_app.models import Message, Participant, Session

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.actor import Actor
    from accounts.guard import AccountQuerySet
    from sessions_app.models import Archive

LIVE_SECONDS = 300  # activity within five minutes counts as live
COUNTED = 10_000  # lists count no further: counting a million rows costs more than the page
SEARCH_COUNTED = 1_000  # and those of a search no further than this: each hit is looked at
FEW_MATCHES = 5_000  # messages with the words of a search, that are looked up before all else
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
    """How many there are, counted only so far; and how many of them are live."""

    total: int
    live: int
    capped: bool = False  # there may be more


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
        """Of merged contacts the root, once."""
        return list(
            dict.fromkeys(str(row.contact.root) for row in self.participants if row.contact)
        )


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
    most = SEARCH_COUNTED if where.q else COUNTED
    total = rows[:most].count()
    return SessionCount(total=total, live=_live(rows)[:most].count(), capped=total >= most)


def live_sessions(*, actor: Actor, limit: int) -> list[Session]:
    """The sessions in which something was said in the last minutes, newest first."""
    rows = _live(access.sessions_of(actor)).select_related("owner", "agent", "contact")
    rows = rows.prefetch_related("contact__handles")
    return list(rows.order_by("-last_activity_at", "-id")[:limit])


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


def session_of(*, actor: Actor, key: UUID, contact_id: str | None = None) -> Session:
    """A session by its row, for answering a repeated request. Raises NotFound.

    Args:
        contact_id: the contact that the request's body named.
    """
    actor = narrowed_by_parameter(actor, contact_id)
    found = (
        access.sessions_of(actor).filter(pk=key).select_related("owner", "agent", "contact").first()
    )
    if found is None:
        raise NotFound("session", str(key))
    return found


def visible_parent(*, actor: Actor, session: Session) -> Session | None:
    """What the session is a fork of, unless the actor may not see that."""
    return access.visible_parent(actor, session)


def _live(rows: AccountQuerySet[Session]) -> AccountQuerySet[Session]:
    since = timezone.now() - timedelta(seconds=LIVE_SECONDS)
    return rows.filter(last_activity_at__gte=since).exclude(state=Session.State.ENDED)


def _root_of(contact: UUID) -> Subquery:
    """Merging moves no row: what is asked of one of a family is asked of its root."""
    return Subquery(Contact.objects.filter(pk=contact).values("root"))


def _filtered(actor: Actor, where: SessionFilter) -> AccountQuerySet[Session]:
    equal = {
        "agent__agent_id__lower": where.agent.lower(),
        "owner__user_id__lower": where.user.lower(),
        "contact__root": where.contact and _root_of(where.contact),
        "thread_key": where.thread_key,
        "state": where.state,
        "last_activity_at__gte": where.since,
    }
    rows = access.sessions_of(actor).filter(**{name: is_ for name, is_ in equal.items() if is_})
    if where.participant:
        took_part = Participant.objects.filter(session=OuterRef("pk")).filter(
            _is_participant(where.participant.lower())
        )
        rows = rows.filter(Exists(took_part))
    if where.q:
        rows = _matching(rows, where.q, AccountSettings.of(actor.settings).language)
    return rows


def _is_participant(name: str) -> Q:
    """Whose row it is, looked up once by id: by joined names every participant was read."""
    user = User.objects.filter(user_id__lower=name).values("pk")
    agent = Agent.objects.filter(agent_id__lower=name).values("pk")
    return Q(user=Subquery(user)) | Q(agent=Subquery(agent))


def _matching(rows: AccountQuerySet[Session], q: str, language: str) -> AccountQuerySet[Session]:
    """Sessions with the words in their title or in a message.

    Words that few messages have are looked up first, and their sessions named. Of words that many
    have the newest sessions are tried one by one until the page is full; as an EXISTS they would
    all be gathered first (3.3 s at a million messages).
    """
    matches = Q()
    for config in sorted({language, "english"}):  # messages written before the setting changed
        matches |= Q(search=SearchQuery(search_words(q), config=config, search_type="websearch"))
    found = Message.objects.filter(matches)
    few = list(found.values_list("session", flat=True)[: FEW_MATCHES + 1])
    titled = Q(folded_title__contains=fold(q))
    if len(few) <= FEW_MATCHES:
        return rows.filter(titled | Q(pk__in=set(few)))
    said = found.filter(session=OuterRef("pk")).values("seq")[:1]
    return rows.annotate(said=Subquery(said)).filter(titled | Q(said__isnull=False))


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
