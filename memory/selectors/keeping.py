"""How much is kept of whom: numbers for the pages of users, agents and contacts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q
from django.utils import timezone

from accounts.http.paging import encode_cursor
from accounts.principals.contacts import contact_for
from accounts.principals.keeping import GateEffect
from accounts.principals.models import Contact
from accounts.principals.selectors import user_names
from accounts.settings import AccountSettings
from memory import access, visibility
from memory.models import Consent, Evidence, Extraction, Memory, Scope, State
from memory.selectors.memories import MemoryPage, rows_of
from memory.visibility import NOT_EXPIRED, STRUCTURED

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from accounts.actor import Actor

MAX_ENTRIES = 100  # of a ledger, the newest


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
    """The numbers that a page shows before the switch is thrown. Three statements."""
    usable = Memory.objects.filter(NOT_EXPIRED, state=State.ACTIVE)
    own = usable.filter(agent=agent_id)
    others = usable.filter(scope=Scope.USER, agent__memory_system=STRUCTURED).exclude(
        agent=agent_id
    )
    split = actor.policy.isolate_user_scope_by_agent
    roots = own.exclude(contact=None).values("contact__root")
    about = Contact.objects.filter(pk__in=roots)
    agreed = Count("pk", filter=visibility.contact_consents(actor.settings))
    met = about.aggregate(all=Count("pk"), agreeing=agreed)
    return GateEffect(
        of_agent=own.count(),
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


def kept_of_contacts(*, contacts: Collection[UUID]) -> dict[UUID, int]:
    """How many active memories carry the stamp of each of these contacts, by its root."""
    return _counted("contact__root", contacts)


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
    if older_than is not None:
        rows = rows.filter(pk__lt=older_than)
    rows = rows.annotate(hidden=visibility.hidden_by(actor)).defer("search", "language")
    found = list(rows.order_by("-pk")[: limit + 1])
    shown = rows_of(actor, found[:limit])
    more = len(found) > limit
    return subject.user_id, MemoryPage(shown, encode_cursor(str(shown[-1].id)) if more else None)


def user_extractions(*, actor: Actor, user_id: str, limit: int) -> tuple[str, list[Extraction]]:
    """The newest runs that looked for the user's memories."""
    subject = access.subject_for(actor, user_id)
    rows = access.extractions_of(actor, subject).select_related("session", "agent", "contact")
    return subject.user_id, list(rows.order_by("-pk")[:limit])


def _counted(column: str, keys: Collection[UUID], **only: Any) -> dict[UUID, int]:
    live = Q(state=State.ACTIVE) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
    rows = Memory.objects.filter(live, **{f"{column}__in": list(keys)}, **only)
    return dict(rows.order_by().values_list(column).annotate(n=Count("pk")))
