"""`/api/v1/admin`: accounts and users."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from accounts import selectors as public_selectors
from accounts.http.envelope import Envelope, ListEnvelope, ok, ok_page
from accounts.http.paging import DEFAULT_LIMIT, check_limit, encode_cursor, id_from_cursor
from accounts.principals import access, selectors, services
from accounts.principals.auth import ManagerAuth, RootAuth, caller
from accounts.principals.schemas import (
    AccountIn,
    AccountMade,
    AccountOut,
    UserIn,
    UserMade,
    UserOut,
)

router = Router(tags=["admin"])


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


@router.post("/accounts/{account_id}/users", auth=ManagerAuth(), response=Envelope[UserMade])
def create_user(request: HttpRequest, account_id: str, body: UserIn) -> Any:
    """Register a user, whose key is in the answer. Needs an admin of the account, or ROOT."""
    actor, account = access.manager_of(caller(request), account_id)
    made = services.user_create(actor=actor, account=account, user_id=body.user_id, role=body.role)
    return ok(
        request,
        UserMade(
            account_id=made.account_id,
            user_id=made.user.user_id,
            role=made.user.role,
            user_key=made.user_key,
        ),
    )


@router.get("/accounts/{account_id}/users", auth=ManagerAuth(), response=ListEnvelope[UserOut])
def list_users(
    request: HttpRequest, account_id: str, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Any:
    """Users of the account, oldest first. Needs an admin of the account, or ROOT."""
    _, account = access.manager_of(caller(request), account_id)
    check_limit(limit)
    rows = selectors.user_page(account=account, after=id_from_cursor(cursor), limit=limit)
    return _page(request, rows, limit)


def _page(request: HttpRequest, rows: list[Any], limit: int) -> dict[str, Any]:
    more = len(rows) > limit
    rows = rows[:limit]
    return ok_page(request, rows, encode_cursor(str(rows[-1].id)) if more else None)
