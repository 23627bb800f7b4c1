"""Would this memory be recalled for someone, and by which clause."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils import timezone

from accounts.actor import AgentRef, Principal, Role
from accounts.principals.access import agent_for, user_for
from accounts.principals.contacts import contact_for, contact_ref
from accounts.principals.models import Agent, Contact, User
from memory import access, visibility
from memory.models import Memory
from memory.visibility import MemoryFacts, Verdict
from sessions_app.access import require_whole_account

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.actor import Actor


@dataclass(frozen=True, slots=True)
class Sight:
    """The two verdicts on one memory for one caller, and who that is.

    Attributes:
        recalled: whether it may be recalled, and why. listed: whether it may be managed, and why.
    """

    user_id: str
    agent_id: str
    contact_id: UUID | None
    recalled: Verdict
    listed: Verdict


def memory_why(
    *,
    actor: Actor,
    memory_id: UUID,
    user_id: str = "",
    agent_id: str = "",
    contact_id: UUID | None = None,
) -> Sight:
    """Whether the actor would have the memory recalled; or somebody else, for an ADMIN as itself.

    Raises:
        NotFound: the actor sees no such memory; or no such user, agent or contact.
        PermissionDenied: others are asked about by someone who is no admin as itself.
    """
    memory = access.memory_for(actor, memory_id)
    asking = actor
    if user_id or agent_id or contact_id:
        require_whole_account(actor)
        asking = as_asked(actor, user_id, agent_id, contact_id)
    return sight(asking, facts_of(actor, memory))


def who_recalls(*, actor: Actor, memory_id: UUID) -> list[Sight]:
    """The verdicts for a few pairs of user and agent, those with whom it was kept first.

    For an ADMIN as itself its user and another one, each with its agent and two others; then its
    contact. For anyone else only for oneself, with the memory's agent and with one's own.

    Raises:
        NotFound: the actor sees no such memory.
    """
    memory = access.memory_for(actor, memory_id)
    facts = facts_of(actor, memory)
    agents = {memory.agent_id: AgentRef(memory.agent_id, memory.agent.agent_id)}
    if not actor.is_admin:
        if actor.agent.id is not None:
            agents[actor.agent.id] = actor.agent
        return [sight(replace(actor, agent=agent), facts) for agent in agents.values()]
    others = Agent.objects.exclude(pk=memory.agent_id).annotate(
        keeps=Q(memory_system=Agent.MemorySystem.STRUCTURED)
    )
    agents |= {
        row.pk: AgentRef(row.pk, row.agent_id) for row in others.order_by("-keeps", "pk")[:2]
    }
    users = [memory.user]
    users += (
        User.objects.exclude(pk=memory.user_id)
        .filter(is_active=True, is_default=False)
        .order_by("pk")[:1]
    )
    pairs = [
        replace(
            actor,
            role=Role(user.role),
            principal=(whom := Principal(user.pk, user.user_id)),
            user=whom,
            agent=agent,
            key=None,
        )
        for user in users
        for agent in agents.values()
    ]
    if memory.contact_id is not None:
        pairs.append(as_asked(actor, "", memory.agent.agent_id, memory.contact_id))
    return [sight(one, facts) for one in pairs]


def as_asked(actor: Actor, user_id: str, agent_id: str, contact_id: UUID | None) -> Actor:
    """The caller that is asked about, with a key of its own. What is not named stays."""
    user, agent, contact, role = actor.user, actor.agent, actor.contact, actor.role
    if user_id:
        row = user_for(user_id)
        user, role = Principal(row.pk, row.user_id), Role(row.role)
    if agent_id:
        found = agent_for(agent_id)
        agent = AgentRef(found.pk, found.agent_id)
    if contact_id:
        contact = contact_ref(contact_for(actor, contact_id))
        user, role = contact.owner, Role.USER
    return replace(
        actor, role=role, principal=user, user=user, agent=agent, contact=contact, key=None
    )


def sight(actor: Actor, facts: MemoryFacts) -> Sight:
    """Both verdicts for this caller."""
    asking = Agent.objects.filter(pk=actor.agent.id).first() if actor.agent.id else None
    gate = asking is not None and asking.memory_system == Agent.MemorySystem.STRUCTURED
    return Sight(
        actor.user.user_id,
        actor.agent.agent_id,
        actor.contact.id if actor.contact else None,
        visibility.explain(facts, actor, at=timezone.now(), gate=gate),
        visibility.explain_listed(facts, actor),
    )


def facts_of(actor: Actor, memory: Memory) -> MemoryFacts:
    """What the decision on a memory rests on, as it is now. Two statements."""
    found = _facts(actor, [memory.pk])[0]
    if memory.topic_key is None or memory.state != "active":
        return found
    contact = memory.contact
    rows = Memory.objects.filter(
        scope=memory.scope,
        kind=memory.kind,
        topic_key=memory.topic_key,
        state="active",
        updated_at__gte=memory.updated_at,
    ).exclude(pk=memory.pk)
    rows = rows.filter(contact__root=contact.root) if contact else rows.filter(contact=None)
    later = [
        key
        for key, moment in rows.values_list("pk", "updated_at")
        if (moment, key) > (memory.updated_at, memory.pk)
    ]
    return replace(found, newer=tuple(_facts(actor, later)))


def _facts(actor: Actor, keys: list[UUID]) -> list[MemoryFacts]:
    if not keys:
        return []
    rows = Memory.objects.filter(pk__in=keys).select_related("agent", "contact")
    agreeing = set(
        Contact.objects.filter(
            visibility.contact_consents(actor.settings),
            pk__in={row.contact_id for row in rows if row.contact_id},
        ).values_list("pk", flat=True)
    )
    return [
        MemoryFacts(
            scope=row.scope,
            user=row.user_id,
            agent=row.agent_id,
            contact=row.contact.root if row.contact else None,
            contact_owner=row.contact.owner_id if row.contact else None,
            state=row.state,
            expires_at=row.expires_at,
            gate=row.agent.memory_system == Agent.MemorySystem.STRUCTURED,
            consents=row.contact_id is None or row.contact_id in agreeing,
        )
        for row in rows
    ]
