"""Idempotency-Key on messages: kept on the message for ever, and answered from it."""

from __future__ import annotations

import pytest

from tests.rows import row_counts

MESSAGE = {"role": "user", "content": "Hello"}


@pytest.fixture
def send(api, cast):
    """send(headers, key="k1", content="…") → the answer; Bob's when no headers are given."""

    def call(
        headers: dict[str, str] | None = None,
        key: str = "k1",
        session_id: str = "s1",
        **changed,
    ):
        headers = {**(headers or cast.bob.headers), "Idempotency-Key": key}
        message = {**MESSAGE, **changed}
        return api.post(f"/sessions/{session_id}/messages", headers, message)

    return call


@pytest.fixture
def texts(api, cast):
    def call(session_id: str = "s1") -> list[str]:
        found = api.get(f"/sessions/{session_id}/messages", cast.alice.headers).result
        return [row["parts"][0]["text"] for row in found]

    return call


def test_same_message_gets_the_same_answer_and_is_kept_once(api, cast, send, texts):
    first = send()
    api.say(cast.bob.headers, "s1", "Between")
    for _ in range(2):
        assert send().result == first.result
    assert texts() == ["Hello", "Between"]


def test_without_a_key_each_message_is_a_new_one(api, cast, texts):
    for _ in range(2):
        api.say(cast.bob.headers, "s1", "Hello")
    assert texts() == ["Hello", "Hello"]


def test_another_key_is_another_message(send, texts):
    assert send(key="k1").result["seq"] == 1
    assert send(key="k2").result["seq"] == 2
    assert send(key="K1").result["seq"] == 3
    assert len(texts()) == 3


def test_content_and_the_same_part_are_the_same_message(send):
    first = send()
    assert send(content=None, parts=[{"type": "text", "text": "Hello"}]).result == first.result


@pytest.mark.parametrize(
    "changed",
    [
        {"content": "Hello!"},
        {"role": "assistant"},
        {"role": "system"},
        {"source": "context_injection"},
        {"parts": [{"type": "text", "text": "Hello"}, {"type": "text", "text": "again"}]},
        {"created_at": "2024-05-06T07:08:09Z"},
        {"peer_id": "walter"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_another_body_is_refused(send, texts, changed):
    send()
    refused = send(**changed)
    assert (refused.status, refused.code) == (422, "INVALID_ARGUMENT")
    assert texts() == ["Hello"]


def test_another_peer_is_refused(api, cast, send, texts):
    send(peer_id="walter")
    assert send(peer_id="walter").status == 200
    for other in ("willy", None):
        assert send(peer_id=other).status == 422
    api.say(cast.bob.headers, "elsewhere", peer_id="wanda")
    assert send(peer_id="wanda").status == 422
    assert texts() == ["Hello"]


def test_another_time_is_refused(send, texts):
    at = "2024-05-06T07:08:09Z"
    first = send(created_at=at)
    assert send(created_at="2024-05-06T09:08:09+02:00").result == first.result
    assert send(created_at="2024-05-06T07:08:10Z").status == 422
    assert texts() == ["Hello"]


def test_another_author_is_refused(cast, send):
    send(cast.alice.headers, role_id="bob")
    assert send(cast.alice.headers, role_id="beth").status == 422
    assert send(cast.alice.headers).status == 422
    assert send(cast.alice.headers, role_id="BOB").status == 200


def test_another_agent_is_refused(cast, send):
    send({**cast.bob.headers, "X-Bailiwick-Agent": "ada"}, role="assistant")
    assert send({**cast.bob.headers, "X-Bailiwick-Agent": "max"}, role="assistant").status == 422
    assert send({**cast.bob.headers, "X-Bailiwick-Agent": "Ada"}, role="assistant").status == 200


def test_another_principal_is_refused(cast, send, texts):
    send()
    for headers in (cast.beth.headers, cast.alice_as("bob"), cast.root_as("bob")):
        assert send(headers).status == 422
    assert texts() == ["Hello"]


def test_key_is_unique_in_its_session_only(cast, send, texts):
    send(session_id="s1")
    other = send(session_id="s2", content="Elsewhere")
    assert (other.status, other.result["seq"]) == (200, 1)
    assert send(session_id="S1").result["session_id"] == "s1"
    assert (texts("s1"), texts("s2")) == (["Hello"], ["Elsewhere"])


def test_refused_message_does_not_use_up_its_key(cast, send):
    before = row_counts(cast.north)
    assert send(content=" ").status == 400
    assert row_counts(cast.north) == before
    assert send().status == 200


@pytest.mark.parametrize(("key", "status"), [("k" * 255, 200), ("k" * 256, 400), ("  ", 200)])
def test_length_of_a_key(send, key, status):
    assert send(key=key).status == status


def test_ended_session_still_answers_what_was_delivered(api, cast, send):
    first = send()
    api("PATCH", "/sessions/s1", cast.bob.headers, {"state": "ended"})
    assert send().result == first.result
    assert send(key="k2").status == 412


def test_who_no_longer_sees_the_session_gets_no_answer(api, cast, send, set_policy):
    api.say(cast.bob.headers, "s1", "Bob's")
    send(cast.beth.headers, role="system")
    set_policy(sessions_visible_to="participants")
    assert send(cast.beth.headers, role="system").status == 404


def test_key_of_a_deleted_session_is_free_again(api, cast, send):
    send()
    api("DELETE", "/sessions/s1", cast.alice.headers)
    assert send(content="Anew").result["seq"] == 1
