"""Builds databases of format B, with the columns of older and newer versions."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

NEWER = ("agent_alias", "channel_id", "room_id", "sender_id")
STATE = ("name", "state", "turn_id", "turn_started_at")
SESSIONS = """
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, session_key TEXT NOT NULL, role TEXT NOT NULL,
    content TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE INDEX idx_sessions_key_id ON sessions (session_key, id);
"""
SEARCH = """
CREATE VIRTUAL TABLE sessions_fts USING fts5 (
    session_key, content, content=sessions, content_rowid=id);
CREATE TRIGGER sessions_ai AFTER INSERT ON sessions BEGIN
    INSERT INTO sessions_fts (rowid, session_key, content)
    VALUES (new.id, new.session_key, new.content);
END;
"""
RECEIPTS = """
CREATE TABLE jsonl_import_receipts (
    source_name TEXT PRIMARY KEY, session_key TEXT NOT NULL, source_hash TEXT NOT NULL,
    source_len INTEGER NOT NULL, imported_at TEXT NOT NULL);
"""
MEMORIES = """
CREATE TABLE memories (
    id TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, content TEXT NOT NULL,
    category TEXT NOT NULL DEFAULT 'core', embedding BLOB, created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL{});
CREATE VIRTUAL TABLE memories_fts USING fts5 (key, content, content=memories);
"""
LATER = ", session_id TEXT, namespace TEXT DEFAULT 'default', importance REAL, superseded_by TEXT"
# Loose tables take what no program would write.
LOOSE = """
CREATE TABLE sessions (id INTEGER PRIMARY KEY, session_key, role, content, created_at);
CREATE TABLE session_metadata (session_key, created_at, last_activity, name);
"""


def sessions_db(workspace: Path, version: str = "newer") -> sqlite3.Connection:
    """`sessions/sessions.db`; versions: bare (no metadata), older (no state), stateful, newer."""
    path = workspace / "sessions" / "sessions.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path)
    database.execute("PRAGMA synchronous = off")
    database.executescript(SESSIONS)
    more = {"bare": None, "older": (), "stateful": STATE, "newer": STATE + NEWER}[version]
    if more is not None:
        database.executescript(SEARCH)
        database.execute(
            "CREATE TABLE session_metadata (session_key TEXT PRIMARY KEY, created_at TEXT NOT NULL,"
            " last_activity TEXT NOT NULL, message_count INTEGER NOT NULL DEFAULT 0"
            + "".join(f", {name} TEXT" for name in more)
            + ")"
        )
    if version == "newer":
        database.executescript(RECEIPTS)
    return database


def brain_db(workspace: Path, *, later: bool = True) -> sqlite3.Connection:
    """`memory/brain.db`."""
    path = workspace / "memory" / "brain.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path)
    database.executescript(MEMORIES.format(LATER if later else ""))
    return database


def say(database: sqlite3.Connection, key: Any, *said: tuple[Any, Any, Any]) -> None:
    """Rows of (role, content, created_at)."""
    database.executemany(
        "INSERT INTO sessions (session_key, role, content, created_at) VALUES (?, ?, ?, ?)",
        [(key, *one) for one in said],
    )
    database.commit()


def about(database: sqlite3.Connection, key: Any, **values: Any) -> None:
    """A row of metadata."""
    values = {
        "created_at": "2024-05-01T08:00:00+00:00",
        "last_activity": "2024-05-02T09:30:00+00:00",
        **values,
    }
    insert(database, "session_metadata", session_key=key, **values)


def keep(database: sqlite3.Connection, **values: Any) -> None:
    """A memory."""
    day = "2024-06-01T00:00:00+00:00"
    insert(database, "memories", **{"created_at": day, "updated_at": day, **values})


def receipt(database: sqlite3.Connection, key: str, content: bytes) -> str:
    """Written down as moved in from `{key}.jsonl`; gives the hash."""
    digest = hashlib.sha256(content).hexdigest()
    insert(
        database,
        "jsonl_import_receipts",
        source_name=f"{key}.jsonl",
        session_key=key,
        source_hash=digest,
        source_len=len(content),
        imported_at="2024-05-03T00:00:00+00:00",
    )
    return digest


def insert(database: sqlite3.Connection, table: str, **values: Any) -> None:
    marks = ", ".join("?" for _ in values)
    database.execute(
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values())
    )
    database.commit()


def died_with_a_log(path: Path, script: str, mode: str = "wal") -> None:
    """Run a script on the database in a process that dies with its log (or, in the middle of a
    transaction, its journal) still beside it."""
    code = (
        "import os, sqlite3, sys\n"
        "database = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "database.execute(f'PRAGMA journal_mode = {sys.argv[3]}')\n"
        "database.execute('PRAGMA wal_autocheckpoint = 0')\n"
        "database.execute('PRAGMA cache_size = 1')\n"
        "for one in sys.argv[2].split(';'):\n"
        "    database.execute(one)\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path), script, mode], check=True)
