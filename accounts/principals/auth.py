"""Authentication of API requests: from headers to an Actor or an Operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ninja.security.base import AuthBase

from accounts.actor import Actor, Operator, Scope
from accounts.errors import InvalidArgument, PermissionDenied, Unimplemented
from accounts.http.envelope import request_id
from accounts.principals import access
from accounts.principals.access import Context

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
        contact=request.headers.get("X-Bailiwick-Contact")
        or request.headers.get("X-OpenViking-Actor-Peer"),
    )


def _one(request: HttpRequest, name: str) -> str | None:
    ours = request.headers.get(f"X-Bailiwick-{name}")
    theirs = request.headers.get(f"X-OpenViking-{name}")
    if ours and theirs and ours.lower() != theirs.lower():
        raise InvalidArgument(f"X-Bailiwick-{name} and X-OpenViking-{name} differ.")
    return ours or theirs or None


class _KeyAuth(AuthBase):
    """Documents both headers in the OpenAPI file; the work is done in `__call__`."""

    openapi_type = "apiKey"
    openapi_in = "header"
    openapi_name = "X-API-Key"
    openapi_description = "An API key (or the root key). `Authorization: Bearer` works too."


class AccountAuth(_KeyAuth):
    """For routes on one account's data. Enters the account."""

    def __call__(self, request: HttpRequest) -> Actor:
        asked = context(request)
        if asked.contact is not None:
            # A contact always narrows. Until contacts exist, ignoring the header would widen.
            raise Unimplemented("Contacts are not available in this version.")
        actor = access.actor_by_key(credential(request), asked, request_id=request_id(request))
        access.require_scope(actor, Scope.READ if request.method in READING else Scope.WRITE)
        return actor


class RootAuth(_KeyAuth):
    """For routes that only the root key may use."""

    def __call__(self, request: HttpRequest) -> Operator:
        secret = credential(request)
        operator = access.operator_by_key(secret, request_id=request_id(request))
        if operator is None:
            access.actor_by_key(secret, Context(), request_id=request_id(request))
            raise PermissionDenied("This needs the root key.")
        return operator


class ManagerAuth(_KeyAuth):
    """For `/admin` routes: ROOT, or a key whose account is looked at by the route itself.

    The context headers change nothing there: the real role decides.
    """

    def __call__(self, request: HttpRequest) -> Actor | Operator:
        secret = credential(request)
        return access.operator_by_key(secret, request_id=request_id(request)) or (
            access.actor_by_key(secret, Context(), request_id=request_id(request))
        )


def caller(request: HttpRequest) -> Any:
    """What authentication returned for this request."""
    return request.auth  # type: ignore[attr-defined]
