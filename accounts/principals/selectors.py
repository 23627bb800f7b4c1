"""Reading principals. Lists and pages only, never a lazy queryset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts import tenancy
from accounts.models import Account, NamespacePolicy
from accounts.principals.models import Agent, User

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from accounts.actor import Actor
    from accounts.tenancy import AccountRef


@dataclass(frozen=True, slots=True)
class PolicyState:
    """The policy in force, with who set it and when."""

    version: int
    updated_at: datetime
    updated_by: str | None  # a user_id; None: an operator, when the account was made


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


def policy_state(*, actor: Actor) -> PolicyState:
    """When the account's policy was set, and by whom."""
    row = NamespacePolicy.objects.get(account_id=actor.account.id)
    names = user_names({row.updated_by} if row.updated_by else set())
    return PolicyState(
        version=row.version,
        updated_at=row.updated_at,
        updated_by=names.get(row.updated_by) if row.updated_by else None,
    )


def account_name(*, actor: Actor) -> str:
    """What people read in place of the account's id."""
    name: str = Account.objects.values_list("name", flat=True).get(pk=actor.account.id)
    return name
