"""What every page shares: whole page or fragment, forms and what they did, the theme, the clock."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone

from accounts.actor import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.forms import Form
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

    from accounts.errors import DomainError
    from accounts.http.request import AccountRequest, OurRequest

THEME_COOKIE = "bailiwick_theme"
THEMES = ("light", "dark")
LAST_ACCOUNT = "account"  # in the browser's sign-in: the account_id where it was last
API_PREFIX = "/api/"
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Undo:
    """The way back, offered beside what was done: a form of its own.

    Attributes:
        url: where it is posted to. fields: what is posted. label: the word on the button.
    """

    url: str
    fields: dict[str, str] = field(default_factory=dict)
    label: str = "Undo"


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


def done(
    request: HttpRequest, url: str, said: str, *, undo: Undo | None = None
) -> HttpResponseRedirect:
    """After a change: on to the page at `url`, which says in a toast what was done."""
    toast = {"text": said, "undo": asdict(undo) if undo else None}
    messages.success(request, json.dumps(toast))
    response = HttpResponseRedirect(url)
    response.status_code = HTTPStatus.SEE_OTHER
    return response


def refused(form: Form, error: DomainError) -> None:
    """Put a service's refusal where the form shows it: at its field, or above all."""
    # What names nobody (`details["type"]`) stands in the field of that name.
    named = str(error.details.get("field") or error.details.get("type", ""))
    form.add_error(named if named in form.fields else None, error.message)


class Unprocessable:
    """For allauth's pages: a refused form is answered with 422, as everywhere here."""

    def form_invalid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        answer.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return answer


def users_only(
    view: Callable[Concatenate[AccountRequest, P], HttpResponseBase],
) -> Callable[Concatenate[AccountRequest, P], HttpResponseBase]:
    """A page that is a user's own: for a contact there is none, whoever looks with its eyes."""

    @wraps(view)
    def guarded(request: AccountRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.actor.contact is not None:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def admins_only(
    view: Callable[Concatenate[AccountRequest, P], HttpResponseBase],
) -> Callable[Concatenate[AccountRequest, P], HttpResponseBase]:
    """A page that only admins of the account have: anyone else gets 403, before any look-up.

    A contact does not even have the address.
    """

    @wraps(view)
    @users_only
    def guarded(request: AccountRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.actor.role is not Role.ADMIN:
            raise PermissionDenied("This page is for admins of the account.")
        return view(request, *args, **kwargs)

    return guarded


def site_of(request: HttpRequest) -> str:
    """Scheme and host of links that leave this page: for mails and for handing over.

    BAILIWICK_SITE says it; without it, it is what the browser asked for, held against
    ALLOWED_HOSTS, but with whatever port it named. Mail is sent only where it is set.
    """
    return settings.SITE or f"{request.scheme}://{request.get_host()}"


def theme(request: HttpRequest) -> dict[str, str]:
    """Context processor: the chosen theme, or an empty text for the system's own."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    return {"theme": chosen if chosen in THEMES else ""}


def toasts(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `toasts`, what was done just before; read only where it is shown.

    Within a view they wait: they are the admin's own, and no part of what somebody else sees.
    """

    def read() -> Iterator[dict[str, Any]]:
        actor = getattr(request, "actor", None)
        if actor is not None and actor.viewing:
            return
        for message in messages.get_messages(request):
            yield json.loads(message.message)

    return {"toasts": read}


class TimeZoneMiddleware:
    """Pages tell times in the time zone of whoever is signed in."""

    def __init__(self, get_response: Callable[[OurRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: OurRequest) -> HttpResponseBase:
        if request.path_info.startswith(API_PREFIX) or not request.user.is_authenticated:
            return self.get_response(request)
        with timezone.override(ZoneInfo(request.user.time_zone)):
            return self.get_response(request)
