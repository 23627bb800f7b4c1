"""`/users/{uid}/memory…`: who controls what is kept of a user, and what a wipe takes along."""

from __future__ import annotations

import re

import pytest
from django.db import transaction

from accounts import tenancy
from accounts.principals.models import Agent, AuditEvent, User
from memory.models import Extraction, Memory
from tests.accounts.kit import contact_header, make_contact, with_key
from tests.memory.kit import agent_row

LIST, TOPIC = "/users/{}/memory", "/users/{}/memory/topics/tea"
ROUTES = [
    ("GET", LIST), ("DELETE", LIST), ("GET", TOPIC), ("DELETE", TOPIC),
    ("GET", "/users/{}/memory/audit"), ("GET", "/users/{}/memory/export"),
    ("GET", "/users/{}/agents/default/memory"), ("DELETE", "/users/{}/agents/default/memory"),
    ("GET", "/users/{}/agents/default/memory/topics/tea"),
    ("DELETE", "/users/{}/agents/default/memory/topics/tea"),
]  # fmt: skip
each_route = pytest.mark.parametrize(("method", "path"), ROUTES)


NOBODY = (
    *("test", "TEST", "nil", "none", "00000000-0000-0000-0000-000000000000", "a b", "x" * 65, "."),
    "019f7b9c-1234-7abc-8def-0123456789ab",
)


@pytest.fixture
def kept(cast, remember):
    """Of Bob: two topics and a fact with `default`, one with `ada`; an agent's, and Beth's."""
    bob, ada = cast.bob.headers, with_key(cast.bob.key, agent="ada")
    return {
        "tea": remember(bob, "tea", topic_key="tea"),
        "cake": remember(bob, "cake", topic_key="cake"),
        "fact": remember(bob, "fact"),
        "ada": remember(ada, "tea with ada", topic_key="tea"),
        "agent": remember(cast.alice.headers, "agent", scope="agent", topic_key="tea"),
        "beth": remember(cast.beth.headers, "beth", topic_key="tea"),
    }


@pytest.fixture
def states(cast):
    """states() → the words of each memory that is not deleted."""

    def living():
        with tenancy.account(cast.north):
            rows = Memory.objects.exclude(state="deleted").order_by("id")
            return list(rows.values_list("content", flat=True))

    return living


@pytest.fixture
def bound(api, cast):
    """A key of Bob's that is bound to ada."""
    body = {"user_id": "bob", "name": "second", "agents": ["ada"]}
    made = api.post("/admin/accounts/north/keys", cast.alice.headers, body).result
    return with_key(made["user_key"])


