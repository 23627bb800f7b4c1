"""How much is kept of whom: numbers for the pages of users, agents and contacts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q
from django.utils import timezone

from accounts import tenancy
from accounts.actor import DEFAULT_ID
from accounts.http.paging import encode_cursor
from accounts.principals.contacts import contact_for
from accounts.principals.keeping import ConsentStand, GateEffect, UserStock
from accounts.principals.models import Contact
from accounts.principals.selectors import user_names
from accounts.settings import AccountSettings
from memory import access, visibility
from memory.models import Consent, Evidence, Extraction, Memory, Scope, State
from memory.selectors.memories import MemoryPage, rows_of
from memory.visibility import NOT_EXPIRED, STRUCTURED
from sessions_app.access import require_whole_account, session_ids
from sessions_app.ports import KindCounts, KindLine

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from accounts.actor import Actor
    from accounts.guard import AccountQuerySet

MAX_ENTRIES = 100  # of a ledger, the newest
COUNTED = 100_000  # memories; an overview counts no further
_BY_KIND = """
    SELECT kind, count(*)::int AS n, count(*) FILTER (
        WHERE state = 'active' AND (expires_at IS NULL OR expires_at > now())
    )::int AS active, count(*) FILTER (WHERE state = 'quarantined')::int AS quarantined
    FROM (
        SELECT kind, state, expires_at FROM memory_memory WHERE state <> 'deleted' LIMIT %(most)s
    ) AS counted
    GROUP BY kind
"""


@dataclass(frozen=True, slots=True)
class WipeStock:
    """What a wipe of a user's memories would take.

    Attributes:
        topics: kept with no particular agent. agent_topics: with a named one.
    """

    user_id: str
    topics: int
    agent_topics: int
    extractions: int

    @property
    def memories(self) -> int:
        return self.topics + self.agent_topics


@dataclass(frozen=True, slots=True)
class ConsentLedger:
    """What a contact agreed to: whether it counts as agreeing now, and all it ever said.

    Attributes:
        state: its last word, `none` when it never said a thing.
        asked: the account's setting, by which silence is read. names: of who wrote the entries.
    """

    contact: Contact
    consents: bool
    state: str
    asked: str
    entries: list[Consent]
    names: dict[UUID, str]


def gate_effect(*, actor: Actor, agent_id: UUID) -> GateEffect:
    """The numbers that a page shows before the switch is thrown. Three statements.

    What a missing consent withholds, the switch neither shows nor hides.
    """
    usable = Memory.objects.filter(NOT_EXPIRED, state=State.ACTIVE)
    own = usable.filter(agent=agent_id)
    agreed_to = visibility.consented(actor)
    others = usable.filter(agreed_to, scope=Scope.USER, agent__memory_system=STRUCTURED).exclude(
        agent=agent_id
    )
    split = actor.policy.isolate_user_scope_by_agent
    roots = own.exclude(contact=None).values("contact__root")
    about = Contact.objects.filter(pk__in=roots)
    agreed = Count("pk", filter=visibility.contact_consents(actor.settings))
    met = about.aggregate(all=Count("pk"), agreeing=agreed)
    kept = own.aggregate(
        shown=Count("pk", filter=agreed_to), of_contacts=Count("pk", filter=~Q(contact=None))
    )
    return GateEffect(
        of_agent=kept["shown"],
        of_contacts=kept["of_contacts"],
        of_others=0 if split else others.count(),
        contacts=met["all"],
        agreeing=met["agreeing"],
    )


def kept_with(*, agents: Collection[UUID]) -> dict[UUID, int]:
    """How many active memories were kept with each of these agents."""
    return _counted("agent", agents)


def kept_of_users(*, users: Collection[UUID]) -> dict[UUID, int]:
    """How many active memories of the user scope each of these users has."""
    return _counted("user", users, scope=Scope.USER)


def kept_of_contacts(*, actor: Actor, contacts: Collection[UUID]) -> dict[UUID, int]:
    """How many active memories with the stamp of each of these contacts the actor may manage, by
    the contact's root."""
    return _counted("contact__root", contacts, rows=access.memories_of(actor))


def kept_from(*, actor: Actor, messages: Collection[UUID]) -> dict[UUID, int]:
    """How many memories that the actor may manage, and that are kept, came from each message."""
    seen = access.memories_of(actor).exclude(state=State.DELETED)
    rows = Evidence.objects.filter(message__in=list(messages), memory__in=seen)
    return dict(rows.order_by().values_list("message").annotate(n=Count("pk")))


def consent_ledger(*, actor: Actor, contact_id: UUID) -> ConsentLedger:
    """What a contact said, the newest first; those that it counts as may have said more.

    Raises:
        NotFound: the actor sees no such contact.
    """
    contact = contact_for(actor, contact_id)
    rows = list(Consent.objects.filter(contact=contact).order_by("-pk")[:MAX_ENTRIES])
    current = next((row for row in rows if row.is_current), None)
    agrees = Contact.objects.filter(
        visibility.contact_consents(actor.settings), pk=contact.pk
    ).exists()
    return ConsentLedger(
        contact,
        agrees,
        current.state if current else "none",
        AccountSettings.of(actor.settings).contact_consent,
        rows,
        user_names({row.written_by for row in rows if row.written_by}),
    )


