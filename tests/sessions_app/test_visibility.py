"""Two implementations of who sees a session, and the oracle, on every path and at random.

The world: Alice is admin; Bob and Beth are users; root acts for one of them; Walter is named by a
gateway and not registered yet. Contacts belong to Alice, Bob and Beth (oracle.OWNERS).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import tenancy
from accounts.actor import Actor, AgentRef, ContactRef, Principal, Role, Scope
from accounts.errors import NotFound
from accounts.namespace import Policy
from accounts.principals.models import Agent, User
from sessions_app import access, selectors, visibility
from sessions_app.models import Participant, Session
from sessions_app.selectors import SessionFilter
from sessions_app.services import MessageInput, message_append
from sessions_app.visibility import SessionFacts
from tests.accounts.kit import make_contact
from tests.mutants import mutants
from tests.oracle import NEVER_WROTE, OWNERS, UNREGISTERED, Caller, Talk, sees

USERS = ("alice", "bob", "beth", "default")
AGENTS = ("ada", "max")
POLICIES = ("account", "participants")

users = st.sampled_from(USERS)
contacts = st.none() | st.sampled_from((*OWNERS, NEVER_WROTE))
callers = st.one_of(
    st.builds(Caller, st.just("admin"), st.just("alice"), st.none() | users, contact=contacts),
    st.builds(Caller, st.just("user"), users | st.just("walter"), st.none(), contact=contacts),
    users.map(lambda name: Caller("user", name, name)),
    st.builds(Caller, st.just("root"), st.none(), users, contact=contacts),
)
spoke = st.frozensets(users), st.frozensets(st.sampled_from(AGENTS))
talks = st.one_of(
    st.builds(Talk, users, *spoke),
    # With a contact, a session's owner is always the contact's owner.
    *(st.builds(Talk, st.just(OWNERS[name]), *spoke, st.just(name)) for name in OWNERS),
)


class World:
    """An account with those users and agents; its sessions come and go."""

    def __init__(self, ref: tenancy.AccountRef) -> None:
        self.ref = ref
        self.agents = {name: Agent.objects.create(agent_id=name).pk for name in AGENTS}
        self.agents["default"] = Agent.objects.get(agent_id="default").pk
        self.users = {row.user_id: row.pk for row in User.objects.filter(user_id__in=USERS)}
        self.users |= {name: uuid4() for name in UNREGISTERED}
        self.contacts = {
            name: make_contact(ref, "telegram", name, owner=owner) for name, owner in OWNERS.items()
        }

    def actor(self, caller: Caller, policy: str) -> Actor:
        def principal(name: str) -> Principal:
            return Principal(self.users[name], name, registered=name not in UNREGISTERED)

        contact = None
        if caller.contact is not None:
            contact = ContactRef(
                self.contacts.get(caller.contact),
                principal(caller.effective),
                "peer",
                f"peer-{caller.contact}",
            )
        return Actor(
            account=self.ref,
            role=Role(caller.role),
            principal=principal(caller.own) if caller.own else None,
            user=principal(caller.effective),
            contact=contact,
            agent=AgentRef(self.agents[caller.agent], caller.agent),
            policy=Policy(sessions_visible_to=policy),
            scopes=frozenset(Scope),
        )

    def fill(self, talks: list[Talk]) -> None:
        """One session for each talk, named by its place: s0, s1, …; each with one message."""
        for number, talk in enumerate(talks):
            maker = self.actor(Caller("user", talk.creator, None, contact=talk.contact), "account")
            session_id = f"s{number}"
            message_append(
                actor=maker,
                session_id=session_id,
                message=MessageInput(role="system", content=f"apricots {session_id}"),
            )
            session = Session.objects.get(session_id=session_id)
            rows = [{"user_id": self.users[name]} for name in talk.users]
            rows += [{"agent_id": self.agents[name]} for name in talk.agents]
            Participant.objects.bulk_create(
                Participant(
                    session=session, first_seq=1, last_seq=1, last_at=session.started_at, **row
                )
                for row in rows
            )

    def facts(self, talk: Talk) -> SessionFacts:
        taking_part = frozenset(self.users[name] for name in talk.users)
        return SessionFacts(
            owner=self.users[talk.creator],
            participants=taking_part,
            contact=talk.contact and self.contacts[talk.contact],
        )


@pytest.fixture
def world(cast):
    with tenancy.account(cast.north):
        yield World(cast.north)


def found(read: Any, actor: Actor, session_id: str) -> bool:
    try:
        read(actor=actor, session_id=session_id)
    except NotFound:
        return False
    return True


def append(*, actor: Actor, session_id: str) -> None:
    with transaction.atomic():
        message_append(
            actor=actor,
            session_id=session_id,
            message=MessageInput(role="system", content="apricots"),
        )
        transaction.set_rollback(True)


def listed(actor: Actor, **where: str) -> set[str]:
    page = selectors.session_page(actor=actor, where=SessionFilter(**where), limit=200)
    return {row.session_id for row in page.rows}


def seen_by_path(actor: Actor, names: list[str]) -> dict[str, set[str]]:
    """Which of the sessions each path shows."""

    def one_by_one(read: Any) -> set[str]:
        return {name for name in names if found(read, actor, name)}

    return {
        "list": listed(actor),
        "search": listed(actor, q="apricots"),
        "detail": one_by_one(selectors.session_detail),
        "messages": one_by_one(
            lambda **at: selectors.message_page(**at, limit=10),
        ),
        "message": one_by_one(lambda **at: selectors.message_of(**at, seq=1)),
        "context": one_by_one(lambda **at: selectors.session_context(**at, token_budget=100)),
        "append": one_by_one(append),
    }


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    policy=st.sampled_from(POLICIES),
    caller=callers,
    agent=st.sampled_from(("default", *AGENTS)),
    talks=st.lists(talks, min_size=1, max_size=4),
)
def test_filter_explanation_and_oracle_agree_on_every_path(world, policy, caller, agent, talks):
    caller = replace(caller, agent=agent)
    expected = {f"s{number}" for number, talk in enumerate(talks) if sees(policy, caller, talk)}
    with transaction.atomic():
        world.fill(talks)
        actor = world.actor(caller, policy)
        explained = {
            f"s{number}"
            for number, talk in enumerate(talks)
            if visibility.explain(world.facts(talk), actor).visible
        }
        assert explained == expected
        names = [f"s{number}" for number in range(len(talks))]
        for path, seen in seen_by_path(actor, names).items():
            if path == "append" and caller.effective in UNREGISTERED:
                continue  # a first write registers its user: then it is another caller
            assert seen == expected, path
        for where in ({}, {"q": "apricots"}):
            count = selectors.session_count(actor=actor, where=SessionFilter(**where))
            assert (count.total, count.live) == (len(expected), len(expected))
        transaction.set_rollback(True)


def everything() -> tuple[list[Caller], list[Talk]]:
    """Every kind of caller, and every session of three users and of the contacts."""
    names = ("alice", "bob", "beth")
    alone = [
        *(Caller("admin", "alice", name) for name in (None, *names)),
        *(Caller("user", name, None) for name in names),
        *(Caller("root", None, name) for name in names),
        Caller("user", "walter", None),
    ]
    callers = [
        replace(caller, contact=contact)
        for caller, contact in product(alone, (None, *OWNERS, NEVER_WROTE))
    ]
    talks = [
        Talk(creator, frozenset(taking_part), frozenset(AGENTS[:1]))
        for creator in names
        for size in range(3)
        for taking_part in combinations(names, size)
    ]
    talks += [
        Talk(owner, frozenset(taking_part), frozenset(AGENTS[:1]), contact)
        for contact, owner in OWNERS.items()
        for size in range(2)
        for taking_part in combinations(names, size)
    ]
    return callers, talks


def explained(world: World, actor: Actor, talk: Talk) -> bool | None:
    """Whether `explain` says that it is visible; None when it cannot say."""
    try:
        return visibility.explain(world.facts(talk), actor).visible
    except AttributeError:  # a mutant asks no contact for its id
        return None


def disagreements(world: World) -> set[str]:
    """Which of the two implementations differs from the oracle, over all cases."""
    callers, talks = everything()
    wrong = set()
    for policy, caller in product(POLICIES, callers):
        actor = world.actor(caller, policy)
        expected = {f"s{n}" for n, talk in enumerate(talks) if sees(policy, caller, talk)}
        try:
            if listed(actor) != expected:
                wrong.add("visible_to")
        except AttributeError:
            wrong.add("visible_to")
        for talk in talks:
            if explained(world, actor, talk) != sees(policy, caller, talk):
                wrong.add("explain")
    return wrong


FUNCTIONS = (visibility.visible_to, visibility.explain)
PARTS = {visibility._as_user: "explain"}  # in which the decision is finished


@pytest.fixture
def full(world):
    """The world with every session."""
    world.fill(everything()[1])
    return world


def test_both_agree_with_the_oracle_over_all_cases(full):
    assert disagreements(full) == set()


@pytest.mark.parametrize(
    ("function", "mutant"),
    [
        pytest.param(function, mutant, id=f"{function.__name__} {name}")
        for function in (*FUNCTIONS, *PARTS)
        for name, mutant in mutants(function).items()
    ],
)
def test_without_any_clause_the_comparison_fails(full, monkeypatch, function, mutant):
    monkeypatch.setattr(visibility, function.__name__, mutant)
    monkeypatch.setattr(access, "visible_to", visibility.visible_to)
    assert disagreements(full) == {PARTS.get(function, function.__name__)}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_without_any_rule_at_all_the_comparison_fails(full, monkeypatch, function):
    open_door = {
        "visible_to": lambda _actor: visibility.Q(),
        "explain": lambda _session, _actor: visibility.Verdict(True, visibility.Clause.CREATOR),
    }[function.__name__]
    monkeypatch.setattr(visibility, function.__name__, open_door)
    monkeypatch.setattr(access, "visible_to", visibility.visible_to)
    assert disagreements(full) == {function.__name__}


def test_every_clause_has_a_mutant():
    """Clauses in words: not registered, contact, policy, admin as itself, creator, participant."""
    made = {function.__name__: len(mutants(function)) for function in (*FUNCTIONS, *PARTS)}
    assert made == {
        # four `if`, both sides of the `|`, `|=`, `&=`, both branches of a choice; what four Q ask
        # for, and the two things that the filter does
        "visible_to": 16,
        "explain": 7,  # three `if`, both sides of the `and` and of the `or` in it
        "_as_user": 5,  # three `if`, both sides of the `and`
    }


def test_explain_names_the_clause(world):
    clause = visibility.Clause
    bobs = world.facts(Talk("bob", frozenset({"beth"})))
    for caller, policy, expected in (
        (Caller("user", "default", None), "account", clause.POLICY_ACCOUNT),
        (Caller("admin", "alice", None), "participants", clause.ADMIN),
        (Caller("user", "bob", None), "participants", clause.CREATOR),
        (Caller("user", "beth", None), "participants", clause.PARTICIPANT),
        (Caller("root", None, "beth"), "participants", clause.PARTICIPANT),
        (Caller("admin", "alice", "bob"), "participants", clause.CREATOR),
        (Caller("admin", "alice", "default"), "participants", clause.NOT_A_PARTICIPANT),
        (Caller("user", "walter", None), "account", clause.NOT_REGISTERED),
        (Caller("user", "bob", None, contact="ana"), "account", clause.OTHER_CONTACT),
        (Caller("user", "bob", None, contact=NEVER_WROTE), "account", clause.OTHER_CONTACT),
        (Caller("admin", "alice", None, contact="alba"), "account", clause.OTHER_CONTACT),
    ):
        assert visibility.explain(bobs, world.actor(caller, policy)).clause == expected


def test_explain_names_the_clause_of_a_session_with_a_contact(world):
    clause = visibility.Clause
    with_ana = world.facts(Talk("bob", frozenset({"beth"}), contact="ana"))
    for caller, expected in (
        (Caller("user", "bob", None), clause.CREATOR),
        (Caller("user", "beth", None), clause.PARTICIPANT),
        (Caller("user", "default", None), clause.NOT_A_PARTICIPANT),
        (Caller("admin", "alice", None), clause.ADMIN),
        (Caller("admin", "alice", None, contact="ana"), clause.CREATOR),
        (Caller("admin", "alice", None, contact="ben"), clause.OTHER_CONTACT),
        (Caller("root", None, "bob", contact="cleo"), clause.OTHER_CONTACT),
    ):
        for policy in POLICIES:
            assert visibility.explain(with_ana, world.actor(caller, policy)).clause == expected


@pytest.mark.parametrize("policy", POLICIES)
def test_over_http_with_real_keys(api, cast, set_policy, policy):
    """The same world as a client sees it: the policy row, keys and headers decide."""
    set_policy(sessions_visible_to=policy)
    assert api.say(cast.bob.headers, "s0").status == 200
    talk = Talk("bob", frozenset({"bob"}))
    people = (
        (Caller("admin", "alice", None), cast.alice.headers),
        (Caller("admin", "alice", "bob"), cast.alice_as("bob")),
        (Caller("admin", "alice", "beth"), cast.alice_as("beth")),
        (Caller("user", "bob", None), cast.bob.headers),
        (Caller("user", "beth", None), cast.beth.headers),
        (Caller("root", None, "bob"), cast.root_as("bob")),
        (Caller("root", None, "beth"), cast.root_as("beth")),
    )
    for caller, headers in people:
        seen = sees(policy, caller, talk)
        for path in ("/sessions/s0", "/sessions/s0/messages", "/sessions/s0/context"):
            assert api.get(path, headers).status == (200 if seen else 404), (caller, path)
        for query in ({}, {"q": "hello"}):
            assert bool(api.get("/sessions", headers, **query).result) is seen, caller
    for caller, headers in people:  # appending as a user makes one a participant, so it comes last
        body = {"role": "system", "content": "Noted"}
        answer = api.post("/sessions/s0/messages", headers, body)
        assert answer.status == (200 if sees(policy, caller, talk) else 404), caller


def test_the_dashboard_shows_the_same(api, cast, set_policy, sign_in):
    api.say(cast.bob.headers, "s0", "Apricots")
    set_policy(sessions_visible_to="participants")
    for name, seen in (("alice", True), ("bob", True), ("beth", False)):
        browser = sign_in(name)
        status = 200 if seen else 404
        assert browser.get("/a/north/sessions/s0").status_code == status
        assert browser.get("/a/north/sessions/s0/messages/1").status_code == status
        for path in ("/a/north/sessions", "/a/north/sessions?q=apricots"):
            assert (b"/a/north/sessions/s0" in browser.get(path).content) is seen


def test_hidden_sessions_leave_no_trace(api, cast, set_policy):
    """Two accounts that differ only in what Beth may not see answer her alike."""
    set_policy(sessions_visible_to="participants")
    api.say(cast.beth.headers, "mine", "Apricots", created_at="2026-01-01T00:00:00Z")

    def answers():
        paths = (
            *("/sessions", "/sessions?q=apricots", "/sessions?limit=1", "/sessions?user=bob"),
            *("/sessions/mine", "/sessions/mine/context", "/sessions/hidden"),
        )
        found = [api.raw("GET", path, cast.beth.headers).body for path in paths]
        return [{**body, "request_id": None} for body in found]

    before = answers()
    api.say(cast.bob.headers, "hidden", "Apricots and more apricots")
    api.post("/sessions", cast.bob.headers, {"session_id": "h2", "parent_session_id": "mine"})
    assert answers() == before
