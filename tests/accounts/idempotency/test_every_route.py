"""Every writing route under an Idempotency-Key: done once, answered alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from accounts import tenancy
from tests.accounts.idempotency.kit import records
from tests.accounts.kit import (
    operations,
)
from tests.rows import row_counts, tables

ACCOUNT = "/admin/accounts/{account_id}"


SESSION = "/sessions/{session_id}"


CONTACT = "/contacts/{contact_id}"


MEMORY = "/memories/{memory_id}"


OF_USER = "/users/{user_id}/memory"


OF_AGENT = "/users/{user_id}/agents/{agent_id}/memory"


MESSAGE = {"role": "user", "content": "canary-of-a-message"}


CANARY = "canary"


# ROOT's account routes need none: account_id is their key. Two are not available yet. Resolving
# finds what it made before, and a preview changes nothing. /inbound takes a gateway's key: its test
# is in sessions_app/inbound.
WITHOUT = {
    ("POST", "/admin/accounts"),
    ("PATCH", ACCOUNT),
    ("DELETE", ACCOUNT),
    ("POST", f"{SESSION}/extract"),
    ("POST", "/system/wait"),
    ("POST", "/contacts/resolve"),
    ("POST", "/inbound"),
    ("POST", f"{ACCOUNT}/policy/preview"),
}


@dataclass(frozen=True)
class Write:
    """A write, another one to the same address, and how it is refused."""

    method: str
    path: str
    body: Any = None
    other: Any = field(default_factory=lambda: {"title": "Another"})
    secret: bool = False
    refused: tuple[Any, int] | None = None  # a body, and the status that it gets


WRITES = [
    Write("POST", f"{ACCOUNT}/users", {"user_id": "canary-user"}, {"user_id": "other"}, secret=True,
          refused=({"user_id": "bob"}, 409)),
    Write("DELETE", f"{ACCOUNT}/users/{{user_id}}"),
    Write("PUT", f"{ACCOUNT}/users/{{user_id}}/role", {"role": "admin"}, {"role": "user"},
          refused=({"role": "root"}, 400)),
    Write("POST", f"{ACCOUNT}/users/{{user_id}}/key", secret=True),
    Write("POST", f"{ACCOUNT}/keys", {"user_id": "bob", "name": "canary-key"},
          {"user_id": "bob", "name": "other"}, secret=True,
          refused=({"user_id": "bob", "name": "default"}, 400)),
    Write("DELETE", f"{ACCOUNT}/keys/{{key_id}}"),
    Write("PUT", f"{ACCOUNT}/policy",
          {"sessions_visible_to": "participants", "reason": "canary-reason"},
          {"sessions_visible_to": "account"}, refused=({"sessions_visible_to": "nobody"}, 400)),
    Write("POST", f"{ACCOUNT}/policy/revert", {"reason": "canary-reason"}, {"reason": "Another"},
          refused=({"version": 99}, 409)),
    Write("PATCH", f"{ACCOUNT}/settings", {"max_users": 77}, {"max_users": 78},
          refused=({"max_users": 0}, 400)),
    Write("POST", "/sessions", {"title": "canary-title"}, refused=({"title": "x" * 301}, 400)),
    Write("POST", "/sessions/start", {"title": "canary-title", "force_new": True},
          refused=({"thread_key": ""}, 400)),
    Write("PATCH", SESSION, {"title": "canary-title"}, refused=({"state": "gone"}, 400)),
    Write("DELETE", SESSION),
    Write("POST", f"{SESSION}/messages", MESSAGE, {**MESSAGE, "content": "Another"},
          refused=({**MESSAGE, "content": " "}, 400)),
    Write("POST", f"{SESSION}/messages/batch", {"messages": [MESSAGE, MESSAGE]},
          {"messages": [MESSAGE]}, refused=({"messages": []}, 400)),
    Write("POST", f"{SESSION}/used", {"contexts": ["canary-context"], "skill": {"a": 1}},
          {"contexts": []}, refused=({"contexts": 5}, 422)),
    Write("POST", f"{SESSION}/commit", {"keep_recent_count": 0}, {"keep_recent_count": 1},
          refused=({"keep_recent_count": -1}, 400)),
    Write("POST", f"{SESSION}/archives/{{archive_id}}/retry"),
    Write("POST", f"{SESSION}/archives/{{archive_id}}/skip"),
    Write("POST", "/agents", {"agent_id": "canary-agent"}, {"agent_id": "other"},
          refused=({"agent_id": "root"}, 400)),
    Write("PATCH", "/agents/{agent_id}", {"display_name": "canary-name"}, {"display_name": "Max"},
          refused=({"memory_system": "none"}, 400)),
    Write("DELETE", "/agents/{agent_id}"),
    Write("POST", "/tasks/{task_id}/cancel"),
    Write("POST", "/contacts", {"display_name": "canary-name"}, {"display_name": "Eli"},
          refused=({"kind": "robot"}, 400)),
    Write("PATCH", CONTACT, {"notes": "canary-notes"}, {"notes": ""},
          refused=({"display_name": "x" * 201}, 400)),
    Write("DELETE", CONTACT),
    Write("POST", f"{CONTACT}/merge", {"into": "{into}"}, {"into": "{contact_id}"},
          refused=({"into": "{contact_id}"}, 409)),
    Write("POST", f"{CONTACT}/unmerge"),
    Write("POST", f"{CONTACT}/handles", {"platform": "web", "platform_id": "canary-id"},
          {"platform": "web", "platform_id": "other"}, refused=({"platform": "web",
          "platform_id": " "}, 400)),
    Write("DELETE", f"{CONTACT}/handles/{{handle_id}}"),
    Write("POST", f"{CONTACT}/handles/{{handle_id}}/bind", {"user_id": "bob"}, {"user_id": "beth"},
          refused=({"user_id": "a b"}, 400)),
    Write("POST", f"{CONTACT}/handles/{{handle_id}}/unbind"),
    Write("POST", "/handles/code", secret=True),
    Write("PUT", f"{CONTACT}/consent", {"state": "granted", "channel": "canary-channel"},
          {"state": "withdrawn"}, refused=({"state": "perhaps"}, 400)),
    Write("POST", "/memories", {"content": "canary-words", "topic_key": "canary-topic"},
          {"content": "Another"}, refused=({"content": " "}, 400)),
    Write("PATCH", MEMORY, {"content": "canary-words anew"}, {"content": "Another"},
          refused=({"kind": "canary"}, 400)),
    Write("DELETE", MEMORY),
    Write("POST", f"{MEMORY}/restore", {"version": 1}, {"version": 2},
          refused=({"version": 99}, 404)),
    Write("POST", f"{MEMORY}/quarantine"),
    Write("POST", f"{MEMORY}/release"),
    Write("DELETE", OF_USER),
    Write("DELETE", f"{OF_USER}/topics/{{topic}}"),
    Write("DELETE", OF_AGENT),
    Write("DELETE", f"{OF_AGENT}/topics/{{topic}}"),
]  # fmt: skip


NAMES = [f"{write.method} {write.path}" for write in WRITES]


def told(answer):
    """The result without what says which request it answered."""
    return {k: v for k, v in answer.result.items() if k != "trace_id"}


def test_every_writing_route_is_here():
    assert {(write.method, write.path) for write in WRITES} | WITHOUT == operations(writing=True)


@pytest.mark.parametrize("write", WRITES, ids=NAMES)
class TestEveryRoute:
    def test_a_repetition_gets_the_same_answer_and_writes_nothing(self, cast, send, write):
        first = send(write)
        assert first.status == 200, first.body
        before = row_counts(cast.north)
        for _ in range(2):
            again = send(write)
            if write.secret:
                assert (again.status, again.code) == (409, "CONFLICT")
            else:
                assert told(again) == told(first)
            assert row_counts(cast.north) == before

    def test_a_secret_is_not_told_again_but_named(self, send, write):
        first, again = send(write), send(write)
        if not write.secret:
            assert again.status == 200
            return
        secret = "code" if write.path.endswith("/code") else "user_key"
        assert first.result[secret] not in str(again.body)
        named = again.body["error"]["details"]["object"]
        if secret == "user_key":
            assert (write.body or {"user_id": "bob"})["user_id"] in named
        assert "user" in named or "key" in named or named == "code"

    def test_another_body_is_refused(self, cast, send, write):
        assert send(write).status == 200
        before = row_counts(cast.north)
        answer = send(write, body=write.other)
        assert (answer.status, answer.code) == (422, "INVALID_ARGUMENT")
        assert row_counts(cast.north) == before

    def test_a_long_key_is_refused(self, cast, send, write):
        send(write, "k" * 255)
        before = row_counts(cast.north)
        answer = send(write, "k" * 256)
        assert (answer.status, answer.code) == (400, "INVALID_ARGUMENT")
        assert row_counts(cast.north) == before

    def test_an_empty_key_is_none(self, cast, send, write):
        send(write, " ")
        assert records(cast.north) == 0

    def test_its_record_holds_no_words(self, cast, send, write):
        answer = send(write)
        assert answer.status == 200
        table = "principals_idempotencyrecord"
        assert table in tables(cast.north.schema_name)
        with tenancy.account(cast.north):
            kept = tenancy.fetch_rows(f"SELECT row_to_json(r)::text AS it FROM {table} r", {})
        by_message = write.path.endswith("/messages")  # its key lies on the message
        assert len(kept) == (0 if by_message else 1)
        text = "".join(row["it"] for row in kept)
        assert CANARY not in text
        for hidden in ("bob", "bwk_", "north", "participants"):
            assert hidden not in text


@pytest.mark.parametrize(
    "write",
    [write for write in WRITES if write.refused],
    ids=[name for name, write in zip(NAMES, WRITES, strict=True) if write.refused],
)
def test_a_refused_write_leaves_no_record(cast, send, write):
    send(write, key=None)  # what it needs is there
    before = row_counts(cast.north)
    body, status = write.refused
    for _ in range(2):
        assert send(write, "k2", body=body).status == status
    assert row_counts(cast.north) == before
