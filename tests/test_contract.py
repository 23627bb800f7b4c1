"""A client written for the existing system, unmodified: its paths, headers, bodies and statuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

OK_KEYS = {"status", "result", "error", "request_id"}
LIST_KEYS = {*OK_KEYS, "page"}
POLICIES = {"ff": (False, False), "ft": (False, True), "tf": (True, False), "tt": (True, True)}
DETAIL_KEYS = {
    *("session_id", "created_at", "updated_at", "created_by_user_id", "participant_user_ids"),
    *("participant_agent_ids", "participant_contact_ids", "message_count", "commit_count"),
    *("memories_extracted", "last_commit_at", "llm_token_usage", "embedding_token_usage"),
    *("pending_tokens", "user", "parent_session_id", "thread_key", "state", "memory_paused"),
}


@dataclass
class Client:
    """Sends what such a client sends: all context headers, always, and JSON's content type."""

    api: Any
    key: str
    account: str | None = None
    user: str | None = None
    agent: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        named = {"Account": self.account, "User": self.user, "Agent": self.agent}
        return {
            "X-API-Key": self.key,
            **{f"X-OpenViking-{name}": value for name, value in named.items() if value},
        }

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.api("POST", path, self.headers, body)
        assert answer.status == 200, answer.body
        assert set(answer.body) == OK_KEYS
        return answer.result

    def get(self, path: str, **query: str) -> Any:
        query_string = "&".join(f"{name}={value}" for name, value in query.items())
        path = f"{path}?{query_string}" if query else path
        answer = self.api.raw("GET", path, self.headers, b"", "application/json")
        assert answer.status == 200, answer.body
        assert set(answer.body) in (OK_KEYS, LIST_KEYS)
        assert (answer.body["status"], answer.body["error"]) == ("ok", None)
        return answer.result


@pytest.fixture
def root(api, cast):
    return Client(api, cast.root["X-API-Key"])


@pytest.fixture(params=POLICIES)
def acme(request, root):
    """An account made by root, its admin anna and its second user ben."""
    by_agent, by_user = POLICIES[request.param]
    made = root.post(
        "/admin/accounts",
        {
            "account_id": f"acme-{request.param}",
            "admin_user_id": "anna",
            "isolate_user_scope_by_agent": by_agent,
            "isolate_agent_scope_by_user": by_user,
        },
    )
    assert set(made) == {
        *("account_id", "admin_user_id", "user_key"),
        *("isolate_user_scope_by_agent", "isolate_agent_scope_by_user"),
    }
    assert (made["isolate_user_scope_by_agent"], made["isolate_agent_scope_by_user"]) == (
        by_agent,
        by_user,
    )
    anna = Client(root.api, made["user_key"], made["account_id"], "anna", "ada")
    registered = anna.post(f"/admin/accounts/{made['account_id']}/users", {"user_id": "ben"})
    assert (registered["account_id"], registered["user_id"]) == (made["account_id"], "ben")
    ben = Client(root.api, registered["user_key"], made["account_id"], "ben", "max")
    return anna, ben


def test_health(cast, client):
    answer = client.get("/health", headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], body["healthy"]) == ("ok", True)
    assert body["version"]


def test_account_is_listed_with_its_flags(acme, root):
    anna, _ = acme
    row = next(
        row for row in root.get("/admin/accounts", limit="200") if row["account_id"] == anna.account
    )
    assert row["user_count"] == 3  # anna, ben and the default user
    assert row["state"] == "active"
    by_agent, by_user = POLICIES[anna.account.removeprefix("acme-")]
    assert row["isolate_user_scope_by_agent"] is by_agent
    assert row["isolate_agent_scope_by_user"] is by_user


def test_users_are_listed(acme):
    anna, _ = acme
    rows = anna.get(f"/admin/accounts/{anna.account}/users")
    assert {(row["user_id"], row["role"], row["is_default"]) for row in rows} == {
        ("anna", "admin", False),
        ("ben", "user", False),
        ("default", "user", True),
    }


