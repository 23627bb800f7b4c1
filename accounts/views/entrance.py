"""Pages outside accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.views import LoginView, LogoutView
from django.contrib.auth.decorators import login_required
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import selectors
from accounts.models import Person
from accounts.web import THEME_COOKIE, THEMES

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

A_YEAR = 365 * 24 * 3600


class SignIn(LoginView):  # type: ignore[misc]
    """E-mail and password; allauth keeps the rate limits."""

    template_name = "accounts/sign_in.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "site_host": self.request.get_host(),
        }

    def form_invalid(self, form: Any) -> HttpResponse:
        refused: HttpResponse = self.render_to_response(
            self.get_context_data(form=form), status=422
        )
        return refused


sign_in = never_cache(SignIn.as_view())
sign_out = never_cache(LogoutView.as_view(template_name="accounts/sign_out.html"))


@never_cache
@require_safe
def inactive(request: HttpRequest) -> HttpResponse:
    """The right password of a person who may not sign in any more."""
    return render(request, "accounts/inactive.html", status=403)


@never_cache
@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """To the person's account; when there are several, the first by name, with the switcher."""
    assert isinstance(request.user, Person)  # login_required says so
    entrances = selectors.entrances(request.user)
    if not entrances:
        return render(
            request,
            "accounts/no_account.html",
            {"person_email": request.user, "sign_out_url": "/sign-out"},
        )
    return HttpResponseRedirect(f"/a/{entrances[0].ref.account_id}/")


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Keep light, dark or the system's own choice in a cookie, and go back."""
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}):
        back = "/"
    response = HttpResponseRedirect(back)
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        response.set_cookie(
            THEME_COOKIE,
            chosen,
            max_age=A_YEAR,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure(),
        )
    else:
        response.delete_cookie(THEME_COOKIE)
    return response
