"""Tables of conversations: `sessions`, `session_metadata` and `jsonl_import_receipts`."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from memory.importers.jsonl_lines import ROLES
from memory.importers.plain import printable
from memory.importers.readonly import columns
from memory.importers.sqlite_files import FAULTS, Unread, as_text, stepped
from memory.importers.values import Cleaner, moment, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from memory.importers.problems import ProblemLog

Spoken: TypeAlias = tuple[str, list[dict[str, Any]], datetime | None]  # role, parts, at
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_CHANNELS = 20
ABOUT = (
    "session_key", "created_at", "last_activity", "name", "state", "agent_alias", "channel_id",
    "room_id", "sender_id",
)  # fmt: skip
_KEYS = "SELECT DISTINCT session_key AS k FROM {} WHERE typeof(session_key) = 'text'"
_ROWS = """
    SELECT rowid AS row, role, content, {at} AS created_at FROM main.sessions
    WHERE session_key = CAST(:key AS TEXT) AND rowid >= :start ORDER BY rowid"""
_NEXT = """
    SELECT rowid FROM main.sessions
    WHERE session_key = CAST(:key AS TEXT) AND rowid >= :start ORDER BY rowid LIMIT 1"""
# Without an index on the key each session would read the whole table.
_ORDER = """
    CREATE TEMP TABLE by_key (k TEXT, at INTEGER, PRIMARY KEY (k, at)) WITHOUT ROWID"""
_FILL = """
    INSERT INTO temp.by_key SELECT session_key, rowid FROM main.sessions
    WHERE typeof(session_key) = 'text'"""
_ROWS_BY_KEY = """
    SELECT s.rowid AS row, s.role, s.content, {at} AS created_at
    FROM temp.by_key CROSS JOIN main.sessions AS s ON s.rowid = by_key.at
    WHERE by_key.k = CAST(:key AS TEXT) AND by_key.at >= :start ORDER BY by_key.at"""
_NEXT_BY_KEY = """
    SELECT at FROM temp.by_key
    WHERE k = CAST(:key AS TEXT) AND at >= :start ORDER BY at LIMIT 1"""


@dataclass(frozen=True, slots=True)
class Scan:
    """What one reading of a session's rows found.

    Attributes:
        sha256: of id, role, content and created_at of each row, in order.
        first, last: times of its messages, if they have any.
    """

    sha256: str
    rows: int
    messages: int
    first: datetime | None
    last: datetime | None


class SessionRows:
    """The conversations of one file."""

    def __init__(self, database: sqlite3.Connection, file: Path, log: ProblemLog) -> None:
        """Raises sqlite3.Error: its schema cannot be read."""
        self._database, self._log, self._file = database, log, printable(file.name)
        said, about = columns(database, "sessions"), columns(database, "session_metadata")
        self._has_messages = {"session_key", "role", "content"} <= said
        self._has_about = "session_key" in about
        self._columns = about
        self._about = (
            f"SELECT {', '.join(name for name in ABOUT if name in about)}"  # noqa: S608 - constants
            " FROM main.session_metadata WHERE session_key = CAST(? AS TEXT) LIMIT 1"
        )
        self.there = self._has_messages or self._has_about
        self.modified = modified(file)
        self._rows, self._next = _ROWS, _NEXT
        if self._has_messages:
            at = "created_at" if "created_at" in said else "NULL"
            if not self._is_indexed():
                database.execute(_ORDER)
                database.execute(_FILL)
                self._rows, self._next = _ROWS_BY_KEY, _NEXT_BY_KEY
            self._rows = self._rows.format(at=at)
        elif said and self._has_about:
            log.add(self._file, self._file, "Its table sessions has no messages to read.", 1)

    def all_keys(self) -> Iterator[str]:
        """Each key once, in order."""
        self._log.begin(self._file + " keys")
        self._tell_of_keyless()
        tables = [
            name
            for name, there in (
                ("main.sessions", self._has_messages),
                ("main.session_metadata", self._has_about),
            )
            if there
        ]
        union = " UNION ".join(_KEYS.format(name) for name in tables)
        last = None
        try:
            (encoding,) = self._database.execute("PRAGMA encoding").fetchone()
            for (key,) in self._database.execute(f"{union} ORDER BY k COLLATE BINARY"):
                raw = key.encode("utf-8", "surrogateescape")
                # In a ring of pages it would go on for ever. UTF-16 is in another order.
                if last is not None and raw <= last and encoding == "UTF-8":
                    raise sqlite3.DatabaseError("its pages are out of order")
                last = raw
                yield key
        except FAULTS as error:
            why = f"The list of its sessions breaks off: {error}."
            self._log.add(self._file + " keys", self._file, why, 1)

    def scan(self, key: str) -> Scan:
        """Read a session through, and tell of what is wrong in it."""
        self._log.begin(key)
        where = self.where(shown(key))
        digest, cleaner = hashlib.sha256(), Cleaner()
        rows = messages = 0
        first = last = None
        for row in self._stepped(key):
            rows += 1
            if isinstance(row, Unread):
                digest.update(b"unread")
                place = where if row.row is None else f"{self._file} sessions {row.row}"
                self._log.add(key, place, f"It cannot be read: {row.why}.", 1)
                continue
            digest.update(_packed(row))
            found = _spoken(row, cleaner)
            place = f"{self._file} sessions {row['row']}"
            if isinstance(found, str):
                self._log.add(key, place, found, 1)
                continue
            messages += 1
            if found[2] is not None:
                first, last = first or found[2], max(last or found[2], found[2])
            elif not time(row["created_at"])[1]:
                self._log.add(key, place, f"It has no time that can be used: {_shown(row)}.")
        for remark in cleaner.remarks():
            self._log.once(key, where, remark)
        return Scan(digest.hexdigest(), rows, messages, first, last)

    def messages(self, key: str) -> Iterator[Spoken]:
        """What can be read of a session."""
        cleaner = Cleaner()
        for row in self._stepped(key):
            found = None if isinstance(row, Unread) else _spoken(row, cleaner)
            if isinstance(found, tuple):
                yield found

    def about(self, key: str) -> dict[str, Any]:
        """The metadata of a session by column; none: empty."""
        if not self._has_about:
            return {}
        try:
            found = self._database.execute(self._about, [as_text(key)]).fetchone()
        except FAULTS as error:
            self._log.once(key, self.where(shown(key)), f"Its metadata cannot be read: {error}.")
            return {}
        return {} if found is None else dict(zip(found.keys(), found, strict=True))

    def receipts(self) -> dict[str, dict[str, Any]]:
        """{key: {name, sha256, imported_at}} of sessions that came from a JSONL file."""
        if not {"source_name", "session_key", "source_hash"} <= columns(
            self._database, "jsonl_import_receipts"
        ):
            return {}
        cleaner, found = Cleaner(), {}
        try:
            for row in self._database.execute("SELECT * FROM main.jsonl_import_receipts"):
                name, sha256 = cleaner.words(row["source_name"]), cleaner.words(row["source_hash"])
                told = {"name": name[:300], "sha256": sha256[:64].lower()}
                if "imported_at" in row.keys():  # noqa: SIM118 - a Row iterates over values
                    told["imported_at"] = cleaner.words(row["imported_at"])[:40]
                found[str(row["session_key"])] = told
        except FAULTS as error:
            why = f"Its receipts of JSONL files cannot be read: {error}."
            self._log.add(self._file, self._file, why)
        return found

    def channels(self) -> list[str]:
        """Channels by which senders came, the first twenty."""
        if not {"channel_id", "sender_id"} <= self._columns:
            return []
        try:
            rows = self._database.execute(
                "SELECT DISTINCT channel_id FROM main.session_metadata WHERE channel_id <> ''"
                " AND sender_id <> '' ORDER BY 1 LIMIT ?",
                [MAX_CHANNELS],
            )
            return [Cleaner().words(one)[:64] for (one,) in rows]
        except FAULTS:
            return []  # each session tells of it

    def where(self, key: str) -> str:
        """What a session is called in reports and receipts."""
        return f"{self._file} session {key}"

    def _stepped(self, key: str) -> Iterator[sqlite3.Row | Unread]:
        if not self._has_messages:
            return iter(())
        return stepped(self._database, self._rows, self._next, key=as_text(key))

    def _is_indexed(self) -> bool:
        found = self._database.execute(
            "SELECT 1 FROM pragma_index_list('sessions') AS l, pragma_index_info(l.name) AS i"
            " WHERE NOT l.partial AND i.seqno = 0 AND i.name = 'session_key'"
        )
        return found.fetchone() is not None

    def _tell_of_keyless(self) -> None:
        if not self._has_messages:
            return
        try:
            (count,) = self._database.execute(
                "SELECT count(*) FROM main.sessions WHERE typeof(session_key) <> 'text'"
            ).fetchone()
        except FAULTS:
            return  # the list of keys tells of it
        if count:
            why = f"{count:,} messages have no key of a session."
            self._log.add(self._file + " keys", f"{self._file} sessions", why, count)


def text(value: object, cleaner: Cleaner) -> str | None:
    """A text that says something, or None."""
    return cleaner.words(value).strip() or None


def time(value: object) -> tuple[datetime | None, bool]:
    """The time a column means, and whether it means one that can be, or none."""
    if value is None or (isinstance(value, str | bytes) and not value.strip()):
        return None, True
    found = moment(value)
    if found is None or found > datetime.now(UTC) + timedelta(days=1):
        return None, False
    return found, True


def _spoken(row: sqlite3.Row, cleaner: Cleaner) -> Spoken | str:
    """The message in a row, or why there is none."""
    role, content = cleaner.words(row["role"]), row["content"]
    if role not in ROLES:
        return f"The message has no role that is known: {shown(row['role'])}."
    if content is None:
        return "The message has no content."
    parts = [{"type": "text", "text": cleaner.words(content)}]
    return role, parts, time(row["created_at"])[0]


def _packed(row: sqlite3.Row) -> bytes:
    """A row as bytes that no other row has."""
    values = (_bytes(row[name]) for name in ("row", "role", "content", "created_at"))
    return b"".join(b"%d:%b" % (len(one), one) for one in values)


def _bytes(value: object) -> bytes:
    if isinstance(value, str):
        return b"t" + value.encode("utf-8", "surrogateescape")
    return b"b" + value if isinstance(value, bytes) else repr(value).encode()


def _shown(row: sqlite3.Row) -> str:
    return shown(row["created_at"])


def modified(file: Path) -> datetime:
    """The file's own time: for sessions that have none."""
    found, _ = time(file.stat().st_mtime)
    return found or EPOCH
