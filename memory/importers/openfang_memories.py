"""Memories, topics and runs of extraction of an agent OS database (format C)."""

from __future__ import annotations

import math
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from memory.importers.openfang_rows import Row, Tables, is_uuid, key_of, user_of
from memory.importers.plain import SourceExtraction, SourceMemory
from memory.importers.readonly import FAULTS
from memory.importers.values import Cleaner, moment, once, parsed, short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memory.importers.plain import SourceName

# As memory.models says them; a reader knows no models.
KINDS = frozenset({
    "profile", "preferences", "entities", "events", "cases", "patterns", "tools", "skills",
    "facts", "decisions", "tasks", "open_items", "topics",
})  # fmt: skip
SOURCES = {
    "conversation": "conversation",
    "observation": "observation",
    "inference": "inferred",
    "inferred": "inferred",
    "user_provided": "user_stated",
    "user_stated": "user_stated",
    "session": "session",
    "reflection": "reflection",
}
LISTS = ("facts", "preferences", "decisions", "tasks", "open_items")
MAX_SUMMARY, MAX_TOPIC_KEY, MAX_TOPIC, MAX_TOPICS = 500, 255, 100, 32
# Under which name an extracted item says what it says, when it is no plain text.
_SAID = (
    "text",
    "content",
    "description",
    "fact",
    "preference",
    "decision",
    "task",
    "item",
    "title",
)
_EXTRACTION = ("id", "session_id", "user_id", "agent_id", "created_at", *LISTS)


def memories(tables: Tables) -> Iterator[SourceMemory]:
    """The table `memories`, those marked as deleted, too; embeddings stay behind."""
    names = ("id", "agent_id", "content", "source", "scope", "confidence", "metadata")
    times = ("created_at", "accessed_at", "deleted")
    for database, row in tables.rows("memories", *names, *times):
        cleaner, key = Cleaner(), _memory_key(row)
        content = cleaner.words(row["content"])
        where = tables.where("memories", key)
        if not content.strip():
            tables.problems.add(where, "It says nothing: it is left out.", 1)
            continue
        about = _metadata(tables, where, row["metadata"])
        scope = cleaner.words(row["scope"]).strip()
        user = about.get("user_id")
        yield SourceMemory(
            key=key,
            name=f"memories {key}",
            content=content,
            at=cleaner.time(row["created_at"], "Its created_at")
            or moment(row["accessed_at"])
            or _file_time(tables),
            scope="agent" if scope == "agent" else "user",
            kind=_kind(about),
            source=_source(cleaner, row["source"]),
            topics=_topics(cleaner, about, scope),
            confidence=_confidence(row["confidence"]),
            state="deleted" if row["deleted"] not in (None, 0, "0", "") else "active",
            agent=tables.agent(database, cleaner, row["agent_id"]),
            user=user_of(cleaner, user) if is_uuid(user) else None,
            session=_session(database, about.get("session_id")),
        )
        tables.remark(where, cleaner)


def topics(tables: Tables) -> Iterator[SourceMemory]:
    """What is kept of users, and of users with an agent, by topic."""
    names = ("user_id", "agent_id", "topic", "summary", "content", "updated_at", "expires_at")
    for table in ("user_memory_topics", "user_agent_memory_topics"):
        for database, row in tables.rows(table, *names):
            cleaner = Cleaner()
            user = user_of(cleaner, row["user_id"])
            agent = tables.agent(database, cleaner, row["agent_id"])
            topic = " ".join(cleaner.words(row["topic"]).split())
            key = _topic_key(table, user, agent, topic or f"row:{row['row']}")
            where = f"{tables.path.name} {key}"
            summary = " ".join(cleaner.words(row["summary"]).split())
            content = cleaner.words(row["content"])
            if not content.strip():
                content = summary
            if not content:
                tables.problems.add(where, "It says nothing: it is left out.", 1)
                continue
            if len(summary) > MAX_SUMMARY:
                cleaner.remark(f"Its summary is cut after {MAX_SUMMARY} characters.")
            yield SourceMemory(
                key=key,
                name=key,
                content=content,
                at=cleaner.time(row["updated_at"], "Its updated_at") or _file_time(tables),
                kind="topics",
                topic_key=short(topic, MAX_TOPIC_KEY) or None,
                summary=summary[:MAX_SUMMARY],
                expires_at=cleaner.time(row["expires_at"], "Its expires_at", ahead=True),
                agent=agent,
                user=user,
            )
            tables.remark(where, cleaner)


