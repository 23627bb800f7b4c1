"""Every kind of caller, memory and house, and how each implementation differs from the oracle."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product

from django.utils import timezone

from accounts import tenancy
from accounts.namespace import Policy
from memory import access, visibility
from memory.visibility import Clause
from tests.memory.oracle import House, Kept, hides, manages, recalls, under_roots
from tests.memory.world import AGENTS, ALL_CONTACTS, NOVA, POLICIES, World, flags, owner_of
from tests.oracle import NEVER_WROTE, Caller

PEOPLE = ("alice", "bob", "beth")
STATES = ("active", "quarantined", "superseded", "deleted")
OF_ROOTS = {
    Clause.NOT_REGISTERED,
    Clause.OTHER_CONTACT,
    Clause.OTHERS_CONTACT,
    Clause.OTHER_USER,
    Clause.OTHER_AGENT,
}


def numbered(kepts):
    """Of two that changed at one moment the one with the later key is newer."""
    return [replace(one, changed=(one.changed[0], n)) for n, one in enumerate(kepts)]


def owners():
    """Every kind of owner and stamp."""
    for scope, agent in product(("user", "agent"), AGENTS):
        for user in PEOPLE:
            yield Kept(scope, user, agent)
        for contact in ALL_CONTACTS:
            yield Kept(scope, owner_of(contact), agent, contact)
        # No service writes these: a memory of a contact is its owner's. Both clauses hold alone.
        yield Kept(scope, "beth", agent, "ana")


def withheld():
    """Every state, expired and not, of a memory that Bob's agent Ada could recall."""
    for state, expires in product(STATES, (-1.0, 1.0)):
        yield Kept("user", "bob", "ada", None, state, expires)


def equals():
    """Pairs of a memory and another one that may stand in its place, in each order of time."""
    number = 0
    for scope, times in product(("user", "agent"), ((0, 1), (1, 0), (0, 0))):
        old = Kept(scope, "bob", "ada")
        for one, other in (
            (old, replace(old, agent="max")),
            (old, replace(old, user="beth")),
            (old, replace(old, user="beth", agent="max")),
            (old, replace(old, scope="agent" if scope == "user" else "user")),
            (old, replace(old, contact="ana")),
            (replace(old, contact="ana"), old),
            (replace(old, contact="ana"), replace(old, contact="anna")),
            (replace(old, contact="ana"), replace(old, contact="ben")),
            (replace(old, agent="max"), old),
            *((old, replace(old, state=state)) for state in STATES[1:]),
            (replace(old, expires=1.0), replace(old, agent="max", user="bob", expires=-1.0)),
            (replace(old, expires=1.0), replace(old, agent="ada", user="beth", expires=-1.0)),
        ):
            number += 1
            for kept, at in zip((one, other), times, strict=True):
                yield replace(kept, topic=("facts", f"t{number}"), changed=(at, 0))
        number += 1
        yield replace(old, topic=("facts", f"t{number}"), changed=(times[0], 0))
        yield replace(old, topic=("tasks", f"t{number}"), changed=(times[1], 0))
    yield Kept("user", "bob", "ada", topic=("facts", "other"), changed=(0, 0))


def everyone():
    """Every kind of caller."""
    alone = [
        Caller("user", "bob", None),
        Caller("user", "beth", None),
        Caller("admin", "alice", None),
        Caller("admin", "alice", "bob"),
        Caller("root", None, "beth"),
        Caller("user", "walter", None),
        Caller("admin", "walter", None),
    ]
    named = [
        replace(caller, contact=contact)
        for caller in (Caller("user", "bob", None), Caller("admin", "alice", "beth"))
        for contact in ("ana", "ben", "cleo", NEVER_WROTE)
    ]
    return [replace(one, agent=agent) for one in (*alone, *named) for agent in (*AGENTS, NOVA)]


WORDS = (
    {"ana": "granted", "anna": "granted", "ben": "withdrawn", "alba": "granted"},
    {"ana": "granted", "anna": "withdrawn", "ben": "granted", "cleo": "granted"},
    {"ana": "granted", "ben": "granted"},
)
MODES = (
    (frozenset(AGENTS), "opt_in", WORDS[0]),
    (frozenset({"ada"}), "opt_in", WORDS[2]),
    (frozenset(AGENTS), "opt_in", WORDS[1]),
    (frozenset({"max"}), "opt_out", WORDS[2]),
    (frozenset(AGENTS), "opt_out", WORDS[0]),
)
KEPTS = numbered([*owners(), *withheld(), *equals()])


