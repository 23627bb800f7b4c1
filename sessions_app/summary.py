"""Abstract and overview of an archive without a model: counts and opening lines, no guessing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sessions_app.models import Archive, Message

ABSTRACT_LINES = 2
OVERVIEW_LINES = 12
LINE_CHARACTERS = 160


def abstract_of(archive: Archive, messages: Sequence[Message]) -> str:
    """One paragraph: how many messages, when, and how it began."""
    return " ".join([heading_of(archive, messages), *_opening(messages, ABSTRACT_LINES)])


def overview_of(archive: Archive, messages: Sequence[Message]) -> str:
    """The heading, then the opening line of the first messages, each with who said it."""
    return "\n".join([heading_of(archive, messages), "", *_opening(messages, OVERVIEW_LINES)])


def skipped_abstract_of(archive: Archive) -> str:
    """Stands in for an archive whose summary failed."""
    count = archive.last_seq - archive.first_seq + 1
    return f"Messages {archive.first_seq} to {archive.last_seq} ({count}), not summarised."


def heading_of(archive: Archive, messages: Sequence[Message]) -> str:
    """The range with its counts and its days."""
    authors = list(dict.fromkeys(message.role_id for message in messages if message.role_id))
    days = list(dict.fromkeys(f"{message.created_at:%Y-%m-%d}" for message in messages))
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return (
        f"Messages {archive.first_seq} to {archive.last_seq} ({len(messages)}), {span},"
        f" by {', '.join(authors) or 'nobody named'}."
    )


def _opening(messages: Sequence[Message], count: int) -> list[str]:
    lines = []
    for message in messages:
        words = " ".join(message.text.split())
        if words and message.source is None:
            cut = words if len(words) <= LINE_CHARACTERS else f"{words[:LINE_CHARACTERS]} …"
            lines.append(f"{message.role_id or message.role}: {cut}")
        if len(lines) == count:
            break
    return lines
