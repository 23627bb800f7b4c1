"""`POST /inbound`: who may send, what is refused, and what fails."""

from __future__ import annotations

import pytest
from django.db import DatabaseError

from accounts import tenancy
from accounts.principals.models import Agent, ContactHandle
from sessions_app.services import inbound, senders
from tests.accounts.kit import peer_header
from tests.sessions_app.channel import Channel, Unchanged, gateway_headers


class TestWhoMaySend:
    @pytest.mark.parametrize("who", ["bob", "alice", "beth"])
    def test_keys_without_the_scope_may_not(self, api, cast, channel, who):
        stranger = Channel(api, getattr(cast, who).headers)
        with Unchanged(cast.north):
            answer = stranger.turn()
        assert (answer.status, answer.code) == (403, "PERMISSION_DENIED")
        assert channel.turn().status == 200

    def test_nobody_may_not(self, api, cast):
        with Unchanged(cast.north):
            assert Channel(api, {}).turn().status == 401

    def test_a_bound_key_reaches_its_agents_only(self, api, cast):
        body = {"user_id": "bob", "name": "bound", "scopes": ["gateway"], "agents": ["quinn"]}
        made = api.post("/admin/accounts/north/keys", cast.alice.headers, body).result
        bound = Channel(api, {"X-API-Key": made["user_key"]})
        assert bound.turn().status == 200
        with Unchanged(cast.north):
            assert bound.turn(agent_id="rex").status == 403
        assert bound.turn(agent_id="Quinn").status == 200

    def test_a_key_that_needs_a_contact_has_one_here(self, api, cast):
        body = {"user_id": "bob", "name": "k", "scopes": ["gateway"], "contact_required": True}
        made = api.post("/admin/accounts/north/keys", cast.alice.headers, body).result
        assert Channel(api, {"X-API-Key": made["user_key"]}).turn().status == 200

    def test_a_contact_header_beside_the_sender_is_refused(self, api, cast, channel):
        """It would always narrow, and the sender says whose turn it is."""
        dana = channel.contact("dana")
        for headers in (channel.as_contact(dana), peer_header(channel.headers, "p")):
            with Unchanged(cast.north):
                answer = Channel(api, headers).turn("eli")
            assert (answer.status, answer.code) == (409, "CONFLICT")

    def test_two_accounts_share_nothing(self, api, cast, channel):
        theirs = Channel(api, gateway_headers(cast.south))
        here, there = channel.say(external_id="1"), theirs.say(external_id="1")
        assert here["contact"]["id"] != there["contact"]["id"]
        session_id = here["session"]["session_id"]
        assert api.get(f"/sessions/{session_id}", cast.charlie.headers).status == 404
        assert there["message"]["seq"] == 1
        assert api.get("/contacts", cast.charlie.headers).result[0]["id"] == there["contact"]["id"]


GOOD = {
    "platform": "telegram",
    "sender": {"id": "dana", "name": "Dana", "username": "dana"},
    "chat": {"id": "-5", "kind": "group", "name": "Fans"},
    "agent_id": "quinn",
    "text": "Hello",
    "thread_key": "t",
    "external_id": "1",
    "sent_at": "2026-05-04T10:00:00Z",
}


LONG = "x" * 256


BAD = [
    ({"platform": "pigeon"}, 400),
    ({"platform": ""}, 400),
    ({"platform": None}, 422),
    ({"sender": {"id": ""}}, 400),
    ({"sender": {"id": " "}}, 400),
    ({"sender": {"id": LONG}}, 400),
    ({"sender": {"id": 5}}, 422),
    ({"sender": {"id": "a\0"}}, 400),
    ({"sender": {"id": "\ud800"}}, 400),
    ({"sender": {"id": "a", "name": "x" * 201}}, 400),
    ({"sender": {"id": "a", "username": "x" * 201}}, 400),
    ({"sender": {"id": "a", "phone": "1"}}, 422),
    ({"sender": {}}, 422),
    ({"sender": "dana"}, 422),
    ({"sender": None}, 422),
    ({"chat": {"id": ""}}, 400),
    ({"chat": {"id": LONG, "kind": "group"}}, 400),
    ({"chat": {"id": "a", "kind": "channel"}}, 400),
    ({"chat": {"id": "a", "kind": "group", "name": "x" * 201}}, 400),
    ({"chat": {"kind": "group"}}, 422),
    ({"chat": "a"}, 422),
    ({"agent_id": "a b"}, 400),
    ({"agent_id": ""}, 400),
    ({"agent_id": "root"}, 400),
    ({"agent_id": "x" * 65}, 400),
    ({"agent_id": None}, 422),
    ({"text": ""}, 400),
    ({"text": " \n"}, 400),
    ({"text": None}, 422),
    ({"text": 5}, 422),
    ({"text": "a\0b"}, 400),
    ({"parts": []}, 400),
    ({"parts": [{"type": "text", "text": " "}]}, 400),
    ({"parts": [{"type": "text"}]}, 422),
    ({"parts": "Hello"}, 422),
    ({"thread_key": ""}, 400),
    ({"thread_key": LONG}, 400),
    ({"thread_key": 5}, 422),
    ({"external_id": ""}, 400),
    ({"external_id": LONG}, 400),
    ({"external_id": 5}, 422),
    ({"sent_at": "yesterday"}, 422),
    ({"sent_at": "1969-12-31T00:00:00Z"}, 400),
    ({"sent_at": "2200-01-01T00:00:00Z"}, 400),
    ({"token_budget": -1}, 400),
    ({"token_budget": 10**8}, 400),
    ({"token_budget": "many"}, 422),
    ({"role": "assistant"}, 422),
    ({"role_id": "bob"}, 422),
    ({"contact_id": "a"}, 422),
]


