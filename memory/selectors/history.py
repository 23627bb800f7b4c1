"""What a memory said before, what changed, and when."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accounts.errors import InvalidArgument
from accounts.http.paging import decode_cursor, encode_cursor
from memory import access
from memory.models import Version
from memory.selectors.memories import MemoryRow, rows_of

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from accounts.actor import Actor

COMPARED = (
    "state", "scope", "user_id", "agent_id", "contact_id", "session_id", "kind", "topic_key",
    "summary", "content", "source", "salience", "topics", "confidence", "expires_at",
)  # fmt: skip
TEXTS = ("summary", "content")
MAX_COMPARED = 100_000  # pairs of words, ends that are alike left out; beyond, old and new whole
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words: kept, removed or added."""

    change: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs from the version before; `pieces` of texts only."""

    field: str
    before: Any
    after: Any
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class Step:
    """One version: what it said, who wrote it, and what it changed.

    Attributes:
        changes: to the version before; empty for the first one.
    """

    row: MemoryRow
    version: int
    at: datetime
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """The newest versions first, and the cursor behind which it goes on."""

    steps: list[Step]
    older: str | None


def memory_history(
    *, actor: Actor, memory_id: UUID, limit: int, older_than: str | None = None
) -> HistoryPage:
    """The versions of a memory, the newest first.

    Raises:
        NotFound: the actor sees no such memory.
        InvalidArgument: an unknown cursor.
    """
    memory = access.memory_for(actor, memory_id)
    rows = Version.objects.defer("search").filter(memory=memory)
    if older_than:
        rows = rows.filter(version__lt=_behind(older_than))
    found = list(rows.order_by("-version")[: limit + 1])
    shown = rows_of(actor, found)
    steps = [
        Step(row, row.said.version, _since(row.said), changes(row, before))
        for row, before in zip(shown[:limit], [*shown[1:], None], strict=False)
    ]
    more = len(found) > limit
    return HistoryPage(steps, encode_cursor(str(steps[-1].version)) if more else None)


def changes(row: MemoryRow, before: MemoryRow | None) -> list[Change]:
    """What one version changed."""
    if before is None:
        return []
    old, new = _values(before), _values(row)
    return [
        Change(name, old[name], new[name], _pieces(old[name], new[name]) if name in TEXTS else [])
        for name in COMPARED
        if old[name] != new[name]
    ]


def _values(row: MemoryRow) -> dict[str, Any]:
    named = {
        "user_id": row.user_id,
        "agent_id": row.agent_id,
        "contact_id": row.contact.pk if row.contact else None,
        "session_id": row.session_id,
    }
    return {name: named[name] if name in named else getattr(row.said, name) for name in COMPARED}


def _since(said: Any) -> datetime:
    moment: datetime = said.valid_from
    return moment


def _pieces(before: str, after: str) -> list[Piece]:
    """The two texts word by word, for reading: what is kept, removed and added."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    ends = old[:head], old[len(old) - tail :]
    old, new = old[head : len(old) - tail], new[head : len(new) - tail]
    between = [("removed", old), ("added", new)]
    if len(old) * len(new) <= MAX_COMPARED:
        between = _opened(old, new)
    runs = [("kept", ends[0]), *between, ("kept", ends[1])]
    return [Piece(change, "".join(words)) for change, words in runs if words]


def _opened(old: list[str], new: list[str]) -> list[tuple[str, list[str]]]:
    runs = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            runs.append(("kept", old[a:b]))
        else:
            runs += [("removed", old[a:b]), ("added", new[c:d])]
    return runs


def _common(one: list[str], other: list[str]) -> int:
    """How many words the two begin with alike."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _behind(cursor: str) -> int:
    text = decode_cursor(cursor, 1)[0]
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InvalidArgument("This cursor is not known.", field="cursor")
    return int(text)