@cache
def companions(kept):
    """Those that may stand in its place: one topic is one little world."""
    return tuple(one for one in KEPTS if one.topic and one.topic[1] == (kept.topic or ("", ""))[1])


HOUSES = [
    *(
        House(policy, *mode)
        for policy, mode in zip(("ff", "tf", "ff", "tt"), MODES[1:], strict=True)
    ),
    *(House(policy, *MODES[0]) for policy in POLICIES),
]


CALLERS = everyone()


@cache
def recalled(house, caller):
    """What the oracle says of all of them: worked out once. `house` by its number."""
    house, kepts = HOUSES[house], enumerate(KEPTS)
    return {n for n, kept in kepts if recalls(house, caller, kept, companions(kept))}


@cache
def managed(house, caller):
    return {n for n, kept in enumerate(KEPTS) if manages(HOUSES[house], caller, kept)}


@cache
def hidden(house):
    words = [hides(HOUSES[house], kept, companions(kept)) for kept in KEPTS]
    return [None if word == "gone" else word for word in words]


class Full(World):
    """The world with every memory; how each implementation differs from the oracle in it."""

    def __init__(self, ref):
        super().__init__(ref)
        self.keys = world_keys = self.fill(KEPTS)
        self.place = {key: n for n, key in enumerate(world_keys)}

    def cases(self):
        for number, house in enumerate(HOUSES):
            self.furnish(house)
            for caller in CALLERS:
                yield number, house, caller, self.actor(caller, house)

    def shown(self, rows):
        return {self.place[key] for key in rows.values_list("pk", flat=True)}

    def recall_filter(self):
        for number, _, caller, actor in self.cases():
            if self.shown(access.recallable_by(actor)) != recalled(number, caller):
                yield number, caller

    def list_filter(self):
        for number, _, caller, actor in self.cases():
            if self.shown(access.memories_of(actor)) != managed(number, caller):
                yield number, caller

    def hidden_by(self):
        for number, house in enumerate(HOUSES):
            self.furnish(house)
            actor = self.actor(Caller("admin", "alice", None), house)
            rows = access.memories_of(actor).annotate(hidden=visibility.hidden_by(actor))
            found = {self.place[key]: word for key, word in rows.values_list("pk", "hidden")}
            if [found[n] for n in range(len(KEPTS))] != hidden(number):
                yield number

    def pairs(self):
        for policy in POLICIES:
            wanted = {
                (user, agent, n)
                for user, agent in product(PEOPLE, AGENTS)
                for n in roots(policy, user, agent)
            }
            if self._pairs(policy) != wanted:
                yield policy

    def _pairs(self, policy):
        user_scope, agent_scope = visibility.pairs_see(Policy(**flags(policy)))
        found = tenancy.fetch_rows(
            f"""
            SELECT u.user_id, g.agent_id, m.id FROM principals_user u, principals_agent g,
                (SELECT m.*, c.owner_id AS contact_owner FROM memory_memory m
                 LEFT JOIN principals_contact c ON c.id = m.contact_id) AS m
            WHERE (({user_scope}) OR ({agent_scope}))
                AND u.user_id = ANY(%(users)s) AND g.agent_id = ANY(%(agents)s)
            """,
            {"users": list(PEOPLE), "agents": list(AGENTS)},
        )
        return {(row["user_id"], row["agent_id"], self.place[row["id"]]) for row in found}

    def recall_explained(self):
        now = timezone.now()
        for house, caller, kept, actor, facts in self._facts(now):
            gate = caller.agent in house.structured
            verdict = visibility.explain(facts, actor, at=now, gate=gate)
            if verdict.visible != recalls(house, caller, kept, companions(kept)):
                yield house, caller, kept
            # What is not under one's roots tells nothing of its state.
            if (verdict.clause in OF_ROOTS) is under_roots(house, caller, kept):
                yield house, caller, kept, verdict.clause

    def list_explained(self):
        for house, caller, kept, actor, facts in self._facts(timezone.now()):
            if visibility.explain_listed(facts, actor).visible != manages(house, caller, kept):
                yield house, caller, kept

    def _facts(self, now):
        for house in HOUSES:
            known = [(kept, self.facts(house, kept, companions(kept), now=now)) for kept in KEPTS]
            for caller in CALLERS:
                actor = self.actor(caller, house)
                for kept, facts in known:
                    yield house, caller, kept, actor, facts


@cache
def roots(policy, user, agent):
    """What is under the roots of a user with a role that widens nothing."""
    caller = Caller("root", None, user, agent)
    return {n for n, kept in enumerate(KEPTS) if manages(House(policy), caller, kept)}