@pytest.mark.parametrize(("change", "status"), BAD, ids=lambda value: str(value)[:40])
def test_what_is_refused_changes_nothing(api, cast, channel, change, status):
    with Unchanged(cast.north):
        answer = api.post("/inbound", channel.headers, {**GOOD, **change})
    assert (answer.status, answer.code) == (status, "INVALID_ARGUMENT"), answer.body
    assert api.post("/inbound", channel.headers, GOOD).status == 200


@pytest.mark.parametrize("field", ["platform", "sender", "agent_id"])
def test_what_must_be_there_is_asked_for(api, cast, channel, field):
    with Unchanged(cast.north):
        body = {name: value for name, value in GOOD.items() if name != field}
        assert api.post("/inbound", channel.headers, body).status == 422


class TestWhatFails:
    def test_a_sender_that_cannot_be_resolved_is_retried(self, cast, channel, monkeypatch):
        def broken(_sender, **_how):
            raise DatabaseError("the connection was lost")

        with monkeypatch.context() as patch, Unchanged(cast.north):
            patch.setattr(senders, "handle_of", broken)
            answer = channel.turn(external_id="1")
        assert (answer.status, answer.code) == (503, "UNAVAILABLE")
        assert int(answer.headers["Retry-After"]) > 0
        assert channel.say(external_id="1")["message"]["seq"] == 1

    def test_also_when_the_group_was_made_already(self, cast, channel, monkeypatch):
        real = senders.contact_on_sight

        def broken(**given):
            if given["contact"].is_group:
                return real(**given)
            raise DatabaseError("the connection was lost")

        with monkeypatch.context() as patch, Unchanged(cast.north):
            patch.setattr(senders, "contact_on_sight", broken)
            assert channel.turn(group="-5").status == 503
        assert channel.turn(group="-5").status == 200

    def test_a_message_that_cannot_be_kept_leaves_nobody(self, cast, channel, monkeypatch):
        def broken(*_given):
            raise DatabaseError("the connection was lost")

        with monkeypatch.context() as patch, Unchanged(cast.north):
            patch.setattr(inbound, "append_to", broken)
            assert channel.turn().status == 500
        with tenancy.account(cast.north):
            assert not Agent.objects.filter(agent_id="quinn").exists()
            assert not ContactHandle.objects.exists()
        assert channel.turn().status == 200

    def test_a_merge_between_keeping_and_answering_is_no_fault(
        self, api, cast, channel, monkeypatch
    ):
        dana, eli = channel.contact("dana"), channel.contact("eli")
        real = inbound._keep

        def merged_since(*given, **more):
            kept = real(*given, **more)
            merge = f"/contacts/{dana}/merge"
            assert api.post(merge, cast.alice.headers, {"into": eli}).status == 200
            tenancy.enter(cast.north)
            return kept

        with monkeypatch.context() as patch:
            patch.setattr(inbound, "_keep", merged_since)
            found = channel.say("dana", "Second")
        said = [row["parts"][0]["text"] for row in found["context"]["messages"]]
        assert said == ["Hello", "Second"]

    def test_a_session_that_always_ends_is_retried(self, cast, channel, monkeypatch):
        with monkeypatch.context() as patch, Unchanged(cast.north):
            patch.setattr(inbound, "append_to", lambda *_given: None)
            assert channel.turn().status == 503
        assert channel.turn().status == 200
