"""What the pages about principals share: neighbours of a list, what is absent, the first call."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from django.http import Http404

from accounts.actor import Scope
from accounts.errors import InvalidArgument, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from django.forms import Form
    from django.http import HttpResponse

    from accounts.http.request import AccountRequest, OurRequest
    from accounts.principals.selectors import Page

P = ParamSpec("P")
PAGE = 50
CURSORS = ("older", "newer")


def absent_is_404(
    view: Callable[Concatenate[AccountRequest, P], HttpResponse],
) -> Callable[Concatenate[AccountRequest, P], HttpResponse]:
    """What is not there, is not the actor's, or is a cursor that no list gave out, is a 404."""

    @wraps(view)
    def answered(request: AccountRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except (InvalidArgument, NotFound):
            raise Http404 from None

    return answered


def cursors(request: OurRequest) -> dict[str, str | None]:
    """Where in a list the request is."""
    return {name: request.GET.get(name) for name in CURSORS}


def list_context(request: OurRequest, form: Form | None, found: Page[Any]) -> dict[str, Any]:
    """What the templates of a list say beside its rows: filters, count, neighbours."""
    active = active_filters(request, form) if form else []
    return {
        "total": found.total,
        "capped": found.capped,
        "active": active,
        "filtered": bool(active),
        "clear_url": request.path,
        "last_shown_at": found.rows[-1].created_at if found.rows else None,
        **neighbours(request, found.older, found.newer),
    }


def neighbours(request: OurRequest, older: str | None, newer: str | None) -> dict[str, str | None]:
    """Addresses of the pages beside this one."""
    return {
        "older_url": _address(request, "older", older),
        "newer_url": _address(request, "newer", newer),
    }


def api_address(request: AccountRequest) -> str:
    """Where programs call this installation."""
    return request.build_absolute_uri("/api/v1")


def first_call(
    request: AccountRequest, *, key: str, user_id: str, scopes: Collection[str]
) -> dict[str, str]:
    """A line for a terminal that shows that the key works, and what it does."""
    api = api_address(request)
    if Scope.WRITE in scopes:
        session = f"hello-{user_id}"
        return {
            "command": (
                f"curl -X POST {api}/sessions/{session}/messages -H 'X-API-Key: {key}'"
                """ -H 'Content-Type: application/json' -d '{"role":"user","content":"Hello"}'"""
            ),
            "command_words": (
                f"This line, run in a terminal, says hello as {user_id}. The session {session}"
                " then stands under Sessions:"
            ),
        }
    if Scope.READ in scopes:
        return {
            "command": f"curl {api}/sessions -H 'X-API-Key: {key}'",
            "command_words": f"This line, run in a terminal, lists what {user_id} may read:",
        }
    return {"command": "", "command_words": ""}


def active_filters(request: OurRequest, form: Form) -> list[dict[str, str]]:
    """The filters in words, each with the address of the list without it.

    A form with `filter_words` says itself what a field and its value are called there.
    """
    said = getattr(form, "filter_words", _filter_words)
    active = []
    for name, value in form.cleaned_data.items():
        if value:
            rest = request.GET.copy()
            for key in (name, *CURSORS):
                rest.pop(key, None)
            label, words = said(name, value)
            address = f"{request.path}?{rest.urlencode()}" if rest else request.path
            active.append({"label": label, "value": words, "remove_url": address})
    return active


def _filter_words(name: str, value: Any) -> tuple[str, str]:
    return ("with", f"“{value}”") if name == "q" else (name, str(value))


def _address(request: OurRequest, name: str, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    query = request.GET.copy()
    for key in CURSORS:
        query.pop(key, None)
    query[name] = cursor
    return f"{request.path}?{query.urlencode()}"
