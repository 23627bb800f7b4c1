"""`/api/v1/admin/…/policy/preview`: what a change of the namespace policy would show and hide."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from accounts.http.envelope import PageEnvelope, ok
from accounts.http.paging import DEFAULT_LIMIT, check_limit
from accounts.principals import access
from accounts.principals.auth import ManagerAuth, caller
from memory import render, services
from memory.schemas import PreviewIn, PreviewOut

router = Router(tags=["admin"], auth=ManagerAuth())


@router.post("/accounts/{account_id}/policy/preview", response=PageEnvelope[PreviewOut])
def preview_policy(
    request: HttpRequest,
    account_id: str,
    body: PreviewIn,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Any:
    """Pairs of user and agent that would gain or lose memories, those with most first.

    The numbers are what the lists will then show. Nothing is changed.
    """
    actor, account = access.manager_of(caller(request), account_id)
    changes = body.model_dump(exclude={"reason"}, exclude_none=True)
    found = services.preview_read(
        actor=actor, account=account, changes=changes, limit=check_limit(limit), cursor=cursor
    )
    answer = ok(request, render.preview(found.now, found.then, found.preview))
    return {**answer, "page": {"next": found.preview.next}}
