"""Up to 500 messages at once, all or none."""

from __future__ import annotations

import pytest

from tests.rows import row_counts
from tests.sessions_app.work import said


@pytest.fixture
def send(api, cast):
    """send([message, …], headers) → the answer; Bob's when no headers are given."""

    def call(messages: object, headers: dict[str, str] | None = None, session_id: str = "s1"):
        path = f"/sessions/{session_id}/messages/batch"
        return api.post(path, headers or cast.bob.headers, {"messages": messages})

    return call


@pytest.fixture
def rows(api, cast):
    return lambda: api.get("/sessions/s1/messages", cast.bob.headers, limit=200).result


def words(*texts: str, **more) -> list[dict]:
    return [{"role": "user", "content": text, **more} for text in texts]


def test_messages_follow_in_their_order(send, rows):
    made = send(words("One", "Two", "Three")).result
    assert (made["session_id"], made["message_count"], made["added"]) == ("s1", 3, 3)
    assert (made["first_seq"], made["last_seq"]) == (1, 3)
    kept = rows()
    assert said(kept) == ["One", "Two", "Three"]
    assert [row["id"] for row in kept] == made["message_ids"]
    assert [row["seq"] for row in kept] == [1, 2, 3]


def test_batch_goes_on_after_what_is_there(api, cast, send, rows):
    api.say(cast.beth.headers, "s1", "Zero")
    made = send(words("One", "Two")).result
    assert (made["first_seq"], made["last_seq"], made["message_count"]) == (2, 3, 3)
    api.say(cast.beth.headers, "s1", "Four")
    assert said(rows()) == ["Zero", "One", "Two", "Four"]


def test_order_is_that_of_the_batch_not_of_the_times(send, rows):
    times = ("2024-05-06T07:00:00Z", "2023-01-01T00:00:00Z")
    send([{**words(at)[0], "created_at": at} for at in times])
    assert said(rows()) == list(times)
    assert [row["created_at"][:10] for row in rows()] == ["2024-05-06", "2023-01-01"]


def test_batch_creates_the_session(api, cast, send):
    send(words("One"), {**cast.bob.headers, "X-Bailiwick-Agent": "ada"})
    detail = api.get("/sessions/s1", cast.beth.headers).result
    assert detail["user"] == {"account_id": "north", "user_id": "bob", "agent_id": "ada"}
    assert detail["pending_tokens"] == 1


def test_participants_are_counted(api, cast, send):
    send([*words("One"), {"role": "assistant", "content": "Two"}, *words("Three")])
    detail = api.get("/sessions/s1", cast.bob.headers).result
    assert detail["participant_user_ids"] == ["bob"]
    assert detail["participant_agent_ids"] == ["default"]


def test_five_hundred(send, cast):
    assert send(words(*map(str, range(500)))).result["message_count"] == 500
    before = row_counts(cast.north)
    refused = send(words(*map(str, range(501))))
    assert (refused.status, refused.code) == (400, "INVALID_ARGUMENT")
    assert row_counts(cast.north) == before


def test_none_is_refused(cast, send):
    before = row_counts(cast.north)
    assert send([]).status == 400
    assert row_counts(cast.north) == before


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        ({"role": "user", "content": " "}, 400),
        ({"role": "king", "content": "x"}, 400),
        ({"role": "user"}, 422),
        ({"content": "x"}, 422),
        ({"role": "user", "parts": [{"text": "x"}]}, 422),
        ({"role": "user", "content": "x", "source": "elsewhere"}, 400),
        ({"role": "user", "content": "x", "created_at": "1950-01-01T00:00:00Z"}, 400),
        ({"role": "user", "content": "x", "created_at": "yesterday"}, 422),
        ({"role": "user", "content": "x", "role_id": "bob"}, 400),
        ({"role": "user", "content": "x", "role_id": None}, 400),
        ("x", 422),
        (None, 422),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_bad_message_refuses_them_all(cast, send, bad, status, place):
    before = row_counts(cast.north)
    messages = words("One", "Two")
    messages.insert(place, bad)
    headers = {**cast.bob.headers, "X-Bailiwick-Agent": "newcomer"}
    refused = send(messages, headers)
    assert (refused.status, refused.code) == (status, "INVALID_ARGUMENT")
    assert row_counts(cast.north) == before


@pytest.mark.parametrize("messages", [None, "x", {"role": "user"}, 5])
def test_not_a_list(send, messages):
    assert send(messages).status == 422


# --- role_id ---


def test_admin_names_the_authors(cast, send, rows):
    send(
        [
            *words("One", role_id="bob"),
            {"role": "assistant", "content": "Two", "role_id": "max"},
            *words("Three", role_id=None),
            {"role": "tool", "content": "Four", "role_id": "t1"},
        ],
        cast.alice.headers,
    )
    assert [row["role_id"] for row in rows()] == ["bob", "max", "alice", "t1"]


@pytest.mark.parametrize("role_id", ["nobody", "no spaces", "x" * 65])
def test_author_that_is_refused_leaves_nothing_behind(cast, send, role_id):
    before = row_counts(cast.north)
    messages = [
        {"role": "assistant", "content": "One", "role_id": "newcomer"},
        *words("Two", role_id=role_id),
    ]
    assert send(messages, cast.alice.headers).status == 400
    assert row_counts(cast.north) == before


# --- which session ---


def test_session_that_the_caller_may_not_see(cast, send, set_policy, rows):
    send(words("One"))
    set_policy(sessions_visible_to="participants")
    assert send(words("Two"), cast.beth.headers).status == 404
    assert said(rows()) == ["One"]


def test_speaker_that_contradicts_the_contact_refuses_them_all(api, cast, send, rows):
    api.say({**cast.bob.headers, "X-OpenViking-Actor-Peer": "walter"}, "s1", "Zero")
    before = row_counts(cast.north)
    refused = send([*words("One", peer_id="walter"), *words("Two", peer_id="willy")])
    assert (refused.status, refused.code) == (409, "CONFLICT")
    assert row_counts(cast.north) == before


# --- repetition ---


def test_repeated_batch_gets_the_same_answer(api, cast, send, rows):
    headers = {**cast.bob.headers, "Idempotency-Key": "k1"}
    first = send(words("One", "Two"), headers)
    api.say(cast.bob.headers, "s1", "Three")
    assert send(words("One", "Two"), headers).result == first.result
    assert said(rows()) == ["One", "Two", "Three"]
    assert send(words("One"), headers).status == 422


def test_refused_batch_may_be_sent_again_with_its_key(cast, send):
    headers = {**cast.bob.headers, "Idempotency-Key": "k1"}
    assert send(words("One", " "), headers).status == 400
    assert send(words("One", "Two"), headers).status == 200
