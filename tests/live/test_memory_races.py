"""Memories written by many at once, against two server processes."""

from __future__ import annotations

import time
from collections import Counter
from itertools import count
from random import Random
from threading import Event

import pytest

from tests.live import Server, at_once, result

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

MANY, TURNS = 32, 20
STATES = "SELECT state, topic_key, version FROM memory_memory"
VERSIONS = "SELECT memory_id::text AS id, version, content FROM memory_version ORDER BY 1, 2"
TAKEN = "SELECT count(*)::int AS n FROM memory_memory WHERE state = 'active' AND topic_key = 't'"


def open_account(server: Server) -> tuple[str, dict[str, str], dict[str, str]]:
    """An account whose agent keeps memories; the keys of Alice and Bob."""
    account_id, alice = server.account()
    with server.client(alice) as client:
        result(client.patch("/agents/default", json={"memory_system": "structured"}))
    return account_id, alice, server.user(account_id, "bob")


def versions(server: Server, account_id: str) -> dict[str, list[str]]:
    """id → what it said, one version after the other; none is missing."""
    found: dict[str, list[str]] = {}
    for row in server.rows(VERSIONS, account_id):
        found.setdefault(row["id"], []).append(row["content"])
        assert row["version"] == len(found[row["id"]])
    return found


@pytest.mark.parametrize("known", [True, False], ids=["topic there", "first ones"])
def test_parallel_upserts_of_a_topic_keep_one_memory_and_every_state(server, known):
    account_id, alice, bob = open_account(server)
    with server.client() as client:
        if known:
            first = {"topic_key": "t", "content": "First."}
            result(client.post("/memories", json=first, headers=bob))

        def upsert(number: int) -> dict:
            headers = (bob, {**alice, "X-Bailiwick-User": "bob"})[number % 2]
            body = {"topic_key": "t", "content": f"Said {number}."}
            return result(client.post("/memories", json=body, headers=headers))

        made = at_once(upsert, MANY)
    assert len({one["id"] for one in made}) == 1
    assert Counter(one["created"] for one in made)[True] == (0 if known else 1)
    (row,) = server.rows(STATES, account_id)
    assert row == {"state": "active", "topic_key": "t", "version": MANY + known}
    (said,) = versions(server, account_id).values()
    assert Counter(said[known:]) == Counter(f"Said {number}." for number in range(MANY))


def test_parallel_restores_onto_a_topic_bring_back_one(server):
    account_id, _, bob = open_account(server)
    with server.client(bob) as client:
        made = []
        for number in range(8):
            body = {"topic_key": "t", "content": f"Said {number}."}
            made.append(result(client.post("/memories", json=body))["id"])
            result(client.delete(f"/memories/{made[-1]}"))
        answers = at_once(lambda number: client.post(f"/memories/{made[number]}/restore"), 8)
    assert Counter(one.status_code for one in answers) == {200: 1, 409: 7}
    assert server.rows(TAKEN, account_id) == [{"n": 1}]
    (back,) = (one for one in answers if one.status_code == 200)
    holders = {one.json()["error"]["details"]["holder"] for one in answers if one is not back}
    assert holders == {result(back)["id"]}


def test_everything_at_once_ends_well(server):
    """Upserts that supersede each other's memories lock rows in any order."""
    account_id, alice, bob = open_account(server)
    with server.client() as client:
        made = [
            result(
                client.post("/memories", json={"topic_key": f"t{n}", "content": "A."}, headers=bob)
            )
            for n in range(4)
        ]
        ids = [one["id"] for one in made]
        numbers = count()

        def act(worker: int) -> Counter[int]:
            random, statuses = Random(worker), Counter()
            for _ in range(TURNS):
                one, others = random.choice(ids), random.sample(ids, 2)
                new = {"content": f"Said {next(numbers)}.", "topic_key": f"t{random.randrange(4)}"}
                method, path, body = random.choice(
                    [
                        ("DELETE", f"/memories/{one}", None),
                        ("POST", f"/memories/{one}/restore", {}),
                        ("POST", f"/memories/{one}/restore", {"version": 1}),
                        ("POST", "/memories", new),
                        ("POST", "/memories", {**new, "supersedes": others}),
                        ("POST", "/memories", {**new, "supersedes": others[::-1]}),
                        ("PATCH", f"/memories/{one}", new),
                        ("DELETE", "/users/bob/memory", None),
                    ]
                )
                headers = random.choice([bob, {**alice, "X-Bailiwick-User": "bob"}])
                answer = client.request(method, path, json=body, headers=headers)
                statuses[answer.status_code] += 1
            return statuses

        statuses = sum(at_once(act, 16), Counter())
    assert statuses.keys() <= {200, 400, 404, 409, 412, 503}, statuses
    assert statuses[503] < statuses[200], statuses  # a deadlock ends one of two
    found = versions(server, account_id)
    assert set(ids) <= found.keys()
    active = [
        row["topic_key"] for row in server.rows(STATES, account_id) if row["state"] == "active"
    ]
    assert len(active) == len(set(active))


def hidden(client, headers: dict[str, str]) -> Counter[str | None]:
    """What hides how many of the memories that one lists."""
    counts: Counter[str | None] = Counter()
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": 200, **({"cursor": cursor} if cursor else {})}
        answer = client.get("/memories", params=query, headers=headers)
        counts.update(row["hidden_by"] for row in result(answer))
        cursor = answer.json()["page"]["next"]
    return counts


def test_what_was_remembered_while_the_gate_closed_is_hidden(server):
    _, alice, bob = open_account(server)
    closed = Event()
    with server.client() as client:

        def switch(memory_system: str) -> None:
            body = {"memory_system": memory_system}
            result(client.patch("/agents/default", json=body, headers=alice))

        def remember(number: int) -> Counter[int]:
            statuses: Counter[int] = Counter()
            if number == 0:
                time.sleep(1)
                switch("summarization")
                closed.set()
                return statuses
            for turn in range(200):
                late = closed.is_set()
                body = {"content": f"Said {number}.{turn}"}
                status = client.post("/memories", json=body, headers=bob).status_code
                assert status == 412 or not late  # the switch binds at once, on every process
                statuses[status] += 1
                if late:
                    break
            return statuses

        statuses = sum(at_once(remember, 17), Counter())
        assert statuses.keys() == {200, 412}

        assert hidden(client, bob) == {"gate": statuses[200]}
        switch("structured")
        assert hidden(client, bob) == {None: statuses[200]}
