"""`/api/v1/admin`: accounts, users, keys, policy, settings."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from accounts import selectors as public_selectors
from accounts.http.envelope import Envelope, ListEnvelope, ok, ok_page
from accounts.http.paging import DEFAULT_LIMIT, check_limit, encode_cursor, id_from_cursor
from accounts.principals import access, selectors, services
from accounts.principals.auth import ManagerAuth, RootAuth, caller
from accounts.principals.idempotency import once_within
from accounts.principals.schemas import (
    AccountChange,
    AccountIn,
    AccountMade,
    AccountOut,
    Deleted,
    KeyIn,
    KeyMade,
    KeyOut,
    PolicyIn,
    PolicyOut,
    RevertIn,
    RoleIn,
    RoleOut,
    SettingsIn,
    SettingsOut,
    UserIn,
    UserKey,
    UserMade,
    UserOut,
)

router = Router(tags=["admin"])
ACCOUNT = "/accounts/{account_id}"


@router.post("/accounts", auth=RootAuth(), response=Envelope[AccountMade])
def create_account(request: HttpRequest, body: AccountIn) -> Any:
    """Make an account with its first admin, whose key is in the answer. Needs the root key."""
    made = services.account_create(actor=caller(request), **body.model_dump())
    return ok(
        request,
        AccountMade(
            account_id=made.ref.account_id,
            admin_user_id=made.admin_user_id,
            user_key=made.user_key,
            isolate_user_scope_by_agent=made.isolate_user_scope_by_agent,
            isolate_agent_scope_by_user=made.isolate_agent_scope_by_user,
        ),
    )


@router.get("/accounts", auth=RootAuth(), response=ListEnvelope[AccountOut])
def list_accounts(
    request: HttpRequest, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Any:
    """Accounts, oldest first. Needs the root key."""
    check_limit(limit)
    rows = public_selectors.account_page(id_from_cursor(cursor), limit)
    return _page(request, rows, limit)


@router.get(ACCOUNT, auth=RootAuth(), response=Envelope[AccountOut])
def get_account(request: HttpRequest, account_id: str) -> Any:
    """One account. Needs the root key."""
    return ok(request, public_selectors.account_row(access.account_for(account_id)))


@router.patch(ACCOUNT, auth=RootAuth(), response=Envelope[AccountOut])
def change_account(request: HttpRequest, account_id: str, body: AccountChange) -> Any:
    """Rename, suspend or resume an account. Needs the root key."""
    account = access.account_for(account_id)
    services.account_update(actor=caller(request), account=account, **body.model_dump())
    return ok(request, public_selectors.account_row(account))


@router.delete(ACCOUNT, auth=RootAuth(), response=Envelope[Deleted])
def delete_account(request: HttpRequest, account_id: str) -> Any:
    """Delete an account with everything in it: schema, keys, sign-ins, jobs. Needs the root key."""
    services.account_delete(actor=caller(request), account=access.account_for(account_id))
    return ok(request, Deleted())


@router.post(f"{ACCOUNT}/users", auth=ManagerAuth(), response=Envelope[UserMade])
def create_user(request: HttpRequest, account_id: str, body: UserIn) -> Any:
    """Register a user, whose key is in the answer. Needs an admin of the account, or ROOT."""
    actor, account = access.manager_of(caller(request), account_id)
    made = once_within(
        request,
        actor,
        account,
        lambda: services.user_create(
            actor=actor, account=account, user_id=body.user_id, role=body.role
        ),
        secret_of=f"user {body.user_id}",
    )
    assert made is not None
    return ok(
        request,
        UserMade(
            account_id=made.account_id,
            user_id=made.user.user_id,
            role=made.user.role,
            user_key=made.user_key,
        ),
    )


@router.get(f"{ACCOUNT}/users", auth=ManagerAuth(), response=ListEnvelope[UserOut])
def list_users(
    request: HttpRequest, account_id: str, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Any:
    """Users of the account, oldest first. Needs an admin of the account, or ROOT."""
    _, account = access.manager_of(caller(request), account_id)
    check_limit(limit)
    rows = selectors.user_page(account=account, after=id_from_cursor(cursor), limit=limit)
    return _page(request, rows, limit)


@router.get(f"{ACCOUNT}/users/{{user_id}}", auth=ManagerAuth(), response=Envelope[UserOut])
def get_user(request: HttpRequest, account_id: str, user_id: str) -> Any:
    """One user. Needs an admin of the account, or ROOT."""
    _, account = access.manager_of(caller(request), account_id)
    return ok(request, selectors.user_row(account=account, user_id=user_id))


@router.delete(f"{ACCOUNT}/users/{{user_id}}", auth=ManagerAuth(), response=Envelope[Deleted])
def delete_user(
    request: HttpRequest, account_id: str, user_id: str, memories: str = "erase"
) -> Any:
    """Delete a user: keys, sign-in and bound handles die at once; the id is not given out again."""
    actor, account = access.manager_of(caller(request), account_id)
    once_within(
        request,
        actor,
        account,
        lambda: services.user_delete(
            actor=actor, account=account, user_id=user_id, memories=memories
        ),
    )
    return ok(request, Deleted())


@router.put(f"{ACCOUNT}/users/{{user_id}}/role", auth=ManagerAuth(), response=Envelope[RoleOut])
def set_role(request: HttpRequest, account_id: str, user_id: str, body: RoleIn) -> Any:
    """Make a user an admin, or an admin a user. The last admin cannot be demoted."""
    actor, account = access.manager_of(caller(request), account_id)
    once_within(
        request,
        actor,
        account,
        lambda: services.user_set_role(
            actor=actor, account=account, user_id=user_id, role=body.role
        ),
    )
    user = selectors.user_row(account=account, user_id=user_id)
    return ok(
        request,
        RoleOut(account_id=account.account_id, user_id=user.user_id, role=user.role),
    )


@router.post(f"{ACCOUNT}/users/{{user_id}}/key", auth=ManagerAuth(), response=Envelope[UserKey])
def replace_key(request: HttpRequest, account_id: str, user_id: str) -> Any:
    """Replace the user's key named `default`; the old one dies at once, named keys stay."""
    actor, account = access.manager_of(caller(request), account_id)
    made = once_within(
        request,
        actor,
        account,
        lambda: services.key_replace(actor=actor, account=account, user_id=user_id),
        secret_of=f"the key of user {user_id}",
    )
    assert made is not None
    return ok(request, UserKey(user_key=made[1]))


