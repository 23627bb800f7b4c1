"""Agents of the account: the list, one agent and its two choices, adding, renaming, deleting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actor import DEFAULT_ID
from accounts.errors import Conflict, DomainError, InvalidArgument
from accounts.lists import PAGE, cursors, list_context
from accounts.principals import selectors, services
from accounts.principals.forms import (
    AgentFilterForm,
    AgentNewForm,
    AgentRenameForm,
    Confirmation,
)
from accounts.principals.keeping import keeping
from accounts.principals.usage import COUNTED, SUMMED, usage
from accounts.principals.views.agent_options import memory_options, scope_options
from accounts.principals.views.shared import absent_is_404
from accounts.settings import AccountSettings
from accounts.web import Undo, admins_only, done, page, refused

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http.request import AccountRequest
    from accounts.principals.selectors import AgentFacts

LIST = "principals/agent_list.html"
KEYS_SHOWN = 20
CHOICES = {"memory_system": "Memory system", "session_scope": "Session scope"}


@require_safe
@admins_only
@absent_is_404
def agent_list(request: AccountRequest) -> HttpResponse:
    """Agents, newest first, with how much each is used."""
    form = AgentFilterForm(request.GET)
    if not form.is_valid():
        return page(request, LIST, {"form": form, "rows": []}, fragment="results", status=422)
    found = selectors.agent_register(
        actor=request.actor, q=form.cleaned_data["q"], limit=PAGE, **cursors(request)
    )
    keys = [row.id for row in found.rows]
    use, kept = usage().agents(agents=keys), keeping().of_agents(agents=keys)
    context = {
        "form": form,
        "rows": [
            {"facts": row, "use": use[row.id], "memories": kept.get(row.id, 0)}
            for row in found.rows
        ],
        "counted": COUNTED,
        **list_context(request, form, found),
    }
    return page(request, LIST, context, fragment="results")


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def agent_new(request: AccountRequest) -> HttpResponse:
    """Add an agent before its first message does."""
    form = AgentNewForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = services.agent_create(actor=request.actor, **form.cleaned_data)
        except DomainError as error:
            refused(form, error)
        else:
            here = reverse("agent_detail", args=[made.agent_id])
            return done(request, here, f"Agent {made.agent_id} was added.")
    context = {"form": form, "list_url": reverse("agent_list")}
    status = 422 if form.errors else 200
    return page(request, "principals/agent_new.html", context, fragment="main", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
@absent_is_404
def agent_detail(request: AccountRequest, agent_id: str) -> HttpResponse:
    """One agent: its two choices with their effect, how it is used, who talks to it."""
    actor = request.actor
    agent = selectors.agent_facts(actor=actor, agent_id=agent_id)
    fault = ""
    if request.method == "POST":
        name = next((one for one in CHOICES if one in request.POST), "")
        try:
            return _chosen(request, agent, name)
        except InvalidArgument as error:
            fault = error.message
    use = usage().agent(agent=agent.id)
    kept = keeping().gate_effect(actor=actor, agent=agent.id)
    keys = selectors.keys_bound_to(agent_id=agent.agent_id, limit=KEYS_SHOWN)
    settings = AccountSettings.of(actor.settings)
    options = {
        "memory_system": memory_options(agent, kept, settings),
        "session_scope": scope_options(agent, use, kept, keys, settings),
    }
    context = {
        "agent": agent,
        "fault": fault,
        "use": use,
        "kept": keeping().of_agents(agents=[agent.id]).get(agent.id, 0),
        "summed": SUMMED,
        "keys": keys,
        "choices": [
            {"name": name, "label": CHOICES[name], "options": options[name]} for name in CHOICES
        ],
        "fixed": agent.agent_id == DEFAULT_ID,
        "list_url": reverse("agent_list"),
    }
    status = 422 if fault else 200
    return page(request, "principals/agent_detail.html", context, fragment="main", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
@absent_is_404
def agent_rename(request: AccountRequest, agent_id: str) -> HttpResponse:
    """Give it another display name; the id stays."""
    actor = request.actor
    agent = selectors.agent_facts(actor=actor, agent_id=agent_id)
    former = {"display_name": agent.display_name}
    form = AgentRenameForm(request.POST if request.method == "POST" else None, initial=former)
    if form.is_valid():
        name = " ".join(form.cleaned_data["display_name"].split())
        services.agent_update(actor=actor, agent_id=agent.agent_id, display_name=name)
        undo = Undo(reverse("agent_rename", args=[agent.agent_id]), former)
        words = (
            f"{agent.agent_id} is called {name} now." if name else f"{agent.agent_id} was saved."
        )
        here = reverse("agent_detail", args=[agent.agent_id])
        return done(request, here, words, undo=undo if name != agent.display_name else None)
    context = {"form": form, "agent": agent}
    status = 422 if form.errors else 200
    return page(request, "principals/agent_rename.html", context, fragment="main", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
@absent_is_404
def agent_delete(request: AccountRequest, agent_id: str) -> HttpResponse:
    """Ask, then delete an agent that nothing refers to; else say what does."""
    actor = request.actor
    agent = selectors.agent_facts(actor=actor, agent_id=agent_id)
    form = Confirmation(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            services.agent_delete(actor=actor, agent_id=agent.agent_id)
        except Conflict as error:
            refused(form, error)
        else:
            words = f"Agent {agent.agent_id} was deleted."
            return done(request, reverse("agent_list"), words)
    use = usage().agent(agent=agent.id)
    memories = keeping().of_agents(agents=[agent.id]).get(agent.id, 0)
    context = {
        "form": form,
        "agent": agent,
        "use": use,
        "memories": memories,
        "stays": bool(use.sessions or memories),
        "keys": selectors.keys_bound_to(agent_id=agent.agent_id, limit=KEYS_SHOWN),
    }
    status = 422 if form.errors else 200
    return page(request, "principals/agent_delete.html", context, fragment="main", status=status)


def _chosen(request: AccountRequest, agent: AgentFacts, name: str) -> HttpResponse:
    """Apply a choice, with the way back. Raises InvalidArgument for what is none."""
    if not name:
        raise InvalidArgument("Choose one of the options.")
    before, value = getattr(agent, name), request.POST[name]
    services.agent_update(actor=request.actor, agent_id=agent.agent_id, **{name: value})
    here = reverse("agent_detail", args=[agent.agent_id])
    words = f"{CHOICES[name]} of {agent.agent_id} is {value.replace('_', ' ')} now."
    return done(request, here, words, undo=Undo(here, {name: before}) if before != value else None)
