"""Reading JSON bodies: bad input is a 400 or 415, never a 500 behind the database's back."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NoReturn

from ninja.parser import Parser

from accounts.errors import DomainError, InvalidArgument, Malformed

if TYPE_CHECKING:
    from django.http import HttpRequest, QueryDict
    from django.utils.datastructures import MultiValueDict

MAX_DEPTH = 64
MAX_DIGITS = 4_300  # of a whole number; Python itself reads no more
_NO_OBJECT = {"loc": ["body"], "msg": "Input should be an object", "type": "dict_type"}


class UnsupportedMediaType(DomainError):
    code, status = "INVALID_ARGUMENT", 415


class StrictParser(Parser):
    """JSON in UTF-8 only, without what PostgreSQL cannot keep: NUL, lone surrogates, NaN."""

    def parse_body(self, request: HttpRequest) -> Any:
        body = request.body
        if not body:
            raise InvalidArgument("A JSON body is needed.")
        try:
            data = json.loads(
                body.decode("utf-8"),
                parse_constant=_refuse_constant,
                parse_float=_finite,
                parse_int=_whole,
            )
        except (ValueError, RecursionError) as error:
            raise InvalidArgument(f"The body is not valid JSON: {_short(error)}.") from None
        if not isinstance(data, dict):
            raise Malformed("The body must be a JSON object.", _NO_OBJECT)
        _check(data, 0, escapes=b"\\u" in body)
        return data

    def parse_querydict(
        self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        _refuse_control(data)
        return super().parse_querydict(data, list_fields, request)


def _refuse_control(data: MultiValueDict[str, Any] | QueryDict) -> None:
    for values in data.lists():
        for value in values[1]:
            check_text(value)


def check_type(request: HttpRequest) -> None:
    """Raise UnsupportedMediaType for a body that is not JSON; an empty one needs no type.

    A web page can post forms and text to a loopback server, but not this type.
    """
    if request.method in ("GET", "HEAD", "OPTIONS") or request.content_type == "application/json":
        return
    announced = request.META.get("CONTENT_LENGTH") or request.META.get("HTTP_TRANSFER_ENCODING")
    if announced and request.body:
        raise UnsupportedMediaType("The body must be application/json.")


def check_text(value: str) -> None:
    """Raise InvalidArgument for text that the database cannot keep."""
    if "\x00" in value:
        raise InvalidArgument("Text must not contain the character NUL.")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidArgument("Text must not contain lone surrogates.") from None


def _check(data: Any, depth: int, *, escapes: bool) -> None:
    """Depth always; texts only when the body used \\u, without which neither can be written."""
    if depth > MAX_DEPTH:
        raise InvalidArgument(f"The body is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(data, dict):
        for key, value in data.items():
            if escapes:
                check_text(key)
            _check(value, depth + 1, escapes=escapes)
    elif isinstance(data, list):
        for value in data:
            _check(value, depth + 1, escapes=escapes)
    elif escapes and isinstance(data, str):
        check_text(data)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError("a number is too large")
    return int(text)


def _short(error: Exception) -> str:
    return "too deeply nested" if isinstance(error, RecursionError) else str(error)[:120]
