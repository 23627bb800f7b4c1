"""Addresses under the four policies: a table from isolation.md, and what holds for all of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import InvalidUri, PermissionDenied
from accounts.namespace import Policy, memory_uri, owner_of
from accounts.templatetags.bailiwick import uri_segments
from memory.models import KINDS
from memory.uris import MAX_LENGTH, SHORTHAND, Namespace, admits, parse

MEMORY = "0192f4c1-88d2-7b40-a976-3c5e20b99e07"
ALICE = Namespace("alice", "ada")
ADMIN = Namespace("alice", "ada", everything=True)
BAD, NOT_HERS = "malformed", "another's"
ENDS = {"dir", "leaf", "empty", "empty-dir"}

# Alice asks as Ada. Policies; address; canonical address ("=": the same); scope, owner tuple,
# kind, and: dir (a container), leaf (a memory), empty (no memory can lie there), empty-dir (both).
# {m} is a memory's id. Instead of the last columns: malformed, another's.
TABLE = """
ff ft tf tt | viking://                                | =  | - - - - dir
ff ft tf tt | viking:///                               | malformed
ff ft tf tt | viking://user                            | =  | user - - - dir
ff ft tf tt | viking://user/                           | viking://user | user - - - dir
ff ft tf tt | viking://agent                           | =  | agent - - - dir
ff ft tf tt | viking://session                         | =  | session - - - empty-dir
ff ft tf tt | viking://user/alice                      | =  | user alice - - dir
ff ft tf tt | viking://user/alice/                     | viking://user/alice | user alice - - dir
ff ft tf tt | viking://user/ALICE                      | viking://user/alice | user alice - - dir
ff ft tf tt | viking://user/bob                        | another's
ff ft tf tt | viking://user/nobody                     | another's
ff ft       | viking://user/bob/memories               | another's
tf tt       | viking://user/bob/memories               | malformed
ff ft       | viking://user/alice/memories             | =  | user alice - - dir
tf tt       | viking://user/alice/memories             | malformed
ff ft       | viking://user/alice/memories/facts       | =  | user alice - facts dir
ff ft       | viking://user/alice/memories/facts/{m}   | =  | user alice - facts leaf
ff ft       | viking://user/alice/memories/facts/{m}/  | viking://user/alice/memories/facts/{m} | user alice - facts leaf
ff ft       | viking://user/alice/memories/facts/{m}/a | =  | user alice - - empty
ff ft       | viking://user/alice/memories/facts/a.md  | =  | user alice - - empty
ff ft       | viking://user/alice/memories/opinions    | =  | user alice - - empty
ff ft       | viking://user/alice/memories/opinions/{m} | = | user alice - - empty
ff ft       | viking://user/alice/memories/Facts       | =  | user alice - - empty
ff ft       | viking://user/alice/memories/cases       | =  | user alice - cases dir
ff ft       | viking://user/alice/notes                | =  | user alice - - empty
ff ft       | viking://user/alice/skills               | =  | user alice - - empty
ff ft       | viking://user/alice/agent                | =  | user alice - - empty
ff ft       | viking://user/alice/agent/ada            | =  | user alice - - empty
ff ft       | viking://user/alice/agent/max            | =  | user alice - - empty
tf tt       | viking://user/alice/agent                | malformed
tf tt       | viking://user/alice/agents/ada           | malformed
tf tt       | viking://user/alice/agent/a.b            | malformed
tf tt       | viking://user/alice/agent/ada            | =  | user alice ada - dir
tf tt       | viking://user/Alice/agent/Ada            | viking://user/alice/agent/ada | user alice ada - dir
tf tt       | viking://user/alice/agent/max            | another's
tf tt       | viking://user/bob/agent/ada              | another's
tf tt       | viking://user/alice/agent/ada/memories   | =  | user alice ada - dir
tf tt       | viking://user/alice/agent/ada/memories/events/{m} | = | user alice ada events leaf
tf tt       | viking://user/alice/agent/ada/user/alice | =  | user alice ada - empty
ff ft       | viking://user/memories                   | viking://user/alice/memories | user alice - - dir
tf tt       | viking://user/memories                   | viking://user/alice/agent/ada/memories | user alice ada - dir
ff ft       | viking://user/memories/tasks/{m}         | viking://user/alice/memories/tasks/{m} | user alice - tasks leaf
tf tt       | viking://user/memories/tasks/{m}         | viking://user/alice/agent/ada/memories/tasks/{m} | user alice ada tasks leaf
ff ft       | viking://user/profile.md                 | viking://user/alice/memories/profile | user alice - profile dir
tf tt       | viking://user/profile.md                 | viking://user/alice/agent/ada/memories/profile | user alice ada profile dir
ff ft       | viking://user/alice/profile.md           | viking://user/alice/memories/profile | user alice - profile dir
ff ft       | viking://user/alice/profile.md/a         | =  | user alice - - empty
ff ft       | viking://user/.abstract.md               | viking://user/alice/.abstract.md | user alice - - empty
tf tt       | viking://user/.overview.md               | viking://user/alice/agent/ada/.overview.md | user alice ada - empty
ff ft tf tt | viking://user/skills                     | another's
ff ft tf tt | viking://user/.hidden                    | malformed
ff ft tf tt | viking://agent/ada                       | =  | agent - ada - dir
ff ft tf tt | viking://agent/Ada                       | viking://agent/ada | agent - ada - dir
ff ft tf tt | viking://agent/max                       | another's
ff tf       | viking://agent/ada/memories/cases/{m}    | =  | agent - ada cases leaf
ft tt       | viking://agent/ada/memories/cases/{m}    | malformed
ft tt       | viking://agent/max/memories              | malformed
ft tt       | viking://agent/ada/user                  | malformed
ff tf       | viking://agent/ada/user/bob              | =  | agent - ada - empty
ft tt       | viking://agent/ada/user/bob              | another's
ft tt       | viking://agent/max/user/alice            | another's
ft tt       | viking://agent/ada/user/alice            | =  | agent alice ada - dir
ft tt       | viking://agent/ada/agent/ada             | malformed
ft tt       | viking://agent/ada/user/alice/memories/tools/{m} | = | agent alice ada tools leaf
ff tf       | viking://agent/memories                  | viking://agent/ada/memories | agent - ada - dir
ft tt       | viking://agent/memories                  | viking://agent/ada/user/alice/memories | agent alice ada - dir
ff tf       | viking://agent/skills                    | viking://agent/ada/memories/skills | agent - ada skills dir
ft tt       | viking://agent/skills/{m}                | viking://agent/ada/user/alice/memories/skills/{m} | agent alice ada skills leaf
ff tf       | viking://agent/ada/skills/sums           | viking://agent/ada/memories/skills/sums | agent - ada - empty
ff tf       | viking://agent/instructions              | viking://agent/ada/instructions | agent - ada - empty
ft tt       | viking://agent/workspaces/a/b            | viking://agent/ada/user/alice/workspaces/a/b | agent alice ada - empty
ff tf       | viking://agent/.abstract.md              | viking://agent/ada/.abstract.md | agent - ada - empty
ff tf       | viking://agent/.overview.md              | viking://agent/ada/.overview.md | agent - ada - empty
ff tf       | viking://agent/ada/profile.md            | =  | agent - ada - empty
ff ft tf tt | viking://agent/profile.md                | malformed
ff ft tf tt | viking://session/porto                   | =  | session - - - empty-dir
ff ft tf tt | viking://session/porto/history           | =  | session - - - empty-dir
ff ft tf tt | viking://session/porto/history/archive_001 | = | session - - - empty
ff ft tf tt | viking://session/a.b                     | malformed
ff ft tf tt | viking://resources                       | =  | resources - - - empty-dir
ff ft tf tt | viking://resources/a.pdf                 | =  | resources - - - empty
ff ft tf tt | viking://temp/a/b                        | =  | temp - - - empty
ff ft tf tt | viking://queue/                          | viking://queue | queue - - - empty-dir
ff ft tf tt | viking://users/alice                     | malformed
ff ft tf tt | viking://User/alice                      | malformed
ff ft tf tt | Viking://user/alice                      | malformed
ff ft tf tt | viking:/user/alice                       | malformed
ff ft tf tt | https://user/alice                       | malformed
ff ft tf tt | user/alice                               | malformed
ff ft tf tt | viking://user//alice                     | malformed
ff ft tf tt | viking://user/alice//                    | malformed
ff ft tf tt | viking://user/./alice                    | malformed
ff ft tf tt | viking://resources/./a                   | malformed
ff ft tf tt | viking://resources/../user               | malformed
ff ft tf tt | viking://resources/a b                   | malformed
ff ft tf tt | viking://resources/a?b                   | malformed
ff ft tf tt | viking://resources/a#b                   | malformed
ff ft tf tt | viking://resources/%61                   | malformed
"""  # noqa: E501

CASES = [
    (code, address.strip(), *(part.strip() for part in expected))
    for codes, address, *expected in (line.split("|") for line in TABLE.split("\n") if line)
    for code in codes.split()
]

ids = st.one_of(
    st.sampled_from(["alice", "Bob", "ada", "Max", "default", "user", "agent"]),
    st.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True),
).filter(lambda text: text not in SHORTHAND["user"] + SHORTHAND["agent"])
policies = st.builds(Policy, st.booleans(), st.booleans())
callers = st.builds(Namespace, ids, ids, st.booleans())


@dataclass(frozen=True)
class Kept:
    scope: str
    user_id: str
    agent_id: str
    kind: str
    id: UUID


few = st.sampled_from(["alice", "ALICE", "al", "ada", "adam"])  # so that many are alike
scopes = st.sampled_from(["user", "agent"])
kept = st.builds(Kept, scopes, few, few, st.sampled_from(["facts", "skills"]), st.uuids())


def under(code: str) -> Policy:
    return Policy(
        isolate_user_scope_by_agent=code[0] == "t", isolate_agent_scope_by_user=code[1] == "t"
    )


def address_of(policy: Policy, row: Kept) -> str:
    return memory_uri(policy, **asdict(row))


def told(address) -> str:
    """Write an address as the table's columns do."""
    ending = "empty" if address.empty else "leaf"
    if address.is_container:
        ending = "empty-dir" if address.empty else "dir"
    owner = [address.owner_user_id, address.owner_agent_id]
    return " ".join([*(text or "-" for text in (address.scope, *owner, address.kind)), ending])


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[1]}")
def test_alice_as_ada_asks(case):
    code, address, *expected = (text.replace("{m}", MEMORY) for text in case)
    if expected in ([BAD], [NOT_HERS]):
        with pytest.raises(InvalidUri if expected == [BAD] else PermissionDenied):
            parse(address, under(code), ALICE)
        return
    canonical, columns = expected
    found = parse(address, under(code), ALICE)
    assert found.uri == (address if canonical == "=" else canonical)
    assert told(found) == columns
    assert found.memory_id == (UUID(MEMORY) if columns.endswith(" leaf") else None)
    assert (found.user_id, found.agent_id) == (found.owner_user_id, found.owner_agent_id)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case[2] != BAD], ids=lambda case: f"{case[0]} {case[1]}"
)
def test_an_admin_as_itself_may_name_any_namespace_and_reads_the_rest_alike(case):
    code, address, *expected = (text.replace("{m}", MEMORY) for text in case)
    found = parse(address, under(code), ADMIN)
    if expected != [NOT_HERS]:
        assert found == parse(address, under(code), ALICE)
    else:
        assert found.uri == address


