"""Uploads to a real server, and jobs that bring them in while their worker is killed."""

from __future__ import annotations

import random
import re
from contextlib import closing

import pytest

from tests.live import Server
from tests.live.quickstart import eventually
from tests.live.test_jobs import in_process, rescue  # noqa: F401 - a fixture
from tests.live.worker import Worker, working
from tests.memory.importers.fixtures_jsonl import line

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

SESSIONS, EACH = 60, 400
TOLD = "SELECT count(*)::int AS n FROM agent_sessions_session"
MESSAGES = """
    SELECT s.session_id, array_agg(m.text ORDER BY m.seq) AS texts
    FROM agent_sessions_message m JOIN agent_sessions_session s ON s.id = m.session_id GROUP BY 1
"""
STATE = "SELECT state, dry_run, sessions, messages, known FROM memory_import"


def talks(number: int) -> dict[str, list[str]]:
    return {f"gw_talk{n:02}": [f"{n}.{m}" for m in range(EACH)] for n in range(number)}


def send(client, path, files=(), **fields):
    """Post a form with files."""
    if "csrftoken" not in client.cookies:
        client.get("/sign-in")
    data = {"csrfmiddlewaretoken": client.cookies["csrftoken"], **fields}
    return client.post(path, data=data, files=[("files", file) for file in files])


def test_a_killed_worker_loses_and_doubles_nothing(server: Server, in_process):  # noqa: F811
    person = server.person()
    told = talks(SESSIONS)
    files = [
        (f"{key}.jsonl", b"\n".join(line("user", text) for text in texts))
        for key, texts in told.items()
    ]
    with server.pages(server.sign_in(person)) as client:
        answer = send(client, f"{person.home}/imports/new", files, format="jsonl")
        assert answer.status_code == 303, answer.text[-1000:]
        address = answer.headers["location"]
        with working(server):
            eventually(lambda: 'id="apply"' in client.get(address).text)
        assert send(client, f"{address}/apply").status_code == 303
        chance = random.Random(3)
        for _ in range(4):
            at = server.rows(TOLD, person.account_id)[0]["n"] + chance.randrange(1, 12)
            worker = Worker(server)
            eventually(lambda: server.rows(TOLD, person.account_id)[0]["n"] >= min(at, SESSIONS))  # noqa: B023
            worker.kill()
            rescue(server)
        with working(server):
            eventually(lambda: "What came in" in client.get(address).text)
    found = {row["session_id"]: row["texts"] for row in server.rows(MESSAGES, person.account_id)}
    assert found == told
    assert server.rows(STATE, person.account_id) == [
        {
            "state": "completed",
            "dry_run": False,
            "sessions": SESSIONS,
            "messages": SESSIONS * EACH,
            "known": 0,
        }
    ]


def test_twenty_megabytes_pass_where_files_belong_and_nowhere_else(server: Server):
    person = server.person()
    large = line("user", "Where is the key of the shed?") + b"\n"
    large *= 20_000_000 // len(large)
    with closing(server.pages(server.sign_in(person))) as client:
        answer = send(client, f"{person.home}/imports/new", [("gw_a.jsonl", large)], format="auto")
        assert answer.status_code == 303
        assert re.search(r"/imports/[0-9a-f-]{36}$", answer.headers["location"])
        refused = send(client, f"{person.home}/settings", [("gw_a.jsonl", large)])
        assert refused.status_code == 413
