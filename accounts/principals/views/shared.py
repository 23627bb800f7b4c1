"""What the pages about principals share: what is absent, and the first call."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from django.http import Http404

from accounts.actor import Scope
from accounts.errors import InvalidArgument, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from django.http import HttpResponse

    from accounts.http.request import AccountRequest

P = ParamSpec("P")


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