@pytest.mark.parametrize(
    ("code", "address", "columns"),
    [
        ("ff", "viking://user/Bob/memories", "user Bob - - dir"),
        ("tf", "viking://user/bob", "user bob - - dir"),
        ("tf", "viking://user/bob/agent/max/memories/facts", "user bob max facts dir"),
        ("ff", "viking://agent/max/skills", "agent - max skills dir"),
        ("ft", "viking://agent/max", "agent - max - dir"),
        ("ft", "viking://agent/max/user/bob", "agent bob max - dir"),
    ],
)
def test_only_an_admin_as_itself_names_another_namespace(code, address, columns):
    assert told(parse(address, under(code), ADMIN)) == columns
    with pytest.raises(PermissionDenied):
        parse(address, under(code), ALICE)


def test_no_policy_lets_an_admin_leave_out_what_splits():
    assert parse("viking://user/bob/memories", under("ff"), ADMIN).owner_user_id == "bob"
    with pytest.raises(InvalidUri):
        parse("viking://user/bob/memories", under("tf"), ADMIN)


def test_a_refusal_says_nothing_about_the_namespace_that_was_named():
    refusals = []
    for user in ("bob", "nobody-of-that-name"):
        with pytest.raises(PermissionDenied) as refused:
            parse(f"viking://user/{user}", under("ff"), ALICE)
        refusals.append((refused.value.message, refused.value.details))
    assert refusals[0] == refusals[1]


