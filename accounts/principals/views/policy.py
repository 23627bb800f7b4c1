"""The account's own pages: its namespace policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.views.decorators.http import require_safe

from accounts.actor import DEFAULT_ID
from accounts.namespace import Policy, agent_root, session_uri, user_root
from accounts.principals import selectors
from accounts.principals.forms import SampleForm
from accounts.principals.forms.choices import KNOWN
from accounts.web import page, users_only

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpResponse

    from accounts.http.request import AccountRequest

FLAGS = (False, True)


@dataclass(frozen=True, slots=True)
class Plot:
    """Which borders split one kind of memory."""

    by_user: bool
    by_agent: bool

    @property
    def words(self) -> str:
        return " and ".join(
            name for name, splits in (("user", self.by_user), ("agent", self.by_agent)) if splits
        )


@dataclass(frozen=True, slots=True)
class Cell:
    """One of the four policies, drawn."""

    code: str
    in_force: bool
    user_root: str
    agent_root: str
    user_split: str
    agent_split: str
    user_plot: Plot
    agent_plot: Plot


@require_safe
@users_only
def policy(request: AccountRequest) -> HttpResponse:
    """The policy in force as a matrix, and the addresses that follow from it."""
    actor = request.actor
    users = _default_last(selectors.user_ids(actor=actor, limit=KNOWN))
    agents = _default_last(selectors.agent_ids(actor=actor, limit=KNOWN))
    form = SampleForm(
        {
            "user": request.GET.get("user") or users[0],
            "agent": request.GET.get("agent") or agents[0],
        },
        users=users,
        agents=agents,
    )
    status = 200 if form.is_valid() else 422
    user = form.cleaned_data.get("user", users[0])
    agent = form.cleaned_data.get("agent", agents[0])
    state = selectors.policy_facts(account=actor.account)
    context = {
        "policy": {
            "code": actor.policy.code,
            "version": state.version,
            "updated_at": state.updated_at,
            "updated_by": state.updated_by,
            "sessions_visible_to": actor.policy.sessions_visible_to,
        },
        "cells": [
            {"cells": [_cell(Policy(by_agent, by_user), actor.policy) for by_user in FLAGS]}
            for by_agent in FLAGS
        ],
        "samples": {
            "user": user,
            "agent": agent,
            "other_user": _another(users, user),
            "other_agent": _another(agents, agent),
        },
        "sample_form": form,
        "addresses": [
            {"label": "User root", "uri": user_root(actor.policy, user, agent)},
            {"label": "Agent root", "uri": agent_root(actor.policy, user, agent)},
            {"label": "Session", "uri": session_uri("{id}")},
        ],
        "readers_sentences": readers_in_words(actor.policy),
    }
    return page(request, "principals/policy.html", context, fragment="addresses", status=status)


def readers_in_words(policy: Policy) -> list[str]:
    """Who reads and who writes sessions under the policy (isolation.md, Sessions)."""
    who = (
        "Every user of the account reads every session."
        if policy.sessions_visible_to == "account"
        else "A session is read by its creator, by users who took part in it, and by admins."
    )
    with_contact = (
        "A session with a contact is read by the owner of the contact, by users who took part,"
        " and by admins, whatever the policy."
    )
    adding = (
        "Whoever reads a session may add to it. The header of an agent opens nothing by itself."
    )
    return [who, with_contact, adding]


def _cell(drawn: Policy, in_force: Policy) -> Cell:
    user_plot = Plot(by_user=True, by_agent=drawn.isolate_user_scope_by_agent)
    agent_plot = Plot(by_user=drawn.isolate_agent_scope_by_user, by_agent=True)
    return Cell(
        code=drawn.code,
        in_force=drawn.code == in_force.code,
        user_root=user_root(drawn, "{u}", "{a}"),
        agent_root=agent_root(drawn, "{u}", "{a}"),
        user_split=user_plot.words,
        agent_split=agent_plot.words,
        user_plot=user_plot,
        agent_plot=agent_plot,
    )


def _default_last(ids: Sequence[str]) -> list[str]:
    """People look for their own names first."""
    return sorted(ids, key=lambda one: (one == DEFAULT_ID, one.lower()))


def _another(ids: Sequence[str], than: str) -> str:
    return next((one for one in ids if one != than), "another")
