"""Changing a session: title, state, metadata, the pause of memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.rows import row_counts


@pytest.fixture
def patch(api, cast):
    """patch(title="…") → the answer about Bob's session s1, which has one message."""
    api.say(cast.bob.headers, "s1")

    def call(headers: dict[str, str] | None = None, session_id: str = "s1", **body):
        return api("PATCH", f"/sessions/{session_id}", headers or cast.bob.headers, body)

    return call


@pytest.fixture
def detail(api, cast):
    return lambda: api.get("/sessions/s1", cast.bob.headers).result


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", "Porto in spring"),
        ("title", ""),
        ("title", "x" * 300),
        ("state", "idle"),
        ("state", "ended"),
        ("metadata", {"a": [1, {"b": None}]}),
        ("metadata", {}),
        ("memory_paused", True),
    ],
)
def test_one_field_changes_and_the_others_stay(patch, detail, name, value):
    before = detail()
    answer = patch(**{name: value})
    assert answer.status == 200
    assert answer.result[name] == value
    after = detail()
    assert after[name] == value
    same = {name: None, "ended_at": None}  # an end has its time
    assert {**after, **same} == {**before, **same}
    assert (after["ended_at"] is not None) == (value == "ended")


def test_several_fields_at_once(patch, detail):
    patch(title="T", metadata={"a": 1}, memory_paused=True, state="idle")
    found = detail()
    assert (found["title"], found["metadata"]) == ("T", {"a": 1})
    assert (found["memory_paused"], found["state"]) == (True, "idle")


def test_nothing_and_null_change_nothing(patch, detail):
    patch(title="T", metadata={"a": 1}, memory_paused=True)
    before = detail()
    for body in ({}, {"title": None, "state": None, "metadata": None, "memory_paused": None}):
        assert patch(**body).status == 200
        assert detail() == before


def test_metadata_is_replaced_as_a_whole(patch, detail):
    patch(metadata={"a": 1})
    patch(metadata={"b": 2})
    assert detail()["metadata"] == {"b": 2}


def test_change_is_no_activity(patch, detail):
    before = detail()
    patch(title="T")
    assert detail()["updated_at"] == before["updated_at"]
    assert detail()["participant_user_ids"] == before["participant_user_ids"]


# --- state ---


def test_ended_session_takes_no_message_until_it_is_reopened(api, cast, patch, detail):
    answer = patch(state="ended")
    ended_at = datetime.fromisoformat(answer.result["ended_at"])
    assert abs(datetime.now(UTC) - ended_at) < timedelta(seconds=60)
    refused = api.say(cast.bob.headers, "s1")
    assert (refused.status, refused.code) == (412, "FAILED_PRECONDITION")
    batch = {"messages": [{"role": "user", "content": "x"}]}
    assert api.post("/sessions/s1/messages/batch", cast.bob.headers, batch).status == 412
    assert detail()["message_count"] == 1

    assert patch(state="active").result["ended_at"] is None
    assert api.say(cast.bob.headers, "s1").result["seq"] == 2


def test_ended_again_keeps_its_first_end(patch):
    first = patch(state="ended").result["ended_at"]
    assert patch(state="ended").result["ended_at"] == first


def test_idle_session_becomes_active_by_a_message(api, cast, patch, detail):
    patch(state="idle")
    assert detail()["state"] == "idle"
    assert api.say(cast.bob.headers, "s1").status == 200
    assert detail()["state"] == "active"


def test_states_are_filtered_in_the_list(api, cast, patch):
    api.say(cast.bob.headers, "s2")
    patch(state="ended")

    def listed(state: str) -> list[str]:
        return [
            row["session_id"] for row in api.get("/sessions", cast.bob.headers, state=state).result
        ]

    assert (listed("ended"), listed("active"), listed("idle")) == (["s1"], ["s2"], [])


# --- refusals ---


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"state": "asleep"}, 400),
        ({"state": "ENDED"}, 400),
        ({"state": ""}, 400),
        ({"state": 1}, 422),
        ({"title": "x" * 301}, 400),
        ({"title": 5}, 422),
        ({"title": "\u0000"}, 400),
        ({"metadata": []}, 422),
        ({"metadata": "x"}, 422),
        ({"memory_paused": "perhaps"}, 422),
        ({"contact_id": "01234567-89ab-7def-8123-456789abcdef"}, 422),
        ({"thread_key": "t"}, 422),
        ({"color": "blue"}, 422),
        ({"title": "fine", "state": "asleep"}, 400),
    ],
)
def test_refused_change_changes_nothing(cast, patch, detail, body, status):
    before, rows = detail(), row_counts(cast.north)
    assert patch(**body).status == status
    assert detail() == before
    assert row_counts(cast.north) == rows


def test_who_sees_the_session_may_change_it(cast, patch, set_policy):
    assert patch(cast.beth.headers, title="Beth's").status == 200
    set_policy(sessions_visible_to="participants")
    assert patch(cast.beth.headers, title="Beth's").status == 404
    assert patch(cast.charlie.headers, title="Charlie's").status == 404
    assert patch(cast.alice.headers, title="Alice's").status == 200
    assert patch(cast.alice_as("beth"), title="Beth's").status == 404
    assert patch(title="Bob's").result["title"] == "Bob's"


def test_absent_session(patch):
    assert patch(session_id="absent", title="T").status == 404
    assert patch(session_id="no%20spaces", title="T").status == 400


def test_repeated_change_gets_the_same_answer(cast, patch, detail):
    headers = {**cast.bob.headers, "Idempotency-Key": "k1"}
    first = patch(headers, title="One")
    patch(title="Two")
    assert patch(headers, title="One").status == 200
    assert detail()["title"] == "Two"
    assert first.result["title"] == "One"
    assert patch(headers, title="Three").status == 422