def test_ids_are_found_in_any_case_and_given_back_as_their_owner_spells_them():
    caller = Namespace("Alice", "ADA")
    found = parse("viking://user/aLICE/agent/ada/memories", under("tf"), caller)
    assert found.uri == "viking://user/Alice/agent/ADA/memories"
    row = Kept("user", "alice", "Ada", "facts", UUID(MEMORY))
    assert admits(found, row)
    assert not admits(found, Kept("user", "alice", "Adam", "facts", UUID(MEMORY)))


@pytest.mark.parametrize("sign", ["\n", "\t", "\0", "\x7f", "\u00a0", "\u202e", "\ud800", "\\"])
def test_a_sign_that_nobody_can_see_or_trust_is_malformed(sign):
    assert parse("viking://resources/aé漢b", under("ff"), ALICE).empty
    with pytest.raises(InvalidUri) as refused:
        parse(f"viking://resources/a{sign}b", under("ff"), ALICE)
    assert refused.value.details == {"field": "uri"}


def test_ids_and_addresses_have_their_lengths():
    assert parse(f"viking://session/{'s' * 128}", under("ff"), ALICE).scope == "session"
    assert parse(f"viking://user/{'u' * 64}", under("ff"), ADMIN).user_id == "u" * 64
    longest = "viking://temp/".ljust(MAX_LENGTH, "a")
    assert parse(longest, under("ff"), ALICE).uri == longest
    shorthand = "viking://agent/workspaces/".ljust(MAX_LENGTH - len("ada/"), "a")
    assert len(parse(shorthand, under("ff"), ALICE).uri) == MAX_LENGTH
    for too_long in (
        f"viking://session/{'s' * 129}",
        f"viking://user/{'u' * 65}",
        longest + "a",
        longest + "/",
        shorthand + "a",  # longer when written in full
    ):
        with pytest.raises(InvalidUri):
            parse(too_long, under("ff"), ADMIN)


