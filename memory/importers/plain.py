"""What every reader gives: sessions, memories and runs of extraction as plain records.

Names are the source's own; which ids they get here is decided when they are written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path


class UnreadableSource(Exception):
    """Nothing can be read at all; the message is a plain sentence."""


def printable(text: str) -> str:
    """The text without NUL characters, and with broken ones as `\\udcff`."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read, or was left out; the rest goes on.

    Attributes:
        where: a file, with its line or row (`sessions/a.jsonl:17`, `openfang.db sessions 4f…`).
        what: a plain sentence. lost: how many messages or memories it stands for.
    """

    where: str
    what: str
    lost: int = 0

    def __post_init__(self) -> None:
        """Names of files and messages of libraries may hold what no report can."""
        for name in ("where", "what"):
            object.__setattr__(self, name, printable(getattr(self, name)))


@dataclass(frozen=True, slots=True)
class SourceName:
    """A user or agent of the source.

    Attributes:
        key: what the source calls it. name: what people call it there, if it says so.
    """

    key: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class SourceSender:
    """Who reached an agent through a channel.

    Attributes:
        platform: one of the platforms of contacts. kind: external or group.
    """

    platform: str
    platform_id: str
    kind: str = "external"
    name: str = ""


@dataclass(frozen=True, slots=True)
class SourceMessage:
    """One message.

    Attributes:
        role: user, assistant, system or tool.
        parts: in the shape of sessions_app.parts (`[{"type": "text", "text": …}]`), never empty;
            blank ones may come: they are written as they were.
        at: its true time, with a zone; None: the source has none.
        speaker: who spoke, when it is not the sender of the session (a member of a group).
        source: None or context_injection.
    """

    role: str
    parts: list[dict[str, Any]]
    at: datetime | None = None
    speaker: SourceSender | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class SourceSession:
    """One conversation, without its messages: `Source.messages(session)` streams those.

    Attributes:
        key: the source's id, unique in the source. name: the file or table row, for receipts.
        sha256: of the bytes, or of the rows in order: the same as long as nothing changed there.
        length: bytes, or rows. messages: how many `messages()` will give.
        agent, user: None: the importer's options, else the default ones.
        sender: whom it is with. thread: the source's thread, if any.
        speakers: everyone else whom its messages may name as their speaker.
        at: last activity when no message has a time: the file's or row's own; never "now".
    """

    key: str
    name: str
    sha256: str
    length: int
    messages: int
    at: datetime
    title: str = ""
    agent: SourceName | None = None
    user: SourceName | None = None
    sender: SourceSender | None = None
    thread: str | None = None
    speakers: tuple[SourceSender, ...] = ()
    parent: str | None = None
    started_at: datetime | None = None
    ended: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SourceMemory:
    """One thing that the source keeps. Fields are those of memory.models.Memory.

    Attributes:
        key: the source's id, unique in the source.
        state: active, superseded or deleted. superseded_by: a key.
        session: a session's key.
    """

    key: str
    name: str
    content: str
    at: datetime
    scope: str = "user"
    kind: str = "facts"
    topic_key: str | None = None
    summary: str = ""
    source: str = "imported"
    salience: str = "medium"
    topics: tuple[str, ...] = ()
    confidence: float | None = None
    state: str = "active"
    superseded_by: str | None = None
    expires_at: datetime | None = None
    agent: SourceName | None = None
    user: SourceName | None = None
    sender: SourceSender | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True)
class SourceExtraction:
    """One run that looked for memories in a session; what it found comes as memories, too.

    Attributes:
        memories: how many things it found.
    """

    key: str
    name: str
    session: str
    at: datetime
    memories: int
    agent: SourceName | None = None
    user: SourceName | None = None


class Source(Protocol):
    """A store that is read in place and never changed. Everything streams: memory is constant.

    Attributes:
        format: jsonl, sqlite or openfang. path: what was given.
        notes: what a reader should know about the source as a whole (keys that may have merged …).
    """

    format: str
    path: Path
    notes: list[str]

    def sessions(self) -> Iterator[SourceSession]:
        """Every session, also those without messages; parents before their forks."""

    def messages(self, session: SourceSession) -> Iterator[SourceMessage]:
        """The messages of one of them, in order."""

    def memories(self) -> Iterator[SourceMemory]:
        """Everything kept; what supersedes comes in any order."""

    def extractions(self) -> Iterator[SourceExtraction]:
        """Runs of extraction, oldest first."""

    def problems(self) -> Iterable[Problem]:
        """What could not be read so far; complete when everything else was read through."""

    def default_users(self) -> frozenset[str]:
        """Keys of users that mean the default user here."""

    def holds(self, session: str) -> bool:
        """Whether a session of that key is still there; a file that was put aside counts."""

    def settled(self) -> None:
        """All of it is in, verified: put the source aside (rename to `.migrated`), if it is so."""

    def brought_back(self, receipts: Mapping[str, str] | None = None) -> None:
        """The import was rolled back: undo `settled` for these names, with their SHA-256."""
