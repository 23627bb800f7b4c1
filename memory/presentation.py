"""Memories in the words and shapes of a page: pure functions over loaded rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from accounts.namespace import agent_root, owner_of, user_root
from accounts.principals.contact_words import contact_view
from accounts.templatetags.bailiwick import exact, shortid
from memory.lines import hidden_words, memory_mark, memory_title
from memory.models import Memory, Salience, Scope
from memory.render import uri_of
from memory.selectors import owner_of as owner_rows
from memory.visibility import Hidden

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from uuid import UUID

    from accounts.namespace import Policy
    from accounts.principals.contact_words import ContactView
    from memory.selectors import Change, MemoryRow, Piece, Sight, Step
    from sessions_app.models import Message

LEVELS = list(Salience.values)
EXCERPT = 160  # characters of unchanged words at each side of a change
RESTORED = (
    "scope", "kind", "topic_key", "summary", "content", "source", "salience", "topics",
    "confidence", "expires_at",
)  # fmt: skip
FIELDS = {
    "user_id": "user",
    "agent_id": "agent",
    "contact_id": "contact",
    "session_id": "session",
    "topic_key": "topic",
    "expires_at": "expires",
}


@dataclass(frozen=True, slots=True)
class Chip:
    """What components/chip.html draws."""

    kind: str
    id: str = ""
    agent: str = ""
    name: str = ""
    platform: str = ""


@dataclass(frozen=True, slots=True)
class MemoryView:
    """A memory, or a past state of it, in a list and on its page.

    Attributes:
        root: the canonical root of its address. bars: of four, how many its salience fills.
        mark: the shape that stands for `words`, which say what keeps it from being recalled.
        selectable: whether it can be chosen for what a list offers to do.
    """

    id: UUID
    url: str
    title: str
    summary: str
    content: str
    uri: str
    root: str
    chip: Chip
    salience: str
    bars: list[bool]
    mark: str
    words: str
    state: str
    changed_at: datetime
    selectable: bool = False


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of what a version changed: `sign`, what it means aloud, the field, the words."""

    sign: str
    said: str
    field: str
    pieces: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class StepView:
    """One version in a history.

    Attributes:
        current: it is the one that stands. differs: it says something else than that one.
        undone: it changed more than the state, so that the version before it can be restored.
    """

    version: int
    at: datetime
    by: str
    lines: list[DiffLine]
    row: MemoryView
    current: bool
    differs: bool
    undone: bool


@dataclass(frozen=True, slots=True)
class VerdictView:
    """Whether somebody recalls a memory with these agents, and by which clause."""

    recalls: bool
    user_id: str
    agent_ids: list[str]
    contact: ContactView | None
    clause: str


@dataclass(frozen=True, slots=True)
class Record:
    """The facts about a memory that stand on its page."""

    user_id: str
    agent_id: str
    contact: ContactView | None
    contact_id: UUID | None
    session_id: str | None
    kind: str
    topic_key: str
    topics: list[str]
    source: str
    confidence: float | None
    expires_at: datetime | None
    written_by: str
    created_at: datetime
    version: int
    superseded_by: UUID | None = None
    supersedes: list[UUID] = field(default_factory=list)


def memory_view(
    policy: Policy, row: MemoryRow, *, admin: bool = False, selectable: bool = False
) -> MemoryView:
    """A memory as a list shows it."""
    said = row.said
    return MemoryView(
        id=row.id,
        url=reverse("memory_detail", args=[row.id]),
        title=memory_title(row),
        summary=said.summary,
        content=said.content,
        uri=uri_of(policy, row),
        root=_root(policy, row),
        chip=chip(policy, row),
        salience=said.salience,
        bars=[place <= LEVELS.index(said.salience) for place in range(len(LEVELS))],
        mark=memory_mark(row),
        words=_words(row, admin=admin),
        state=said.state,
        changed_at=said.updated_at if isinstance(said, Memory) else said.valid_from,
        selectable=selectable,
    )


def chip(policy: Policy, row: MemoryRow) -> Chip:
    """Whose it is: its contact, else what the policy splits it by."""
    contact = contact_view(row.contact)
    if contact is not None:
        return Chip(contact.kind, name=contact.name, platform=contact.platform)
    user, agent = owner_of(policy, scope=row.said.scope, user_id=row.user_id, agent_id=row.agent_id)
    if user is None:
        return Chip("agent", agent or "")
    return Chip("user_with_agent", user, agent) if agent else Chip("user", user)


