"""Dashboard pages of one account lie under `/a/<account>/`; this enters and leaves it.

It also keeps views (isolation.md, View as): which one the browser holds, that it changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.shortcuts import render
from django.urls import get_script_prefix, reverse, set_script_prefix, set_urlconf
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from accounts import tenancy
from accounts.actor import Role
from accounts.principals.membership import actor_by_membership

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http.response import HttpResponseBase

    from accounts.http.request import AccountRequest, OurRequest

PREFIX = "/a/"
ACCOUNT_URLS = "config.account_urls"
VIEWS = "views"  # in the browser's sign-in: account id in lower case → ViewAs
READING = ("GET", "HEAD")
LEAVE = "/view/leave"


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
        view = view_held(request, account_id)
        actor = actor_by_membership(
            account_id, request.user.pk, request_id=request.request_id, view=view
        )
        if not actor:
            # A foreign account and an absent one look alike.
            raise Http404
        before = get_script_prefix()
        request.actor = actor
        request.urlconf = ACCOUNT_URLS
        set_urlconf(ACCOUNT_URLS)  # for what is answered here, before the address is resolved
        request.path_info = f"/{rest}"
        set_script_prefix(f"{PREFIX}{actor.account.account_id}/")
        try:
            response = _kept_from_changing(request, view) or self._answer(request)
        finally:
            set_script_prefix(before)
            tenancy.leave()
        return response

    def _answer(self, request: AccountRequest) -> HttpResponseBase:
        if request.actor.viewing is None:
            return self.get_response(request)
        with timezone.override(ZoneInfo(request.actor.viewing.time_zone)):
            return self.get_response(request)


def view_held(request: OurRequest, account_id: str) -> UUID | None:
    """The view that this browser's sign-in holds in the account, running or over."""
    held = request.session.get(VIEWS, {}).get(account_id.lower())
    return UUID(held) if held else None


def hold_view(request: AccountRequest, view: UUID | None) -> None:
    """Let this browser's sign-in hold a view in the account of the page, or none."""
    held = dict(request.session.get(VIEWS, {}))
    held.pop(request.actor.account.account_id.lower(), None)
    if view is not None:
        held[request.actor.account.account_id.lower()] = str(view)
    request.session[VIEWS] = held
    # Forms that stand open in another tab were made with other eyes: they do nothing any more.
    rotate_token(request)


def _kept_from_changing(request: AccountRequest, view: UUID | None) -> HttpResponseBase | None:
    """The refusal of a change within a view; the way out of one that is over; else None.

    Who believes to look through someone's eyes must not change anything with their own hands, so
    a view that ran out refuses the change, too.
    """
    if view is None:
        return None
    reading = request.method in READING
    if request.actor.viewing:
        if reading or request.path_info == LEAVE:
            return None
        return _refusal(request, over=False)
    hold_view(request, None)
    if not reading:
        return _refusal(request, over=True)
    admin = request.actor.role is Role.ADMIN  # else the role went meanwhile, and with it the page
    start = f"{reverse('view_as')}?over=1" if admin else reverse("account_home")
    return HttpResponseClientRedirect(start) if request.htmx else HttpResponseRedirect(start)


def _refusal(request: AccountRequest, *, over: bool) -> HttpResponseBase:
    context = {
        "over": over,
        "leave_url": reverse("view_leave"),
        "home_url": reverse("account_home"),
    }
    return render(request, "principals/view_refused.html", context, status=403)


def _to_sign_in(request: AccountRequest) -> HttpResponseBase:
    """To the sign-in page, and back to a whole page afterwards."""
    if request.htmx and not request.htmx.boosted:
        current = request.htmx.current_url_abs_path or request.path
        return HttpResponseClientRedirect(f"/sign-in?next={quote(current)}")
    return HttpResponseRedirect(f"/sign-in?next={quote(request.get_full_path())}")
