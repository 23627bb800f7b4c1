"""`/api/v1/sessions`: create, list, read, append, context."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router

from accounts.errors import InvalidArgument, Unimplemented
from accounts.http.envelope import Envelope, ListEnvelope, ok, ok_page
from accounts.http.paging import DEFAULT_LIMIT, check_limit
from accounts.namespace import session_uri
from accounts.principals.auth import AccountAuth, caller
from sessions_app import selectors, services
from sessions_app.models import Message, Session
from sessions_app.schemas import (
    ContextMessageOut,
    ContextOut,
    ContextStats,
    MessageIn,
    MessageMade,
    MessageOut,
    OwnerOut,
    SessionDetailOut,
    SessionIn,
    SessionOut,
    SessionRow,
)
from sessions_app.services import MessageInput

router = Router(tags=["sessions"], auth=AccountAuth())

MAX_TOKEN_BUDGET = 10_000_000
MAX_SEQ = 2_147_483_647


@router.post("", response=Envelope[SessionOut])
def create_session(request: HttpRequest, body: SessionIn) -> Any:
    """Make a session owned by the effective user."""
    _refuse_contact(body.contact_id)
    session = services.session_create(
        actor=caller(request), **body.model_dump(exclude={"contact_id"})
    )
    return ok(
        request,
        SessionOut(
            session_id=session.session_id,
            uri=session_uri(session.session_id),
            user=_owner(request, session),
            title=session.title,
            state=session.state,
            thread_key=session.thread_key,
            parent_session_id=session.parent.session_id if session.parent else None,
            metadata=session.metadata,
            created_at=session.started_at,
        ),
    )


@router.get("", response=ListEnvelope[SessionRow])
def list_sessions(
    request: HttpRequest,
    agent: str = "",
    user: str = "",
    contact: str = "",
    participant: str = "",
    thread_key: str = "",
    state: str = "",
    q: str = "",
    since: datetime | None = None,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Any:
    """Sessions that the caller sees, newest activity first."""
    _refuse_contact(contact)
    if state and state not in Session.State.values:
        raise InvalidArgument(f"state must be one of {', '.join(Session.State.values)}.")
    if since is not None and since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    page = selectors.session_page(
        actor=caller(request),
        where=selectors.SessionFilter(agent, user, participant, thread_key, state, q, since),
        limit=check_limit(limit),
        older_than=cursor,
    )
    rows = [
        SessionRow(
            session_id=row.session_id,
            uri=session_uri(row.session_id),
            title=row.title,
            user_id=row.owner.user_id,
            agent_id=row.agent.agent_id,
            thread_key=row.thread_key,
            state=row.state,
            message_count=row.message_count,
            last_activity_at=row.last_activity_at,
            created_at=row.started_at,
        )
        for row in page.rows
    ]
    return ok_page(request, rows, page.older)


@router.get("/{session_id}", response=Envelope[SessionDetailOut])
def get_session(request: HttpRequest, session_id: str) -> Any:
    """One session with who took part in it."""
    detail = selectors.session_detail(actor=caller(request), session_id=session_id)
    session = detail.session
    return ok(
        request,
        SessionDetailOut(
            session_id=session.session_id,
            uri=session_uri(session.session_id),
            title=session.title,
            state=session.state,
            created_at=session.started_at,
            updated_at=session.last_activity_at,
            created_by_user_id=session.owner.user_id,
            participant_user_ids=detail.user_ids,
            participant_agent_ids=detail.agent_ids,
            message_count=session.message_count,
            pending_tokens=session.pending_tokens,
            user=_owner(request, session),
            parent_session_id=detail.parent.session_id if detail.parent else None,
            thread_key=session.thread_key,
            metadata=session.metadata,
        ),
    )


@router.post("/{session_id}/messages", response=Envelope[MessageMade])
def append_message(request: HttpRequest, session_id: str, body: MessageIn) -> Any:
    """Append a message; the first one makes the session when it is not there yet."""
    _refuse_contact(body.peer_id)
    done = services.message_append(
        actor=caller(request),
        session_id=session_id,
        message=MessageInput(
            role=body.role,
            content=body.content,
            parts=body.parts,
            role_id=body.role_id,
            role_id_sent="role_id" in body.model_fields_set,
            source=body.source,
            created_at=body.created_at,
        ),
    )
    return ok(
        request,
        MessageMade(
            session_id=done.session_id,
            message_count=done.message_count,
            message_id=done.message_id,
            seq=done.seq,
        ),
    )


@router.get("/{session_id}/messages", response=ListEnvelope[MessageOut])
def list_messages(
    request: HttpRequest,
    session_id: str,
    after_seq: int | None = None,
    before_seq: int | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Any:
    """Messages in ascending order; `page.next` is the next `after_seq`."""
    page = selectors.message_page(
        actor=caller(request),
        session_id=session_id,
        limit=check_limit(limit),
        after_seq=_seq(after_seq, "after_seq"),
        before_seq=_seq(before_seq, "before_seq"),
    )
    rows = [
        MessageOut(
            id=row.message_id,
            seq=row.seq,
            role=row.role,
            role_id=row.role_id,
            parts=row.parts,
            source=row.source,
            created_at=row.created_at,
        )
        for row in page.rows
    ]
    return ok_page(request, rows, str(rows[-1].seq) if rows and page.has_newer else None)


@router.get("/{session_id}/context", response=Envelope[ContextOut])
def get_context(request: HttpRequest, session_id: str, token_budget: int = 128_000) -> Any:
    """What an agent reads before it answers: messages whole, summaries within the budget."""
    if not 0 <= token_budget <= MAX_TOKEN_BUDGET:
        raise InvalidArgument(
            f"token_budget must be from 0 to {MAX_TOKEN_BUDGET}.", field="token_budget"
        )
    found = selectors.session_context(
        actor=caller(request), session_id=session_id, token_budget=token_budget
    )
    assembled = found.assembled
    return ok(
        request,
        ContextOut(
            latest_archive_overview=assembled.overview,
            pre_archive_abstracts=[],
            messages=[_context_message(row) for row in found.messages],
            estimatedTokens=assembled.estimated_tokens,
            stats=ContextStats(
                totalArchives=assembled.included + assembled.dropped,
                includedArchives=assembled.included,
                droppedArchives=assembled.dropped,
                failedArchives=0,
                activeTokens=assembled.active_tokens,
                archiveTokens=assembled.archive_tokens,
            ),
        ),
    )


def _context_message(row: Message) -> ContextMessageOut:
    return ContextMessageOut(
        id=row.message_id,
        role=row.role,
        role_id=row.role_id,
        parts=row.parts,
        created_at=row.created_at,
    )


def _owner(request: HttpRequest, session: Session) -> OwnerOut:
    return OwnerOut(
        account_id=caller(request).account.account_id,
        user_id=session.owner.user_id,
        agent_id=session.agent.agent_id,
    )


def _seq(value: int | None, name: str) -> int | None:
    if value is not None and not 0 <= value <= MAX_SEQ:
        raise InvalidArgument(f"{name} must be from 0 to {MAX_SEQ}.", field=name)
    return value


def _refuse_contact(value: str | None) -> None:
    # A contact always narrows. Until contacts exist, ignoring one would widen.
    if value:
        raise Unimplemented("Contacts are not available in this version.")