@pytest.mark.parametrize(
    "spelling", [MEMORY.replace("-", ""), f"{{{MEMORY}}}", f"urn:uuid:{MEMORY}", "1" * 32]
)
def test_a_memory_has_one_address_only(spelling):
    facts = "viking://user/alice/memories/facts"
    assert parse(f"{facts}/{MEMORY.upper()}", under("ff"), ALICE).uri == f"{facts}/{MEMORY}"
    assert parse(f"{facts}/{spelling}", under("ff"), ALICE).empty


@given(policies, scopes, ids, ids, st.sampled_from(KINDS), st.uuids(), st.booleans())
def test_a_memorys_address_gives_back_the_memory(policy, scope, user, agent, kind, id_, admin):
    row = Kept(scope, user, agent, kind, id_)
    caller = Namespace("somebody", "else", everything=True) if admin else Namespace(user, agent)
    found = parse(address_of(policy, row), policy, caller)
    assert found.uri == address_of(policy, row)
    assert (found.scope, found.kind, found.memory_id) == (scope, kind, id_)
    owner = (found.owner_user_id, found.owner_agent_id)
    assert owner == owner_of(policy, scope=scope, user_id=user, agent_id=agent)
    assert not found.is_container
    assert not found.empty
    assert admits(found, row)


@pytest.mark.parametrize(
    ("code", "of_users", "of_agents"),
    [
        ("ff", ("u", None), (None, "a")),
        ("ft", ("u", None), ("u", "a")),
        ("tf", ("u", "a"), (None, "a")),
        ("tt", ("u", "a"), ("u", "a")),
    ],
)
def test_the_owner_is_whom_the_policy_splits_by(code, of_users, of_agents):
    assert owner_of(under(code), scope="user", user_id="u", agent_id="a") == of_users
    assert owner_of(under(code), scope="agent", user_id="u", agent_id="a") == of_agents


