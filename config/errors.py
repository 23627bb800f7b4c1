"""Refusals that come from outside a view: the envelope for API addresses, a page for all others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.http import Http404
from django.views import defaults

from accounts.http.envelope import problem_response

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse, JsonResponse

API_PREFIX = "/api/"
PLAIN = {
    400: ("INVALID_ARGUMENT", "The request cannot be read."),
    403: ("PERMISSION_DENIED", "This is refused."),
    404: ("NOT_FOUND", "No such address."),
    405: ("METHOD_NOT_ALLOWED", "This address does not take this method."),
    413: ("RESOURCE_EXHAUSTED", "The body is larger than this server accepts."),
    501: ("UNIMPLEMENTED", "This is not offered."),
    500: ("INTERNAL", "Something went wrong here; the request id finds it in the log."),
}


def plain_problem(request: HttpRequest, status: int) -> JsonResponse:
    """The envelope for a status that no route of ours gave."""
    code, message = PLAIN[status]
    return problem_response(request, status, code, message)


# What clients of the system that we replace may ask for, and this one does not offer.
NOT_OFFERED = re.compile(
    r"/api/v1/(resources|skills|watches|fs|content|search|acl|pack|snapshot|observer|compile|relations"
    r"|agent-evolution|openviking-assets|system/consistency|debug|stats"
    r"|admin/(migrate|agent-evolution|accounts/[^/]+/groups)|sessions/[^/]+/config)(/|$)"
)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API_PREFIX):
        return plain_problem(request, 400)
    return defaults.bad_request(request, exception)


def bad_address(request: HttpRequest) -> HttpResponse:
    """An address with a character that no id may have."""
    if request.path.startswith(API_PREFIX):
        return plain_problem(request, 400)
    return defaults.page_not_found(request, Http404())


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API_PREFIX):
        return plain_problem(request, 403)
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if NOT_OFFERED.match(request.path):
        return plain_problem(request, 501)
    if request.path.startswith(API_PREFIX):
        return plain_problem(request, 404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(API_PREFIX):
        return plain_problem(request, 500)
    return defaults.server_error(request)
