"""The six rules on `role_id` (isolation.md), each by its number."""

from __future__ import annotations

import pytest

from accounts import tenancy
from sessions_app.models import Participant
from tests.rows import row_counts

NOT_GIVEN = object()


@pytest.fixture
def say(api):
    """Append a message of that role, with or without a role_id."""

    def append(headers, role="user", role_id=NOT_GIVEN, session_id="s1"):
        body = {"role": role, "content": "Hello"}
        if role_id is not NOT_GIVEN:
            body["role_id"] = role_id
        return api.post(f"/sessions/{session_id}/messages", headers, body)

    return append


@pytest.fixture
def last(api, cast):
    """The newest message of the session."""
    return lambda: api.get("/sessions/s1/messages", cast.alice.headers, limit=200).result[-1]


@pytest.fixture
def taking_part(api, cast):
    """(users, agents) of the session."""

    def ids():
        detail = api.get("/sessions/s1", cast.alice.headers).result
        return detail["participant_user_ids"], detail["participant_agent_ids"]

    return ids


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_rule_1_users_and_assistants_carry_a_role_id(say, last, cast, role):
    assert say(cast.bob.headers, role).status == 200
    assert last()["role_id"] is not None


@pytest.mark.parametrize("role", ["system", "tool"])
@pytest.mark.parametrize("sent", [NOT_GIVEN, None, "calculator"])
def test_rule_1_other_roles_keep_what_was_sent(say, last, taking_part, cast, role, sent):
    assert say(cast.alice.headers, role, sent).status == 200
    assert last()["role_id"] == (None if sent is NOT_GIVEN else sent)
    assert taking_part() == ([], [])


@pytest.mark.parametrize("sent", [NOT_GIVEN, None, ""])
def test_rule_2_user_without_role_id_is_the_effective_user(say, last, cast, sent):
    for headers, name in (
        (cast.alice.headers, "alice"),
        (cast.alice_as("bob"), "bob"),
        (cast.root_as("beth"), "beth"),
    ):
        assert say(headers, "user", sent).status == 200
        assert last()["role_id"] == name


@pytest.mark.parametrize("sent", [NOT_GIVEN, None, ""])
def test_rule_2_assistant_without_role_id_is_the_effective_agent(say, last, cast, sent):
    for agent in ("ada", "max"):
        assert (
            say({**cast.alice.headers, "X-Bailiwick-Agent": agent}, "assistant", sent).status == 200
        )
        assert last()["role_id"] == agent
    assert say(cast.alice.headers, "assistant", sent).status == 200
    assert last()["role_id"] == "default"


@pytest.mark.parametrize("role", ["user", "assistant", "system", "tool"])
@pytest.mark.parametrize("sent", ["bob", "default", None, "", "Bob"])
def test_rule_3_user_cannot_send_the_field_at_all(say, cast, role, sent):
    refused = say(cast.bob.headers, role, sent)
    assert (refused.status, refused.code) == (400, "INVALID_ARGUMENT")
    assert say(cast.bob.headers, role).status == 200


@pytest.mark.parametrize("headers", ["alice", "alice_as_bob", "root"])
def test_rule_3_admin_and_root_may_set_it(say, last, cast, headers):
    sent = {
        "alice": cast.alice.headers,
        "alice_as_bob": cast.alice_as("bob"),
        "root": cast.root_as("bob"),
    }[headers]
    assert say(sent, "user", "beth").status == 200
    assert last()["role_id"] == "beth"
    assert say(sent, "assistant", "ada").status == 200
    assert last()["role_id"] == "ada"


def test_rule_3_the_real_role_counts_not_the_effective_users(say, cast):
    """Alice acting for Bob is still an admin; Bob naming himself is still a user."""
    assert say(cast.alice_as("bob"), "user", "beth").status == 200
    named_himself = {**cast.bob.headers, "X-Bailiwick-User": "bob"}
    assert say(named_himself, "user", "bob").status == 400


@pytest.mark.parametrize("role", ["user", "assistant", "system", "tool"])
@pytest.mark.parametrize("sent", ["two words", "x" * 65, "é", "a/b", "a\n", " ", "a.b"])
def test_rule_4_malformed_id_is_refused(say, cast, role, sent):
    assert say(cast.alice.headers, role, sent).status == 400
    assert say(cast.alice.headers, role, "bob").status == 200


