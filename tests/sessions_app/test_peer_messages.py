"""Contacts that speak: `peer_id` and the actor peer, and who sees a session with a contact."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rows import row_counts


def peer(headers: dict[str, str], name: str) -> dict[str, str]:
    return {**headers, "X-OpenViking-Actor-Peer": name}


@pytest.fixture
def walter(api, cast) -> dict[str, Any]:
    """Bob's contact walter with the session `walters`: headers and the contact's id."""
    headers = peer(cast.bob.headers, "walter")
    assert api.say(headers, "walters", "Hello, it is me").status == 200
    found = api.get("/sessions/walters", headers).result
    return {"headers": headers, "id": found["contact_id"]}


@pytest.fixture
def rows(api, cast):
    def call(session_id: str = "s1") -> list[dict[str, Any]]:
        return api.get(f"/sessions/{session_id}/messages", cast.bob.headers).result

    return call


# --- peer_id ---


def test_peer_id_names_the_speaker(api, cast, rows):
    api.say(cast.bob.headers, "s1", "Said by Bob")
    api.say(cast.bob.headers, "s1", "Said by Walter", peer_id="walter")
    own, said = rows()
    assert (own["role_id"], own["contact_id"]) == ("bob", None)
    assert said["contact_id"]
    assert said["role_id"] == said["contact_id"]
    detail = api.get("/sessions/s1", cast.bob.headers).result
    assert detail["participant_user_ids"] == ["bob"]
    assert detail["participant_contact_ids"] == [said["contact_id"]]
    assert detail["contact_id"] is None


def test_same_peer_is_the_same_contact(api, cast, rows):
    for session_id in ("s1", "s2"):
        api.say(cast.bob.headers, session_id, peer_id="walter")
    assert rows("s1")[0]["contact_id"] == rows("s2")[0]["contact_id"]
    api.say(cast.bob.headers, "s1", peer_id="willy")
    assert len({row["contact_id"] for row in rows("s1")}) == 2


def test_peers_of_two_users_are_two_contacts(api, cast, rows):
    api.say(cast.bob.headers, "s1", peer_id="walter")
    api.say(cast.beth.headers, "s1", peer_id="walter")
    assert len({row["contact_id"] for row in rows()}) == 2


def test_any_role_may_send_it(api, cast, rows):
    for headers in (cast.bob.headers, cast.alice_as("bob"), cast.root_as("bob")):
        assert api.say(headers, "s1", peer_id="walter").status == 200
    assert len({row["contact_id"] for row in rows()}) == 1


@pytest.mark.parametrize(
    ("peer_id", "status"), [("x" * 256, 400), ("  ", 400), (5, 422), ("\u0000", 400)]
)
def test_refused_peer_leaves_nothing_behind(api, cast, peer_id, status):
    before = row_counts(cast.north)
    assert api.say(cast.bob.headers, "s1", peer_id=peer_id).status == status
    assert row_counts(cast.north) == before


def test_refused_message_makes_no_contact(api, cast):
    before = row_counts(cast.north)
    assert api.say(cast.bob.headers, "s1", " ", peer_id="newcomer").status == 400
    assert row_counts(cast.north) == before


# --- the actor peer ---


def test_session_of_a_contact(api, cast, walter, rows):
    detail = api.get("/sessions/walters", cast.bob.headers).result
    assert detail["created_by_user_id"] == "bob"
    assert detail["participant_contact_ids"] == [walter["id"]]
    assert detail["participant_user_ids"] == []
    (row,) = rows("walters")
    assert (row["role_id"], row["contact_id"]) == (walter["id"], walter["id"])


def test_peer_that_never_wrote_reads_as_empty(api, cast):
    api.say(cast.bob.headers, "s1")
    before = row_counts(cast.north)
    newcomer = peer(cast.bob.headers, "newcomer")
    assert api.get("/sessions", newcomer).result == []
    assert api.get("/sessions/s1", newcomer).status == 404
    assert api.get("/tasks", newcomer).result == []
    assert row_counts(cast.north) == before


def test_both_ways_of_naming_the_contact_agree(api, cast, walter, rows):
    assert api.say(walter["headers"], "walters", peer_id="walter").status == 200
    assert api.say(cast.bob.headers, "walters", peer_id="walter").status == 200
    assert {row["contact_id"] for row in rows("walters")} == {walter["id"]}


def test_owner_speaks_in_the_contacts_session_as_itself(api, cast, walter, rows):
    assert api.say(cast.bob.headers, "walters", "Bob here").status == 200
    assert [row["role_id"] for row in rows("walters")] == [walter["id"], "bob"]


def test_assistant_answers_the_contact(api, walter, rows):
    api.say(walter["headers"], "walters", "Good day", role="assistant")
    assert [row["role_id"] for row in rows("walters")] == [walter["id"], "default"]


# --- contradictions ---


def test_speaker_other_than_the_sessions_contact_is_a_conflict(api, cast, walter, rows):
    before = row_counts(cast.north)
    for headers in (cast.bob.headers, walter["headers"], cast.alice_as("bob")):
        refused = api.say(headers, "walters", "It is Willy", peer_id="willy")
        assert (refused.status, refused.code) == (409, "CONFLICT")
    counts = row_counts(cast.north)
    for table in ("contact", "contacthandle", "message", "participant", "session"):
        named = [name for name in counts if name.endswith(f"_{table}")]
        assert [counts[name] for name in named] == [before[name] for name in named]
    assert len(rows("walters")) == 1


def test_contact_header_hides_the_sessions_of_others(api, cast, walter):
    api.say(cast.bob.headers, "s1")
    willy = peer(cast.bob.headers, "willy")
    for session_id in ("walters", "s1"):
        assert api.get(f"/sessions/{session_id}", willy).status == 404
        assert api.say(willy, session_id).status == 404
        assert api.post(f"/sessions/{session_id}/commit", willy).status == 404
    assert api.get("/sessions/s1", walter["headers"]).status == 404


# --- role_id ---


def test_admin_for_the_contact_may_name_it_by_role_id(api, cast, walter, rows):
    headers = {**cast.alice.headers, "X-Bailiwick-Contact": walter["id"]}
    assert api.say(headers, "walters", role_id=walter["id"]).status == 200
    assert api.say(headers, "walters", role_id=None).status == 200
    assert [row["role_id"] for row in rows("walters")] == [walter["id"]] * 3


def test_user_may_not_set_role_id_for_a_contact_either(api, walter):
    for role_id in (walter["id"], None, ""):
        refused = api.say(walter["headers"], "walters", role_id=role_id)
        assert (refused.status, refused.code) == (400, "INVALID_ARGUMENT")


def test_id_of_another_contact_is_no_role_id(api, cast, walter):
    api.say(peer(cast.bob.headers, "willy"), "willys")
    willy = api.get("/sessions/willys", cast.bob.headers).result["contact_id"]
    headers = {**cast.alice.headers, "X-Bailiwick-Contact": walter["id"]}
    assert api.say(headers, "walters", role_id=willy).status == 400


# --- who sees it ---


@pytest.mark.parametrize("visible_to", ["account", "participants"])
def test_session_with_a_contact_is_hidden_from_other_users(
    api, cast, walter, set_policy, visible_to
):
    set_policy(sessions_visible_to=visible_to)
    api.say(cast.bob.headers, "s1")

    def sees(headers: dict[str, str]) -> bool:
        listed = [row["session_id"] for row in api.get("/sessions", headers).result]
        statuses = {
            api.get("/sessions/walters", headers).status,
            api.get("/sessions/walters/messages", headers).status,
            api.get("/sessions/walters/context", headers).status,
        }
        assert statuses == ({200} if "walters" in listed else {404})
        return "walters" in listed

    assert sees(cast.bob.headers)  # the owner
    assert sees(walter["headers"])  # the contact itself
    assert sees(cast.alice.headers)  # an admin as itself
    assert sees(cast.alice_as("bob"))
    assert not sees(cast.beth.headers)
    assert not sees(cast.alice_as("beth"))
    assert not sees(cast.root_as("beth"))
    assert not sees(peer(cast.beth.headers, "walter"))
    assert not sees(peer(cast.bob.headers, "willy"))


def test_hidden_session_takes_nothing_from_other_users(api, cast, walter):
    before = row_counts(cast.north)
    beth = cast.beth.headers
    assert api.say(beth, "walters").status == 404
    assert api("PATCH", "/sessions/walters", beth, {"title": "T"}).status == 404
    for path in ("commit", "used"):
        assert api.post(f"/sessions/walters/{path}", beth).status == 404
    assert api.post("/sessions", beth, {"session_id": "walters"}).status == 409
    fork = {"session_id": "fork", "parent_session_id": "walters"}
    assert api.post("/sessions", beth, fork).status == 404
    assert row_counts(cast.north) == before


def test_user_who_takes_part_sees_it(api, cast, walter, set_policy):
    assert api.say(cast.alice.headers, "walters", role_id="beth").status == 200
    for visible_to in ("account", "participants"):
        set_policy(sessions_visible_to=visible_to)
        assert api.get("/sessions/walters", cast.beth.headers).status == 200
        assert api.say(cast.beth.headers, "walters").status == 200


def test_list_by_contact(api, cast, walter):
    api.say(cast.bob.headers, "s1")

    def listed(headers: dict[str, str]) -> list[str]:
        rows = api.get("/sessions", headers, contact=walter["id"]).result
        return [row["session_id"] for row in rows]

    assert listed(cast.bob.headers) == ["walters"]
    assert listed(walter["headers"]) == ["walters"]
    assert listed(cast.beth.headers) == []
