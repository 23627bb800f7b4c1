"""What every page shares: whole page or fragment, and the theme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import render

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.http.request import OurRequest

THEME_COOKIE = "bailiwick_theme"
THEMES = ("light", "dark")


def page(
    request: OurRequest,
    template: str,
    context: dict[str, Any],
    *,
    fragment: str,
    status: int = 200,
) -> HttpResponse:
    """Render the page, or only its fragment when htmx asks for one at the same address.

    Boosted navigation and history restoration get the whole page.
    """
    htmx = request.htmx
    if htmx and not htmx.boosted and not htmx.history_restore_request:
        template = f"{template}#{fragment}"
    return render(request, template, context, status=status)


def theme(request: HttpRequest) -> dict[str, str]:
    """Context processor: the chosen theme, or an empty text for the system's own."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    return {"theme": chosen if chosen in THEMES else ""}