def user_memories(
    *,
    actor: Actor,
    user_id: str,
    agent_id: str | None = None,
    topic: str | None = None,
    limit: int,
    older_than: UUID | None = None,
    newer_than: UUID | None = None,
) -> tuple[str, MemoryPage]:
    """The control API's list: what is kept of one user, the newest first, whatever hides it.

    Returns:
        The user's id as it is spelled, and one page.

    Raises:
        As access.subject_for and access.control_agent.
    """
    subject = access.subject_for(actor, user_id)
    rows = access.controlled(actor, subject).exclude(state=State.DELETED)
    if agent_id is not None:
        rows = rows.filter(agent=access.control_agent(actor, agent_id))
    if topic is not None:
        rows = rows.filter(topic_key=topic)
    backwards = newer_than is not None
    if newer_than is not None:
        rows = rows.filter(pk__gt=newer_than)
    elif older_than is not None:
        rows = rows.filter(pk__lt=older_than)
    rows = rows.annotate(hidden=visibility.hidden_by(actor)).defer("search", "language")
    found = list(rows.order_by("pk" if backwards else "-pk")[: limit + 1])
    more, found = len(found) > limit, found[:limit]
    if backwards:
        found.reverse()
    shown = rows_of(actor, found)
    older = encode_cursor(str(shown[-1].id)) if shown and (more or backwards) else None
    begins = more if backwards else older_than is not None
    newer = encode_cursor(str(shown[0].id)) if shown and begins else None
    return subject.user_id, MemoryPage(shown, older=older, newer=newer)


def may_open(*, actor: Actor, ids: Collection[UUID]) -> set[UUID]:
    """Those of these memories that have a page for the actor."""
    return access.memory_ids(actor, ids)


def user_stock(*, user: UUID) -> UserStock:
    """How much is kept of one user, of its own scope. One statement."""
    live = Q(state=State.ACTIVE) & NOT_EXPIRED
    found = Memory.objects.filter(scope=Scope.USER, user=user).aggregate(
        active=Count("pk", filter=live),
        kept=Count("pk", filter=~Q(state=State.DELETED)),
        rows=Count("pk"),
    )
    return UserStock(**found)


def wipe_stock(*, actor: Actor, user_id: str) -> WipeStock:
    """What a wipe of the user's memories would take. Raises as access.subject_for."""
    subject = access.subject_for(actor, user_id)
    kept = access.controlled(actor, subject).exclude(state=State.DELETED)
    plain = Count("pk", filter=Q(agent__agent_id=DEFAULT_ID))
    found = kept.aggregate(all=Count("pk"), plain=plain)
    return WipeStock(
        subject.user_id,
        found["plain"],
        found["all"] - found["plain"],
        access.extractions_of(actor, subject).count(),
    )


def held_of_contact(*, contact: UUID) -> int:
    """How many memories, deleted ones too, are of this contact and those that count as it."""
    return Memory.objects.filter(contact__root=contact).count()


def held_of_session(*, session: UUID) -> int:
    """How many memories, deleted ones too, come from this session alone."""
    return access.kept_of_sessions([session]).count()


def kind_counts(*, actor: Actor) -> KindCounts:
    """How much the account keeps of each kind, counted to COUNTED rows. One statement, answered
    from the index of the facets.

    Raises:
        PermissionDenied: unless an ADMIN asks as itself.
    """
    require_whole_account(actor)
    rows = tenancy.fetch_rows(_BY_KIND, {"most": COUNTED})
    lines = [KindLine(row["kind"], row["active"], row["n"] - row["active"]) for row in rows]
    lines.sort(key=lambda line: (-line.total, line.kind))
    return KindCounts(
        lines,
        quarantined=sum(row["quarantined"] for row in rows),
        capped=sum(row["n"] for row in rows) >= COUNTED,
    )


def consent_stand(*, actor: Actor, contact_id: UUID) -> ConsentStand:
    """How a contact stands to being remembered; of those merged into it, as the strictest.

    Raises:
        NotFound: the actor sees no such contact.
    """
    contact = contact_for(actor, contact_id)
    said = Consent.objects.filter(contact=contact, is_current=True).first()
    agrees = Contact.objects.filter(
        visibility.contact_consents(actor.settings), pk=contact.pk
    ).exists()
    return ConsentStand(
        consents=agrees,
        state=said.state if said else "none",
        asked=AccountSettings.of(actor.settings).contact_consent,
        said_at=said.created_at if said else None,
        channel=said.channel if said else "",
        expires_at=said.expires_at if said else None,
    )


def controlled_user(*, actor: Actor, user_id: str) -> str:
    """The user's id as it is spelled, for who may control what is kept of it.

    Raises:
        As access.subject_for.
    """
    return access.subject_for(actor, user_id).user_id


def user_extractions(*, actor: Actor, user_id: str, limit: int) -> tuple[str, list[Extraction]]:
    """The newest runs that looked for the user's memories."""
    subject = access.subject_for(actor, user_id)
    rows = access.extractions_of(actor, subject).select_related("session", "agent", "contact")
    found = list(rows.order_by("-pk")[:limit])
    seen = session_ids(actor, {row.session_id for row in found if row.session_id})
    for row in found:
        if row.session_id not in seen:
            row.session = None  # nor is its id told
    return subject.user_id, found


def _counted(
    column: str,
    keys: Collection[UUID],
    *,
    rows: AccountQuerySet[Memory] | None = None,
    **only: Any,
) -> dict[UUID, int]:
    live = Q(state=State.ACTIVE) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
    rows = Memory.objects.get_queryset() if rows is None else rows
    rows = rows.filter(live, **{f"{column}__in": list(keys)}, **only)
    return dict(rows.order_by().values_list(column).annotate(n=Count("pk")))
