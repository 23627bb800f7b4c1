"""Forks, and deleting what they hang from."""

from __future__ import annotations

import pytest

from accounts import tenancy
from sessions_app.models import Archive, Message, Participant, Session, Task
from tests.rows import row_counts


@pytest.fixture
def fork(api, cast):
    """fork("child", "parent", headers) → the answer; Bob's when no headers are given."""

    def call(session_id: str, parent: str, headers: dict[str, str] | None = None):
        body = {"session_id": session_id, "parent_session_id": parent}
        return api.post("/sessions", headers or cast.bob.headers, body)

    return call


@pytest.fixture
def family(api, cast, fork):
    """Bob's trunk with two branches and a twig on the first; each with a message."""
    api.say(cast.bob.headers, "trunk")
    for child, parent in (("branch-1", "trunk"), ("branch-2", "trunk"), ("twig", "branch-1")):
        assert fork(child, parent).status == 200
        api.say(cast.bob.headers, child)


@pytest.fixture
def delete(api, cast):
    """delete("trunk", headers, cascade="true") → the answer; Alice's without headers."""

    def call(session_id: str, headers: dict[str, str] | None = None, **query: str):
        return api("DELETE", f"/sessions/{session_id}", headers or cast.alice.headers, **query)

    return call


def parents(api, headers) -> dict[str, str | None]:
    listed = [row["session_id"] for row in api.get("/sessions", headers).result]
    return {
        name: api.get(f"/sessions/{name}", headers).result["parent_session_id"] for name in listed
    }


def test_fork_names_its_parent(api, cast, family):
    assert parents(api, cast.bob.headers) == {
        "trunk": None,
        "branch-1": "trunk",
        "branch-2": "trunk",
        "twig": "branch-1",
    }


def test_fork_is_a_session_of_its_own(api, cast, family, fork):
    made = fork("beths", "TRUNK", cast.beth.headers).result
    assert (made["user"]["user_id"], made["parent_session_id"]) == ("beth", "trunk")
    detail = api.get("/sessions/beths", cast.beth.headers).result
    assert (detail["message_count"], detail["participant_user_ids"]) == (0, [])


def test_parent_that_is_not_there(cast, fork):
    before = row_counts(cast.north)
    refused = fork("child", "absent")
    assert (refused.status, refused.code) == (404, "NOT_FOUND")
    assert row_counts(cast.north) == before


@pytest.mark.parametrize("parent", ["no spaces", "ä", "x" * 129])
def test_parent_that_is_no_id(cast, fork, parent):
    before = row_counts(cast.north)
    assert fork("child", parent).status == 400
    assert row_counts(cast.north) == before


def test_parent_that_the_caller_may_not_see_is_absent(cast, family, fork, set_policy):
    set_policy(sessions_visible_to="participants")
    before = row_counts(cast.north)
    assert fork("beths", "trunk", cast.beth.headers).status == 404
    assert row_counts(cast.north) == before
    assert fork("bobs", "trunk", cast.bob.headers).status == 200
    assert fork("alices", "trunk", cast.alice.headers).status == 200


def test_parent_is_shown_only_to_those_who_see_it(api, cast, family, fork, set_policy):
    fork("beths", "trunk", cast.beth.headers)
    assert parents(api, cast.beth.headers)["beths"] == "trunk"
    set_policy(sessions_visible_to="participants")
    assert parents(api, cast.beth.headers) == {"beths": None}
    assert parents(api, cast.alice.headers)["beths"] == "trunk"


# --- deleting ---


def test_deleting_a_parent_detaches_its_children(api, cast, family, delete):
    assert delete("trunk").result == {"session_id": "trunk"}
    assert parents(api, cast.bob.headers) == {
        "branch-1": None,
        "branch-2": None,
        "twig": "branch-1",
    }
    assert len(api.get("/sessions/branch-1/messages", cast.bob.headers).result) == 1


def test_cascade_deletes_the_whole_family_below(api, cast, family, delete):
    assert delete("branch-1", cascade="true").result == {"session_id": "branch-1"}
    assert parents(api, cast.bob.headers) == {"trunk": None, "branch-2": "trunk"}
    delete("trunk", cascade="true")
    assert api.get("/sessions", cast.bob.headers).result == []


def test_cascade_reaches_only_what_the_effective_user_sees(
    api, cast, family, fork, delete, set_policy
):
    fork("beths", "trunk", cast.beth.headers)
    fork("bobs-below-beths", "beths", cast.bob.headers)
    set_policy(sessions_visible_to="participants")
    delete("trunk", cast.alice_as("bob"), cascade="true")
    assert parents(api, cast.alice.headers) == {"beths": None, "bobs-below-beths": "beths"}


def test_deletion_takes_everything_of_the_session(api, cast, family, delete):
    api.post("/sessions/trunk/commit", cast.bob.headers)
    delete("trunk", cascade="true")
    with tenancy.account(cast.north):
        for model in (Session, Message, Participant, Archive, Task):
            assert not model.objects.get_queryset().exists(), model


def test_id_of_a_deleted_session_is_free_again(api, cast, family, delete):
    delete("trunk")
    assert api.say(cast.beth.headers, "trunk").result["seq"] == 1
    assert parents(api, cast.bob.headers)["branch-1"] is None


# --- who deletes ---


def test_users_do_not_delete_even_their_own(api, cast, family, delete):
    for headers in (cast.bob.headers, cast.beth.headers):
        refused = delete("trunk", headers)
        assert (refused.status, refused.code) == (403, "PERMISSION_DENIED")
    assert api.get("/sessions/trunk", cast.bob.headers).status == 200


def test_admin_and_root_delete(api, cast, family, delete):
    assert delete("twig", cast.alice.headers).status == 200
    assert delete("branch-1", cast.alice_as("beth")).status == 200
    assert delete("branch-2", cast.root_as("bob")).status == 200
    assert delete("TRUNK", cast.root_as("bob")).result == {"session_id": "trunk"}


def test_look_up_is_that_of_the_effective_user(api, cast, family, delete, set_policy):
    set_policy(sessions_visible_to="participants")
    for headers in (cast.beth.headers, cast.alice_as("beth"), cast.root_as("beth")):
        refused = delete("trunk", headers)
        assert (refused.status, refused.code) == (404, "NOT_FOUND")
    assert delete("trunk", cast.charlie.headers).status == 404
    assert delete("trunk", cast.bob.headers).status == 403
    assert delete("trunk", cast.alice_as("bob")).status == 200


def test_absent_session(cast, delete):
    for headers in (cast.alice.headers, cast.bob.headers):
        assert delete("absent", headers).status == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [({"memories": "burn"}, 400), ({"cascade": "perhaps"}, 422), ({"memories": ""}, 400)],
)
def test_refused_query_deletes_nothing(cast, family, delete, query, status):
    before = row_counts(cast.north)
    assert delete("trunk", **query).status == status
    assert row_counts(cast.north) == before


@pytest.mark.parametrize("memories", ["keep", "erase"])
def test_memories_are_kept_or_erased(family, delete, memories):
    assert delete("trunk", memories=memories).status == 200


def test_repeated_deletion_gets_the_same_answer(api, cast, family, delete):
    headers = {**cast.alice.headers, "Idempotency-Key": "k1"}
    first = delete("trunk", headers)
    assert delete("trunk", headers).result == first.result
    assert delete("trunk").status == 404
