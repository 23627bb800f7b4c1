"""Making sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts.actor import AgentRef
from accounts.errors import AlreadyExists, InvalidArgument
from accounts.names import check_id, check_session_id
from accounts.principals import audit
from accounts.principals.access import agent_by_id
from accounts.principals.services import agent_on_sight
from sessions_app import access
from sessions_app.models import Session

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from accounts.actor import Actor

MAX_TITLE = 300
MAX_THREAD_KEY = 255  # a b-tree entry over 2.7 kB fails


def session_create(
    *,
    actor: Actor,
    session_id: str | None = None,
    agent_id: str | None = None,
    thread_key: str | None = None,
    parent_session_id: str | None = None,
    title: str = "",
    metadata: dict[str, Any] | None = None,
) -> Session:
    """Make a session owned by the effective user, with the effective agent.

    Args:
        session_id: generated when absent.
        agent_id: in place of the effective agent.
        parent_session_id: the session that this one is a fork of; the actor must see it.

    Raises:
        InvalidArgument: an id, the title or the thread key is refused.
        NotFound: the parent is not there for the actor.
        AlreadyExists: the session id is taken, by whomever.
    """
    if session_id is not None:
        check_session_id(session_id)
    if len(title) > MAX_TITLE:
        raise InvalidArgument(f"title is longer than {MAX_TITLE} characters.", field="title")
    if thread_key is not None and not 1 <= len(thread_key) <= MAX_THREAD_KEY:
        raise InvalidArgument(
            f"thread_key must have 1 to {MAX_THREAD_KEY} characters.", field="thread_key"
        )
    parent = access.session_for(actor, parent_session_id) if parent_session_id else None
    agent = named_agent(actor, agent_id)
    with transaction.atomic():
        session = new_session(actor, session_id, agent_on_sight(actor=actor, agent=agent))
        session.parent = parent
        session.thread_key = thread_key
        session.title = title
        session.metadata = metadata or {}
        try:
            with transaction.atomic():
                session.save(force_insert=True)
        except IntegrityError:
            raise AlreadyExists(
                "A session with this id exists.", session_id=session.session_id
            ) from None
        record_simulated(actor, "session.created", session.pk)
    return session


def named_agent(actor: Actor, agent_id: str | None) -> AgentRef:
    """The agent that a body names, else the effective one; not registered yet if new."""
    if agent_id is None or agent_id.lower() == actor.agent.agent_id.lower():
        return actor.agent
    check_id(agent_id, "agent_id")
    found = agent_by_id(agent_id)
    return AgentRef(found.pk, found.agent_id) if found else AgentRef(None, agent_id)


def new_session(actor: Actor, session_id: str | None, agent: AgentRef) -> Session:
    """An unsaved session of the actor that begins now."""
    assert agent.id is not None  # agent_on_sight has registered it
    now = timezone.now()
    return Session(
        session_id=session_id or f"sess_{uuid7().hex}",
        owner_id=actor.user.id,
        agent_id=agent.id,
        started_at=now,
        last_activity_at=now,
        written_by=actor.written_by,
        written_key=actor.key,
    )


def record_simulated(actor: Actor, action: str, session: UUID) -> None:
    """One audit event per simulated write (isolation.md, Simulation); none for one's own."""
    if not actor.as_itself:
        audit.record(actor=actor, action=action, target_type="session", target=session)


def session_end(*, actor: Actor, session_id: str, at: datetime | None = None) -> Session:
    """End a session: it can be read, but nothing can be appended any more.

    Args:
        at: when it ended; now when None.

    Raises:
        NotFound: the actor sees no such session.
    """
    with transaction.atomic():
        session = access.session_for(actor, session_id)
        session.state = Session.State.ENDED
        session.ended_at = at or timezone.now()
        session.save(update_fields=["state", "ended_at"])
        record_simulated(actor, "session.ended", session.pk)
    return session
