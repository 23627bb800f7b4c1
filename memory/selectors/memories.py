"""Lists of memories, their facets, and one of them; visibility is part of each query."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Case, CharField, Count, F, Value, When
from django.db.models.functions import Now

from accounts.errors import NotFound
from accounts.http.paging import encode_cursor, id_from_cursor
from accounts.principals.models import Agent, Contact, User
from memory import access, visibility
from memory.models import Evidence, Memory, State, Version
from memory.selectors.filters import ANY, EXPIRED, KEPT, MemoryFilter, narrowed, narrowed_past
from sessions_app.access import sessions_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accounts.actor import Actor
    from accounts.guard import AccountQuerySet
    from sessions_app.models import Message

MAX_EVIDENCE_SHOWN = 200
FACETS = ("scope", "kind", "state", "salience")


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """A memory in a list: its row, or a past state of it, and what hides it from recall.

    Attributes:
        id: the memory's. said: the columns of the state that is shown.
        user_id, agent_id: with whom it was kept, by the ids that people know.
        contact: whose it is, with its handles; None: nobody's, or gone.
        session_id: in which it was said, if the actor sees that session.
        hidden_by: a value of visibility.Hidden, or None; None for past states.
        written_by: the user_id of who wrote this state; "root", or "" for a job.
        superseded_by: what took its place, if the actor may manage that.
    """

    id: UUID
    said: Memory | Version
    user_id: str
    agent_id: str
    contact: Contact | None
    session_id: str | None
    hidden_by: str | None
    written_by: str
    superseded_by: UUID | None


@dataclass(frozen=True, slots=True)
class MemoryPage:
    """One page, newest first, and the cursors of its neighbours."""

    rows: list[MemoryRow]
    older: str | None
    newer: str | None = None


@dataclass(frozen=True, slots=True)
class Facets:
    """How many memories there are, of each value of each facet."""

    total: int
    by: dict[str, dict[str, int]] = field(default_factory=dict)


def memory_page(
    *,
    actor: Actor,
    where: MemoryFilter,
    limit: int,
    older_than: str | None = None,
    newer_than: str | None = None,
) -> MemoryPage:
    """One page of the memories that the actor may manage, the newest first.

    Args:
        older_than, newer_than: a cursor; at most one of them.

    Raises:
        InvalidArgument, InvalidUri: a value or a cursor that is refused.
        PermissionDenied: an address of another's namespace.
    """
    backwards = newer_than is not None
    behind = id_from_cursor(newer_than if backwards else older_than)
    rows, key = _listed(actor, where)
    if behind is not None:
        rows = rows.filter(**{f"{key}__{'gt' if backwards else 'lt'}": behind})
    found = list(rows.order_by(key if backwards else f"-{key}")[: limit + 1])
    more, found = len(found) > limit, found[:limit]
    if backwards:
        found.reverse()
    shown = rows_of(actor, found)
    older = encode_cursor(str(shown[-1].id)) if shown and (more or backwards) else None
    newer = encode_cursor(str(shown[0].id)) if shown and (more if backwards else behind) else None
    return MemoryPage(shown, older=older, newer=newer)


def facets(*, actor: Actor, where: MemoryFilter) -> Facets:
    """How many memories the same filter finds, of each value of each facet.

    Of each facet all values are counted, whatever that one is narrowed to: so a reader sees where
    else something lies. An active memory that has expired counts as `expired`.

    Raises:
        As memory_page.
    """
    where.check()
    rows, _ = _listed(actor, replace(where, scope="", kind="", salience="", state=ANY), plain=True)
    now: Any = where.as_of or Now()
    lapsed = When(state=State.ACTIVE, expires_at__lte=now, then=Value(EXPIRED))
    rows = rows.annotate(stands=Case(lapsed, default=F("state"), output_field=CharField()))
    columns = ["stands" if name == "state" else name for name in FACETS]
    by: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    total = 0
    for *values, n in rows.order_by().values_list(*columns).annotate(n=Count("*")):
        row = dict(zip(FACETS, values, strict=True))
        differs = [name for name in FACETS if not _agrees(name, getattr(where, name), row[name])]
        if not differs:
            total += n
        for name in FACETS:
            if not set(differs) - {name}:
                by[name][row[name]] += n
    return Facets(total, {name: dict(counts) for name, counts in by.items()})


def memory_row(*, actor: Actor, memory_id: UUID) -> MemoryRow:
    """One memory, in whatever state. Raises NotFound."""
    rows = (
        access.memories_of(actor).filter(pk=memory_id).annotate(hidden=visibility.hidden_by(actor))
    )
    found = rows_of(actor, list(_with_people(rows)))
    if not found:
        raise NotFound("memory", str(memory_id))
    return found[0]


def rows_by_id(*, actor: Actor, ids: Sequence[UUID]) -> list[MemoryRow]:
    """Those of these memories that the actor may manage, the newest first."""
    rows = access.memories_of(actor).filter(pk__in=ids).annotate(hidden=visibility.hidden_by(actor))
    return rows_of(actor, list(_with_people(rows).order_by("-pk")))


def evidence_of(*, actor: Actor, memory_id: UUID) -> list[Message]:
    """The messages that a memory came from, of sessions that the actor sees, oldest first.

    Raises:
        NotFound: the actor sees no such memory.
    """
    memory = access.memory_for(actor, memory_id)
    rows = (
        Evidence.objects.filter(memory=memory, message__session__in=sessions_of(actor))
        .select_related("message", "message__session", "message__contact")
        .defer("message__search", "message__parts")
        .order_by("message__created_at", "message__seq")
    )
    return [row.message for row in rows[:MAX_EVIDENCE_SHOWN]]


def rows_of(actor: Actor, found: Sequence[Memory | Version]) -> list[MemoryRow]:
    """With the names of everyone in them: a fixed number of statements for any number of rows."""
    people = _People.of(actor, found)
    return [people.row(one) for one in found]


def _listed(actor: Actor, where: MemoryFilter, *, plain: bool = False) -> tuple[Any, str]:
    """The rows of a list, and what they are ordered by.

    Args:
        plain: for counting: without what only a reader needs.
    """
    seen = access.memories_of(actor)
    if where.as_of is not None:
        return narrowed_past(actor, seen, where), "memory"
    rows = narrowed(actor, seen, where)
    if plain:
        return rows, "pk"
    return _with_people(rows.annotate(hidden=visibility.hidden_by(actor))), "pk"


def _with_people(rows: AccountQuerySet[Memory]) -> AccountQuerySet[Memory]:
    return rows.defer("search", "language")


def _agrees(facet: str, wanted: str, value: str) -> bool:
    if facet == "state" and wanted == KEPT:
        return value != State.DELETED
    if facet == "state":
        return wanted == ANY or value == (wanted or State.ACTIVE)
    return not wanted or value == wanted


@dataclass(frozen=True, slots=True)
class _People:
    """Names for the rows of a page."""

    users: dict[UUID, str]
    agents: dict[UUID, str]
    contacts: dict[UUID, Contact]
    sessions: dict[UUID, str]
    successors: set[UUID]

    @classmethod
    def of(cls, actor: Actor, found: Sequence[Memory | Version]) -> _People:
        owners = [owner_of(row) for row in found]
        users = {owner.user for owner in owners}
        users |= {row.written_by for row in found if row.written_by}
        agents = {owner.agent for owner in owners}
        contacts = {owner.contact for owner in owners if owner.contact}
        sessions = {owner.session for owner in owners if owner.session}
        successors = {key for row in found if (key := successor_of(row))}
        return cls(
            dict(User.objects.filter(pk__in=users).values_list("pk", "user_id")),
            dict(Agent.objects.filter(pk__in=agents).values_list("pk", "agent_id")),
            _contacts(contacts) if contacts else {},
            dict(sessions_of(actor).filter(pk__in=sessions).values_list("pk", "session_id"))
            if sessions
            else {},
            access.memory_ids(actor, successors) if successors else set(),
        )

    def row(self, one: Memory | Version) -> MemoryRow:
        owner = owner_of(one)
        author = "" if one.written_by is None else self.users.get(one.written_by, "root")
        return MemoryRow(
            id=one.pk if isinstance(one, Memory) else one.memory_id,
            said=one,
            user_id=self.users.get(owner.user, ""),
            agent_id=self.agents.get(owner.agent, ""),
            contact=self.contacts.get(owner.contact) if owner.contact else None,
            session_id=self.sessions.get(owner.session) if owner.session else None,
            hidden_by=getattr(one, "hidden", None),
            written_by=author,
            superseded_by=key if (key := successor_of(one)) in self.successors else None,
        )


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a state of a memory is, by rows."""

    user: UUID
    agent: UUID
    contact: UUID | None
    session: UUID | None


def successor_of(one: Memory | Version) -> UUID | None:
    """What took the place of this state of a memory, whoever may see that."""
    return one.superseded_by_id if isinstance(one, Memory) else one.superseded_by


def owner_of(one: Memory | Version) -> Owner:
    """The same columns have foreign keys in one and plain ids in the other."""
    if isinstance(one, Memory):
        return Owner(one.user_id, one.agent_id, one.contact_id, one.session_id)
    return Owner(one.user, one.agent, one.contact, one.session)


def _contacts(keys: set[UUID]) -> dict[UUID, Contact]:
    """What each of them counts as, with the handles that name it."""
    found = Contact.objects.filter(pk__in=keys).values_list("pk", "root")
    roots = dict(found)
    rows = Contact.objects.filter(pk__in=set(roots.values())).prefetch_related("handles")
    by_id = {row.pk: row for row in rows}
    return {key: by_id[root] for key, root in roots.items() if root in by_id}
