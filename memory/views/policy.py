"""The namespace policy: as it is, what a change would do, applying it, and its versions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actor import DEFAULT_ID, Role
from accounts.errors import DomainError, InvalidArgument
from accounts.http.paging import DEFAULT_LIMIT
from accounts.lists import PAGE, active_filters, address, cursors, list_context, neighbours
from accounts.namespace import Policy
from accounts.principals import selectors as principals
from accounts.principals import services as principal_services
from accounts.principals.forms.choices import KNOWN
from accounts.principals.views.shared import absent_is_404
from accounts.web import Undo, admins_only, done, page, refused, users_only
from memory import policy_words, services
from memory.forms.policy import ChangesForm, ProposalForm, ReasonForm, SampleForm
from memory.views.policy_drawn import Proposal, addresses, matrix, proposal_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from django.http import HttpResponse

    from accounts.actor import Actor
    from accounts.http.request import AccountRequest

TEMPLATE = "memory/policy.html"
PAIRS = DEFAULT_LIMIT
UNDONE = "Undone at once."


@require_http_methods(["GET", "HEAD", "POST"])
@users_only
@absent_is_404
def policy(request: AccountRequest) -> HttpResponse:
    """The policy in force as a matrix, who reads what, and addresses that follow from it.

    For admins `?to=` (a code) and `?readers=` compare it with another; POST to such an address
    puts that one in force.
    """
    actor = request.actor
    proposal = _proposal(request)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if actor.role is not Role.ADMIN:
            raise PermissionDenied("The policy is changed by admins of the account.")
        if proposal is None:
            words = "Nothing was changed: this policy is in force already."
            return done(request, reverse("policy"), words)
        if (applied := _applied(request, form, proposal)) is not None:
            return applied
        proposal = _proposal(request)  # what is in force may be another one by now
    sample, people = _sample(actor, request)
    state = principals.policy_facts(account=actor.account)
    now = proposal.now if proposal else actor.policy
    then = proposal.then if proposal else None
    context = {
        "policy": state,
        "code": now.code,
        "proposal": proposal,
        "form": form,
        "cells": matrix(request, now, then, choosing=actor.role is Role.ADMIN),
        "samples": people,
        "sample_form": sample,
        "addresses": addresses(now, then, people["user"], people["agent"]),
        "session_readers": policy_words.session_readers(now, then),
        "memory_readers": policy_words.memory_readers(now, then),
        "readers_url": _readers_url(request, now, then),
        "discard_url": address(request, "to", "readers", "cursor"),
        "pairs_url": _pairs_url(request, proposal),
        "changes_url": f"{reverse('policy_changes')}?to={then.code}" if then else "",
        "versions_url": reverse("policy_versions") if actor.role is Role.ADMIN else "",
    }
    status = 422 if form.errors or sample.errors else 200
    return page(request, TEMPLATE, context, fragment="addresses", status=status)


@require_safe
@admins_only
@absent_is_404
def policy_changes(request: AccountRequest) -> HttpResponse:
    """Every memory that a pair of user and agent would gain or lose, one by one."""
    actor = request.actor
    proposed = ProposalForm(request.GET)
    if not proposed.is_valid():
        raise InvalidArgument("This is no policy.", field="to")
    form = ChangesForm(
        request.GET,
        users=principals.user_ids(actor=actor, limit=KNOWN),
        agents=principals.agent_ids(actor=actor, limit=KNOWN),
    )
    to = proposed.cleaned_data["to"] or actor.policy.code  # with itself: nothing changes
    context: dict[str, Any] = {
        "form": form,
        "to": to,
        "code": actor.policy.code,
        "policy_url": f"{reverse('policy')}?to={to}",
    }
    template, here = "memory/policy_changes.html", reverse("policy_changes")
    if not form.is_valid():
        return page(request, template, context, fragment="results", status=422)
    chosen = form.cleaned_data
    now, then, found = services.changes_read(
        actor=actor,
        changes=proposed.changes(),
        what=chosen["what"] or "all",
        user=chosen["user"],
        agent=chosen["agent"],
        limit=PAGE,
        cursor=request.GET.get("older") or request.GET.get("newer"),
    )
    active = active_filters(request, form)
    context |= {
        "code": now.code,
        "to": then.code,
        "rows": found.rows,
        "total": found.total,
        "active": active,
        "filtered": bool(active),
        "clear_url": f"{here}?to={to}",
        **neighbours(request, found.older, found.newer),
    }
    return page(request, template, context, fragment="results")


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
@absent_is_404
def policy_versions(request: AccountRequest) -> HttpResponse:
    """Every version that was in force, and the way back to the one before."""
    actor = request.actor
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = principal_services.policy_revert(
                actor=actor, account=actor.account, **form.cleaned_data
            )
        except DomainError as error:
            refused(form, error)
        else:
            code = principals.policy_in_force(account=actor.account).code
            words = f"{code} is in force again, as version {made.version}."
            return done(request, reverse("policy_versions"), words, undo=_undo(made.version))
    found = principals.policy_versions(account=actor.account, limit=PAGE, **cursors(request))
    now = principals.policy_in_force(account=actor.account)
    before = principals.policy_before(account=actor.account, version=now.version)
    context = {
        "form": form,
        "now": now,
        "before": before,
        "next_version": now.version + 1,
        "rows": [
            {"facts": row, "preview_url": _preview_url(row.policy, now)} for row in found.rows
        ],
        "preview_url": _preview_url(before, now) if before else "",
        **list_context(request, None, found),
    }
    status = 422 if form.errors else 200
    return page(request, "memory/policy_versions.html", context, fragment="main", status=status)


def _proposal(request: AccountRequest) -> Proposal | None:
    """What is proposed, with its preview; None for nothing, and for who decides nothing.

    Raises:
        InvalidArgument: it is no policy, or the cursor of no list.
    """
    actor = request.actor
    if actor.role is not Role.ADMIN:
        return None
    form = ProposalForm(request.GET)
    if not form.is_valid():
        raise InvalidArgument("This is no policy.", field="to")
    changes = form.changes()
    if not changes:
        return None
    found = services.preview_read(
        actor=actor,
        account=actor.account,
        changes=changes,
        limit=PAIRS,
        cursor=request.GET.get("cursor"),
    )
    return proposal_of(found.now, found.then, found.preview)


def _applied(request: AccountRequest, form: ReasonForm, proposal: Proposal) -> HttpResponse | None:
    """Put what is proposed in force; None when that is refused, and why stands in the form."""
    if not form.is_valid():
        return None
    actor, then = request.actor, proposal.then
    changes = {name: getattr(then, name) for name in proposal.fields}
    try:
        made = principal_services.policy_update(
            actor=actor, account=actor.account, changes=changes, **form.cleaned_data
        )
    except DomainError as error:
        refused(form, error)
        return None
    words = f"Version {made.version} is in force: {proposal.names}."
    return done(request, reverse("policy"), words, undo=_undo(made.version))


def _undo(version: int) -> Undo:
    """Back to the version before, unless another came meanwhile."""
    return Undo(reverse("policy_versions"), {"reason": UNDONE, "version": str(version)})


def _sample(actor: Actor, request: AccountRequest) -> tuple[SampleForm, dict[str, str]]:
    """Whose addresses are printed, and the names beside them in the drawings."""
    users = _default_last(principals.user_ids(actor=actor, limit=KNOWN))
    agents = _default_last(principals.agent_ids(actor=actor, limit=KNOWN))
    form = SampleForm(
        {
            "user": request.GET.get("user") or users[0],
            "agent": request.GET.get("agent") or agents[0],
        },
        users=users,
        agents=agents,
    )
    form.is_valid()
    user = form.cleaned_data.get("user", users[0])
    agent = form.cleaned_data.get("agent", agents[0])
    people = {
        "user": user,
        "agent": agent,
        "other_user": _another(users, user),
        "other_agent": _another(agents, agent),
    }
    return form, people


def _readers_url(request: AccountRequest, now: Policy, then: Policy | None) -> str:
    """Where the other value of `sessions_visible_to` is proposed; "" for who decides nothing."""
    if request.actor.role is not Role.ADMIN or (
        then and then.sessions_visible_to != now.sessions_visible_to
    ):
        return ""
    other = "participants" if now.sessions_visible_to == "account" else "account"
    return f"{address(request, 'cursor', at={'readers': other})}#readers"


def _pairs_url(request: AccountRequest, proposal: Proposal | None) -> dict[str, str]:
    """Ways on from a page of pairs."""
    if proposal is None:
        return {}
    ways = {}
    if request.GET.get("cursor"):
        ways["first"] = f"{address(request, 'cursor')}#preview"
    if proposal.preview.next:
        ways["next"] = f"{address(request, at={'cursor': proposal.preview.next})}#preview"
    return ways


def _preview_url(policy: Policy, now: Policy) -> str:
    """Where that policy is compared with the one in force; "" where nothing differs."""
    if replace(policy, version=now.version) == now:
        return ""
    return f"{reverse('policy')}?to={policy.code}&readers={policy.sessions_visible_to}"


def _default_last(ids: Sequence[str]) -> list[str]:
    """People look for their own names first."""
    return sorted(ids, key=lambda one: (one == DEFAULT_ID, one.lower()))


def _another(ids: Sequence[str], than: str) -> str:
    return next((one for one in ids if one != than), "another")
