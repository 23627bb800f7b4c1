"""Messages of an agent OS database (format C) in our shape.

There a tool's answer stands in a message of its own; here it is in the part that asked for it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from memory.importers.openfang_frames import Frames, Readable, decoded, mentions
from memory.importers.values import Cleaner, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

_CALL, _ANSWER = b"tool_use", b"tool_result"
ROLES = frozenset({"user", "assistant", "system", "tool"})
CONTEXT_INJECTION = "context_injection"
# What a part of a tool has of itself: a block must not say it in a sense of its own.
_OURS = ("type", "tool_id", "tool_name", "tool_input", "tool_output", "tool_status")
Block = dict[str, Any]


@dataclass(slots=True)
class Draft:
    """A message without its time."""

    role: str
    parts: list[Block]
    source: str | None


@dataclass(slots=True)
class Conversation:
    """The messages of one blob; iterating reads it anew.

    Attributes:
        ids_seen: some message had an id, which is not kept.
    """

    stream: Readable
    size: int
    cleaner: Cleaner = field(default_factory=Cleaner)
    ids_seen: bool = False
    _frames: Frames = field(init=False)
    _unread: Counter[str] = field(default_factory=Counter)
    _roles: Counter[str] = field(default_factory=Counter)
    _sources: Counter[str] = field(default_factory=Counter)
    _blocks: int = 0
    _tools: _Tools = field(init=False)

    def __post_init__(self) -> None:
        self._frames = Frames(self.stream, self.size)

    def __iter__(self) -> Iterator[Draft]:
        self._tools = _Tools(self.cleaner)
        # Most conversations and messages name no tool: those need not be decoded twice.
        if mentions(self.stream, _ANSWER):
            for frame in self._frames:
                if _ANSWER in frame or _CALL in frame:
                    self._tools.learn(_blocks_of(_envelope(decoded(frame)[1])))
        self._unread, self._roles, self._sources = Counter(), Counter(), Counter()
        self._blocks = 0
        for frame in self._frames:
            draft = self._draft(frame)
            if draft is not None:
                yield draft

    def problems(self) -> Iterator[tuple[str, int]]:
        """What could not be read in the last run: a sentence, and how many messages it stands for.

        Complete when that run came to its end.
        """
        if self._frames.fault:
            yield self._frames.fault, self._frames.lost
        for what, count in self._unread.items():
            yield f"Messages that {what}: {count:,}.", count
        if self._roles:
            count = self._roles.total()
            yield f"Messages of unknown roles ({listed(self._roles)}): {count:,}.", count
        if self._sources:
            yield f"Unknown sources of messages were left out: {listed(self._sources)}.", 0
        if self._blocks:
            yield f"Blocks that are no blocks were left out of its messages: {self._blocks:,}.", 0
        for remark in self.cleaner.remarks():
            yield remark, 0

    def _draft(self, frame: bytes) -> Draft | None:
        """The message, or None: it is unreadable, or was nothing but answers of tools."""
        readable, value = decoded(frame)
        envelope = _envelope(value)
        if envelope is None:
            if isinstance(value, dict) and isinstance(value.get("role"), str | bytes):
                self._roles[self.cleaner.words(value["role"])] += 1
            else:
                self._unread["cannot be decoded" if not readable else "are none"] += 1
            return None
        content = envelope.get("content")
        if isinstance(content, str | bytes):
            parts, merged = [{"type": "text", "text": self.cleaner.words(content)}], 0
        elif isinstance(content, list):
            parts, merged = self._parts(content)
        else:
            parts, merged = [], 0
        self.ids_seen = self.ids_seen or bool(
            envelope.get("msg_id") or envelope.get("provider_msg_id")
        )
        if not parts:
            if merged:
                return None
            if content != []:
                self._unread["say nothing that can be read"] += 1
                return None
            parts = [{"type": "text", "text": ""}]
        return Draft(_role(envelope), parts, self._source(envelope))

    def _parts(self, blocks: list[Any]) -> tuple[list[Block], int]:
        """The parts, and how many answers went into other messages."""
        parts: list[Block] = []
        merged = 0
        for block in blocks:
            part = self._part(block)
            if part is not None:
                parts.append(part)
            elif _kind(block) == "tool_result":
                merged += 1
            else:
                self._blocks += 1
        return parts, merged

    def _part(self, block: Any) -> Block | None:
        kind = _kind(block)
        if kind == "text":
            return self._text(block)
        if kind == "tool_use":
            return self._tools.use(block)
        if kind == "tool_result":
            return self._tools.result(block)
        kind = self.cleaner.text(kind)
        if kind == "text":
            return self._text(block)
        if not kind:
            return None
        # Thinking, images and what nobody knows yet: as they are.
        return {**_rest(self.cleaner, block, "type"), "type": kind}

    def _text(self, block: Block) -> Block | None:
        said = block.get("text")
        if not isinstance(said, str | bytes):
            return None
        rest = _rest(self.cleaner, block, "type", "text")
        return {**rest, "type": "text", "text": self.cleaner.words(said)}

    def _source(self, envelope: Block) -> str | None:
        source = self.cleaner.words(envelope.get("source"))
        if source and source != CONTEXT_INJECTION:
            self._sources[source] += 1
            return None
        return source or None


class _Tools:
    """Calls of tools and their answers, over all messages of one blob."""

    def __init__(self, cleaner: Cleaner) -> None:
        self._cleaner = cleaner
        self._answers: dict[int, Block] = {}  # by the number of the call
        self._taken: set[int] = set()  # numbers of answers
        self._open: dict[str, list[int]] = {}
        self._learned = [0, 0]
        self._given = [0, 0]

    def learn(self, blocks: list[Any]) -> None:
        """Find for each answer the call before it that is still without one."""
        for block in blocks:
            kind = _kind(block)
            if kind == "tool_use":
                if name := self._cleaner.words(block.get("id")):
                    self._open.setdefault(name, []).append(self._learned[0])
                self._learned[0] += 1
            elif kind == "tool_result":
                waiting = self._open.get(self._cleaner.words(block.get("tool_use_id")))
                if waiting:
                    self._answers[waiting.pop()] = block
                    self._taken.add(self._learned[1])
                self._learned[1] += 1

    def use(self, block: Block) -> Block:
        """A call as a part, with its answer if there is one."""
        answer = self._answers.pop(self._given[0], None)
        self._given[0] += 1
        part = {
            **_rest(self._cleaner, block, *_OURS, "id", "name", "input"),
            **self._answer(answer),
            "type": "tool",
            "tool_id": self._cleaner.words(block.get("id")),
            "tool_name": self._cleaner.words(block.get("name")),
            "tool_input": self._cleaner.json(block.get("input")),
        }
        if answer is None:
            part["tool_status"] = "pending"
        elif not part["tool_name"]:
            part["tool_name"] = self._cleaner.words(answer.get("tool_name"))
        return part

    def result(self, block: Block) -> Block | None:
        """An answer as a part of its own, or None: it is in the part of its call."""
        number = self._given[1]
        self._given[1] += 1
        if number in self._taken:
            return None
        return {
            **self._answer(block),
            "type": "tool",
            "tool_id": self._cleaner.words(block.get("tool_use_id")),
            "tool_name": self._cleaner.words(block.get("tool_name")),
        }

    def _answer(self, block: Block | None) -> Block:
        if block is None:
            return {}
        return {
            **_rest(self._cleaner, block, *_OURS, "tool_use_id", "content", "is_error"),
            "tool_output": self._cleaner.json(block.get("content")),
            "tool_status": "error" if block.get("is_error") else "completed",
        }


def _envelope(value: Any) -> Block | None:
    """The message, if it is one of a role that is known."""
    return value if isinstance(value, dict) and _role(value) in ROLES else None


def _role(envelope: Block) -> str:
    role = envelope.get("role")
    if isinstance(role, bytes):
        role = role.decode("ascii", "replace")
    return role.lower() if isinstance(role, str) else ""


def _blocks_of(envelope: Block | None) -> list[Any]:
    content = None if envelope is None else envelope.get("content")
    return content if isinstance(content, list) else []


def _kind(block: Any) -> str:
    kind = block.get("type") if isinstance(block, dict) else None
    if isinstance(kind, bytes):
        kind = kind.decode("utf-8", "replace")
    return kind if isinstance(kind, str) else ""


def _rest(cleaner: Cleaner, block: Block, *known: str) -> Block:
    """What else a block says, as it is."""
    return {
        cleaner.text(name): cleaner.json(value, 1)
        for name, value in block.items()
        if name not in known
    }
