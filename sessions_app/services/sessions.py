"""Making, changing and deleting sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts.actor import AgentRef, Role
from accounts.errors import AlreadyExists, InvalidArgument, PermissionDenied, Unavailable
from accounts.names import check_id, check_session_id
from accounts.principals import audit
from accounts.principals.access import agent_by_id
from accounts.principals.contacts import narrowed_by_parameter
from accounts.principals.services import with_everyone_registered
from accounts.settings import AccountSettings
from sessions_app import access
from sessions_app.models import Session
from sessions_app.ports import memories as memories_port

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from accounts.actor import Actor

MAX_TITLE = 300
MAX_ATTEMPTS = 100  # to become the current session among others who try
MAX_THREAD_KEY = 255  # a b-tree entry over 2.7 kB fails


def session_create(
    *,
    actor: Actor,
    session_id: str | None = None,
    agent_id: str | None = None,
    contact_id: str | None = None,
    thread_key: str | None = None,
    parent_session_id: str | None = None,
    title: str = "",
    metadata: dict[str, Any] | None = None,
) -> Session:
    """Make a session owned by the effective user, with the effective agent.

    Args:
        session_id: generated when absent.
        agent_id: in place of the effective agent.
        contact_id: the contact that the session is with; its owner becomes the session's.
        parent_session_id: the session that this one is a fork of; the actor must see it.

    Raises:
        InvalidArgument: an id, the title or the thread key is refused.
        NotFound: the parent or the contact is not there for the actor.
        PermissionDenied: the key is bound to other agents, or may not name contacts.
        Conflict: contact_id contradicts the contact of the header.
        AlreadyExists: the session id is taken, by whomever.
    """
    if session_id is not None:
        check_session_id(session_id)
    _check_values(title, thread_key)
    actor = narrowed_by_parameter(actor, contact_id)
    check_contact_given(actor)
    parent = access.session_for(actor, parent_session_id) if parent_session_id else None
    with transaction.atomic():
        actor = with_everyone_registered(actor, named_agent(actor, agent_id))
        session = new_session(actor, session_id)
        session.parent = parent
        session.thread_key = thread_key
        session.title = title
        session.metadata = metadata or {}
        try:
            with transaction.atomic():
                session.save(force_insert=True)
        except IntegrityError:
            raise AlreadyExists(
                "A session with this id exists.", resource=session.session_id, type="session"
            ) from None
        record_simulated(actor, "session.created", session.pk)
    return session


def session_start(
    *,
    actor: Actor,
    agent_id: str | None = None,
    contact_id: str | None = None,
    thread_key: str | None = None,
    title: str = "",
    metadata: dict[str, Any] | None = None,
    force_new: bool = False,
) -> tuple[Session, bool]:
    """The current session of (owner, agent, contact, thread), or a new one.

    With a thread_key that thread's current session only, without one the current session that has
    no thread; always within the contact. Which one it is rests on a unique index: callers that
    race get the same session.

    Args:
        force_new: begin anew; the session that was current stays, but is current no longer.

    Returns:
        The session, and whether it was there before.
    """
    _check_values(title, thread_key)
    actor = narrowed_by_parameter(actor, contact_id)
    check_contact_given(actor)
    with transaction.atomic():
        actor = with_everyone_registered(actor, named_agent(actor, agent_id))
        return current_session(
            actor, thread_key=thread_key, title=title, metadata=metadata, force_new=force_new
        )


def current_session(
    actor: Actor,
    *,
    thread_key: str | None,
    title: str = "",
    metadata: dict[str, Any] | None = None,
    force_new: bool = False,
) -> tuple[Session, bool]:
    """As session_start, inside the caller's transaction; everyone in it is registered.

    Of contacts that were merged the newest current session is taken: each may have one.
    """
    of_family = {"contact__root": actor.contact.id} if actor.contact else {"contact": None}
    current = Session.objects.filter(
        owner=actor.user.id,
        agent=actor.agent.id,
        thread_key=thread_key,
        is_current=True,
        **of_family,
    )
    newest = current.select_related("owner", "agent").order_by("-last_activity_at", "-id")
    for _attempt in range(MAX_ATTEMPTS):
        if force_new:
            current.update(is_current=False)
        else:
            _retire_idle(actor, current)
            found = newest.first()
            if found is not None:
                return found, True
        session = new_session(actor, None)
        session.thread_key = thread_key
        session.title = title
        session.metadata = metadata or {}
        session.is_current = True
        Session.objects.bulk_create([session], ignore_conflicts=True)
        found = newest.first()
        made = found is not None and found.pk == session.pk
        # Somebody else's new session is none for who begins anew; and the one in the way may
        # have ended since.
        if found is not None and (made or not force_new):
            if made:
                record_simulated(actor, "session.created", session.pk)
            return found, not made
    raise Unavailable("Too many sessions begin in this thread at once; try again.")


def session_update(
    *,
    actor: Actor,
    session_id: str,
    title: str | None = None,
    state: str | None = None,
    metadata: dict[str, Any] | None = None,
    memory_paused: bool | None = None,
    at: datetime | None = None,
) -> Session:
    """Change what is given; the rest stays. An ended session is current no longer.

    Args:
        at: when it ended, for data that is loaded later; now when None.

    Raises:
        NotFound: the actor sees no such session.
        InvalidArgument: a value that is refused.
    """
    if state is not None and state not in Session.State.values:
        raise InvalidArgument(f"state must be one of {', '.join(Session.State.values)}.")
    _check_values(title or "", None)
    with transaction.atomic():
        session = access.session_for(actor, session_id, lock=True)
        changes: dict[str, Any] = {
            name: value
            for name, value in (
                ("title", title),
                ("metadata", metadata),
                ("memory_paused", memory_paused),
            )
            if value is not None
        }
        if state is not None and state != session.state:
            changes |= _state_change(state, at)
        for name, value in changes.items():
            setattr(session, name, value)
        if changes:
            session.save(update_fields=list(changes))
            record_simulated(actor, "session.updated", session.pk)
    return session


def session_delete(
    *, actor: Actor, session_id: str, cascade: bool = False, memories: str = "keep"
) -> str:
    """Delete a session with its messages. Forks of it stay, detached, unless `cascade`.

    The look-up is the effective user's, the right to delete follows from the real role.

    Args:
        cascade: delete the forks that the actor sees too, and theirs.
        memories: `keep` or `erase`: what becomes of what was remembered in them.

    Returns:
        The id that it had.

    Raises:
        NotFound: the actor sees no such session.
        PermissionDenied: the caller is neither ADMIN nor ROOT.
    """
    if memories not in ("keep", "erase"):
        raise InvalidArgument("memories must be 'keep' or 'erase'.", field="memories")
    with transaction.atomic():
        session = access.session_for(actor, session_id, lock=True)
        if actor.role is Role.USER:
            raise PermissionDenied("Only admins delete sessions.")
        doomed = _with_forks(actor, session) if cascade else [session.pk]
        erased = memories_port().erase_of_sessions(sessions=doomed) if memories == "erase" else 0
        Session.objects.filter(pk__in=doomed).delete()
        audit.record(
            actor=actor,
            action="session.deleted",
            target_type="session",
            target=session.pk,
            sessions=len(doomed),
            messages=session.message_count,
            memories=erased,
        )
    return session.session_id


def session_used(*, actor: Actor, session_id: str, contexts: int, skills: int) -> Session:
    """Count contexts and skills that an agent made use of in the session.

    Raises:
        NotFound: the actor sees no such session.
    """
    with transaction.atomic():
        session = access.session_for(actor, session_id, lock=True)
        session.contexts_used += contexts
        session.skills_used += skills
        session.save(update_fields=["contexts_used", "skills_used"])
        record_simulated(actor, "session.used", session.pk)
    return session


def named_agent(actor: Actor, agent_id: str | None) -> AgentRef:
    """The agent that a body names, else the effective one; not registered yet if new.

    Raises:
        InvalidArgument: the id does not match the pattern.
        PermissionDenied: the key is bound to other agents.
    """
    if agent_id is None or agent_id.lower() == actor.agent.agent_id.lower():
        return actor.agent
    check_id(agent_id, "agent_id")
    if actor.agents and agent_id.lower() not in actor.agents:
        raise PermissionDenied("This key is bound to other agents.")
    found = agent_by_id(agent_id)
    return AgentRef(found.pk, found.agent_id) if found else AgentRef(None, agent_id)


def new_session(actor: Actor, session_id: str | None) -> Session:
    """An unsaved session of the actor that begins now; everyone in it is registered."""
    assert actor.agent.id is not None
    now = timezone.now()
    return Session(
        session_id=session_id or f"sess_{uuid7().hex}",
        owner_id=actor.user.id,
        agent_id=actor.agent.id,
        contact_id=actor.contact.id if actor.contact else None,
        started_at=now,
        last_activity_at=now,
        written_by=actor.written_by,
        written_key=actor.key,
    )


def check_contact_given(actor: Actor) -> None:
    """Raise InvalidArgument when the key needs a contact and none is named."""
    if actor.contact_required and actor.contact is None:
        raise InvalidArgument("This key needs a contact: send contact_id or X-Bailiwick-Contact.")


def record_simulated(actor: Actor, action: str, session: UUID) -> None:
    """One audit event per simulated write (isolation.md, Simulation); none for one's own."""
    if actor.simulating:
        audit.record(actor=actor, action=action, target_type="session", target=session)


