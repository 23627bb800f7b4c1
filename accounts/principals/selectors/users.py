"""Users of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts import tenancy
from accounts.principals import access
from accounts.principals.models import User

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from accounts.actor import Actor
    from accounts.tenancy import AccountRef


def user_page(*, account: AccountRef, after: UUID | None, limit: int) -> list[User]:
    """Active users, oldest first, from behind that id; one more than `limit` when there are more.

    The caller has shown that they may run the account (access.manager_of).
    """
    with tenancy.account(account):
        rows = User.objects.filter(is_active=True).order_by("id")
        if after is not None:
            rows = rows.filter(id__gt=after)
        return list(rows[: limit + 1])


def visible_users(*, actor: Actor, after: UUID | None, limit: int) -> list[User]:
    """Active users, oldest first; one more than `limit` when there are more.

    Users of an account know each other. Narrowed to a contact one sees its owner only, and a user
    that is not registered yet sees nobody.
    """
    rows = User.objects.filter(is_active=True).order_by("id")
    if not actor.user.registered:
        return []
    if actor.contact is not None:
        rows = rows.filter(pk=actor.user.id)
    if after is not None:
        rows = rows.filter(id__gt=after)
    return list(rows[: limit + 1])


def user_ids(*, actor: Actor, limit: int = 500) -> list[str]:
    """Ids of the account's users for a filter's choices, by name."""
    del actor  # every user of an account knows the others: GET /users lists them too
    rows = User.objects.filter(is_active=True).order_by("user_id")
    return list(rows.values_list("user_id", flat=True)[:limit])


def user_names(ids: set[UUID]) -> dict[UUID, str]:
    """user_id of each of these rows, also of inactive users. One statement; none for no ids."""
    if not ids:
        return {}
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "user_id"))


def user_keys(names: Collection[str]) -> set[UUID]:
    """The rows of these users, also of inactive ones. One statement; none for no names."""
    if not names:
        return set()
    return set(User.objects.filter(user_id__in=names).values_list("pk", flat=True))


def user_row(*, account: AccountRef, user_id: str) -> User:
    """One active user. Raises NotFound."""
    with tenancy.account(account):
        return access.user_for(user_id)
