"""Pages outside accounts that change something inside one: accepting an invitation, signing out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.views import LogoutView
from django.conf import settings
from django.contrib.auth import login
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.errors import DomainError
from accounts.models import Person
from accounts.principals import selectors, services
from accounts.principals.forms import NewPersonForm
from accounts.principals.middleware import VIEWS
from accounts.principals.selectors import InvitationState
from accounts.web import refused

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http.request import OurRequest

STATUS = {InvitationState.OPEN: 200, InvitationState.UNKNOWN: 404}  # all others: 410, gone


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: OurRequest, token: str) -> HttpResponse:
    """What a link offers, and to whom; POST accepts it."""
    person = request.user if isinstance(request.user, Person) else None
    fault = ""
    form = NewPersonForm(request.POST if request.method == "POST" and not person else None)
    if request.method == "POST" and (person or form.is_valid()):
        try:
            accepted = services.invitation_accept(
                token=token,
                person=person,
                request_id=request.request_id,
                **({} if person else form.cleaned_data),
            )
        except DomainError as error:
            if form.is_bound:
                refused(form, error)
            else:
                fault = error.message
        else:
            if accepted.is_new:
                login(request, accepted.person, backend=settings.AUTHENTICATION_BACKENDS[0])
            answer = HttpResponseRedirect(f"/a/{accepted.account.account_id}/")
            answer.status_code = 303
            return answer
    offer = selectors.invitation_offer(token=token)
    is_open = offer.state is InvitationState.OPEN
    status = 422 if is_open and (form.errors or fault) else STATUS.get(offer.state, 410)
    context = {
        "offer": offer,
        "form": form,
        "fault": fault,
        "person": person,
        "is_theirs": person is not None and person.email.lower() == offer.email.lower(),
        "here": request.path,
    }
    template = "invitation" if is_open else "invitation_over"
    return render(request, f"principals/{template}.html", context, status=status)


class SignOut(LogoutView):  # type: ignore[misc]
    """Ends the views that this browser holds, too: nobody looks any more."""

    template_name = "accounts/sign_out.html"

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        if isinstance(self.request.user, Person):
            services.views_leave(
                person=self.request.user,
                held=self.request.session.get(VIEWS, {}),
                request_id=self.request.request_id,
            )
        answer: HttpResponse = super().post(*args, **kwargs)
        return answer


sign_out = never_cache(SignOut.as_view())
