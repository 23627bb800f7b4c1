"""Many at once, over HTTP, against two server processes."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain

import pytest

from tests.live import Server, at_once, new_id, result

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

MANY = 64

PARTICIPANTS = """
SELECT coalesce(u.user_id, a.agent_id) AS who, p.message_count, p.first_seq, p.last_seq
FROM agent_sessions_participant p
LEFT JOIN principals_user u ON u.id = p.user_id
LEFT JOIN principals_agent a ON a.id = p.agent_id
"""


def message(number: int) -> dict[str, str]:
    """Every fourth one is the agent's."""
    return {"role": "assistant" if number % 4 == 0 else "user", "content": f"message {number}"}


def all_messages(client, session_id: str) -> list[dict]:
    return result(client.get(f"/sessions/{session_id}/messages", params={"limit": 200}))


def check_whole(server: Server, account_id: str, client, session_id: str, answers: list) -> None:
    """Each append is there once, under the number it was told, and everyone's count is right."""
    made = [result(answer) for answer in answers]
    assert sorted(one["seq"] for one in made) == list(range(1, MANY + 1))
    kept = all_messages(client, session_id)
    assert [row["seq"] for row in kept] == list(range(1, MANY + 1))
    told = {(one["seq"], one["message_id"], f"message {n}") for n, one in enumerate(made)}
    assert {(row["seq"], row["id"], row["parts"][0]["text"]) for row in kept} == told
    assert result(client.get(f"/sessions/{session_id}"))["message_count"] == MANY

    spoke: dict[str, list[int]] = {}
    for row in kept:
        spoke.setdefault(row["role_id"], []).append(row["seq"])
    assert {
        row["who"]: (row["message_count"], row["first_seq"], row["last_seq"])
        for row in server.rows(PARTICIPANTS, account_id)
    } == {who: (len(seqs), min(seqs), max(seqs)) for who, seqs in spoke.items()}


def test_parallel_appends_lose_and_double_nothing(server):
    account_id, alice = server.account()
    bob = server.user(account_id, "bob")
    with server.client() as client:
        result(client.post("/sessions", json={"session_id": "shared"}, headers=alice))
        answers = at_once(
            lambda number: client.post(
                "/sessions/shared/messages",
                json=message(number),
                headers={**(alice, bob)[number % 2], "X-Bailiwick-Agent": "ada"},
            ),
            MANY,
        )
        client.headers.update(alice)
        check_whole(server, account_id, client, "shared", answers)
        detail = result(client.get("/sessions/shared"))
    assert sorted(detail["participant_user_ids"]) == ["alice", "bob"]
    assert detail["participant_agent_ids"] == ["ada"]


def test_parallel_first_messages_make_one_session(server):
    account_id, alice = server.account()
    bob = server.user(account_id, "bob")
    with server.client() as client:
        answers = at_once(
            lambda number: client.post(
                "/sessions/unheard-of/messages",
                json=message(number),
                headers=(alice, bob)[number % 2],
            ),
            MANY,
        )
        client.headers.update(alice)
        listed = result(client.get("/sessions"))
        assert [row["session_id"] for row in listed] == ["unheard-of"]
        assert result(client.get("/sessions/unheard-of"))["created_by_user_id"] in {"alice", "bob"}
        check_whole(server, account_id, client, "unheard-of", answers)


def test_parallel_first_messages_to_many_sessions_are_all_taken(server):
    _, alice = server.account()
    with server.client(alice) as client:
        for turn in range(24):
            path = f"/sessions/new-{turn}/messages"
            answers = at_once(lambda number: client.post(path, json=message(number)), 8)  # noqa: B023
            assert sorted(result(answer)["seq"] for answer in answers) == list(range(1, 9))


