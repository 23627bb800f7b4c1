"""POST /memories: what is kept, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import tenancy
from accounts.principals.models import Agent, AuditEvent, User
from memory.models import Evidence, Memory
from tests.accounts.kit import contact_header, make_contact, peer_header, with_key
from tests.memory.kit import agent_row, past
from tests.rows import row_counts

ABSENT = "019f7b9c-1234-7abc-8def-0123456789ab"
EVERYTHING = {
    "content": "Prefers an aisle seat on trains.",
    "summary": "Aisle seat",
    "kind": "preferences",
    "topic_key": "train-seat",
    "salience": "high",
    "topics": ["travel", "trains"],
    "source": "conversation",
    "expires_at": "2100-01-01T00:00:00Z",
}


@pytest.fixture
def refused(api, cast):
    """refused(body, 400, headers) → the error; nothing was written and nobody registered."""

    def check(body, status, headers=None):
        before = row_counts(cast.north)
        answer = api.post("/memories", headers or cast.bob.headers, {"content": "Tea.", **body})
        assert answer.status == status, answer.body
        assert row_counts(cast.north) == before
        return answer.body["error"]

    return check


def test_every_field_is_kept_as_it_was_said(api, cast, remember):
    api.say(cast.bob.headers, "s1")
    made = remember(cast.bob.headers, **EVERYTHING, session_id="S1")
    who = api.get("/whoami", cast.bob.headers).result
    assert made == {
        **EVERYTHING,
        "id": made["id"],
        "uri": f"viking://user/bob/memories/preferences/{made['id']}",
        "scope": "user",
        "confidence": None,
        "state": "active",
        "hidden_by": None,
        "owner_user_id": "bob",
        "owner_agent_id": None,
        "user_id": "bob",
        "agent_id": "default",
        "contact_id": None,
        "session_id": "s1",
        "superseded_by": None,
        "version": 1,
        "created_at": made["created_at"],
        "updated_at": made["updated_at"],
        "written_by": "bob",
        "policy_version": who["policy_version"],
        "created": True,
        "redacted": 0,
    }
    read = api.get(f"/memories/{made['id']}", cast.bob.headers).result
    assert read == {name: made[name] for name in made if name not in ("created", "redacted")}


def test_of_a_text_alone_the_rest_is_the_default(cast, remember):
    made = remember(cast.bob.headers, "  Takes tea.\n")
    assert made["content"] == "  Takes tea.\n"
    said = ("scope", "kind", "topic_key", "summary", "salience", "topics", "source", "expires_at")
    assert [made[name] for name in said] == [
        *("user", "facts", None, "", "medium", [], "user_stated", None)
    ]


def test_space_is_set_right_where_it_means_nothing(cast, remember):
    sent = {"summary": " Tea \n daily ", "topic_key": " tea ", "topics": [" tea  time", "tea time"]}
    made = remember(cast.bob.headers, **sent)
    assert (made["summary"], made["topic_key"], made["topics"]) == (
        "Tea daily",
        "tea",
        ["tea time"],
    )


@pytest.mark.parametrize(
    ("taken", "refused_value", "field"),
    [
        ("x" * 100_000, "x" * 100_001, "content"),
        ("x", " \n", "content"),
        ("x" * 500, "x" * 501, "summary"),
        ("x" * 255, "x" * 256, "topic_key"),
        ("a/b", " ", "topic_key"),
        (None, "", "topic_key"),
        (["x" * 100], ["x" * 101], "topics"),
        ([str(n) for n in range(32)], [str(n) for n in range(33)], "topics"),
        ([], [" "], "topics"),
        ("skills", "hobbies", "kind"),
        ("critical", "urgent", "salience"),
        ("imported", "rumour", "source"),
        ("user", "account", "scope"),
        (None, "2001-01-01T00:00:00Z", "expires_at"),
        ("2100-01-01T00:00:00+02:00", "2200-01-01T00:00:00Z", "expires_at"),
        ([], ["nothing"], "evidence"),
        ([], ["msg_"], "evidence"),
        ([], [f"msg_{n:032x}" for n in range(101)], "evidence"),
        ([], [f"00000000-0000-7000-8000-{n:012x}" for n in range(101)], "supersedes"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_values_and_their_limits(cast, remember, refused, taken, refused_value, field):
    error = refused({field: refused_value}, 400)
    assert (error["code"], error["details"]["field"]) == ("INVALID_ARGUMENT", field)
    assert remember(cast.bob.headers, **{field: taken})["created"]


@pytest.mark.parametrize(
    "body",
    [
        {"content": None},
        {"content": 5},
        {"topics": "tea"},
        {"expires_at": "tomorrow"},
        {"supersedes": ["nothing"]},
        {"state": "deleted"},
        {"user_id": "beth"},
        {"written_by": "beth"},
        {"version": 3},
    ],
    ids=str,
)
def test_wrong_shapes_and_what_is_not_the_callers_to_say(cast, remember, refused, body):
    assert refused(body, 422)["code"] == "INVALID_ARGUMENT"
    assert remember(cast.bob.headers)


class TestUpsert:
    def test_the_same_topic_replaces_all_that_was_said(self, cast, remember):
        first = remember(cast.bob.headers, **EVERYTHING)
        again = remember(
            cast.bob.headers, "A window seat.", kind="preferences", topic_key="train-seat"
        )
        assert (again["id"], again["created"], again["version"]) == (first["id"], False, 2)
        assert (again["content"], again["summary"], again["topics"]) == ("A window seat.", "", [])
        assert (again["salience"], again["source"]) == ("medium", "user_stated")
        assert (again["expires_at"], again["created_at"]) == (None, first["created_at"])
        with tenancy.account(cast.north):
            assert [one.content for one in past(first["id"])] == [
                *(EVERYTHING["content"], "A window seat.")
            ]

    def test_whatever_differs_in_the_tuple_is_another_memory(self, api, cast, remember):
        api.post("/contacts", cast.bob.headers, {})
        first = remember(cast.bob.headers, topic_key="tea")
        others = [
            remember(cast.beth.headers, topic_key="tea"),
            remember(cast.bob.headers, topic_key="Tea"),
            remember(cast.bob.headers, topic_key="tea", kind="events"),
            remember(with_key(cast.bob.key, agent="ada"), topic_key="tea"),
            remember(cast.alice.headers, topic_key="tea", scope="agent"),
            remember(cast.bob.headers),
            remember(cast.bob.headers),
        ]
        assert all(other["created"] for other in others)
        assert len({first["id"], *(other["id"] for other in others)}) == 8
        assert not remember(cast.bob.headers, topic_key="tea")["created"]

    @pytest.mark.parametrize("state", ["deleted", "quarantined", "superseded"])
    def test_what_is_not_active_is_left_alone(self, cast, remember, state):
        first = remember(cast.bob.headers, topic_key="tea")
        with tenancy.account(cast.north):
            Memory.objects.filter(pk=first["id"]).update(state=state)
        again = remember(cast.bob.headers, topic_key="tea")
        assert again["created"]
        assert again["id"] != first["id"]

    def test_what_somebody_else_wrote_for_the_agent_is_not_replaced(
        self, cast, remember, set_settings, refused
    ):
        """An admin's writing in his name is not his: he may know it, but not replace it."""
        set_settings(agent_memory_writers="anyone")
        topic = {"topic_key": "tone", "scope": "agent"}
        remember(cast.alice_as("bob"), **topic)
        assert refused(topic, 404)["code"] == "NOT_FOUND"
        mine = remember(cast.beth.headers, **topic)
        assert mine["created"]
        assert remember(cast.beth.headers, **topic)["id"] == mine["id"]

    def test_an_unchanged_repetition_leaves_no_version(self, cast, remember):
        for _ in range(2):
            made = remember(cast.bob.headers, topic_key="tea")
        assert (made["created"], made["version"]) == (False, 1)


