"""SQLite files that a program left as it died, or still writes to; and rows that cannot be read."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from memory.importers import readonly
from memory.importers.plain import UnreadableSource

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_VALUE = 32 * 1024 * 1024  # bytes of one text or blob; what is longer is skipped
MAX_UNREAD = 1_000  # rows in a row, then the rest is given up
# Steps of SQLite's machine for one statement: over ten times what reading all of a file takes.
MIN_STEPS, STEPS_PER_BYTE, _STEPS = 10_000_000, 20, 100_000
_FIRST, _LAST = -(2**63), 2**63 - 1
_BESIDE = ("-wal", "-journal")
# A broken schema has names that are no UTF-8, and Python decodes those itself.
FAULTS = (sqlite3.Error, UnicodeDecodeError)


class Unread(NamedTuple):
    """A row that cannot be read. Attributes: row: its rowid; None: all from here on."""

    row: int | None
    why: str


class Opened(NamedTuple):
    """A database as it stood at one moment. Attributes: copy: a folder to remove at the end."""

    database: sqlite3.Connection
    copy: Path | None


def snapshot(path: Path) -> Opened:
    """Open the file for reading, all of it as of now, without a change to it or its folder.

    What a program that died left beside it (a log, a journal) would be worked in on opening: that
    is done to a copy.

    Raises:
        UnreadableSource: it is no SQLite database, is locked, or cannot be read or copied.
    """
    try:
        if _is_left(path):
            database, copy = _copied(path)
        else:
            database, copy = readonly.opened(path), None
    except UnicodeDecodeError as error:
        raise UnreadableSource(f"{path} cannot be read: its schema is broken.") from error
    except UnreadableSource as error:
        if not _needs_a_change(error):
            raise
        database, copy = _copied(path)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
    database.isolation_level = None
    _bound(database, path.stat().st_size)
    database.execute("BEGIN")
    return Opened(database, copy)


def stepped(
    database: sqlite3.Connection, rows: str, following: str, **values: Any
) -> Iterator[sqlite3.Row | Unread]:
    """The rows of a statement; one that cannot be read is named, and the next ones follow.

    Args:
        rows: selects from `:start` on, ordered, with the rowid as `row`.
        following: selects the first rowid from `:start` on. values: for both.
    """
    start, unread = _FIRST, 0
    while start <= _LAST:
        try:
            for row in database.execute(rows, {**values, "start": start}):
                if row["row"] < start:  # a broken tree may lead in circles
                    yield Unread(None, "the order of its rows is broken")
                    return
                start, unread = row["row"] + 1, 0
                yield row
        except FAULTS as error:
            why = str(error)
        else:
            return
        # Python asks for a row before it gives the one before it, so either may be the broken one.
        found = _one(database, following, {**values, "start": start})
        if not isinstance(found, sqlite3.Row) or unread > MAX_UNREAD or int(found[0]) < start:
            yield Unread(None, why)
            return
        start = int(found[0])
        alone = _one(database, f"{rows} LIMIT 1", {**values, "start": start})
        if isinstance(alone, sqlite3.Row):
            unread = 0
            yield alone
        else:
            unread += 1
            yield Unread(start, alone or why)
        start += 1


def as_text(key: str) -> str | bytes:
    """A text of the database as a value for `CAST(? AS TEXT)`.

    As bytes where it is no UTF-8; else not, since the file may hold its texts as UTF-16.
    """
    try:
        key.encode()
    except UnicodeEncodeError:
        return key.encode("utf-8", "surrogateescape")
    return key


def _bound(database: sqlite3.Connection, size: int) -> None:
    """End a statement that goes on for ever, as where pages of a broken file lead in a ring."""
    most, left = (MIN_STEPS + size * STEPS_PER_BYTE) // _STEPS, [0]

    def begin(_statement: str) -> None:
        left[0] = most

    def count() -> bool:
        left[0] -= 1
        return left[0] < 0

    database.set_trace_callback(begin)
    database.set_progress_handler(count, _STEPS)


def _one(
    database: sqlite3.Connection, statement: str, values: dict[str, Any]
) -> sqlite3.Row | str | None:
    """The one row, or why it cannot be read; None: there is none."""
    try:
        found: sqlite3.Row | None = database.execute(statement, values).fetchone()
    except FAULTS as error:
        return str(error)
    return found


def _is_left(path: Path) -> bool:
    """Whether there is a log without the index that each program with the file open keeps."""
    log, index = _beside(path, "-wal"), _beside(path, "-shm")
    return log.exists() and log.stat().st_size > 0 and not index.exists()


def _needs_a_change(error: UnreadableSource) -> bool:
    code = getattr(error.__cause__, "sqlite_errorname", "")
    return code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN"))


def _copied(path: Path) -> tuple[sqlite3.Connection, Path]:
    folder = Path(tempfile.mkdtemp(prefix="bailiwick-import-"))
    try:
        copy = folder / path.name
        shutil.copyfile(path, copy)
        for ending in _BESIDE:
            if _beside(path, ending).exists():
                shutil.copyfile(_beside(path, ending), _beside(copy, ending))
        whole = sqlite3.connect(copy)
        try:
            whole.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            whole.close()
        return readonly.opened(copy), folder
    except (OSError, *FAULTS, UnreadableSource) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise UnreadableSource(f"{path} cannot be read: {error}.") from error


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
