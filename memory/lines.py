"""Memories as single lines: what each is called, and what keeps it from being recalled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.principals.keeping import MemoryLine
from memory.models import Memory, State
from memory.visibility import Hidden

if TYPE_CHECKING:
    from memory.selectors import MemoryRow

TITLE = 120  # characters; a row shows one line
_WORDS: dict[str, str] = {
    Hidden.QUARANTINE: "quarantined, waits for an admin",
    Hidden.EXPIRED: "expired",
    Hidden.CONSENT: "hidden: no consent",
    Hidden.NEWER: "a newer one stands in its place",
    State.SUPERSEDED: "superseded",
    State.DELETED: "deleted",
}


def memory_title(row: MemoryRow) -> str:
    """Its summary, or the first words of what it says."""
    words = " ".join((row.said.summary or row.said.content).split())
    return words if len(words) <= TITLE else f"{words[:TITLE]}\N{HORIZONTAL ELLIPSIS}"


def hidden_words(row: MemoryRow) -> str:
    """What keeps it from being recalled; empty: nothing does."""
    if row.hidden_by == Hidden.GATE:
        return f"hidden: {row.agent_id} uses summarization"
    return _WORDS.get(row.hidden_by or row.said.state, "")


def memory_mark(row: MemoryRow) -> str:
    """Amber waits: only for what somebody is to decide. What is merely hidden stays ink."""
    if row.said.state == State.QUARANTINED:
        return "waits"
    return "ended" if row.said.state in (State.SUPERSEDED, State.DELETED) else "idle"


def memory_line(row: MemoryRow) -> MemoryLine:
    """A row for the pages of the apps below."""
    said = row.said
    return MemoryLine(
        id=row.id,
        words=memory_title(row),
        user_id=row.user_id,
        agent_id=row.agent_id,
        scope=said.scope,
        kind=said.kind.replace("_", " "),
        mark=memory_mark(row),
        hidden_by=hidden_words(row),
        changed_at=said.updated_at if isinstance(said, Memory) else said.valid_from,
    )
