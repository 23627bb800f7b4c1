"""Times that callers name: aware, and within what every part of the system can write and read."""

from __future__ import annotations

from datetime import UTC, datetime

from accounts.errors import InvalidArgument

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def checked_moment(value: datetime, what: str) -> datetime:
    """The same moment, in UTC where no zone was named.

    Raises:
        InvalidArgument: before 1970 or after 2199.
    """
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    if not EARLIEST <= value < LATEST:
        raise InvalidArgument(
            f"{what} must lie between {EARLIEST.year} and {LATEST.year}.", field=what
        )
    return value
