"""Making users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import F

from accounts import tenancy
from accounts.errors import AlreadyExists, InvalidArgument
from accounts.models import Account
from accounts.names import check_new_id
from accounts.principals import audit
from accounts.principals.models import User
from accounts.principals.services.keys import issue_default_key

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
    """
    check_new_id(user_id, "user_id")
    if role not in User.Role.values:
        raise InvalidArgument("role must be 'admin' or 'user'.", field="role")
    with tenancy.account(account), transaction.atomic():
        try:
            with transaction.atomic():
                user = User.objects.create(user_id=user_id, role=role, display_name=display_name)
        except IntegrityError:
            raise AlreadyExists(
                "A user with this id exists, or existed.", user_id=user_id
            ) from None
        key, plain = issue_default_key(account, user)
        audit.record(
            actor=actor, action="user.created", target_type="user", target=user.id, key=key.id
        )
        # Kept here, so that listing a thousand accounts does not visit a thousand schemas.
        Account.objects.filter(pk=account.id).update(user_count=F("user_count") + 1)
    return NewUser(account_id=account.account_id, user=user, user_key=plain)