def test_shared_session_written_by_an_admin_is_read_by_the_other_user_and_agent(acme):
    anna, ben = acme
    made = anna.post("/sessions", {"session_id": "shared"})
    owner = {"account_id": anna.account, "user_id": "anna", "agent_id": "ada"}
    assert (made["session_id"], made["user"]) == ("shared", owner)
    for number, message in enumerate(
        (
            {"role": "user", "content": "Mine by default"},
            {"role": "assistant", "content": "Ada's by default"},
            {"role": "user", "content": "Said by Ben", "role_id": "ben"},
            {"role": "assistant", "content": "Said by Max", "role_id": "max"},
        ),
        start=1,
    ):
        done = anna.post("/sessions/shared/messages", message)
        assert (done["session_id"], done["message_count"], done["seq"]) == (
            "shared",
            number,
            number,
        )
        assert done["message_id"].startswith("msg_")
    detail = ben.get("/sessions/shared")
    assert set(detail) >= DETAIL_KEYS
    assert detail["user"] == owner
    assert detail["created_by_user_id"] == "anna"
    assert detail["participant_user_ids"] == ["anna", "ben"]
    assert detail["participant_agent_ids"] == ["ada", "max"]
    assert detail["message_count"] == 4
    context = ben.get("/sessions/shared/context", token_budget="4000")
    assert [message["role_id"] for message in context["messages"]] == ["anna", "ada", "ben", "max"]
    assert [message["parts"] for message in context["messages"]][:1] == [
        [{"type": "text", "text": "Mine by default"}]
    ]


def test_context_has_exactly_the_names_that_clients_read(acme):
    anna, _ = acme
    anna.post("/sessions/c/messages", {"role": "user", "content": "Hello"})
    context = anna.get("/sessions/c/context")
    assert set(context) == {
        *("latest_archive_overview", "pre_archive_abstracts", "messages"),
        *("estimatedTokens", "stats"),
    }
    assert set(context["messages"][0]) == {"id", "role", "role_id", "parts", "created_at"}
    assert context["stats"] == {
        "totalArchives": 0,
        "includedArchives": 0,
        "droppedArchives": 0,
        "failedArchives": 0,
        "activeTokens": 2,
        "archiveTokens": 0,
    }
    assert (context["latest_archive_overview"], context["pre_archive_abstracts"]) == ("", [])
    assert context["estimatedTokens"] == 2


def test_a_users_own_session(acme):
    _, ben = acme
    made = ben.post("/sessions", {})
    assert made["user"] == {"account_id": ben.account, "user_id": "ben", "agent_id": "max"}
    path = f"/sessions/{made['session_id']}"
    ben.post(f"{path}/messages", {"role": "user", "content": "Hello"})
    ben.post(f"{path}/messages", {"role": "assistant", "content": "Good morning"})
    context = ben.get(f"{path}/context")
    assert [message["role_id"] for message in context["messages"]] == ["ben", "max"]
    refused = ben.api(
        "POST",
        f"{path}/messages",
        ben.headers,
        {"role": "user", "content": "As Anna", "role_id": "anna"},
    )
    assert (refused.status, refused.code) == (400, "INVALID_ARGUMENT")
    assert set(refused.body) == OK_KEYS
    assert set(refused.body["error"]) == {"code", "message", "details"}
    assert len(ben.get(f"{path}/context")["messages"]) == 2


def test_session_list_and_messages_carry_a_cursor(acme):
    anna, _ = acme
    anna.post("/sessions/l/messages", {"role": "user", "content": "Hello"})
    for path in ("/sessions", "/sessions/l/messages"):
        answer = anna.api.get(path, anna.headers)
        assert set(answer.body) == LIST_KEYS
        assert answer.body["page"] == {"next": None}
    (row,) = anna.get("/sessions")
    assert (row["session_id"], row["is_dir"]) == ("l", True)
    assert row["uri"] == "viking://session/l"


def test_unknown_body_fields_are_ignored(acme):
    anna, _ = acme
    anna.post("/sessions", {"session_id": "u", "telemetry": True})
    anna.post("/sessions/u/messages", {"role": "user", "content": "Hello", "wait": False})
    anna.post(f"/admin/accounts/{anna.account}/users", {"user_id": "cleo", "color": "blue"})


def test_root_acts_for_a_user_with_the_same_headers(acme, root):
    anna, _ = acme
    as_ben = Client(root.api, root.key, anna.account, "ben", "ada")
    as_ben.post("/sessions/r/messages", {"role": "user", "content": "For Ben"})
    assert as_ben.get("/sessions/r")["created_by_user_id"] == "ben"
