"""Messages: pages of a session's, one of them, and what a batch added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sessions_app import access
from sessions_app.models import Message
from sessions_app.selectors.sessions import session_of

if TYPE_CHECKING:
    from accounts.actor import Actor
    from sessions_app.models import Session


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Messages in ascending order, and whether there are more on either side."""

    session: Session
    rows: list[Message]
    has_older: bool
    has_newer: bool


@dataclass(frozen=True, slots=True)
class BatchRange:
    """The messages that one batch added."""

    session_id: str
    first: int
    last: int
    message_ids: list[str]
    key: UUID  # the session's row


def message_page(
    *,
    actor: Actor,
    session_id: str,
    limit: int,
    after_seq: int | None = None,
    before_seq: int | None = None,
) -> MessagePage:
    """Messages in ascending order: those after `after_seq`, else the last ones before `before_seq`.

    With both, the first ones between them. With neither, the first ones of the session.
    """
    session = access.session_for(actor, session_id)
    rows = Message.objects.filter(session=session).defer("search", "language")
    rows = rows.select_related("contact").prefetch_related("contact__handles")
    if after_seq is not None:
        rows = rows.filter(seq__gt=after_seq)
    if before_seq is not None:
        rows = rows.filter(seq__lt=before_seq)
    backwards = before_seq is not None and after_seq is None
    found = list(rows.order_by("-seq" if backwards else "seq")[:limit])
    if backwards:
        found.reverse()
    first, last = (found[0].seq, found[-1].seq) if found else (1, session.message_count)
    newest = session.message_count
    if before_seq is not None and not backwards:
        newest = min(newest, before_seq - 1)
    return MessagePage(session, found, has_older=first > 1, has_newer=last < newest)


def message_of(*, actor: Actor, session_id: str, seq: int) -> tuple[Session, Message | None]:
    """One message by its number, or None in its place."""
    session = access.session_for(actor, session_id)
    rows = Message.objects.select_related("contact").prefetch_related("contact__handles")
    return session, rows.filter(session=session, seq=seq).first()


def batch_of(*, actor: Actor, session: str, first: int, last: int) -> BatchRange:
    """The messages of an earlier batch, for answering its repetition. Raises NotFound.

    Args:
        session: the row's id; the session's own id may be another session's by now.
    """
    found = session_of(actor=actor, key=UUID(session))
    rows = Message.objects.filter(session=found, seq__gte=first, seq__lte=last)
    return BatchRange(
        found.session_id,
        first,
        last,
        [f"msg_{key.hex}" for key in rows.order_by("seq").values_list("pk", flat=True)],
        found.pk,
    )
