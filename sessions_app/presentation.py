"""Messages in the words and shapes of a page: pure functions over loaded rows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils import timezone

from accounts.actor import ROOT_PRINCIPAL
from accounts.principals.contact_words import contact_view
from sessions_app.forms import STATUS_WORDS
from sessions_app.models import Archive, Message, Session, Task
from sessions_app.selectors import LIVE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from accounts.principals.contact_words import ContactView

A_DAY = 86_400_000  # milliseconds; a tool's duration beyond is not believed
SHOWN_CHARACTERS = 4_000  # of a message or of a tool's output; the rest is a page away
_MARKS = {
    Task.Status.PENDING: "waits",
    Task.Status.RUNNING: "active",
    Task.Status.FAILED: "failed",
}
_KINDS = {Message.Role.USER: "user", Message.Role.ASSISTANT: "agent"}


@dataclass(frozen=True, slots=True)
class ToolView:
    name: str
    status: str
    summary: str
    input_json: str
    output_text: str


@dataclass(frozen=True, slots=True)
class MessageView:
    """One entry of a timeline."""

    seq: int
    message_id: str
    role: str
    role_id: str | None
    kind: str  # user, agent or other: which chip stands for the author
    contact: ContactView | None  # the speaker, when a contact spoke
    created_at: datetime
    text: str
    full_url: str | None
    written_by: str | None
    tools: list[ToolView] = field(default_factory=list)
    contexts: list[dict[str, Any]] = field(default_factory=list)
    other_parts: list[str] = field(default_factory=list)
    memories: int = 0  # that came from it
    memories_url: str = ""


@dataclass(frozen=True, slots=True)
class ArchiveView:
    """The boundary above the messages of an archive."""

    number: int
    span: str
    tokens: int
    state: str
    committed_at: datetime
    abstract: str
    error: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a timeline: a message, and the archive that begins above or ends below it."""

    message: MessageView
    opens: ArchiveView | None = None
    closes: bool = False


@dataclass(frozen=True, slots=True)
class TaskView:
    """A job in a list."""

    task_id: str
    what: str
    session_id: str
    title: str
    url: str | None  # the session's
    span: str  # of messages; empty when it is about none
    user_id: str
    contact: ContactView | None
    status: str
    mark: str  # the shape that stands for the status
    words: str
    created_at: datetime
    updated_at: datetime
    error: str
    may_cancel: bool
    may_retry: bool  # or skip


def timeline(messages: Sequence[MessageView], archives: Sequence[Archive]) -> list[Entry]:
    """Messages in order, with the boundaries of the archives that cover them.

    An archive's boundary stands above its first message, or above the page's first when the
    archive began on an earlier page.
    """
    entries = []
    for position, message in enumerate(messages):
        archive = next(
            (one for one in archives if one.first_seq <= message.seq <= one.last_seq), None
        )
        begins = archive is not None and (position == 0 or message.seq == archive.first_seq)
        entries.append(
            Entry(
                message,
                opens=archive_view(archive) if archive and begins else None,
                closes=archive is not None and message.seq == archive.last_seq,
            )
        )
    return entries


def archive_view(archive: Archive) -> ArchiveView:
    """An archive's boundary in words."""
    return ArchiveView(
        number=archive.number,
        span=f"{archive.first_seq}\N{EN DASH}{archive.last_seq}",
        tokens=archive.tokens,
        state=archive.state,
        committed_at=archive.created_at,
        abstract=_cut(archive.abstract, SHOWN_CHARACTERS),
        error=archive.error,
    )


def session_row(session: Session) -> dict[str, Any]:
    """A session in a list."""
    return {
        "session_id": session.session_id,
        "url": reverse("session_detail", args=[session.session_id]),
        "title": session.title,
        "last_words": " ".join((getattr(session, "last_words", None) or "").split()),
        "owner": session.owner.user_id,
        "agent": session.agent.agent_id,
        "contact": contact_view(session.contact),
        "state": session.state,
        "is_live": is_live(session),
        "message_count": session.message_count,
        "last_activity_at": session.last_activity_at,
        "started_at": session.started_at,
    }


def is_live(session: Session) -> bool:
    """Whether something was said in it in the last minutes."""
    since = timezone.now() - timedelta(seconds=LIVE_SECONDS)
    return session.state != Session.State.ENDED and session.last_activity_at >= since


