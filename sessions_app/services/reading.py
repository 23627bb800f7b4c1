"""Reading what others said: a selector, and the note that an admin or operator leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts.actor import Role, Scope
from accounts.errors import AlreadyExists, InvalidArgument
from accounts.names import check_session_id
from accounts.principals import audit
from accounts.principals.access import require_scope
from accounts.principals.models import Agent
from accounts.principals.services import with_everyone_registered
from sessions_app import access, selectors
from sessions_app.services.sessions import session_create

if TYPE_CHECKING:
    from accounts.actor import Actor
    from sessions_app.models import Message, Session
    from sessions_app.selectors import (
        ArchiveDetail,
        MessagePage,
        Overview,
        SessionContext,
        SessionDetail,
        SessionFilter,
        SessionPage,
    )


def page_read(
    *,
    actor: Actor,
    where: SessionFilter,
    limit: int,
    older_than: str | None = None,
    newer_than: str | None = None,
    last_words: bool = False,
) -> SessionPage:
    """As selectors.session_page, noted for everybody on the page."""
    found = selectors.session_page(
        actor=actor,
        where=where,
        limit=limit,
        older_than=older_than,
        newer_than=newer_than,
        last_words=last_words,
    )
    audit.note_read(actor=actor, kind="list", subjects=[row.owner_id for row in found.rows])
    return found


def overview_read(*, actor: Actor) -> Overview:
    """As selectors.account_overview, noted for whose sessions it names."""
    found = selectors.account_overview(actor=actor)
    audit.note_read(actor=actor, kind="list", subjects=[row.owner_id for row in found.live])
    return found


def message_read(*, actor: Actor, session_id: str, seq: int) -> tuple[Session, Message | None]:
    """As selectors.message_of, noted."""
    session, message = selectors.message_of(actor=actor, session_id=session_id, seq=seq)
    _note(actor, "messages", session)
    return session, message


def detail_read(*, actor: Actor, session_id: str) -> SessionDetail:
    """As selectors.session_detail, noted."""
    found = selectors.session_detail(actor=actor, session_id=session_id)
    _note(actor, "session", found.session)
    return found


def detail_read_or_created(*, actor: Actor, session_id: str) -> SessionDetail:
    """As detail_read, after making the session when its id is free.

    Raises:
        PermissionDenied: the key lacks the scope `write`.
        NotFound: the id is taken by a session that the actor may not see.
    """
    require_scope(actor, Scope.WRITE)
    check_session_id(session_id)
    if not access.session_exists(session_id):
        try:
            with transaction.atomic():
                actor = with_everyone_registered(actor, actor.agent)
                session_create(actor=actor, session_id=session_id)
        except AlreadyExists:  # someone was quicker
            pass
    return detail_read(actor=actor, session_id=session_id)


def messages_read(
    *,
    actor: Actor,
    session_id: str,
    limit: int,
    after_seq: int | None = None,
    before_seq: int | None = None,
) -> MessagePage:
    """As selectors.message_page, noted."""
    found = selectors.message_page(
        actor=actor,
        session_id=session_id,
        limit=limit,
        after_seq=after_seq,
        before_seq=before_seq,
    )
    _note(actor, "messages", found.session)
    return found


def archive_read(*, actor: Actor, session_id: str, archive_id: str) -> ArchiveDetail:
    """As selectors.archive_detail, noted."""
    found = selectors.archive_detail(actor=actor, session_id=session_id, archive_id=archive_id)
    _note(actor, "messages", found.archive.session)
    return found


def context_read(*, actor: Actor, session_id: str, token_budget: int) -> SessionContext:
    """As selectors.session_context, noted.

    Raises:
        InvalidArgument: a gateway's key names no contact for an agent that keeps senders apart.
    """
    found = selectors.session_context(actor=actor, session_id=session_id, token_budget=token_budget)
    unscoped = Scope.GATEWAY in actor.scopes and actor.role is Role.USER and actor.contact is None
    if unscoped and found.session.agent.session_scope == Agent.SessionScope.PER_SENDER:
        raise InvalidArgument("A gateway names the contact when the agent keeps senders apart.")
    _note(actor, "context", found.session)
    return found


def _note(actor: Actor, kind: str, session: Session) -> None:
    audit.note_read(actor=actor, kind=kind, subjects=[session.owner_id])
