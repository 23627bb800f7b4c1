"""Users: making them, their roles, deleting them.

"At least one admin" is kept here, under the lock of the account's row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import F

from accounts import tenancy
from accounts.errors import AlreadyExists, Conflict, InvalidArgument
from accounts.models import Account, Membership
from accounts.names import check_new_id
from accounts.principals import access, audit
from accounts.principals.models import ContactHandle, User
from accounts.principals.services.contacts import count_user
from accounts.principals.services.keys import issue_default_key, revoke_all

if TYPE_CHECKING:
    from accounts.actor import Actor, Operator
    from accounts.tenancy import AccountRef


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user just made. `user_key` is shown once and kept nowhere in clear."""

    account_id: str
    user: User
    user_key: str


def user_create(
    *,
    actor: Actor | Operator,
    account: AccountRef,
    user_id: str,
    role: str = User.Role.USER,
    display_name: str = "",
) -> NewUser:
    """Register a user with a key named `default`.

    Raises:
        InvalidArgument: the id is malformed or reserved, or the role is not admin or user.
        AlreadyExists: the id is or was in use, in whatever case.
        ResourceExhausted: the account has `max_users` already.
    """
    check_new_id(user_id, "user_id")
    _check_role(role)
    with tenancy.account(account), transaction.atomic():
        try:
            with transaction.atomic():
                user = User.objects.create(user_id=user_id, role=role, display_name=display_name)
        except IntegrityError:
            raise AlreadyExists(
                "A user with this id exists, or existed.", resource=user_id, type="user"
            ) from None
        count_user(account.id)
        key, plain = issue_default_key(account, user)
        audit.record(
            actor=actor, action="user.created", target_type="user", target=user.id, key=key.id
        )
    return NewUser(account_id=account.account_id, user=user, user_key=plain)


def user_set_role(*, actor: Actor | Operator, account: AccountRef, user_id: str, role: str) -> User:
    """Make a user an admin, or an admin a user.

    Raises:
        InvalidArgument: the role is not admin or user (root is no role of an account's user).
        NotFound: no such user.
        Conflict: the default user has no other role; the last admin cannot be demoted.
    """
    _check_role(role)
    with tenancy.account(account), transaction.atomic():
        _lock(account)
        user = access.user_for(user_id)
        if user.is_default:
            raise Conflict("The default user keeps the role user.")
        if user.role == User.Role.ADMIN and role == User.Role.USER:
            _keep_an_admin(user)
        user.role = role
        user.save(update_fields=["role"])
        audit.record(
            actor=actor,
            action="user.role_changed",
            target_type="user",
            target=user.pk,
            admin=role == User.Role.ADMIN,
        )
    return user


def user_delete(
    *, actor: Actor | Operator, account: AccountRef, user_id: str, memories: str = "erase"
) -> User:
    """Delete a user: keys, sign-in and handle bindings die at once.

    The row stays, inactive and unlisted, as the owner of its sessions; its id is not given out
    again.

    Args:
        memories: `erase` or `keep`; nothing is kept about users in this version.

    Raises:
        InvalidArgument: another value of `memories`.
        NotFound: no such user.
        Conflict: the default user, or the last admin.
    """
    if memories not in ("erase", "keep"):
        raise InvalidArgument("memories must be 'erase' or 'keep'.", field="memories")
    with tenancy.account(account), transaction.atomic():
        _lock(account)
        user = access.user_for(user_id)
        if user.is_default:
            raise Conflict("The default user cannot be deleted.")
        if user.role == User.Role.ADMIN:
            _keep_an_admin(user)
        user.is_active = False
        user.save(update_fields=["is_active"])
        revoked = revoke_all(user)
        ContactHandle.objects.filter(user=user).update(user=None)
        Membership.objects.filter(account_id=account.id, user=user.pk).delete()
        Account.objects.filter(pk=account.id).update(user_count=F("user_count") - 1)
        audit.record(
            actor=actor, action="user.deleted", target_type="user", target=user.pk, keys=revoked
        )
    return user


def _check_role(role: str) -> None:
    if role not in User.Role.values:
        raise InvalidArgument("role must be 'admin' or 'user'.", field="role")


def _lock(account: AccountRef) -> None:
    Account.objects.select_for_update().get(pk=account.id)


def _keep_an_admin(user: User) -> None:
    others = User.objects.filter(role=User.Role.ADMIN, is_active=True).exclude(pk=user.pk)
    if not others.exists():
        raise Conflict("This is the account's last admin.")
