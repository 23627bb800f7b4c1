"""Memories in the modes trusted and dev: who is registered, and who sees nothing yet."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.actor import Operator
from accounts.principals.models import Agent
from accounts.principals.services import account_create
from memory.models import Memory
from tests.accounts.modes.kit import users_of, vouched
from tests.memory.kit import agent_row, keep
from tests.rows import row_counts


@pytest.mark.usefixtures("structured")
class TestTrusted:
    @pytest.fixture(autouse=True)
    def trusted(self, settings):
        settings.AUTH_MODE = "trusted"
        settings.GATEWAY_KEYS = ()

    def test_a_memory_registers_its_user_and_is_theirs(self, api, cast, remember):
        made = remember(vouched("Carol"))
        assert (made["user_id"], made["written_by"]) == ("Carol", "Carol")
        assert "Carol" in users_of(cast.north)
        assert [row["id"] for row in api.get("/memories", vouched("carol")).result] == [made["id"]]
        assert api.get(f"/memories/{made['id']}", vouched("bob")).status == 404

    @pytest.mark.parametrize(
        ("body", "more", "status"),
        [
            ({"content": " "}, {}, 400),
            ({"session_id": "absent"}, {}, 404),
            ({"scope": "agent"}, {}, 403),
            ({"supersedes": ["019f7b9c-1234-7abc-8def-0123456789ab"]}, {}, 404),
            ({"evidence": [f"msg_{'1' * 32}"]}, {}, 404),
            ({}, {"X-Bailiwick-Agent": "quinn"}, 412),
            ({}, {"X-OpenViking-Actor-Peer": "p1"}, 412),
        ],
        ids=str,
    )
    def test_a_refused_one_registers_nobody(self, api, cast, remember, body, more, status):
        before = row_counts(cast.north)
        sent = {"content": "Takes tea.", **body}
        assert api.post("/memories", vouched("carol", **more), sent).status == status
        assert row_counts(cast.north) == before
        remember(vouched("carol"))

    def test_who_is_not_registered_sees_nothing_and_leaves_nothing(self, api, cast):
        """Not even what is shared: an agent's memory, under a policy that splits it by nobody."""
        with tenancy.account(cast.north):
            kept = keep(user="alice", scope="agent")
        before = row_counts(cast.north)
        for user, found in (("bob", [str(kept.pk)]), ("carol", [])):
            assert [row["id"] for row in api.get("/memories", vouched(user)).result] == found
            counts = api.get("/memories/facets", vouched(user)).result
            assert counts["total"] == len(found)
            read = api.get(f"/memories/{kept.pk}", vouched(user)).status
            assert read == (200 if found else 404)
        assert api.get("/users", vouched("carol")).result["users"] == []
        assert api.get("/users/carol/memory", vouched("carol")).status == 404
        assert row_counts(cast.north) == before

    def test_an_agent_that_is_not_registered_has_an_empty_namespace(self, api, cast):
        with tenancy.account(cast.north):
            keep(user="alice", scope="agent")
            keep(user="bob", content="own")
        quinn = vouched(**{"X-Bailiwick-Agent": "quinn"})
        found = api.get("/memories", quinn).result
        assert [row["content"] for row in found] == ["own"]
        why = api.get(f"/memories/{found[0]['id']}/why", quinn).result
        assert (why["visible"], why["listed"]) == (False, True)
        with tenancy.account(cast.north):
            assert not Agent.objects.filter(agent_id="quinn").exists()

    def test_an_admin_who_is_vouched_for_is_a_user(self, api, remember):
        made = remember(vouched("bob"))
        alice = vouched("alice")
        assert api.get(f"/memories/{made['id']}", alice).status == 404
        assert api.get("/users/bob/memory", alice).status == 403
        assert api.post(f"/memories/{made['id']}/quarantine", vouched("bob")).status == 403


def test_a_developer_writes_as_the_default_user(api, settings):
    account = account_create(actor=Operator(), account_id="default", admin_user_id="anna").ref
    settings.AUTH_MODE = "dev"
    settings.GATEWAY_KEYS = ()
    assert api.post("/memories", {}, {"content": "Takes tea."}).status == 412
    with tenancy.account(account):
        agent_row("default", "structured")
    made = api.post("/memories", {}, {"content": "Takes tea."}).result
    assert (made["user_id"], made["written_by"]) == ("default", "root")
    assert len(api.get("/users/default/memory").result) == 1
    assert api("DELETE", "/users/default/memory").result["topics_deleted"] == 1
    with tenancy.account(account):
        assert Memory.objects.get().state == "deleted"
