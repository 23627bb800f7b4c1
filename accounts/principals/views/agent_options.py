"""What the two choices of an agent mean, and what applying one does, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse

from accounts.actor import Scope
from accounts.principals.usage import SUMMED

if TYPE_CHECKING:
    from accounts.principals.keeping import GateEffect
    from accounts.principals.selectors import AgentFacts, KeyFacts
    from accounts.principals.usage import AgentUse
    from accounts.settings import AccountSettings


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
    way: tuple[str, str] | None = None  # address and words of where more can be done


def memory_options(
    agent: AgentFacts, effect: GateEffect, settings: AccountSettings
) -> list[Option]:
    """The agent's gate: nothing is kept, recalled or injected through a closed one."""
    name = agent.agent_id
    opened = agent.memory_system == "structured"

    def line(label: str, count: int) -> Effect:
        return Effect(label, count if opened else 0, 0 if opened else count)

    effects = [
        line(f"Memories of {name} that can be recalled", effect.of_agent),
        line(f"Memories of other agents that {name} can recall", effect.of_others),
    ]
    if effect.contacts:
        agreed = f"Contacts with consent, of {effect.contacts:,}"
        effects.append(Effect(agreed, effect.agreeing, effect.agreeing))
    number = _memories(effect.of_agent)
    address = f"{reverse('memory_list')}?agent={name}"
    return [
        Option(
            "summarization",
            "Summarization",
            "Sessions are kept and summarised. Nothing is remembered, recalled or injected.",
            not opened,
            effects,
            "Hidden, not deleted: Structured brings all of them back.",
            f"Turn off Structured, hide {number}"
            if effect.of_agent
            else "Turn off Structured, hide nothing",
            "Structured",
            (address, f"To be rid of them, delete them in the list of what {name} keeps"),
        ),
        Option(
            "structured",
            "Structured",
            "Memories are kept with the agent, recalled and offered to it.",
            opened,
            effects,
            _consent(settings),
            f"Turn on Structured, show {number}"
            if effect.of_agent
            else "Turn on Structured, show nothing yet",
            "Summarization",
            (reverse("account_settings"), "Change what silence means"),
        ),
    ]


def _consent(settings: AccountSettings) -> str:
    """What the account's setting says about contacts."""
    if settings.contact_consent == "opt_in":
        return "Contacts are asked first: of one that has not agreed nothing is kept or recalled."
    return "Contacts are not asked: something is kept of each until it withdraws its consent."


def scope_options(
    agent: AgentFacts,
    use: AgentUse,
    kept: GateEffect,
    keys: list[KeyFacts],
    settings: AccountSettings,
) -> list[Option]:
    """Whether senders are kept apart. No row moves, under both values."""
    apart = agent.session_scope == "per_sender"
    gateways = sum(Scope.GATEWAY in key.scopes for key in keys)
    shared = use.sessions - use.with_contact
    stamped = _stamped(use, kept)
    held = use.with_contact + kept.of_contacts

    def line(label: str, count: int) -> Effect:
        return Effect(label, count if apart else 0, 0 if apart else count)

    effects = [
        line("Senders with sessions of their own", use.contacts),
        line("Sessions that new turns of theirs go on with", use.with_contact),
        line("Memories with their stamp that new turns of theirs may recall", kept.of_contacts),
        Effect("Sessions without a contact, kept as they are", shared, shared),
        line(f"Gateway keys bound to {agent.agent_id} that must name a contact", gateways),
    ]
    return [
        Option(
            "global",
            "Global",
            f"Channels derive no contact: {_inbound(shared_inbox=settings.shared_inbox)}"
            f" {_hidden(held, stamped)}",
            not apart,
            effects,
            "Hidden, not deleted: the owners of the contacts and admins go on reading"
            f" {stamped}, nobody else does. Per sender takes all of them up again.",
            f"Set scope to global, hide {stamped}" if held else "Set scope to global, hide nothing",
            "Per sender",
        ),
        Option(
            "per_sender",
            "Per sender",
            "Each sender has a contact and sessions of their own; a gateway that names no contact"
            f" is refused the context. {_senders(use)}, {stamped}.",
            apart,
            effects,
            f"{_sessions(shared).capitalize()} without a contact stay with the users who own them:"
            " no sender comes to see one.",
            f"Set scope to per sender, take up {stamped}"
            if held
            else f"Set scope to per sender, keep {_sessions(use.sessions)}",
            "Global",
        ),
    ]


def _inbound(*, shared_inbox: bool) -> str:
    """What the gateway's call then does; the account's settings decide."""
    if shared_inbox:
        return "turns through /inbound go to the sessions of the shared inbox."
    return "turns through /inbound are refused with 412."


def _hidden(count: int, stamped: str) -> str:
    if not count:
        return "No session and no memory of a contact is hidden."
    return f"{stamped} of contacts stay{'s' if count == 1 else ''} stamped and hidden."


def _stamped(use: AgentUse, kept: GateEffect) -> str:
    """What carries the stamp of a contact."""
    if not kept.of_contacts:
        return _sessions(use.with_contact)
    if not use.with_contact:
        return _memories(kept.of_contacts)
    return f"{_sessions(use.with_contact)} and {_memories(kept.of_contacts)}"


def _senders(use: AgentUse) -> str:
    return f"{use.contacts:,} sender{'' if use.contacts == 1 else 's'}"


def _sessions(count: int) -> str:
    more = " or more" if count >= SUMMED else ""
    return f"{count:,}{more} session{'' if count == 1 else 's'}"


def _memories(count: int) -> str:
    return f"{count:,} memor{'y' if count == 1 else 'ies'}"
