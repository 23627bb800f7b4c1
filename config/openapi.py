"""Adds to the OpenAPI file what every route has in common: refusals and context headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.http.envelope import ErrorEnvelope
from accounts.names import ID_PATTERN

if TYPE_CHECKING:
    from collections.abc import Mapping

REFUSALS = {
    400: "INVALID_ARGUMENT: a value is refused, or the JSON cannot be read",
    401: "UNAUTHENTICATED: no, unknown, revoked or expired key",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND: absent, or not visible to the caller",
    409: "ALREADY_EXISTS, CONFLICT",
    412: "FAILED_PRECONDITION",
    413: "RESOURCE_EXHAUSTED: the body is too large",
    415: "INVALID_ARGUMENT: the body is not application/json",
    422: "INVALID_ARGUMENT: a wrong type or a missing field; details.errors[] says where",
    429: "RESOURCE_EXHAUSTED: see Retry-After",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE: see Retry-After",
}
CONTEXT_HEADERS = {
    "X-Bailiwick-Account": "Account that is meant. X-OpenViking-Account means the same.",
    "X-Bailiwick-User": "User on whose behalf: an admin's key or the root key only.",
    "X-Bailiwick-Agent": "Agent on whose behalf; `default` when absent.",
    "X-Bailiwick-Contact": "Contact to which all is narrowed: UUID or platform:id.",
    "X-OpenViking-Actor-Peer": "The same for a contact of one's own user on platform peer.",
}
IDEMPOTENCY = {
    "Idempotency-Key": "A repetition with the same key is answered, not done again; 24 hours."
}
ID_HEADERS = {"X-Bailiwick-Account", "X-Bailiwick-User", "X-Bailiwick-Agent"}
ON_ACCOUNT_DATA = (
    *("/sessions", "/tasks", "/agents", "/whoami"),
    *("/memories", "/uris", "/users"),
)


def with_errors(schema: Any) -> Any:
    """Add refusals to every operation, and the context headers to those on account data."""
    error = ErrorEnvelope.model_json_schema(ref_template="#/components/schemas/{model}")
    components = schema["components"]["schemas"]
    components.update(error.pop("$defs", {}))
    components["Error"] = error
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            for status, meaning in REFUSALS.items():
                operation["responses"].setdefault(status, _refusal(meaning))
            parameters = operation.setdefault("parameters", [])
            if path.removeprefix("/api/v1").startswith(ON_ACCOUNT_DATA):
                parameters += _headers(CONTEXT_HEADERS)
            if method != "get" and "/system" not in path:
                parameters += _headers(IDEMPOTENCY)
    return schema


def _refusal(meaning: str) -> dict[str, Any]:
    return {
        "description": meaning,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }


def _headers(meanings: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "in": "header",
            "name": name,
            "required": False,
            "description": meaning,
            "schema": {"type": "string", "pattern": ID_PATTERN}
            if name in ID_HEADERS
            else {"type": "string", "maxLength": 300},
        }
        for name, meaning in meanings.items()
    ]
