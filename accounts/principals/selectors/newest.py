"""Lists that stand newest first, read a page at a time in both directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from accounts.http.paging import encode_cursor, moment_from_cursor

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

ORDER = ("-created_at", "-id")


@dataclass(frozen=True, slots=True)
class Newest:
    """Rows of one page, and the cursors of its neighbours."""

    rows: list[Any]
    older: str | None
    newer: str | None


def newest(*sources: QuerySet[Any], limit: int, older: str | None, newer: str | None) -> Newest:
    """One page of the rows of all sources together, by (created_at, id). A statement for each.

    Args:
        older, newer: a cursor; at most one of them.

    Raises:
        InvalidArgument: a cursor that no list gave out.
    """
    backwards = newer is not None
    behind = moment_from_cursor(newer if backwards else older)
    found: list[Any] = []
    for rows in sources:
        if behind is not None:
            rows = rows.filter(_after(*behind) if backwards else before(*behind))  # noqa: PLW2901
        order = ("created_at", "id") if backwards else ORDER
        found += rows.order_by(*order)[: limit + 1]
    found.sort(key=_place, reverse=not backwards)
    more, found = len(found) > limit, found[:limit]
    if backwards:
        found.reverse()
    if not found:
        return Newest([], None, None)
    has_older, has_newer = (True, more) if backwards else (more, behind is not None)
    return Newest(
        found,
        _cursor(found[-1]) if has_older else None,
        _cursor(found[0]) if has_newer else None,
    )


def before(at: datetime, key: UUID) -> Q:
    """What stands behind that row. The first part alone is what an index reads."""
    return Q(created_at__lte=at) & (Q(created_at__lt=at) | Q(id__lt=key))


def _after(at: datetime, key: UUID) -> Q:
    return Q(created_at__gte=at) & (Q(created_at__gt=at) | Q(id__gt=key))


def _place(row: Any) -> tuple[datetime, UUID]:
    return row.created_at, row.pk


def _cursor(row: Any) -> str:
    return encode_cursor(row.created_at.isoformat(), str(row.pk))