def extractions(tables: Tables) -> Iterator[SourceExtraction]:
    """Runs of extraction, oldest first, with the number of things that each found."""
    for database, row in tables.rows("session_extractions", *_EXTRACTION, order="created_at"):
        cleaner, key = Cleaner(), key_of(row["row"], row["id"])
        yield SourceExtraction(
            key=key,
            name=f"session_extractions {key}",
            session=cleaner.words(row["session_id"]),
            at=cleaner.time(row["created_at"], "Its created_at") or _file_time(tables),
            memories=sum(1 for _ in _items(tables, key, row, cleaner)),
            agent=tables.agent(database, cleaner, row["agent_id"]),
            user=user_of(cleaner, row["user_id"]),
        )
        tables.remark(tables.where("session_extractions", key), cleaner)


def extracted(tables: Tables) -> Iterator[SourceMemory]:
    """Each thing that a run of extraction found."""
    for database, row in tables.rows("session_extractions", *_EXTRACTION, order="created_at"):
        cleaner, key = Cleaner(), key_of(row["row"], row["id"])
        at = cleaner.time(row["created_at"], "Its created_at") or _file_time(tables)
        agent = tables.agent(database, cleaner, row["agent_id"])
        user = user_of(cleaner, row["user_id"])
        session = _session(database, row["session_id"])
        for kind, number, content, confidence in _items(tables, key, row, cleaner):
            yield SourceMemory(
                key=f"{key}:{kind}:{number}",
                name=f"session_extractions {key}:{kind}:{number}",
                content=content,
                at=at,
                kind=kind,
                source="conversation",
                confidence=confidence,
                agent=agent,
                user=user,
                session=session,
            )
        tables.remark(tables.where("session_extractions", key), cleaner)


def _items(
    tables: Tables, key: str, row: Row, cleaner: Cleaner
) -> Iterator[tuple[str, int, str, float | None]]:
    """Kind, place in its list, text and confidence of each thing that was found."""
    for kind in LISTS:
        where = tables.where("session_extractions", f"{key}:{kind}")
        value = row[kind]
        if value is None:
            continue
        _, items = parsed(value)
        if not isinstance(items, list):
            tables.problems.add(where, "It is no list in JSON: it is left out.", 1)
            continue
        for number, item in enumerate(items):
            content = _said(cleaner, item)
            if content.strip():
                confidence = item.get("confidence") if isinstance(item, dict) else None
                yield kind, number, content, _confidence(confidence)
            else:
                tables.problems.add(f"{where}:{number}", "It says nothing: it is left out.", 1)


def _said(cleaner: Cleaner, item: Any) -> str:
    if isinstance(item, dict):
        item = next((item[name] for name in _SAID if isinstance(item.get(name), str)), "")
    return cleaner.words(item)


def _memory_key(row: Row) -> str:
    """An id that no topic and no extracted thing can have."""
    key = key_of(row["row"], row["id"])
    return key_of(row["row"], None) if ":" in key or " " in key else key


def _topic_key(table: str, user: SourceName | None, agent: SourceName | None, topic: str) -> str:
    """Unique over both tables, whatever users, agents and topics are called."""
    whose = [
        quote("" if one is None else one.key, safe="", errors="replace") for one in (user, agent)
    ]
    who = "/".join(whose if table == "user_agent_memory_topics" else whose[:1])
    return short(f"{table} {who}/{topic}", MAX_TOPIC_KEY)


def _metadata(tables: Tables, where: str, value: object) -> dict[str, Any]:
    if value in (None, "", b""):
        return {}
    _, found = parsed(value)
    if isinstance(found, dict):
        return found
    tables.problems.add(where, "Its metadata is no JSON object: it is left out.")
    return {}


def _kind(about: dict[str, Any]) -> str:
    kind = about.get("kind")
    return kind if isinstance(kind, str) and kind in KINDS else "facts"


def _source(cleaner: Cleaner, value: object) -> str:
    """Ours for a source, which stands there as a text in JSON."""
    readable, found = parsed(value)
    return SOURCES.get(cleaner.words(found if readable else value), "imported")


def _topics(cleaner: Cleaner, about: dict[str, Any], scope: str) -> tuple[str, ...]:
    given = about.get("topics")
    names = given if isinstance(given, list) else []
    words = [cleaner.words(one) for one in names if isinstance(one, str)]
    if scope not in ("", "user", "agent"):
        words.insert(0, f"scope:{scope}")
    return once((short(" ".join(one.split()), MAX_TOPIC) for one in words), MAX_TOPICS)


def _confidence(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and math.isnan(value):
        return None
    return float(min(max(value, 0), 1))


def _session(database: sqlite3.Connection, value: object) -> str | None:
    """The key of a session, if it is there."""
    if not isinstance(value, str) or key_of(0, value) != value:
        return None
    try:
        found = database.execute("SELECT 1 FROM main.sessions WHERE id = ?", (value,)).fetchone()
    except FAULTS:
        return None
    return None if found is None else value


def _file_time(tables: Tables) -> datetime:
    return moment(tables.path.stat().st_mtime) or datetime(1970, 1, 1, tzinfo=UTC)