@pytest.mark.usefixtures("kept")
class TestWhoMay:
    @each_route
    def test_oneself_an_admin_and_root_for_whom_it_names(self, api, cast, method, path):
        for headers, status in (
            (cast.bob.headers, 200),
            (cast.alice.headers, 200),
            (cast.alice_as("beth"), 200),
            (cast.root_as("bob"), 200),
            (cast.beth.headers, 403),
            (cast.root_as("beth"), 403),
            (cast.charlie.headers, 404),
            (cast.root, 400),
            ({}, 401),
        ):
            with transaction.atomic():
                assert api(method, path.format("Bob"), headers).status == status
                transaction.set_rollback(True)

    @each_route
    def test_what_is_ones_own_is_read_without_a_note(self, api, cast, method, path):
        for headers, notes in ((cast.bob.headers, 0), (cast.alice.headers, 1)):
            answer = api(method, path.format("bob"), headers)
            assert answer.status == 200 or (method == "DELETE" and answer.status == 404)
            with tenancy.account(cast.north):
                found = AuditEvent.objects.filter(action="read.memories").count()
            assert found == (0 if method == "DELETE" or path.endswith("/audit") else notes)

    @each_route
    def test_another_users_are_refused_without_a_look(self, api, cast, method, path):
        """The same for a user who is there and for one who is not."""
        assert api("GET", LIST.format("bob"), cast.bob.headers).status == 200
        refusals = [
            api(method, path.format(user_id), cast.bob.headers) for user_id in ("beth", "nobody")
        ]
        assert [answer.status for answer in refusals] == [403, 403]
        assert refusals[0].body["error"] == refusals[1].body["error"]

    @each_route
    def test_what_means_nobody_is_no_user(self, api, cast, method, path):
        for user_id in NOBODY:
            for headers in (cast.bob.headers, cast.alice.headers, cast.root_as("bob")):
                answer = api(method, path.format(user_id), headers)
                assert (answer.status, answer.code) == (400, "INVALID_ARGUMENT"), user_id

    def test_a_user_that_is_not_there_and_one_that_has_nothing(self, api, cast):
        for user_id, status in (("nobody", 404), ("alice", 200), ("default", 200)):
            assert api.get(LIST.format(user_id), cast.alice.headers).status == status

    def test_an_admins_look_is_noted_where_the_user_reads_it(self, api, cast):
        api.get(LIST.format("alice"), cast.alice.headers)
        with tenancy.account(cast.north):
            looks = AuditEvent.objects.filter(action="read.memories")
            assert not looks.exists()
            bob = User.objects.get(user_id="bob").pk
        for _ in range(2):
            assert api.get(LIST.format("bob"), cast.alice.headers).status == 200
        with tenancy.account(cast.north):
            assert looks.get().target == bob


@pytest.mark.usefixtures("kept")
class TestBoundKeys:
    def test_reach_all_while_the_policy_does_not_split(self, api, bound):
        assert len(api.get(LIST.format("bob"), bound).result) == 4

    def test_reach_their_agents_where_it_does(self, api, bound, set_policy, states):
        set_policy(isolate_user_scope_by_agent=True)
        found = api.get(LIST.format("bob"), bound).result
        assert [row["content"] for row in found] == ["tea with ada"]
        assert len(api.get("/users/bob/memory/export", bound).body["memories"]) == 1
        assert api("DELETE", LIST.format("bob"), bound).result["agent_topics_deleted"] == 1
        assert states() == ["tea", "cake", "fact", "agent", "beth"]

    def test_name_no_other_agent(self, api, bound):
        assert api.get("/users/bob/agents/default/memory", bound).status == 403
        assert api.get("/users/bob/agents/ADA/memory", bound).status == 200


@pytest.mark.usefixtures("kept")
class TestContacts:
    @pytest.fixture
    def contact(self, cast, remember, set_settings):
        set_settings(contact_consent="opt_out")
        row = make_contact(cast.north, "telegram", "1", owner="bob")
        remember(contact_header(cast.alice.headers, row), "of the contact", topic_key="tea")
        return row

    @pytest.mark.usefixtures("contact")
    def test_are_part_of_their_owner(self, api, cast):
        assert len(api.get(LIST.format("bob"), cast.bob.headers).result) == 5

    def test_who_is_named_narrows(self, api, cast, contact, states):
        other = make_contact(cast.north, "telegram", "2", owner="bob")
        alice = cast.alice.headers
        for row, count in ((contact, 1), (other, 0)):
            found = api.get(LIST.format("bob"), contact_header(alice, row)).result
            assert len(found) == count
        wiped = api("DELETE", LIST.format("bob"), contact_header(alice, other)).result
        assert wiped["topics_deleted"] == 0
        wiped = api("DELETE", LIST.format("bob"), contact_header(alice, contact)).result
        assert wiped["topics_deleted"] == 1
        assert states() == ["tea", "cake", "fact", "tea with ada", "agent", "beth"]

    def test_a_key_that_needs_one_is_refused_without(self, api, cast, contact):
        body = {"user_id": "bob", "name": "channel", "scopes": ["read", "gateway"]}
        made = api.post(
            "/admin/accounts/north/keys", cast.alice.headers, {**body, "contact_required": True}
        ).result
        headers = with_key(made["user_key"])
        for path in (LIST.format("bob"), "/memories", "/memories/facets"):
            assert api.get(path, headers).status == 400
            assert len(api.get(path, contact_header(headers, contact)).result) > 0


