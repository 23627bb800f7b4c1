"""The envelope of every `/api/v1` answer (http-api.md)."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

from django.http import HttpRequest, JsonResponse
from ninja import Schema
from pydantic import ConfigDict

from accounts.errors import DomainError, ResourceExhausted, Unauthenticated, Unavailable

T = TypeVar("T")


class Page(Schema):
    """Where a list goes on."""

    next: str | None


class Envelope(Schema, Generic[T]):
    """A successful answer."""

    status: Literal["ok"] = "ok"
    result: T
    error: None = None
    request_id: str


class ListEnvelope(Schema, Generic[T]):
    """A successful answer that holds one page of a list."""

    status: Literal["ok"] = "ok"
    result: list[T]
    error: None = None
    page: Page
    request_id: str


class PageEnvelope(Schema, Generic[T]):
    """A successful answer whose result holds one page of a list, and something beside it."""

    status: Literal["ok"] = "ok"
    result: T
    error: None = None
    page: Page
    request_id: str


class Problem(Schema):
    """Why a request was refused."""

    code: str
    message: str
    details: dict[str, Any]


class ErrorEnvelope(Schema):
    """A refusal; nothing was changed."""

    model_config = ConfigDict(title="Error")

    status: Literal["error"] = "error"
    result: None = None
    error: Problem
    request_id: str


def ok(request: HttpRequest, result: Any) -> dict[str, Any]:
    """A success envelope around the result."""
    return {"status": "ok", "result": result, "error": None, "request_id": request_id(request)}


def ok_page(request: HttpRequest, result: list[Any], cursor: str | None) -> dict[str, Any]:
    """A success envelope around one page of a list."""
    return {**ok(request, result), "page": {"next": cursor}}


def request_id(request: HttpRequest) -> str:
    """The id that the request middleware gave the request."""
    return str(getattr(request, "request_id", ""))


def error_response(request: HttpRequest, error: DomainError) -> JsonResponse:
    """A refusal in the envelope, with the headers that its status asks for."""
    response = problem_response(request, error.status, error.code, error.message, error.details)
    if isinstance(error, Unauthenticated):
        response["WWW-Authenticate"] = "Bearer"
    if isinstance(error, ResourceExhausted | Unavailable):
        response["Retry-After"] = str(error.details.get("retry_after", 5))
    return response


def problem_response(
    request: HttpRequest,
    status: int,
    code: str,
    message: str,
    details: dict[str, Any] | None = None,
) -> JsonResponse:
    """A refusal in the envelope from its parts."""
    return JsonResponse(
        {
            "status": "error",
            "result": None,
            "error": {"code": code, "message": message, "details": details or {}},
            "request_id": request_id(request),
        },
        status=status,
    )
