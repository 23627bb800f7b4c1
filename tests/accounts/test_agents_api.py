"""`/agents`: registering, changing and deleting agents."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.principals.models import Agent, AuditEvent
from accounts.principals.services import agents
from tests.accounts.kit import contact_header, make_contact, peer_header
from tests.rows import row_counts

FACTS = {
    "agent_id": "Ada",
    "display_name": "Ada of the north",
    "memory_system": "structured",
    "session_scope": "per_sender",
}


@pytest.fixture
def create(api, cast):
    return lambda **fields: api.post("/agents", cast.alice.headers, {"agent_id": "Ada", **fields})


@pytest.fixture
def change(api, cast):
    return lambda **fields: api("PATCH", "/agents/ada", cast.alice.headers, fields)


@pytest.fixture
def delete(api, cast):
    return lambda agent_id="ada": api("DELETE", f"/agents/{agent_id}", cast.alice.headers)


def as_agent(headers, agent_id):
    return {**headers, "X-Bailiwick-Agent": agent_id}


def scope_of(account, agent_id):
    with tenancy.account(account):
        return Agent.objects.get(agent_id=agent_id).session_scope


def ids(account):
    with tenancy.account(account):
        return set(Agent.objects.values_list("agent_id", flat=True))


class TestReading:
    @pytest.mark.parametrize("who", ["alice", "bob", "root"])
    def test_by_everybody(self, api, cast, create, who):
        create()
        headers = cast.root_as("bob") if who == "root" else getattr(cast, who).headers
        listed = api.get("/agents", headers).result
        assert [row["agent_id"] for row in listed] == ["default", "Ada"]
        assert api.get("/agents/ADA", headers).result == listed[1]
        assert api.get("/agents", cast.charlie.headers).result[1:] == []
        assert api.get("/agents/ada", cast.charlie.headers).status == 404

    def test_who_first_named_it(self, api, cast, create):
        create()
        api.say(as_agent(cast.bob.headers, "max"), "s1")
        found = {
            row["agent_id"]: row["registered_by"]
            for row in api.get("/agents", cast.beth.headers).result
        }
        assert found == {"default": None, "Ada": "alice", "max": "bob"}

    def test_contacts_are_not_told_who(self, api, cast, create):
        create()
        headers = contact_header(cast.alice.headers, make_contact(cast.north, "telegram", "1"))
        assert api.get("/agents/ada", headers).result["registered_by"] is None

    @pytest.mark.parametrize("agent_id", ["absent", "019f7b9c-1234-7abc-8def-0123456789ab"])
    def test_what_is_not_there(self, api, cast, create, agent_id):
        create()
        for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
            answer = api(method, f"/agents/{agent_id}", cast.alice.headers, body)
            assert (answer.status, answer.code) == (404, "NOT_FOUND")

    @pytest.mark.parametrize("agent_id", ["two words", "x" * 65])
    def test_malformed_ids(self, api, cast, agent_id):
        for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
            answer = api(method, f"/agents/{agent_id}", cast.alice.headers, body)
            assert (answer.status, answer.code) == (400, "INVALID_ARGUMENT")

    def test_pages(self, api, cast, create):
        for number in range(3):
            create(agent_id=f"a{number}")
        first = api.get("/agents", cast.bob.headers, limit=3)
        second = api.get("/agents", cast.bob.headers, limit=3, cursor=first.body["page"]["next"])
        found = [row["agent_id"] for row in first.result + second.result]
        assert found == ["default", "a0", "a1", "a2"]
        assert second.body["page"]["next"] is None
        for query in ({"limit": 0}, {"limit": 201}, {"cursor": "garbage"}):
            assert api.get("/agents", cast.bob.headers, **query).status == 400


class TestMaking:
    def test_it_works(self, api, cast, create):
        made = create(**FACTS).result
        assert {**FACTS, "registered_by": "alice"}.items() <= made.items()
        assert api.get("/agents/ada", cast.bob.headers).result == made
        with tenancy.account(cast.north):
            event = AuditEvent.objects.get(action="agent.created")
            assert (event.target, event.data) == (Agent.objects.get(agent_id="Ada").pk, {})

    def test_defaults(self, create):
        made = create().result
        assert (made["display_name"], made["memory_system"], made["session_scope"]) == (
            "",
            "summarization",
            "global",
        )

    @pytest.mark.parametrize("spelling", ["Ada", "ada", "ADA"])
    def test_taken_in_any_case(self, cast, create, spelling):
        create()
        before = row_counts(cast.north)
        answer = create(agent_id=spelling)
        assert (answer.status, answer.code) == (409, "ALREADY_EXISTS")
        assert row_counts(cast.north) == before

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            *(
                ({"agent_id": reserved}, 400)
                for reserved in ("default", "DEFAULT", "test", "Root", "system", "memories",
                                 "skills", "instructions", "workspaces",
                                 "019f7b9c-1234-7abc-8def-0123456789ab", "0" * 32)
            ),
            ({"agent_id": "two words"}, 400),
            ({"agent_id": ""}, 400),
            ({"agent_id": "x" * 65}, 400),
            ({"agent_id": None}, 422),
            ({"agent_id": 5}, 422),
            ({"display_name": "x" * 201}, 400),
            ({"display_name": 5}, 422),
            ({"memory_system": "none"}, 400),
            ({"session_scope": "local"}, 400),
            ({"registered_by": "bob"}, 422),
        ],
        ids=lambda value: str(value)[:60],
    )  # fmt: skip
    def test_refusals(self, cast, create, fields, status):
        before = row_counts(cast.north)
        answer = create(**fields)
        assert (answer.status, answer.code) == (status, "INVALID_ARGUMENT")
        assert row_counts(cast.north) == before
        assert create().status == 200

    def test_an_account_takes_so_many_and_no_more(self, cast, create, monkeypatch):
        monkeypatch.setattr(agents, "MAX_AGENTS", 2)
        assert create().status == 200
        answer = create(agent_id="one-too-many")
        assert (answer.status, answer.code) == (429, "RESOURCE_EXHAUSTED")
        assert ids(cast.north) == {"default", "Ada"}


class TestWhoMayWrite:
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "/agents", {"agent_id": "max"}),
            ("PATCH", "/agents/ada", {"display_name": "Ada"}),
            ("DELETE", "/agents/ada", None),
        ],
    )
    def test_admins_only(self, api, cast, create, method, path, body):
        """By the real role, for whomever one acts."""
        create()
        before = row_counts(cast.north)
        for headers, status in (
            (cast.bob.headers, 403),
            ({**cast.bob.headers, "X-Bailiwick-Account": "north"}, 403),
            ({}, 401),
            ({**cast.charlie.headers, "X-Bailiwick-Account": "north"}, 403),
            (cast.root, 400),
        ):
            assert api(method, path, headers, body).status == status
        assert row_counts(cast.north) == before
        assert api(method, path, cast.alice_as("bob"), body).status == 200

    def test_root_may(self, api, cast, create):
        create()
        headers = cast.root_as("bob")
        assert api.post("/agents", headers, {"agent_id": "max"}).status == 200
        assert api("DELETE", "/agents/max", headers).status == 200


class TestChanging:
    def test_what_is_given(self, api, cast, create, change):
        create()
        for name in ("display_name", "memory_system", "session_scope"):
            assert change(**{name: FACTS[name]}).result[name] == FACTS[name]
        assert FACTS.items() <= api.get("/agents/ada", cast.bob.headers).result.items()
        for body in ({}, {"display_name": None}):
            assert FACTS.items() <= change(**body).result.items()

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            ({"display_name": "x" * 201}, 400),
            ({"memory_system": ""}, 400),
            ({"session_scope": "PER_SENDER"}, 400),
            ({"session_scope": 1}, 422),
            ({"agent_id": "max"}, 422),
            ({"display_name": "Ada", "session_scope": "none"}, 400),
        ],
        ids=lambda value: str(value)[:60],
    )
    def test_refusals(self, api, cast, create, change, fields, status):
        before = create().result, row_counts(cast.north)
        assert change(**fields).status == status
        assert (api.get("/agents/ada", cast.bob.headers).result, row_counts(cast.north)) == before
        assert change(display_name="Ada").status == 200

    def test_the_default_agent_too(self, api, cast):
        body = {"session_scope": "per_sender"}
        assert api("PATCH", "/agents/default", cast.alice.headers, body).status == 200
        assert scope_of(cast.north, "default") == "per_sender"


class TestDeleting:
    def test_it_works(self, cast, create, delete):
        create()
        assert delete().result == {"deleted": True}
        assert ids(cast.north) == {"default"}
        assert delete().status == 404
        assert create().status == 200

    @pytest.mark.parametrize("spelling", ["default", "DEFAULT"])
    def test_not_the_default_agent(self, cast, delete, spelling):
        answer = delete(spelling)
        assert (answer.status, answer.code) == (409, "CONFLICT")
        assert ids(cast.north) == {"default"}

    @pytest.mark.parametrize("how", ["a session of its own", "a message of its own"])
    def test_not_one_that_took_part(self, api, cast, create, delete, how):
        create()
        if how == "a session of its own":
            api.post("/sessions", as_agent(cast.bob.headers, "ada"), {"session_id": "s1"})
        else:
            api.say(cast.alice.headers, "s1", role="assistant", role_id="ada")
        before = row_counts(cast.north)
        answer = delete()
        assert (answer.status, answer.code) == (409, "CONFLICT")
        assert row_counts(cast.north) == before
        assert api("DELETE", "/sessions/s1", cast.alice.headers).status == 200
        assert delete().status == 200


class TestRegistrationByAdminsOnly:
    @pytest.fixture(autouse=True)
    def admins(self, api, cast):
        path = "/admin/accounts/north/settings"
        body = {"agent_registration": "admins"}
        assert api("PATCH", path, cast.alice.headers, body).status == 200

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/sessions/s1/messages", {"role": "user", "content": "Hello"}),
            ("/sessions", {}),
            ("/sessions/start", {}),
        ],
    )
    def test_a_user_names_none(self, api, cast, path, body):
        before = row_counts(cast.north)
        answer = api.post(path, as_agent(cast.bob.headers, "ada"), body)
        assert (answer.status, answer.code) == (403, "PERMISSION_DENIED")
        assert row_counts(cast.north) == before
        assert api.post(path, as_agent(cast.alice.headers, "ada"), body).status == 200
        assert api.post(path, as_agent(cast.bob.headers, "ada"), body).status == 200
        assert ids(cast.north) == {"default", "ada"}

    @pytest.mark.parametrize("path", ["/sessions", "/sessions/start"])
    def test_nor_in_the_body(self, api, cast, path):
        assert api.post(path, cast.bob.headers, {"agent_id": "ada"}).status == 403
        assert ids(cast.north) == {"default"}
        assert api.post(path, cast.root_as("bob"), {"agent_id": "ada"}).status == 200

    def test_reading_under_its_name_is_free(self, api, cast):
        assert api.get("/sessions", as_agent(cast.bob.headers, "ada")).status == 200
        assert ids(cast.north) == {"default"}


class TestSessionScopeOnSight:
    """First named together with a contact, it keeps senders apart; else it does not."""

    @pytest.fixture
    def contact(self, cast):
        return make_contact(cast.north, "telegram", "1")

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/sessions/s1/messages", {"role": "user", "content": "Hello"}),
            ("/sessions", {}),
            ("/sessions/start", {}),
        ],
    )
    def test_with_a_contact(self, api, cast, contact, path, body):
        alice = cast.alice.headers
        for agent, headers in (
            ("by-header", contact_header(alice, contact)),
            ("by-peer", peer_header(alice, "p1")),
            ("alone", alice),
        ):
            where = path.replace("s1", agent)
            assert api.post(where, as_agent(headers, agent), body).status == 200
        scopes = [scope_of(cast.north, agent) for agent in ("by-header", "by-peer", "alone")]
        assert scopes == ["per_sender", "per_sender", "global"]

    @pytest.mark.parametrize("path", ["/sessions", "/sessions/start"])
    def test_with_one_in_the_body(self, api, cast, contact, path):
        body = {"agent_id": "ada", "contact_id": str(contact)}
        assert api.post(path, cast.alice.headers, body).status == 200
        assert scope_of(cast.north, "ada") == "per_sender"

    def test_it_is_the_first_time_that_counts(self, api, cast, contact):
        api.say(as_agent(cast.alice.headers, "ada"), "s1")
        api.say(as_agent(contact_header(cast.alice.headers, contact), "ada"), "s2")
        assert scope_of(cast.north, "ada") == "global"
