"""The one API object: routers, error handlers, documentation."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import IntegrityError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from accounts.errors import DomainError, Unavailable
from accounts.http.envelope import error_response, problem_response, request_id
from accounts.http.parser import StrictParser
from accounts.principals.agents_api import router as agents_router
from accounts.principals.agents_api import who_router
from accounts.principals.api import router as admin_router
from accounts.principals.contacts_api import handles_router
from accounts.principals.contacts_api import router as contacts_router
from config.errors import plain_problem
from config.openapi import with_errors
from config.system import router as system_router
from memory.api import router as memories_router
from memory.api import uri_router
from memory.consent_api import router as consent_router
from memory.control_api import router as control_router
from memory.policy_api import router as preview_router
from sessions_app.api import router as sessions_router
from sessions_app.inbound_api import router as inbound_router
from sessions_app.tasks_api import router as tasks_router

log = logging.getLogger("bailiwick.api")


class BailiwickAPI(NinjaAPI):
    """NinjaAPI whose OpenAPI file also names what every route may refuse."""

    def get_openapi_schema(self, *args: Any, **kwargs: Any) -> Any:
        return with_errors(super().get_openapi_schema(*args, **kwargs))


api = BailiwickAPI(
    title="Bailiwick",
    version=settings.VERSION,
    description="Sessions and memories of AI agents that serve many people.",
    parser=StrictParser(),
    docs_url="/docs",
    openapi_url="/openapi.json",
    urls_namespace="api",
)
api.add_router("/admin", admin_router)
api.add_router("/sessions", sessions_router)
api.add_router("/admin", preview_router)
api.add_router("/agents", agents_router)
api.add_router("/contacts", contacts_router)
api.add_router("/contacts", consent_router)
api.add_router("/handles", handles_router)
api.add_router("/tasks", tasks_router)
api.add_router("/memories", memories_router)
api.add_router("/uris", uri_router)
api.add_router("/users", control_router)
api.add_router("/system", system_router)
api.add_router("", who_router)
api.add_router("", inbound_router)


@api.exception_handler(DomainError)
def refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    return error_response(request, error)


@api.exception_handler(ValidationError)
def malformed(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """A wrong type or a missing field; the caller's own values are not echoed."""
    errors = [
        {"loc": _place(item["loc"]), "msg": item["msg"], "type": item["type"]}
        for item in error.errors
    ]
    where = ".".join(str(part) for part in errors[0]["loc"][1:]) if errors else ""
    message = f"The request has a wrong shape: {where}." if where else "A wrong shape."
    return problem_response(request, 422, "INVALID_ARGUMENT", message, {"errors": errors})


def _place(loc: tuple[Any, ...]) -> list[Any]:
    """`["body", "created_at"]`: the framework puts the parameter's own name behind `body`."""
    return list(loc[:1] + loc[2:]) if loc[:2] == ("body", "body") else list(loc)


@api.exception_handler(OperationalError)
def unavailable(request: HttpRequest, error: OperationalError) -> HttpResponse:
    """The database does not answer, or gave up on a lock: nothing was written, try again."""
    log.warning("%s %s", request_id(request), type(error).__name__)
    return error_response(request, Unavailable("The database does not answer; try again."))


@api.exception_handler(IntegrityError)
def overtaken(request: HttpRequest, error: IntegrityError) -> HttpResponse:
    """What the request refers to was deleted while it was served: nothing was written."""
    log.warning("%s %s", request_id(request), type(error).__name__)
    return error_response(request, Unavailable("Somebody changed this meanwhile; try again."))


@api.exception_handler(RequestDataTooBig)
def too_large(request: HttpRequest, _error: RequestDataTooBig) -> HttpResponse:
    return plain_problem(request, 413)


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    if isinstance(error.__cause__, DomainError):  # the framework's wrapping of our parser's refusal
        return error_response(request, error.__cause__)
    return problem_response(request, error.status_code, "INVALID_ARGUMENT", str(error))


@api.exception_handler(Http404)
def not_found(request: HttpRequest, _error: Http404) -> HttpResponse:
    return problem_response(request, 404, "NOT_FOUND", "No such address.")


@api.exception_handler(Exception)
def failed(request: HttpRequest, error: Exception) -> HttpResponse:
    """A defect of ours. The log has the place but not the values, which may be people's words."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}")
        trace = trace.tb_next
    log.error(
        "%s %s at %s",
        request_id(request),
        type(error).__name__,
        " > ".join(frames[-6:]),
    )
    return problem_response(
        request,
        500,
        "INTERNAL",
        "Something went wrong here; the request id finds it in the log.",
    )
