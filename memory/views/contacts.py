"""What a contact agreed to: the ledger, and another line for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.errors import DomainError
from accounts.errors import PermissionDenied as Refused
from accounts.principals.contact_words import contact_view
from accounts.principals.views.shared import absent_is_404
from accounts.web import done, page, refused, users_only
from memory import selectors, services
from memory.forms.contacts import ConsentForm
from memory.models import Consent

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.http.request import AccountRequest
    from memory.selectors import ConsentLedger


@require_http_methods(["GET", "HEAD", "POST"])
@users_only
@absent_is_404
def contact_consent(request: AccountRequest, contact_id: UUID) -> HttpResponse:
    """All that a contact said about being remembered; an admin adds what it says now."""
    actor = request.actor
    ledger = selectors.consent_ledger(actor=actor, contact_id=contact_id)
    form = ConsentForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            said = services.consent_set(actor=actor, contact_id=contact_id, **form.cleaned_data)
        except Refused as error:
            raise PermissionDenied(error.message) from None
        except DomainError as error:
            refused(form, error)
        else:
            here = reverse("contact_detail", args=[contact_id])
            return done(request, here, _words(ledger, said))
    context = {
        "form": form,
        "ledger": ledger,
        "chip": contact_view(ledger.contact),
        "entries": [
            {
                "row": row,
                "by": ledger.names.get(row.written_by, "an operator")
                if row.written_by
                else "a job",
            }
            for row in ledger.entries
        ],
        "may_write": actor.is_admin,
    }
    status = 422 if form.errors else 200
    return page(request, "memory/contact_consent.html", context, fragment="main", status=status)


def _words(ledger: ConsentLedger, said: Consent) -> str:
    chip = contact_view(ledger.contact)
    assert chip is not None
    if said.state == Consent.State.GRANTED:
        return f"Written down: {chip.words} agreed."
    return f"Written down: {chip.words} does not agree. What is kept of it is hidden from now on."