def test_parallel_creations_of_one_account_make_one(server):
    count_schemas = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'account\\_%'"
    before = server.rows(count_schemas)[0]["count"]
    account_id = new_id("race")
    with server.client(server.root) as client:
        answers = at_once(
            lambda number: client.post(
                "/admin/accounts",
                json={
                    "account_id": (account_id, account_id.upper())[number % 2],
                    "admin_user_id": "alice",
                },
            ),
            32,
        )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 31
    refused = [answer.json()["error"]["code"] for answer in answers if answer.status_code == 409]
    assert set(refused) == {"ALREADY_EXISTS"}
    assert server.rows(count_schemas)[0]["count"] == before + 1
    same = (
        f"SELECT ready, user_count FROM accounts_account WHERE lower(account_id) = '{account_id}'"
    )
    assert server.rows(same) == [{"ready": True, "user_count": 2}]

    made = next(result(answer) for answer in answers if answer.status_code == 200)
    with server.client({"X-API-Key": made["user_key"]}) as client:
        assert result(client.post("/sessions/s1/messages", json=message(1)))["seq"] == 1


def test_parallel_creations_of_one_user_make_one(server):
    account_id, alice = server.account()
    with server.client(alice) as client:
        answers = at_once(
            lambda number: client.post(
                f"/admin/accounts/{account_id}/users",
                json={"user_id": ("bob", "Bob")[number % 2]},
            ),
            16,
        )
        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 15
        users = result(client.get(f"/admin/accounts/{account_id}/users"))
    assert sorted(user["user_id"].lower() for user in users) == ["alice", "bob", "default"]
    counted = f"SELECT user_count FROM accounts_account WHERE account_id = '{account_id}'"
    assert server.rows(counted) == [{"user_count": 3}]
    made = next(result(answer) for answer in answers if answer.status_code == 200)
    with server.client({"X-API-Key": made["user_key"]}) as client:
        assert client.get("/sessions").status_code == 200


def test_parallel_first_mentions_of_an_agent_register_it_once(server):
    account_id, alice = server.account()
    with server.client(alice) as client:
        answers = at_once(
            lambda number: client.post(
                f"/sessions/s{number}/messages",
                json=message(number),
                headers={"X-Bailiwick-Agent": ("ada", "Ada")[number % 2]},
            ),
            32,
        )
        assert {answer.status_code for answer in answers} == {200}
        listed = result(client.get("/sessions", params={"limit": 200, "agent": "ada"}))
    assert len(listed) == 32
    agents = server.rows("SELECT agent_id FROM principals_agent", account_id)
    assert sorted(row["agent_id"].lower() for row in agents) == ["ada", "default"]
    told = "SELECT count(*) FROM principals_auditevent WHERE action = 'agent.registered'"
    assert server.rows(told, account_id) == [{"count": 1}]


def test_parallel_creations_of_one_session_make_one(server):
    _, alice = server.account()
    with server.client(alice) as client:
        answers = at_once(
            lambda number: client.post(
                "/sessions",
                json={"session_id": ("plan", "Plan")[number % 2], "title": f"Title {number}"},
            ),
            32,
        )
        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 31
        made = next(result(answer) for answer in answers if answer.status_code == 200)
        listed = result(client.get("/sessions"))
    assert [row["title"] for row in listed] == [made["title"]]


def test_readers_during_appends_never_see_a_gap(server):
    _, alice = server.account()
    with server.client(alice) as client:
        result(client.post("/sessions", json={"session_id": "busy"}))

        def write(_: int) -> None:
            for number in range(24):
                result(client.post("/sessions/busy/messages", json=message(number)))

        def read(writing: Future) -> list[int]:
            counts = []
            while True:
                last_look = writing.done()
                told = result(client.get("/sessions/busy"))["message_count"]
                seqs = [row["seq"] for row in all_messages(client, "busy")]
                assert seqs == list(range(1, len(seqs) + 1))
                assert len(seqs) >= told
                counts.append(len(seqs))
                if last_look:
                    return counts

        with ThreadPoolExecutor(5) as pool:
            writing = pool.submit(at_once, write, 4)
            readers = [pool.submit(read, writing) for _ in range(4)]
            writing.result()
            looks = [reader.result() for reader in readers]
    for counts in looks:
        assert counts == sorted(counts)
        assert counts[-1] == 96
    assert len(set(chain.from_iterable(looks))) > 2, "the readers never met the writers"
