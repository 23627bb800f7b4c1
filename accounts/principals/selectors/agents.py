"""Agents, and who first named them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from accounts.actor import DEFAULT_ID
from accounts.errors import NotFound
from accounts.principals import access
from accounts.principals.models import Agent
from accounts.principals.selectors.pages import Page, newest_first
from accounts.principals.selectors.users import user_names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from accounts.actor import Actor


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """One agent, with who first named it."""

    id: UUID
    agent_id: str
    display_name: str
    memory_system: str
    session_scope: str
    registered_by: str | None
    created_at: datetime


def agent_ids(*, actor: Actor, limit: int = 500) -> list[str]:
    """Ids of the account's agents for a filter's choices, by name."""
    del actor
    return list(Agent.objects.order_by("agent_id").values_list("agent_id", flat=True)[:limit])


def agent_page(*, actor: Actor, after: UUID | None, limit: int) -> list[AgentFacts]:
    """Agents of the account, oldest first; one more than `limit` when there are more."""
    if not actor.user.registered:
        return []
    rows = Agent.objects.order_by("id")
    if after is not None:
        rows = rows.filter(id__gt=after)
    found = list(rows[: limit + 1])
    names = _namers(actor, found)
    return [_agent_facts(row, names) for row in found]


def agent_register(
    *,
    actor: Actor,
    q: str = "",
    limit: int,
    older: str | None = None,
    newer: str | None = None,
) -> Page[AgentFacts]:
    """Agents of the account, newest first, whose id or name holds `q`. For admins.

    Raises:
        InvalidArgument: a cursor that no list gave out.
    """
    rows = Agent.objects.get_queryset()
    if q:
        rows = rows.filter(Q(agent_id__icontains=q) | Q(display_name__icontains=q))
    found = newest_first(rows, limit=limit, older=older, newer=newer)
    names = _namers(actor, found.rows)
    facts = [_agent_facts(row, names) for row in found.rows]
    return Page(facts, found.total, found.older, found.newer)


def agent_facts(*, actor: Actor, agent_id: str) -> AgentFacts:
    """One agent. Raises NotFound."""
    if not actor.user.registered:
        raise NotFound("agent", agent_id)
    row = access.agent_for(agent_id)
    return _agent_facts(row, _namers(actor, [row]))


def first_by_scope(*, actor: Actor, per_sender: bool) -> str | None:
    """The agent of that session scope that was seen last, `default` only when there is no other."""
    del actor  # every user of an account knows its agents
    scope = Agent.SessionScope.PER_SENDER if per_sender else Agent.SessionScope.GLOBAL
    rows = Agent.objects.filter(session_scope=scope).order_by("-id")
    ids = list(rows.values_list("agent_id", flat=True)[:2])
    named = [one for one in ids if one.lower() != DEFAULT_ID]
    return next(iter([*named, *ids]), None)


def _namers(actor: Actor, rows: Sequence[Agent]) -> dict[UUID, str]:
    """Who first named each agent; on behalf of a contact, the users' names are not told."""
    if actor.contact is not None:
        return {}
    return user_names({row.registered_by for row in rows if row.registered_by})


def _agent_facts(row: Agent, names: dict[UUID, str]) -> AgentFacts:
    return AgentFacts(
        id=row.pk,
        agent_id=row.agent_id,
        display_name=row.display_name,
        memory_system=row.memory_system,
        session_scope=row.session_scope,
        registered_by=names.get(row.registered_by) if row.registered_by else None,
        created_at=row.created_at,
    )
