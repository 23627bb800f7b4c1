"""`/api/v1/tasks`: what requests began and jobs finish."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from accounts.errors import InvalidArgument
from accounts.http.envelope import Envelope, ListEnvelope, ok, ok_page
from accounts.http.paging import DEFAULT_LIMIT, check_limit, encode_cursor, id_from_cursor
from accounts.principals.auth import AccountAuth, caller
from accounts.principals.idempotency import once
from sessions_app import render, selectors, services
from sessions_app.models import Task
from sessions_app.schemas import TaskOut

router = Router(tags=["tasks"], auth=AccountAuth(about_contacts=True))


@router.get("", response=ListEnvelope[TaskOut])
def list_tasks(
    request: HttpRequest,
    task_type: str = "",
    status: str = "",
    resource_id: str = "",
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Any:
    """The caller's tasks, newest first. Kept for 24 hours, failed ones for 7 days."""
    if status and status not in Task.Status.values:
        raise InvalidArgument(f"status must be one of {', '.join(Task.Status.values)}.")
    rows = selectors.task_page(
        actor=caller(request),
        task_type=task_type,
        status=status,
        resource_id=resource_id,
        after=id_from_cursor(cursor),
        limit=check_limit(limit),
    )
    shown = rows[:limit]
    following = encode_cursor(str(shown[-1].pk)) if len(rows) > limit else None
    return ok_page(request, [render.task(row) for row in shown], following)


@router.get("/{task_id}", response=Envelope[TaskOut])
def get_task(request: HttpRequest, task_id: str) -> Any:
    """One task of the caller."""
    return ok(request, render.task(selectors.task_detail(actor=caller(request), task_id=task_id)))


@router.post("/{task_id}/cancel", response=Envelope[TaskOut])
def cancel_task(request: HttpRequest, task_id: str) -> Any:
    """Cancel a task that has not begun."""
    actor = caller(request)
    once(
        request,
        actor,
        work=lambda: services.task_cancel(actor=actor, task_id=task_id),
        reference=lambda _task: {},
        again=lambda _found: None,
    )
    return ok(request, render.task(selectors.task_detail(actor=actor, task_id=task_id)))
