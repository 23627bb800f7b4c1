"""Registering agents on sight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.actor import AgentRef
from accounts.errors import ResourceExhausted
from accounts.names import check_new_id
from accounts.principals import audit
from accounts.principals.models import Agent

if TYPE_CHECKING:
    from accounts.actor import Actor

MAX_AGENTS = 1_000  # an account's agents that were registered by being named


def agent_on_sight(*, actor: Actor, agent: AgentRef) -> AgentRef:
    """Register the agent when it is new, inside the caller's transaction.

    A read never calls this, and a refused write rolls it back (isolation.md, Registration).

    Raises:
        InvalidArgument: the id is reserved.
        ResourceExhausted: the account has MAX_AGENTS already.
    """
    if agent.id is not None:
        return agent
    check_new_id(agent.agent_id, "agent_id")
    found = Agent.objects.filter(agent_id__lower=agent.agent_id.lower()).first()
    if found is None:
        if Agent.objects.count() >= MAX_AGENTS:
            raise ResourceExhausted(f"This account has {MAX_AGENTS} agents, and no more.")
        row = Agent(agent_id=agent.agent_id, registered_by=actor.written_by)
        # Two first writes at once: the second finds the first one's row.
        Agent.objects.bulk_create([row], ignore_conflicts=True)
        found = Agent.objects.get(agent_id__lower=agent.agent_id.lower())
        if found.pk == row.pk:
            audit.record(actor=actor, action="agent.registered", target_type="agent", target=row.pk)
    return AgentRef(found.pk, found.agent_id)
