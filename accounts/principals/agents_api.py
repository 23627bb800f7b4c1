"""`/api/v1/agents` and `/api/v1/whoami`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from ninja import Router

from accounts.http.envelope import Envelope, ListEnvelope, ok, ok_page
from accounts.http.paging import DEFAULT_LIMIT, check_limit, encode_cursor, id_from_cursor
from accounts.principals import selectors, services
from accounts.principals.auth import AccountAuth, caller
from accounts.principals.idempotency import once
from accounts.principals.schemas import (
    AgentChange,
    AgentIn,
    AgentOut,
    Deleted,
    WhoOut,
    WhoPolicy,
)

if TYPE_CHECKING:
    from accounts.actor import Actor

router = Router(tags=["agents"])
who_router = Router(tags=["system"])


@who_router.get("/whoami", auth=AccountAuth(), response=Envelope[WhoOut])
def whoami(request: HttpRequest) -> Any:
    """Who is asking: account, role, effective user, agent and contact, scopes, policy."""
    actor: Actor = caller(request)
    real = actor.principal.user_id if actor.principal else "root"
    return ok(
        request,
        WhoOut(
            account_id=actor.account.account_id,
            role=actor.role,
            user_id=actor.user.user_id,
            agent_id=actor.agent.agent_id,
            contact_id=actor.contact.id if actor.contact else None,
            scopes=sorted(actor.scopes),
            simulated_by=real if actor.simulating else None,
            policy=WhoPolicy(
                isolate_user_scope_by_agent=actor.policy.isolate_user_scope_by_agent,
                isolate_agent_scope_by_user=actor.policy.isolate_agent_scope_by_user,
                sessions_visible_to=actor.policy.sessions_visible_to,
            ),
            policy_version=actor.policy.version,
        ),
    )


@router.get("", auth=AccountAuth(), response=ListEnvelope[AgentOut])
def list_agents(request: HttpRequest, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Any:
    """Agents of the account, oldest first."""
    rows = selectors.agent_page(
        actor=caller(request), after=id_from_cursor(cursor), limit=check_limit(limit)
    )
    shown = rows[:limit]
    return ok_page(request, shown, encode_cursor(str(shown[-1].id)) if len(rows) > limit else None)


@router.post("", auth=AccountAuth(), response=Envelope[AgentOut])
def create_agent(request: HttpRequest, body: AgentIn) -> Any:
    """Register an agent. Needs an admin."""
    actor = caller(request)
    agent_id = once(
        request,
        actor,
        work=lambda: services.agent_create(actor=actor, **body.model_dump()).agent_id,
        reference=lambda _made: {},
        again=lambda _reference: body.agent_id,
    )
    return ok(request, selectors.agent_facts(actor=actor, agent_id=agent_id))


@router.get("/{agent_id}", auth=AccountAuth(), response=Envelope[AgentOut])
def get_agent(request: HttpRequest, agent_id: str) -> Any:
    """One agent."""
    return ok(request, selectors.agent_facts(actor=caller(request), agent_id=agent_id))


@router.patch("/{agent_id}", auth=AccountAuth(), response=Envelope[AgentOut])
def change_agent(request: HttpRequest, agent_id: str, body: AgentChange) -> Any:
    """Change display name, memory system or session scope. Needs an admin."""
    actor = caller(request)
    once(
        request,
        actor,
        work=lambda: services.agent_update(actor=actor, agent_id=agent_id, **body.model_dump()),
        reference=lambda _made: {},
        again=lambda _reference: None,
    )
    return ok(request, selectors.agent_facts(actor=actor, agent_id=agent_id))


@router.delete("/{agent_id}", auth=AccountAuth(), response=Envelope[Deleted])
def delete_agent(request: HttpRequest, agent_id: str) -> Any:
    """Delete an agent that took part in nothing. Needs an admin."""
    actor = caller(request)
    once(
        request,
        actor,
        work=lambda: services.agent_delete(actor=actor, agent_id=agent_id),
        reference=lambda _made: {},
        again=lambda _reference: None,
    )
    return ok(request, Deleted())
