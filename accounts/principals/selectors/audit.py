"""The audit log, newest first, with the names of what its ids mean where that still exists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Q

from accounts import tenancy
from accounts.actor import Role
from accounts.errors import NotFound
from accounts.principals import access
from accounts.principals.contact_words import contact_view
from accounts.principals.keeping import keeping
from accounts.principals.models import Agent, ApiKey, AuditEvent, Contact, User, ViewAs
from accounts.principals.selectors.newest import ORDER, before, newest
from accounts.principals.usage import usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from accounts.actor import Actor
    from accounts.guard import AccountQuerySet
    from accounts.principals.contact_words import ContactView

COUNTED = 10_000  # a list counts no further: counting a million rows costs more than the page
CHUNK = 1_000  # rows of an export that are held at once
CONTACT_PLACES = ("contact", "into", "out_of")  # of an event's data
JOBS, OPERATORS = "jobs", "operators"


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What the log is narrowed to.

    Attributes:
        actions: any of these; empty: all. who: a user id, `jobs` or `operators`.
        about: a user id. since, until: from this moment, and before that one.
    """

    actions: Sequence[str] = ()
    who: str = ""
    about: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One event. `actor` is None for a job (`actor_role` is empty) and for an operator."""

    id: UUID
    at: datetime
    action: str
    actor: UUID | None
    actor_role: str
    actor_key: UUID | None
    acting_as: UUID | None
    target_type: str
    target: UUID | None
    data: dict[str, Any]
    request_id: str

    @property
    def by_operator(self) -> bool:
        return self.actor is None and self.actor_role == Role.ROOT

    @property
    def by_job(self) -> bool:
        return self.actor is None and not self.by_operator


@dataclass(frozen=True, slots=True)
class Names:
    """What ids mean, as far as it is still there: user and agent ids, key ids, session ids.

    A memory has no name: its id stands for it.
    """

    users: dict[UUID, str] = field(default_factory=dict)
    deleted: frozenset[UUID] = frozenset()  # of the users
    agents: dict[UUID, str] = field(default_factory=dict)
    keys: dict[UUID, str] = field(default_factory=dict)
    sessions: dict[UUID, str] = field(default_factory=dict)
    memories: dict[UUID, str] = field(default_factory=dict)
    contacts: dict[UUID, ContactView] = field(default_factory=dict)
    reasons: dict[UUID, str] = field(default_factory=dict)  # of views


@dataclass(frozen=True, slots=True)
class AuditPage:
    """One page and the cursors of its neighbours."""

    rows: list[AuditRow]
    names: Names
    older: str | None = None
    newer: str | None = None


@dataclass(frozen=True, slots=True)
class AuditCount:
    """How many there are, counted to COUNTED."""

    total: int

    @property
    def capped(self) -> bool:
        return self.total >= COUNTED


def audit_page(
    *,
    actor: Actor,
    where: AuditFilter,
    limit: int,
    older: str | None = None,
    newer: str | None = None,
) -> AuditPage:
    """One page of the log, newest first. For admins: the caller has shown that.

    Args:
        older, newer: a cursor; at most one of them.

    Raises:
        InvalidArgument: a cursor that no list gave out.
    """
    page = newest(_filtered(where), limit=limit, older=older, newer=newer)
    found = [_row(row) for row in page.rows]
    return AuditPage(found, _names(actor, found), page.older, page.newer)


def audit_count(*, where: AuditFilter) -> AuditCount:
    """How many events match."""
    return AuditCount(_filtered(where)[:COUNTED].count())


def audit_event(*, actor: Actor, key: UUID) -> AuditPage:
    """One event, as a page of one row. Raises NotFound."""
    row = AuditEvent.objects.filter(pk=key).first()
    if row is None:
        raise NotFound("event", str(key))
    found = [_row(row)]
    return AuditPage(found, _names(actor, found))


def audit_chunks(*, actor: Actor, where: AuditFilter, limit: int) -> Iterator[AuditPage]:
    """The log in chunks, newest first, `limit` events in all; CHUNK of them are held at once.

    Enters the account for each chunk and leaves it again: who reads a stream does so after the
    request has left, and may stop at any row.
    """
    behind: tuple[datetime, UUID] | None = None
    while limit > 0:
        with tenancy.account(actor.account):
            rows = _filtered(where)
            if behind is not None:
                rows = rows.filter(before(*behind))
            found = [_row(row) for row in rows.order_by(*ORDER)[: min(CHUNK, limit)]]
            page = AuditPage(found, _names(actor, found))
        if not found:
            return
        yield page
        limit -= len(found)
        behind = (found[-1].at, found[-1].id)


def _filtered(where: AuditFilter) -> AccountQuerySet[AuditEvent]:
    rows = AuditEvent.objects.get_queryset()
    if where.actions:
        rows = rows.filter(action__in=list(where.actions))
    if where.since is not None:
        rows = rows.filter(created_at__gte=where.since)
    if where.until is not None:
        rows = rows.filter(created_at__lt=where.until)
    if where.who:
        rows = rows.filter(_by(where.who))
    if where.about:
        rows = rows.filter(target=access.user_key_ever(where.about), target_type="user")
    return rows


def _by(who: str) -> Q:
    """A user of that id comes before the words for jobs and operators."""
    user = access.user_key_ever(who)
    if user is None and who.lower() == JOBS:
        return Q(actor=None) & ~Q(actor_role=Role.ROOT)
    if user is None and who.lower() == OPERATORS:
        return Q(actor=None, actor_role=Role.ROOT)
    return Q(actor=user) if user else Q(pk__in=[])


def _row(row: AuditEvent) -> AuditRow:
    return AuditRow(
        id=row.pk,
        at=row.created_at,
        action=row.action,
        actor=row.actor,
        actor_role=row.actor_role,
        actor_key=row.actor_key,
        acting_as=row.acting_as,
        target_type=row.target_type,
        target=row.target,
        data=row.data,
        request_id=row.request_id,
    )


def _names(actor: Actor, rows: Sequence[AuditRow]) -> Names:
    """At most eight statements, whatever the number of rows; none for what no row names."""
    users = _targets(rows, "user") | _named(rows, "user")
    users |= {one for row in rows for one in (row.actor, row.acting_as) if one}
    known = list(User.objects.filter(pk__in=users).values_list("pk", "user_id", "is_active"))
    keys = _named(rows, "key") | {row.actor_key for row in rows if row.actor_key}
    agents, sessions = _named(rows, "agent"), _targets(rows, "session")
    views, memories = _named(rows, "view"), _targets(rows, "memory")
    agents |= _targets(rows, "agent")
    contacts = _targets(rows, "contact").union(*(_named(rows, name) for name in CONTACT_PLACES))
    return Names(
        users={key: user_id for key, user_id, _ in known},
        deleted=frozenset(key for key, _, active in known if not active),
        agents=dict(Agent.objects.filter(pk__in=agents).values_list("pk", "agent_id"))
        if agents
        else {},
        keys=dict(ApiKey.objects.filter(pk__in=keys).values_list("pk", "key_id")) if keys else {},
        sessions=usage().session_ids(actor=actor, keys=sessions) if sessions else {},
        memories={key: str(key) for key in keeping().memory_ids(actor=actor, keys=memories)}
        if memories
        else {},
        contacts=_contact_views(contacts) if contacts else {},
        reasons=dict(ViewAs.objects.filter(pk__in=views).values_list("pk", "reason"))
        if views
        else {},
    )


def _contact_views(keys: set[UUID]) -> dict[UUID, ContactView]:
    found = Contact.objects.filter(pk__in=keys).prefetch_related("handles")
    return {row.pk: view for row in found if (view := contact_view(row))}


def _targets(rows: Sequence[AuditRow], target_type: str) -> set[UUID]:
    return {row.target for row in rows if row.target and row.target_type == target_type}


def _named(rows: Sequence[AuditRow], name: str) -> set[UUID]:
    return {found for row in rows if (found := uuid_in(row.data, name))}


def uuid_in(data: dict[str, Any], name: str) -> UUID | None:
    """The UUID that stands in an event's data, if one does."""
    value = data.get(name)
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