@pytest.mark.usefixtures("kept")
class TestTopics:
    @pytest.mark.parametrize(
        "topic", ["audit", "export", "a/b/c", "audit/export", "Café — 茶", "50%", "a b"]
    )
    def test_any_name_is_reachable(self, api, cast, remember, topic):
        remember(cast.bob.headers, topic_key=topic)
        path = f"/users/bob/memory/topics/{topic.replace('%', '%25')}"
        found = api.get(path, cast.bob.headers).result
        assert (found["user_id"], found["topic"]) == ("bob", topic)
        assert [row["topic_key"] for row in found["memories"]] == [topic]
        assert api("DELETE", path, cast.bob.headers).result["topics_deleted"] == 1
        assert api.get(path, cast.bob.headers).status == 404
        assert api("DELETE", path, cast.bob.headers).status == 404

    def test_with_any_agent_or_with_one(self, api, cast):
        found = api.get(TOPIC.format("bob"), cast.bob.headers).result["memories"]
        assert [row["content"] for row in found] == ["tea with ada", "tea"]
        path = "/users/bob/agents/ada/memory/topics/tea"
        found = api.get(path, cast.bob.headers).result["memories"]
        assert [row["content"] for row in found] == ["tea with ada"]
        assert api.get(path.replace("ada", "absent"), cast.bob.headers).status == 404

    def test_deleting_one_leaves_the_others_and_the_runs(self, api, cast, states):
        with tenancy.account(cast.north):
            extraction()
        wiped = api("DELETE", TOPIC.format("bob"), cast.bob.headers).result
        assert wiped == {
            "user_id": "bob",
            "topics_deleted": 1,
            "agent_topics_deleted": 1,
            "extractions_deleted": 0,
        }
        assert states() == ["cake", "fact", "agent", "beth"]


def extraction(user_id="bob", agent_id="default"):
    """A run, as producers will leave it; inside the account."""
    return Extraction.objects.create(
        user=User.objects.get(user_id=user_id),
        agent=Agent.objects.get(agent_id=agent_id),
        first_seq=1,
        last_seq=4,
        state="completed",
        memories=2,
    )


@pytest.mark.usefixtures("kept")
class TestWipe:
    def test_counts_and_what_stays(self, api, cast, kept, states):
        with tenancy.account(cast.north):
            extraction()
            extraction("beth")
        api("DELETE", f"/memories/{kept['cake']['id']}", cast.bob.headers)
        with tenancy.account(cast.north):
            Memory.objects.filter(pk=kept["fact"]["id"]).update(state="quarantined")
        wiped = api("DELETE", LIST.format("bob"), cast.bob.headers).result
        assert wiped == {
            "user_id": "bob",
            "topics_deleted": 2,
            "agent_topics_deleted": 1,
            "extractions_deleted": 1,
        }
        assert states() == ["agent", "beth"]
        again = api("DELETE", LIST.format("bob"), cast.bob.headers).result
        assert [number for number in again.values() if number != "bob"] == [0, 0, 0]
        with tenancy.account(cast.north):
            assert Extraction.objects.get().user.user_id == "beth"
            events = AuditEvent.objects.filter(action="memory.wiped").order_by("id")
            assert events[0].data == {"memories": 3, "extractions": 1}
        back = api.post(f"/memories/{kept['tea']['id']}/restore", cast.bob.headers)
        assert back.result["state"] == "active"

    def test_with_one_agent(self, api, cast, states):
        with tenancy.account(cast.north):
            extraction(agent_id="ada")
            extraction()
        wiped = api("DELETE", "/users/bob/agents/ada/memory", cast.bob.headers).result
        assert (wiped["topics_deleted"], wiped["agent_topics_deleted"]) == (0, 1)
        assert wiped["extractions_deleted"] == 1
        assert states() == ["tea", "cake", "fact", "agent", "beth"]

    def test_all_or_nothing(self, api, cast, states, monkeypatch):
        before = states()

        def fail(**_kwargs):
            raise RuntimeError

        monkeypatch.setattr("accounts.principals.audit.record", fail)
        assert api("DELETE", LIST.format("bob"), cast.bob.headers).status == 500
        assert states() == before
        monkeypatch.undo()
        assert api("DELETE", LIST.format("bob"), cast.bob.headers).status == 200

    def test_the_gate_does_not_hold_it_back(self, api, cast, states):
        with tenancy.account(cast.north):
            agent_row("default", "summarization")
        rows = api.get(LIST.format("bob"), cast.bob.headers).result
        assert {row["content"]: row["hidden_by"] for row in rows} == {
            "tea with ada": None,
            "fact": "gate",
            "cake": "gate",
            "tea": "gate",
        }
        assert api("DELETE", LIST.format("bob"), cast.bob.headers).status == 200
        assert states() == ["agent", "beth"]


