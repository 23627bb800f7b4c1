"""The table `memories` of `brain.db`. Embeddings are left: other models made them."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, NamedTuple

from memory.importers.keys import UNKNOWN, platform_of
from memory.importers.plain import SourceMemory, SourceName, SourceSender, printable
from memory.importers.readonly import columns
from memory.importers.sqlite_files import FAULTS, Unread, as_text, stepped
from memory.importers.sqlite_rows import modified, text, time
from memory.importers.values import Cleaner, short, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from memory.importers.problems import ProblemLog

READ = (
    "id", "key", "content", "category", "created_at", "updated_at", "session_id", "namespace",
    "importance", "superseded_by",
)  # fmt: skip
KINDS = {"core": "facts", "daily": "events", "conversation": "facts", "custom": "facts"}
SALIENCES = ((0.3, "low"), (0.7, "medium"), (0.9, "high"))  # below; else critical
MAX_TOPIC_KEY, MAX_TOPIC = 255, 100


class Kept(NamedTuple):
    """Whose a memory is: with whom the session was in which it was made, and which agent's."""

    sender: SourceSender | None = None
    agent: SourceName | None = None


class MemoryRows:
    """The memories of one file."""

    def __init__(self, database: sqlite3.Connection, file: Path, log: ProblemLog) -> None:
        """Raises sqlite3.Error: its schema cannot be read."""
        self._database, self._log, self._file = database, log, printable(file.name)
        self._columns = columns(database, "memories")
        self.there = "content" in self._columns
        self._modified = modified(file)
        chosen = ", ".join(
            f"main.memories.{name}" if name in self._columns else f"NULL AS {name}" for name in READ
        )
        self._rows = (
            f"SELECT rowid AS row, {chosen} FROM main.memories"  # noqa: S608 - constants only
            " WHERE rowid >= :start ORDER BY rowid"
        )
        self._next = "SELECT rowid FROM main.memories WHERE rowid >= :start ORDER BY rowid LIMIT 1"

    def memories(self, whose: Callable[[str], Kept]) -> Iterator[SourceMemory]:
        """Each of them. Args: whose: who it belongs to, by the key of a session."""
        self._log.begin(self._place)
        scale = self._scale()
        for row in stepped(self._database, self._rows, self._next):
            if isinstance(row, Unread):
                where = self._where(row.row) if row.row is not None else self._place
                self._log.add(self._place, where, f"It cannot be read: {row.why}.", 1)
                continue
            found = self._memory(row, scale, whose)
            if found is not None:
                yield found

    @property
    def _place(self) -> str:
        return f"{self._file} memories"

    def _where(self, name: object) -> str:
        return f"{self._place} {name}"

    def _memory(
        self, row: sqlite3.Row, scale: float, whose: Callable[[str], Kept]
    ) -> SourceMemory | None:
        cleaner = Cleaner()
        key = _key(row["id"], row["row"])
        where = self._where(shown(key))
        content = cleaner.words(row["content"])
        if not content.strip():
            self._log.add(self._place, where, "It says nothing.", 1)
            return None
        category = (text(row["category"], cleaner) or "core").lower()
        topic_key = text(row["key"], cleaner)
        session = row["session_id"]
        if not isinstance(session, str):
            session = cleaner.words(session)
        superseded, by = self._superseded(row, where)
        kept = whose(session) if session else _of_key(category, topic_key)
        memory = SourceMemory(
            key=key,
            name=where,
            content=content,
            at=self._at(row, where),
            kind=KINDS.get(category, "facts"),
            topic_key=short(topic_key, MAX_TOPIC_KEY) if topic_key else None,
            source="conversation" if category == "conversation" else "imported",
            salience=self._salience(row["importance"], scale, where),
            topics=_topics(category, text(row["namespace"], cleaner)),
            state="superseded" if superseded else "active",
            superseded_by=by,
            agent=kept.agent,
            sender=kept.sender,
            session=cleaner.text(session) or None,
        )
        for remark in cleaner.remarks():
            self._log.add(self._place, where, remark)
        return memory

    def _at(self, row: sqlite3.Row, where: str) -> datetime:
        """When it was made; if that is not known, last changed; else the file's own time."""
        for name in ("created_at", "updated_at"):
            found, fits = time(row[name])
            if found is not None:
                return found
            if not fits:
                why = f"Its {name} is no time that can be used: {shown(row[name])}."
                self._log.add(self._place, where, why)
        return self._modified

    def _superseded(self, row: sqlite3.Row, where: str) -> tuple[bool, str | None]:
        """Whether another one has taken its place, and the key of that one if it is there."""
        by = row["superseded_by"]
        if text(by, Cleaner()) is None:
            return False, None
        found = self._named(by)
        if found is None or found["row"] == row["row"]:
            self._log.add(self._place, where, f"What superseded it is not there: {shown(by)}.")
            return True, None
        return True, _key(found["id"], found["row"])

    def _named(self, by: object) -> Any:
        """The row of that id, else of that key."""
        name = as_text(by) if isinstance(by, str) else str(by)
        for column in ("id", "key"):
            if column not in self._columns:
                continue
            try:
                found = self._database.execute(
                    "SELECT rowid AS row, id FROM main.memories"  # noqa: S608 - a constant
                    f" WHERE {column} = CAST(? AS TEXT) LIMIT 1",
                    [name],
                ).fetchone()
            except FAULTS:
                return None
            if found is not None:
                return found
        return None

    def _scale(self) -> float:
        """1 or 10: what the highest importance here counts from."""
        if "importance" not in self._columns:
            return 1.0
        try:
            (most,) = self._database.execute(
                "SELECT max(importance) FROM main.memories"
                " WHERE typeof(importance) IN ('integer', 'real') AND importance BETWEEN 0 AND 10"
            ).fetchone()
        except FAULTS:
            return 1.0
        return 10.0 if most is not None and most > 1 else 1.0

    def _salience(self, importance: object, scale: float, where: str) -> str:
        if importance is None:
            return "medium"
        try:
            weight = float(Cleaner().words(importance)) / scale
        except ValueError:
            weight = -1.0
        if not 0 <= weight <= 1:
            why = f"Its importance is none from 0 to {scale:.0f}: {shown(importance)}."
            self._log.add(self._place, where, why)
            return "medium"
        return next((name for below, name in SALIENCES if weight < below), "critical")


def _key(name: object, row: int) -> str:
    """What the memory is called; one without a usable id by its row."""
    cleaner = Cleaner()
    found = text(name, cleaner)
    return found if found is not None and not cleaner.remarks() else f"row {row}"


def _topics(category: str, namespace: str | None) -> tuple[str, ...]:
    """What has no place of its own here."""
    found = [] if category in KINDS else [f"category:{category}"]
    if namespace and namespace != "default":
        found.append(f"namespace:{namespace}")
    return tuple(short(" ".join(one.split()), MAX_TOPIC) for one in found)


def _of_key(category: str, key: str | None) -> Kept:
    """Whose a memory of a conversation is whose session is not known.

    Its key begins with the channel it came by, and then holds a thread or a sender, which cannot
    be told apart: it is kept with nobody in particular, rather than become the whole account's.
    """
    head, underscore, _ = (key or "").partition("_")
    platform = platform_of(head) if category == "conversation" and underscore else None
    return Kept(SourceSender(platform, UNKNOWN)) if platform else Kept()
