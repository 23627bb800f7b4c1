"""Imports: what was brought in from other installations, bringing in more, taking it out again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import Conflict, DomainError, InvalidArgument, NotFound
from accounts.lists import PAGE, cursors, list_context
from accounts.principals import selectors as principals
from accounts.principals.forms import Confirmation
from accounts.web import admins_only, done, page, refused
from memory.forms.imports import ImportForm
from memory.importers.detect import AUTO
from memory.presentation_imports import import_view, stock_rows
from memory.selectors.imports import import_page, import_report, import_stock
from memory.services import imports as services
from sessions_app.presentation import counted

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.http.request import AccountRequest

KNOWN = 200  # ids that are offered while one types


@require_safe
@admins_only
def import_list(request: AccountRequest) -> HttpResponse:
    """Every import, newest first."""
    try:
        found = import_page(actor=request.actor, limit=PAGE, **cursors(request))
    except InvalidArgument:  # a cursor that no list gave out
        raise Http404 from None
    context = {
        "rows": [import_view(row) for row in found.rows],
        **list_context(request, None, found),
    }
    return page(request, "memory/import_list.html", context, fragment="results")


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def import_new(request: AccountRequest) -> HttpResponse:
    """Upload files; they are counted first."""
    actor = request.actor
    form = ImportForm(
        request.POST if request.method == "POST" else None,
        request.FILES if request.method == "POST" else None,
        users=principals.user_ids(actor=actor, limit=KNOWN),
        agents=principals.agent_ids(actor=actor, limit=KNOWN),
    )
    if form.is_valid():
        data = form.cleaned_data
        try:
            run = services.import_upload(
                actor=actor,
                files=data["files"],
                format=data["format"],
                user_id=data["user"],
                agent_id=data["agent"],
            )
        except DomainError as error:
            refused(form, error)
        else:
            return done(request, _url(run.pk), "The files are here. They are counted now.")
    context = {
        "form": form,
        "auto": AUTO,
        "max_files": services.MAX_FILES,
        "max_gigabytes": services.MAX_BYTES // 1024**3,
        "account_id": actor.account.account_id,
    }
    status = 422 if form.errors else 200
    return page(request, "memory/import_new.html", context, fragment="main", status=status)


@require_safe
@admins_only
def import_detail(request: AccountRequest, import_id: UUID) -> HttpResponse:
    """One import; asked for again by itself until it is finished."""
    try:
        report = import_report(actor=request.actor, run_id=import_id)
    except NotFound:
        raise Http404 from None
    context: dict[str, Any] = {
        "run": import_view(report.facts),
        "notes": report.notes,
        "problems": report.problems,
        "further": report.further,
        "checked_at": timezone.now(),
        # The page asks by itself: only the end is worth being told.
        "asked": request.htmx.trigger != "again" or not report.facts.unfinished,
    }
    return page(request, "memory/import_detail.html", context, fragment="main")


@require_POST
@admins_only
def import_apply(request: AccountRequest, import_id: UUID) -> HttpResponse:
    """Bring in what was counted."""
    try:
        services.import_apply(actor=request.actor, run_id=import_id)
    except NotFound:
        raise Http404 from None
    except Conflict as error:  # somebody was quicker
        return done(request, _url(import_id), f"Nothing was brought in. {error.message}")
    return done(request, _url(import_id), "It is being brought in.")


@require_POST
@admins_only
def import_discard(request: AccountRequest, import_id: UUID) -> HttpResponse:
    """Throw the uploaded files away."""
    try:
        services.import_discard(actor=request.actor, run_id=import_id)
    except NotFound:
        raise Http404 from None
    except Conflict as error:
        return done(request, _url(import_id), f"Nothing was thrown away. {error.message}")
    return done(request, _url(import_id), "The uploaded files are gone.")


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def import_rollback(request: AccountRequest, import_id: UUID) -> HttpResponse:
    """Ask with all that goes, then take out what the import brought in."""
    try:
        stock = import_stock(actor=request.actor, run_id=import_id)
    except NotFound:
        raise Http404 from None
    form = Confirmation(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            services.import_rollback(actor=request.actor, run_id=import_id)
        except DomainError as error:
            refused(form, error)
        else:
            gone = counted(stock.sessions, "session", "sessions")
            kept = counted(stock.memories, "memory", "memories")
            said = f"Taken out: {gone} and {kept}." if stock.memories else f"Taken out: {gone}."
            return done(request, _url(import_id), said)
    context = {
        "form": form,
        "run": import_view(stock.facts),
        "rows": stock_rows(stock),
        "destroy": _destroy(stock.sessions, stock.memories),
    }
    status = 422 if form.errors else 200
    return page(request, "memory/import_rollback.html", context, fragment="main", status=status)


def _destroy(sessions: int, memories: int) -> str:
    kept = f" and {counted(memories, 'memory', 'memories')}" if memories else ""
    return f"Take out {counted(sessions, 'session', 'sessions')}{kept}"


def _url(import_id: UUID) -> str:
    return reverse("import_detail", args=[import_id])
