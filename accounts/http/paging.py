"""Cursors: opaque, URL-safe, refused when they were not made here."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from uuid import UUID

from accounts.errors import InvalidArgument

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_CURSOR = 200  # characters; ours have fewer


def check_limit(limit: int, *, highest: int = MAX_LIMIT) -> int:
    """Return the limit, or raise InvalidArgument when it is out of range."""
    if not 1 <= limit <= highest:
        raise InvalidArgument(f"limit must be from 1 to {highest}.", field="limit")
    return limit


def encode_cursor(*parts: str) -> str:
    """One opaque text for a position in a list."""
    return base64.urlsafe_b64encode("\n".join(parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, parts: int) -> list[str]:
    """The parts of a cursor made by encode_cursor, or InvalidArgument."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        found = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        values = found.decode("ascii").split("\n")
    except (ValueError, binascii.Error):
        values = []
    if len(cursor) > MAX_CURSOR or len(values) != parts:
        raise unknown_cursor()
    return values


def id_from_cursor(cursor: str | None) -> UUID | None:
    """The row id behind which a list ordered by id goes on."""
    if not cursor:
        return None
    try:
        return UUID(decode_cursor(cursor, 1)[0])
    except ValueError:
        raise unknown_cursor() from None


def moment_from_cursor(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The time and row id behind which a list ordered by time goes on."""
    if not cursor:
        return None
    moment, row = decode_cursor(cursor, 2)
    try:
        at, behind = datetime.fromisoformat(moment), UUID(row)
    except ValueError:
        raise unknown_cursor() from None
    if at.utcoffset() != timedelta(0):  # ours are all UTC; some others PostgreSQL cannot compare
        raise unknown_cursor()
    return at, behind


def unknown_cursor() -> InvalidArgument:
    """The refusal of a cursor that no list gave out."""
    return InvalidArgument("This cursor is not known.", field="cursor")
