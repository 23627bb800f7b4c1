"""Agents of the account: the list, one agent and its two choices, adding, renaming, deleting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actor import DEFAULT_ID, Scope
from accounts.errors import Conflict, DomainError, InvalidArgument
from accounts.lists import PAGE, cursors, list_context
from accounts.principals import selectors, services
from accounts.principals.forms import (
    AgentFilterForm,
    AgentNewForm,
    AgentRenameForm,
    Confirmation,
)
from accounts.principals.usage import COUNTED, SUMMED, usage
from accounts.principals.views.shared import absent_is_404
from accounts.settings import AccountSettings
from accounts.web import Undo, admins_only, done, page, refused

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.http.request import AccountRequest
    from accounts.principals.selectors import AgentFacts, KeyFacts
    from accounts.principals.usage import AgentUse

LIST = "principals/agent_list.html"
KEYS_SHOWN = 20
CHOICES = {"memory_system": "Memory system", "session_scope": "Session scope"}


@dataclass(frozen=True, slots=True)
class Effect:
    """One line of what a choice changes."""

    label: str
    now: int
    after: int

    @property
    def change(self) -> int:
        return self.after - self.now


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a choice: what it means, whether it is in force, what applying it does."""

    value: str
    name: str
    means: str
    in_force: bool
    effects: list[Effect]
    also: str
    button: str
    other: str  # the name of the option in force


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
    use = usage().agents(agents=[row.id for row in found.rows])
    context = {
        "form": form,
        "rows": [{"facts": row, "use": use[row.id]} for row in found.rows],
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
    keys = selectors.keys_bound_to(agent_id=agent.agent_id, limit=KEYS_SHOWN)
    context = {
        "agent": agent,
        "fault": fault,
        "use": use,
        "summed": SUMMED,
        "keys": keys,
        "choices": [
            {"name": "memory_system", "label": "Memory system", "options": _memory(agent, use)},
            {
                "name": "session_scope",
                "label": "Session scope",
                "options": _scope(
                    agent,
                    use,
                    keys,
                    shared_inbox=AccountSettings.of(actor.settings).shared_inbox,
                ),
            },
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
    context = {
        "form": form,
        "agent": agent,
        "use": usage().agent(agent=agent.id),
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


def _memory(agent: AgentFacts, use: AgentUse) -> list[Option]:
    """The agents' gate. Memories come with a later version: until then it is a decision kept."""
    opened = agent.memory_system == "structured"
    now = (use.sessions, use.messages) if opened else (0, 0)
    after = (0, 0) if opened else (use.sessions, use.messages)
    labels = ("Sessions that memories may be drawn from", "Messages in them")
    effects = [Effect(*line) for line in zip(labels, now, after, strict=True)]
    also = "This version draws no memories yet: the choice is kept, and holds once it does."
    count = _sessions(use.sessions)
    return [
        Option(
            "summarization",
            "Summarization",
            "Sessions are kept and summarised. Nothing is extracted or injected.",
            not opened,
            effects,
            also,
            f"Turn off Structured, close {count}",
            "Structured",
        ),
        Option(
            "structured",
            "Structured",
            "Memories are extracted from sessions, recalled and offered to the agent.",
            opened,
            effects,
            also,
            f"Turn on Structured, open {count}",
            "Summarization",
        ),
    ]


def _scope(
    agent: AgentFacts, use: AgentUse, keys: list[KeyFacts], *, shared_inbox: bool
) -> list[Option]:
    """Whether senders are kept apart. No row moves, under both values."""
    apart = agent.session_scope == "per_sender"
    gateways = sum(Scope.GATEWAY in key.scopes for key in keys)
    shared = use.sessions - use.with_contact
    met = (use.contacts, use.with_contact)
    now, after = (met, (0, 0)) if apart else ((0, 0), met)
    effects = [
        Effect("Senders with sessions of their own", now[0], after[0]),
        Effect("Sessions that new turns of theirs go on with", now[1], after[1]),
        Effect("Sessions without a contact, kept as they are", shared, shared),
        Effect(
            f"Gateway keys bound to {agent.agent_id} that must name a contact",
            gateways if apart else 0,
            0 if apart else gateways,
        ),
    ]
    return [
        Option(
            "global",
            "Global",
            f"Channels derive no contact: {_inbound(shared_inbox=shared_inbox)}"
            f" {_hidden(use.with_contact)}",
            not apart,
            effects,
            "Hidden, not deleted: the owners of the contacts and admins go on reading"
            f" {_sessions(use.with_contact)}, nobody else does. Per sender takes all of them up"
            " again.",
            f"Set scope to global, hide {_sessions(use.with_contact)}"
            if use.with_contact
            else "Set scope to global, hide nothing",
            "Per sender",
        ),
        Option(
            "per_sender",
            "Per sender",
            "Each sender has a contact and sessions of their own; a gateway that names no contact"
            f" is refused the context. {_senders(use)}, {_sessions(use.with_contact)}.",
            apart,
            effects,
            f"{_sessions(shared).capitalize()} without a contact stay with the users who own them:"
            " no sender comes to see one.",
            f"Set scope to per sender, take up {_sessions(use.with_contact)}"
            if use.with_contact
            else f"Set scope to per sender, keep {_sessions(use.sessions)}",
            "Global",
        ),
    ]


def _inbound(*, shared_inbox: bool) -> str:
    """What the gateway's call then does; the account's settings decide."""
    if shared_inbox:
        return "turns through /inbound go to the sessions of the shared inbox."
    return "turns through /inbound are refused with 412."


def _hidden(count: int) -> str:
    if not count:
        return "No session of a contact is hidden."
    return f"{_sessions(count)} of contacts stay{'s' if count == 1 else ''} stamped and hidden."


def _senders(use: AgentUse) -> str:
    return f"{use.contacts:,} sender{'' if use.contacts == 1 else 's'}"


def _sessions(count: int) -> str:
    more = " or more" if count >= SUMMED else ""
    return f"{count:,}{more} session{'' if count == 1 else 's'}"
