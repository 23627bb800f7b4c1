"""From an id to a session, an archive or a task for an actor: the only way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.errors import NotFound, PermissionDenied
from accounts.names import check_session_id
from sessions_app.models import Archive, Session, Task
from sessions_app.visibility import visible_to

if TYPE_CHECKING:
    from collections.abc import Collection

    from accounts.actor import Actor
    from accounts.guard import AccountQuerySet

TASK_KEPT = timedelta(hours=24)
FAILED_TASK_KEPT = timedelta(days=7)


def sessions_of(actor: Actor) -> AccountQuerySet[Session]:
    """All sessions that the actor sees; for selectors and services of this app."""
    return Session.objects.get_queryset().filter(visible_to(actor))


def visible_ids(actor: Actor, session_id: str) -> tuple[str, dict[str, Any]]:
    """`sessions_of` narrowed to one id, as SQL with named parameters, for statements of our own.

    The text is what `visible_to` compiles to. Compiling it costs 0.2 ms, so it is kept for each
    shape that an actor can have; no text names an account or a row.
    """
    shape = (
        actor.user.registered,
        actor.is_admin,
        actor.policy.sessions_visible_to,
        actor.contact is not None,
    )
    if shape not in _texts:
        _texts[shape] = _compiled(actor)
    return _texts[shape], {
        "seen_session": session_id.lower(),
        "seen_user": actor.user.id,
        "seen_contact": actor.contact.id if actor.contact else None,
    }


_texts: dict[tuple[bool, bool, str, bool], str] = {}
_SESSION, _USER, _CONTACT = "session", UUID(int=1), UUID(int=2)
_MARKS: dict[object, str] = {
    _SESSION: "%(seen_session)s",
    _USER: "%(seen_user)s",
    _CONTACT: "%(seen_contact)s",
    1: "1",  # what an EXISTS selects
}


def _compiled(actor: Actor) -> str:
    """The SQL for an actor of this shape, with marks in place of its ids."""
    marked = replace(actor.user, id=_USER)
    stand_in = replace(
        actor,
        user=marked,
        # Being oneself is part of the shape.
        principal=marked if actor.principal == actor.user else actor.principal,
        contact=replace(actor.contact, id=_CONTACT) if actor.contact else None,
    )
    rows = sessions_of(stand_in).filter(session_id__lower=_SESSION).values("pk")
    text, values = rows.query.sql_with_params()
    return str(text % tuple(_MARKS[value] for value in values))


def session_for(actor: Actor, session_id: str, *, lock: bool = False) -> Session:
    """The session of that id (case is ignored) with its owner and agent.

    Args:
        lock: hold its row until the caller's transaction ends.

    Raises:
        InvalidArgument: the id does not match the pattern.
        NotFound: there is none, or the actor may not see it.
    """
    check_session_id(session_id)
    rows = sessions_of(actor).filter(session_id__lower=session_id.lower())
    if lock:
        rows = rows.select_for_update(of=("self",))
    found = rows.select_related("owner", "agent", "contact").first()
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


def archive_for(actor: Actor, session_id: str, archive_id: str) -> Archive:
    """An archive of a session that the actor sees, by `archive_001` or by its number.

    Raises:
        InvalidArgument: the session id does not match the pattern.
        NotFound: no such session or archive for the actor.
    """
    session = session_for(actor, session_id)
    number = archive_id.removeprefix("archive_")
    found = None
    if number.isascii() and number.isdigit() and len(number) <= 9:
        rows = Archive.objects.select_related("session", "session__owner")
        found = rows.filter(session=session, number=int(number)).first()
    if found is None:
        raise NotFound("archive", archive_id)
    return found


def require_whole_account(actor: Actor) -> None:
    """Raise PermissionDenied unless an ADMIN acts as itself: then everybody's rows are meant."""
    if not actor.is_admin:
        raise PermissionDenied("This needs an admin of the account, acting as itself.")


def account_tasks_of(actor: Actor) -> AccountQuerySet[Task]:
    """Everybody's tasks that are still kept. Raises PermissionDenied as above."""
    require_whole_account(actor)
    return _kept_tasks()


def account_task_for(actor: Actor, task_id: str) -> Task:
    """A task of anybody in the account, or NotFound. Raises PermissionDenied as above."""
    return _task_among(account_tasks_of(actor), task_id)


def tasks_of(actor: Actor) -> AccountQuerySet[Task]:
    """The effective user's tasks that are still kept; with a contact, that contact's only."""
    rows = _kept_tasks().filter(user=actor.user.id, session__in=sessions_of(actor))
    if actor.contact is not None:
        rows = rows.filter(contact__root=actor.contact.id) if actor.contact.id else rows.none()
    return rows


def task_for(actor: Actor, task_id: str) -> Task:
    """A task of the effective user, or NotFound."""
    return _task_among(tasks_of(actor), task_id)


def _kept_tasks() -> AccountQuerySet[Task]:
    now = timezone.now()
    kept = Q(updated_at__gte=now - TASK_KEPT) | Q(
        status=Task.Status.FAILED, updated_at__gte=now - FAILED_TASK_KEPT
    )
    unfinished = Q(status__in=[Task.Status.PENDING, Task.Status.RUNNING])
    return Task.objects.get_queryset().filter(kept | unfinished)


def _task_among(rows: AccountQuerySet[Task], task_id: str) -> Task:
    try:
        key = UUID(task_id)
    except ValueError:
        raise NotFound("task", task_id) from None
    found = rows.filter(pk=key).select_related("session", "archive").first()
    if found is None:
        raise NotFound("task", task_id)
    return found


def session_ids(actor: Actor, keys: Collection[UUID]) -> dict[UUID, str]:
    """The ids of those of these sessions that the actor sees: names in the audit log."""
    return dict(sessions_of(actor).filter(pk__in=keys).values_list("pk", "session_id"))
