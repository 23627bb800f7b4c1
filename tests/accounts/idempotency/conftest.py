"""How the tests of Idempotency-Key send."""

from __future__ import annotations

import re

import pytest

from tests.accounts.idempotency.kit import keyed, new_contact, new_memory
from tests.memory.routes import open_gates


@pytest.fixture
def places(api, cast):
    """Ids of what a path names, made when it is first asked for."""
    alice, found = cast.alice.headers, {"account_id": "north", "user_id": "bob"}

    def session_id():
        api.say(alice, "canary-session", "canary-words")
        return "canary-session"

    def task_id():
        of("session_id")
        return api.post("/sessions/canary-session/commit", alice).result["task_id"]

    def archive_id():
        api.post(f"/tasks/{of('task_id')}/cancel", alice)
        return "archive_001"

    def agent_id():
        body = {"agent_id": "canary-max", "memory_system": "structured"}
        return api.post("/agents", alice, body).result["agent_id"]

    def key_id():
        body = {"user_id": "bob", "name": "second"}
        return api.post("/admin/accounts/north/keys", alice, body).result["key_id"]

    makers = (session_id, task_id, archive_id, agent_id, key_id)
    made_by = {maker.__name__: maker for maker in makers}
    made_by["contact_id"] = lambda: new_contact(api, alice, found)
    made_by["memory_id"] = lambda: new_memory(api, cast.alice_as("bob"), of("agent_id"))
    made_by["topic"] = lambda: of("memory_id") and "canary-topic"
    made_by["into"] = lambda: new_contact(api, alice, {})

    def of(name):
        if name not in found:
            found[name] = made_by[name]()
        return found[name]

    return of


@pytest.fixture
def send(api, cast, places):
    """send(write, key) → its answer, to addresses that are there."""

    undone = set()
    open_gates(cast.north)

    def before_undoing(path):
        """Once: what the route takes back must be there."""
        way = path.rpartition("/")[2]
        if way not in ("unmerge", "unbind", "revert") or way in undone:
            return
        undone.add(way)
        if way == "revert":
            policy, body = path.removesuffix("/revert"), {"sessions_visible_to": "participants"}
            assert api("PUT", policy, cast.alice.headers, body).status == 200
            return
        body = {"into": places("into")} if way == "unmerge" else {"user_id": "beth"}
        done = api.post(path.replace(f"/{way}", f"/{way[2:]}"), cast.alice.headers, body)
        assert done.status == 200

    def filled(body):
        return {
            name: places(value[1:-1]) if value in ("{into}", "{contact_id}") else value
            for name, value in body.items()
        }

    def call(write, key="free-key", body=None):
        names = re.findall(r"{(\w+)}", write.path)
        path = write.path.format(**{name: places(name) for name in names})
        before_undoing(path)
        headers = keyed(cast.alice.headers, key) if key else cast.alice.headers
        sent = body or write.body
        return api(write.method, path, headers, filled(sent) if sent else None)

    return call
