"""The one rule on ids that people choose (isolation.md, Authentication)."""

from __future__ import annotations

import re
from uuid import UUID

from accounts.errors import InvalidArgument, NotFound

ID_PATTERN = r"^[a-zA-Z0-9_-]{1,64}$"
SESSION_ID_PATTERN = r"^[a-zA-Z0-9_-]{1,128}$"
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}", re.ASCII)
_NUMBER = re.compile(r"[0-9a-f-]{16,64}")
_SESSION_ID = re.compile(r"[a-zA-Z0-9_-]{1,128}", re.ASCII)

# Words that mean something else: the default principal, retired aliases, roles, and the first
# segments of the shorthand addresses viking://user/… and viking://agent/… .
RESERVED_IDS = frozenset(
    {"default", "test", "root", "system"}
    | {"memories", "skills", "instructions", "workspaces", "profile", "user", "agent"}
    | {"session", "sessions", "resources", "temp", "queue"}
)


def is_id(value: str) -> bool:
    """Whether the text has the shape of an id."""
    return _ID.fullmatch(value) is not None


def is_plain_number(value: str) -> bool:
    """Whether a request id may be stored: hexadecimal only, since a client may choose words."""
    return _NUMBER.fullmatch(value) is not None


def check_id(value: str, what: str) -> str:
    """Return the id, or raise InvalidArgument when it does not match the pattern."""
    if not is_id(value):
        raise InvalidArgument(
            f"{what} must be 1 to 64 letters, digits, '_' or '-'.", field=what, pattern=ID_PATTERN
        )
    return value


def check_session_id(value: str) -> str:
    """Return the session id, or raise InvalidArgument when it does not match the pattern."""
    if not _SESSION_ID.fullmatch(value):
        raise InvalidArgument(
            "session_id must be 1 to 128 letters, digits, '_' or '-'.",
            field="session_id",
            pattern=SESSION_ID_PATTERN,
        )
    return value


def check_new_id(value: str, what: str) -> str:
    """As check_id, and refuse what is reserved at creation: words in any case, UUID shapes."""
    check_id(value, what)
    if value.lower() in RESERVED_IDS or is_uuid(value):
        raise InvalidArgument(f"{what} {value!r} is reserved.", field=what)
    return value


def uuid_named(text: str, what: str) -> UUID:
    """The key that a path names; what is no UUID names nothing.

    Raises:
        NotFound: as for a row that is not there.
    """
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(what, text) from None


def is_uuid(value: str) -> bool:
    """Whether the text has the shape of a row's key."""
    try:
        UUID(value)
    except ValueError:
        return False
    return True
