"""Contacts: the list, one contact, making, changing and deleting them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actor import Role
from accounts.errors import DomainError, NotFound
from accounts.lists import PAGE, cursors, list_context
from accounts.principals import selectors, services
from accounts.principals.contact_words import chip_of, platform_words
from accounts.principals.forms import (
    Confirmation,
    ContactEditForm,
    ContactFilterForm,
    ContactNewForm,
)
from accounts.principals.forms.contacts import KIND_SHORT
from accounts.principals.keeping import keeping
from accounts.principals.usage import COUNTED, usage
from accounts.principals.views.shared import absent_is_404
from accounts.web import Undo, done, page, refused, users_only

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.actor import Actor
    from accounts.http.request import AccountRequest
    from accounts.principals.selectors import ContactFacts, HandleFacts

LIST = "principals/contact_list.html"
LATEST = 10
IN_LINE = 2  # addresses in a row of the list


@require_safe
@users_only
@absent_is_404
def contact_list(request: AccountRequest) -> HttpResponse:
    """Contacts, newest first: for admins all, for users their own."""
    actor = request.actor
    admin = actor.role is Role.ADMIN
    form = ContactFilterForm(request.GET)
    if not form.is_valid():
        context = {"form": form, "rows": [], "admin": admin}
        return page(request, LIST, context, fragment="results", status=422)
    found = selectors.contact_register(
        actor=actor,
        q=form.cleaned_data["q"],
        platform=form.cleaned_data["platform"],
        kind=form.cleaned_data["kind"],
        limit=PAGE,
        **cursors(request),
    )
    use = usage().contacts(contacts=[row.id for row in found.rows])
    kept = keeping().of_contacts(actor=request.actor, contacts=[row.id for row in found.rows])
    listed = list_context(request, form, found)
    context = {
        "form": form,
        "admin": admin,
        "rows": [
            {
                "facts": row,
                "chip": chip_of(row),
                "addresses": _in_line(row.handles),
                "use": use[row.id],
                "memories": kept.get(row.id, 0),
            }
            for row in found.rows
        ],
        "counted": COUNTED,
        **({} if found.rows or listed["filtered"] or not admin else _first_steps(actor)),
        **listed,
    }
    return page(request, LIST, context, fragment="results")


@require_http_methods(["GET", "HEAD", "POST"])
@users_only
def contact_new(request: AccountRequest) -> HttpResponse:
    """Make a contact by hand, before its first message does."""
    actor = request.actor
    admin = actor.role is Role.ADMIN
    form = ContactNewForm(request.POST if request.method == "POST" else None, names_owner=admin)
    if form.is_valid():
        try:
            made = services.contact_create(actor=actor, **_wanted(form.cleaned_data))
        except NotFound:
            form.add_error("owner_user_id", "There is no user of that id in this account.")
        except DomainError as error:
            refused(form, error)
        else:
            chip = chip_of(selectors.contact_facts(actor=actor, contact_id=made.pk))
            here = reverse("contact_detail", args=[made.pk])
            return done(request, here, f"{chip.words} was added.")
    context = {"form": form, "list_url": reverse("contact_list")}
    status = 422 if form.errors else 200
    return page(request, "principals/contact_new.html", context, fragment="main", status=status)


@require_safe
@absent_is_404
def contact_detail(request: AccountRequest, contact_id: UUID) -> HttpResponse:
    """One contact: sessions, addresses, what was merged into it. To the contact itself, less."""
    actor = request.actor
    facts = selectors.contact_facts(actor=actor, contact_id=contact_id)
    own = actor.contact is not None
    others = {} if own else _others(actor, facts)
    context = {
        "contact": facts,
        "chip": chip_of(facts),
        "kind": KIND_SHORT[facts.kind],
        "own": own,
        "admin": actor.role is Role.ADMIN,
        "use": usage().contact(contact=facts.id),
        "sessions": usage().latest_sessions(actor=actor, contact=facts.id, limit=LATEST),
        "handles": [
            {"facts": one, "platform": platform_words(one.platform)} for one in facts.handles
        ],
        "others": others,
        "counts_as": others.get(facts.merged_into) if facts.merged_into else None,
        "list_url": reverse("contact_list"),
        **({} if facts.merged_into else _kept(actor, facts)),
    }
    return page(request, "principals/contact_detail.html", context, fragment="main")


@require_http_methods(["GET", "HEAD", "POST"])
@users_only
@absent_is_404
def contact_edit(request: AccountRequest, contact_id: UUID) -> HttpResponse:
    """Change name, aliases, tags and notes, with the way back."""
    actor = request.actor
    facts = selectors.contact_facts(actor=actor, contact_id=contact_id)
    former: dict[str, str | list[str]] = {
        "display_name": facts.display_name,
        "aliases": facts.aliases,
        "tags": facts.tags,
        "notes": facts.notes,
    }
    form = ContactEditForm(request.POST if request.method == "POST" else None, initial=former)
    if form.is_valid():
        try:
            services.contact_update(
                actor=actor, contact_id=contact_id, changes=dict(form.cleaned_data)
            )
        except DomainError as error:
            refused(form, error)
        else:
            saved = chip_of(selectors.contact_facts(actor=actor, contact_id=contact_id))
            here = reverse("contact_detail", args=[contact_id])
            undo = Undo(
                reverse("contact_edit", args=[contact_id]),
                {name: _as_sent(value) for name, value in former.items()},
            )
            changed = former != form.cleaned_data
            return done(request, here, f"{saved.words} was saved.", undo=undo if changed else None)
    context = {"form": form, "contact": facts, "chip": chip_of(facts)}
    status = 422 if form.errors else 200
    return page(request, "principals/contact_edit.html", context, fragment="main", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@users_only
@absent_is_404
def contact_delete(request: AccountRequest, contact_id: UUID) -> HttpResponse:
    """Ask, then delete a contact of whom nothing is kept; else say what is."""
    actor = request.actor
    facts = selectors.contact_facts(actor=actor, contact_id=contact_id)
    chip = chip_of(facts)
    form = Confirmation(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            services.contact_delete(actor=actor, contact_id=contact_id)
        except DomainError as error:
            refused(form, error)
        else:
            return done(request, reverse("contact_list"), f"{chip.words} was deleted.")
    addresses = [one for one in facts.handles if one.contact_id == facts.id]
    context = {
        "form": form,
        "contact": facts,
        "chip": chip,
        "addresses": len(addresses),
        "use": usage().contact(contact=facts.id),
        "memories": keeping().held_of_contact(contact=facts.id),
    }
    status = 422 if form.errors else 200
    return page(request, "principals/contact_delete.html", context, fragment="main", status=status)


def _kept(actor: Actor, facts: ContactFacts) -> dict[str, Any]:
    """Whether the contact agreed to be remembered; and what is kept, unless it looks itself."""
    consent = keeping().consent_of(actor=actor, contact=facts.id)
    if actor.contact is not None:
        return {"consent": consent}
    return {
        "consent": consent,
        "memories": keeping().latest_of_contact(actor=actor, contact=facts.id, limit=LATEST),
        "memory_count": keeping().of_contacts(actor=actor, contacts=[facts.id]).get(facts.id, 0),
    }


def _wanted(data: dict[str, Any]) -> dict[str, Any]:
    """What the service is told of a form: with an address, if there is one.

    Raises:
        InvalidArgument: an address that is refused.
    """
    names = ("kind", "display_name", "aliases", "tags", "notes")
    wanted = {name: data[name] for name in names}
    wanted["owner_user_id"] = data.get("owner_user_id") or None
    if data["platform_id"]:
        sender = services.checked_sender(
            data["platform"], data["platform_id"], kind=data["kind"], username=data["username"]
        )
        wanted["handles"] = [sender]
    return wanted


def _others(actor: Actor, facts: ContactFacts) -> dict[UUID, Any]:
    """The contacts that this page names, by id: those merged into it, and what it counts as."""
    ids = {*facts.merged, *(one.contact_id for one in facts.handles)} - {facts.id}
    if facts.merged_into:
        ids.add(facts.merged_into)
    found = selectors.contact_names(actor=actor, ids=ids)
    return {key: {"facts": one, "chip": chip_of(one)} for key, one in found.items()}


def _as_sent(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "\n".join(value)


def _in_line(handles: list[HandleFacts]) -> str:
    """`Telegram 4711 (@ana), e-mail ana@example.com and 2 more`."""
    words = [
        f"{platform_words(one.platform)} {one.platform_id}"
        + (f" ({one.username})" if one.username else "")
        for one in handles[:IN_LINE]
    ]
    more = f" and {len(handles) - IN_LINE} more" if len(handles) > IN_LINE else ""
    return ", ".join(words) + more if words else "No address yet."


def _first_steps(actor: Actor) -> dict[str, str | None]:
    """What an admin does so that contacts appear."""
    return {
        "apart": selectors.first_by_scope(actor=actor, per_sender=True),
        "together": selectors.first_by_scope(actor=actor, per_sender=False),
    }
