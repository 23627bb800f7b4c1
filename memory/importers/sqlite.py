"""Format B: conversations in a SQLite file, what was remembered in another (legacy formats, B)."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import weakref
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from memory.importers import keys
from memory.importers.plain import SourceMessage, SourceName, SourceSession, UnreadableSource
from memory.importers.problems import ProblemLog
from memory.importers.sqlite_files import FAULTS, snapshot
from memory.importers.sqlite_memories import Kept, MemoryRows
from memory.importers.sqlite_rows import SessionRows, text, time
from memory.importers.values import Cleaner

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from memory.importers.keys import Identity
    from memory.importers.plain import Problem, SourceExtraction, SourceMemory
    from memory.importers.sqlite_rows import Scan

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OVER = frozenset(
    {"ended", "closed", "done", "complete", "completed", "finished", "archived", "terminated"}
    | {"expired", "cancelled", "canceled", "failed"}
)
QUIET = ("", "idle")  # says nothing about a session
CHANNEL = ("channel_id", "room_id", "sender_id")
MAX_SHOWN = 300


class SqliteSource:
    """A workspace, with `sessions/sessions.db` and `memory/brain.db`, or one of these files.

    It is read as it stood when it was opened, however it goes on meanwhile.
    """

    format = "sqlite"

    def __init__(self, path: Path) -> None:
        """Raises UnreadableSource: there is no such file at the path."""
        self.path = path
        self.notes: list[str] = []
        self._log = ProblemLog()
        self._scans: dict[str, Scan] = {}
        self._keys: dict[str, str] = {}  # of those that are not shown as they are
        self._sessions: SessionRows | None = None
        self._memories: MemoryRows | None = None
        self._receipts: dict[str, dict[str, Any]] = {}
        for file in _files(path):
            self._open(file)

    def sessions(self) -> Iterator[SourceSession]:
        """Every key that has messages or metadata, in the order of keys."""
        if self._sessions is None:
            return
        for key in self._sessions.all_keys():
            yield self._session(self._sessions, key)

    def messages(self, session: SourceSession) -> Iterator[SourceMessage]:
        """The messages of a session by their ids."""
        if self._sessions is None:
            return
        key = self._keys.get(session.key, session.key)
        speaker = self._identity(key).speaker
        for role, parts, at in self._sessions.messages(key):
            by = speaker if role == "user" else None
            yield SourceMessage(role=role, parts=parts, at=at, speaker=by)

    def memories(self) -> Iterator[SourceMemory]:
        """Everything in `brain.db`."""
        return self._memories.memories(self._whose) if self._memories else iter(())

    def extractions(self) -> Iterator[SourceExtraction]:
        """None: the format has none."""
        return iter(())

    def problems(self) -> Iterable[Problem]:
        """What could not be read, by file and session."""
        return list(self._log)

    def default_users(self) -> frozenset[str]:
        """None: the format knows no users."""
        return frozenset()

    def holds(self, _session: str) -> bool:
        """Rows are not renamed: what came in is there."""
        return True

    def settled(self) -> None:
        """Nothing: the files stay as they are."""

    def brought_back(self, receipts: Mapping[str, str] | None = None) -> None:
        """Nothing: the files stayed as they are."""

    def already_from(self) -> dict[str, str]:
        """Names of JSONL files that the source itself has moved in here, with their SHA-256."""
        return {one["name"]: one["sha256"] for one in self._receipts.values()}

    def _open(self, file: Path) -> None:
        place = file.name
        try:
            database, copy = snapshot(file)
        except UnreadableSource as error:
            self._log.add(place, place, str(error), 1)
            return
        weakref.finalize(self, _closed, database, copy)
        try:
            sessions = SessionRows(database, file, self._log)
            memories = MemoryRows(database, file, self._log)
        except FAULTS as error:
            self._log.add(place, place, f"It cannot be read: {error}.", 1)
            return
        if sessions.there and self._sessions is None:
            self._sessions = sessions
            self._receipts = sessions.receipts()
            self._note_channels(sessions)
        if memories.there and self._memories is None:
            self._memories = memories
        if not sessions.there and not memories.there:
            self._log.add(place, place, "It holds neither sessions nor memories.", 1)

    def _session(self, rows: SessionRows, raw: str) -> SourceSession:
        cleaner = Cleaner()
        key = cleaner.text(raw)
        if key != raw or not key:
            digits = hashlib.sha256(raw.encode("utf-8", "surrogateescape")).hexdigest()[:8]
            key = f"{key or 'session'}-{digits}"
            self._keys[key] = raw
        if raw not in self._scans:
            self._scans[raw] = rows.scan(raw)
        scan, about = self._scans[raw], rows.about(raw)
        where = rows.where(key)
        times = {}
        for name in ("created_at", "last_activity"):
            times[name], fits = time(about.get(name))
            if not fits:
                self._log.once(raw, where, f"Its {name} is no time that can be used.")
        found = self._identity(raw, about)
        title = text(about.get("name"), cleaner)
        alias = text(about.get("agent_alias"), cleaner)
        metadata = {**found.metadata, **_told(about, cleaner)}
        if raw in self._receipts:
            metadata["jsonl"] = dict(self._receipts[raw])
        for remark in cleaner.remarks():
            self._log.once(raw, where, remark)
        return SourceSession(
            key=key,
            name=where,
            sha256=scan.sha256,
            length=scan.rows,
            messages=scan.messages,
            at=times["last_activity"] or scan.last or times["created_at"] or rows.modified,
            title=title or "",
            agent=SourceName(alias) if alias else None,
            sender=found.sender,
            thread=found.thread,
            speakers=(found.speaker,) if found.speaker else (),
            started_at=times["created_at"] or scan.first,
            ended=(text(about.get("state"), cleaner) or "").lower() in OVER,
            metadata=metadata,
        )

    def _identity(self, raw: str, about: dict[str, Any] | None = None) -> Identity:
        """Whom it is with: by its columns, which are exact, else by its key."""
        if about is None:
            about = self._sessions.about(raw) if self._sessions else {}
        cleaner = Cleaner()
        key = cleaner.text(raw)
        by_key = keys.identify(key)
        channel, room, sender = (text(about.get(name), cleaner) for name in CHANNEL)
        platform = keys.platform_of(channel) if channel else None
        if platform is None and by_key.sender is not None:
            platform = by_key.sender.platform
        if platform is None and sender is not None:
            return _of_elsewhere(channel or keys.UNKNOWN, room, sender, by_key)
        if platform is None or (sender is None and (by_key.sender or _is_gateway(by_key))):
            return by_key
        head = channel or key.partition("_")[0]
        thread = keys.thread_of(key, head, room, sender) if sender else None
        found = keys.of_parts(platform, room, sender, thread)
        return keys.Identity(found.sender, found.speaker, found.thread, by_key.metadata)

    def _whose(self, session: str) -> Kept:
        """Whose a memory is that was made in a session, by the key that it names."""
        about = self._sessions.about(session) if self._sessions else {}
        alias = text(about.get("agent_alias"), Cleaner())
        return Kept(self._identity(session, about).sender, SourceName(alias) if alias else None)

    def _note_channels(self, sessions: SessionRows) -> None:
        unknown = [one for one in sessions.channels() if keys.platform_of(one) is None]
        if unknown:
            self.notes.append(
                f"Sessions that came by {', '.join(unknown)} come in as peers named after the"
                " channel: no such platform is known here."
            )


def _of_elsewhere(channel: str, room: str | None, sender: str, by_key: Identity) -> Identity:
    """A stranger of a channel that has no platform here: a peer, named after the channel. Without
    a contact, what it said would be the whole account's to read."""
    whom = keys.of_parts("peer", f"{channel}:{room or sender}", f"{channel}:{sender}")
    return keys.Identity(whom.sender, whom.speaker, whom.thread, by_key.metadata)