class TestSupersedes:
    def test_older_ones_are_marked_in_the_same_write(self, api, cast, remember):
        old = [remember(cast.bob.headers, f"Old {n}.")["id"] for n in range(2)]
        new = remember(cast.bob.headers, "New.", supersedes=[*old, old[0]])
        for key in old:
            row = api.get(f"/memories/{key}", cast.bob.headers).result
            assert (row["state"], row["superseded_by"]) == ("superseded", new["id"])
            assert (row["version"], row["hidden_by"]) == (2, None)
        assert [row["id"] for row in api.get("/memories", cast.bob.headers).result] == [new["id"]]

    def test_of_others_of_none_and_of_what_is_gone_nothing_is_kept(
        self, cast, remember, refused, set_settings
    ):
        set_settings(agent_memory_writers="anyone")
        own, foreign = remember(cast.bob.headers), remember(cast.beth.headers)
        of_agent = remember(cast.beth.headers, scope="agent")
        for other in (foreign["id"], of_agent["id"], ABSENT):
            error = refused({"supersedes": [own["id"], other]}, 404)
            assert error["details"]["resource"] == other
        remember(cast.bob.headers, supersedes=[own["id"]])
        refused({"supersedes": [own["id"]]}, 404)  # superseded already

    def test_not_itself(self, cast, remember, refused):
        own = remember(cast.bob.headers, topic_key="tea")
        error = refused({"topic_key": "tea", "supersedes": [own["id"]]}, 400)
        assert error["details"]["field"] == "supersedes"


