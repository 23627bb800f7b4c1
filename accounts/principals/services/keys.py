"""Issuing API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts import keys
from accounts.actor import Scope
from accounts.principals.models import ApiKey, User

if TYPE_CHECKING:
    from accounts.tenancy import AccountRef

DEFAULT_NAME = "default"


def issue_default_key(account: AccountRef, user: User) -> tuple[ApiKey, str]:
    """Make the user's key named `default`, inside the caller's transaction.

    Returns:
        The row, and the key in clear, which exists nowhere else.
    """
    made = keys.new_key(account.account_id)
    scopes = [Scope.READ, Scope.WRITE]
    if user.role == User.Role.ADMIN:
        scopes.append(Scope.MANAGE)  # counts only as long as the role lasts
    row = ApiKey.objects.create(
        user=user,
        key_id=made.key_id,
        secret_hash=made.secret_hash,
        pepper_id=made.pepper_id,
        name=DEFAULT_NAME,
        scopes=[scope.value for scope in scopes],
    )
    return row, made.plain
