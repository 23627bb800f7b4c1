"""`POST /inbound`: one call per turn, each sender apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts import tenancy
from accounts.principals.models import AuditEvent, Contact, User
from sessions_app.models import Message, Participant, Session
from tests.accounts.kit import contact_header
from tests.sessions_app.channel import Unchanged


class TestOneTurn:
    def test_makes_contact_session_and_message(self, api, cast, channel):
        found = channel.say("4711", sender={"id": "4711", "name": "Dana", "username": "dana_x"})
        assert found["contact"] == {
            "id": found["sender"]["contact_id"],
            "kind": "external",
            "display_name": "Dana",
            "owner_user_id": "default",
        }
        assert found["sender"] == {
            "display_name": "Dana",
            "platform": "telegram",
            "kind": "external",
            "user_id": None,
            "contact_id": found["contact"]["id"],
        }
        session = found["session"]
        assert (session["user_id"], session["agent_id"]) == ("default", "quinn")
        assert (session["thread_key"], session["is_new"]) == (None, True)
        assert session["uri"] == f"viking://session/{session['session_id']}"
        assert found["message"]["seq"] == 1
        assert (found["recall"], found["reply"]) == ([], None)

        detail = api.get(f"/sessions/{session['session_id']}", cast.alice.headers).result
        assert detail["contact_id"] == found["contact"]["id"]
        assert detail["participant_contact_ids"] == [found["contact"]["id"]]
        assert detail["participant_user_ids"] == []
        contact = api.get(f"/contacts/{found['contact']['id']}", cast.alice.headers).result
        assert contact["auto_created"] is True
        (handle,) = contact["handles"]
        assert (handle["platform_id"], handle["username"]) == ("4711", "dana_x")

    def test_goes_on_in_the_same_session(self, channel):
        first, second = channel.say(text="One"), channel.say(text="Two")
        assert first["session"]["session_id"] == second["session"]["session_id"]
        assert (first["session"]["is_new"], second["session"]["is_new"]) == (True, False)
        assert (first["message"]["seq"], second["message"]["seq"]) == (1, 2)
        assert first["contact"] == second["contact"]

    def test_says_who_wrote_it(self, api, cast, channel):
        found = channel.say()
        path = f"/sessions/{found['session']['session_id']}/messages"
        (row,) = api.get(path, cast.alice.headers).result
        contact = found["contact"]["id"]
        assert (row["role"], row["role_id"], row["contact_id"]) == ("user", contact, contact)
        with tenancy.account(cast.north):
            kept = Message.objects.get()
            gate = User.objects.get(user_id="gate")
            assert kept.written_by == gate.pk
            assert kept.written_key is not None
            assert Session.objects.get().owner.is_default

    def test_never_belongs_to_the_gateways_own_user(self, cast, channel):
        channel.say()
        with tenancy.account(cast.north):
            assert not Contact.objects.filter(owner__user_id="gate").exists()
            assert not Session.objects.filter(owner__user_id="gate").exists()
            assert not Participant.objects.filter(user__user_id="gate").exists()

    def test_of_two_senders_of_one_name_goes_to_two_sessions(self, channel):
        ana, other = (
            channel.say(sender={"id": number, "name": "Ana"}, text=f"I am {number}")
            for number in ("1", "2")
        )
        assert ana["contact"]["id"] != other["contact"]["id"]
        assert ana["session"]["session_id"] != other["session"]["session_id"]
        assert [row["parts"][0]["text"] for row in other["context"]["messages"]] == ["I am 2"]

    def test_of_one_id_on_two_platforms_is_of_two_senders(self, channel):
        assert channel.contact(platform="telegram") != channel.contact(platform="whatsapp")

    def test_ids_of_mail_ignore_case_others_do_not(self, channel):
        mail = {"platform": "email"}
        assert channel.contact("Ana@x.example", **mail) == channel.contact("ana@X.example", **mail)
        assert channel.contact("Ana") != channel.contact("ana")

    def test_platform_ignores_case(self, channel):
        assert channel.contact(platform="Telegram") == channel.contact(platform="telegram")

    def test_context_is_what_the_agent_needs(self, api, cast, channel):
        for number in range(3):
            found = channel.say(text=f"Number {number}")
        session_id = found["session"]["session_id"]
        api.say(cast.alice.headers, session_id, "An answer", role="assistant")
        found = channel.say(text="Thanks")
        said = [row["parts"][0]["text"] for row in found["context"]["messages"]]
        assert said == ["Number 0", "Number 1", "Number 2", "An answer", "Thanks"]
        own = api.get(f"/sessions/{session_id}/context", channel.as_contact(found["contact"]["id"]))
        assert own.result == found["context"]

    def test_context_keeps_to_the_budget(self, api, cast, channel):
        session_id = channel.session(text="word " * 200)
        api.post(f"/sessions/{session_id}/commit", cast.alice.headers)
        assert channel.say(token_budget=0)["context"]["latest_archive_overview"] == ""

    def test_parts_win_over_text(self, channel):
        parts = [{"type": "text", "text": "From parts"}, {"type": "image", "url": "x"}]
        found = channel.say(text="From text", parts=parts)
        assert found["context"]["messages"][0]["parts"] == parts

    def test_sent_at_is_its_true_time(self, api, cast, channel):
        at = "2026-05-04T10:00:00Z"
        session_id = channel.session(sent_at=at)
        (row,) = api.get(f"/sessions/{session_id}/messages", cast.alice.headers).result
        assert datetime.fromisoformat(row["created_at"]) == datetime(2026, 5, 4, 10, tzinfo=UTC)
        (listed,) = api.get("/sessions", cast.alice.headers).result
        assert listed["last_activity_at"] == row["created_at"]

    def test_username_follows_the_sender(self, api, cast, channel):
        for username, kept in (("old", "old"), ("new", "new"), ("", "new")):
            contact = channel.contact(sender={"id": "1", "username": username})
            (handle,) = api.get(f"/contacts/{contact}", cast.alice.headers).result["handles"]
            assert handle["username"] == kept

    def test_leaves_one_event_for_a_new_contact_and_no_words(self, cast, channel):
        channel.say("canary-id", sender={"id": "canary-id", "name": "canary-name"})
        channel.say("canary-id")
        with tenancy.account(cast.north):
            events = list(AuditEvent.objects.order_by("id"))
        made = [event for event in events if event.action == "contact.created"]
        assert len(made) == 1
        assert "canary" not in str([(event.action, event.data) for event in events])


class TestAgents:
    def test_first_seen_here_keeps_senders_apart(self, api, cast, channel):
        channel.say()
        found = api.get("/agents/quinn", cast.alice.headers).result
        assert found["session_scope"] == "per_sender"

    def test_global_ones_are_refused_with_the_switch_named(self, cast, channel, set_agent):
        set_agent(session_scope="global")
        with Unchanged(cast.north):
            answer = channel.turn()
        assert (answer.status, answer.code) == (412, "FAILED_PRECONDITION")
        error = answer.body["error"]
        assert "session_scope" in error["message"]
        assert "per_sender" in error["message"]
        assert "shared_inbox" in error["message"]
        assert error["details"] == {"agent_id": "quinn", "session_scope": "global"}
        set_agent(session_scope="per_sender")
        assert channel.turn().status == 200

    def test_one_that_was_named_without_a_contact_is_global(self, api, cast, channel):
        api.say({**cast.bob.headers, "X-Bailiwick-Agent": "quinn"}, "s1")
        assert channel.turn().status == 412

    def test_case_is_ignored(self, channel):
        first, second = channel.say(), channel.say(agent_id="QUINN")
        assert first["session"]["session_id"] == second["session"]["session_id"]

    def test_each_has_its_own_session_of_a_sender(self, channel):
        first, second = channel.say(), channel.say(agent_id="rex")
        assert first["contact"] == second["contact"]
        assert first["session"]["session_id"] != second["session"]["session_id"]

    def test_back_to_global_stamped_sessions_stay_hidden(self, api, cast, channel, set_agent):
        session_id = channel.session()
        set_agent(session_scope="global")
        for headers in (cast.bob.headers, cast.alice_as("bob"), channel.headers):
            assert api.get(f"/sessions/{session_id}", headers).status == 404
        assert api.get(f"/sessions/{session_id}", cast.alice.headers).status == 200
        set_agent(session_scope="per_sender")
        assert channel.session() == session_id

    def test_registration_by_admins_only_holds_here_too(self, cast, channel, set_account):
        set_account(agent_registration="admins")
        with Unchanged(cast.north):
            assert channel.turn().status == 403


class TestSharedInbox:
    @pytest.fixture(autouse=True)
    def shared(self, set_agent, set_account):
        set_agent(session_scope="global")
        set_account(shared_inbox=True)

    def test_all_senders_write_into_one_session_of_the_default_user(self, cast, channel):
        first, second = channel.say("dana"), channel.say("eli")
        assert first["session"]["session_id"] == second["session"]["session_id"]
        assert (first["contact"], second["contact"]) == (None, None)
        assert first["session"]["user_id"] == "default"
        assert first["sender"]["contact_id"] is None
        with tenancy.account(cast.north):
            assert Contact.objects.count() == 0

    def test_delivered_again_it_is_the_same_turn(self, cast, channel):
        first = channel.say(external_id="1")
        with Unchanged(cast.north):
            again = channel.say(external_id="1")
        assert again["message"] == first["message"]
        assert again["sender"] == first["sender"]

    def test_an_agent_that_keeps_senders_apart_still_does(self, channel, set_agent):
        set_agent(session_scope="per_sender")
        assert channel.session("dana") != channel.session("eli")


class TestThreads:
    def test_each_has_its_session(self, channel):
        plain, first, second = (channel.session(thread_key=key) for key in (None, "a", "b"))
        assert len({plain, first, second}) == 3
        assert channel.session(thread_key="a") == first
        assert channel.session() == plain

    def test_of_another_sender_is_another_session(self, channel):
        assert channel.session("dana", thread_key="a") != channel.session("eli", thread_key="a")


class TestSessionsEnd:
    def test_after_an_ended_one_a_new_one_begins(self, api, cast, channel):
        before = channel.session()
        api("PATCH", f"/sessions/{before}", cast.alice.headers, {"state": "ended"})
        after = channel.say()
        assert after["session"]["session_id"] != before
        assert after["session"]["is_new"] is True
        assert len(after["context"]["messages"]) == 1

    def test_idle_for_long_it_is_the_current_one_no_longer(self, cast, channel, set_account):
        before = channel.session(sent_at=(timezone.now() - timedelta(hours=3)).isoformat())
        assert channel.session(sent_at=(timezone.now() - timedelta(hours=3)).isoformat()) == before
        set_account(session_idle_hours=2)
        after = channel.session()
        assert after != before
        with tenancy.account(cast.north):
            assert Session.objects.get(session_id=before).state == "idle"
        assert channel.session() == after

    def test_start_for_the_contact_finds_the_channels_session(self, api, cast, channel):
        found = channel.say()
        contact, session_id = found["contact"]["id"], found["session"]["session_id"]
        for headers in (channel.as_contact(contact), contact_header(cast.alice.headers, contact)):
            started = api.post("/sessions/start", headers, {"agent_id": "quinn"}).result
            assert (started["session_id"], started["is_existing"]) == (session_id, True)
        begun = {"agent_id": "quinn", "force_new": True}
        newer = api.post("/sessions/start", channel.as_contact(contact), begun).result
        assert channel.session() == newer["session_id"] != session_id


def test_what_a_contact_wrote_is_seen_by_it_its_owner_and_admins_only(api, cast, channel):
    found = channel.say("dana")
    session_id, dana = found["session"]["session_id"], found["contact"]["id"]
    eli = channel.contact("eli")

    def sees(headers):
        paths = [f"/sessions/{session_id}{part}" for part in ("", "/messages", "/context")]
        answers = {api.get(path, headers).status for path in paths}
        listed = session_id in channel.listed(headers)
        assert answers == ({200} if listed else {404})
        return listed

    assert sees(channel.as_contact(dana))
    assert sees(cast.alice.headers)
    assert sees(cast.alice_as("default"))
    assert sees(cast.root_as("default"))
    assert not sees(channel.as_contact(eli))
    assert not sees(channel.headers)
    assert not sees(cast.bob.headers)
    assert not sees(cast.alice_as("bob"))
    assert not sees(contact_header(cast.alice.headers, eli))