class TestEvidence:
    def test_messages_that_one_sees(self, api, cast, remember):
        said = [api.say(cast.bob.headers, "s1", f"Number {n}").result for n in range(2)]
        ids = [one["message_id"] for one in said]
        made = remember(cast.bob.headers, evidence=[ids[1], ids[0], ids[0]], topic_key="tea")
        found = api.get(f"/memories/{made['id']}/evidence", cast.bob.headers).result
        assert [one["message_id"] for one in found] == ids
        assert (found[0]["text"], found[0]["session_id"], found[0]["seq"]) == ("Number 0", "s1", 1)
        remember(cast.bob.headers, evidence=ids, topic_key="tea")
        with tenancy.account(cast.north):
            assert Evidence.objects.count() == 2

    def test_none_of_a_session_that_one_does_not_see(
        self, api, cast, remember, refused, set_policy
    ):
        set_policy(sessions_visible_to="participants")
        theirs = api.say(cast.beth.headers, "theirs").result["message_id"]
        for sent in (theirs, f"msg_{'1' * 32}"):
            assert refused({"evidence": [sent]}, 404)["details"]["type"] == "message"
        made = remember(cast.beth.headers, evidence=[theirs])
        with tenancy.account(cast.north):
            Memory.objects.filter(pk=made["id"]).update(user=User.objects.get(user_id="bob"))
        assert api.get(f"/memories/{made['id']}/evidence", cast.bob.headers).result == []
        assert len(api.get(f"/memories/{made['id']}/evidence", cast.alice.headers).result) == 1

    def test_it_goes_with_its_message_and_the_memory_stays(self, api, cast, remember):
        said = api.say(cast.bob.headers, "s1").result["message_id"]
        made = remember(cast.bob.headers, evidence=[said], session_id="s1")
        assert api("DELETE", "/sessions/s1", cast.alice.headers).status == 200
        row = api.get(f"/memories/{made['id']}", cast.bob.headers).result
        assert (row["state"], row["session_id"]) == ("active", None)
        assert api.get(f"/memories/{made['id']}/evidence", cast.bob.headers).result == []


class TestWithWhom:
    def test_in_a_session_that_is_not_there_or_hidden(
        self, api, cast, remember, refused, set_policy
    ):
        set_policy(sessions_visible_to="participants")
        api.say(cast.beth.headers, "theirs")
        for session_id in ("theirs", "absent"):
            assert refused({"session_id": session_id}, 404)["details"]["type"] == "session"
        assert refused({"session_id": "a b"}, 400)
        assert remember(cast.beth.headers, session_id="theirs")

    @pytest.mark.parametrize("who", ["owner", "admin", "contact"])
    def test_out_of_a_contacts_session_it_is_the_contacts(
        self, api, cast, remember, set_settings, who
    ):
        set_settings(contact_consent="opt_out")
        contact = make_contact(cast.north, "telegram", "4711", owner="bob")
        as_contact = contact_header(cast.alice.headers, contact)
        api.say(as_contact, "s1")
        headers = {"owner": cast.bob.headers, "admin": cast.alice.headers, "contact": as_contact}
        made = remember(headers[who], session_id="s1")
        assert (made["contact_id"], made["user_id"]) == (str(contact), "bob")
        assert made["written_by"] == ("bob" if who == "owner" else "alice")

    def test_a_contact_by_parameter_that_contradicts_the_session(
        self, api, cast, remember, refused, set_settings
    ):
        set_settings(contact_consent="opt_out")
        one, other = (make_contact(cast.north, "telegram", n, owner="bob") for n in ("1", "2"))
        api.say(contact_header(cast.alice.headers, one), "s1")
        alice = cast.alice.headers
        refused({"session_id": "s1", "contact_id": str(other)}, 404, alice)
        refused({"contact_id": str(other)}, 409, contact_header(alice, one))
        refused({"contact_id": ABSENT}, 404, alice)
        refused({"contact_id": str(one)}, 403)
        made = remember(alice, session_id="s1", contact_id=str(one))
        assert made["contact_id"] == str(one)

    def test_a_peer_is_made_by_the_first_memory(self, cast, remember, set_settings, refused):
        peer = peer_header(cast.bob.headers, "p1")
        assert refused({}, 412, peer)["details"]["switch"] == "consent"
        set_settings(contact_consent="opt_out")
        made = remember(peer)
        assert (made["user_id"], made["contact_id"] is None) == ("bob", False)
        assert remember(peer)["contact_id"] == made["contact_id"]

    def test_of_an_agent_by_a_key_that_is_bound_to_it(self, api, cast, remember, refused):
        body = {"user_id": "bob", "name": "second", "agents": ["ada"]}
        made = api.post("/admin/accounts/north/keys", cast.alice.headers, body).result
        error = refused({"scope": "agent"}, 403, with_key(cast.bob.key, agent="ada"))
        assert error["code"] == "PERMISSION_DENIED"
        kept = remember(with_key(made["user_key"]), scope="agent", kind="skills")
        assert kept["uri"] == f"viking://agent/ada/memories/skills/{kept['id']}"
        assert (kept["owner_user_id"], kept["owner_agent_id"]) == (None, "ada")
        assert (kept["user_id"], kept["agent_id"]) == ("bob", "ada")
        assert remember(cast.alice.headers, scope="agent")["written_by"] == "alice"
        refused({"scope": "agent"}, 403, cast.alice_as("bob"))

    def test_for_another_user_it_says_who_wrote_it_and_is_told(self, cast, remember):
        plain = remember(cast.bob.headers)
        made = remember(cast.alice_as("bob"))
        assert (made["user_id"], made["written_by"]) == ("bob", "alice")
        assert remember(cast.root_as("bob"))["written_by"] == "root"
        with tenancy.account(cast.north):
            told = AuditEvent.objects.filter(action="memory.created").order_by("id")
            assert str(told[0].target) == made["id"]
            assert told.count() == 2
            assert not told.filter(target=plain["id"]).exists()


