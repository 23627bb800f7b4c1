"""Get-or-create and redelivery, many at once, against two server processes."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.live import at_once, new_id, result

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

MANY = 32


@pytest.mark.parametrize("thread", [None, "order-4711"])
def test_parallel_starts_make_one_session(server, thread):
    _, alice = server.account()
    with server.client(alice) as client:
        body = {"thread_key": thread, "agent_id": "ada"}
        answers = at_once(lambda _: result(client.post("/sessions/start", json=body)), MANY)
        listed = result(client.get("/sessions"))
    assert len({answer["session_id"] for answer in answers}) == 1
    assert Counter(answer["is_existing"] for answer in answers) == {False: 1, True: MANY - 1}
    assert [row["session_id"] for row in listed] == [answers[0]["session_id"]]


def test_parallel_first_starts_of_a_contact_make_one_contact_and_one_session(server):
    account_id, alice = server.account()
    with server.client({**alice, "X-OpenViking-Actor-Peer": "walter"}) as client:
        answers = at_once(lambda _: result(client.post("/sessions/start")), MANY)
    assert len({(one["session_id"], one["contact_id"]) for one in answers}) == 1
    assert Counter(answer["is_existing"] for answer in answers)[False] == 1
    for table in ("principals_contact", "principals_contacthandle", "agent_sessions_session"):
        assert server.rows(f"SELECT count(*) FROM {table}", account_id) == [{"count": 1}]


def test_parallel_starts_of_many_threads_do_not_mix(server):
    _, alice = server.account()
    with server.client(alice) as client:

        def start(number: int) -> tuple[str, str]:
            made = result(client.post("/sessions/start", json={"thread_key": f"t{number % 4}"}))
            return made["thread_key"], made["session_id"]

        answers = at_once(start, MANY)
    assert len(set(answers)) == 4
    assert {thread for thread, _ in answers} == {"t0", "t1", "t2", "t3"}


def test_parallel_forced_starts_leave_one_that_is_current(server):
    account_id, alice = server.account()
    with server.client(alice) as client:
        body = {"force_new": True}
        answers = at_once(lambda _: client.post("/sessions/start", json=body), 16)
        assert {answer.status_code for answer in answers} == {200}
        current = "SELECT session_id FROM agent_sessions_session WHERE is_current"
        (row,) = server.rows(current, account_id)
        found = result(client.post("/sessions/start"))
    assert (found["session_id"], found["is_existing"]) == (row["session_id"], True)


def test_parallel_forced_starts_each_begin_anew(server):
    _, alice = server.account()
    with server.client(alice) as client:
        body = {"force_new": True}
        answers = at_once(lambda _: result(client.post("/sessions/start", json=body)), 16)
    assert Counter(answer["is_existing"] for answer in answers) == {False: 16}
    assert len({answer["session_id"] for answer in answers}) == 16


def test_starting_races_with_ending(server):
    _, alice = server.account()
    with server.client(alice) as client:
        for _ in range(20):
            old = result(client.post("/sessions/start"))["session_id"]

            def act(number: int, old: str = old) -> int:
                if number == 0:
                    end = client.patch(f"/sessions/{old}", json={"state": "ended"})
                    return end.status_code
                return client.post("/sessions/start").status_code

            assert set(at_once(act, 6)) == {200}
            assert result(client.post("/sessions/start"))["session_id"] != old


@pytest.mark.parametrize("known", [True, False], ids=["session there", "first message"])
def test_parallel_redeliveries_are_kept_once(server, known):
    _, alice = server.account()
    message = {"role": "user", "content": "Hello"}
    with server.client(alice) as client:
        if known:
            result(client.post("/sessions", json={"session_id": "s1"}))
        answers = at_once(
            lambda _: client.post(
                "/sessions/s1/messages", json=message, headers={"Idempotency-Key": "k1"}
            ),
            MANY,
        )
        assert {answer.status_code for answer in answers} == {200}
        made = [result(answer) for answer in answers]
        assert all(one == made[0] for one in made)
        kept = result(client.get("/sessions/s1/messages"))
        detail = result(client.get("/sessions/s1"))
    assert [row["id"] for row in kept] == [made[0]["message_id"]]
    assert (detail["message_count"], detail["pending_tokens"]) == (1, 2)


def test_parallel_different_messages_with_one_key_keep_one(server):
    _, alice = server.account()
    with server.client(alice) as client:
        answers = at_once(
            lambda number: client.post(
                "/sessions/s1/messages",
                json={"role": "user", "content": f"message {number % 2}"},
                headers={"Idempotency-Key": "k1"},
            ),
            16,
        )
        kept = result(client.get("/sessions/s1/messages"))
    assert len(kept) == 1
    assert Counter(answer.status_code for answer in answers) == {200: 8, 422: 8}


def test_parallel_commits_archive_each_message_once(server):
    account_id, alice = server.account()
    with server.client(alice) as client:
        for number in range(10):
            message = {"role": "user", "content": f"message {number}"}
            result(client.post("/sessions/s1/messages", json=message))

        def act(number: int) -> None:
            if number % 2:
                result(client.post("/sessions/s1/commit", json={"keep_recent_count": number % 3}))
            else:
                message = {"role": "user", "content": "later"}
                result(client.post("/sessions/s1/messages", json=message))

        at_once(act, 16)
        ranges = server.rows(
            "SELECT number, first_seq, last_seq FROM agent_sessions_archive ORDER BY number",
            account_id,
        )
        assert [row["number"] for row in ranges] == list(range(1, len(ranges) + 1))
        following = 1
        for row in ranges:
            assert row["first_seq"] == following
            following = row["last_seq"] + 1
        detail = result(client.get("/sessions/s1"))
        left = server.rows(
            f"SELECT count(*) FROM agent_sessions_message WHERE seq >= {following}", account_id
        )
        assert left[0]["count"] == 18 - following + 1
    texts = server.rows(
        f"SELECT text FROM agent_sessions_message WHERE seq >= {following}", account_id
    )
    assert detail["pending_tokens"] == sum(-(-len(row["text"]) // 4) for row in texts)


def test_parallel_commits_with_one_key_begin_one_task(server):
    account_id, alice = server.account()
    session_id = new_id("talk")
    with server.client(alice) as client:
        message = {"role": "user", "content": "Hello"}
        result(client.post(f"/sessions/{session_id}/messages", json=message))
        answers = at_once(
            lambda _: client.post(
                f"/sessions/{session_id}/commit", json={}, headers={"Idempotency-Key": "k1"}
            ),
            16,
        )
    # In flight: 409, to be sent again.
    assert {answer.status_code for answer in answers} <= {200, 409}
    tasks = {result(answer)["task_id"] for answer in answers if answer.status_code == 200}
    assert len(tasks) == 1
    assert None not in tasks
    assert server.rows("SELECT count(*) FROM agent_sessions_task", account_id) == [{"count": 1}]