def task_view(task: Task) -> TaskView:
    """A job as a list shows it."""
    archive, session = task.archive, task.session
    status = Task.Status(task.status)
    failed = archive is not None and archive.state == Archive.State.FAILED
    return TaskView(
        task_id=str(task.pk),
        what=f"Archive {archive.number}" if archive else "Archive",
        session_id=session.session_id if session else "",
        title=session.title if session else "",
        url=reverse("session_detail", args=[session.session_id]) if session else None,
        span=f"{archive.first_seq}\N{EN DASH}{archive.last_seq}" if archive else "",
        user_id=task.user.user_id,
        contact=contact_view(task.contact),
        status=status,
        mark=_MARKS.get(status, "ended"),
        words=STATUS_WORDS[status],
        created_at=task.created_at,
        updated_at=task.updated_at,
        error=task.error,
        may_cancel=status == Task.Status.PENDING,
        may_retry=failed and status in (Task.Status.FAILED, Task.Status.CANCELLED),
    )


def message_view(
    message: Message, names: Mapping[UUID, str], session_url: str, *, whole: bool = False
) -> MessageView:
    """A message as the page shows it.

    Args:
        names: user_id by User.id, for who wrote it.
        whole: do not cut long texts.
    """
    limit = None if whole else SHOWN_CHARACTERS
    by_type: dict[str, list[dict[str, Any]]] = {"text": [], "tool": [], "context": [], "": []}
    for part in message.parts:
        by_type[part["type"] if part["type"] in by_type else ""].append(part)
    text, contact = message.text, contact_view(message.contact)
    cut = not whole and (len(text) > SHOWN_CHARACTERS or _has_long_tool(by_type["tool"]))
    return MessageView(
        seq=message.seq,
        message_id=message.message_id,
        role=message.role,
        role_id=message.role_id,
        kind=_KINDS.get(Message.Role(message.role), "other"),
        contact=contact,
        created_at=message.created_at,
        text=_cut(text, limit),
        full_url=f"{session_url}/messages/{message.seq}" if cut else None,
        written_by=written_words(
            message, names, author=contact.name if contact else message.role_id
        ),
        tools=[_tool(part, limit) for part in by_type["tool"]],
        contexts=[_context(part) for part in by_type["context"]],
        other_parts=[_cut(pretty(part), limit) for part in by_type[""]],
    )


def written_words(
    row: Message | Session, names: Mapping[UUID, str], *, author: str | None
) -> str | None:
    """Who really wrote a row, when that is not plain from its author."""
    if row.written_by is None:
        return "a job"
    if row.written_by == ROOT_PRINCIPAL:
        return "an operator"
    name = names.get(row.written_by)
    assistant = isinstance(row, Message) and row.role != Message.Role.USER
    if name is None or assistant or name == author:
        return None
    return f"{name}, acting for {author}"


def counted(count: int, one: str, many: str = "") -> str:
    """ "1 job", "2,000 jobs"."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def participant_words(ids: Sequence[str]) -> str:
    """ "alice, bob and ada"; beyond four, the rest as a number."""
    if len(ids) > 4:
        return f"{', '.join(ids[:3])} and {len(ids) - 3} more"
    return " and ".join(filter(None, [", ".join(ids[:-1]), *ids[-1:]]))


def _tool(part: dict[str, Any], limit: int | None) -> ToolView:
    duration = part.get("duration_ms")
    took = ""
    if isinstance(duration, int | float) and 0 <= duration <= A_DAY:
        took = f"{duration / 1000:.1f} s"
    status = str(part.get("tool_status") or "")
    output = part.get("tool_output")
    return ToolView(
        name=str(part.get("tool_name") or "a tool"),
        status=status,
        summary=", ".join(filter(None, [status, took])),
        input_json=_cut(pretty(part.get("tool_input")), limit),
        output_text=_cut(output if isinstance(output, str) else pretty(output), limit),
    )


def _context(part: dict[str, Any]) -> dict[str, Any]:
    return {name: str(part.get(name) or "") for name in ("uri", "context_type", "abstract")}


def _has_long_tool(parts: list[dict[str, Any]]) -> bool:
    return any(len(str(part.get("tool_output") or "")) > SHOWN_CHARACTERS for part in parts)


def pretty(value: Any) -> str:
    """JSON to read; an empty text for what is empty."""
    return "" if value in (None, "", {}, []) else json.dumps(value, ensure_ascii=False, indent=2)


def _cut(text: str, limit: int | None) -> str:
    return text if limit is None or len(text) <= limit else f"{text[:limit]} …"
