"""Settings of the account that its admins keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts import selectors as public_selectors
from accounts.errors import DomainError
from accounts.principals import services
from accounts.principals.forms import SettingsForm
from accounts.web import Undo, admins_only, done, page, refused

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http.request import AccountRequest


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def account_settings(request: AccountRequest) -> HttpResponse:
    """Show and save them; what was saved can be undone."""
    actor = request.actor
    kept = public_selectors.account_settings(actor.account).model_dump()
    former = {name: kept[name] for name in SettingsForm.base_fields}
    form = SettingsForm(request.POST if request.method == "POST" else None, initial=former)
    if form.is_valid():
        values = {name: form.cleaned_data[name] for name in former}
        changes = {name: value for name, value in values.items() if value != former[name]}
        here = reverse("account_settings")
        if not changes:
            return done(request, here, "Nothing was changed: these settings are in force already.")
        try:
            services.settings_update(actor=actor, account=actor.account, values=changes)
        except DomainError as error:
            refused(form, error)
        else:
            count = len(changes)
            words = f"{count} setting{'' if count == 1 else 's'} changed."
            undo = Undo(here, {name: str(value) for name, value in former.items()})
            return done(request, here, words, undo=undo)
    account = public_selectors.account_row(actor.account)
    context = {"form": form, "account": account}
    status = 422 if form.errors else 200
    return page(request, "principals/settings.html", context, fragment="main", status=status)
