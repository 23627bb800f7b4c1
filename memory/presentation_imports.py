"""Imports in the words of a page: pure functions over what the selectors give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse

from memory.models import ImportReceipt
from sessions_app.presentation import counted

if TYPE_CHECKING:
    from memory.selectors.imports import ImportFacts, ImportStock

FORMATS = {
    "auto": "not known yet",
    "jsonl": "JSONL files",
    "sqlite": "sessions.db and brain.db",
    "openfang": "openfang.db",
}
# state: (the words, the mark) while it counts, and while it brings in
STATES = {
    "waiting": (("waits to be counted", "waits"), ("waits to be brought in", "waits")),
    "running": (("is being counted", "live"), ("is being brought in", "live")),
    "completed": (("counted", "active"), ("brought in", "active")),
    "failed": (("not counted", "failed"), ("stopped", "failed")),
    "rolled_back": (("taken out", "ended"), ("taken out", "ended")),
}
KINDS = (
    (ImportReceipt.Kind.SESSION, "Sessions"),
    (ImportReceipt.Kind.MEMORY, "Memories, with what they said before"),
    (ImportReceipt.Kind.EXTRACTION, "Records of extractions"),
    (ImportReceipt.Kind.CONTACT, "Contacts it made, if nothing else is theirs"),
    (ImportReceipt.Kind.USER, "Users it made, if nothing else is theirs"),
    (ImportReceipt.Kind.AGENT, "Agents it made, if nothing else is theirs"),
)


@dataclass(frozen=True, slots=True)
class ImportView:
    """An import in a list and on its page.

    Attributes:
        words, mark: its state. apply: what the button that brings it in says.
    """

    facts: ImportFacts
    url: str
    format: str
    words: str
    mark: str
    apply: str


def import_view(facts: ImportFacts) -> ImportView:
    """In words."""
    words, mark = STATES[facts.state][0 if facts.dry_run else 1]
    if facts.counted and not facts.held:
        words, mark = "counted, not brought in", "ended"
    return ImportView(
        facts=facts,
        url=reverse("import_detail", args=[facts.id]),
        format=FORMATS.get(facts.format, facts.format),
        words=words,
        mark=mark,
        apply=_apply(facts),
    )


def stock_rows(stock: ImportStock) -> list[tuple[str, int]]:
    """What goes when it is taken out, a line each; what there is none of is left out."""
    rows = [(words, stock.counts[kind]) for kind, words in KINDS if stock.counts.get(kind)]
    if stock.sessions:
        rows.insert(1, ("Messages in them", stock.messages))
    return rows


def _apply(facts: ImportFacts) -> str:
    parts = []
    if facts.sessions:
        sessions = counted(facts.sessions, "session", "sessions")
        parts.append(f"{sessions} with {counted(facts.messages, 'message', 'messages')}")
    if facts.memories:
        parts.append(counted(facts.memories, "memory", "memories"))
    if not parts and facts.extractions:
        parts.append(counted(facts.extractions, "record", "records"))
    return f"Bring in {' and '.join(parts)}"
