"""Session pages: the list, and one session."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.actor import Role
from accounts.errors import InvalidArgument, NotFound
from accounts.lists import PAGE, filter_context, neighbours
from accounts.namespace import session_uri
from accounts.principals import selectors as principal_selectors
from accounts.principals.contact_words import chip_of, contact_view
from accounts.principals.forms.choices import KNOWN
from accounts.web import page
from sessions_app import selectors, services
from sessions_app.forms import SessionFilterForm
from sessions_app.models import Session
from sessions_app.ports import memories
from sessions_app.presentation import (
    message_view,
    participant_words,
    pretty,
    session_row,
    timeline,
    written_words,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.actor import Actor
    from accounts.http.request import AccountRequest
    from sessions_app.models import Message, Participant
    from sessions_app.presentation import MessageView
    from sessions_app.selectors import SessionDetail

TEMPLATE_LIST = "sessions_app/session_list.html"
PAIRS, ALL_PAIRS = 5, 200  # of user and agent: at first, and when all are asked for


@require_safe
def session_list(request: AccountRequest) -> HttpResponse:
    """Sessions that the signed-in user sees, newest activity first, with filters."""
    actor = request.actor
    own = actor.contact is not None
    form = SessionFilterForm(
        request.GET,
        agents=[] if own else principal_selectors.agent_ids(actor=actor, limit=KNOWN),
        users=[] if own else principal_selectors.user_ids(actor=actor, limit=KNOWN),
        of_contact=own,
    )
    context: dict[str, Any] = {
        "form": form,
        "clear_url": request.path,
        "api_url": request.build_absolute_uri("/api/v1"),
        "checked_at": timezone.now(),
    }
    if not form.is_valid():
        return page(request, TEMPLATE_LIST, {**context, "rows": []}, fragment="results", status=422)
    where = _where(form.cleaned_data)
    form.contact_words = _contact_words(actor, where.contact)
    try:
        found = services.page_read(
            actor=actor,
            where=where,
            limit=PAGE,
            older_than=request.GET.get("older"),
            newer_than=request.GET.get("newer"),
            last_words=True,
        )
    except InvalidArgument:  # a cursor that no list gave out
        raise Http404 from None
    count = selectors.session_count(actor=actor, where=where)
    context |= {
        "rows": [session_row(session) for session in found.rows],
        "total": count.total,
        "capped": count.capped,
        "live": count.live,
        "last_shown_at": found.rows[-1].last_activity_at if found.rows else None,
        **filter_context(request, form),
        **neighbours(request, found.older, found.newer),
    }
    return page(request, TEMPLATE_LIST, context, fragment="results")


@require_safe
def session_detail(request: AccountRequest, session_id: str) -> HttpResponse:
    """One session: its timeline, who took part, who reads it. Followed, new messages come in."""
    actor = request.actor
    before, after = _seq(request, "before"), _seq(request, "after")
    if _asks_for_tail(request):
        return _tail(request, session_id, after or 0)
    try:
        detail = services.detail_read(actor=actor, session_id=session_id)
        newest = detail.session.message_count + 1
        messages = services.messages_read(
            actor=actor,
            session_id=session_id,
            limit=PAGE,
            after_seq=after,
            before_seq=before if before is not None or after is not None else newest,
        )
    except (InvalidArgument, NotFound):
        raise Http404 from None
    session = detail.session
    here = reverse("session_detail", args=[session.session_id])
    names = _names(actor, [session, *messages.rows])
    rows = _entries(actor, session, messages.rows, names)
    context = {
        "session": _session(session, detail, names),
        "entries": timeline(rows, detail.archives),
        "messages": rows,
        "participants": _participants(detail),
        "readers": _readers(actor, has_contact=session.contact_id is not None),
        **_recall(request, detail),
        "list_url": reverse("session_list"),
        "older_url": f"{here}?before={rows[0].seq}" if rows and messages.has_older else None,
        "newer_url": f"{here}?after={rows[-1].seq}" if rows and messages.has_newer else None,
        "latest_url": here,
        "live_end": _live_end(request, session, rows[-1].seq if rows else 0),
        "unarchived": _unarchived(detail),
        "may_delete": actor.role is Role.ADMIN,
        "contact_url": _contact_url(actor, session),
    }
    return page(request, "sessions_app/session_detail.html", context, fragment="timeline")


@require_safe
def message_detail(request: AccountRequest, session_id: str, seq: int) -> HttpResponse:
    """One message in full, for texts that the timeline cuts."""
    actor = request.actor
    try:
        session, message = services.message_read(actor=actor, session_id=session_id, seq=seq)
    except (InvalidArgument, NotFound):
        raise Http404 from None
    if message is None:
        raise Http404
    names = _names(actor, [message])
    here = reverse("session_detail", args=[session.session_id])
    context = {
        "session": session,
        "message": message_view(message, names, here, whole=True),
        "back_url": f"{here}?before={seq + 1}#m{seq}",
        "list_url": reverse("session_list"),
    }
    return page(request, "sessions_app/message_detail.html", context, fragment="message")


def _entries(
    actor: Actor, session: Session, rows: Sequence[Message], names: dict[UUID, str]
) -> list[MessageView]:
    """Messages as the timeline shows them, with what was kept from each."""
    here = reverse("session_detail", args=[session.session_id])
    came = memories().from_messages(actor=actor, messages=[row.pk for row in rows]) if rows else {}
    kept_url = _kept_url(session)
    return [
        replace(message_view(row, names, here), memories=came.get(row.pk, 0), memories_url=kept_url)
        for row in rows
    ]


def _kept_url(session: Session) -> str:
    """The list of what was kept from a session."""
    query = urlencode({"session": session.session_id, "state": "kept"})
    return f"{reverse('memory_list')}?{query}"


def _recall(request: AccountRequest, detail: SessionDetail) -> dict[str, Any]:
    """Who could recall what was kept from the session: for an admin as itself only."""
    actor, session = request.actor, detail.session
    if not actor.is_admin:
        return {"recall": None}
    every = request.GET.get("pairs") == "all"
    found = memories().could_recall(
        actor=actor,
        session=session,
        users=[row.user_id for row in detail.participants if row.user_id],
        limit=ALL_PAIRS if every else PAIRS,
    )
    here = reverse("session_detail", args=[session.session_id])
    return {
        "recall": found,
        "policy_version": actor.policy.version,
        "kept_url": _kept_url(session),
        "pairs_url": "" if every or len(found.pairs) == found.all_pairs else f"{here}?pairs=all",
    }


def _contact_url(actor: Actor, session: Session) -> str:
    """The page of the contact, for whoever has one: its owner, admins, itself."""
    if session.contact is None:
        return ""
    if actor.role is Role.ADMIN or session.owner_id == actor.user.id:
        return reverse("contact_detail", args=[session.contact.root])
    return ""


def _asks_for_tail(request: AccountRequest) -> bool:
    """Whether a page that follows the session asks for what came since."""
    htmx = request.htmx
    whole = not htmx or htmx.boosted or htmx.history_restore_request
    return not whole and "follow" in request.GET and "after" in request.GET


def _tail(request: AccountRequest, session_id: str, after: int) -> HttpResponse:
    """The messages behind that number and a new live end; asked for every few seconds."""
    try:
        found = services.messages_read(
            actor=request.actor, session_id=session_id, limit=PAGE, after_seq=after
        )
    except (InvalidArgument, NotFound):
        raise Http404 from None
    names = _names(request.actor, found.rows)
    rows = _entries(request.actor, found.session, found.rows, names)
    context = {
        "session": session_row(found.session),
        "entries": timeline(rows, []),
        "messages": rows,
        "live_end": _live_end(request, found.session, rows[-1].seq if rows else after),
    }
    return page(request, "sessions_app/session_detail.html", context, fragment="tail")


def _live_end(request: AccountRequest, session: Session, last_seq: int) -> dict[str, Any]:
    """The line below the newest message: it follows or offers to, while the session is open."""
    here = reverse("session_detail", args=[session.session_id])
    now = timezone.now()
    return {
        "follows": "follow" in request.GET,
        "ended": session.state == Session.State.ENDED,
        "checked_at": now,
        "tail_url": f"{here}?follow=1&after={last_seq}",
        "follow_url": f"{here}?follow=1#live-end",
        # Another address each time: a browser does not load the same one again for its fragment.
        "again_url": f"{here}?follow={int(now.timestamp() * 1000)}#live-end",
        "stop_url": f"{here}#live-end",
    }


def _names(actor: Actor, rows: Sequence[Message | Session]) -> dict[UUID, str]:
    """user_id of everyone who wrote a row; a contact is not told of users."""
    if actor.contact is not None:
        return {}
    return principal_selectors.user_names({row.written_by for row in rows if row.written_by})


def _unarchived(detail: SessionDetail) -> int:
    """How many messages a commit would archive now."""
    last = detail.archives[-1].last_seq if detail.archives else 0
    return detail.session.message_count - last


def _where(data: dict[str, Any]) -> selectors.SessionFilter:
    since = data["since"]
    return selectors.SessionFilter(
        agent=data.get("agent", ""),
        user=data.get("user", ""),
        contact=data.get("contact"),
        participant=data.get("participant", ""),
        state=data["state"],
        q=data["q"],
        # The day begins where the reader is.
        since=timezone.make_aware(datetime.combine(since, time())) if since else None,
    )


def _contact_words(actor: Actor, contact: UUID | None) -> str:
    """How an active filter names a contact. Http404 for one that the actor may not look at."""
    if contact is None:
        return ""
    found = principal_selectors.contact_names(actor=actor, ids={contact})
    if contact not in found:
        raise Http404
    return chip_of(found[contact]).words


def _session(session: Session, detail: SessionDetail, names: dict[Any, str]) -> dict[str, Any]:
    parent = detail.parent
    return {
        **session_row(session),
        "memory_paused": session.memory_paused,
        "uri": session_uri(session.session_id),
        "participant_words": participant_words(
            [str(who.get("id") or who["name"]) for who in map(_who, detail.participants)]
        ),
        "ended_at": session.ended_at,
        "thread_key": session.thread_key,
        "parent_session_id": parent.session_id if parent else None,
        "parent_url": reverse("session_detail", args=[parent.session_id]) if parent else None,
        "written_by": written_words(session, names, author=session.owner.user_id),
        "metadata_json": pretty(session.metadata),
    }


def _participants(detail: SessionDetail) -> list[dict[str, Any]]:
    return [
        {**_who(row), "message_count": row.message_count, "last_at": row.last_at}
        for row in detail.participants
    ]


def _who(row: Participant) -> dict[str, Any]:
    if row.user is not None:
        return {"kind": "user", "id": row.user.user_id}
    if row.agent is not None:
        return {"kind": "agent", "id": row.agent.agent_id}
    contact = contact_view(row.contact)
    assert contact is not None  # a constraint says that one of the three is there
    return {"kind": contact.kind, "name": contact.name, "platform": contact.platform}


def _readers(actor: Actor, *, has_contact: bool) -> dict[str, str]:
    if has_contact:
        sentence = "The owner of the contact, users who took part, and admins."
    elif actor.policy.sessions_visible_to == "account":
        sentence = "Every user of the account; the policy says so."
    else:
        sentence = "The creator, users who took part, and admins; the policy says so."
    narrow = "participants" if has_contact else actor.policy.sessions_visible_to
    return {"visible_to": narrow, "sentence": sentence}


def _seq(request: AccountRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Http404
    return int(text)