@router.get(f"{ACCOUNT}/keys", auth=ManagerAuth(), response=ListEnvelope[KeyOut])
def list_keys(
    request: HttpRequest,
    account_id: str,
    user: str = "",
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Any:
    """Keys that are not revoked, oldest first; never their secrets."""
    _, account = access.manager_of(caller(request), account_id)
    check_limit(limit)
    rows = selectors.key_page(
        account=account, user_id=user, after=id_from_cursor(cursor), limit=limit
    )
    return _page(request, rows, limit)


@router.post(f"{ACCOUNT}/keys", auth=ManagerAuth(), response=Envelope[KeyMade])
def create_key(request: HttpRequest, account_id: str, body: KeyIn) -> Any:
    """Make a named key: scopes, bound agents, expiry. Its secret is in this answer only."""
    actor, account = access.manager_of(caller(request), account_id)
    made = once_within(
        request,
        actor,
        account,
        lambda: services.key_create(actor=actor, account=account, **body.model_dump()),
        secret_of=f"the key {body.name} of user {body.user_id}",
    )
    assert made is not None
    return ok(request, {**selectors.key_facts(made[0]), "user_key": made[1]})


@router.delete(f"{ACCOUNT}/keys/{{key_id}}", auth=ManagerAuth(), response=Envelope[Deleted])
def revoke_key(request: HttpRequest, account_id: str, key_id: str) -> Any:
    """Revoke a key; it dies at once, on every process."""
    actor, account = access.manager_of(caller(request), account_id)
    once_within(
        request,
        actor,
        account,
        lambda: services.key_revoke(actor=actor, account=account, key_id=key_id),
    )
    return ok(request, Deleted())


@router.get(f"{ACCOUNT}/policy", auth=ManagerAuth(), response=Envelope[PolicyOut])
def get_policy(request: HttpRequest, account_id: str) -> Any:
    """The namespace policy in force."""
    _, account = access.manager_of(caller(request), account_id)
    return ok(request, selectors.policy_facts(account=account))


@router.put(f"{ACCOUNT}/policy", auth=ManagerAuth(), response=Envelope[PolicyOut])
def put_policy(request: HttpRequest, account_id: str, body: PolicyIn) -> Any:
    """Change what splits memories and who reads sessions; what is absent stays.

    It binds at once, on every process, and touches no memory.
    """
    actor, account = access.manager_of(caller(request), account_id)
    changes = body.model_dump(exclude={"reason", "version"}, exclude_none=True)
    once_within(
        request,
        actor,
        account,
        lambda: services.policy_update(
            actor=actor,
            account=account,
            changes=changes,
            reason=body.reason,
            version=body.version,
        ),
    )
    return ok(request, selectors.policy_facts(account=account))


@router.post(f"{ACCOUNT}/policy/revert", auth=ManagerAuth(), response=Envelope[PolicyOut])
def revert_policy(request: HttpRequest, account_id: str, body: RevertIn | None = None) -> Any:
    """Go back to the policy before: as a new version, so that this too can be reverted."""
    actor, account = access.manager_of(caller(request), account_id)
    asked = body or RevertIn.model_validate({})
    once_within(
        request,
        actor,
        account,
        lambda: services.policy_revert(actor=actor, account=account, **asked.model_dump()),
    )
    return ok(request, selectors.policy_facts(account=account))


@router.get(f"{ACCOUNT}/settings", auth=ManagerAuth(), response=Envelope[SettingsOut])
def get_settings(request: HttpRequest, account_id: str) -> Any:
    """The account's settings."""
    _, account = access.manager_of(caller(request), account_id)
    return ok(request, public_selectors.account_settings(account))


@router.patch(f"{ACCOUNT}/settings", auth=ManagerAuth(), response=Envelope[SettingsOut])
def change_settings(request: HttpRequest, account_id: str, body: SettingsIn) -> Any:
    """Change some settings; what is absent stays."""
    actor, account = access.manager_of(caller(request), account_id)
    once_within(
        request,
        actor,
        account,
        lambda: services.settings_update(
            actor=actor, account=account, values=body.model_dump(exclude_none=True)
        ),
    )
    return ok(request, public_selectors.account_settings(account))


def _page(request: HttpRequest, rows: list[Any], limit: int) -> dict[str, Any]:
    more = len(rows) > limit
    rows = rows[:limit]
    return ok_page(request, rows, encode_cursor(str(rows[-1].id)) if more else None)
