"""`POST /inbound`: one call per turn, each sender apart, delivered again harmlessly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone

from accounts import tenancy
from accounts.models import Account
from accounts.principals.models import Agent, AuditEvent, Contact, ContactHandle, User
from sessions_app.models import Message, Participant, Session
from sessions_app.services import inbound, senders
from tests.accounts.kit import contact_header, peer_header
from tests.rows import all_text
from tests.sessions_app.channel import Channel, Unchanged, gateway_headers


@pytest.fixture
def channel(api, cast):
    return Channel(api, gateway_headers(cast.north))


@pytest.fixture
def set_agent(api, cast):
    """set_agent(session_scope="global") of the agent that the channel writes to."""

    def change(agent_id="quinn", **fields):
        answer = api("PATCH", f"/agents/{agent_id}", cast.alice.headers, fields)
        if answer.status == 404:
            body = {"agent_id": agent_id, **fields}
            answer = api.post("/agents", cast.alice.headers, body)
        assert answer.status == 200, answer.body

    return change


@pytest.fixture
def set_account(cast):
    def change(**values):
        row = Account.objects.get(pk=cast.north.id)
        Account.objects.filter(pk=row.pk).update(settings={**row.settings, **values})

    return change


@pytest.fixture
def link(api, cast, channel):
    """link("bob", "dana") binds the sender to the user by a code of the user's."""

    def bind(user, sender="dana"):
        code = api.post("/handles/code", getattr(cast, user).headers).result["code"]
        return channel.say(sender, f"/link {code}")

    return bind


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


