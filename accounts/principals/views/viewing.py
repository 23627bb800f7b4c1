"""View as: choosing whose eyes, leaving again; and who looked at one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import Conflict, DomainError, NotFound
from accounts.principals import selectors, services
from accounts.principals.contact_words import chip_of
from accounts.principals.forms import ViewAsForm
from accounts.principals.forms.choices import KNOWN
from accounts.principals.middleware import hold_view
from accounts.principals.views.shared import absent_is_404
from accounts.web import admins_only, done, page, refused

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http.request import AccountRequest
    from accounts.principals.selectors import ContactFacts


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
@absent_is_404
def view_as(request: AccountRequest) -> HttpResponse:
    """Choose whom to view as (`?contact=`: as that contact), and say why; POST begins it."""
    actor = request.actor
    mine = actor.user.user_id
    contact = _contact(request)
    form = ViewAsForm(
        request.POST if request.method == "POST" else None,
        initial={
            "user": request.GET.get("user", ""),
            "agent": request.GET.get("agent", ""),
            "contact": contact.id if contact else None,
        },
        contact=contact is not None,
        users=[one for one in selectors.user_ids(actor=actor, limit=KNOWN) if one != mine],
        agents=selectors.agent_ids(actor=actor, limit=KNOWN),
    )
    if form.is_valid():
        try:
            view = services.view_start(
                actor=actor,
                user_id=form.cleaned_data.get("user", ""),
                contact_id=contact.id if contact else None,
                agent_id=form.cleaned_data["agent"],
                reason=form.cleaned_data["reason"],
            )
        except DomainError as error:
            refused(form, error)
        else:
            hold_view(request, view.pk)
            return HttpResponseRedirect(reverse("account_home"), status=303)
    context = {
        "form": form,
        "contact": contact,
        "chip": chip_of(contact) if contact else None,
        "over": request.method != "POST" and "over" in request.GET,
        "recent": selectors.views_by(actor=actor),
    }
    status = 422 if form.errors else 200
    return page(request, "principals/view_as.html", context, fragment="main", status=status)


@require_POST
def view_leave(request: AccountRequest) -> HttpResponse:
    """End the view. Pressed twice, the second time changes nothing."""
    actor = request.actor
    hold_view(request, None)
    try:
        services.view_end(actor=actor)
    except Conflict:
        return HttpResponseRedirect(reverse("account_home"), status=303)
    return done(
        request, reverse("account_home"), f"You see {actor.account.account_id} as yourself."
    )


def _contact(request: AccountRequest) -> ContactFacts | None:
    """The contact that is to be viewed as, if one is named. Raises NotFound, InvalidArgument."""
    sent = request.POST if request.method == "POST" else request.GET
    if not sent.get("contact"):
        return None
    try:
        key = UUID(sent["contact"])
    except ValueError:
        raise NotFound("contact", sent["contact"]) from None
    return selectors.contact_facts(actor=request.actor, contact_id=key)
