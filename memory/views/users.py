"""What is kept of one user: the list, deleting and wiping it, the file, the runs that looked.

For the user itself, and for admins of any user; the gate is ignored, or nobody could erase what it
hides.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actor import Role
from accounts.errors import DomainError, InvalidArgument, NotFound
from accounts.errors import PermissionDenied as Refused
from accounts.lists import PAGE, neighbours
from accounts.principals.forms import Confirmation
from accounts.web import Undo, done, page, refused, users_only
from memory import selectors, services
from memory.export import user_file
from memory.forms.users import OneMemoryForm
from memory.presentation import memory_view
from sessions_app.presentation import counted

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from django.http import HttpResponse
    from django.http.response import HttpResponseBase

    from accounts.actor import Actor
    from accounts.http.request import AccountRequest
    from memory.models import Memory
    from memory.selectors import MemoryRow, WipeStock

P = ParamSpec("P")
LATEST = 100  # runs


def controllers_only(
    view: Callable[Concatenate[AccountRequest, P], HttpResponseBase],
) -> Callable[Concatenate[AccountRequest, P], HttpResponseBase]:
    """For the user of the address itself and for admins: anyone else gets 403, whoever it names."""

    @wraps(view)
    @users_only
    def guarded(request: AccountRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Refused as error:
            raise PermissionDenied(error.message) from None
        except (InvalidArgument, NotFound):
            raise Http404 from None

    return guarded


@require_safe
@controllers_only
def user_memory(request: AccountRequest, user_id: str) -> HttpResponse:
    """What is kept of the user with whatever agent, the newest first."""
    actor = request.actor
    stock = selectors.wipe_stock(actor=actor, user_id=user_id)
    _, found = services.user_memories_read(
        actor=actor,
        user_id=user_id,
        limit=PAGE,
        cursor=request.GET.get("older"),
        newer_than=request.GET.get("newer"),
    )
    may_open = selectors.may_open(actor=actor, ids=[row.id for row in found.rows])
    context = {
        **_about(actor, stock),
        "rows": [_row(actor, row, opens=row.id in may_open) for row in found.rows],
        "total": stock.memories,
        "last_shown_at": found.rows[-1].said.created_at if found.rows else None,
        **neighbours(request, found.older, found.newer),
    }
    return page(request, "memory/user_memory.html", context, fragment="results")


@require_safe
@controllers_only
def user_memory_export(request: AccountRequest, user_id: str) -> HttpResponseBase:
    """All of it as one JSON file."""
    return user_file(request.actor, user_id)


@require_POST
@controllers_only
def user_memory_delete(request: AccountRequest, user_id: str) -> HttpResponse:
    """Delete one memory; it can be undone."""
    key = _named(request)
    memory = services.user_memory_delete(actor=request.actor, user_id=user_id, memory_id=key)
    undo = Undo(reverse("user_memory_restore", args=[user_id]), {"memory": str(key)})
    return done(request, _list(user_id), f"{_quoted(memory)} was deleted.", undo=undo)


@require_POST
@controllers_only
def user_memory_restore(request: AccountRequest, user_id: str) -> HttpResponse:
    """Bring one memory back that was deleted."""
    try:
        memory = services.user_memory_restore(
            actor=request.actor, user_id=user_id, memory_id=_named(request)
        )
    except (InvalidArgument, NotFound, Refused):
        raise
    except DomainError as error:
        return done(request, _list(user_id), f"Nothing was restored. {error.message}")
    return done(request, _list(user_id), f"{_quoted(memory)} is back.")


@require_http_methods(["GET", "HEAD", "POST"])
@controllers_only
def user_memory_wipe(request: AccountRequest, user_id: str) -> HttpResponse:
    """Ask with all that goes, then delete everything that is kept of the user."""
    actor = request.actor
    stock = selectors.wipe_stock(actor=actor, user_id=user_id)
    form = Confirmation(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            wiped = services.memory_wipe(actor=actor, user_id=user_id)
        except (InvalidArgument, NotFound, Refused):
            raise
        except DomainError as error:
            refused(form, error)
        else:
            gone = counted(wiped.topics + wiped.agent_topics, "memory", "memories")
            said = f"Wiped: {gone} of {wiped.user_id}."
            return done(request, _list(wiped.user_id), said)
    context = {**_about(actor, stock), "form": form}
    status = 422 if form.errors else 200
    return page(request, "memory/user_wipe.html", context, fragment="main", status=status)


@require_safe
@controllers_only
def user_extractions(request: AccountRequest, user_id: str) -> HttpResponse:
    """The newest runs that looked for memories of the user."""
    actor = request.actor
    spelled, runs = services.user_extractions_read(actor=actor, user_id=user_id, limit=LATEST)
    context = {
        "user_id": spelled,
        "own": _is_own(actor, spelled),
        "admin": actor.role is Role.ADMIN,
        "runs": runs,
        "most": LATEST,
    }
    return page(request, "memory/user_extractions.html", context, fragment="main")


def _about(actor: Actor, stock: WipeStock) -> dict[str, Any]:
    return {
        "user_id": stock.user_id,
        "own": _is_own(actor, stock.user_id),
        "admin": actor.role is Role.ADMIN,
        "stock": stock,
    }


def _is_own(actor: Actor, user_id: str) -> bool:
    return actor.user.user_id == user_id


def _row(actor: Actor, row: MemoryRow, *, opens: bool) -> dict[str, Any]:
    return {
        "memory": memory_view(actor.policy, row, admin=actor.is_admin),
        "opens": opens,
        "agent_id": row.agent_id,
        "topic_key": row.said.topic_key,
    }


def _named(request: AccountRequest) -> UUID:
    form = OneMemoryForm(request.POST)
    if not form.is_valid():
        raise InvalidArgument("Name one memory.")
    key: UUID = form.cleaned_data["memory"]
    return key


def _quoted(memory: Memory) -> str:
    words = " ".join((memory.summary or memory.content).split())
    return f"“{words[:60]}{'…' if len(words) > 60 else ''}”"


def _list(user_id: str) -> str:
    return reverse("user_memory", args=[user_id])