def _files(path: Path) -> list[Path]:
    """The files to read.

    Raises:
        UnreadableSource: there are none.
    """
    if path.is_file():
        return [path]
    pairs = (
        (path / "sessions" / "sessions.db", path / "sessions.db"),
        (path / "memory" / "brain.db", path / "brain.db"),
    )
    found = [next((one for one in pair if one.is_file()), None) for pair in pairs]
    files = [one for one in found if one is not None]
    if not files:
        raise UnreadableSource(f"{path} has neither sessions/sessions.db nor memory/brain.db.")
    return files


def _closed(database: sqlite3.Connection, copy: Path | None) -> None:
    with suppress(sqlite3.ProgrammingError):  # let go of in another thread: it goes with itself
        database.close()
    if copy is not None:
        shutil.rmtree(copy, ignore_errors=True)


def _told(about: dict[str, Any], cleaner: Cleaner) -> dict[str, Any]:
    """Metadata `channel` and `state`, where the source has them."""
    parts = {name: text(about.get(name), cleaner) for name in CHANNEL}
    channel = {name: value[:MAX_SHOWN] for name, value in parts.items() if value}
    state = text(about.get("state"), cleaner) or ""
    return {
        **({"channel": channel} if channel else {}),
        **({"state": state[:MAX_SHOWN]} if state.lower() not in QUIET else {}),
    }


def _is_gateway(identity: Identity) -> bool:
    return bool(identity.metadata["key"]["kind"] == "gateway")
