"""The way in: e-mail and password, the code after it, and on to one's accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.views import LoginView
from allauth.mfa.base.views import AuthenticateView
from django.contrib.auth.decorators import login_required
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import selectors
from accounts.models import Person
from accounts.web import LAST_ACCOUNT, THEME_COOKIE, THEMES, Unprocessable

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

HALF_WAY = "sign_in_stamp"  # of the person whose password was given, until the code is
OPERATOR_HOME = "/operator/"
A_YEAR = 365 * 24 * 3600


class SignIn(Unprocessable, LoginView):  # type: ignore[misc]
    """E-mail and password; allauth keeps the rate limits."""

    template_name = "accounts/sign_in.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "site_host": self.request.get_host(),
            "reset_url": reverse("account_reset_password"),
        }

    def form_valid(self, form: Any) -> HttpResponse:
        self.request.session[HALF_WAY] = str(form.user.sign_in_stamp)
        answer: HttpResponse = super().form_valid(form)
        return answer


class Code(Unprocessable, AuthenticateView):  # type: ignore[misc]
    """The code after the password; a recovery code is taken as well."""

    template_name = "accounts/code.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = self._over() or super().get(request, *args, **kwargs)
        return answer

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = self._over() or super().post(request, *args, **kwargs)
        return answer

    def _over(self) -> HttpResponse | None:
        """Back to the password when it was changed, or all sign-ins ended, since it was given."""
        stamp = str(self.stage.login.user.sign_in_stamp)
        if self.request.session.get(HALF_WAY) == stamp:
            return None
        self.request.session.flush()
        return HttpResponseRedirect(reverse("account_login"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "email": self.stage.login.user.email,
            "recovery": "recovery" in self.request.GET,
        }


sign_in = never_cache(SignIn.as_view())
code = never_cache(Code.as_view())


@never_cache
@require_safe
def inactive(request: HttpRequest) -> HttpResponse:
    """The right password of a person who may not sign in any more."""
    return render(request, "accounts/inactive.html", status=403)


@never_cache
@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """To the account where this browser was last, else the person's first by name.

    An operator without accounts goes to the console.
    """
    assert isinstance(request.user, Person)  # login_required says so
    entrances = selectors.entrances(request.user)
    if not entrances and request.user.is_operator:
        return HttpResponseRedirect(OPERATOR_HOME)
    if not entrances:
        return render(
            request,
            "accounts/no_account.html",
            {"person_email": request.user, "sign_out_url": "/sign-out"},
        )
    ids = [entrance.ref.account_id for entrance in entrances]
    last = request.session.get(LAST_ACCOUNT)
    return HttpResponseRedirect(f"/a/{last if last in ids else ids[0]}/")


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
