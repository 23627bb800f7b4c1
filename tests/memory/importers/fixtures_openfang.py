"""Databases of format C, made anew: the schema of each version, and rows in it."""

from __future__ import annotations

import json
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgpack

if TYPE_CHECKING:
    from memory.importers.openfang import OpenfangSource

NIL = "00000000-0000-0000-0000-000000000000"
SHARED = "00000000-0000-0000-0000-000000000001"
ADA = "5b0c9a3e-6a53-4c0a-9f4b-0c1de1a00001"
MAX = "5b0c9a3e-6a53-4c0a-9f4b-0c1de1a00002"
ANNA = "a1e4d0c2-0000-4000-8000-00000000a001"
BEN = "a1e4d0c2-0000-4000-8000-00000000b001"
BEGAN, ENDED = "2025-03-01T08:00:00.123456789+00:00", "2025-03-02T09:30:00+00:00"
VERSIONS = range(1, 11)

# What each version added to the tables that are read, and one that is not.
STEPS: dict[int, str] = {
    1: """
        CREATE TABLE agents (id TEXT PRIMARY KEY, name TEXT NOT NULL, manifest BLOB NOT NULL,
            state TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
        CREATE TABLE sessions (id TEXT PRIMARY KEY, agent_id TEXT NOT NULL, messages BLOB NOT NULL,
            context_window_tokens INTEGER DEFAULT 0, created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL);
        CREATE TABLE kv_store (agent_id TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
            version INTEGER NOT NULL DEFAULT 1, updated_at TEXT NOT NULL,
            PRIMARY KEY (agent_id, key));
        CREATE TABLE memories (id TEXT PRIMARY KEY, agent_id TEXT NOT NULL, content TEXT NOT NULL,
            source TEXT NOT NULL, scope TEXT NOT NULL DEFAULT 'episodic',
            confidence REAL NOT NULL DEFAULT 1.0, metadata TEXT NOT NULL DEFAULT '{}',
            created_at TEXT NOT NULL, accessed_at TEXT NOT NULL,
            access_count INTEGER NOT NULL DEFAULT 0, deleted INTEGER NOT NULL DEFAULT 0);
    """,
    2: "CREATE TABLE task_queue (id TEXT PRIMARY KEY, title TEXT DEFAULT '')",
    3: "ALTER TABLE memories ADD COLUMN embedding BLOB DEFAULT NULL",
    4: """
        ALTER TABLE agents ADD COLUMN session_id TEXT DEFAULT '';
        ALTER TABLE agents ADD COLUMN identity TEXT DEFAULT '{}';
    """,
    5: """
        CREATE TABLE canonical_sessions (agent_id TEXT PRIMARY KEY, messages BLOB NOT NULL,
            compaction_cursor INTEGER NOT NULL DEFAULT 0, compacted_summary TEXT,
            updated_at TEXT NOT NULL);
    """,
    6: "ALTER TABLE sessions ADD COLUMN label TEXT",
    7: "CREATE TABLE paired_devices (device_id TEXT PRIMARY KEY)",
    8: "CREATE TABLE audit_entries (seq INTEGER PRIMARY KEY, detail TEXT NOT NULL)",
    9: f"""
        ALTER TABLE sessions ADD COLUMN user_id TEXT NOT NULL DEFAULT '{NIL}';
        ALTER TABLE sessions ADD COLUMN parent_session_id TEXT;
        CREATE INDEX idx_sessions_parent ON sessions (parent_session_id);
    """,
    10: f"""
        CREATE TABLE session_extractions (id TEXT PRIMARY KEY, session_id TEXT NOT NULL,
            user_id TEXT NOT NULL DEFAULT '{NIL}', agent_id TEXT NOT NULL DEFAULT '{NIL}',
            facts TEXT NOT NULL DEFAULT '[]', preferences TEXT NOT NULL DEFAULT '[]',
            decisions TEXT NOT NULL DEFAULT '[]', tasks TEXT NOT NULL DEFAULT '[]',
            open_items TEXT NOT NULL DEFAULT '[]', created_at TEXT NOT NULL);
        CREATE TABLE user_memory_topics (user_id TEXT NOT NULL, topic TEXT NOT NULL,
            summary TEXT NOT NULL DEFAULT '', content TEXT NOT NULL DEFAULT '',
            updated_at TEXT NOT NULL, expires_at TEXT DEFAULT NULL, embedding BLOB DEFAULT NULL,
            PRIMARY KEY (user_id, topic));
        CREATE TABLE user_agent_memory_topics (user_id TEXT NOT NULL, agent_id TEXT NOT NULL,
            topic TEXT NOT NULL, summary TEXT NOT NULL DEFAULT '',
            content TEXT NOT NULL DEFAULT '', updated_at TEXT NOT NULL,
            PRIMARY KEY (user_id, agent_id, topic));
    """,
}


