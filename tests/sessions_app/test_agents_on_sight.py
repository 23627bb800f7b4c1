"""Agents are registered on sight, by committed writes only (isolation.md, Registration)."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.principals.models import Agent, AuditEvent
from accounts.principals.services import agents


def as_agent(member, agent_id):
    return {**member.headers, "X-Bailiwick-Agent": agent_id}


@pytest.fixture
def registered(cast):
    """The account's agents, but for the one that it is born with."""

    def ids(account=None):
        with tenancy.account(account or cast.north):
            rows = Agent.objects.order_by("created_at", "id").values_list("agent_id", flat=True)
            return [agent_id for agent_id in rows if agent_id != "default"]

    return ids


def test_by_a_message(api, cast, registered):
    assert api.say(as_agent(cast.bob, "ada"), "s1").status == 200
    assert registered() == ["ada"]
    assert registered(cast.south) == []


def test_by_making_a_session(api, cast, registered):
    assert api.post("/sessions", as_agent(cast.bob, "ada")).status == 200
    assert api.post("/sessions", cast.bob.headers, {"agent_id": "max"}).status == 200
    assert registered() == ["ada", "max"]


def test_by_an_admins_role_id(api, cast, registered):
    answer = api.say(cast.alice.headers, "s1", role="assistant", role_id="max")
    assert answer.status == 200
    assert registered() == ["max"]


def test_body_wins_over_the_header(api, cast, registered):
    made = api.post("/sessions", as_agent(cast.bob, "ada"), {"agent_id": "max"})
    assert made.result["user"]["agent_id"] == "max"
    assert registered() == ["max"]


def test_with_who_first_named_it(api, cast, registered):
    api.say(as_agent(cast.bob, "ada"), "s1")
    api.say(as_agent(cast.beth, "ada"), "s1")
    with tenancy.account(cast.north):
        row = Agent.objects.get(agent_id="ada")
        event = AuditEvent.objects.get(action="agent.registered", target=row.pk)
        assert str(row.registered_by) == str(event.actor)
        assert row.session_scope == "global"


@pytest.mark.parametrize(
    "path", ["/sessions", "/sessions/s1", "/sessions/s1/messages", "/sessions/s1/context"]
)
def test_never_by_a_read(api, cast, registered, path):
    api.say(cast.bob.headers, "s1")
    assert api.get(path, as_agent(cast.bob, "ada")).status == 200
    assert registered() == []


def test_never_by_a_refused_write(api, cast, registered):
    api.post("/sessions", cast.bob.headers, {"session_id": "taken"})
    headers = as_agent(cast.bob, "ada")
    for path, body, status in (
        ("/sessions", {"session_id": "taken"}, 409),
        ("/sessions", {"parent_session_id": "absent"}, 404),
        ("/sessions", {"title": "x" * 301}, 400),
        ("/sessions", {"title": 5}, 422),
        ("/sessions/s1/messages", {"role": "user", "content": " "}, 400),
        ("/sessions/s1/messages", {"role": "user"}, 422),
    ):
        assert api.post(path, headers, body).status == status
        assert registered() == []
    assert api.post("/sessions", headers, {"session_id": "free"}).status == 200
    assert registered() == ["ada"]


def test_case_is_ignored_and_the_first_spelling_kept(api, cast, registered):
    for spelling in ("Ada", "ada", "ADA"):
        made = api.post("/sessions", as_agent(cast.bob, spelling))
        assert made.result["user"]["agent_id"] == "Ada"
    assert registered() == ["Ada"]


@pytest.mark.parametrize(
    "agent_id",
    [
        *("test", "Test", "root", "ROOT", "system", "memories", "Skills", "instructions"),
        *("workspaces", "00000000-0000-0000-0000-000000000000", "0" * 32),
        "019f7b9c-1234-7abc-8def-0123456789ab",
    ],
)
def test_reserved_ids_are_refused(api, cast, registered, agent_id):
    assert api.say(as_agent(cast.bob, agent_id), "s1").status == 400
    assert api.post("/sessions", as_agent(cast.bob, agent_id)).status == 400
    assert api.post("/sessions", cast.bob.headers, {"agent_id": agent_id}).status == 400
    assert api.get("/sessions/s1", cast.bob.headers).status == 404
    assert registered() == []
    assert api.say(as_agent(cast.bob, f"a{agent_id[:62]}"), "s1").status == 200


@pytest.mark.parametrize("spelling", ["default", "Default", "DEFAULT"])
def test_default_agent_is_always_there(api, cast, registered, spelling):
    made = api.post("/sessions", as_agent(cast.bob, spelling))
    assert made.result["user"]["agent_id"] == "default"
    assert registered() == []


@pytest.mark.parametrize("agent_id", ["two words", "a.b", "é", "x" * 65, "a/b"])
def test_malformed_ids_are_refused(api, cast, registered, agent_id):
    for answer in (
        api.say(as_agent(cast.bob, agent_id), "s1"),
        api.get("/sessions", as_agent(cast.bob, agent_id)),
        api.post("/sessions", cast.bob.headers, {"agent_id": agent_id}),
    ):
        assert answer.status == 400
    assert registered() == []


def test_an_account_takes_so_many_and_no_more(api, cast, registered, monkeypatch):
    monkeypatch.setattr(agents, "MAX_AGENTS", 3)  # with the default agent
    assert api.say(as_agent(cast.bob, "ada"), "s1").status == 200
    assert api.say(as_agent(cast.bob, "max"), "s1").status == 200
    for answer in (
        api.say(as_agent(cast.bob, "one-too-many"), "s2"),
        api.post("/sessions", as_agent(cast.bob, "one-too-many"), {"session_id": "s2"}),
        api.say(cast.alice.headers, "s2", role="assistant", role_id="one-too-many"),
    ):
        assert (answer.status, answer.code) == (429, "RESOURCE_EXHAUSTED")
        assert int(answer.headers["Retry-After"]) > 0
    assert api.get("/sessions/s2", cast.bob.headers).status == 404
    assert registered() == ["ada", "max"]
    assert api.say(as_agent(cast.bob, "max"), "s2").status == 200
    assert api.say(as_agent(cast.charlie, "ada"), "s2").status == 200


def test_the_limit_is_a_thousand():
    assert agents.MAX_AGENTS == 1_000
