"""Writing a memory by hand, and changing what one says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.actor import Role
from accounts.errors import Conflict, DomainError
from accounts.principals.views.shared import absent_is_404
from accounts.web import Undo, done, page, refused, users_only
from memory import presentation, selectors, services
from memory.forms.memories import MemoryForm, MemoryNewForm, VersionForm
from memory.models import State
from memory.services import Note

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.http.request import AccountRequest
    from memory.selectors import MemoryRow


@require_http_methods(["GET", "HEAD", "POST"])
@users_only
def memory_new(request: AccountRequest) -> HttpResponse:
    """Keep something that nobody said; the gate that it passes is that of one's own agent."""
    actor = request.actor
    form = MemoryNewForm(
        request.POST if request.method == "POST" else None,
        user_id=actor.user.user_id,
        agent_id=actor.agent.agent_id,
        admin=actor.is_admin,
    )
    if form.is_valid():
        try:
            made = services.memory_remember(actor=actor, note=Note(**form.cleaned_data))
        except DomainError as error:
            refused(form, error)
        else:
            here = reverse("memory_detail", args=[made.memory.pk])
            undo = None
            if made.created:
                ids = {"ids": str(made.memory.pk), "back": "memory"}
                undo = Undo(reverse("memory_bulk"), {"do": "delete", **ids})
            said = "It is kept." if made.created else "It took the place of what its topic said."
            return done(request, here, f"{said}{_redacted(made.redacted)}", undo=undo)
    context = {
        "form": form,
        "open": selectors.gate_is_open(actor=actor),
        "agent_id": actor.agent.agent_id,
        "admin": actor.role is Role.ADMIN,
        "list_url": reverse("memory_list"),
    }
    status = 422 if form.errors else 200
    return page(request, "memory/memory_new.html", context, fragment="main", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@users_only
@absent_is_404
def memory_edit(request: AccountRequest, memory_id: UUID) -> HttpResponse:
    """Change what a memory says. What somebody else wrote meanwhile is shown, not overwritten."""
    actor = request.actor
    row = services.memory_read(actor=actor, memory_id=memory_id)
    if not selectors.editable(actor=actor, rows=[row]):
        raise PermissionDenied("Only who wrote a memory of an agent changes it, or an admin.")
    former = _values(row)
    form = MemoryForm(
        request.POST if request.method == "POST" else None,
        initial={**former, "topics": ", ".join(row.said.topics)},
    )
    began = VersionForm(request.POST)
    newer = False
    if form.is_valid():
        changes = {
            name: value for name, value in form.cleaned_data.items() if value != former[name]
        }
        version = began.cleaned_data["version"] if began.is_valid() else row.said.version
        here = reverse("memory_detail", args=[memory_id])
        if not changes and version == row.said.version:
            return done(request, here, "Nothing was changed.")
        try:
            memory, redacted = services.memory_update(
                actor=actor, memory_id=memory_id, changes=changes, version=version
            )
        except DomainError as error:
            newer = isinstance(error, Conflict) and "version" in error.details
            if "holder" in error.details:
                form.add_error("topic_key", error.message)
            else:
                refused(form, error)
        else:
            undo = Undo(
                reverse("memory_restore", args=[memory_id]), {"version": str(row.said.version)}
            )
            said = f"The memory was changed; this is version {memory.version}."
            return done(request, here, f"{said}{_redacted(redacted)}", undo=undo)
    context = {
        "form": form,
        "memory": presentation.memory_view(actor.policy, row),
        "version": row.said.version,
        "newer": presentation.record(row, by=None, of=[]) if newer else None,
        "open": row.said.state in (State.ACTIVE, State.QUARANTINED),
    }
    status = 422 if form.errors else 200
    return page(request, "memory/memory_edit.html", context, fragment="main", status=status)


def _values(row: MemoryRow) -> dict[str, Any]:
    """What the form would send if nothing was changed."""
    said = row.said
    expires_at = said.expires_at
    return {
        "content": said.content.replace("\r\n", "\n"),
        "summary": said.summary,
        "kind": said.kind,
        "salience": said.salience,
        "topic_key": said.topic_key,
        "topics": said.topics,
        "expires_at": expires_at.replace(second=0, microsecond=0) if expires_at else None,
    }


def _redacted(count: int) -> str:
    if not count:
        return ""
    return " 1 secret was taken out of it." if count == 1 else f" {count} secrets were taken out."
