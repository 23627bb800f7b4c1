"""Counting what an agent made use of."""

from __future__ import annotations

import pytest

from tests.rows import row_counts


@pytest.fixture
def used(api, cast):
    """used(contexts=[…], skill={…}) → the answer about Bob's session s1."""
    api.say(cast.bob.headers, "s1")

    def call(headers: dict[str, str] | None = None, session_id: str = "s1", **body):
        return api.post(f"/sessions/{session_id}/used", headers or cast.bob.headers, body)

    return call


def test_contexts_and_skills_add_up(used):
    first = used(contexts=["viking://user/bob/memories/facts/1", "viking://resources/a"])
    assert first.result == {"session_id": "s1", "contexts_used": 2, "skills_used": 0}
    second = used(contexts=["viking://resources/a"], skill={"uri": "viking://agent/a/skills/x"})
    assert second.result == {"session_id": "s1", "contexts_used": 3, "skills_used": 1}


@pytest.mark.parametrize("body", [{}, {"contexts": []}, {"contexts": None, "skill": None}])
def test_nothing_was_used(used, body):
    assert used(**body).result == {"session_id": "s1", "contexts_used": 0, "skills_used": 0}


def test_no_body(api, cast, used):
    assert api("POST", "/sessions/s1/used", cast.bob.headers).result["contexts_used"] == 0


def test_unknown_fields_are_ignored(used):
    assert used(contexts=["a"], telemetry=True).result["contexts_used"] == 1


@pytest.mark.parametrize("body", [{"contexts": "a"}, {"contexts": [1]}, {"skill": "x"}])
def test_wrong_types_count_nothing(cast, used, body):
    before = row_counts(cast.north)
    assert used(**body).status == 422
    assert row_counts(cast.north) == before
    assert used().result["contexts_used"] == 0


def test_use_is_no_activity(api, cast, used):
    before = api.get("/sessions/s1", cast.bob.headers).result
    used(contexts=["a"])
    assert api.get("/sessions/s1", cast.bob.headers).result == before


def test_session_must_be_seen(cast, used, set_policy):
    assert used(session_id="absent").status == 404
    assert used(cast.beth.headers, contexts=["a"]).status == 200
    set_policy(sessions_visible_to="participants")
    assert used(cast.beth.headers, contexts=["a"]).status == 404
    assert used().result["contexts_used"] == 1


def test_repeated_request_counts_once(cast, used):
    headers = {**cast.bob.headers, "Idempotency-Key": "k1"}
    for _ in range(2):
        assert used(headers, contexts=["a"]).result["contexts_used"] == 1
    assert used(headers, contexts=["b"]).status == 422
