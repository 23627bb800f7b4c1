"""`/api/v1/sessions`: create, start, list, read, change, append, context, commit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router

from accounts.errors import InvalidArgument, Unimplemented
from accounts.http.envelope import Envelope, ListEnvelope, ok, ok_page, request_id
from accounts.http.paging import DEFAULT_LIMIT, check_limit
from accounts.principals.auth import AccountAuth, caller
from accounts.principals.idempotency import key_of, once
from sessions_app import render, selectors, services
from sessions_app.models import Session
from sessions_app.schemas import (
    ArchiveOut,
    BatchIn,
    BatchMade,
    CommitIn,
    CommitOut,
    ContextOut,
    MessageIn,
    MessageMade,
    MessageOut,
    SessionChange,
    SessionDeleted,
    SessionDetailOut,
    SessionIn,
    SessionOut,
    SessionRow,
    SessionStarted,
    SessionStartIn,
    UsedIn,
    UsedOut,
)
from sessions_app.services import MessageInput

if TYPE_CHECKING:
    from accounts.actor import Actor

about_sessions = AccountAuth(about_contacts=True)
# These two may name the contact in their body; the service asks for it.
naming_contacts = AccountAuth()
router = Router(tags=["sessions"], auth=about_sessions)

MAX_TOKEN_BUDGET = 10_000_000
MAX_SEQ = 2_147_483_647
MAX_Q = 200


@router.post("", auth=naming_contacts, response=Envelope[SessionOut])
def create_session(request: HttpRequest, body: SessionIn | None = None) -> Any:
    """Make a session owned by the effective user."""
    actor, asked = caller(request), body or SessionIn.model_validate({})
    session = once(
        request,
        actor,
        work=lambda: services.session_create(actor=actor, **asked.model_dump()),
        reference=render.session_reference,
        again=lambda found: selectors.session_of(
            actor=actor, key=UUID(found["session"]), contact_id=asked.contact_id
        ),
    )
    return ok(request, _session(actor, session))


@router.post("/start", auth=naming_contacts, response=Envelope[SessionStarted])
def start_session(request: HttpRequest, body: SessionStartIn | None = None) -> Any:
    """Get the current session of this user, agent, contact and thread, or make it."""
    actor, asked = caller(request), body or SessionStartIn.model_validate({})
    session, existing = once(
        request,
        actor,
        work=lambda: services.session_start(actor=actor, **asked.model_dump()),
        reference=lambda made: {**render.session_reference(made[0]), "existing": made[1]},
        again=lambda found: (
            selectors.session_of(
                actor=actor, key=UUID(found["session"]), contact_id=asked.contact_id
            ),
            found["existing"],
        ),
    )
    return ok(request, {**_session(actor, session), "is_existing": existing})


@router.get("", response=ListEnvelope[SessionRow])
def list_sessions(
    request: HttpRequest,
    agent: str = "",
    user: str = "",
    contact: UUID | None = None,
    participant: str = "",
    thread_key: str = "",
    state: str = "",
    q: str = "",
    since: datetime | None = None,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Any:
    """Sessions that the caller sees, newest activity first."""
    if state and state not in Session.State.values:
        raise InvalidArgument(f"state must be one of {', '.join(Session.State.values)}.")
    if len(q) > MAX_Q:
        raise InvalidArgument(f"q has at most {MAX_Q} characters.", field="q")
    if since is not None and since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    page = services.page_read(
        actor=caller(request),
        where=selectors.SessionFilter(
            agent=agent,
            user=user,
            contact=contact,
            participant=participant,
            thread_key=thread_key,
            state=state,
            q=q,
            since=since,
        ),
        limit=check_limit(limit),
        older_than=cursor,
    )
    return ok_page(request, [render.session_row(row) for row in page.rows], page.older)


@router.get("/{session_id}", response=Envelope[SessionDetailOut])
def get_session(request: HttpRequest, session_id: str, auto_create: bool = False) -> Any:
    """One session with who took part in it.

    `auto_create` makes it when it is not there; that needs the scope `write`.
    """
    actor = caller(request)
    detail = (
        services.detail_read_or_created(actor=actor, session_id=session_id)
        if auto_create
        else services.detail_read(actor=actor, session_id=session_id)
    )
    return ok(request, render.session_detail(actor, detail))


@router.patch("/{session_id}", response=Envelope[SessionOut])
def change_session(request: HttpRequest, session_id: str, body: SessionChange) -> Any:
    """Change title, state, metadata or the pause of memory; what is absent stays."""
    actor = caller(request)
    session = once(
        request,
        actor,
        work=lambda: services.session_update(
            actor=actor, session_id=session_id, **body.model_dump()
        ),
        reference=render.session_reference,
        again=lambda found: selectors.session_of(actor=actor, key=UUID(found["session"])),
    )
    return ok(request, _session(actor, session))


@router.delete("/{session_id}", response=Envelope[SessionDeleted])
def delete_session(
    request: HttpRequest, session_id: str, cascade: bool = False, memories: str = "keep"
) -> Any:
    """Delete a session with its messages; its forks stay, detached, unless `cascade`.

    Needs an admin or the root key.
    """
    actor = caller(request)
    deleted = once(
        request,
        actor,
        work=lambda: services.session_delete(
            actor=actor, session_id=session_id, cascade=cascade, memories=memories
        ),
        reference=lambda _deleted: {},
        again=lambda _found: session_id,
    )
    return ok(request, SessionDeleted(session_id=deleted))


@router.post("/{session_id}/messages", response=Envelope[MessageMade])
def append_message(request: HttpRequest, session_id: str, body: MessageIn) -> Any:
    """Append a message; the first one makes the session when it is not there yet."""
    done = services.message_append(
        actor=caller(request), session_id=session_id, message=_input(body, key_of(request))
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


@router.post("/{session_id}/messages/batch", response=Envelope[BatchMade])
def append_batch(request: HttpRequest, session_id: str, body: BatchIn) -> Any:
    """Append up to 500 messages, all or none."""
    actor = caller(request)
    made = once(
        request,
        actor,
        work=lambda: render.batch(
            services.message_append_batch(
                actor=actor,
                session_id=session_id,
                messages=[_input(message) for message in body.messages],
            )
        ),
        reference=render.batch_reference,
        again=lambda found: selectors.batch_of(actor=actor, **found),
    )
    return ok(request, render.batch_made(made))


@router.get("/{session_id}/messages", response=ListEnvelope[MessageOut])
def list_messages(
    request: HttpRequest,
    session_id: str,
    after_seq: int | None = None,
    before_seq: int | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Any:
    """Messages in ascending order; `page.next` is the next `after_seq`."""
    page = services.messages_read(
        actor=caller(request),
        session_id=session_id,
        limit=check_limit(limit),
        after_seq=_seq(after_seq, "after_seq"),
        before_seq=_seq(before_seq, "before_seq"),
    )
    rows = [render.message(row) for row in page.rows]
    return ok_page(request, rows, str(rows[-1]["seq"]) if rows and page.has_newer else None)


@router.get("/{session_id}/context", response=Envelope[ContextOut])
def get_context(request: HttpRequest, session_id: str, token_budget: int = 128_000) -> Any:
    """What an agent reads before it answers: messages whole, summaries within the budget."""
    if not 0 <= token_budget <= MAX_TOKEN_BUDGET:
        raise InvalidArgument(
            f"token_budget must be from 0 to {MAX_TOKEN_BUDGET}.", field="token_budget"
        )
    found = services.context_read(
        actor=caller(request), session_id=session_id, token_budget=token_budget
    )
    return ok(request, render.context(found))


@router.get("/{session_id}/archives/{archive_id}", response=Envelope[ArchiveOut])
def get_archive(request: HttpRequest, session_id: str, archive_id: str) -> Any:
    """A completed archive with its messages; one that is not finished is not there yet."""
    found = services.archive_read(
        actor=caller(request), session_id=session_id, archive_id=archive_id
    )
    return ok(request, render.archive(found))


@router.post("/{session_id}/used", response=Envelope[UsedOut])
def mark_used(request: HttpRequest, session_id: str, body: UsedIn | None = None) -> Any:
    """Count the contexts and the skill that an agent made use of."""
    actor, used = caller(request), body or UsedIn.model_validate({})
    session = once(
        request,
        actor,
        work=lambda: services.session_used(
            actor=actor,
            session_id=session_id,
            contexts=len(used.contexts or []),
            skills=1 if used.skill else 0,
        ),
        reference=render.session_reference,
        again=lambda found: selectors.session_of(actor=actor, key=UUID(found["session"])),
    )
    return ok(
        request,
        UsedOut(
            session_id=session.session_id,
            contexts_used=session.contexts_used,
            skills_used=session.skills_used,
        ),
    )


@router.post("/{session_id}/commit", response=Envelope[CommitOut])
def commit_session(request: HttpRequest, session_id: str, body: CommitIn | None = None) -> Any:
    """Archive what no archive covers yet; the answer names the task that summarises it."""
    actor = caller(request)
    keep = body.keep_recent_count if body else 0
    committed = once(
        request,
        actor,
        work=lambda: services.session_commit(
            actor=actor, session_id=session_id, keep_recent_count=keep
        ),
        reference=render.commit_reference,
        again=lambda found: selectors.commit_of(actor=actor, **found),
    )
    return ok(request, render.commit(committed, request_id(request)))


@router.post("/{session_id}/archives/{archive_id}/retry", response=Envelope[CommitOut])
def retry_archive(request: HttpRequest, session_id: str, archive_id: str) -> Any:
    """Queue a failed archive again."""
    actor = caller(request)
    committed = once(
        request,
        actor,
        work=lambda: services.archive_retry(
            actor=actor, session_id=session_id, archive_id=archive_id
        ),
        reference=render.commit_reference,
        again=lambda found: selectors.commit_of(actor=actor, **found),
    )
    return ok(request, render.commit(committed, request_id(request)))


@router.post("/{session_id}/archives/{archive_id}/skip", response=Envelope[CommitOut])
def skip_archive(request: HttpRequest, session_id: str, archive_id: str) -> Any:
    """Complete a failed archive without a summary, so that commits go on."""
    actor = caller(request)
    committed = once(
        request,
        actor,
        work=lambda: services.archive_skip(
            actor=actor, session_id=session_id, archive_id=archive_id
        ),
        reference=render.commit_reference,
        again=lambda found: selectors.commit_of(actor=actor, **found),
    )
    return ok(request, render.commit(committed, request_id(request)))


@router.post("/{session_id}/extract", response=Envelope[None])
def extract(request: HttpRequest, session_id: str) -> Any:
    """Not available in this version."""
    services.detail_read(actor=caller(request), session_id=session_id)
    raise Unimplemented("Extraction of memories is not available in this version.")


def _session(actor: Actor, session: Session) -> dict[str, Any]:
    parent = selectors.visible_parent(actor=actor, session=session)
    return render.session(actor, session, parent)


def _input(body: MessageIn, key: str | None = None) -> MessageInput:
    return MessageInput(
        role=body.role,
        content=body.content,
        parts=body.parts,
        role_id=body.role_id,
        role_id_sent="role_id" in body.model_fields_set,
        source=body.source,
        created_at=body.created_at,
        peer_id=body.peer_id,
        key=key,
    )


def _seq(value: int | None, name: str) -> int | None:
    if value is not None and not 0 <= value <= MAX_SEQ:
        raise InvalidArgument(f"{name} must be from 0 to {MAX_SEQ}.", field=name)
    return value
