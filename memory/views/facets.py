"""The facets above the list of memories, and what can be done to the rows below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts.lists import address
from memory.models import KINDS, Salience, Scope, State
from memory.selectors import ANY, EXPIRED, KEPT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accounts.http.request import AccountRequest
    from accounts.namespace import Policy
    from memory.selectors import Facets, MemoryFilter

STATES = (State.ACTIVE, State.QUARANTINED, EXPIRED, State.SUPERSEDED, State.DELETED)
QUARANTINE, RELEASE, DELETE, RESTORE = "quarantine", "release", "delete", "restore"
_OFFERED = {
    State.ACTIVE: (QUARANTINE, DELETE),
    State.QUARANTINED: (RELEASE, DELETE),
    EXPIRED: (DELETE,),
    State.SUPERSEDED: (RESTORE,),
    State.DELETED: (RESTORE,),
    KEPT: (QUARANTINE, DELETE),
    ANY: (RESTORE, DELETE),
}


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a facet. `url` is empty where there is nothing to be seen."""

    value: str
    label: str
    count: int
    url: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """One line of facets."""

    name: str
    label: str
    values: list[Value]
    narrows: bool


def facet_lines(
    request: AccountRequest, policy: Policy, where: MemoryFilter, counts: Facets
) -> list[Facet]:
    """Scope, kind, state and salience, each with how many there are of each value.

    Kinds are many: only those stand there of which something is kept, and the chosen one.
    """
    scopes = [
        (Scope.USER, "user with agent" if policy.isolate_user_scope_by_agent else "user"),
        (Scope.AGENT, "agent with user" if policy.isolate_agent_scope_by_user else "agent"),
    ]
    kinds = [
        (one, one.replace("_", " "))
        for one in sorted(KINDS, key=lambda one: -counts.by["kind"].get(one, 0))
        if counts.by["kind"].get(one) or one == where.kind
    ]
    levels = [(one, one) for one in reversed(Salience.values)]
    states = [(one, str(one)) for one in STATES]
    return [
        _line(request, "scope", scopes, where.scope, counts),
        _line(request, "kind", kinds, where.kind, counts),
        _line(request, "state", states, where.state, counts, any_label="Any kept", any_value=KEPT),
        _line(request, "salience", levels, where.salience, counts),
    ]


def offered(state: str, *, keeper: bool) -> tuple[str, ...]:
    """What can be done to memories in a list of that state; quarantine is for admins alone."""
    return tuple(one for one in _OFFERED[state] if keeper or one not in (QUARANTINE, RELEASE))


def _line(
    request: AccountRequest,
    name: str,
    values: Sequence[tuple[str, str]],
    chosen: str,
    counts: Facets,
    *,
    any_label: str = "Any",
    any_value: str = "",
) -> Facet:
    by = counts.by[name]
    kept = sum(n for value, n in by.items() if not (name == "state" and value == State.DELETED))
    first = Value(any_value, any_label, kept, address(request, name), chosen == any_value)
    found = [first]
    for value, label in values:
        n = by.get(value, 0)
        url = _address(request, name, value) if n else ""
        found.append(Value(value, label, n, url, chosen == value))
    if chosen == ANY:
        found.append(Value(ANY, "all", sum(by.values()), _address(request, name, ANY), chosen=True))
    return Facet(name, name.capitalize(), found, narrows=chosen != any_value)


def _address(request: AccountRequest, name: str, value: str) -> str:
    url = address(request, name)
    return f"{url}{'&' if '?' in url else '?'}{name}={value}"
