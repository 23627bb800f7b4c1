"""Namespace policy as pure functions (isolation.md, Namespace policy).

Nothing here reads a database: the same functions serve the API, the pages and the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

SCHEME = "viking://"


@dataclass(frozen=True, slots=True)
class Policy:
    """The account's policy as one request sees it."""

    isolate_user_scope_by_agent: bool = False
    isolate_agent_scope_by_user: bool = False
    sessions_visible_to: str = "account"
    version: int = 1

    @property
    def code(self) -> str:
        """`ff`, `ft`, `tf` or `tt`: first the user scope, then the agent scope."""
        return "".join(
            "t" if flag else "f"
            for flag in (self.isolate_user_scope_by_agent, self.isolate_agent_scope_by_user)
        )


def user_root(policy: Policy, user_id: str, agent_id: str) -> str:
    """Canonical root of user-scope memories of that user with that agent."""
    root = f"{SCHEME}user/{user_id}"
    return f"{root}/agent/{agent_id}" if policy.isolate_user_scope_by_agent else root


def agent_root(policy: Policy, user_id: str, agent_id: str) -> str:
    """Canonical root of agent-scope memories of that agent with that user."""
    root = f"{SCHEME}agent/{agent_id}"
    return f"{root}/user/{user_id}" if policy.isolate_agent_scope_by_user else root


def session_uri(session_id: str) -> str:
    """Canonical address of a session: the same under every policy."""
    return f"{SCHEME}session/{session_id}"


def memory_uri(
    policy: Policy,
    *,
    scope: str,
    user_id: str,
    agent_id: str,
    kind: str,
    id: UUID,  # noqa: A002  (as the row calls it)
) -> str:
    """Canonical address of a memory: derived from its row and the policy, never stored."""
    root = agent_root if scope == "agent" else user_root
    return f"{root(policy, user_id, agent_id)}/memories/{kind}/{id}"


def owner_of(
    policy: Policy, *, scope: str, user_id: str, agent_id: str
) -> tuple[str | None, str | None]:
    """Whose a memory is, as (owner_user_id, owner_agent_id): null where nothing is split by it."""
    if scope == "agent":
        return user_id if policy.isolate_agent_scope_by_user else None, agent_id
    return user_id, agent_id if policy.isolate_user_scope_by_agent else None
