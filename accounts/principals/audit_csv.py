"""The audit log as a file of comma-separated values."""

from __future__ import annotations

import csv
import json
from datetime import UTC
from io import StringIO
from typing import TYPE_CHECKING

from accounts.principals.audit_parts import (
    as_text,
    file_text,
    key_part,
    sentence,
    target_part,
    user_part,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from accounts.principals.audit_parts import Part
    from accounts.principals.selectors import AuditPage, AuditRow, Names

HEAD = (
    "time",
    "event",
    "action",
    "words",
    "actor",
    "actor_role",
    "actor_key",
    "acting_as",
    "target_type",
    "target",
    "target_name",
    "data",
    "request_id",
)
# A spreadsheet takes a cell that begins so for a formula and runs it.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_lines(pages: Iterable[AuditPage]) -> Iterator[str]:
    """The head, then the lines of each page."""
    yield _lines([HEAD])
    for page in pages:
        yield _lines([_cells(row, page.names) for row in page.rows])


def guarded(cell: str) -> str:
    """The cell as text that no spreadsheet runs: with an apostrophe in front where it must."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _cells(row: AuditRow, names: Names) -> tuple[str, ...]:
    return (
        row.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        str(row.id),
        row.action,
        as_text(sentence(row, names)),
        _text(user_part(row.actor, names)),
        row.actor_role,
        _text(key_part(row.actor_key, names)),
        _text(user_part(row.acting_as, names)),
        row.target_type,
        str(row.target or ""),
        _text(target_part(row, names)),
        json.dumps(row.data, sort_keys=True) if row.data else "",
        row.request_id,
    )


def _text(part: Part | None) -> str:
    return file_text(part) if part else ""


def _lines(rows: Iterable[tuple[str, ...]]) -> str:
    text = StringIO()
    csv.writer(text).writerows([guarded(cell) for cell in row] for row in rows)
    return text.getvalue()
