"""Pages of a list that is ordered by row, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from accounts.http.paging import encode_cursor, id_from_cursor

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

T = TypeVar("T")
M = TypeVar("M", bound="Model")

COUNTED = 10_000  # lists count no further


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page, and the cursors of its neighbours.

    Attributes:
        total: how many the whole list has, counted to COUNTED.
    """

    rows: list[T]
    total: int
    older: str | None = None
    newer: str | None = None

    @property
    def capped(self) -> bool:
        return self.total >= COUNTED


def newest_first(rows: QuerySet[M], *, limit: int, older: str | None, newer: str | None) -> Page[M]:
    """The page behind `older`, before `newer`, or the first one. Two statements.

    Raises:
        InvalidArgument: a cursor that no list gave out.
    """
    total = rows[:COUNTED].count()
    behind, before = id_from_cursor(older), id_from_cursor(newer)
    if before is not None:
        found = list(rows.filter(id__gt=before).order_by("id")[: limit + 1])
        more, found = len(found) > limit, found[:limit][::-1]
        return Page(found, total, older=_cursor(found, -1), newer=_cursor(found, 0, wanted=more))
    if behind is not None:
        rows = rows.filter(id__lt=behind)
    found = list(rows.order_by("-id")[: limit + 1])
    more, found = len(found) > limit, found[:limit]
    return Page(
        found,
        total,
        older=_cursor(found, -1, wanted=more),
        newer=_cursor(found, 0, wanted=behind is not None),
    )


def _cursor(rows: list[M], place: int, *, wanted: bool = True) -> str | None:
    return encode_cursor(str(rows[place].pk)) if rows and wanted else None
