"""Users as admins see them: with their sign-in, keys and sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Q

from accounts import selectors
from accounts.principals import access
from accounts.principals.keeping import keeping
from accounts.principals.models import ApiKey, ContactHandle, User
from accounts.principals.selectors.invitations import invitations_of
from accounts.principals.selectors.pages import Page, newest_first
from accounts.principals.usage import usage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from accounts.principals.keeping import UserStock
    from accounts.principals.selectors.invitations import InvitationFacts
    from accounts.tenancy import AccountRef


@dataclass(frozen=True, slots=True)
class UserFacts:
    """One user, as admins see it in a list and on its page.

    Attributes:
        email: with which they sign in; None: they do not.
        invitation: the one that waits, or ran out.
        keys: that are not revoked. sessions: that they own, counted to usage.COUNTED.
        memories: of their own that are active.
    """

    id: UUID
    user_id: str
    display_name: str
    role: str
    is_default: bool
    created_at: datetime
    email: str | None
    invitation: InvitationFacts | None
    keys: int
    sessions: int
    memories: int


@dataclass(frozen=True, slots=True)
class UserEnd:
    """What a deletion of the user takes with it, and what it leaves."""

    keys: int
    sign_ins: int
    invitations: int
    handles: int
    sessions: int
    memories: UserStock


def user_register(
    *,
    account: AccountRef,
    q: str = "",
    role: str = "",
    limit: int,
    older: str | None = None,
    newer: str | None = None,
) -> Page[UserFacts]:
    """Active users, newest first, whose id or name holds `q`. For those who run the account.

    Raises:
        InvalidArgument: a cursor that no list gave out.
    """
    rows = User.objects.get_queryset().filter(is_active=True)
    if q:
        rows = rows.filter(Q(user_id__icontains=q) | Q(display_name__icontains=q))
    if role:
        rows = rows.filter(role=role)
    found = newest_first(rows, limit=limit, older=older, newer=newer)
    return Page(_user_facts(account, found.rows), found.total, found.older, found.newer)


def user_facts(*, account: AccountRef, user_id: str) -> UserFacts:
    """One active user. For those who run the account. Raises NotFound."""
    return _user_facts(account, [access.user_for(user_id)])[0]


def user_end(*, user: UserFacts) -> UserEnd:
    """What a deletion of the user would take, and leave."""
    return UserEnd(
        keys=user.keys,
        sign_ins=int(user.email is not None),
        invitations=int(user.invitation is not None),
        handles=ContactHandle.objects.filter(user=user.id).count(),
        sessions=user.sessions,
        memories=keeping().of_user(user=user.id),
    )


def _user_facts(account: AccountRef, rows: Sequence[User]) -> list[UserFacts]:
    """With what stands in other tables: one statement each, whatever the number of rows."""
    ids = [row.pk for row in rows]
    emails = selectors.emails_of(account=account.id, users=ids)
    invited = invitations_of(account=account, users=ids)
    held = ApiKey.objects.filter(user__in=ids, revoked_at=None).values_list("user")
    keys = {user: count for user, count in held.annotate(keys=Count("id"))}  # noqa: C416 - typed
    sessions = usage().sessions_of(users=ids)
    memories = keeping().of_users(users=ids)
    return [
        UserFacts(
            id=row.pk,
            user_id=row.user_id,
            display_name=row.display_name,
            role=row.role,
            is_default=row.is_default,
            created_at=row.created_at,
            email=emails.get(row.pk),
            invitation=invited.get(row.pk),
            keys=keys.get(row.pk, 0),
            sessions=sessions.get(row.pk, 0),
            memories=memories.get(row.pk, 0),
        )
        for row in rows
    ]
