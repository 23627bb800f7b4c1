"""Memories: the list with its facets, one memory, its history, the list as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.actor import Role
from accounts.errors import InvalidArgument, InvalidUri, PermissionDenied
from accounts.lists import PAGE, address, filter_context, neighbours
from accounts.principals import selectors as principals
from accounts.principals.contact_words import chip_of, contact_view
from accounts.principals.forms.choices import FEW, KNOWN
from accounts.principals.views.shared import absent_is_404, api_address
from accounts.web import page, users_only
from memory import presentation, render, selectors, services
from memory.export import attachment, json_text
from memory.forms.memories import MemoryFilterForm
from memory.models import State
from memory.selectors import FACETS, KEPT, MemoryFilter
from memory.views.facets import Facet, facet_lines, offered
from memory.visibility import Clause

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse
    from django.http.response import HttpResponseBase

    from accounts.actor import Actor
    from accounts.http.request import AccountRequest
    from memory.presentation import MemoryView
    from memory.selectors import MemoryRow

LIST = "memory/memory_list.html"
VERSIONS = 20  # of a history, on one page


@require_safe
@users_only
@absent_is_404
def memory_list(request: AccountRequest) -> HttpResponse:
    """What is kept, newest first: for admins the whole account, for users what is theirs."""
    actor = request.actor
    form = _filter_form(request)
    admin = actor.role is Role.ADMIN
    context: dict[str, Any] = {
        "form": form,
        "admin": admin,
        "own_url": "" if admin else reverse("user_memory", args=[actor.user.user_id]),
        "rows": [],
    }
    if form.is_valid():
        try:
            context |= _listed(request, form)
        except (InvalidUri, PermissionDenied) as error:
            form.add_error("uri", error.message)
    status = 422 if form.errors else 200
    context.setdefault("clear_url", request.path)
    return page(request, LIST, context, fragment="results", status=status)


@require_safe
@users_only
def memory_export(request: AccountRequest) -> HttpResponseBase:
    """All memories of the list as one JSON file; a filter that is refused leads to the list."""
    actor = request.actor
    form = _filter_form(request)
    refusing = HttpResponseRedirect(address(request, path=reverse("memory_list")))
    if not form.is_valid():
        return refusing
    try:
        rows = services.memories_export(actor=actor, where=_where(request, form))
    except (InvalidArgument, InvalidUri, PermissionDenied):
        return refusing
    now = timezone.now()
    head = {
        "account_id": actor.account.account_id,
        "exported_at": now.isoformat(),
        "policy_version": actor.policy.version,
    }
    shown = (render.memory(actor.policy, row) for row in rows)
    name = f"memories_{actor.account.account_id}_{timezone.localdate(now):%Y%m%d}.json"
    return attachment(actor, name, json_text(head, "memories", shown))


@require_safe
@users_only
@absent_is_404
def memory_detail(request: AccountRequest, memory_id: UUID) -> HttpResponse:
    """One memory: what it says, why one sees it, what it said before, where it comes from."""
    actor = request.actor
    row = services.memory_read(actor=actor, memory_id=memory_id)
    history = services.history_read(actor=actor, memory_id=memory_id, limit=1)
    sights = selectors.who_recalls(actor=actor, memory_id=memory_id)
    links = selectors.succession(actor=actor, memory_id=memory_id)
    contact = contact_view(row.contact)
    admin = actor.role is Role.ADMIN
    context = {
        "memory": presentation.memory_view(actor.policy, row, admin=admin),
        "record": presentation.record(row, by=links.by, of=links.of),
        "evidence": presentation.evidence(services.evidence_read(actor=actor, memory_id=memory_id)),
        "latest": presentation.step(actor.policy, history.steps[0], current=row),
        "listed": Clause.ADMIN.value if actor.is_admin else sights[0].listed.clause.value,
        "verdicts": presentation.verdicts(sights, contact),
        "admin": admin,
        "editable": bool(selectors.editable(actor=actor, rows=[row])),
        "may_quarantine": actor.is_admin,
        "prefix_url": _prefix_url(),
    }
    return page(request, "memory/memory_detail.html", context, fragment="panel")


@require_safe
@users_only
@absent_is_404
def memory_history(request: AccountRequest, memory_id: UUID) -> HttpResponse:
    """Every version of a memory, the newest first, with what each changed."""
    actor = request.actor
    row = services.memory_read(actor=actor, memory_id=memory_id)
    cursor = request.GET.get("older")
    found = services.history_read(
        actor=actor, memory_id=memory_id, limit=VERSIONS, older_than=cursor
    )
    context = {
        "memory": presentation.memory_view(actor.policy, row),
        "steps": [presentation.step(actor.policy, one, current=row) for one in found.steps],
        "total": row.said.version,
        "editable": bool(selectors.editable(actor=actor, rows=[row])),
        "first_url": request.path if cursor else None,
        **neighbours(request, found.older, None),
    }
    return page(request, "memory/memory_history.html", context, fragment="versions")


def _filter_form(request: AccountRequest) -> MemoryFilterForm:
    actor = request.actor
    contacts = principals.contact_page(actor=actor, limit=FEW)
    return MemoryFilterForm(
        request.GET,
        agents=principals.agent_ids(actor=actor, limit=KNOWN),
        users=principals.user_ids(actor=actor, limit=KNOWN),
        contacts=None
        if len(contacts) > FEW
        else [(one.id, chip_of(one).words) for one in contacts],
    )


def _listed(request: AccountRequest, form: MemoryFilterForm) -> dict[str, Any]:
    """The page of the list that a valid filter finds, its facets, and what can be done to it."""
    actor = request.actor
    where = _where(request, form)
    form.contact_words = _contact_words(actor, where.contact)
    found = services.memories_read(
        actor=actor,
        where=where,
        limit=PAGE,
        older_than=request.GET.get("older"),
        newer_than=request.GET.get("newer"),
    )
    counts = services.facets_read(actor=actor, where=where)
    lines = facet_lines(request, actor.policy, where, counts)
    standing = filter_context(request, form)
    doing = [] if where.as_of else offered(where.state, keeper=actor.is_admin)
    rows = _views(actor, found.rows, where.state if doing else "")
    return {
        **standing,
        **neighbours(request, found.older, found.newer),
        "rows": rows,
        "facets": lines,
        "chosen": {name: request.GET[name] for name in FACETS if request.GET.get(name)},
        "filtered": standing["filtered"] or any(line.narrows for line in lines),
        "doing": doing if any(row.selectable for row in rows) else [],
        "query": request.GET.urlencode(),
        "total": counts.total,
        "export_url": address(request, path=reverse("memory_export")),
        "prefix_url": _prefix_url(),
        "past": where.as_of is not None,
        "last_shown_at": found.rows[-1].said.created_at if found.rows else None,
        **({} if found.rows else _empty(request, lines)),
    }


def _views(actor: Actor, rows: list[MemoryRow], state: str) -> list[MemoryView]:
    """The rows of a list; those that the actor may change can be chosen.

    Args:
        state: of the list; "" where nothing is to be done. A superseded memory is chosen among its
            own kind only: undoing its deletion would bring it back to life.
    """
    may = selectors.editable(actor=actor, rows=rows) if state else set()
    admin = actor.role is Role.ADMIN
    return [
        presentation.memory_view(
            actor.policy,
            row,
            admin=admin,
            selectable=row.id in may
            and (row.said.state != State.SUPERSEDED or state == State.SUPERSEDED),
        )
        for row in rows
    ]


def _empty(request: AccountRequest, lines: list[Facet]) -> dict[str, Any]:
    """What is said in place of a list, and what to do next."""
    deleted = next(
        (value for line in lines for value in line.values if value.value == State.DELETED), None
    )
    return {
        "deleted": deleted if deleted and deleted.count else None,
        "api_url": api_address(request),
        "structured": selectors.structured_agent(),
        "agent_id": request.actor.agent.agent_id,
    }


def _where(request: AccountRequest, form: MemoryFilterForm) -> MemoryFilter:
    """Raises InvalidArgument for a facet that is none."""
    chosen = {name: request.GET.get(name, "") for name in FACETS}
    where = MemoryFilter(**{**form.cleaned_data, **chosen, "state": chosen["state"] or KEPT})
    where.check()
    return where


def _contact_words(actor: Actor, contact: UUID | None) -> str:
    """How an active filter names a contact. Http404 for one that the actor may not look at."""
    if contact is None:
        return ""
    found = principals.contact_names(actor=actor, ids={contact})
    if contact not in found:
        raise Http404
    return chip_of(found[contact]).words


def _prefix_url() -> str:
    """The list beneath an address, ready for the address to follow."""
    return f"{reverse('memory_list')}?uri="
