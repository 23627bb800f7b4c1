"""Reading principals. Lists and pages only, never a lazy queryset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accounts import tenancy
from accounts.errors import NotFound
from accounts.models import NamespacePolicy
from accounts.principals import access
from accounts.principals.models import Agent, ApiKey, User

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from accounts.actor import Actor
    from accounts.tenancy import AccountRef


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """The policy in force, with who set it and when."""

    isolate_user_scope_by_agent: bool
    isolate_agent_scope_by_user: bool
    sessions_visible_to: str
    version: int
    updated_at: datetime
    updated_by: str | None  # a user_id; None: an operator


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What may be told about a key."""

    id: UUID
    key_id: str
    user_id: str
    name: str
    scopes: list[str]
    agents: list[str]
    contact_required: bool
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


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


def user_page(*, account: AccountRef, after: UUID | None, limit: int) -> list[User]:
    """Active users, oldest first, from behind that id; one more than `limit` when there are more.

    The caller has shown that they may run the account (access.manager_of).
    """
    with tenancy.account(account):
        rows = User.objects.filter(is_active=True).order_by("id")
        if after is not None:
            rows = rows.filter(id__gt=after)
        return list(rows[: limit + 1])


def user_ids(*, actor: Actor, limit: int = 500) -> list[str]:
    """Ids of the account's users for a filter's choices, by name."""
    del actor  # every user of an account knows the others: GET /users lists them too
    rows = User.objects.filter(is_active=True).order_by("user_id")
    return list(rows.values_list("user_id", flat=True)[:limit])


def agent_ids(*, actor: Actor, limit: int = 500) -> list[str]:
    """Ids of the account's agents for a filter's choices, by name."""
    del actor
    return list(Agent.objects.order_by("agent_id").values_list("agent_id", flat=True)[:limit])


def user_names(ids: set[UUID]) -> dict[UUID, str]:
    """user_id of each of these rows, also of inactive users. One statement; none for no ids."""
    if not ids:
        return {}
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "user_id"))


def user_row(*, account: AccountRef, user_id: str) -> User:
    """One active user. Raises NotFound."""
    with tenancy.account(account):
        return access.user_for(user_id)


def key_page(
    *, account: AccountRef, user_id: str, after: UUID | None, limit: int
) -> list[KeyFacts]:
    """Keys that are not revoked, oldest first; one more than `limit` when there are more.

    Args:
        user_id: only of this user; of all when empty.
    """
    with tenancy.account(account):
        rows = ApiKey.objects.filter(revoked_at=None).select_related("user").order_by("id")
        if user_id:
            rows = rows.filter(user__user_id__lower=user_id.lower())
        if after is not None:
            rows = rows.filter(id__gt=after)
        return [KeyFacts(**key_facts(row)) for row in rows[: limit + 1]]


def key_facts(key: ApiKey) -> dict[str, Any]:
    """What may be told about a key: everything but its secret."""
    return {
        "id": key.pk,
        "key_id": key.key_id,
        "user_id": key.user.user_id,
        "name": key.name,
        "scopes": key.scopes,
        "agents": key.agents,
        "contact_required": key.contact_required,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
    }


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


def agent_facts(*, actor: Actor, agent_id: str) -> AgentFacts:
    """One agent. Raises NotFound."""
    if not actor.user.registered:
        raise NotFound("agent", agent_id)
    row = access.agent_for(agent_id)
    return _agent_facts(row, _namers(actor, [row]))


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


def policy_facts(*, account: AccountRef) -> PolicyFacts:
    """The policy in force, when it was set, and by whom."""
    with tenancy.account(account):
        row = NamespacePolicy.objects.get(account_id=account.id)
        names = user_names({row.updated_by} if row.updated_by else set())
    return PolicyFacts(
        isolate_user_scope_by_agent=row.isolate_user_scope_by_agent,
        isolate_agent_scope_by_user=row.isolate_agent_scope_by_user,
        sessions_visible_to=row.sessions_visible_to,
        version=row.version,
        updated_at=row.updated_at,
        updated_by=names.get(row.updated_by) if row.updated_by else None,
    )
