"""Persons who sign in: what operators see of them and do for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import Conflict, InvalidArgument, NotFound
from accounts.lists import PAGE, cursors, list_context
from accounts.principals.operator import selectors, services
from accounts.principals.operator.forms import LinkForm, PersonFilterForm, RightsForm
from accounts.principals.operator.gate import operator_of, operators_only
from accounts.web import Undo, done, page, refused, site_of

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.principals.operator.gate import OperatorRequest
    from accounts.principals.operator.selectors import PersonLine

TEMPLATE_LIST = "operator/person_list.html"
# What a button sends: the service, what is said then, and what undoes it.
ACTS = {
    "close": (services.person_close, "{} cannot sign in any more.", "reopen"),
    "reopen": (services.person_reopen, "{} can sign in again.", "close"),
    "grant": (services.operator_grant, "{} is an operator.", "revoke"),
    "revoke": (services.operator_revoke, "{} is no operator any more.", "grant"),
}


@operators_only
@require_safe
def person_list(request: OperatorRequest) -> HttpResponse:
    """Everybody who signs in, newest first."""
    form = PersonFilterForm(request.GET)
    context: dict[str, Any] = {"form": form, "clear_url": request.path}
    if not form.is_valid():
        return page(request, TEMPLATE_LIST, {**context, "rows": []}, fragment="results", status=422)
    try:
        found = selectors.person_list(
            q=form.cleaned_data["q"],
            who=form.cleaned_data["who"],
            limit=PAGE,
            **cursors(request),
        )
    except InvalidArgument:  # a cursor that no list gave out
        raise Http404 from None
    context |= {"rows": found.rows, **list_context(request, form, found)}
    return page(request, TEMPLATE_LIST, context, fragment="results")


@operators_only
@require_safe
def person_detail(request: OperatorRequest, person: UUID) -> HttpResponse:
    """One person, and what can be done for them."""
    return _detail(request, _line(person))


@operators_only
@require_POST
def person_rights(request: OperatorRequest, person: UUID) -> HttpResponse:
    """Close or open a sign-in, make an operator or take that back."""
    line, form = _line(person), RightsForm(request.POST)
    if not form.is_valid():
        raise Http404
    service, said, back = ACTS[form.cleaned_data["act"]]
    try:
        service(actor=operator_of(request), person=person)
    except Conflict as error:
        return _detail(request, line, refusal=error.message, status=409)
    except NotFound:
        raise Http404 from None
    return done(
        request,
        reverse("operator_person", args=[person]),
        said.format(line.email),
        undo=Undo(request.path, {"act": back}),
    )


@operators_only
@require_http_methods(["GET", "HEAD", "POST"])
def person_link(request: OperatorRequest, person: UUID) -> HttpResponse:
    """Make a link by which a person sets a new password; it is shown once."""
    line = _line(person)
    form = LinkForm(request.POST if request.method == "POST" else None)
    url = reverse("operator_person", args=[person])
    if form.is_valid():
        try:
            link = services.person_link(
                actor=operator_of(request),
                person=person,
                remove_code=form.cleaned_data["remove_code"],
            )
        except Conflict as error:
            refused(form, error)
        else:
            link = f"{site_of(request)}{link}"
            context = {"person": line, "link": link, "person_url": url}
            return render(request, "operator/person_link_made.html", context)
    context = {"person": line, "form": form, "person_url": url}
    status = 422 if form.errors else 200
    return page(request, "operator/person_link.html", context, fragment="main", status=status)


def _line(person: UUID) -> PersonLine:
    try:
        return selectors.person_line(key=person)
    except NotFound:
        raise Http404 from None


def _detail(
    request: OperatorRequest, line: PersonLine, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    context = {"person": line, "is_self": line.id == request.user.pk, "refusal": refusal}
    return page(request, "operator/person_detail.html", context, fragment="main", status=status)