class Store:
    """A database of a version, in a folder; rows are put in one by one."""

    def __init__(self, folder: Path, version: int = 10, name: str = "openfang.db") -> None:
        self.path = folder / name
        self.version = version
        self.run(
            "BEGIN;" + ";".join(STEPS[step] for step in range(1, version + 1))
            + f"; COMMIT; PRAGMA user_version = {version}"
        )  # fmt: skip
        for agent, called in ((ADA, "Ada"), (MAX, "Max")):
            self.put(
                "agents",
                id=agent, name=called, manifest=msgpack.packb({"model": "none"}), state="running",
                created_at=BEGAN, updated_at=BEGAN,
            )  # fmt: skip

    def run(self, script: str) -> None:
        with closing(self.connect()) as database:
            database.executescript(script)

    def connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path)
        database.execute("PRAGMA synchronous = OFF")  # nothing here must survive a crash
        return database

    def put(self, table: str, **values: Any) -> None:
        """A row; columns that this version lacks are left out."""
        with closing(self.connect()) as database, database:
            known = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
            values = {name: value for name, value in values.items() if name in known}
            marks = ", ".join("?" * len(values))
            database.execute(
                f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})",
                tuple(values.values()),
            )

    def session(self, *messages: Any, blob: Any = None, **values: Any) -> str:
        """A session of these messages, or of that blob; its id."""
        key = values.pop("id", str(uuid.uuid4()))
        row = {"agent_id": ADA, "created_at": BEGAN, "updated_at": ENDED, **values}
        self.put("sessions", id=key, messages=packed(*messages) if blob is None else blob, **row)
        return key

    def memory(self, content: str, **values: Any) -> str:
        key = values.pop("id", str(uuid.uuid4()))
        row = {
            "agent_id": ADA, "source": '"conversation"', "scope": "episodic", "created_at": BEGAN,
            "accessed_at": ENDED, "embedding": b"\0\0\x80?" * 4, **values,
        }  # fmt: skip
        self.put("memories", id=key, content=content, **row)
        return key

    def extraction(self, session: str, *, id: str, created_at: str = BEGAN, **values: Any) -> None:  # noqa: A002
        row = {"user_id": ANNA, "agent_id": ADA, "created_at": created_at}
        for name, value in values.items():
            row[name] = json.dumps(value) if isinstance(value, list) else value
        self.put("session_extractions", id=id, session_id=session, **row)

    def setting(self, key: str, value: Any) -> None:
        raw = json.dumps(value).encode()
        self.put("kv_store", agent_id=SHARED, key=key, value=raw, updated_at=BEGAN)


def packed(*messages: Any) -> bytes:
    return msgpack.packb(list(messages))


def said(role: str, content: Any, **more: Any) -> dict[str, Any]:
    """A message with named fields."""
    return {"role": role, "content": content, **more}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def call(name: str, key: str, **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": key, "name": name, "input": given}


def answer(key: str, content: Any, *, error: bool = False, name: str = "") -> dict[str, Any]:
    return {
        "type": "tool_result", "tool_use_id": key, "tool_name": name, "content": content,
        "is_error": error,
    }  # fmt: skip


def read(source: OpenfangSource) -> dict[str, list[tuple[str, str]]]:
    """Role and first text of each message, by session, in the order of the sessions."""
    return {
        session.key: [(m.role, m.parts[0].get("text", "")) for m in source.messages(session)]
        for session in source.sessions()
    }


def problems(source: OpenfangSource) -> list[tuple[str, str]]:
    return [(one.where, one.what) for one in source.problems()]
