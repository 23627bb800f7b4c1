"""Letting one contact count as another, and undoing that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import Http404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import Conflict
from accounts.principals import selectors, services
from accounts.principals.contact_words import ContactView, chip_of
from accounts.principals.forms import MergeSearchForm
from accounts.principals.usage import ContactUse, usage
from accounts.principals.views.shared import absent_is_404
from accounts.web import Undo, admins_only, done, page

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.actor import Actor
    from accounts.http.request import AccountRequest
    from accounts.principals.selectors import ContactFacts

TEMPLATE = "principals/contact_merge.html"
OFFERED = 20  # contacts to choose from; a search narrows them


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two contacts of a merge."""

    facts: ContactFacts
    chip: ContactView
    use: ContactUse


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
@absent_is_404
def contact_merge(request: AccountRequest, contact_id: UUID) -> HttpResponse:
    """Choose the other contact, see what a merge does, and merge."""
    actor = request.actor
    sent = request.POST if request.method == "POST" else request.GET
    into = _uuid(sent.get("into", ""))
    if into is None:
        return page(request, TEMPLATE, _offer(request, contact_id), fragment="main")
    first, other, refusal = selectors.merge_preview(actor=actor, contact_id=contact_id, into=into)
    one, two = _side(first), _side(other)
    if request.method == "POST" and not refusal:
        try:
            services.contact_merge(actor=actor, contact_id=contact_id, into=into)
        except Conflict as error:  # somebody was quicker
            refusal = error.message
        else:
            undo = Undo(reverse("contact_unmerge", args=[first.id]))
            words = f"{one.chip.words} counts as {two.chip.words} now. No row was moved."
            return done(request, reverse("contact_detail", args=[other.id]), words, undo=undo)
    context = _offer(request, contact_id) if refusal else {}
    context |= {
        "first": one,
        "other": two,
        "refusal": refusal,
        "rows": _sums(one, two),
        "choose_url": reverse("contact_merge", args=[contact_id]),
    }
    return page(request, TEMPLATE, context, fragment="main", status=422 if refusal else 200)


@require_POST
@admins_only
@absent_is_404
def contact_unmerge(request: AccountRequest, contact_id: UUID) -> HttpResponse:
    """Let it stand alone again; the way back is to merge anew."""
    actor = request.actor
    before = selectors.contact_facts(actor=actor, contact_id=contact_id)
    here = reverse("contact_detail", args=[contact_id])
    try:
        services.contact_unmerge(actor=actor, contact_id=contact_id)
    except Conflict:  # pressed twice
        return done(request, here, f"{chip_of(before).words} stands alone already.")
    again = Undo(reverse("contact_merge", args=[contact_id]), {"into": str(before.merged_into)})
    return done(request, here, f"{chip_of(before).words} stands alone again.", undo=again)


def _offer(request: AccountRequest, contact_id: UUID) -> dict[str, Any]:
    """The contacts to choose from: those of the same name, until something is searched for."""
    actor = request.actor
    facts = selectors.contact_facts(actor=actor, contact_id=contact_id)
    form = MergeSearchForm({"q": request.GET.get("q", facts.display_name)})
    q = form.cleaned_data["q"] if form.is_valid() else ""
    found = _candidates(actor, contact_id, q)
    return {
        "form": form,
        "first": _side(facts),
        "q": q,
        "candidates": [
            {"facts": one, "chip": chip_of(one), "refusal": why} for one, why in found[:OFFERED]
        ],
        "more": len(found) > OFFERED,
    }


def _candidates(actor: Actor, contact_id: UUID, q: str) -> list[tuple[ContactFacts, str]]:
    return selectors.merge_candidates(actor=actor, contact_id=contact_id, q=q, limit=OFFERED)


def _side(facts: ContactFacts) -> Side:
    return Side(facts, chip_of(facts), usage().contact(contact=facts.id))


def _sums(one: Side, two: Side) -> list[tuple[str, int, int, int]]:
    """Label, of the first, of the other, of both together."""
    pairs = (
        ("Sessions", one.use.sessions, two.use.sessions),
        ("Messages in them", one.use.messages, two.use.messages),
        ("Addresses", len(one.facts.handles), len(two.facts.handles)),
    )
    return [(label, first, other, first + other) for label, first, other in pairs]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Http404 from None
