"""Reading source and account again, and comparing: what was imported is there, once, in order."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from memory.importers.plain import Problem
from memory.models import ImportReceipt
from sessions_app.models import Message, Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memory.importers.plain import Source, SourceSession

READ_AT_ONCE = 500


def session_verify(
    *, source: Source, session: SourceSession, receipt: ImportReceipt
) -> Problem | None:
    """Compare one session with its source, message by message; None when they are the same.

    What was appended here since is not the import's, and is left out.
    """
    row = Session.objects.filter(pk=receipt.target).first()
    if row is None:
        return Problem(session.name, "The session that was imported is no longer there.")
    if row.message_count < receipt.messages:
        return Problem(session.name, "The session here has fewer messages than were imported.", 1)
    rows = _messages(row, receipt.messages)
    for number, (told, kept) in enumerate(zip_longest(source.messages(session), rows), start=1):
        if told is None or kept is None:
            return Problem(session.name, f"Message {number} is on one side only.", 1)
        same = (
            kept.seq == number
            and (kept.role, kept.parts, kept.source) == (told.role, told.parts, told.source)
            and (told.at is None or kept.created_at == told.at)
        )
        if not same:
            return Problem(session.name, f"Message {number} differs from its source.", 1)
    return None


def _messages(session: Session, count: int) -> Iterator[Message]:
    rows = Message.objects.filter(session=session, seq__lte=count)
    rows = rows.defer("search", "language", "text").order_by("seq")
    return iter(rows.iterator(chunk_size=READ_AT_ONCE))
