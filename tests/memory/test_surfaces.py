"""Every surface about memories shows and changes what the oracle says, and tells no more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from accounts import tenancy
from memory.models import Extraction
from tests.accounts.kit import operations
from tests.memory.control_surfaces import RUNS
from tests.memory.oracle import House, Kept
from tests.memory.surfaces import AGREED, EXPECTATIONS, KEPTS, Visit, askers
from tests.memory.world import NOVA, POLICIES, World, flags


def test_every_route_about_memories_has_an_expectation():
    about = ("/memories", "/users/", "/uris")
    routes = {
        f"{method} {path}"
        for writing in (False, True)
        for method, path in operations(writing=writing)
        if path.startswith(about)
    }
    assert set(EXPECTATIONS) == routes


@pytest.fixture
def kept(cast, settings):
    """Two halves of a world: the people, and their memories' keys."""
    settings.RATE_LIMIT = 0
    with tenancy.account(cast.north):
        world = World(cast.north)
        world.furnish(House(said=AGREED))
        keys = world.fill(KEPTS)
        for run in RUNS:
            Extraction.objects.create(
                user_id=world.users[run.user],
                agent_id=world.agents[run.agent],
                contact_id=run.contact and world.contacts[run.contact],
                first_seq=1,
                last_seq=2,
            )
    return world, keys


@pytest.mark.parametrize("policy", POLICIES)
def test_every_surface_agrees_with_the_oracle(api, cast, set_policy, kept, policy):
    world, keys = kept
    set_policy(**flags(policy))
    house, wrong = House(policy, said=AGREED), []
    for caller, headers, bound in list(askers(api, cast, world.contacts)):
        visit = Visit(api, house, caller, headers, bound, keys, world.contacts, wrong)
        for route, expectation in EXPECTATIONS.items():
            if caller.agent == NOVA and not route.startswith("GET"):
                continue  # its first write registers it: then it is another caller
            expectation(visit)
    assert not wrong, f"{len(wrong)} of them:\n" + "\n".join(wrong[:40])


HIDDEN = {  # from Beth, through Ada
    "ff": [Kept("user", "bob", "ada"), Kept("agent", "bob", "max")],
    "ft": [Kept("user", "bob", "ada"), Kept("agent", "bob", "ada"), Kept("agent", "beth", "max")],
    "tf": [Kept("user", "bob", "ada"), Kept("agent", "bob", "max")],
    "tt": [Kept("user", "bob", "ada"), Kept("agent", "bob", "ada"), Kept("agent", "beth", "max")],
}
EVERYWHERE = [  # of the contacts of others, whatever the policy
    Kept("agent", "bob", "ada", "ana"),
    Kept("agent", "bob", "ada", "ben"),
    Kept("user", "alice", "ada", "alba"),
]
OWN_BY_MAX = [Kept("user", "beth", "max")]  # hidden by t; but the control API is for all her agents
SEEN = [
    Kept("user", "beth", "ada"),
    Kept("agent", "beth", "ada"),
    Kept("agent", "beth", "ada", "cleo"),
]


@pytest.mark.parametrize(
    ("policy", "state"), [*((policy, "active") for policy in POLICIES), ("tt", "quarantined")]
)
def test_hidden_memories_leave_no_trace(api, cast, set_policy, settings, policy, state):
    """Two accounts that differ only in what Beth may not see answer her alike in every value."""
    settings.RATE_LIMIT = 0
    set_policy(**flags(policy))
    with tenancy.account(cast.north):
        world = World(cast.north)
        world.furnish(House(said=AGREED))
        seen = world.fill([replace(one, topic=("facts", f"t{n}")) for n, one in enumerate(SEEN)])
    for strangers, control in (
        ([*HIDDEN[policy], *EVERYWHERE], True),
        (OWN_BY_MAX if policy[0] == "t" else [], False),
    ):
        # As like to what she sees as may be: newer, of the same topics.
        same = [
            replace(one, topic=("facts", f"t{n % len(SEEN)}"), changed=(n + 1, 0), state=state)
            for n, one in enumerate(strangers)
        ]
        first = next(world.numbers) + 1
        hidden = [world.key(first + n) for n in range(len(same))]
        before = answers(api, cast, seen, hidden, world.contacts, control=control)
        with tenancy.account(cast.north):
            assert world.fill(same) == hidden
        assert answers(api, cast, seen, hidden, world.contacts, control=control) == before
        all_of_them = api.get("/memories", cast.alice.headers, state="any", limit=200).result
        assert {str(key) for key in hidden} < {row["id"] for row in all_of_them}


def answers(api, cast, seen, hidden, contacts, *, control):
    """What she is told of lists, counts, searches, and ids that she guesses."""
    queries = [
        *("", "?q=apricots", "?state=any", "?user=bob", "?agent=max", "?topic_key=t0", "?limit=2"),
        *(f"?contact={key}" for key in contacts.values()),
        *("?uri=viking://user/bob", "?uri=viking://agent/max", "?uri=viking://", "?state=expired"),
        *("?as_of=2199-01-01T00:00:00Z", "?as_of=2000-01-01T00:00:00Z"),
    ]
    lists = ("/memories", "/memories/facets")
    asked = [("GET", f"{path}{query}", None) for path in lists for query in queries]
    for key in (*seen, *hidden):
        reads = ("", "/history", "/evidence", "/why")
        asked += [("GET", f"/memories/{key}{rest}", None) for rest in reads]
    for key in hidden:
        asked += [("PATCH", f"/memories/{key}", {}), ("DELETE", f"/memories/{key}", None)]
        asked += [("POST", f"/memories/{key}/{what}", {}) for what in ("restore", "quarantine")]
        asked.append(("POST", "/memories", {"content": "Figs.", "supersedes": [str(key)]}))
    if control:
        asked += [("GET", f"/users/{name}/memory", None) for name in ("beth", "bob")]
        asked += [("GET", f"/users/beth/memory/topics/t{n}", None) for n in range(3)]
        asked += [("GET", f"/users/beth/agents/max/memory{on}", None) for on in ("", "/topics/t0")]
    found = []
    for person in (cast.beth.headers, cast.alice_as("beth")):
        headers = {**person, "X-Bailiwick-Agent": "ada"}
        for method, path, body in asked:
            if path == "/users/bob/memory" and person != cast.beth.headers:
                continue  # an admin controls anybody, whomever it names
            answer = api(method, path, headers, body)
            found.append((method, path, answer.status, {**answer.body, "request_id": None}))
    return found
