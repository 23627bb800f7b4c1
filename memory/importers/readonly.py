"""SQLite databases of others: opened so that neither they nor their folder change."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from memory.importers.plain import UnreadableSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_SECONDS = 5.0
_MAGIC = b"SQLite format 3\0"
_WAL = 2
# What a broken database raises: its messages may quote bytes that are no text.
FAULTS = (sqlite3.Error, UnicodeError)


def opened(path: Path) -> sqlite3.Connection:
    """A connection that reads the file and, where there is one, its write-ahead log.

    Temporary tables may be made on it: they lie elsewhere. Text that is no UTF-8 comes with
    surrogates in it.

    Raises:
        UnreadableSource: it is no SQLite database, is locked, or cannot be read as it lies there.
    """
    try:
        connection = sqlite3.connect(
            _address(path), uri=True, timeout=BUSY_SECONDS, isolation_level=None
        )
    except sqlite3.Error as error:
        raise UnreadableSource(f"{path} cannot be opened: {error}.") from error
    except OSError as error:
        raise UnreadableSource(f"{path} cannot be read: {error.strerror}.") from error
    try:
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except FAULTS as error:
        connection.close()
        raise UnreadableSource(_why(path, error)) from error
    return connection


def columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """The stored columns of a table; none if there is no such table.

    A view or a virtual table is none: reading it could run whatever its maker put there.
    """
    known = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND rootpage > 0 AND name = ?", (table,)
    )
    if known.fetchone() is None:
        return frozenset()
    rows = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return frozenset(name for (name,) in rows)


def numbers(connection: sqlite3.Connection, table: str) -> Iterator[int]:
    """The numbers of a table's rows, ascending. The name of the table is the caller's own.

    Raises:
        sqlite3.DatabaseError: the table is damaged; also where its pages lead in a ring, round
            which SQLite would go for ever.
    """
    last = None
    for (number,) in connection.execute(f"SELECT rowid FROM main.{table} ORDER BY rowid"):  # noqa: S608 - constants only
        if last is not None and number <= last:
            raise sqlite3.DatabaseError("its pages are out of order")
        last = number
        yield number


def _address(path: Path) -> str:
    """How to open it: a log that is there must be read; one that is not must not be made."""
    with path.open("rb") as file:
        head = file.read(20)
    if not head.startswith(_MAGIC):
        raise UnreadableSource(f"{path} is not a SQLite database.")
    log = path.with_name(f"{path.name}-wal")
    if head[18:20] == bytes([_WAL, _WAL]) and not (log.exists() and log.stat().st_size):
        # Read-only, SQLite would still lay an empty log and its index beside the file.
        return f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    return f"{path.absolute().as_uri()}?mode=ro"


def _why(path: Path, error: Exception) -> str:
    code = getattr(error, "sqlite_errorname", "")
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"{path} is locked by another program. Stop it and try again."
    if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")):
        return (
            f"{path} was not closed properly and cannot be read without a change. Copy it, with"
            " the files -wal and -journal beside it, to a folder that can be written to, and open"
            " it there once."
        )
    return f"{path} cannot be read: {said(error)}."


def said(error: Exception) -> str:
    """What a fault says of itself, as a piece of a sentence."""
    return "it is damaged" if isinstance(error, UnicodeError) else str(error)
