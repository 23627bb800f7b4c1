"""The namespace policy in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts import tenancy
from accounts.models import NamespacePolicy, PolicyVersion
from accounts.namespace import Policy
from accounts.principals.selectors.pages import Page, newest_first
from accounts.principals.selectors.users import user_names

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

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
class PolicyVersionFacts:
    """One version that is or was in force."""

    policy: Policy
    reason: str
    created_at: datetime
    updated_by: str | None  # a user_id; None: an operator


def policy_in_force(*, account: AccountRef) -> Policy:
    """The policy as it decides, for who runs an account without being in it."""
    return _policy(NamespacePolicy.objects.get(account_id=account.id))


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


def policy_versions(
    *, account: AccountRef, limit: int, older: str | None = None, newer: str | None = None
) -> Page[PolicyVersionFacts]:
    """The versions of the policy, the one in force first.

    Raises:
        InvalidArgument: a cursor that no list gave out.
    """
    rows = PolicyVersion.objects.filter(account_id=account.id)
    with tenancy.account(account):
        found = newest_first(rows, limit=limit, older=older, newer=newer)
        names = user_names({row.updated_by for row in found.rows if row.updated_by})
    facts = [_version_facts(row, names) for row in found.rows]
    return Page(facts, found.total, found.older, found.newer)


def policy_before(*, account: AccountRef, version: int) -> Policy | None:
    """The policy before that version, which a revert goes back to; None before the first."""
    rows = PolicyVersion.objects.filter(account_id=account.id, version__lt=version)
    row = rows.order_by("-version").first()
    return _policy(row) if row else None


def _version_facts(row: PolicyVersion, names: dict[UUID, str]) -> PolicyVersionFacts:
    return PolicyVersionFacts(
        policy=_policy(row),
        reason=row.reason,
        created_at=row.created_at,
        updated_by=names.get(row.updated_by) if row.updated_by else None,
    )


def _policy(row: NamespacePolicy | PolicyVersion) -> Policy:
    return Policy(
        row.isolate_user_scope_by_agent,
        row.isolate_agent_scope_by_user,
        row.sessions_visible_to,
        row.version,
    )
