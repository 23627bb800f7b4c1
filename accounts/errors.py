"""Domain errors. Services and access functions raise them; every surface renders them alike."""

from __future__ import annotations

from typing import Any, ClassVar


class DomainError(Exception):
    """A refusal with the code and HTTP status of http-api's envelope.

    Args:
        message: one sentence for the caller; never holds what the caller may not see.
        details: machine-readable facts, JSON types only.
    """

    code: ClassVar[str] = "INTERNAL"
    status: ClassVar[int] = 500

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidArgument(DomainError):
    code, status = "INVALID_ARGUMENT", 400


class InvalidUri(DomainError):
    code, status = "INVALID_URI", 400


class Unauthenticated(DomainError):
    code, status = "UNAUTHENTICATED", 401


class PermissionDenied(DomainError):
    code, status = "PERMISSION_DENIED", 403


class NotFound(DomainError):
    """Absent, or not visible to the caller: the two are never told apart."""

    code, status = "NOT_FOUND", 404

    def __init__(self, kind: str, resource: str) -> None:
        super().__init__(f"No such {kind}.", resource=resource, type=kind)


class AlreadyExists(DomainError):
    code, status = "ALREADY_EXISTS", 409


class Conflict(DomainError):
    code, status = "CONFLICT", 409


class FailedPrecondition(DomainError):
    code, status = "FAILED_PRECONDITION", 412


class ResourceExhausted(DomainError):
    code, status = "RESOURCE_EXHAUSTED", 429


class Unimplemented(DomainError):
    code, status = "UNIMPLEMENTED", 501


class Unavailable(DomainError):
    """Try again later."""

    code, status = "UNAVAILABLE", 503


class CrossAccountAccess(RuntimeError):
    """Code used in one account what it made in another: a defect of ours, never the caller's.

    It is no DomainError, so that no surface can turn it into a polite answer.
    """


class Malformed(DomainError):
    """The body has not the shape that the route takes: a wrong type or a missing field."""

    code, status = "INVALID_ARGUMENT", 422

    def __init__(self, message: str, *errors: dict[str, Any]) -> None:
        super().__init__(message, errors=list(errors))
