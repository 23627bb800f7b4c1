"""Dashboard pages of one account lie under `/a/<account>/`; this enters and leaves it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from django.http import Http404, HttpResponseRedirect
from django.urls import get_script_prefix, set_script_prefix
from django_htmx.http import HttpResponseClientRedirect

from accounts import tenancy
from accounts.principals.authentication import actor_by_membership

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http.response import HttpResponseBase

    from accounts.http.request import AccountRequest

PREFIX = "/a/"
ACCOUNT_URLS = "config.account_urls"


class AccountPathMiddleware:
    """Checks the membership on each request, binds `request.actor`, and strips the prefix.

    The prefix becomes the script prefix, so `reverse` and `{% url %}` give addresses inside the
    account with no argument. Nothing that is made for one account is cached for another.
    """

    def __init__(self, get_response: Callable[[AccountRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: AccountRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        account_id, _, rest = request.path_info.removeprefix(PREFIX).partition("/")
        actor = actor_by_membership(account_id, request.user.pk, request_id=request.request_id)
        if not actor:
            # A foreign account and an absent one look alike.
            raise Http404
        before = get_script_prefix()
        request.actor = actor
        request.urlconf = ACCOUNT_URLS
        request.path_info = f"/{rest}"
        set_script_prefix(f"{PREFIX}{actor.account.account_id}/")
        try:
            response = self.get_response(request)
        finally:
            set_script_prefix(before)
            tenancy.leave()
        return response


def _to_sign_in(request: AccountRequest) -> HttpResponseBase:
    """To the sign-in page, and back to a whole page afterwards."""
    if request.htmx and not request.htmx.boosted:
        current = request.htmx.current_url_abs_path or request.path
        return HttpResponseClientRedirect(f"/sign-in?next={quote(current)}")
    return HttpResponseRedirect(f"/sign-in?next={quote(request.get_full_path())}")
