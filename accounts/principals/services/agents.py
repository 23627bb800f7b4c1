"""Agents: registering them, by hand or on sight, changing and deleting them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from accounts.actor import DEFAULT_ID, AgentRef, Role
from accounts.errors import (
    AlreadyExists,
    Conflict,
    InvalidArgument,
    PermissionDenied,
    ResourceExhausted,
)
from accounts.names import check_new_id
from accounts.principals import access, audit
from accounts.principals.models import Agent
from accounts.settings import AccountSettings

if TYPE_CHECKING:
    from accounts.actor import Actor

MAX_AGENTS = 1_000  # an account's agents
MAX_DISPLAY_NAME = 200


def agent_on_sight(*, actor: Actor, agent: AgentRef) -> AgentRef:
    """Register the agent when it is new, inside the caller's transaction.

    A read never calls this, and a refused write rolls it back (isolation.md, Registration).
    Named for the first time together with a contact, it keeps senders apart from the start.

    Raises:
        InvalidArgument: the id is reserved.
        PermissionDenied: the account lets only admins register agents.
        ResourceExhausted: the account has MAX_AGENTS already.
    """
    if agent.id is not None:
        return agent
    check_new_id(agent.agent_id, "agent_id")
    found = access.agent_by_id(agent.agent_id)
    if found is None:
        settings = AccountSettings.of(actor.settings)
        if settings.agent_registration == "admins" and actor.role is Role.USER:
            raise PermissionDenied("Only admins register agents in this account.")
        _check_room()
        apart = actor.contact is not None or agent.per_sender
        scope = Agent.SessionScope.PER_SENDER if apart else Agent.SessionScope.GLOBAL
        row = Agent(agent_id=agent.agent_id, session_scope=scope, registered_by=actor.written_by)
        # Two first writes at once: the second finds the first one's row.
        Agent.objects.bulk_create([row], ignore_conflicts=True)
        found = access.agent_for(agent.agent_id)
        if found.pk == row.pk:
            audit.record(actor=actor, action="agent.registered", target_type="agent", target=row.pk)
    return AgentRef(found.pk, found.agent_id)


def agent_create(
    *,
    actor: Actor,
    agent_id: str,
    display_name: str = "",
    memory_system: str = Agent.MemorySystem.SUMMARIZATION,
    session_scope: str = Agent.SessionScope.GLOBAL,
) -> Agent:
    """Register an agent by hand.

    Raises:
        PermissionDenied: the caller is no admin.
        InvalidArgument: a value that is refused.
        AlreadyExists: the id is taken, in whatever case.
        ResourceExhausted: the account has MAX_AGENTS already.
    """
    access.require_admin(actor)
    check_new_id(agent_id, "agent_id")
    _check_values(display_name, memory_system, session_scope)
    with transaction.atomic():
        _check_room()
        agent = Agent(
            agent_id=agent_id,
            display_name=display_name,
            memory_system=memory_system,
            session_scope=session_scope,
            registered_by=actor.written_by,
        )
        try:
            with transaction.atomic():
                agent.save(force_insert=True)
        except IntegrityError:
            raise AlreadyExists(
                "An agent with this id exists.", resource=agent_id, type="agent"
            ) from None
        audit.record(actor=actor, action="agent.created", target_type="agent", target=agent.pk)
    return agent


def agent_update(
    *,
    actor: Actor,
    agent_id: str,
    display_name: str | None = None,
    memory_system: str | None = None,
    session_scope: str | None = None,
) -> Agent:
    """Change what is given; the rest stays.

    Raises:
        PermissionDenied: the caller is no admin.
        NotFound: no such agent.
        InvalidArgument: a value that is refused.
    """
    access.require_admin(actor)
    with transaction.atomic():
        agent = access.agent_for(agent_id)
        if display_name is not None:
            agent.display_name = display_name
        if memory_system is not None:
            if actor.simulating:
                raise PermissionDenied("The memory system is set by an admin as itself.")
            agent.memory_system = memory_system
        if session_scope is not None:
            agent.session_scope = session_scope
        _check_values(agent.display_name, agent.memory_system, agent.session_scope)
        agent.save(update_fields=["display_name", "memory_system", "session_scope"])
        audit.record(actor=actor, action="agent.updated", target_type="agent", target=agent.pk)
    return agent


def agent_delete(*, actor: Actor, agent_id: str) -> Agent:
    """Delete an agent that nothing refers to.

    Raises:
        PermissionDenied: the caller is no admin.
        NotFound: no such agent.
        Conflict: the default agent, or one that has sessions.
    """
    access.require_admin(actor)
    with transaction.atomic():
        agent = access.agent_for(agent_id)
        if agent.agent_id == DEFAULT_ID:
            raise Conflict("The default agent cannot be deleted.")
        key = agent.pk
        try:
            agent.delete()
        except ProtectedError:
            raise Conflict("This agent has sessions or memories; it cannot be deleted.") from None
        audit.record(actor=actor, action="agent.deleted", target_type="agent", target=key)
    return agent


def _check_room() -> None:
    if Agent.objects.count() >= MAX_AGENTS:
        raise ResourceExhausted(f"This account has {MAX_AGENTS} agents, and no more.")


def _check_values(display_name: str, memory_system: str, session_scope: str) -> None:
    if len(display_name) > MAX_DISPLAY_NAME:
        raise InvalidArgument(
            f"display_name has at most {MAX_DISPLAY_NAME} characters.", field="display_name"
        )
    if memory_system not in Agent.MemorySystem.values:
        raise InvalidArgument(
            f"memory_system must be one of {', '.join(Agent.MemorySystem.values)}.",
            field="memory_system",
        )
    if session_scope not in Agent.SessionScope.values:
        raise InvalidArgument(
            f"session_scope must be one of {', '.join(Agent.SessionScope.values)}.",
            field="session_scope",
        )
