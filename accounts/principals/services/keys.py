"""Issuing, replacing and revoking API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import keys, tenancy
from accounts.actor import Scope
from accounts.errors import AlreadyExists, InvalidArgument, PermissionDenied
from accounts.moments import checked_moment
from accounts.names import check_id
from accounts.principals import access, audit
from accounts.principals.models import ApiKey, User

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from accounts.actor import Actor, Operator
    from accounts.tenancy import AccountRef

MAX_NAME = 100
MAX_AGENTS = 100  # that one key is bound to
PLAIN_SCOPES = (Scope.READ, Scope.WRITE)


def issue_default_key(account: AccountRef, user: User) -> tuple[ApiKey, str]:
    """Make the user's key named `default`, inside the caller's transaction.

    An admin's also has `manage`, as long as the role lasts: that is read from the role each time.

    Returns:
        The row, and the key in clear, which exists nowhere else.
    """
    return _issue(account, user, name=keys.DEFAULT_NAME, scopes=PLAIN_SCOPES)


def key_replace(
    *, actor: Actor | Operator, account: AccountRef, user_id: str
) -> tuple[ApiKey, str]:
    """Replace the user's key named `default`; the old one dies at once, named keys stay.

    Raises:
        NotFound: no such user, or another one than the caller, who is no admin.
        Conflict: the default user.
    """
    with tenancy.account(account), transaction.atomic():
        user = access.key_holder(actor, user_id)
        # Two at once: the second replaces the first one's.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        _revoke(ApiKey.objects.filter(user=user, name=keys.DEFAULT_NAME))
        key, plain = issue_default_key(account, user)
        audit.record(
            actor=actor, action="key.replaced", target_type="user", target=user.pk, key=key.pk
        )
    return key, plain


def key_create(
    *,
    actor: Actor | Operator,
    account: AccountRef,
    user_id: str,
    name: str,
    scopes: Sequence[str] | None = None,
    agents: Sequence[str] = (),
    contact_required: bool = False,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a named key.

    Args:
        scopes: `read` and `write` when None.
        agents: agents that it is bound to; empty: any.

    Raises:
        InvalidArgument: a name, scope, agent id or time that is refused.
        PermissionDenied: a scope that only an admin gives.
        NotFound: no such user, or another one than the caller, who is no admin.
        Conflict: the default user.
        AlreadyExists: the user has a key of that name.
    """
    name, wanted = _checked_name(name), _checked_scopes(scopes)
    agents = _checked_agents(agents)
    if expires_at is not None:
        expires_at = checked_moment(expires_at, "expires_at")
        if expires_at <= timezone.now():
            raise InvalidArgument("expires_at must lie in the future.", field="expires_at")
    with tenancy.account(account), transaction.atomic():
        user = access.key_holder(actor, user_id)
        _check_grantable(actor, user, wanted)
        try:
            with transaction.atomic():
                key, plain = _issue(
                    account,
                    user,
                    name=name,
                    scopes=wanted,
                    agents=agents,
                    contact_required=contact_required,
                    expires_at=expires_at,
                )
        except IntegrityError:
            raise AlreadyExists(
                "The user has a key of this name.", resource=name, type="key", field="name"
            ) from None
        audit.record(
            actor=actor, action="key.created", target_type="user", target=user.pk, key=key.pk
        )
    return key, plain


def key_revoke(*, actor: Actor | Operator, account: AccountRef, key_id: str) -> ApiKey:
    """Revoke a key; it dies at once, on every process.

    Raises:
        NotFound: no such key, it is revoked already, or it is another's and the caller no admin.
    """
    with tenancy.account(account), transaction.atomic():
        key = access.key_for(actor, key_id)
        _revoke(ApiKey.objects.filter(pk=key.pk))
        audit.record(
            actor=actor, action="key.revoked", target_type="user", target=key.user_id, key=key.pk
        )
    return key


def revoke_all(user: User) -> int:
    """Revoke every key of a user, inside the caller's transaction; how many there were."""
    return _revoke(ApiKey.objects.filter(user=user))


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise InvalidArgument(f"name must have 1 to {MAX_NAME} characters.", field="name")
    if name == keys.DEFAULT_NAME:
        raise InvalidArgument("A key named default is made by replacing it.", field="name")
    return name


def _checked_scopes(scopes: Sequence[str] | None) -> list[str]:
    wanted = list(dict.fromkeys(PLAIN_SCOPES if scopes is None else scopes))
    if not wanted or set(wanted) - set(Scope):
        raise InvalidArgument(f"scopes must be some of {', '.join(Scope)}.", field="scopes")
    return [str(scope) for scope in wanted]


def _checked_agents(agents: Sequence[str]) -> list[str]:
    if len(agents) > MAX_AGENTS:
        raise InvalidArgument(f"A key is bound to at most {MAX_AGENTS} agents.", field="agents")
    return [check_id(agent, "agents") for agent in dict.fromkeys(agents)]


def _check_grantable(actor: Actor | Operator, holder: User, wanted: Sequence[str]) -> None:
    refused = set(wanted) - set(access.grantable_scopes(actor, holder))
    if Scope.MANAGE in refused:
        raise InvalidArgument("Only an admin's key can have the scope manage.", field="scopes")
    if refused:
        words = ", ".join(sorted(refused))
        raise PermissionDenied(f"Only an admin makes a key with the scope {words}.", field="scopes")


def _revoke(rows: QuerySet[ApiKey]) -> int:
    return rows.filter(revoked_at=None).update(revoked_at=timezone.now())


def _issue(
    account: AccountRef,
    user: User,
    *,
    name: str,
    scopes: Sequence[str],
    agents: Sequence[str] = (),
    contact_required: bool = False,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    made = keys.new_key(account.account_id)
    row = ApiKey.objects.create(
        user=user,
        key_id=made.key_id,
        secret_hash=made.secret_hash,
        pepper_id=made.pepper_id,
        name=name,
        scopes=[str(scope) for scope in scopes],
        agents=list(agents),
        contact_required=contact_required,
        expires_at=expires_at,
    )
    return row, made.plain
