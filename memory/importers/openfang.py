"""Format C: the SQLite database of an agent OS (`openfang.db`, `PRAGMA user_version` 1 to 10).

Which tables and columns are there is seen from the tables: builds of one version differ.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from memory.importers import openfang_memories as kept
from memory.importers.openfang_rows import Tables, name_of
from memory.importers.openfang_sessions import Sessions
from memory.importers.plain import UnreadableSource
from memory.importers.readonly import FAULTS, said
from memory.importers.values import Cleaner, Problems, parsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from memory.importers.plain import (
        Problem,
        SourceExtraction,
        SourceMemory,
        SourceMessage,
        SourceSession,
    )

OLDEST, NEWEST = 1, 10
SHARED_AGENT = "00000000-0000-0000-0000-000000000001"
BOOTSTRAPPED = (
    "It has given its sessions without a user to its default user already"
    " (default_user_bootstrap_done)."
)


class OpenfangSource:
    """An agent OS database, read in place.

    Its messages have no times: the first has the session's beginning, the last one its last
    change, those between have none.

    Args:
        path: the database, or the folder that holds it.

    Raises:
        UnreadableSource: it is no such database, of another version, locked or not to be read.
    """

    format = "openfang"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []
        self._problems = Problems()
        self._tables = Tables(_found(path), self._problems)
        self._sessions = Sessions(self._tables, self.notes)
        try:
            with self._tables.connect() as database:
                self._check(database)
                self._default_users = self._read_defaults(database)
        except FAULTS as error:
            raise UnreadableSource(f"{self._tables.path} cannot be read: {said(error)}.") from error

    def sessions(self) -> Iterator[SourceSession]:
        """Every session, parents before their forks; then each agent's canonical one."""
        return self._sessions.all()

    def messages(self, session: SourceSession) -> Iterator[SourceMessage]:
        """The messages of one of them, in order, as far as they can be read."""
        return self._sessions.messages(session.key)

    def memories(self) -> Iterator[SourceMemory]:
        """Memories, topics, and what runs of extraction found."""
        yield from kept.memories(self._tables)
        yield from kept.topics(self._tables)
        yield from kept.extracted(self._tables)

    def extractions(self) -> Iterator[SourceExtraction]:
        """Runs of extraction, oldest first; the session of one may be gone."""
        return kept.extractions(self._tables)

    def problems(self) -> Iterable[Problem]:
        return self._problems.all()

    def default_users(self) -> frozenset[str]:
        return self._default_users

    def holds(self, _session: str) -> bool:
        """Rows are not renamed: what came in is there."""
        return True

    def settled(self) -> None:
        """Nothing: the database stays as it is."""

    def brought_back(self, receipts: Mapping[str, str] | None = None) -> None:
        """Nothing: it was never put aside."""

    def _check(self, database: sqlite3.Connection) -> None:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if not OLDEST <= version <= NEWEST:
            raise UnreadableSource(
                f"{self._tables.path} is of version {version}; versions {OLDEST} to {NEWEST}"
                " can be read."
            )
        if {"id", "agent_id", "messages"} - self._tables.columns(database, "sessions"):
            raise UnreadableSource(f"{self._tables.path} has no table of sessions.")

    def _read_defaults(self, database: sqlite3.Connection) -> frozenset[str]:
        """The user that stands for nobody in particular there; and whether it was given its due."""
        if {"agent_id", "key", "value"} - self._tables.columns(database, "kv_store"):
            return frozenset()
        if self._setting(database, "default_user_bootstrap_done"):
            self.notes.append(BOOTSTRAPPED)
        user = name_of(Cleaner(), self._setting(database, "default_user_uuid"))
        return frozenset({user} if user else ())

    def _setting(self, database: sqlite3.Connection, key: str) -> object:
        """What the shared agent keeps under a key, or None."""
        try:
            row = database.execute(
                "SELECT value FROM main.kv_store WHERE agent_id = ? AND key = ?",
                (SHARED_AGENT, key),
            ).fetchone()
        except FAULTS as error:
            self._tables.unreadable("kv_store", error)
            return None
        if row is None:
            return None
        readable, value = parsed(row["value"])
        if not readable:
            self._problems.add(
                self._tables.where("kv_store", key), "Its value is no JSON: it is left out."
            )
        return value


def _found(path: Path) -> Path:
    """The database at a path, or in the folder there.

    Raises:
        UnreadableSource: there is none.
    """
    choices = [path / "openfang.db", path / "data" / "openfang.db"] if path.is_dir() else [path]
    for file in choices:
        if file.is_file():
            return file
    raise UnreadableSource(f"There is no openfang.db at {path}.")
