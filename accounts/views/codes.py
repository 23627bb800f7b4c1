"""The code after the password: setting it up, taking it away, recovery codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.mfa.recovery_codes.views import (
    DownloadRecoveryCodesView,
    GenerateRecoveryCodesView,
    ViewRecoveryCodesView,
)
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from django.contrib.auth.decorators import login_required
from django.urls import reverse
from django.views.decorators.cache import never_cache

from accounts import services
from accounts.web import Unprocessable, done

if TYPE_CHECKING:
    from django.http import HttpResponse


class SetUp(Unprocessable, ActivateTOTPView):  # type: ignore[misc]
    """A secret to scan or to type, and the first code that proves that it arrived."""

    template_name = "accounts/code_set_up.html"

    def form_valid(self, form: Any) -> HttpResponse:
        super().form_valid(form)
        services.sign_in_event(person=self.request.user, action="person.code_added")
        return done(
            self.request,
            reverse("mfa_view_recovery_codes"),
            "From now on a code is asked for after your password. Keep these recovery codes.",
        )


class Remove(DeactivateTOTPView):  # type: ignore[misc]
    template_name = "accounts/code_remove.html"

    def form_valid(self, form: Any) -> HttpResponse:
        super().form_valid(form)
        services.sign_in_event(person=self.request.user, action="person.code_removed")
        return done(self.request, reverse("person"), "No code is asked for any more.")

    def get_success_url(self) -> str:
        return reverse("person")


class Renew(GenerateRecoveryCodesView):  # type: ignore[misc]
    template_name = "accounts/recovery_codes_new.html"

    def form_valid(self, form: Any) -> HttpResponse:
        super().form_valid(form)
        services.sign_in_event(person=self.request.user, action="person.codes_renewed")
        return done(
            self.request,
            reverse("mfa_view_recovery_codes"),
            "These are your recovery codes now; the old ones open nothing any more.",
        )


def _own(view: Any) -> Any:
    """For whoever is signed in; kept by no browser or proxy."""
    return never_cache(login_required(view))


set_up = _own(SetUp.as_view())
remove = _own(Remove.as_view())
recovery = _own(ViewRecoveryCodesView.as_view(template_name="accounts/recovery_codes.html"))
recovery_new = _own(Renew.as_view())
recovery_file = _own(DownloadRecoveryCodesView.as_view(template_name="accounts/recovery_codes.txt"))
