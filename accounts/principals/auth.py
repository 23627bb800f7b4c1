"""Authentication of API requests: from headers to an Actor or an Operator."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from django.conf import settings
from ninja.security.base import AuthBase

from accounts.actor import Actor, Operator, Scope
from accounts.errors import InvalidArgument, PermissionDenied
from accounts.http.envelope import request_id
from accounts.http.parser import check_type
from accounts.principals import access, authentication
from accounts.principals.authentication import Context
from accounts.principals.throttle import throttle

if TYPE_CHECKING:
    from django.http import HttpRequest

READING = frozenset({"GET", "HEAD", "OPTIONS"})


def credential(request: HttpRequest) -> str:
    """The key that was sent, or an empty text. Two different ones are refused."""
    header = request.headers.get("X-API-Key", "").strip()
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    bearer = bearer.strip() if scheme.lower() == "bearer" else ""
    if header and bearer and header != bearer:
        raise InvalidArgument("X-API-Key and Authorization name different keys.")
    return header or bearer


def context(request: HttpRequest) -> Context:
    """The context headers; both families mean the same, and must not contradict each other."""
    return Context(
        account=_one(request, "Account"),
        user=_one(request, "User"),
        agent=_one(request, "Agent"),
        contact=request.headers.get("X-Bailiwick-Contact") or None,
        peer=request.headers.get("X-OpenViking-Actor-Peer") or None,
    )


def actor_of(request: HttpRequest) -> Actor:
    """Who is asking about an account's data, in the mode that the installation runs in."""
    check_type(request)
    asked, secret, number = context(request), credential(request), request_id(request)
    if settings.AUTH_MODE == "api_key":
        actor = authentication.actor_by_key(secret, asked, request_id=number)
    else:
        _refuse_strangers(request)
        if settings.AUTH_MODE == "trusted":
            actor = authentication.actor_by_gateway(secret, asked, request_id=number)
        else:
            actor = authentication.actor_of_developer(asked, request_id=number)
    throttle.take(actor.key or (actor.account.id, actor.user.user_id.lower()))
    return actor


def _one(request: HttpRequest, name: str) -> str | None:
    ours = request.headers.get(f"X-Bailiwick-{name}")
    theirs = request.headers.get(f"X-OpenViking-{name}")
    if ours and theirs and ours.lower() != theirs.lower():
        raise InvalidArgument(f"X-Bailiwick-{name} and X-OpenViking-{name} differ.")
    return ours or theirs or None


def _refuse_strangers(request: HttpRequest) -> None:
    """Where nobody is asked for a key, only programs on this machine are served.

    Not what a proxy forwarded, and not what a web page sends through somebody's browser.
    """
    if settings.AUTH_MODE == "trusted" and settings.GATEWAY_KEYS:
        return
    names = [name.lower() for name in request.headers]
    if "forwarded" in names or any(name.startswith("x-forwarded-") for name in names):
        raise PermissionDenied("This mode serves this machine only; the request was forwarded.")
    if not _is_loopback(request.META.get("REMOTE_ADDR", "")):
        raise PermissionDenied("This mode serves this machine only.")
    origin = request.headers.get("Origin")
    here = f"{request.scheme}://{request.get_host()}"
    fetched_from = request.headers.get("Sec-Fetch-Site", "none")
    if origin not in (None, here) or fetched_from not in ("none", "same-origin"):
        raise PermissionDenied("This mode does not serve other web pages.")


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


class _KeyAuth(AuthBase):
    """Documents both headers in the OpenAPI file; the work is done in `__call__`."""

    openapi_type = "apiKey"
    openapi_in = "header"
    openapi_name = "X-API-Key"
    openapi_description = "An API key (or the root key). `Authorization: Bearer` works too."


class AccountAuth(_KeyAuth):
    """For routes on one account's data. Enters the account.

    Args:
        about_contacts: on session and memory routes, a key with `contact_required` needs one.
        scope: what the route needs, where the method does not tell (isolation.md, Keys).
    """

    def __init__(self, *, about_contacts: bool = False, scope: Scope | None = None) -> None:
        super().__init__()
        self.about_contacts = about_contacts
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Actor:
        actor = actor_of(request)
        by_method = Scope.READ if request.method in READING else Scope.WRITE
        access.require_scope(actor, self.scope or by_method)
        if self.about_contacts and actor.contact_required and actor.contact is None:
            raise InvalidArgument("This key needs a contact: send X-Bailiwick-Contact.")
        return actor


class RootAuth(_KeyAuth):
    """For routes that only the root key may use."""

    def __call__(self, request: HttpRequest) -> Operator:
        found = _manager(request)
        if not isinstance(found, Operator):
            raise PermissionDenied("This needs the root key.")
        return found


class ManagerAuth(_KeyAuth):
    """For `/admin` routes: ROOT, or a key whose account is looked at by the route itself.

    The context headers change nothing there: the real role decides.
    """

    def __call__(self, request: HttpRequest) -> Actor | Operator:
        return _manager(request)


def _manager(request: HttpRequest) -> Actor | Operator:
    check_type(request)
    if settings.AUTH_MODE != "api_key":
        raise PermissionDenied("Admin routes are closed in this mode.")
    secret, number = credential(request), request_id(request)
    found = authentication.operator_by_key(secret, request_id=number) or (
        authentication.actor_by_key(secret, Context(), request_id=number)
    )
    throttle.take(found.key if isinstance(found, Actor) else "root")
    return found


def caller(request: HttpRequest) -> Any:
    """What authentication returned for this request."""
    return request.auth  # type: ignore[attr-defined]
