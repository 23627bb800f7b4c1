"""The audit log, and who looked."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.lists import PAGE, address, cursors, filter_context, neighbours
from accounts.principals import selectors, services
from accounts.principals.audit_csv import csv_lines
from accounts.principals.audit_parts import key_part, sentence, target_part, user_part
from accounts.principals.audit_words import LOOKED, actions_named, words_of
from accounts.principals.forms import AuditFilterForm
from accounts.principals.views.shared import absent_is_404
from accounts.web import admins_only, page, users_only

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.http.response import HttpResponseBase

    from accounts.http.request import AccountRequest
    from accounts.principals.audit_parts import Part

TEMPLATE_LIST = "principals/audit_log.html"


@require_safe
@admins_only
@absent_is_404
def audit_log(request: AccountRequest) -> HttpResponse:
    """Who did what in the account, newest first, with filters."""
    actor = request.actor
    form = AuditFilterForm(request.GET)
    context: dict[str, Any] = {
        "form": form,
        "clear_url": request.path,
        "users": selectors.user_ids(actor=actor),
        "most": services.MAX_EXPORTED,
    }
    if not form.is_valid():
        return page(request, TEMPLATE_LIST, {**context, "rows": []}, fragment="results", status=422)
    where = _where(form.cleaned_data)
    found = selectors.audit_page(actor=actor, where=where, limit=PAGE, **cursors(request))
    count = selectors.audit_count(where=where)
    context |= {
        "rows": [_row(row, found.names) for row in found.rows],
        "total": count.total,
        "capped": count.capped,
        "csv_url": address(request, path=reverse("audit_csv")),
        "last_shown_at": found.rows[-1].at if found.rows else None,
        **filter_context(request, form),
        **neighbours(request, found.older, found.newer),
    }
    return page(request, TEMPLATE_LIST, context, fragment="results")


@require_safe
@admins_only
@absent_is_404
def audit_event(request: AccountRequest, event_id: UUID) -> HttpResponse:
    """Everything about one event."""
    found = selectors.audit_event(actor=request.actor, key=event_id)
    (row,), names = found.rows, found.names
    view = selectors.uuid_in(row.data, "view")
    context = {
        "event": row,
        "label": words_of(row.action).label,
        "parts": _linked(sentence(row, names)),
        "actor": _link(user_part(row.actor, names)),
        "actor_key": _link(key_part(row.actor_key, names)),
        "acting_as": _link(user_part(row.acting_as, names)),
        "target": _link(target_part(row, names)),
        "reason": names.reasons.get(view) if view else None,
        "data": sorted(row.data.items()),
        "list_url": reverse("audit_log"),
    }
    return page(request, "principals/audit_event.html", context, fragment="event")


@require_safe
@admins_only
def audit_csv(request: AccountRequest) -> HttpResponseBase:
    """The same events as a file; a filter that the list refuses is refused with the list."""
    form = AuditFilterForm(request.GET)
    if not form.is_valid():
        context = {"form": form, "clear_url": reverse("audit_log"), "rows": []}
        return render(request, TEMPLATE_LIST, context, status=422)
    pages = services.audit_export(actor=request.actor, where=_where(form.cleaned_data))
    name = f"audit-{request.actor.account.account_id}-{timezone.localdate()}.csv"
    return StreamingHttpResponse(
        csv_lines(pages),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_safe
@users_only
@absent_is_404
def who_looked(request: AccountRequest) -> HttpResponse:
    """Who looked at what is one's own: through one's eyes, or with an admin's."""
    found = selectors.looks_of(user=request.actor.user.id, limit=PAGE, **cursors(request))
    context = {
        "rows": [_look(look, request.actor.user.user_id) for look in found.rows],
        "last_shown_at": found.rows[-1].at if found.rows else None,
        **neighbours(request, found.older, found.newer),
    }
    return page(request, "principals/who_looked.html", context, fragment="results")


def _where(data: dict[str, Any]) -> selectors.AuditFilter:
    return selectors.AuditFilter(
        actions=actions_named(data["action"]),
        who=data["who"],
        about=data["about"],
        since=_begin(data["since"]),
        until=_begin(data["until"], days=1),
    )


def _begin(day: date | None, days: int = 0) -> datetime | None:
    """When the day, or one so many days later, begins for whoever looks."""
    if day is None:
        return None
    return timezone.make_aware(datetime.combine(day + timedelta(days=days), time()))


def _row(row: selectors.AuditRow, names: selectors.Names) -> dict[str, Any]:
    return {
        "url": reverse("audit_event", args=[row.id]),
        "parts": sentence(row, names),
        "action": row.action,
        "acting_as": user_part(row.acting_as, names),
        "at": row.at,
    }


def _linked(parts: list[Part]) -> list[dict[str, str]]:
    return [_link(part) for part in parts]


def _link(part: Part | None) -> Any:
    """The piece, with the address of what it names."""
    if part is None:
        return None
    names = {
        "user": "user_detail",
        "agent": "agent_detail",
        "session": "session_detail",
        "memory": "memory_detail",
        "contact": "contact_detail",
        "group": "contact_detail",
    }
    url = reverse(names[part.kind], args=[part.key or part.text]) if part.leads else ""
    return {"kind": part.kind, "text": part.text, "url": url, "platform": part.platform}


def _look(look: selectors.Look, me: str) -> dict[str, Any]:
    view = look.view
    ended = (view.ended_at or min(view.expires_at, timezone.now())) if view else None
    return {
        "at": look.at,
        "who": look.who,
        "view": view,
        "running": view is not None and view.ended_at is None and view.expires_at > timezone.now(),
        "minutes": round((ended - look.at).total_seconds() / 60) if ended else None,
        "did": LOOKED.get(look.action, ""),
        "as_me": look.acting_as is not None and look.acting_as == me,
        "acting_as": look.acting_as,
    }
