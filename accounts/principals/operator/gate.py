"""Who may enter the console: persons who are operators. For anyone else it is not there."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec
from urllib.parse import quote

from django.http import Http404, HttpResponseRedirect
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

from accounts.actor import Operator

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http.response import HttpResponseBase

    from accounts.http.request import OurRequest
    from accounts.models import Person

P = ParamSpec("P")


if TYPE_CHECKING:

    class OperatorRequest(OurRequest):
        """A request of a signed-in operator."""

        user: Person


def operators_only(
    view: Callable[Concatenate[OperatorRequest, P], HttpResponseBase],
) -> Callable[Concatenate[OperatorRequest, P], HttpResponseBase]:
    """A page of the console. It is kept nowhere, and changes with who is an operator at once."""

    @wraps(view)
    def guarded(request: OperatorRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        if not request.user.is_operator:
            raise Http404
        response = view(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        patch_vary_headers(response, ["Cookie", "HX-Request"])
        return response

    return guarded


def operator_of(request: OperatorRequest) -> Operator:
    """Who acts, for the services and their log."""
    return Operator(person=request.user.pk, request_id=request.request_id)


def _to_sign_in(request: OurRequest) -> HttpResponseBase:
    if request.htmx and not request.htmx.boosted:
        current = request.htmx.current_url_abs_path or request.path
        return HttpResponseClientRedirect(f"/sign-in?next={quote(current)}")
    return HttpResponseRedirect(f"/sign-in?next={quote(request.get_full_path())}")
