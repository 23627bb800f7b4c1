"""Your sign-in: who one is, what one signs in with, which accounts one may enter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import selectors, services
from accounts.errors import DomainError
from accounts.forms import PersonForm
from accounts.models import Person
from accounts.web import done, refused

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def person(request: HttpRequest) -> HttpResponse:
    """Everything about one's sign-in; POST changes name and time zone."""
    own = request.user
    assert isinstance(own, Person)  # login_required says so
    form = PersonForm(
        request.POST if request.method == "POST" else None,
        initial={"name": own.name, "time_zone": own.time_zone},
    )
    if form.is_valid():
        try:
            services.person_update(person=own, **form.cleaned_data)
        except DomainError as error:
            refused(form, error)
        else:
            return done(request, reverse("person"), "Your name and time zone are saved.")
    context = {
        "form": form,
        "person": own,
        "code": selectors.code_facts(own),
        "entrances": selectors.entrances(own),
    }
    return render(request, "accounts/person.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def sign_out_elsewhere(request: HttpRequest) -> HttpResponse:
    """End every sign-in of this person but the one in hand."""
    assert isinstance(request.user, Person)  # login_required says so
    services.sign_ins_end(person=request.user)
    update_session_auth_hash(request, request.user)
    return done(request, reverse("person"), "Every other browser has to sign in again.")