def _check_values(title: str, thread_key: str | None) -> None:
    if len(title) > MAX_TITLE:
        raise InvalidArgument(f"title is longer than {MAX_TITLE} characters.", field="title")
    check_thread_key(thread_key)


def check_thread_key(thread_key: str | None) -> None:
    """Raise InvalidArgument for one that is empty or too long."""
    if thread_key is not None and not 1 <= len(thread_key) <= MAX_THREAD_KEY:
        raise InvalidArgument(
            f"thread_key must have 1 to {MAX_THREAD_KEY} characters.", field="thread_key"
        )


def _state_change(state: str, at: datetime | None) -> dict[str, Any]:
    if state == Session.State.ENDED:
        return {"state": state, "is_current": False, "ended_at": at or timezone.now()}
    return {"state": state, "ended_at": None}


def _retire_idle(actor: Actor, current: Any) -> None:
    """Idleness beyond the account's limit ends currency, in the same transaction."""
    hours = AccountSettings.of(actor.settings).session_idle_hours
    if hours:
        silent_since = timezone.now() - timedelta(hours=hours)
        current.filter(last_activity_at__lt=silent_since).update(
            is_current=False, state=Session.State.IDLE
        )


def _with_forks(actor: Actor, session: Session) -> list[UUID]:
    """The session and all forks below it that the actor sees."""
    found, edge = [session.pk], [session.pk]
    while edge:
        edge = list(access.sessions_of(actor).filter(parent__in=edge).values_list("pk", flat=True))
        found += edge
    return found
