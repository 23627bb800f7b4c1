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
from accounts.principals.keeping import keeping
from accounts.principals.models import ContactHandle, User
from accounts.principals.services.contacts import count_user
from accounts.principals.services.invitations import invitation_create, revoke_open
from accounts.principals.services.keys import issue_default_key, revoke_all

if TYPE_CHECKING:
    from accounts.actor import Actor, Operator
    from accounts.tenancy import AccountRef


MAX_DISPLAY_NAME = 200


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user just made. `user_key` is shown once and kept nowhere in clear; empty: none."""

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
    with_key: bool = True,
    invite: str = "",
    site: str = "",
) -> NewUser:
    """Register a user with a key named `default`.

    Args:
        invite: the e-mail address whose owner may sign in as the user; `site` as for
            invitation_create. A refused address leaves no user behind.

    Raises:
        InvalidArgument: the id is malformed or reserved, the role is not admin or user, or
            another value is refused.
        AlreadyExists: the id is or was in use, in whatever case.
        Conflict: the e-mail address signs in as another user of the account.
        ResourceExhausted: the account has `max_users` already.
    """
    check_new_id(user_id, "user_id")
    _check_role(role)
    display_name = _checked_display_name(display_name)
    with tenancy.account(account), transaction.atomic():
        try:
            with transaction.atomic():
                user = User.objects.create(user_id=user_id, role=role, display_name=display_name)
        except IntegrityError:
            raise AlreadyExists(
                "A user with this id exists, or existed.",
                resource=user_id,
                type="user",
                field="user_id",
            ) from None
        count_user(account.id)
        key, plain = issue_default_key(account, user) if with_key else (None, "")
        audit.record(
            actor=actor,
            action="user.created",
            target_type="user",
            target=user.id,
            **({"key": key.id} if key else {}),
        )
        if invite:
            invitation_create(
                actor=actor, account=account, user_id=user_id, email=invite, site=site
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
        _set_role(actor, user, role)
    return user


def user_update(
    *,
    actor: Actor | Operator,
    account: AccountRef,
    user_id: str,
    display_name: str | None = None,
    role: str | None = None,
) -> User:
    """Change what is given and differs; the rest stays.

    Raises:
        InvalidArgument: a long name, or the role is not admin or user.
        NotFound: no such user.
        Conflict: the default user has no other role; the last admin cannot be demoted.
    """
    if role is not None:
        _check_role(role)
    if display_name is not None:
        display_name = _checked_display_name(display_name)
    with tenancy.account(account), transaction.atomic():
        _lock(account)
        user = access.user_for(user_id)
        if role not in (None, user.role):
            _set_role(actor, user, role)
        if display_name not in (None, user.display_name):
            user.display_name = display_name
            user.save(update_fields=["display_name"])
            audit.record(actor=actor, action="user.renamed", target_type="user", target=user.pk)
    return user


def user_delete(
    *, actor: Actor | Operator, account: AccountRef, user_id: str, memories: str = "erase"
) -> User:
    """Delete a user: keys, sign-in and handle bindings die at once.

    The row stays, inactive and unlisted, as the owner of its sessions; its id is not given out
    again.

    Args:
        memories: `erase` or `keep`: what becomes of the user's own memories. Those of agents stay.

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
        revoke_open(actor, account, user.pk)
        Account.objects.filter(pk=account.id).update(user_count=F("user_count") - 1)
        erased = keeping().erase_of_user(user=user.pk) if memories == "erase" else 0
        audit.record(
            actor=actor,
            action="user.deleted",
            target_type="user",
            target=user.pk,
            keys=revoked,
            memories=erased,
        )
    return user


def _check_role(role: str) -> None:
    if role not in User.Role.values:
        raise InvalidArgument("role must be 'admin' or 'user'.", field="role")


def _checked_display_name(name: str) -> str:
    name = " ".join(name.split())
    if len(name) > MAX_DISPLAY_NAME:
        raise InvalidArgument(
            f"A display name has at most {MAX_DISPLAY_NAME} characters.", field="display_name"
        )
    return name


def _set_role(actor: Actor | Operator, user: User, role: str) -> None:
    if user.is_default:
        raise Conflict("The default user keeps the role user.", field="role")
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


def _lock(account: AccountRef) -> None:
    Account.objects.select_for_update().get(pk=account.id)


def _keep_an_admin(user: User) -> None:
    others = User.objects.filter(role=User.Role.ADMIN, is_active=True).exclude(pk=user.pk)
    if not others.exists():
        raise Conflict("This is the account's last admin.", field="role")