def test_rule_4_user_must_be_registered(say, cast):
    for unknown in ("stranger", "charlie", "ada"):  # charlie is a user of the other account
        refused = say(cast.alice.headers, "user", unknown)
        assert (refused.status, refused.code) == (400, "INVALID_ARGUMENT")


def test_rule_4_user_is_found_in_any_case_and_keeps_its_spelling(say, last, cast):
    assert say(cast.alice.headers, "user", "BOB").status == 200
    assert last()["role_id"] == "bob"
    assert say(cast.alice.headers, "assistant", "Ada").status == 200
    assert say(cast.alice.headers, "assistant", "aDA").status == 200
    assert last()["role_id"] == "Ada"


@pytest.mark.parametrize("sent", ["root", "System", "TEST", "memories"])
def test_rule_4_reserved_agent_is_refused(say, cast, sent):
    assert say(cast.alice.headers, "assistant", sent).status == 400
    assert say(cast.alice.headers, "assistant", "ada").status == 200


@pytest.mark.parametrize("sent", [5, True, ["bob"], {"id": "bob"}])
def test_rule_4_wrong_type_is_malformed(say, cast, sent):
    assert say(cast.alice.headers, "user", sent).status == 422


@pytest.mark.parametrize(
    ("who", "role", "role_id"),
    [
        ("bob", "user", "bob"),
        ("bob", "assistant", "ada"),
        ("alice", "user", "stranger"),
        ("alice", "user", "two words"),
        ("alice", "assistant", "root"),
        ("alice", "assistant", "two words"),
    ],
)
def test_rule_5_refused_message_leaves_nothing_behind(say, cast, who, role, role_id):
    """Neither a session nor participants, agents, messages, events: under a new agent's header."""
    sent = {**getattr(cast, who).headers, "X-Bailiwick-Agent": "newcomer"}
    before = row_counts(cast.north, cast.south)
    assert say(sent, role, role_id).status == 400
    assert row_counts(cast.north, cast.south) == before
    assert say(sent, role).status == 200
    assert row_counts(cast.north, cast.south) != before


def test_rule_6_participants_gain_every_role_id(say, taking_part, cast):
    say(cast.alice.headers, "user")
    say(cast.alice.headers, "user", "bob")
    say(cast.alice.headers, "assistant", "ada")
    say(cast.alice.headers, "assistant")
    say(cast.alice.headers, "user", "bob")
    assert taking_part() == (["alice", "bob"], ["ada", "default"])


def test_rule_6_an_agents_header_makes_nobody_a_participant(say, taking_part, cast):
    say({**cast.bob.headers, "X-Bailiwick-Agent": "ada"}, "user")
    assert taking_part() == (["bob"], [])


def test_rule_6_creating_or_reading_makes_nobody_a_participant(api, taking_part, cast):
    api.post("/sessions", cast.bob.headers, {"session_id": "s1"})
    api.get("/sessions/s1/context", cast.beth.headers)
    assert taking_part() == ([], [])


def test_rule_6_participants_count_their_messages(say, cast):
    for _ in range(3):
        say(cast.alice.headers, "user", "bob")
        say(cast.alice.headers, "assistant", "ada")
    say(cast.alice.headers, "user", "bob")
    with tenancy.account(cast.north):
        rows = Participant.objects.filter(session__session_id="s1").order_by("first_seq")
        found = [(row.first_seq, row.last_seq, row.message_count) for row in rows]
    assert found == [(1, 7, 4), (2, 6, 3)]


def test_rule_6_the_creator_never_changes(say, api, cast):
    say(cast.bob.headers, "user")
    say(cast.alice.headers, "user", "beth")
    assert api.get("/sessions/s1", cast.beth.headers).result["created_by_user_id"] == "bob"


@pytest.mark.parametrize("sent", ["", "USER", "narrator", "model"])
def test_unknown_role_is_refused(say, cast, sent):
    assert say(cast.bob.headers, sent).status == 400


@pytest.mark.parametrize("sent", [None, 1, ["user"]])
def test_role_of_a_wrong_type_is_malformed(say, cast, sent):
    assert say(cast.bob.headers, sent).status == 422