@given(policies, kept, st.lists(kept, max_size=8), st.data())
def test_a_prefix_admits_exactly_the_memories_below_it(policy, row, others, data):
    steps = address_of(policy, row).removeprefix("viking://").split("/")
    cut = data.draw(st.integers(0, len(steps)), label="cut after")
    prefix = "viking://" + "/".join(steps[:cut])
    if cut == 3 and steps[2] != "memories":  # in the middle of a root that is split
        with pytest.raises(InvalidUri):
            parse(prefix, policy, ADMIN)
        return
    found = parse(prefix, policy, Namespace("x", "y", everything=True))
    assert found.uri == prefix
    assert admits(found, row)
    for other in others:
        address = address_of(policy, other).lower()  # ids are compared ignoring case
        below = f"{address}/".startswith(f"{prefix.lower().rstrip('/')}/")
        assert admits(found, other) is below, address


@given(policies, kept, st.sampled_from(["/a", "/memories", "/user/ada", "/.overview.md"]))
def test_nothing_lies_below_a_memory_or_beside_the_memories_of_a_root(policy, row, more):
    address = address_of(policy, row)
    root = address.partition("/memories/")[0]
    for empty in (address + more, root + "/notes" + more, f"{root}/memories/notes{more}"):
        found = parse(empty, policy, ADMIN)
        assert found.empty
        assert not admits(found, row)


def test_memories_are_never_found_by_the_address_of_a_session():
    row = Kept("user", "alice", "ada", "facts", UUID(MEMORY))
    assert admits(parse("viking://", under("ff"), ALICE), row)
    for address in ("viking://session", "viking://session/porto", "viking://resources"):
        assert not admits(parse(address, under("ff"), ALICE), row)


WORDS = [
    *("user", "agent", "session", "resources", "temp", "queue", "memories", "skills", "history"),
    *(
        "profile.md",
        ".abstract.md",
        "facts",
        "topics",
        "alice",
        "ADA",
        "bob",
        MEMORY,
        "..",
        "",
        "é",
    ),
]
addresses = st.one_of(
    st.text(),
    st.text(st.characters()).map(lambda text: f"viking://{text}"),
    st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=5)), max_size=8).map(
        lambda words: "viking://" + "/".join(words)
    ),
    st.lists(st.sampled_from(WORDS[:-3]), max_size=8).map(
        lambda words: "viking://" + "/".join(words)
    ),
)


@given(addresses, policies, st.one_of(st.just(ALICE), st.just(ADMIN), callers))
def test_any_text_is_refused_or_read_and_what_was_read_reads_as_itself(text, policy, caller):
    try:
        found = parse(text, policy, caller)
    except (InvalidUri, PermissionDenied):
        return
    assert parse(found.uri, policy, caller) == found
    assert found.uri == "viking://" or not found.uri.endswith("/")
    if found.uri != "viking://":
        assert parse(f"{found.uri}/", policy, caller) == found


@given(policies, kept)
def test_each_step_of_a_memorys_address_as_a_page_draws_it_is_an_address(policy, row):
    address = address_of(policy, row)
    root = address.partition("/memories/")[0]
    *steps, last = uri_segments(address, root)
    assert last.prefix == address
    assert "viking://" + "/".join(step.text for step in steps if step.in_root) == root
    for step in steps:
        assert parse(step.prefix, policy, ADMIN).is_container
