"""The namespace policy in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts import tenancy
from accounts.models import NamespacePolicy
from accounts.namespace import Policy
from accounts.principals.selectors.users import user_names

if TYPE_CHECKING:
    from datetime import datetime

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


def policy_in_force(*, account: AccountRef) -> Policy:
    """The policy as it decides, for who runs an account without being in it."""
    row = NamespacePolicy.objects.get(account_id=account.id)
    return Policy(
        row.isolate_user_scope_by_agent,
        row.isolate_agent_scope_by_user,
        row.sessions_visible_to,
        row.version,
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