def test_the_audit_of_extractions(api, cast, kept):
    api.say(cast.bob.headers, "s1")
    with tenancy.account(cast.north):
        runs = [extraction() for _ in range(3)]
        extraction("beth")
    path = "/users/bob/memory/audit"
    found = api.get(path, cast.bob.headers).result
    assert [row["id"] for row in found] == [str(run.pk) for run in reversed(runs)]
    one = found[0]
    assert (one["agent_id"], one["state"], one["memories"], one["session_id"]) == (
        *("default", "completed", 2),
        None,
    )
    assert len(api.get(path, cast.bob.headers, limit=2).result) == 2
    for limit, status in ((500, 200), (501, 400), (0, 400)):
        assert api.get(path, cast.bob.headers, limit=limit).status == status


def test_the_export_is_a_file_of_all_that_is_kept(api, cast, kept):
    api("DELETE", f"/memories/{kept['cake']['id']}", cast.bob.headers)
    answer = api.get("/users/BOB/memory/export", cast.alice.headers)
    name = answer.headers["Content-Disposition"]
    assert re.fullmatch(r'attachment; filename="memory_bob_\d{8}\.json"', name)
    assert answer.headers["Content-Type"].startswith("application/json")
    assert (answer.body["user_id"], answer.body["account_id"]) == ("bob", "north")
    listed = api.get(LIST.format("bob"), cast.bob.headers).result
    assert answer.body["memories"] == listed
    assert [row["content"] for row in listed] == ["tea with ada", "fact", "tea"]
    with tenancy.account(cast.north):
        assert AuditEvent.objects.filter(action="memory.exported").count() == 1


def test_an_export_of_many_is_read_piece_by_piece(api, cast, structured, monkeypatch):
    monkeypatch.setattr("memory.services.reading.EXPORTED_AT_ONCE", 3)
    monkeypatch.setattr("memory.export.ROWS_AT_ONCE", 2)
    with tenancy.account(cast.north):
        bob, agent = User.objects.get(user_id="bob"), Agent.objects.get(agent_id="default")
        Memory.objects.bulk_create(
            Memory(user=bob, agent=agent, content=f"Number {n}.") for n in range(10)
        )
    found = api.get("/users/bob/memory/export", cast.bob.headers).body["memories"]
    assert sorted(row["content"] for row in found) == [f"Number {n}." for n in range(10)]


def test_lists_have_pages(api, cast, kept):
    first = api.get(LIST.format("bob"), cast.bob.headers, limit=3)
    rest = api.get(LIST.format("bob"), cast.bob.headers, cursor=first.body["page"]["next"])
    assert [row["content"] for row in first.result + rest.result] == [
        *("tea with ada", "fact", "cake", "tea")
    ]
    assert rest.body["page"]["next"] is None
    for query in ({"cursor": "nonsense"}, {"limit": 0}):
        assert api.get(LIST.format("bob"), cast.bob.headers, **query).status == 400
