"""PATCH, DELETE, restore, quarantine, release: what they change, and for whom."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.principals.models import AuditEvent
from memory.models import Memory
from tests.accounts.kit import contact_header, make_contact
from tests.rows import row_counts

ABSENT = "019f7b9c-1234-7abc-8def-0123456789ab"


@pytest.fixture
def act(api, cast):
    """act("PATCH", memory, headers, body) → the answer; "restore" posts to that address."""

    def send(what, memory, headers=None, body=None):
        path = f"/memories/{memory['id']}"
        method, path = (what, path) if what.isupper() else ("POST", f"{path}/{what}")
        return api(method, path, headers or cast.bob.headers, body)

    return send


@pytest.fixture
def told(cast):
    """told(memory) → the actions in the log about it, in order."""

    def actions(memory):
        with tenancy.account(cast.north):
            rows = AuditEvent.objects.filter(target=memory["id"]).order_by("id")
            return list(rows.values_list("action", flat=True))

    return actions


class TestPatch:
    def test_what_is_absent_stays_and_null_clears(self, cast, remember, act):
        made = remember(
            cast.bob.headers, topic_key="tea", summary="Tea", expires_at="2100-01-01T00:00:00Z"
        )
        found = act("PATCH", made, body={"salience": "low"}).result
        assert (found["salience"], found["topic_key"], found["summary"]) == ("low", "tea", "Tea")
        assert found["expires_at"] == made["expires_at"]
        found = act("PATCH", made, body={"topic_key": None, "expires_at": None}).result
        assert (found["topic_key"], found["expires_at"], found["version"]) == (None, None, 3)

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            *(({name: None}, 400) for name in ("content", "summary", "kind")),
            *(({name: None}, 400) for name in ("salience", "topics")),
            ({"content": " "}, 400),
            ({"summary": "x" * 501}, 400),
            ({"topic_key": " "}, 400),
            ({"kind": "hobbies"}, 400),
            ({"salience": "urgent"}, 400),
            ({"topics": [""]}, 400),
            ({"expires_at": "2001-01-01T00:00:00Z"}, 400),
            ({"expires_at": "2200-01-01T00:00:00Z"}, 400),
            ({"scope": "agent"}, 422),
            ({"state": "deleted"}, 422),
            ({"user_id": "beth"}, 422),
            ({"source": "imported"}, 422),
            ({"version": "1"}, 422),
        ],
        ids=str,
    )
    def test_refusals(self, cast, remember, act, body, status):
        made = remember(cast.bob.headers)
        before = row_counts(cast.north)
        answer = act("PATCH", made, body=body)
        assert (answer.status, answer.code) == (status, "INVALID_ARGUMENT")
        assert row_counts(cast.north) == before
        assert act("PATCH", made, body={"content": "Takes coffee."}).status == 200

    def test_an_edit_of_another_version_is_refused(self, cast, remember, act):
        made = remember(cast.bob.headers)
        assert act("PATCH", made, body={"summary": "One", "version": 1}).result["version"] == 2
        answer = act("PATCH", made, body={"summary": "Two", "version": 1})
        assert (answer.status, answer.code) == (409, "CONFLICT")
        assert answer.body["error"]["details"] == {"version": 2}
        assert act("PATCH", made, body={"summary": "Two", "version": 2}).result["version"] == 3

    def test_onto_a_taken_topic_names_the_holder(self, cast, remember, act):
        holder, other = remember(cast.bob.headers, topic_key="tea"), remember(cast.bob.headers)
        answer = act("PATCH", other, body={"topic_key": "tea"})
        assert (answer.status, answer.code) == (409, "CONFLICT")
        assert answer.body["error"]["details"] == {"holder": holder["id"]}
        assert act("PATCH", other, body={"topic_key": "tea", "kind": "events"}).status == 200

    @pytest.mark.parametrize("state", ["deleted", "superseded"])
    def test_what_is_gone_is_not_edited(self, cast, remember, act, state):
        made = remember(cast.bob.headers)
        if state == "deleted":
            act("DELETE", made)
        else:
            remember(cast.bob.headers, supersedes=[made["id"]])
        answer = act("PATCH", made, body={"content": "Takes coffee."})
        assert (answer.status, answer.body["error"]["details"]) == (412, {"state": state})
        assert act("restore", made).status == 200
        assert act("PATCH", made, body={"content": "Takes coffee."}).status == 200

    def test_the_gate_does_not_hold_it_back(self, cast, remember, act, api):
        made = remember(cast.bob.headers)
        body = {"memory_system": "summarization"}
        assert api("PATCH", "/agents/default", cast.alice.headers, body).status == 200
        found = act("PATCH", made, body={"content": "Takes coffee."}).result
        assert (found["content"], found["hidden_by"]) == ("Takes coffee.", "gate")


class TestWhoMay:
    """Bob's own, an agent's memory that Beth wrote, one that Alice wrote as Bob."""

    @pytest.fixture
    def memories(self, cast, remember, set_settings):
        set_settings(agent_memory_writers="anyone")
        return {
            "own": remember(cast.bob.headers, "own"),
            "beth's": remember(cast.beth.headers, "beth's"),
            "agent, by bob": remember(cast.bob.headers, scope="agent"),
            "agent, by beth": remember(cast.beth.headers, scope="agent"),
            "agent, by alice as bob": remember(cast.alice_as("bob"), scope="agent"),
        }

    TABLE = """
                               bob  beth alice alice+bob root+bob charlie
        own                    200  404  200   200       200      404
        beth's                 404  200  200   404       404      404
        agent,_by_bob          200  403  200   200       200      404
        agent,_by_beth         403  200  200   403       403      404
        agent,_by_alice_as_bob 403  403  200   403       403      404
    """

    @pytest.mark.parametrize(
        ("what", "body"),
        [("PATCH", {"salience": "low"}), ("DELETE", None), ("restore", None)],
        ids=str,
    )
    def test_change_it(self, cast, memories, act, what, body):
        header, *lines = [line.split() for line in self.TABLE.split("\n") if line.strip()]
        headers = {
            "bob": cast.bob.headers,
            "beth": cast.beth.headers,
            "alice": cast.alice.headers,
            "alice+bob": cast.alice_as("bob"),
            "root+bob": cast.root_as("bob"),
            "charlie": cast.charlie.headers,
        }
        wrong = [
            (name, who, status, found)
            for name, *statuses in lines
            for who, status in zip(header, statuses, strict=True)
            if (found := act(what, memories[name.replace("_", " ")], headers[who], body).status)
            != int(status)
        ]
        assert not wrong

    @pytest.mark.parametrize("what", ["quarantine", "release"])
    def test_quarantine_and_release_it(self, cast, memories, act, what):
        contact = make_contact(cast.north, "telegram", "1", owner="alice")
        for headers in (
            *(cast.bob.headers, cast.alice_as("bob"), cast.root_as("bob")),
            contact_header(cast.alice.headers, contact),
        ):
            assert act(what, memories["own"], headers).status == 403
        assert act(what, memories["own"], cast.alice.headers).status == 200
        assert act(what, {"id": ABSENT}, cast.alice.headers).status == 404


class TestDelete:
    def test_it_is_marked_with_who_did_it_and_can_come_back(self, cast, remember, act, told):
        made = remember(cast.bob.headers, topic_key="tea")
        gone = act("DELETE", made, cast.root_as("bob")).result
        assert (gone["state"], gone["written_by"], gone["version"]) == ("deleted", "root", 2)
        back = act("restore", made).result
        assert (back["state"], back["written_by"], back["version"]) == ("active", "bob", 3)
        assert told(made) == ["memory.deleted", "memory.restored"]

    def test_twice_is_as_once(self, cast, remember, act, told):
        made = remember(cast.bob.headers)
        first, second = act("DELETE", made), act("DELETE", made)
        assert second.result == first.result
        assert told(made) == ["memory.deleted"]


class TestRestore:
    def test_a_version_comes_back_whole(self, cast, remember, act):
        sent = {"kind": "preferences", "topic_key": "tea", "summary": "Tea", "topics": ["a"]}
        made = remember(cast.bob.headers, "Takes tea.", **sent)
        changes = {"content": "Takes coffee.", "kind": "facts", "topic_key": None, "topics": []}
        act("PATCH", made, body=changes)
        back = act("restore", made, body={"version": 1}).result
        assert back["version"] == 3
        assert {name: back[name] for name in sent} == sent
        assert back["content"] == "Takes tea."
        answer = act("restore", made, body={"version": 9})
        assert (answer.status, answer.body["error"]["details"]["type"]) == (404, "version")

    def test_the_contact_and_the_user_of_then_come_back_too(
        self, cast, remember, act, set_settings
    ):
        set_settings(contact_consent="opt_out")
        one, other = (make_contact(cast.north, "telegram", n, owner="bob") for n in "12")
        made = remember(contact_header(cast.alice.headers, one))
        with tenancy.account(cast.north):
            Memory.objects.filter(pk=made["id"]).update(contact=other)
        assert act("restore", made, body={"version": 1}).status == 403  # of another contact then
        back = act("restore", made, cast.alice.headers, {"version": 1}).result
        assert (back["contact_id"], back["version"]) == (str(one), 3)

    def test_a_past_expiry_is_cleared(self, cast, remember, act):
        made = remember(cast.bob.headers, expires_at="2100-01-01T00:00:00Z")
        act("DELETE", made)
        assert act("restore", made).result["expires_at"] == made["expires_at"]
        act("DELETE", made)
        with tenancy.account(cast.north):
            Memory.objects.filter(pk=made["id"]).update(expires_at=made["created_at"])
        back = act("restore", made).result
        assert (back["expires_at"], back["hidden_by"]) == (None, None)

    def test_a_quarantine_outlives_deleting_and_restoring(self, cast, remember, act):
        made = remember(cast.bob.headers)
        act("quarantine", made, cast.alice.headers)
        for headers in (cast.bob.headers, cast.alice.headers):
            act("DELETE", made, headers)
            back = act("restore", made, headers).result
            assert (back["state"], back["hidden_by"]) == ("quarantined", "quarantine")
        back = act("restore", made, body={"version": 1}).result  # an active one
        assert back["state"] == "quarantined"
        assert act("release", made, cast.alice.headers).result["state"] == "active"

    def test_of_a_superseded_one_nothing_stands_in_its_place(self, cast, remember, act):
        made = remember(cast.bob.headers)
        remember(cast.bob.headers, supersedes=[made["id"]])
        back = act("restore", made).result
        assert (back["state"], back["superseded_by"]) == ("active", None)

    def test_onto_a_taken_topic_names_the_holder(self, cast, remember, act):
        made = remember(cast.bob.headers, topic_key="tea")
        act("DELETE", made)
        holder = remember(cast.bob.headers, topic_key="tea")
        answer = act("restore", made)
        assert (answer.status, answer.code) == (409, "CONFLICT")
        assert answer.body["error"]["details"] == {"holder": holder["id"]}
        act("DELETE", holder)
        assert act("restore", made).status == 200

    def test_of_a_contact_that_withdrew_it_is_refused(self, api, cast, remember, act):
        contact = make_contact(cast.north, "telegram", "1", owner="bob")
        path, alice = f"/contacts/{contact}/consent", cast.alice.headers
        api("PUT", path, alice, {"state": "granted"})
        made = remember(contact_header(alice, contact))
        act("DELETE", made)
        api("PUT", path, alice, {"state": "withdrawn"})
        answer = act("restore", made)
        assert (answer.status, answer.body["error"]["details"]["switch"]) == (412, "consent")
        api("PUT", path, alice, {"state": "granted"})
        assert act("restore", made).status == 200

    def test_of_an_active_one_changes_nothing(self, cast, remember, act):
        made = remember(cast.bob.headers)
        assert act("restore", made).result["version"] == 1


class TestQuarantine:
    def test_it_withholds_until_it_is_released(self, api, cast, remember, act, told):
        made, alice = remember(cast.bob.headers), cast.alice.headers

        def why():
            return api.get(f"/memories/{made['id']}/why", cast.bob.headers).result

        assert why()["visible"]
        held = act("quarantine", made, alice).result
        assert (held["state"], held["hidden_by"]) == ("quarantined", "quarantine")
        assert (why()["visible"], why()["clause"]) == (False, "it is in quarantine")
        assert api.get("/memories", cast.bob.headers).result == []
        assert act("quarantine", made, alice).result["version"] == 2
        assert act("release", made, alice).result["state"] == "active"
        assert act("release", made, alice).result["version"] == 3
        assert why()["visible"]
        assert told(made) == ["memory.quarantined", "memory.released"]

    def test_onto_a_taken_topic_it_is_not_released(self, cast, remember, act):
        made, alice = remember(cast.bob.headers, topic_key="tea"), cast.alice.headers
        act("quarantine", made, alice)
        holder = remember(cast.bob.headers, topic_key="tea")
        answer = act("release", made, alice)
        assert answer.status == 409
        assert answer.body["error"]["details"] == {"holder": holder["id"]}
        act("DELETE", holder)
        assert act("release", made, alice).status == 200

    @pytest.mark.parametrize("what", ["quarantine", "release"])
    def test_what_is_deleted_is_restored_first(self, cast, remember, act, what):
        made, alice = remember(cast.bob.headers), cast.alice.headers
        act("DELETE", made)
        answer = act(what, made, alice)
        assert (answer.status, answer.body["error"]["details"]) == (412, {"state": "deleted"})
        act("restore", made)
        assert act(what, made, alice).status == 200
