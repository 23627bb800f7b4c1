"""Passwords: a new one by a link, a change of one's own, typing it again before what matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.views import (
    PasswordChangeView,
    PasswordResetDoneView,
    PasswordResetFromKeyDoneView,
    PasswordResetFromKeyView,
    PasswordResetView,
    ReauthenticateView,
)
from allauth.mfa.base.views import ReauthenticateView as CodeAgainView
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.urls import reverse
from django.views.decorators.cache import never_cache

from accounts.web import Unprocessable, done

if TYPE_CHECKING:
    from django.http import HttpResponse


class Reset(Unprocessable, PasswordResetView):  # type: ignore[misc]
    """Whose password; without mail it says who can help."""

    template_name = "accounts/password_reset.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "mail": settings.MAIL_ENABLED}


class FromLink(Unprocessable, PasswordResetFromKeyView):  # type: ignore[misc]
    """The page behind the link; `form` is absent when the link is used or over."""

    template_name = "accounts/password_from_link.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        email = self.reset_user.email if self.reset_user else ""
        return {**super().get_context_data(**kwargs), "email": email}

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        if context.get("token_fail"):
            kwargs["status"] = 410
        answer: HttpResponse = super().render_to_response(context, **kwargs)
        return answer


class Change(Unprocessable, PasswordChangeView):  # type: ignore[misc]
    """Ends every other sign-in and keeps this one."""

    template_name = "accounts/password_change.html"

    def form_valid(self, form: Any) -> HttpResponse:
        super().form_valid(form)
        return done(
            self.request,
            reverse("person"),
            "Your password is changed. Every other browser has to sign in again.",
        )


class Again(Unprocessable, ReauthenticateView):  # type: ignore[misc]
    """The password once more, before a change to the sign-in itself."""

    template_name = "accounts/again.html"


class AgainByCode(Unprocessable, CodeAgainView):  # type: ignore[misc]
    """A code once more, for who would rather type that than the password."""

    template_name = "accounts/again.html"


ask = never_cache(Reset.as_view())
asked = never_cache(PasswordResetDoneView.as_view(template_name="accounts/password_sent.html"))
from_link = never_cache(FromLink.as_view())
is_set = never_cache(
    PasswordResetFromKeyDoneView.as_view(template_name="accounts/password_is_set.html")
)
change = never_cache(Change.as_view())
again = never_cache(login_required(Again.as_view()))
again_by_code = never_cache(login_required(AgainByCode.as_view()))
