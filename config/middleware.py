"""The outermost layer: request id, time, the return to public, and API answers in the envelope."""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers

from accounts import tenancy
from accounts.principals.middleware import PREFIX as ACCOUNT_PREFIX
from config.errors import API_PREFIX, PLAIN, bad_address, plain_problem
from memory.services.imports import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http.response import HttpResponseBase

    from accounts.http.request import OurRequest

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_TAKES_FILES = re.compile(r"/a/[^/]+/imports/new")
_FORM_ROOM = 1024 * 1024  # bytes of an upload beside its files
log = logging.getLogger("bailiwick.request")


class RequestMiddleware:
    """Wraps everything. Also the only place that returns the thread to the public schema."""

    def __init__(self, get_response: Callable[[OurRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: OurRequest) -> HttpResponseBase:
        started = time.perf_counter()
        sent = request.headers.get("X-Request-Id", "")
        request.request_id = sent if _REQUEST_ID.fullmatch(sent) else uuid4().hex
        try:
            # No address of ours holds NUL, and the database cannot be asked about it.
            odd = "\x00" in request.path or _is_odd_form(request)
            if odd:
                response: HttpResponseBase = bad_address(request)
            elif _is_too_large(request):
                response = HttpResponse(PLAIN[413][1], "text/plain; charset=utf-8", 413)
            else:
                response = self.get_response(request)
        finally:
            tenancy.leave()
        if request.path.startswith(API_PREFIX):
            response = _enveloped(request, response)
            response.setdefault("Cache-Control", "no-store")
        if request.path.startswith(ACCOUNT_PREFIX):
            # Also of refusals: a page of an account is kept nowhere.
            response["Cache-Control"] = "no-store"
            patch_vary_headers(response, ["HX-Request"])
        took = time.perf_counter() - started
        response["X-Request-Id"] = request.request_id
        response["X-Process-Time"] = f"{took:.6f}"
        if response.status_code >= 500 and response.status_code != 501:
            log.warning(
                "%s %s %s %s",
                request.request_id,
                request.method,
                _route(request),
                response.status_code,
            )
        return response


class PageCompression(GZipMiddleware):
    """Compresses pages. Answers of the API are small, and theirs is the hot path.

    Django pads what it compresses, and masks its tokens, against guessing by length (BREACH).
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> Any:
        if request.path.startswith(API_PREFIX):
            return response
        return super().process_response(request, response)


def _is_odd_form(request: HttpRequest) -> bool:
    """Forms are UTF-8: other encodings can write what the database cannot hold."""
    charset = (request.content_params or {}).get("charset", "utf-8")
    return charset.lower() not in ("utf-8", "utf8")


def _is_too_large(request: HttpRequest) -> bool:
    """Files are written to the disk before any view is asked, whoever sends them; Django limits
    only what is beside them. Nothing comes without its length: the server reads none then."""
    if request.content_type != "multipart/form-data":
        return False
    length = request.META.get("CONTENT_LENGTH") or "0"
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if _TAKES_FILES.fullmatch(request.path):
        most = MAX_BYTES + _FORM_ROOM
    return not length.isdecimal() or int(length) > most


def _enveloped(request: OurRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Refusals that come from outside the API object, such as an unknown address."""
    is_json = response.get("Content-Type", "").startswith("application/json")
    if response.status_code not in PLAIN or is_json or not isinstance(response, HttpResponse):
        return response
    answer = plain_problem(request, response.status_code)
    for name, value in response.items():  # Allow, and what the inner middleware has set
        if name not in ("Content-Type", "Content-Length"):
            answer[name] = value
    return answer


def _route(request: OurRequest) -> str:
    """The route's pattern: a path may hold ids that are names."""
    match = request.resolver_match
    return match.route if match else "-"
