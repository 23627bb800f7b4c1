"""From an id to a session for an actor: the only way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.errors import NotFound
from accounts.names import check_session_id
from sessions_app.models import Session
from sessions_app.visibility import visible_to

if TYPE_CHECKING:
    from accounts.actor import Actor
    from accounts.guard import AccountQuerySet


def sessions_of(actor: Actor) -> AccountQuerySet[Session]:
    """All sessions that the actor sees; for selectors and services of this app."""
    return Session.objects.get_queryset().filter(visible_to(actor))


def session_for(actor: Actor, session_id: str) -> Session:
    """The session of that id (case is ignored) with its owner and agent.

    Raises:
        InvalidArgument: the id does not match the pattern.
        NotFound: there is none, or the actor may not see it.
    """
    check_session_id(session_id)
    found = (
        sessions_of(actor)
        .filter(session_id__lower=session_id.lower())
        .select_related("owner", "agent")
        .first()
    )
    if found is None:
        raise NotFound("session", session_id)
    return found


def session_exists(session_id: str) -> bool:
    """Whether the id is taken, by whomever. Says nothing about the session to the caller."""
    return Session.objects.filter(session_id__lower=session_id.lower()).exists()


def visible_parent(actor: Actor, session: Session) -> Session | None:
    """What the session is a fork of, unless the actor may not see that."""
    if session.parent_id is None:
        return None
    return sessions_of(actor).filter(pk=session.parent_id).first()
