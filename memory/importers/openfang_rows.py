"""Reading rows of an agent OS database (format C), whichever of its versions made the tables."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from memory.importers.plain import SourceName
from memory.importers.readonly import FAULTS, columns, numbers, opened, said
from memory.importers.values import Cleaner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from memory.importers.values import Problems

Row = sqlite3.Row
NIL = "00000000-0000-0000-0000-000000000000"
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
MAX_ID = 200
# What this reader makes of rows without an id of their own, and of canonical sessions.
ROW_KEY, CANONICAL_KEY = "row:", "canonical-"


def key_of(row: int, value: object) -> str:
    """What a session or memory is called: its id, or its row if that is no id that can be kept."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID:
        return f"{ROW_KEY}{row}"
    if not value.isprintable() or value.startswith((ROW_KEY, CANONICAL_KEY)):
        return f"{ROW_KEY}{row}"
    return value


def name_of(cleaner: Cleaner, value: object) -> str:
    """An id of a user or agent; empty for none. UUIDs are in lower case."""
    text = cleaner.words(value).strip()
    if _UUID.fullmatch(text):
        text = text.lower()
    return "" if text == NIL else text[:MAX_ID]


def is_uuid(value: object) -> bool:
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def wanted(available: frozenset[str], *names: str) -> str:
    """These columns for a SELECT; what this version lacks is NULL."""
    return ", ".join(name if name in available else f"NULL AS {name}" for name in names)


class Tables:
    """The database's tables, each read on a connection of its own, and what fails there."""

    def __init__(self, path: Path, problems: Problems) -> None:
        self.path = path
        self.problems = problems
        self._columns: dict[str, frozenset[str]] = {}

    def where(self, table: str, key: str) -> str:
        return f"{self.path.name} {table} {key}"

    def connect(self) -> closing[sqlite3.Connection]:
        return closing(opened(self.path))

    def columns(self, database: sqlite3.Connection, table: str) -> frozenset[str]:
        """The columns of a table; none if this version lacks it."""
        if table not in self._columns:
            self._columns[table] = columns(database, table)
        return self._columns[table]

    def rows(
        self, table: str, *names: str, order: str | None = None
    ) -> Iterator[tuple[sqlite3.Connection, Row]]:
        """Every row of a table (none if this version lacks it), with the connection it comes from.

        Beside the columns, `row` is its number. A table that breaks off ends here, as a problem.
        """
        try:
            with self.connect() as database:
                available = self.columns(database, table)
                if not available:
                    return
                chosen = wanted(available, *names)
                for number in _ordered(database, table, order):
                    row = self.row(database, table, chosen, number)
                    if row is not None:
                        yield database, row
        except FAULTS as error:
            self.unreadable(table, error)

    def row(self, database: sqlite3.Connection, table: str, names: str, number: int) -> Row | None:
        """One row, or None and a problem."""
        try:
            found: Row | None = database.execute(
                f"SELECT rowid AS row, {names} FROM main.{table} WHERE rowid = ?",  # noqa: S608 - constants only
                (number,),
            ).fetchone()
        except FAULTS as error:
            self.problems.add(
                self.where(table, f"{ROW_KEY}{number}"),
                f"The row cannot be read: {said(error)}.",
                1,
            )
            return None
        return found

    def unreadable(self, table: str, error: Exception) -> None:
        self.problems.add(
            f"{self.path.name} {table}", f"The rest of the table cannot be read: {said(error)}."
        )

    def agent(
        self, database: sqlite3.Connection, cleaner: Cleaner, value: Any
    ) -> SourceName | None:
        """The agent with that id, and its name where the registry has it."""
        key = name_of(cleaner, value)
        if not key:
            return None
        if {"id", "name"} - self.columns(database, "agents"):
            return SourceName(key)
        try:
            row = database.execute("SELECT name FROM main.agents WHERE id = ?", (value,)).fetchone()
        except FAULTS:
            return SourceName(key)
        return SourceName(key, cleaner.words(row["name"]) if row is not None else "")

    def remark(self, where: str, cleaner: Cleaner) -> None:
        """What was changed in the values of one row."""
        for what in cleaner.remarks():
            self.problems.add(where, what)


def _ordered(database: sqlite3.Connection, table: str, order: str | None) -> Iterator[int]:
    """The numbers of the rows, as they lie or by a column."""
    if order is None:
        yield from numbers(database, table)
        return
    # Sorted on disk, and by us: a damaged table must not keep SQLite's own sorter for ever.
    database.execute("CREATE TEMP TABLE bw_order (row INTEGER PRIMARY KEY, at)")
    fault: Exception | None = None
    try:
        for number in numbers(database, table):
            database.execute(
                f"INSERT INTO bw_order SELECT rowid, {order} FROM main.{table} WHERE rowid = ?",  # noqa: S608 - constants only
                (number,),
            )
    except FAULTS as error:
        fault = error
    for (number,) in database.execute("SELECT row FROM bw_order ORDER BY at, row"):
        yield number
    if fault is not None:
        raise fault


def user_of(cleaner: Cleaner, value: object) -> SourceName | None:
    """The user with that id; None: the default one."""
    key = name_of(cleaner, value)
    return SourceName(key) if key else None
