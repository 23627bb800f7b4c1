"""What every list of the pages shares: its length, its cursors, its filters in words.

A list is one address. Its filters and its place are the query; `older` and `newer` are cursors of
`accounts/http/paging.py`. `components/standing.html` and `components/paging.html` show what is
made here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.forms import Form

    from accounts.http.request import OurRequest

PAGE = 50  # rows of one page
CURSORS = ("older", "newer")


class CountedPage(Protocol):
    """A page of a list that was counted with it, of rows that say when they were made."""

    @property
    def rows(self) -> Sequence[Any]: ...
    @property
    def total(self) -> int: ...
    @property
    def capped(self) -> bool: ...
    @property
    def older(self) -> str | None: ...
    @property
    def newer(self) -> str | None: ...


def cursors(request: OurRequest) -> dict[str, str | None]:
    """Where in a list the request is; unchecked, the selector refuses what no list gave out."""
    return {name: request.GET.get(name) for name in CURSORS}


def list_context(request: OurRequest, form: Form | None, found: CountedPage) -> dict[str, Any]:
    """What the templates of a list say beside its rows: filters, count, neighbours.

    Args:
        form: the valid filter form; None for a list that has no filters.
    """
    return {
        "total": found.total,
        "capped": found.capped,
        "last_shown_at": found.rows[-1].created_at if found.rows else None,
        **filter_context(request, form),
        **neighbours(request, found.older, found.newer),
    }


def filter_context(request: OurRequest, form: Form | None) -> dict[str, Any]:
    """Which filters are set, and the address of the list without any."""
    active = active_filters(request, form) if form else []
    return {"active": active, "filtered": bool(active), "clear_url": request.path}


def active_filters(request: OurRequest, form: Form) -> list[dict[str, str]]:
    """The filters in words, each with the address of the list without it.

    A form with `filter_words(name, value)` says itself what a field and its value are called there.
    """
    said = getattr(form, "filter_words", filter_words)
    active = []
    for name, value in form.cleaned_data.items():
        if value:
            label, words = said(name, value)
            active.append({"label": label, "value": words, "remove_url": address(request, name)})
    return active


def filter_words(name: str, value: Any) -> tuple[str, str]:
    """How an active filter reads, where its form says nothing else: a label, and the value."""
    return ("with", f"“{value}”") if name == "q" else (name, str(value))


def neighbours(request: OurRequest, older: str | None, newer: str | None) -> dict[str, str | None]:
    """Addresses of the pages beside this one; None where there is no such page."""
    return {
        f"{name}_url": None if cursor is None else address(request, at={name: cursor})
        for name, cursor in (("older", older), ("newer", newer))
    }


def address(
    request: OurRequest,
    *without: str,
    at: Mapping[str, str] | None = None,
    path: str = "",
) -> str:
    """The list from its beginning, filtered as now.

    Args:
        without: names of filters that are left out.
        at: a cursor by its name, where it does not begin at the beginning.
        path: something else with the same filters, such as a file of the same rows.
    """
    query = request.GET.copy()
    for name in (*CURSORS, *without):
        query.pop(name, None)
    for name, cursor in (at or {}).items():
        query[name] = cursor
    path = path or request.path
    return f"{path}?{query.urlencode()}" if query else path
