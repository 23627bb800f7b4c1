"""Sessions of an agent OS database in an order in which parents come before their forks.

In temporary tables, which SQLite keeps on disk: an installation may have any number of sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memory.importers.readonly import numbers

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Place:
    """A session's row, and its parent's.

    Attributes:
        looped: its parents lead back to itself; it has none then.
    """

    row: int
    parent: int | None = None
    looped: bool = False


def plain(database: sqlite3.Connection) -> Iterator[Place]:
    """All of them, as their rows lie; for tables in which nothing has a parent."""
    for row in numbers(database, "sessions"):
        yield Place(row)


def arranged(database: sqlite3.Connection) -> Iterator[Place]:
    """All of them, parents first, otherwise as their rows lie.

    A parent that is not there is none. Those in a ring have none; what hangs on it keeps its own.
    """
    _link(database)
    _place(database, "up IS NULL", ())
    _grow(database, 0)
    last = -(2**63)  # rows may have negative numbers
    while (row := _left_over(database, last)) is not None:
        last = row
        ring = _ring(database, row)
        before = _placed(database)
        for member in sorted(ring):
            database.execute("UPDATE bw_link SET up = NULL, looped = 1 WHERE row = ?", (member,))
            _place(database, "row = ?", (member,))
        _grow(database, before)
    for found in database.execute(
        "SELECT row, up, looped FROM bw_placed JOIN bw_link USING (row) ORDER BY position"
    ):
        yield Place(found["row"], found["up"], bool(found["looped"]))


def _link(database: sqlite3.Connection) -> None:
    """Each row with the row of its parent, if that is there."""
    database.execute(
        "CREATE TEMP TABLE bw_link (row INTEGER PRIMARY KEY, up INTEGER,"
        " looped INTEGER NOT NULL DEFAULT 0)"
    )
    for row in numbers(database, "sessions"):
        database.execute(
            "INSERT INTO bw_link (row, up) SELECT rowid, (SELECT parent.rowid FROM main.sessions"
            " AS parent WHERE parent.id = child.parent_session_id LIMIT 1)"
            " FROM main.sessions AS child WHERE rowid = ?",
            (row,),
        )
    database.execute("CREATE INDEX temp.bw_link_up ON bw_link (up)")
    database.execute("CREATE TEMP TABLE bw_placed (position INTEGER PRIMARY KEY, row UNIQUE)")


def _place(database: sqlite3.Connection, which: str, values: tuple[int, ...]) -> None:
    database.execute(
        f"INSERT INTO bw_placed (row) SELECT row FROM bw_link WHERE {which} ORDER BY row",  # noqa: S608 - constants only
        values,
    )


def _grow(database: sqlite3.Connection, placed: int) -> None:
    """Place the children of those placed after that position, then theirs, and so on."""
    while (now := _placed(database)) > placed:
        database.execute(
            "INSERT INTO bw_placed (row) SELECT child.row FROM bw_placed AS parent"
            " CROSS JOIN bw_link AS child ON child.up = parent.row"
            " WHERE parent.position > ? AND parent.position <= ?"
            " ORDER BY parent.position, child.row",
            (placed, now),
        )
        placed = now


def _placed(database: sqlite3.Connection) -> int:
    found: int | None = database.execute("SELECT max(position) FROM bw_placed").fetchone()[0]
    return found or 0


def _left_over(database: sqlite3.Connection, last: int) -> int | None:
    """The first row after that one which has no place: its parents never end."""
    found = database.execute(
        "SELECT row FROM bw_link WHERE row > ? AND NOT EXISTS"
        " (SELECT 1 FROM bw_placed WHERE bw_placed.row = bw_link.row) ORDER BY row LIMIT 1",
        (last,),
    ).fetchone()
    return None if found is None else int(found["row"])


def _ring(database: sqlite3.Connection, row: int) -> list[int]:
    """The rows of the ring to which this one's parents lead."""
    way: dict[int, None] = {}
    while row not in way:
        way[row] = None
        row = database.execute("SELECT up FROM bw_link WHERE row = ?", (row,)).fetchone()["up"]
    rows = list(way)
    return rows[rows.index(row) :]