class TestSwitches:
    def test_a_closed_gate_names_the_page_and_the_call(self, api, cast, remember, refused):
        with tenancy.account(cast.north):
            agent_row("max")
        error = refused({}, 412, with_key(cast.bob.key, agent="max"))
        assert error["code"] == "FAILED_PRECONDITION"
        assert error["details"] == {
            "agent_id": "max",
            "switch": "memory_system",
            "patch": "/api/v1/agents/max",
            "page": "/a/north/agents/max",
        }
        assert 'PATCH /api/v1/agents/max {"memory_system": "structured"}' in error["message"]
        done = api("PATCH", "/agents/max", cast.alice.headers, {"memory_system": "structured"})
        assert done.status == 200
        assert remember(with_key(cast.bob.key, agent="max"))

    def test_an_agent_never_seen_is_closed_and_stays_unregistered(self, cast, refused):
        refused({}, 412, with_key(cast.bob.key, agent="quinn"))
        with tenancy.account(cast.north):
            assert not Agent.objects.filter(agent_id="quinn").exists()

    def test_a_paused_session(self, api, cast, remember, refused):
        api.say(cast.bob.headers, "s1")
        assert remember(cast.bob.headers, session_id="s1")
        path = "/sessions/s1"
        assert api("PATCH", path, cast.bob.headers, {"memory_paused": True}).status == 200
        error = refused({"session_id": "s1"}, 412)
        assert error["details"] == {"session_id": "s1", "switch": "memory_paused"}
        assert remember(cast.bob.headers)

    def test_a_contact_that_did_not_agree(self, api, cast, remember, refused):
        contact = make_contact(cast.north, "telegram", "4711", owner="bob")
        named = contact_header(cast.alice.headers, contact)
        error = refused({}, 412, named)
        assert error["details"] == {"contact_id": str(contact), "switch": "consent"}
        path = f"/contacts/{contact}/consent"
        assert api("PUT", path, cast.alice.headers, {"state": "granted"}).status == 200
        assert remember(named)["contact_id"] == str(contact)

    def test_what_has_expired_is_gone_from_lists_and_not_from_its_page(self, api, cast, remember):
        made = remember(cast.bob.headers, expires_at="2100-01-01T00:00:00Z")
        past_moment = timezone.now() - timedelta(seconds=1)
        with tenancy.account(cast.north):
            Memory.objects.filter(pk=made["id"]).update(expires_at=past_moment)
        assert api.get("/memories", cast.bob.headers).result == []
        read = api.get(f"/memories/{made['id']}", cast.bob.headers).result
        assert (read["state"], read["hidden_by"]) == ("active", "expired")
