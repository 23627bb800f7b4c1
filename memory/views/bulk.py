"""What is done to memories without a form of their own: one or many, each with the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.errors import DomainError, NotFound
from accounts.web import Undo, done, users_only
from memory import selectors, services
from memory.forms.memories import MemoriesForm, VersionForm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.http.request import AccountRequest

# What is done, in what words, and what takes it back; none where that would not be exact.
DOING: dict[str, tuple[Callable[..., list[UUID]], str, str]] = {
    "quarantine": (services.memories_quarantine, "in quarantine now", "release"),
    "release": (services.memories_release, "released", "quarantine"),
    "delete": (services.memories_delete, "deleted", "restore"),
    "restore": (services.memories_restore, "restored", ""),
}


@require_POST
@users_only
def memory_bulk(request: AccountRequest) -> HttpResponse:
    """Quarantine, release, delete or restore the chosen memories, all or none."""
    form = MemoriesForm(request.POST)
    if not form.is_valid():
        raise Http404
    what = form.cleaned_data["do"]
    service, words, back = DOING[what]
    try:
        ids = form.ids()
    except ValueError:
        raise Http404 from None
    here = _back(request, ids)
    if not ids:
        return done(request, here, "Nothing was changed: no memory was chosen.")
    try:
        changed = service(actor=request.actor, ids=ids)
    except NotFound:
        return done(request, here, "Nothing was changed: one of them is not there any more.")
    except DomainError as error:
        return done(request, here, f"Nothing was changed. {error.message}")
    if not changed:
        return done(request, here, f"Nothing was changed: {_were(ids)} {words} already.")
    undo = Undo(request.get_full_path(), {"do": back, "ids": " ".join(map(str, changed))})
    if "back" in request.POST:
        undo.fields["back"] = request.POST["back"]
    # A superseded memory would come back to life.
    exact = bool(back) and not (what == "delete" and "superseded" in request.POST)
    return done(request, here, f"{_were(changed)} {words}.", undo=undo if exact else None)


@require_POST
@users_only
def memory_restore(request: AccountRequest, memory_id: UUID) -> HttpResponse:
    """Bring back what a memory said in an earlier version."""
    actor = request.actor
    form = VersionForm(request.POST)
    if not form.is_valid():
        raise Http404
    version = form.cleaned_data["version"]
    here = reverse("memory_detail", args=[memory_id])
    try:
        former = selectors.memory_row(actor=actor, memory_id=memory_id).said.version
        memory = services.memory_restore(actor=actor, memory_id=memory_id, version=version)
    except NotFound:
        raise Http404 from None
    except DomainError as error:
        return done(request, here, f"Nothing was changed. {error.message}")
    if memory.version == former:
        return done(request, here, f"Nothing was changed: it says what version {version} said.")
    undo = Undo(request.path, {"version": str(former)})
    said = f"It says again what version {version} said; this is version {memory.version}."
    return done(request, here, said, undo=undo)


def _were(ids: Sequence[UUID]) -> str:
    return "The memory is" if len(ids) == 1 else f"{len(ids)} memories are"


def _back(request: AccountRequest, ids: Sequence[UUID]) -> str:
    """To the memory's own page, if that is where one comes from; else to the list as it was."""
    if request.POST.get("back") == "memory" and len(ids) == 1:
        return reverse("memory_detail", args=[ids[0]])
    query = request.GET.urlencode()
    return f"{reverse('memory_list')}?{query}" if query else reverse("memory_list")