def record(row: MemoryRow, *, by: UUID | None, of: list[UUID]) -> Record:
    """What stands under Record."""
    said = row.said
    return Record(
        user_id=row.user_id,
        agent_id=row.agent_id,
        contact=contact_view(row.contact),
        contact_id=row.contact.pk if row.contact else None,
        session_id=row.session_id,
        kind=said.kind.replace("_", " "),
        topic_key=said.topic_key or "",
        topics=said.topics,
        source=said.source.replace("_", " "),
        confidence=said.confidence,
        expires_at=said.expires_at,
        written_by=row.written_by or "a job",
        created_at=said.created_at,
        version=said.version,
        superseded_by=by,
        supersedes=of,
    )


def evidence(messages: Collection[Message]) -> list[dict[str, Any]]:
    """Links to the messages that a memory came from."""
    return [
        {
            "seq": one.seq,
            "session": one.session.title or one.session.session_id,
            "url": reverse("message_detail", args=[one.session.session_id, one.seq]),
        }
        for one in messages
    ]


def verdicts(found: Sequence[Sight], contact: ContactView | None) -> list[VerdictView]:
    """Who recalls a memory; the agents with which a user fares alike stand in one line.

    Args:
        contact: the memory's own, which a verdict about a contact is about.
    """
    lines: dict[tuple[Any, ...], VerdictView] = {}
    for one in found:
        key = (one.user_id, one.contact_id, one.recalled)
        line = VerdictView(
            one.recalled.visible,
            one.user_id,
            [],
            contact if one.contact_id else None,
            one.recalled.clause.value,
        )
        lines.setdefault(key, line).agent_ids.append(one.agent_id)
    return list(lines.values())


def step(policy: Policy, one: Step, *, current: MemoryRow) -> StepView:
    """One version as a history shows it.

    Args:
        current: the memory as it stands.
    """
    return StepView(
        version=one.version,
        at=one.at,
        by=one.row.written_by or "a job",
        lines=[line for change in one.changes for line in diff(change)],
        row=memory_view(policy, one.row),
        current=one.version == current.said.version,
        differs=_said(one.row) != _said(current),
        undone=any(change.field != "state" for change in one.changes),
    )


def diff(change: Change) -> list[DiffLine]:
    """A text as the old line and the new one; anything else as one line of both values."""
    name = FIELDS.get(change.field, change.field)
    if not change.pieces:
        pieces = [("removed", _value(change.before)), ("added", _value(change.after))]
        return [DiffLine("±", "Changed", name, pieces)]
    lines = []
    for sign, said, kind in (("−", "Before", "removed"), ("+", "After", "added")):  # noqa: RUF001
        own = [piece for piece in change.pieces if piece.change in (kind, "kept")]
        if any(piece.change == kind for piece in own):
            lines.append(DiffLine(sign, said, name, [_excerpt(piece) for piece in own]))
    return lines


def _said(row: MemoryRow) -> list[Any]:
    """What restoring a version brings back."""
    own = owner_rows(row.said)
    return [own.user, own.agent, own.contact, *(getattr(row.said, name) for name in RESTORED)]


def _excerpt(piece: Piece) -> tuple[str, str]:
    """A long run of words that nothing changed is shown by its ends."""
    text = piece.text
    if piece.change == "kept" and len(text) > 2 * EXCERPT:
        text = f"{text[:EXCERPT]} … {text[-EXCERPT:]}"
    return piece.change, text


def _value(value: Any) -> str:
    if isinstance(value, datetime):
        return exact(value)
    if isinstance(value, list):
        value = ", ".join(value)
    if value is None or value == "":
        return "none"
    return shortid(value, 40)


def _root(policy: Policy, row: MemoryRow) -> str:
    root = agent_root if row.said.scope == Scope.AGENT else user_root
    return root(policy, row.user_id, row.agent_id)


def _words(row: MemoryRow, *, admin: bool) -> str:
    if admin and row.hidden_by == Hidden.QUARANTINE:
        return "quarantined, waits for you"
    return hidden_words(row)
