"""Jobs: what requests began for anybody in the account, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.errors import Conflict, InvalidArgument, NotFound
from accounts.http.paging import encode_cursor, id_from_cursor
from accounts.lists import PAGE, address
from accounts.web import admins_only, done, page
from sessions_app import selectors, services
from sessions_app.forms import JobFilterForm
from sessions_app.models import Task
from sessions_app.presentation import counted, task_view

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse

    from accounts.http.request import AccountRequest

TEMPLATE = "sessions_app/job_list.html"


@require_safe
@admins_only
def job_list(request: AccountRequest) -> HttpResponse:
    """Everybody's jobs, newest first; asked for again by itself while something is unfinished."""
    counts = selectors.task_counts(actor=request.actor)
    form = JobFilterForm(request.GET, counts=counts)
    context: dict[str, Any] = {"form": form, "clear_url": request.path}
    if not form.is_valid():
        return page(request, TEMPLATE, {**context, "rows": []}, fragment="jobs", status=422)
    status = form.cleaned_data["status"]
    try:
        after = id_from_cursor(request.GET.get("older"))
    except InvalidArgument:  # a cursor that no list gave out
        raise Http404 from None
    found = selectors.account_task_page(actor=request.actor, status=status, after=after, limit=PAGE)
    rows, more = found[:PAGE], len(found) > PAGE
    unfinished = counts.get(Task.Status.PENDING, 0) + counts.get(Task.Status.RUNNING, 0)
    context |= {
        "rows": [task_view(task) for task in rows],
        "status": status,
        "filtered": bool(status) or after is not None,
        "total": counts.get(status, 0) if status else sum(counts.values()),
        "unfinished": unfinished,
        "failed": selectors.failed_task_count(actor=request.actor),
        "here": request.get_full_path(),
        "checked_at": timezone.now(),
        # The page asks by itself: nobody wants to hear the same count again.
        "asked": request.htmx.trigger != "again",
        "first_url": address(request) if after is not None else None,
        "older_url": (
            address(request, at={"older": encode_cursor(str(rows[-1].pk))}) if more else None
        ),
        "last_shown_at": rows[-1].created_at if rows else None,
    }
    return page(request, TEMPLATE, context, fragment="jobs")


@require_POST
@admins_only
def jobs_retry(request: AccountRequest) -> HttpResponse:
    """Queue everything again that failed."""
    count = services.jobs_retry(actor=request.actor)
    if not count:
        return done(request, reverse("job_list"), "Nothing was retried: no job has failed.")
    return done(request, reverse("job_list"), f"{counted(count, 'job waits', 'jobs wait')} again.")


@require_POST
@admins_only
def job_retry(request: AccountRequest, task_id: str) -> HttpResponse:
    """Queue a failed job again."""
    return _changed(request, task_id, services.job_retry, "The job waits again.")


@require_POST
@admins_only
def job_skip(request: AccountRequest, task_id: str) -> HttpResponse:
    """Archive without a summary."""
    said = "Archived without a summary; its messages stay where they are."
    return _changed(request, task_id, services.job_skip, said)


@require_POST
@admins_only
def job_cancel(request: AccountRequest, task_id: str) -> HttpResponse:
    """Cancel a job that has not begun."""
    said = "The job is cancelled. Retry it, or skip it, when you like."
    return _changed(request, task_id, services.job_cancel, said)


def _changed(
    request: AccountRequest, task_id: str, change: Callable[..., Task], said: str
) -> HttpResponse:
    try:
        change(actor=request.actor, task_id=task_id)
    except NotFound:
        raise Http404 from None
    except Conflict as error:  # somebody was quicker
        said = f"Nothing was changed. {error.message}"
    return done(request, reverse("job_list"), said)
