"""Sessions and messages of an agent OS database (format C)."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING

from memory.importers import openfang_order as order
from memory.importers.openfang_blocks import Conversation
from memory.importers.openfang_rows import (
    CANONICAL_KEY,
    ROW_KEY,
    Row,
    Tables,
    key_of,
    user_of,
    wanted,
)
from memory.importers.plain import SourceMessage, SourceSession
from memory.importers.readonly import FAULTS, numbers, said
from memory.importers.values import Cleaner, moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memory.importers.openfang_blocks import Draft
    from memory.importers.openfang_frames import Readable

MAX_BLOB = 256 * 1024 * 1024
MAX_TITLE = 300
IDS_DROPPED = "Ids of messages (msg_id, provider_msg_id) are not taken over."
_SESSIONS, _CANONICAL = "sessions", "canonical_sessions"
_BUFFERED = 4 * 1024 * 1024
_CHUNK = 1024 * 1024
_TIMES = ("created_at", "updated_at")


@dataclass(frozen=True, slots=True)
class _Measure:
    sha256: str
    length: int
    messages: int


class Sessions:
    """Reads the conversations of a database.

    A session's hash is over its key and its blob: two that say the same differ.
    """

    def __init__(self, tables: Tables, notes: list[str]) -> None:
        self._tables = tables
        self._notes = notes

    def all(self) -> Iterator[SourceSession]:
        """Every session, parents before their forks; then each agent's canonical one."""
        try:
            with self._tables.connect() as database:
                for place in self._places(database):
                    session = self._session(database, place)
                    if session is not None:
                        yield session
        except FAULTS as error:
            self._tables.unreadable(_SESSIONS, error)
        yield from self._canonical_sessions()

    def messages(self, key: str) -> Iterator[SourceMessage]:
        """The messages of one of them: the first and the last have the session's times."""
        table = _CANONICAL if key.startswith(CANONICAL_KEY) else _SESSIONS
        try:
            with self._tables.connect() as database:
                row = _row_of(database, table, key.removeprefix(CANONICAL_KEY))
                if row is None:
                    return
                began, ended = self._times(database, table, row)
                with _blob(database, table, row) as (stream, size):
                    if size <= MAX_BLOB:
                        yield from _dated(self._read(table, key, stream, size), began, ended)
        except FAULTS as error:
            self._unreadable_blob(table, key, error)

    def _places(self, database: sqlite3.Connection) -> Iterator[order.Place]:
        if "parent_session_id" not in self._tables.columns(database, _SESSIONS):
            yield from order.plain(database)
            return
        given = False
        try:
            for place in order.arranged(database):
                given = True
                yield place
        except FAULTS as error:
            if given:
                raise
            # A broken index does not take the rows with it.
            self._tables.problems.add(
                f"{self._tables.path.name} {_SESSIONS}",
                f"Which sessions are forks of which cannot be read: {said(error)}.",
            )
            yield from order.plain(database)

    def _session(self, database: sqlite3.Connection, place: order.Place) -> SourceSession | None:
        names = wanted(
            self._tables.columns(database, _SESSIONS),
            *("id", "agent_id", "label", "user_id", "parent_session_id", *_TIMES),
        )
        row = self._tables.row(database, _SESSIONS, names, place.row)
        if row is None:
            return None
        key, cleaner = key_of(place.row, row["id"]), Cleaner()
        measure = self._measured(database, _SESSIONS, place.row, key)
        if measure is None:
            return None
        label = " ".join(cleaner.words(row["label"]).split())
        session = replace(
            self._plain_session(_SESSIONS, key, measure, row, cleaner),
            title=label[:MAX_TITLE],
            agent=self._tables.agent(database, cleaner, row["agent_id"]),
            user=user_of(cleaner, row["user_id"]),
            parent=self._parent(database, place, row, key),
            metadata={"label": label} if len(label) > MAX_TITLE else {},
        )
        self._tables.remark(self._tables.where(_SESSIONS, key), cleaner)
        return session

    def _canonical_sessions(self) -> Iterator[SourceSession]:
        """One rolling history per agent, over all its channels and users."""
        names = ("agent_id", "compaction_cursor", "compacted_summary", *_TIMES)
        for database, row in self._tables.rows(_CANONICAL, *names):
            key, cleaner = f"{CANONICAL_KEY}{key_of(row['row'], row['agent_id'])}", Cleaner()
            measure = self._measured(database, _CANONICAL, row["row"], key)
            if measure is None:
                continue
            yield replace(
                self._plain_session(_CANONICAL, key, measure, row, cleaner),
                agent=self._tables.agent(database, cleaner, row["agent_id"]),
                metadata={
                    "canonical": True,
                    "compacted_summary": cleaner.words(row["compacted_summary"]),
                    "compaction_cursor": cleaner.json(row["compaction_cursor"]),
                },
            )
            self._tables.remark(self._tables.where(_CANONICAL, key), cleaner)

    def _plain_session(
        self, table: str, key: str, measure: _Measure, row: Row, cleaner: Cleaner
    ) -> SourceSession:
        began, ended = _times_of(row, cleaner)
        return SourceSession(
            key=key,
            name=f"{table} {key}",
            sha256=measure.sha256,
            length=measure.length,
            messages=measure.messages,
            at=ended or began or self._file_time(),
            started_at=began,
        )

    def _parent(
        self, database: sqlite3.Connection, place: order.Place, row: Row, key: str
    ) -> str | None:
        """The key of the session that this one is a fork of, if that is given, too."""
        if row["parent_session_id"] in (None, "", b""):
            return None
        if place.parent is not None:
            size = _sizes(database, place.parent)
            if size is not None and size[1] <= MAX_BLOB:
                return size[0]
        what = "Its parents lead back to itself" if place.looped else "Its parent is not there"
        self._tables.problems.add(
            self._tables.where(_SESSIONS, key), f"{what}: it comes without one."
        )
        return None

    def _measured(
        self, database: sqlite3.Connection, table: str, row: int, key: str
    ) -> _Measure | None:
        """Hash, length and number of messages; None: there is too much of it."""
        digest = hashlib.sha256(key.encode() + b"\0")
        try:
            with _blob(database, table, row) as (stream, size):
                if size > MAX_BLOB:
                    self._tables.problems.add(
                        self._tables.where(table, key),
                        f"Its messages are {size:,} bytes, more than {MAX_BLOB:,}: it is left out.",
                        1,
                    )
                    return None
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                count = sum(1 for _ in self._read(table, key, stream, size))
                return _Measure(digest.hexdigest(), size, count)
        except FAULTS as error:
            self._unreadable_blob(table, key, error)
            return _Measure(digest.hexdigest(), 0, 0)

    def _read(self, table: str, key: str, stream: Readable, size: int) -> Iterator[Draft]:
        conversation = Conversation(stream, size)
        yield from conversation
        for what, lost in conversation.problems():
            self._tables.problems.add(self._tables.where(table, key), what, lost)
        if conversation.ids_seen and IDS_DROPPED not in self._notes:
            self._notes.append(IDS_DROPPED)

    def _unreadable_blob(self, table: str, key: str, error: Exception) -> None:
        self._tables.problems.add(
            self._tables.where(table, key), f"Its messages cannot be read: {said(error)}.", 1
        )

    def _times(
        self, database: sqlite3.Connection, table: str, row: int
    ) -> tuple[datetime | None, datetime | None]:
        found = self._tables.row(
            database, table, wanted(self._tables.columns(database, table), *_TIMES), row
        )
        return (None, None) if found is None else _times_of(found, Cleaner())

    def _file_time(self) -> datetime:
        return moment(self._tables.path.stat().st_mtime) or datetime(1970, 1, 1, tzinfo=UTC)


