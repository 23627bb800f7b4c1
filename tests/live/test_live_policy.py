"""A policy that changes under readers: each answer is whole, under the policy that it names."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from tests.live import Server, result
from tests.memory.model import Caller, Said, Store

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

READERS, MEMORIES = 16, 24
CHANGES = ("tt", "ft", "revert", "tf", "ff", "revert", "revert", "tt", "tf", "ft", "revert", "ff")
USERS, AGENTS = ("bob", "beth"), ("ada", "default")
CALLERS = [Caller(user, agent) for user in USERS for agent in AGENTS]
FLAGS = ("isolate_user_scope_by_agent", "isolate_agent_scope_by_user")
# Who asked, the versions that the rows name, and the rows by id and address.
Answer = tuple[Caller, set[int], list[tuple[str, str]]]
UPDATES = """
SELECT n_tup_upd::int AS updated FROM pg_stat_user_tables
WHERE schemaname = current_schema() AND relname = 'memory_memory'
"""
PLACES = "SELECT id, ctid::text, xmin::text, version FROM memory_memory ORDER BY id"


def open_account(server: Server) -> tuple[str, dict[str, str], dict[str, dict[str, str]]]:
    """An account whose agents keep memories, which anybody may write; the keys of its users."""
    account_id, alice = server.account()
    with server.client(alice) as client:
        settings = {"agent_memory_writers": "anyone"}
        result(client.patch(f"/admin/accounts/{account_id}/settings", json=settings))
        result(client.post("/agents", json={"agent_id": "ada"}))
        for agent in AGENTS:
            result(client.patch(f"/agents/{agent}", json={"memory_system": "structured"}))
    return account_id, alice, {user: server.user(account_id, user) for user in USERS}


def fill(client, keys: dict[str, dict[str, str]]) -> dict[str, Said]:
    """Memories of each user with each agent, in each scope; what they are, by id."""
    kept = {}
    for number in range(MEMORIES):
        caller, scope = CALLERS[number % 4], ("user", "agent")[number // 4 % 2]
        body = {"content": f"Memory {number}.", "scope": scope}
        headers = {**keys[caller.who], "X-Bailiwick-Agent": caller.agent}
        made = result(client.post("/memories", json=body, headers=headers))
        kept[made["id"]] = Said(
            scope, caller.who, caller.agent, None, "facts", None, "", None, None, None
        )
    return kept


def expected(kept: dict[str, Said]) -> dict[tuple[str, Caller], list[tuple[str, str]]]:
    """(policy, caller) → the ids and addresses that it lists."""
    store, found = Store(), {}
    for code in ("ff", "ft", "tf", "tt"):
        store.policies.append(code)
        for caller in CALLERS:
            found[code, caller] = [
                (key, f"{store.root(said)}/memories/facts/{key}")
                for key, said in sorted(kept.items(), reverse=True)
                if store.sees(caller, said)
            ]
    return found


def updates(server: Server, account_id: str) -> int:
    """How many rows of memories were ever updated, as far as the server has told by now."""
    return server.rows(UPDATES, account_id)[0]["updated"]


def change(client, account_id: str, answers: list[Answer]) -> dict[int, str]:
    """Put policies in force and revert them, each once all readers may have asked under the one
    before; which version was which."""
    known, path = {1: "ff"}, f"/admin/accounts/{account_id}/policy"
    for code in CHANGES:
        enough = len(answers) + READERS
        while len(answers) < enough:
            time.sleep(0.01)
        if code == "revert":
            made = result(client.post(f"{path}/revert", json={"reason": "A race"}))
        else:
            flags = dict(zip(FLAGS, (letter == "t" for letter in code), strict=True))
            made = result(client.put(path, json={**flags, "reason": "A race"}))
        known[made["version"]] = "".join("ft"[made[name]] for name in FLAGS)
    return known


def test_each_answer_is_the_one_under_the_policy_that_it_names(server):
    account_id, alice, keys = open_account(server)
    done, answers = Event(), list[Answer]()
    with server.client() as client, server.client(alice) as admin:
        kept = fill(client, keys)
        before = server.rows(PLACES, account_id)

        def read(number: int) -> None:
            caller = CALLERS[number % 4]
            headers = {**keys[caller.who], "X-Bailiwick-Agent": caller.agent}
            while not done.is_set():
                rows = result(client.get("/memories", params={"limit": 200}, headers=headers))
                named = {row["policy_version"] for row in rows}
                answers.append((caller, named, [(row["id"], row["uri"]) for row in rows]))

        with ThreadPoolExecutor(READERS) as pool:
            reading = [pool.submit(read, number) for number in range(READERS)]
            try:
                known = change(admin, account_id, answers)
            finally:
                done.set()
            for future in reading:
                future.result()

    wanted = expected(kept)
    seen = set()
    for caller, versions, rows in answers:
        (version,) = versions
        assert rows == wanted[known[version], caller], (known[version], caller)
        seen.add(version)
    # It did change under them, and the policies differ to every caller.
    assert len(known) == len(CHANGES) + 1
    assert len(seen) > len(CHANGES) / 2
    assert {known[version] for version in seen} == {"ff", "ft", "tf", "tt"}
    for caller in CALLERS:
        assert len({str(rows) for (_, who), rows in wanted.items() if who == caller}) == 4
    assert server.rows(PLACES, account_id) == before


def test_no_memory_is_rewritten_by_a_preview_a_change_or_a_revert(server):
    """PostgreSQL's own counter; which one change of one memory does move."""
    account_id, alice, keys = open_account(server)
    path = f"/admin/accounts/{account_id}/policy"
    with server.client(alice) as client:
        kept = fill(client, keys)
        for code in ("tt", "ft", "tf"):
            flags = dict(zip(FLAGS, (letter == "t" for letter in code), strict=True))
            assert result(client.post(f"{path}/preview", json=flags))["lost"] > 0
            result(client.put(path, json=flags))
            result(client.post(f"{path}/revert"))
        result(client.patch(f"/memories/{min(kept)}", json={"content": "Changed."}))
        give_up = time.monotonic() + 15  # a process tells what it did once a second at most
        while not (updated := updates(server, account_id)) and time.monotonic() < give_up:
            client.get("/memories")  # a process that is idle tells nothing
            time.sleep(0.3)
        time.sleep(1.5)
        assert (updated, updates(server, account_id)) == (1, 1)
