"""`/api/v1/users`: who is in the account, and the control of what is kept of one user.

A USER controls only what is kept of itself, an ADMIN what is kept of any user of the account; the
gate is ignored here, and what it hides is marked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from ninja import Router

from accounts.actor import DEFAULT_ID
from accounts.errors import NotFound
from accounts.http.envelope import Envelope, ListEnvelope, PageEnvelope, ok, ok_page
from accounts.http.paging import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    check_limit,
    encode_cursor,
    id_from_cursor,
)
from accounts.principals import selectors as principals
from accounts.principals.auth import AccountAuth, caller
from accounts.principals.idempotency import once
from memory import render, selectors, services
from memory.export import user_file
from memory.schemas import ExtractionOut, MemoryOut, TopicOut, UserRow, UsersOut, WipedOut

if TYPE_CHECKING:
    from accounts.actor import Actor

router = Router(tags=["users"], auth=AccountAuth(about_contacts=True))
MAX_AUDIT = 500
USER = "/{user_id}/memory"
AGENT = "/{user_id}/agents/{agent_id}/memory"
A_FILE = {
    "description": "A file, outside the envelope: whose it is, and `memories` as in a list.",
    "content": {"application/json": {"schema": {"type": "object"}}},
}


@router.get("", auth=AccountAuth(), response=PageEnvelope[UsersOut])
def list_visible_users(
    request: HttpRequest, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Any:
    """Users of the account; of a contact that is named, its owner only."""
    found = principals.visible_users(
        actor=caller(request), after=id_from_cursor(cursor), limit=check_limit(limit)
    )
    shown = found[:limit]
    users = [
        UserRow(
            user_id=row.user_id,
            display_name=row.display_name,
            role=row.role,
            is_default=row.is_default,
        )
        for row in shown
    ]
    following = encode_cursor(str(shown[-1].pk)) if len(found) > limit else None
    answer = ok(request, UsersOut(default_user_id=DEFAULT_ID, users=users))
    return {**answer, "page": {"next": following}}


@router.get(USER, response=ListEnvelope[MemoryOut])
def list_user_memory(
    request: HttpRequest, user_id: str, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Any:
    """What is kept of a user, with whatever agent, the newest first."""
    return _listed(request, user_id, None, limit, cursor)


@router.delete(USER, response=Envelope[WipedOut])
def wipe_user_memory(request: HttpRequest, user_id: str) -> Any:
    """Delete all that is kept of a user, at once or not at all; memories of agents stay."""
    return _wiped(request, user_id)


@router.get(f"{USER}/topics/{{path:topic}}", response=Envelope[TopicOut])
def get_user_topic(request: HttpRequest, user_id: str, topic: str) -> Any:
    """What is kept of a user on one topic."""
    return _topic(request, user_id, None, topic)


@router.delete(f"{USER}/topics/{{path:topic}}", response=Envelope[WipedOut])
def delete_user_topic(request: HttpRequest, user_id: str, topic: str) -> Any:
    """Delete what is kept of a user on one topic."""
    return _wiped(request, user_id, topic=topic)


@router.get(f"{USER}/audit", response=Envelope[list[ExtractionOut]])
def list_extractions(request: HttpRequest, user_id: str, limit: int = 100) -> Any:
    """The newest runs that looked for memories of a user."""
    _, found = services.user_extractions_read(
        actor=caller(request), user_id=user_id, limit=check_limit(limit, highest=MAX_AUDIT)
    )
    return ok(request, [render.extraction(run) for run in found])


@router.get(f"{USER}/export", openapi_extra={"responses": {200: A_FILE}})
def export_user_memory(request: HttpRequest, user_id: str) -> Any:
    """All that is kept of a user as one JSON file, deleted memories left out."""
    return user_file(caller(request), user_id)


@router.get(AGENT, response=ListEnvelope[MemoryOut])
def list_user_agent_memory(
    request: HttpRequest,
    user_id: str,
    agent_id: str,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Any:
    """What is kept of a user with one agent, the newest first."""
    return _listed(request, user_id, agent_id, limit, cursor)


@router.delete(AGENT, response=Envelope[WipedOut])
def wipe_user_agent_memory(request: HttpRequest, user_id: str, agent_id: str) -> Any:
    """Delete all that is kept of a user with one agent."""
    return _wiped(request, user_id, agent_id=agent_id)


@router.get(f"{AGENT}/topics/{{path:topic}}", response=Envelope[TopicOut])
def get_user_agent_topic(request: HttpRequest, user_id: str, agent_id: str, topic: str) -> Any:
    """What is kept of a user with one agent on one topic."""
    return _topic(request, user_id, agent_id, topic)


@router.delete(f"{AGENT}/topics/{{path:topic}}", response=Envelope[WipedOut])
def delete_user_agent_topic(request: HttpRequest, user_id: str, agent_id: str, topic: str) -> Any:
    """Delete what is kept of a user with one agent on one topic."""
    return _wiped(request, user_id, agent_id=agent_id, topic=topic)


def _listed(
    request: HttpRequest, user_id: str, agent_id: str | None, limit: int, cursor: str | None
) -> Any:
    actor: Actor = caller(request)
    _, page = services.user_memories_read(
        actor=actor, user_id=user_id, agent_id=agent_id, limit=check_limit(limit), cursor=cursor
    )
    return ok_page(request, [render.memory(actor.policy, row) for row in page.rows], page.older)


def _topic(request: HttpRequest, user_id: str, agent_id: str | None, topic: str) -> Any:
    actor: Actor = caller(request)
    spelled, page = services.user_memories_read(
        actor=actor, user_id=user_id, agent_id=agent_id, topic=topic, limit=MAX_LIMIT
    )
    if not page.rows:
        raise NotFound("topic", topic)
    shown = [render.memory(actor.policy, row) for row in page.rows]
    return ok(request, {"user_id": spelled, "topic": topic, "memories": shown})


def _wiped(
    request: HttpRequest, user_id: str, *, agent_id: str | None = None, topic: str | None = None
) -> Any:
    actor: Actor = caller(request)
    wiped = once(
        request,
        actor,
        work=lambda: render.wiped(
            services.memory_wipe(actor=actor, user_id=user_id, agent_id=agent_id, topic=topic)
        ),
        reference=lambda made: {name: made[name] for name in made if name != "user_id"},
        again=lambda found: {
            "user_id": selectors.controlled_user(actor=actor, user_id=user_id),
            **found,
        },
    )
    return ok(request, wiped)
