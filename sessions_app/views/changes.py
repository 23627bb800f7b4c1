"""Changing a session from its page: its title, end, memory, archives; and deleting it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import DomainError, InvalidArgument, NotFound
from accounts.web import Undo, admins_only, done, page, refused
from sessions_app import services
from sessions_app.forms import (
    SessionDeleteForm,
    SessionMemoryForm,
    SessionStateForm,
    SessionTitleForm,
)
from sessions_app.models import Session
from sessions_app.ports import memories
from sessions_app.presentation import counted

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.actor import Actor
    from accounts.http.request import AccountRequest
    from sessions_app.selectors import SessionDetail


@require_http_methods(["GET", "HEAD", "POST"])
def session_title(request: AccountRequest, session_id: str) -> HttpResponse:
    """Give the session another title."""
    session = _detail(request.actor, session_id).session
    here = reverse("session_detail", args=[session.session_id])
    form = SessionTitleForm(
        request.POST if request.method == "POST" else None, initial={"title": session.title}
    )
    if form.is_valid():
        title, former = form.cleaned_data["title"], session.title
        try:
            services.session_update(actor=request.actor, session_id=session_id, title=title)
        except DomainError as error:
            refused(form, error)
        else:
            undo = Undo(reverse("session_title", args=[session.session_id]), {"title": former})
            said = f"It is called “{title}” now." if title else "It goes by its id now."
            return done(request, here, said, undo=undo if title != former else None)
    context = {"form": form, "session": session, "back_url": here}
    status = 422 if form.errors else 200
    return page(request, "sessions_app/session_title.html", context, fragment="main", status=status)


@require_POST
def session_state(request: AccountRequest, session_id: str) -> HttpResponse:
    """End the session, or open it again."""
    form = SessionStateForm(request.POST)
    if not form.is_valid():
        raise Http404
    session = _detail(request.actor, session_id).session
    state, former = form.cleaned_data["state"], session.state
    try:
        services.session_update(actor=request.actor, session_id=session_id, state=state)
    except NotFound:  # deleted meanwhile
        raise Http404 from None
    ended = state == Session.State.ENDED
    undo = Undo(request.path, {"state": former}, "Open it again" if ended else "Undo")
    return done(
        request,
        reverse("session_detail", args=[session.session_id]),
        "The session has ended: no message is taken any more." if ended else "It is open again.",
        undo=undo if state != former else None,
    )


@require_POST
def session_memory(request: AccountRequest, session_id: str) -> HttpResponse:
    """Pause memory in the session, or let it go on."""
    form = SessionMemoryForm(request.POST)
    if not form.is_valid():
        raise Http404
    session = _detail(request.actor, session_id).session
    paused, former = form.cleaned_data["memory"] == "paused", session.memory_paused
    try:
        services.session_update(actor=request.actor, session_id=session_id, memory_paused=paused)
    except NotFound:  # deleted meanwhile
        raise Http404 from None
    undo = Undo(request.path, {"memory": "paused" if former else "open"})
    return done(
        request,
        reverse("session_detail", args=[session.session_id]),
        "Memory is paused: nothing more is kept from this session."
        if paused
        else "Memory goes on in this session.",
        undo=undo if paused != former else None,
    )


@require_POST
def session_commit(request: AccountRequest, session_id: str) -> HttpResponse:
    """Archive what no archive covers; a job writes the summary."""
    try:
        made = services.session_commit(actor=request.actor, session_id=session_id)
    except (InvalidArgument, NotFound):
        raise Http404 from None
    except DomainError as error:
        here = reverse("session_detail", args=[session_id])
        return done(request, here, f"Nothing was archived. {error.message}")
    here = reverse("session_detail", args=[made.session.session_id])
    if made.archive is None:
        return done(request, here, "Nothing was archived: every message is in an archive already.")
    count = made.archive.last_seq - made.archive.first_seq + 1
    said = f"{counted(count, 'message')} archived; the summary is on its way."
    return done(request, here, said)


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def session_delete(request: AccountRequest, session_id: str) -> HttpResponse:
    """Ask, with what goes, and delete the session."""
    detail = _detail(request.actor, session_id)
    session = detail.session
    kept = memories().of_session(session=session.pk)
    form = SessionDeleteForm(request.POST if request.method == "POST" else None, kept=kept)
    if form.is_valid():
        chosen = form.cleaned_data.get("memories") or "keep"
        try:
            services.session_delete(actor=request.actor, session_id=session_id, memories=chosen)
        except NotFound:  # somebody was quicker
            raise Http404 from None
        said = f"“{session.title or session.session_id}” and {_messages(session)} were deleted."
        if chosen == "erase":
            said = f"{said} {counted(kept, 'memory', 'memories')} erased."
        return done(request, reverse("session_list"), said)
    context = {
        "form": form,
        "session": session,
        "goes": [
            ("Messages", session.message_count),
            ("Archives with their summaries", len(detail.archives)),
            ("Participants, who stay in the account", len(detail.participants)),
        ],
        "messages": _messages(session),
        "list_url": reverse("session_list"),
        "back_url": reverse("session_detail", args=[session.session_id]),
    }
    status = 422 if form.errors else 200
    return page(
        request, "sessions_app/session_delete.html", context, fragment="main", status=status
    )


def _detail(actor: Actor, session_id: str) -> SessionDetail:
    try:
        return services.detail_read(actor=actor, session_id=session_id)
    except (InvalidArgument, NotFound):
        raise Http404 from None


def _messages(session: Session) -> str:
    return counted(session.message_count, "message") if session.message_count else "no messages"