def _times_of(row: Row, cleaner: Cleaner) -> tuple[datetime | None, datetime | None]:
    """When it began and when it was last changed, in this order whatever the row says."""
    began = cleaner.time(row["created_at"], "Its created_at")
    ended = cleaner.time(row["updated_at"], "Its updated_at")
    if began is not None and ended is not None and began > ended:
        cleaner.remark("It says that it was changed before it was made.")
        began = ended
    return began, ended


def _dated(
    drafts: Iterable[Draft], began: datetime | None, ended: datetime | None
) -> Iterator[SourceMessage]:
    """The first was said when the session began; the last, if there are two, when it ended."""
    before: Draft | None = None
    at = began
    for draft in drafts:
        if before is not None:
            yield SourceMessage(before.role, before.parts, at, source=before.source)
            at = None
        before = draft
    if before is not None:
        yield SourceMessage(before.role, before.parts, at or ended, source=before.source)


@contextmanager
def _blob(database: sqlite3.Connection, table: str, row: int) -> Iterator[tuple[Readable, int]]:
    """The messages of a row as a stream, and their length in bytes.

    Raises:
        sqlite3.Error: there are none, or they cannot be read.
    """
    with database.blobopen(table, "messages", row, readonly=True) as blob:
        size = len(blob)
        if size > _BUFFERED:
            yield blob, size
            return
        try:
            stream: Readable = BytesIO(blob.read())
        except FAULTS:
            stream = blob  # what stands before the fault may still be read
        yield stream, size


def _row_of(database: sqlite3.Connection, table: str, key: str) -> int | None:
    """The number of the row that is called so."""
    if key.startswith(ROW_KEY):
        return int(key.removeprefix(ROW_KEY))
    name = "agent_id" if table == _CANONICAL else "id"
    found = database.execute(
        f"SELECT rowid FROM main.{table} WHERE {name} = ?",  # noqa: S608 - constants only
        (key,),
    ).fetchone()
    # A damaged index could lead to another's messages: then the rows themselves are looked through.
    if found is not None and _is_called(database, table, name, found[0]) == key:
        return int(found[0])
    for row in numbers(database, table):
        if _is_called(database, table, name, row) == key:
            return row
    return None


def _is_called(database: sqlite3.Connection, table: str, name: str, row: int) -> object:
    found = database.execute(
        f"SELECT {name} FROM main.{table} WHERE rowid = ?",  # noqa: S608 - constants only
        (row,),
    ).fetchone()
    return None if found is None else found[0]


def _sizes(database: sqlite3.Connection, row: int) -> tuple[str, int] | None:
    """A session's key, and how many bytes of messages it has (0 for what are none)."""
    found = database.execute(
        "SELECT id, iif(typeof(messages) = 'blob', length(messages), 0)"
        " FROM main.sessions WHERE rowid = ?",
        (row,),
    ).fetchone()
    return None if found is None else (key_of(row, found[0]), int(found[1]))
