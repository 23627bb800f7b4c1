"""What a list of memories is narrowed to: the same for the rows as they are and as they were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db.models import Case, CharField, F, Func, Q, Subquery, When

from accounts.errors import InvalidArgument
from accounts.principals.models import Agent, Contact, User
from accounts.settings import AccountSettings
from memory import uris
from memory.models import KINDS, Memory, Salience, Scope, Source, State, Version, searched_words
from memory.visibility import NOT_EXPIRED
from sessions_app.access import sessions_of
from sessions_app.fold import search_words

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from accounts.actor import Actor
    from accounts.guard import AccountQuerySet

R = TypeVar("R", Memory, Version)
EXPIRED, KEPT, ANY = "expired", "kept", "any"  # beside the states that a row has
STATES = (*State.values, EXPIRED, KEPT, ANY)
MAX_Q = 200


@dataclass(frozen=True, slots=True)
class MemoryFilter:
    """What a list is narrowed to; ids that nobody has match nothing.

    Attributes:
        uri: an address; everything at it or below it.
        scope, kind, salience, source: one value each. state: active (the default: and not
            expired), another state, `expired`, `kept` (all but deleted) or `any`.
        topic_key: exactly. topics: each of them.
        user, agent: with whom it was kept, by the ids that people know.
        contact: its UUID; those that count as it are meant too. session: a session's id.
        since: changed at or after this moment.
        as_of: as it was then; who may see it, and consent, are as of now.
        q: words in summary, content or topic.
    """

    uri: str = ""
    scope: str = ""
    kind: str = ""
    topic_key: str = ""
    topics: Collection[str] = ()
    user: str = ""
    agent: str = ""
    contact: UUID | None = None
    session: str = ""
    state: str = State.ACTIVE
    salience: str = ""
    source: str = ""
    since: datetime | None = None
    as_of: datetime | None = None
    q: str = ""

    def check(self) -> None:
        """Raise InvalidArgument for a value that no memory can have."""
        choices = {
            "scope": Scope.values,
            "kind": KINDS,
            "state": STATES,
            "salience": Salience.values,
            "source": Source.values,
        }
        for name, values in choices.items():
            value = getattr(self, name)
            if value and value not in values:
                raise InvalidArgument(f"{name} must be one of {', '.join(values)}.", field=name)
        if len(self.q) > MAX_Q:
            raise InvalidArgument(f"q has at most {MAX_Q} characters.", field="q")


def narrowed(actor: Actor, rows: AccountQuerySet[Memory], where: MemoryFilter) -> Any:
    """Memories as they are, narrowed.

    Raises:
        InvalidArgument, InvalidUri: a value that is refused.
        PermissionDenied: an address of another's namespace.
    """
    where.check()
    rows = _by_owner(actor, rows, where).filter(_in_state(where.state, NOT_EXPIRED))
    if where.since:
        rows = rows.filter(updated_at__gte=where.since)
    return rows.filter(_says(actor, where.q, "search")) if where.q else rows


def narrowed_past(actor: Actor, seen: AccountQuerySet[Memory], where: MemoryFilter) -> Any:
    """The state in which each of the seen memories was at `where.as_of`, narrowed alike."""
    where.check()
    moment = where.as_of
    rows = Version.objects.get_queryset().defer("search")
    rows = rows.filter(
        Q(valid_to=None) | Q(valid_to__gt=moment), valid_from__lte=moment, memory__in=seen
    )
    not_expired = Q(expires_at=None) | Q(expires_at__gt=moment)
    rows = _by_owner(actor, rows, where).filter(_in_state(where.state, not_expired))
    if where.since:
        rows = rows.filter(valid_from__gte=where.since)
    if not where.q:
        return rows
    # A past state has no vector of its own: this is the price of searching it, 0.1 ms each. What
    # still is so has one; PostgreSQL plans the two halves of the view apart.
    language = Func(
        F("language"), template="(%(expressions)s)::regconfig", output_field=CharField()
    )
    vector = Func(
        language, searched_words(), function="to_tsvector", output_field=SearchVectorField()
    )
    kept = When(valid_to=None, then=F("search"))
    words = Case(kept, default=vector, output_field=SearchVectorField())
    return rows.alias(words=words).filter(_says(actor, where.q, "words"))


def _in_state(state: str, not_expired: Q) -> Q:
    match state:
        case "any":
            return Q()
        case "kept":
            return ~Q(state=State.DELETED)
        case "expired":
            return Q(state=State.ACTIVE) & ~not_expired
        case "active" | "":
            return Q(state=State.ACTIVE) & not_expired
    return Q(state=state)


def _by_owner(actor: Actor, rows: AccountQuerySet[R], where: MemoryFilter) -> AccountQuerySet[R]:
    """Columns that a memory and a past state of it have alike; people by their rows."""
    equal: dict[str, Any] = {
        "scope": where.scope,
        "kind": where.kind,
        "topic_key": where.topic_key,
        "topics__contains": list(where.topics),
        "salience": where.salience,
        "source": where.source,
        "user": where.user and _user(where.user),
        "agent": where.agent and _agent(where.agent),
        "contact__in": where.contact and _family(where.contact),
        "session__in": where.session and _session(actor, where.session),
    }
    rows = rows.filter(**{name: value for name, value in equal.items() if value})
    return _under(actor, rows, where.uri) if where.uri else rows


def _under(actor: Actor, rows: AccountQuerySet[R], uri: str) -> AccountQuerySet[R]:
    own = uris.Namespace(actor.user.user_id, actor.agent.agent_id, everything=actor.is_admin)
    address = uris.parse(uri, actor.policy, own)
    if address.empty:
        return rows.none()
    equal: dict[str, Any] = {
        "scope": address.scope,
        "kind": address.kind,
        "user": address.user_id and _user(address.user_id),
        "agent": address.agent_id and _agent(address.agent_id),
    }
    rows = rows.filter(**{name: value for name, value in equal.items() if value})
    if address.memory_id is None:
        return rows
    key = "pk" if rows.model is Memory else "memory"
    return rows.filter(**{key: address.memory_id})


def _user(user_id: str) -> Subquery:
    return Subquery(User.objects.filter(user_id__lower=user_id.lower()).values("pk"))


def _agent(agent_id: str) -> Subquery:
    return Subquery(Agent.objects.filter(agent_id__lower=agent_id.lower()).values("pk"))


def _session(actor: Actor, session_id: str) -> Subquery:
    """One that the actor sees; else the filter would tell what is kept of a hidden one."""
    rows = sessions_of(actor).filter(session_id__lower=session_id.lower())
    return Subquery(rows.values("pk"))


def _family(contact: UUID) -> Subquery:
    """Merging moves no row: what is asked of one of a family is asked of all of it."""
    root = Contact.objects.filter(pk=contact).values("root")
    return Subquery(Contact.objects.filter(root=Subquery(root)).values("pk"))


def _says(actor: Actor, q: str, column: str) -> Q:
    """Rows with the words; in the account's language, and in what it was before."""
    matches = Q()
    for config in sorted({AccountSettings.of(actor.settings).language, "english"}):
        query = SearchQuery(search_words(q), config=config, search_type="websearch")
        matches |= Q(**{column: query})
    return matches
