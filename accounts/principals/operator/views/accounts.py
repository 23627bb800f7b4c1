"""Accounts, as operators run them: counts and sizes, never words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import DomainError, InvalidArgument, NotFound
from accounts.lists import PAGE, cursors, list_context
from accounts.models import Account
from accounts.principals.access import account_for
from accounts.principals.operator import selectors, services
from accounts.principals.operator.forms import (
    AccountDeleteForm,
    AccountFilterForm,
    AccountForm,
    AccountNameForm,
    StateForm,
)
from accounts.principals.operator.gate import operator_of, operators_only
from accounts.web import Undo, done, page, refused, site_of

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.principals.operator.gate import OperatorRequest
    from accounts.principals.operator.selectors import AccountFacts
    from accounts.tenancy import AccountRef

TEMPLATE_LIST = "operator/account_list.html"
POLICIES = {
    "ff": "user memories shared by all agents, agent memories by all users",
    "ft": "user memories shared by all agents, agent memories kept per user",
    "tf": "user memories kept per agent, agent memories shared by all users",
    "tt": "user memories kept per agent, agent memories kept per user",
}


@operators_only
@require_safe
def console(_request: OperatorRequest) -> HttpResponse:
    """The console begins with the accounts."""
    return HttpResponseRedirect(reverse("operator_accounts"))


@operators_only
@require_safe
def account_list(request: OperatorRequest) -> HttpResponse:
    """All accounts, newest first."""
    form = AccountFilterForm(request.GET)
    context: dict[str, Any] = {"form": form, "clear_url": request.path}
    if not form.is_valid():
        return page(request, TEMPLATE_LIST, {**context, "rows": []}, fragment="results", status=422)
    try:
        found = selectors.account_list(
            q=form.cleaned_data["q"],
            state=form.cleaned_data["state"],
            limit=PAGE,
            **cursors(request),
        )
    except InvalidArgument:  # a cursor that no list gave out
        raise Http404 from None
    context |= {"rows": found.rows, **list_context(request, form, found)}
    return page(request, TEMPLATE_LIST, context, fragment="results")


@operators_only
@require_http_methods(["GET", "HEAD", "POST"])
def account_new(request: OperatorRequest) -> HttpResponse:
    """Make an account; the answer shows its first admin's key, once."""
    form = AccountForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            opened = services.account_open(
                actor=operator_of(request),
                site=site_of(request),
                **form.cleaned_data,
            )
        except DomainError as error:
            refused(form, error)
        else:
            return _shown_once(request, opened)
    status = 422 if form.errors else 200
    return page(
        request, "operator/account_new.html", {"form": form}, fragment="main", status=status
    )


@operators_only
@require_safe
def account_detail(request: OperatorRequest, account: str) -> HttpResponse:
    """One account: counts, room, health, and what can be done to it."""
    facts = _facts(account)
    context = {
        "account": facts.line,
        "facts": facts,
        "policy_words": POLICIES[facts.policy],
        "is_active": facts.line.state == Account.State.ACTIVE,
        "is_suspended": facts.line.state == Account.State.SUSPENDED,
    }
    return page(request, "operator/account_detail.html", context, fragment="main")


@operators_only
@require_http_methods(["GET", "HEAD", "POST"])
def account_name(request: OperatorRequest, account: str) -> HttpResponse:
    """Give an account another name."""
    facts = _facts(account)
    form = AccountNameForm(
        request.POST if request.method == "POST" else None, initial={"name": facts.line.name}
    )
    url = reverse("operator_account", args=[facts.ref.account_id])
    if form.is_valid():
        try:
            services.account_update(
                actor=operator_of(request), account=facts.ref, name=form.cleaned_data["name"]
            )
        except DomainError as error:
            refused(form, error)
        else:
            undo = Undo(request.path, {"name": facts.line.name})
            return done(request, url, f"{facts.ref.account_id} was renamed.", undo=undo)
    context = {"form": form, "account": facts.line, "account_url": url}
    status = 422 if form.errors else 200
    return page(request, "operator/account_name.html", context, fragment="main", status=status)


@operators_only
@require_POST
def account_state(request: OperatorRequest, account: str) -> HttpResponse:
    """Suspend an account, or resume it; each undoes the other."""
    ref = _ref(account)
    form = StateForm(request.POST)
    if not form.is_valid():
        raise Http404
    state = form.cleaned_data["state"]
    try:
        services.account_update(actor=operator_of(request), account=ref, state=state)
    except NotFound:
        raise Http404 from None
    suspended = state == Account.State.SUSPENDED
    back = Account.State.ACTIVE if suspended else Account.State.SUSPENDED
    said = "is suspended: nobody enters it." if suspended else "is active again."
    return done(
        request,
        reverse("operator_account", args=[ref.account_id]),
        f"{ref.account_id} {said}",
        undo=Undo(request.path, {"state": back.value}),
    )


@operators_only
@require_http_methods(["GET", "HEAD", "POST"])
def account_delete(request: OperatorRequest, account: str) -> HttpResponse:
    """What goes with an account; POST with its id deletes it for good."""
    facts = _facts(account)
    form = AccountDeleteForm(
        request.POST if request.method == "POST" else None, account_id=facts.ref.account_id
    )
    if form.is_valid():
        try:
            services.account_delete(actor=operator_of(request), account=facts.ref)
        except NotFound:
            raise Http404 from None
        return done(
            request, reverse("operator_accounts"), f"The account {facts.ref.account_id} is deleted."
        )
    context = {
        "form": form,
        "account": facts.line,
        "rows": _goes(facts),
        "keep_url": reverse("operator_account", args=[facts.ref.account_id]),
    }
    status = 422 if form.errors else 200
    return page(request, "operator/account_delete.html", context, fragment="main", status=status)


def _ref(account: str) -> AccountRef:
    try:
        return account_for(account)
    except NotFound:
        raise Http404 from None


def _facts(account: str) -> AccountFacts:
    try:
        return selectors.account_facts(account=_ref(account))
    except NotFound:
        raise Http404 from None


def _goes(facts: AccountFacts) -> list[tuple[str, int | str]]:
    rows: list[tuple[str, int | str]] = [("Users with their keys", facts.line.user_count)]
    rows += [(words, f"about {number:,}" if number else 0) for words, number in facts.estimates]
    rows += [("Sign-ins", facts.sign_ins), ("Open invitations", facts.invitations)]
    return [*rows, ("Audit log of the account", "all of it")]


def _shown_once(request: OperatorRequest, opened: services.Opened) -> HttpResponse:
    made = opened.made
    site = site_of(request)
    context = {
        "account_id": made.ref.account_id,
        "admin": made.admin_user_id,
        "key": made.user_key,
        "command": f"curl {site}/api/v1/whoami -H 'X-API-Key: {made.user_key}'",
        "invited": bool(opened.invitation),
        # Where mail is sent, the link is for the owner of the e-mail alone.
        "invitation": (
            f"{site}{opened.invitation}" if opened.invitation and not settings.MAIL_ENABLED else ""
        ),
        "mailed": settings.MAIL_ENABLED,
        "account_url": reverse("operator_account", args=[made.ref.account_id]),
    }
    return render(request, "operator/account_made.html", context, status=201)
