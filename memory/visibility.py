"""Who sees a memory: the only place that decides (isolation.md).

Two sights. `visible_to` is what is recalled, injected and answered with: the caller's own canonical
roots, and there what is active, has not expired, and is withheld by neither gate nor consent. A
role never widens it. `listed_for` is what is managed: lists, history, export. An ADMIN as itself
manages the whole account, anyone else the same roots; it ignores gate, consent and state, or nobody
could erase what they hide, and says of each row what hides it.

Two implementations of each, on purpose: a filter for the database, applied before ranking and
limit, and `explain`, the same decision over plain values, which names its clause. A property test
drives both, and an oracle written by hand from the specification stands beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.db.models import Case, CharField, Exists, OuterRef, Q, Value, When
from django.db.models.functions import Now
from django.db.models.lookups import IsNull

from accounts.principals.models import Agent, Contact
from accounts.settings import AccountSettings
from memory.models import Consent, Memory, Scope, State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any
    from uuid import UUID

    from django.db.models.expressions import Combinable

    from accounts.actor import Actor
    from accounts.namespace import Policy

STRUCTURED = Agent.MemorySystem.STRUCTURED
NOTHING = Q(pk__in=[])
NOT_EXPIRED = Q(expires_at=None) | Q(expires_at__gt=Now())


class Clause(StrEnum):
    """Why a memory is seen, or not."""

    USER = "user memories are split by user only"
    USER_AND_AGENT = "user memories are split by user and agent"
    AGENT = "agent memories are split by agent only"
    AGENT_AND_USER = "agent memories are split by agent and user"
    ADMIN = "an admin as itself lists the whole account"
    NOT_REGISTERED = "this user is not registered yet"
    OTHER_CONTACT = "a contact sees its own memories only"
    OTHERS_CONTACT = "it is of a contact of somebody else"
    OTHER_USER = "it is another user's"
    OTHER_AGENT = "it is another agent's"
    QUARANTINED = "it is in quarantine"
    SUPERSEDED = "a newer memory superseded it"
    DELETED = "it is deleted"
    EXPIRED = "it has expired"
    OWN_GATE = "the asking agent does not use structured memory"
    ROW_GATE = "its agent does not use structured memory"
    NO_CONSENT = "its contact has not agreed that anything is kept"
    OVERTAKEN = "a newer memory of the same topic stands in its place"


class Hidden(StrEnum):
    """What keeps a listed memory from being recalled by anyone."""

    QUARANTINE = "quarantine"
    EXPIRED = "expired"
    GATE = "gate"
    CONSENT = "consent"
    NEWER = "newer"


@dataclass(frozen=True, slots=True)
class Verdict:
    visible: bool
    clause: Clause


@dataclass(frozen=True, slots=True)
class MemoryFacts:
    """What the decision needs to know about one memory.

    Attributes:
        contact: the root, when it was merged. contact_owner: whose contact that is.
        gate: whether the row's agent uses structured memory. consents: whether its contact (and
            each one merged with it) agreed, as the account's setting asks.
        newer: other memories of the same scope, kind, topic and contact that are newer.
    """

    scope: str
    user: UUID
    agent: UUID
    contact: UUID | None = None
    contact_owner: UUID | None = None
    state: str = State.ACTIVE
    expires_at: datetime | None = None
    gate: bool = True
    consents: bool = True
    newer: tuple[MemoryFacts, ...] = ()


# --- filters ---


def visible_to(actor: Actor) -> Q:
    """The memories that may be recalled for the actor, as a filter on Memory."""
    if not actor.user.registered:
        return NOTHING
    return (
        roots_of(actor)
        & Q(state=State.ACTIVE)
        & NOT_EXPIRED
        & _gate_open(actor)
        & Q(agent__memory_system=STRUCTURED)
        & consented(actor)
        & ~overtaken(actor)
    )


def listed_for(actor: Actor) -> Q:
    """The memories that the actor may manage, as a filter on Memory; in whatever state."""
    if not actor.user.registered:
        return NOTHING
    return Q() if actor.is_admin else roots_of(actor)


def roots_of(actor: Actor) -> Q:
    """The memories under the actor's canonical roots, of the contact that it is narrowed to.

    Without a contact: those without one, and those of the effective user's own contacts.
    """
    user, agent = Q(scope=Scope.USER, user=actor.user.id), Q(scope=Scope.AGENT)
    if actor.policy.isolate_user_scope_by_agent:
        user &= _of_agent(actor)
    if actor.policy.isolate_agent_scope_by_user:
        agent &= Q(user=actor.user.id)
    return (user | (agent & _of_agent(actor))) & _of_contact(actor)


def consented(actor: Actor) -> Q:
    """Those without a contact, and those whose contact agreed."""
    agreed = Contact.objects.filter(contact_consents(actor.settings), pk=OuterRef("contact"))
    return Q(contact=None) | Q(Exists(agreed))


def contact_consents(settings: Mapping[str, Any]) -> Q:
    """The contacts that agreed that something is kept, as a filter on Contact (memory.md, Consent).

    A contact that counts as several merged ones needs the consent of each: the stricter holds.

    Args:
        settings: what the account's row keeps; `contact_consent` says what silence means.
    """
    said = Consent.objects.filter(
        contact=OuterRef("pk"), purpose=Consent.Purpose.MEMORY, is_current=True
    )
    family = Contact.objects.filter(root=OuterRef("root"))
    if AccountSettings.of(settings).contact_consent == "opt_out":
        refusing = family.filter(Exists(said.filter(state=Consent.State.WITHDRAWN)))
    else:
        granted = said.filter(NOT_EXPIRED, state=Consent.State.GRANTED)
        refusing = family.filter(~Exists(granted))
    return Q(~Exists(refusing))


def overtaken(actor: Actor) -> Q:
    """Those of which a newer one with the same owner, kind, contact and topic can be recalled.

    Such equals come to stand beside each other when a policy changes or contacts are merged.
    """
    newer = Memory.objects.filter(
        NOT_EXPIRED,
        scope=OuterRef("scope"),
        kind=OuterRef("kind"),
        topic_key=OuterRef("topic_key"),
        state=State.ACTIVE,
        agent__memory_system=STRUCTURED,
    )
    newer = newer.filter(_LATER, _same_owner(actor.policy), _SAME_CONTACT)
    return Q(topic_key__isnull=False) & Q(Exists(newer))


def hidden_by(actor: Actor) -> Combinable:
    """What hides a listed row from recall, as an annotation: a value of Hidden, or null."""
    return Case(
        When(state=State.QUARANTINED, then=Value(Hidden.QUARANTINE)),
        When(~Q(state=State.ACTIVE), then=Value(None)),
        When(~NOT_EXPIRED, then=Value(Hidden.EXPIRED)),
        When(~Q(agent__memory_system=STRUCTURED), then=Value(Hidden.GATE)),
        When(~consented(actor), then=Value(Hidden.CONSENT)),
        When(overtaken(actor), then=Value(Hidden.NEWER)),
        default=Value(None),
        output_field=CharField(null=True),
    )


def _of_agent(actor: Actor) -> Q:
    """An agent that is not registered yet has an empty namespace."""
    return Q(agent=actor.agent.id) if actor.agent.id else NOTHING


def _of_contact(actor: Actor) -> Q:
    if actor.contact is None:
        return Q(contact=None) | Q(contact__owner=actor.user.id)
    return Q(contact__root=actor.contact.id) if actor.contact.id else NOTHING


def _gate_open(actor: Actor) -> Q:
    if actor.agent.id is None:
        return NOTHING
    return Q(Exists(Agent.objects.filter(pk=actor.agent.id, memory_system=STRUCTURED)))


def _same_owner(policy: Policy) -> Q:
    user = Q(scope=Scope.USER, user=OuterRef("user"))
    if policy.isolate_user_scope_by_agent:
        user &= Q(agent=OuterRef("agent"))
    agent = Q(scope=Scope.AGENT, agent=OuterRef("agent"))
    if policy.isolate_agent_scope_by_user:
        agent &= Q(user=OuterRef("user"))
    return user | agent


_LATER = Q(updated_at__gt=OuterRef("updated_at")) | Q(
    updated_at=OuterRef("updated_at"), pk__gt=OuterRef("pk")
)
_SAME_CONTACT = Q(contact__root=OuterRef("contact__root")) | (
    Q(contact=None) & Q(IsNull(OuterRef("contact"), True))
)


def pairs_see(policy: Policy) -> tuple[str, str]:
    """For counting over many users and agents at once: the roots of `roots_of`, as SQL.

    Returns:
        Two conditions, on user-scope and on agent-scope rows: whether the row `m` (scope, user_id,
        agent_id, contact_owner) lies under the roots of user `u` asking through agent `g`, when no
        contact is named.
    """
    user, agent = "m.scope = 'user' AND m.user_id = u.id", "m.scope = 'agent' AND m.agent_id = g.id"
    if policy.isolate_user_scope_by_agent:
        user += " AND m.agent_id = g.id"
    if policy.isolate_agent_scope_by_user:
        agent += " AND m.user_id = u.id"
    own_contact = " AND (m.contact_owner IS NULL OR m.contact_owner = u.id)"
    return user + own_contact, agent + own_contact


# --- the same over plain values ---


def explain(memory: MemoryFacts, actor: Actor, *, at: datetime, gate: bool) -> Verdict:
    """Whether the memory may be recalled for the actor, and by which clause.

    Args:
        at: the moment in question. gate: whether the asking agent uses structured memory.
    """
    owned = _explain_roots(memory, actor)
    if not owned.visible:
        return owned
    withheld = _withheld(memory, actor.policy, at=at, gate=gate)
    return Verdict(False, withheld) if withheld else owned


def explain_listed(memory: MemoryFacts, actor: Actor) -> Verdict:
    """Whether the actor may manage the memory, and by which clause."""
    if actor.user.registered and actor.is_admin:
        return Verdict(True, Clause.ADMIN)
    return _explain_roots(memory, actor)


def _explain_roots(memory: MemoryFacts, actor: Actor) -> Verdict:
    if not actor.user.registered:
        return Verdict(False, Clause.NOT_REGISTERED)
    if actor.contact is not None:
        if actor.contact.id is None or memory.contact != actor.contact.id:
            return Verdict(False, Clause.OTHER_CONTACT)
    elif memory.contact is not None and memory.contact_owner != actor.user.id:
        return Verdict(False, Clause.OTHERS_CONTACT)
    if memory.scope == Scope.USER:
        return _in_user_scope(memory, actor)
    return _in_agent_scope(memory, actor)


def _in_user_scope(memory: MemoryFacts, actor: Actor) -> Verdict:
    if memory.user != actor.user.id:
        return Verdict(False, Clause.OTHER_USER)
    if not actor.policy.isolate_user_scope_by_agent:
        return Verdict(True, Clause.USER)
    if memory.agent != actor.agent.id:
        return Verdict(False, Clause.OTHER_AGENT)
    return Verdict(True, Clause.USER_AND_AGENT)


def _in_agent_scope(memory: MemoryFacts, actor: Actor) -> Verdict:
    if memory.agent != actor.agent.id:
        return Verdict(False, Clause.OTHER_AGENT)
    if not actor.policy.isolate_agent_scope_by_user:
        return Verdict(True, Clause.AGENT)
    if memory.user != actor.user.id:
        return Verdict(False, Clause.OTHER_USER)
    return Verdict(True, Clause.AGENT_AND_USER)


_STATES = {
    State.QUARANTINED: Clause.QUARANTINED,
    State.SUPERSEDED: Clause.SUPERSEDED,
    State.DELETED: Clause.DELETED,
}


def _withheld(memory: MemoryFacts, policy: Policy, *, at: datetime, gate: bool) -> Clause | None:
    """Why a memory under one's own roots is not recalled all the same."""
    if memory.state != State.ACTIVE:
        return _STATES[State(memory.state)]
    reasons = (
        (_expired(memory, at), Clause.EXPIRED),
        (not gate, Clause.OWN_GATE),
        (not memory.gate, Clause.ROW_GATE),
        (not memory.consents, Clause.NO_CONSENT),
        (any(_in_its_place(one, memory, policy, at) for one in memory.newer), Clause.OVERTAKEN),
    )
    return next((clause for holds, clause in reasons if holds), None)


def _expired(memory: MemoryFacts, at: datetime) -> bool:
    return memory.expires_at is not None and memory.expires_at <= at


def _in_its_place(newer: MemoryFacts, old: MemoryFacts, policy: Policy, at: datetime) -> bool:
    if newer.state != State.ACTIVE or not newer.gate or _expired(newer, at):
        return False
    if old.scope == Scope.USER:
        same = newer.user == old.user
        split = policy.isolate_user_scope_by_agent and newer.agent != old.agent
    else:
        same = newer.agent == old.agent
        split = policy.isolate_agent_scope_by_user and newer.user != old.user
    return same and not split
