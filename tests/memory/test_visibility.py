"""Who sees a memory: filter, explanation and oracle, at random, over all cases, and mutated."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import tenancy
from memory import access, visibility
from memory.models import Memory
from memory.selectors.why import facts_of
from memory.visibility import Clause
from tests import mutants
from tests.memory.cases import (
    HOUSES,
    KEPTS,
    OF_ROOTS,
    PEOPLE,
    STATES,
    Full,
    companions,
    hidden,
    numbered,
)
from tests.memory.oracle import House, Kept, manages, recalls
from tests.memory.world import AGENTS, ALL_CONTACTS, NOVA, POLICIES, World, owner_of
from tests.oracle import NEVER_WROTE, OWNERS, Caller

NAMED = {  # what hides it, in the words of the list
    Clause.QUARANTINED: "quarantine",
    Clause.EXPIRED: "expired",
    Clause.ROW_GATE: "gate",
    Clause.NO_CONSENT: "consent",
    Clause.OVERTAKEN: "newer",
}


@pytest.fixture
def world(cast):
    with tenancy.account(cast.north):
        yield World(cast.north)


# --- at random ---

agents = st.sampled_from(AGENTS)
contacts = st.none() | st.sampled_from((*OWNERS, NEVER_WROTE))
people = st.sampled_from(PEOPLE)
asking = st.sampled_from((*AGENTS, NOVA))
callers = st.one_of(
    st.builds(Caller, st.just("admin"), st.just("alice"), st.none() | people, asking, contacts),
    st.builds(Caller, st.just("user"), people | st.just("walter"), st.none(), asking, contacts),
    st.builds(Caller, st.just("root"), st.none(), people, asking, contacts),
)
houses = st.builds(
    House,
    st.sampled_from(POLICIES),
    st.frozensets(agents),
    st.sampled_from(("opt_in", "opt_out")),
    st.dictionaries(st.sampled_from(ALL_CONTACTS), st.sampled_from(("granted", "withdrawn"))),
)
# Far enough from now that the test's own length does not matter.
hours = st.just(1e9) | st.integers(-100, 100).filter(bool).map(float)
topics = st.none() | st.tuples(st.sampled_from(("facts", "tasks")), st.sampled_from("xy"))
scopes = st.sampled_from(("user", "agent"))
memories = st.one_of(
    st.builds(
        Kept, scopes, people, agents, st.none(), st.sampled_from(STATES), hours, topics,
        st.tuples(st.integers(0, 2), st.just(0)),
    ),
    *(
        # With a contact, a memory is its owner's.
        st.builds(
            Kept, scopes, st.just(owner_of(name)), agents, st.just(name), st.sampled_from(STATES),
            hours, topics, st.tuples(st.integers(0, 2), st.just(0)),
        )
        for name in ALL_CONTACTS
    ),
)  # fmt: skip


def once_per_topic(kept):
    """What the database holds: one active memory of a stored tuple and topic."""
    if kept.topic is None or kept.state != "active":
        return object()
    return kept.scope, kept.user, kept.agent, kept.contact, kept.topic


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    house=houses,
    caller=callers,
    kepts=st.lists(memories, min_size=1, max_size=6, unique_by=once_per_topic).map(numbered),
    then=st.integers(-101, 101).map(lambda hour: hour + 0.5),
)
def test_filter_explanation_and_oracle_agree_at_random(world, house, caller, kepts, then):
    expected = {n for n, kept in enumerate(kepts) if recalls(house, caller, kept, (*kepts,))}
    managed = {n for n, kept in enumerate(kepts) if manages(house, caller, kept)}
    with transaction.atomic():
        world.furnish(house)
        keys = world.fill(kepts)
        actor, now = world.actor(caller, house), timezone.now()
        assert numbers(access.recallable_by(actor), keys) == expected
        assert numbers(access.memories_of(actor), keys) == managed
        rows = [Memory.objects.select_related("contact").get(pk=key) for key in keys]
        for n, kept in enumerate(kepts):
            by_hand = world.facts(house, kept, kepts, now=now)
            looked_up = facts_of(actor, rows[n])
            for facts in (by_hand, looked_up):
                gate = caller.agent in house.structured
                assert visibility.explain(facts, actor, at=now, gate=gate).visible is (
                    n in expected
                )
                assert visibility.explain_listed(facts, actor).visible is (n in managed)
            # At another hour; only what expires is then different.
            later = visibility.explain(
                by_hand, actor, at=now + timedelta(hours=then), gate=gate
            ).visible
            assert later is recalls(replace(house, at=then), caller, kept, (*kepts,))
        transaction.set_rollback(True)


def numbers(rows, keys):
    return {keys.index(key) for key in rows.values_list("pk", flat=True)}


# --- over all cases ---


@pytest.fixture
def full(cast):
    with tenancy.account(cast.north):
        yield Full(cast.north)


SIDES = ("recall_filter", "list_filter", "hidden_by", "pairs", "recall_explained", "list_explained")


@pytest.mark.parametrize("side", SIDES)
def test_each_side_agrees_with_the_oracle_over_all_cases(full, side):
    assert list(getattr(full, side)()) == []


@pytest.mark.parametrize("house", HOUSES[:2])
def test_what_is_looked_up_about_a_memory_is_what_is_known_of_it(full, house):
    full.furnish(house)
    actor, now = full.actor(Caller("admin", "alice", None), house), timezone.now()
    rows = {row.pk: row for row in Memory.objects.select_related("contact")}
    for key, kept in zip(full.keys, KEPTS, strict=True):
        known = full.facts(house, kept, companions(kept), now=now)
        found = facts_of(actor, rows[key])
        assert timeless(found) == timeless(known)
        # Others matter only while both are active.
        others = [one for one in known.newer if "active" == kept.state == one.state]
        assert Counter(map(timeless, found.newer)) == Counter(map(timeless, others))


def timeless(facts):
    to_come = facts.expires_at and facts.expires_at > timezone.now()
    return replace(facts, newer=(), expires_at=to_come)


# --- in words ---


def test_what_the_list_says_hides_a_memory_is_what_the_explanation_says(full):
    """Asked by whoever it is under the roots of, through its own agent, with an open gate."""
    now = timezone.now()
    for number, house in enumerate(HOUSES):
        full.furnish(house)
        for kept, word in zip(KEPTS, hidden(number), strict=True):
            if kept.contact and kept.user != owner_of(kept.contact):
                continue  # under nobody's roots
            actor = full.actor(Caller("user", kept.user, None, kept.agent), house)
            facts = full.facts(house, kept, companions(kept), now=now)
            verdict = visibility.explain(facts, actor, at=now, gate=True)
            assert NAMED.get(verdict.clause) == word
            assert set(NAMED.values()) == set(visibility.Hidden)


BOBS, ADAS = Kept("user", "bob", "ada"), Kept("agent", "bob", "ada")
ANAS = Kept("user", "bob", "ada", "ana")
BOB, BETH = Caller("user", "bob", None, "ada"), Caller("user", "beth", None, "ada")
ALICE = Caller("admin", "alice", None, "ada")
SEEN_BECAUSE = [
    ("ff", BOB, BOBS, Clause.USER),
    ("tt", BOB, BOBS, Clause.USER_AND_AGENT),
    ("ff", BETH, ADAS, Clause.AGENT),
    ("tt", BOB, ADAS, Clause.AGENT_AND_USER),
    ("ff", replace(BOB, own="walter"), ADAS, Clause.NOT_REGISTERED),
    ("ff", replace(BOB, contact="ana"), BOBS, Clause.OTHER_CONTACT),
    ("ff", replace(BOB, contact=NEVER_WROTE), BOBS, Clause.OTHER_CONTACT),
    ("ff", replace(BOB, contact="ben"), ANAS, Clause.OTHER_CONTACT),
    ("ff", BETH, replace(ADAS, contact="ana"), Clause.OTHERS_CONTACT),
    ("ff", BETH, BOBS, Clause.OTHER_USER),
    ("ff", ALICE, BOBS, Clause.OTHER_USER),  # a role never widens recall
    ("tt", BETH, ADAS, Clause.OTHER_USER),
    ("tt", replace(BOB, agent="max"), BOBS, Clause.OTHER_AGENT),
    ("ff", replace(BOB, agent="max"), ADAS, Clause.OTHER_AGENT),
    ("tf", replace(BOB, agent=NOVA), BOBS, Clause.OTHER_AGENT),
    ("ff", BOB, replace(BOBS, state="quarantined"), Clause.QUARANTINED),
    ("ff", BOB, replace(BOBS, state="superseded"), Clause.SUPERSEDED),
    ("ff", BOB, replace(BOBS, state="deleted", expires=-1.0), Clause.DELETED),
    ("ff", BOB, replace(BOBS, expires=-1.0), Clause.EXPIRED),
    ("ff", BOB, replace(BOBS, expires=0.0), Clause.EXPIRED),  # at that very moment
    ("ff", replace(BOB, agent="max"), BOBS, Clause.OWN_GATE),
    ("ff", BOB, replace(BOBS, agent="max"), Clause.ROW_GATE),
    ("ff", BOB, ANAS, Clause.NO_CONSENT),
    ("ff", BOB, replace(BOBS, topic=("facts", "x")), Clause.OVERTAKEN),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "caller", "kept", "clause"), SEEN_BECAUSE)
def test_the_explanation_names_the_clause(world, policy, caller, kept, clause):
    house, now = House(policy, frozenset({"ada"})), timezone.now()
    newer = replace(kept, changed=(1, 1))
    facts = world.facts(house, kept, (newer,), now=now)
    actor = world.actor(caller, house)
    verdict = visibility.explain(facts, actor, at=now, gate=caller.agent == "ada")
    assert verdict.clause == clause
    assert verdict.visible is (clause in SEEING)
    listed = visibility.explain_listed(facts, actor)
    if caller is ALICE:
        assert listed == visibility.Verdict(visible=True, clause=Clause.ADMIN)
    else:
        assert listed.visible is (clause not in OF_ROOTS)


SEEING = {Clause.USER, Clause.USER_AND_AGENT, Clause.AGENT, Clause.AGENT_AND_USER}


def test_every_clause_is_named_by_a_test():
    assert {clause for *_, clause in SEEN_BECAUSE} | {Clause.ADMIN} == set(Clause)


# --- without any clause ---

FILTERS = (
    visibility.visible_to,
    visibility.roots_of,
    visibility.consented,
    visibility.contact_consents,
    visibility.overtaken,
    visibility._of_agent,
    visibility._of_contact,
    visibility._gate_open,
    visibility._same_owner,
)
EXPLAINED = (
    visibility.explain,
    visibility._explain_roots,
    visibility._in_user_scope,
    visibility._in_agent_scope,
    visibility._withheld,
    visibility._expired,
    visibility._in_its_place,
)
SIDE_OF = {
    **{function.__name__: "recall_filter" for function in FILTERS},
    **dict.fromkeys(("NOT_EXPIRED", "_LATER", "_SAME_CONTACT"), "recall_filter"),
    "listed_for": "list_filter",
    "hidden_by": "hidden_by",
    "pairs_see": "pairs",
    **{function.__name__: "recall_explained" for function in EXPLAINED},
    "explain_listed": "list_explained",
}


# Mutants that no test can tell from the original, and why.
NO_DIFFERENCE = {
    "contact_consents": {
        "no purpose in: Consent.objects.filter(": "there is one purpose, and a constraint says so",
    },
    "overtaken": {
        "only the right of: Q(topic_key__isnull=False) & Q(Exists(newer))": "null equals nothing",
        "no topic_key__isnull in: Q(topic_key__isnull=False)": "null equals nothing",
    },
    "_of_agent": {
        "always True in: Q(agent=actor.agent.id) if": "no memory is without an agent",
    },
    "_gate_open": {"never: if actor.agent.id is None:": "no agent is without a key"},
}


def mutants_of(name):
    value = getattr(visibility, name)
    if callable(value):
        return mutants.mutants(value)
    return mutants.mutants_of_constant(visibility, name)


def differs(side):
    """Whether a side differs from the oracle in any case; one that breaks does."""
    try:
        with transaction.atomic():
            return next(side(), None) is not None
    except (AttributeError, TypeError, ValueError, DatabaseError):
        return True


@pytest.mark.parametrize("name", SIDE_OF)
def test_without_any_clause_the_comparison_fails(full, monkeypatch, name):
    same = NO_DIFFERENCE.get(name, {})
    made = mutants_of(name)
    assert made
    known = {what for what in made if what.startswith((*same,))} if same else set()
    assert len(known) == len(same)
    survivors = []
    for what in made.keys() - known:
        monkeypatch.setattr(visibility, name, made[what])
        if not differs(getattr(full, SIDE_OF[name])):
            survivors.append(what)
    assert survivors == []