class TestDeliveredAgain:
    def test_it_is_no_new_turn(self, cast, channel):
        first = channel.say(text="One", external_id="1")
        with Unchanged(cast.north):
            again = channel.say(text="One", external_id="1")
        assert again["message"] == first["message"]
        assert again["contact"] == first["contact"]
        assert again["sender"] == first["sender"]
        assert first["session"]["is_new"] is True
        assert again["session"] == {**first["session"], "is_new": False}
        assert channel.say(text="Two", external_id="2")["message"]["seq"] == 2

    def test_also_when_other_turns_came_since(self, cast, channel):
        first = channel.say(external_id="1")
        channel.say(external_id="2")
        with Unchanged(cast.north):
            assert channel.say(external_id="1")["message"] == first["message"]

    def test_also_when_a_newer_session_has_begun(self, api, cast, channel):
        first = channel.say(external_id="1")
        ended = {"state": "ended"}
        path = f"/sessions/{first['session']['session_id']}"
        assert api("PATCH", path, cast.alice.headers, ended).status == 200
        newer = channel.session()
        assert newer != first["session"]["session_id"]
        with Unchanged(cast.north):
            again = channel.say(external_id="1")
        assert again["session"]["session_id"] == first["session"]["session_id"]
        assert again["message"] == first["message"]

    def test_also_when_the_contact_was_merged(self, api, cast, channel):
        first, eli = channel.say(external_id="1"), channel.contact("eli")
        merge = f"/contacts/{first['contact']['id']}/merge"
        assert api.post(merge, cast.alice.headers, {"into": eli}).status == 200
        with Unchanged(cast.north):
            again = channel.say(external_id="1")
        assert again["message"] == first["message"]
        assert again["contact"]["id"] == eli

    def test_also_when_the_sender_was_bound_since(self, cast, channel, link):
        first = channel.say(external_id="1")
        link("bob")
        with Unchanged(cast.north):
            assert channel.say(external_id="1")["message"] == first["message"]

    def test_of_a_bound_sender_names_the_user_again(self, cast, channel, link):
        link("bob")
        first = channel.say(external_id="1")
        with Unchanged(cast.north):
            again = channel.say(external_id="1")
        assert again["sender"] == first["sender"]
        assert again["sender"]["user_id"] == "bob"

    def test_in_a_group_it_is_one_turn_whoever_is_said_to_have_sent_it(self, cast, channel):
        first = channel.say("dana", group="g", external_id="1")
        with Unchanged(cast.north):
            assert channel.say("dana", group="g", external_id="1")["message"] == first["message"]

    @pytest.mark.parametrize(
        ("other", "what"),
        [
            ({"external_id": "2"}, "another id"),
            ({"sender": {"id": "eli"}}, "another sender"),
            ({"platform": "whatsapp"}, "another platform"),
            ({"agent_id": "rex"}, "another agent"),
            ({"chat": {"id": "dana", "kind": "group"}}, "a group of the sender's id"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_what_differs_is_a_turn_of_its_own(self, channel, other, what):
        first = channel.say(external_id="1")
        assert channel.say(**{"external_id": "1", **other})["message"] != first["message"], what

    @pytest.mark.parametrize(
        ("one", "two"),
        [
            # Ids may hold the sign that stands between them.
            (
                {"sender": {"id": "a"}, "external_id": "b:c"},
                {"sender": {"id": "a:b"}, "external_id": "c"},
            ),
            # A gateway may call each direct chat by the same name.
            (
                {"sender": {"id": "a"}, "external_id": "1", "chat": {"id": "dm"}},
                {"sender": {"id": "b"}, "external_id": "1", "chat": {"id": "dm"}},
            ),
            # A group and a person with equal ids.
            (
                {"sender": {"id": "a"}, "external_id": "1"},
                {"sender": {"id": "b"}, "external_id": "1", "chat": {"id": "a", "kind": "group"}},
            ),
        ],
    )
    def test_one_senders_turn_is_never_taken_for_anothers(self, channel, one, two):
        """Else the answer would hold the other one's conversation."""
        mine, theirs = channel.say(text="Mine", **one), channel.say(text="Theirs", **two)
        assert mine["session"]["session_id"] != theirs["session"]["session_id"]
        said = [row["parts"][0]["text"] for row in theirs["context"]["messages"]]
        assert said == ["Theirs"]

    def test_without_an_external_id_each_is_a_turn(self, channel):
        assert [channel.say()["message"]["seq"] for _ in range(2)] == [1, 2]

    def test_the_longest_ids_are_kept(self, channel):
        longest = {"sender": {"id": "s" * 255}, "external_id": "e" * 255}
        assert channel.say(**longest)["message"] == channel.say(**longest)["message"]


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


class TestGroups:
    def test_its_session_is_with_the_group_and_its_speakers_take_part(self, api, cast, channel):
        chat = {"id": "-5", "kind": "group", "name": "Fans"}
        dana, eli = (channel.say(name, chat=chat) for name in ("dana", "eli"))
        assert dana["session"]["session_id"] == eli["session"]["session_id"]
        assert dana["contact"]["kind"] == "group"
        assert dana["contact"]["display_name"] == "Fans"
        speakers = [found["sender"]["contact_id"] for found in (dana, eli)]
        assert len({*speakers, dana["contact"]["id"]}) == 3
        detail = api.get(f"/sessions/{dana['session']['session_id']}", cast.alice.headers).result
        assert detail["contact_id"] == dana["contact"]["id"]
        assert detail["participant_contact_ids"] == speakers
        path = f"/sessions/{detail['session_id']}/messages"
        rows = api.get(path, cast.alice.headers).result
        assert [row["role_id"] for row in rows] == speakers

    def test_a_member_sees_it_in_the_group_only(self, api, channel):
        inside = channel.say("dana", group="-5")
        direct = channel.say("dana")
        assert inside["sender"]["contact_id"] == direct["contact"]["id"]
        group, dana = inside["contact"]["id"], direct["contact"]["id"]
        mine, ours = direct["session"]["session_id"], inside["session"]["session_id"]
        assert mine != ours
        assert channel.listed(channel.as_contact(dana)) == {mine}
        assert channel.listed(channel.as_contact(group)) == {ours}
        for contact, hidden in ((dana, ours), (group, mine)):
            for part in ("", "/messages", "/context"):
                path = f"/sessions/{hidden}{part}"
                assert api.get(path, channel.as_contact(contact)).status == 404
            assert api.say(channel.as_contact(contact), hidden).status == 404

    def test_another_group_of_the_same_members_is_another_session(self, channel):
        assert channel.session("dana", group="-5") != channel.session("dana", group="-6")

    def test_a_bound_member_speaks_as_the_user(self, api, cast, channel, link):
        link("bob", "dana")
        channel.say("eli", group="-5")
        found = channel.say("dana", group="-5")
        assert found["contact"]["kind"] == "group"
        assert (found["sender"]["kind"], found["sender"]["user_id"]) == ("user", "bob")
        session_id = found["session"]["session_id"]
        detail = api.get(f"/sessions/{session_id}", cast.bob.headers).result
        assert detail["participant_user_ids"] == ["bob"]
        assert api.get(f"/sessions/{session_id}", cast.beth.headers).status == 404

    def test_members_of_a_group_name_each_other_by_role_id(self, api, cast, channel):
        found = channel.say("dana", group="-5")
        eli = channel.contact("eli")
        headers = contact_header(cast.alice.headers, found["contact"]["id"])
        session_id, dana = found["session"]["session_id"], found["sender"]["contact_id"]
        assert api.say(headers, session_id, role_id=dana).status == 200
        assert api.say(headers, session_id, role_id=eli).status == 400


class TestLink:
    @pytest.fixture
    def code(self, api, cast):
        return api.post("/handles/code", cast.bob.headers).result["code"]

    def test_the_right_code_binds_the_sender(self, api, cast, channel, code):
        channel.contact("dana")
        found = channel.say("dana", f"/link {code}")
        assert "bob" in found["reply"]
        assert (found["session"], found["message"], found["context"]) == (None, None, None)
        after = channel.say("dana")
        assert after["contact"] is None
        assert after["sender"] == {
            "display_name": "dana",
            "platform": "telegram",
            "kind": "user",
            "user_id": "bob",
            "contact_id": None,
        }
        assert after["session"]["user_id"] == "bob"
        session_id = after["session"]["session_id"]
        detail = api.get(f"/sessions/{session_id}", cast.bob.headers).result
        assert detail["created_by_user_id"] == "bob"
        assert (detail["contact_id"], detail["participant_user_ids"]) == (None, ["bob"])
        assert detail["participant_contact_ids"] == []

    def test_also_of_one_who_never_wrote_and_in_any_spelling(self, channel, code):
        found = channel.say("new", f" /link@quinn_bot  {code.lower()}\n")
        assert "bob" in found["reply"]
        assert channel.say("new")["sender"]["user_id"] == "bob"

    def test_also_when_the_channel_sends_parts(self, cast, channel, code):
        """Else the code would lie in a session, to be read."""
        parts = [{"type": "text", "text": f"/link {code}"}]
        assert "bob" in channel.say(text=None, parts=parts)["reply"]
        with tenancy.account(cast.north):
            assert Message.objects.count() == 0

    def test_what_was_said_before_stays_the_contacts(self, api, cast, channel, code):
        before = channel.session("dana")
        channel.say("dana", f"/link {code}")
        after = channel.session("dana")
        assert after != before
        assert api.get(f"/sessions/{before}", cast.bob.headers).status == 404

    @pytest.mark.parametrize("text", ["/link", "/link WRONG234", "/link@bot WRONG234"])
    @pytest.mark.usefixtures("code")
    def test_a_wrong_code_binds_nobody_and_makes_nobody(self, cast, channel, text):
        with Unchanged(cast.north):
            found = channel.say("dana", text)
        assert "not valid" in found["reply"]
        assert found["message"] is None
        assert channel.say("dana")["sender"]["user_id"] is None

    def test_one_that_expired_binds_nobody(self, cast, channel, code):
        with tenancy.account(cast.north):
            past = timezone.now() - timedelta(seconds=1)
            assert User.objects.filter(user_id="bob").update(link_code_expires_at=past) == 1
        with Unchanged(cast.north):
            assert "not valid" in channel.say("dana", f"/link {code}")["reply"]

    def test_it_is_used_once(self, cast, channel, code):
        assert "bob" in channel.say("dana", f"/link {code}")["reply"]
        with Unchanged(cast.north):
            assert "not valid" in channel.say("eli", f"/link {code}")["reply"]
        assert channel.say("eli")["sender"]["user_id"] is None

    def test_delivered_again_it_answers_the_same(self, cast, channel, code):
        first = channel.say("dana", f"/link {code}", external_id="1")
        with Unchanged(cast.north):
            again = channel.say("dana", f"/link {code}", external_id="1")
        assert again == first

    def test_an_earlier_code_holds_no_longer(self, api, cast, channel, code):
        newer = api.post("/handles/code", cast.bob.headers).result["code"]
        assert "not valid" in channel.say("dana", f"/link {code}")["reply"]
        assert "bob" in channel.say("dana", f"/link {newer}")["reply"]

    def test_in_a_group_it_binds_nobody(self, cast, channel, code):
        with Unchanged(cast.north):
            found = channel.say("dana", f"/link {code}", group="-5")
        assert "direct" in found["reply"]
        assert "not valid" in channel.say("eli", f"/link {code}")["reply"]  # who read it there

    def test_of_a_user_who_was_deleted_since_binds_nobody(self, api, cast, channel, code):
        deleted = api("DELETE", "/admin/accounts/north/users/bob", cast.alice.headers)
        assert deleted.status == 200
        assert "not valid" in channel.say("dana", f"/link {code}")["reply"]

    def test_other_words_after_a_slash_are_a_message(self, channel):
        found = channel.say("dana", "/linked to what?")
        assert (found["reply"], found["message"]["seq"]) == (None, 1)

    def test_a_deleted_user_is_the_contact_again(self, api, cast, channel, code):
        channel.say("dana", f"/link {code}")
        assert channel.say("dana")["sender"]["user_id"] == "bob"
        api("DELETE", "/admin/accounts/north/users/bob", cast.alice.headers)
        found = channel.say("dana")
        assert (found["sender"]["user_id"], found["sender"]["kind"]) == (None, "external")
        assert found["session"]["user_id"] == "default"

    def test_the_code_is_kept_nowhere_in_clear(self, cast, channel, code):
        channel.say("dana", f"/link {code}")
        assert code not in all_text(cast.north.schema_name)


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


class TestIdempotencyKey:
    """A turn's own key is its external_id, for ever; the header works beside it, for a day."""

    @pytest.fixture
    def keyed(self, api, channel):
        def send(key="k1", sender="dana", text="Hello"):
            headers = {**channel.headers, "Idempotency-Key": key}
            return Channel(api, headers).turn(sender, text)

        return send

    def test_the_same_turn_again_is_answered_alike_and_kept_once(self, keyed, cast):
        first, again = keyed(), keyed()
        made = dict(first.result["session"], is_new=False)
        assert again.result["session"] == made
        assert again.result["message"] == first.result["message"]
        assert again.result["contact"] == first.result["contact"]
        with tenancy.account(cast.north):
            assert Message.objects.count() == 1
        assert keyed("k2").result["message"]["seq"] == 2

    def test_another_turn_under_the_key_is_refused(self, keyed, cast):
        assert keyed().status == 200
        assert keyed(text="Something else").status == 422
        assert keyed(sender="eli").status == 422
        with tenancy.account(cast.north):
            assert Message.objects.count() == 1

    def test_a_command_is_done_once(self, keyed, api, cast):
        code = api.post("/handles/code", cast.bob.headers).result["code"]
        assert keyed(text=f"/link {code}").result["reply"].startswith("Linked")
        assert keyed(text=f"/link {code}").status == 409
