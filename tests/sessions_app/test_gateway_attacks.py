"""What was found by attacking the gateway: each test once showed somebody else's words, or less."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.models import Account
from accounts.principals.models import Contact, ContactHandle, User
from sessions_app.models import Message
from tests.accounts.kit import contact_header, make_contact
from tests.sessions_app.channel import Channel, gateway_headers


@pytest.fixture
def channel(api, cast):
    return Channel(api, gateway_headers(cast.north))


@pytest.fixture
def link(api, cast, channel):
    def bind(user, sender="dana"):
        code = api.post("/handles/code", getattr(cast, user).headers).result["code"]
        return channel.say(sender, f"/link {code}")

    return bind


def handle_of(cast, sender):
    with tenancy.account(cast.north):
        row = ContactHandle.objects.get(platform_id=sender)
        return f"/contacts/{row.contact_id}/handles/{row.pk}"


class TestDeliveredAgainForSomebodyElse:
    """The turn is kept once; but what it was answered with is told only to whose it still is."""

    def again(self, channel, secret, **more):
        found = channel.say("dana", "Hello", external_id="e1", **more)
        assert (found["context"], found["contact"]) == (None, None)
        assert found["sender"]["user_id"] is None
        assert secret not in str(found)
        return found

    def test_after_the_address_was_taken_away(self, api, cast, channel):
        first = channel.say("dana", "Hello", external_id="e1")
        channel.say("dana", "SECRET")
        assert api("DELETE", handle_of(cast, "dana"), cast.alice.headers).status == 200
        found = self.again(channel, "SECRET")
        assert found["message"] == first["message"]
        assert channel.say("dana", "I am new here")["session"]["is_new"]

    def test_after_it_was_unbound(self, api, cast, channel, link):
        link("bob")
        session = channel.say("dana", "Hello", external_id="e1")["session"]["session_id"]
        where = handle_of(cast, "dana")
        assert api.post(f"{where}/unbind", cast.alice.headers).status == 200
        api.say(cast.bob.headers, session, "SECRET")
        self.again(channel, "SECRET")

    def test_after_the_user_was_deleted(self, api, cast, channel, link):
        link("bob")
        session = channel.say("dana", "Hello", external_id="e1")["session"]["session_id"]
        api.say(cast.bob.headers, session, "SECRET")
        assert api("DELETE", "/admin/accounts/north/users/bob", cast.alice.headers).status == 200
        self.again(channel, "SECRET")

    def test_after_a_shared_inbox_was_divided(self, api, cast, channel):
        body = {"agent_id": "quinn", "session_scope": "global"}
        assert api.post("/agents", cast.alice.headers, body).status == 200
        Account.objects.filter(pk=cast.north.id).update(settings={"shared_inbox": True})
        channel.say("dana", "Hello", external_id="e1")
        channel.say("eli", "SECRET")
        change = {"session_scope": "per_sender"}
        assert api("PATCH", "/agents/quinn", cast.alice.headers, change).status == 200
        self.again(channel, "SECRET")

    def test_it_is_answered_whole_to_the_same_sender(self, channel):
        first = channel.say("dana", "Hello", external_id="e1")
        channel.say("dana", "And more")
        found = channel.say("dana", "Hello", external_id="e1")
        assert found["contact"] == first["contact"]
        assert "And more" in str(found["context"])


class TestCodes:
    @pytest.fixture
    def narrow(self, api, cast):
        """A key of bob's that is narrower than bob."""

        def key(**fields):
            body = {"user_id": "bob", "name": "narrow", **fields}
            made = api.post("/admin/accounts/north/keys", cast.alice.headers, body)
            return {"X-API-Key": made.result["user_key"]}

        return key

    @pytest.mark.parametrize("fields", [{"agents": ["max"]}, {"contact_required": True}])
    def test_a_narrow_key_makes_no_wide_way_in(self, api, cast, narrow, fields):
        assert api.post("/handles/code", narrow(**fields)).status == 403
        assert api.post("/handles/code", cast.bob.headers).status == 200

    def test_a_gateway_makes_none_for_whom_it_speaks(self, api, channel, link):
        link("bob")
        headers = contact_header(channel.headers, "telegram:dana")
        assert api.post("/handles/code", headers).status == 403

    @pytest.mark.parametrize(
        "words",
        [
            *("/Link {}", "/LINK {}", "/link {} thanks", "/link\u00a0{}", "/link: {}"),
            *("/link {}\nand more", "/link@bot {}", "  /link   {}  ", "/link"),
        ],
    )
    def test_however_spelt_it_is_never_a_message(self, api, cast, channel, words):
        code = api.post("/handles/code", cast.bob.headers).result["code"]
        found = channel.say("dana", words.format(code))
        assert found["message"] is None
        assert found["reply"].startswith("Linked" if "{}" in words else "This code is not valid")
        with tenancy.account(cast.north):
            assert not Message.objects.exists()

    def test_a_wrong_one_is_not_called_right(self, channel, link):
        link("bob")
        reply = channel.say("dana", "/link AAAABBBB")["reply"]
        assert reply.startswith("This code is not valid.")
        assert "bob" in reply


class TestForWhomAGatewaySpeaks:
    def test_an_admins_own_address_gives_no_admins_rights(self, api, cast, channel, link):
        """The key is the admin's; but who speaks is a sender, and sees what a user sees."""
        link("alice", "her-phone")
        other = channel.session("eli")
        body = {
            "user_id": "alice", "name": "gate", "scopes": ["read", "write", "gateway", "manage"],
        }  # fmt: skip
        made = api.post("/admin/accounts/north/keys", cast.alice.headers, body)
        own = {"X-API-Key": made.result["user_key"]}
        spoken_for = contact_header(own, "telegram:her-phone")
        assert api.get(f"/sessions/{other}", own).status == 200
        assert api.get(f"/sessions/{other}", spoken_for).status == 404
        assert other not in str(api.get("/sessions", spoken_for).result)

    def test_nor_the_whole_book_of_contacts(self, api, channel, link):
        link("bob")
        channel.say("eli")
        assert len(api.get("/contacts", channel.headers).result) == 2
        spoken_for = contact_header(channel.headers, "telegram:dana")
        assert api.get("/contacts", spoken_for).result == []

    def test_a_bound_address_is_taken_away_by_admins_only(self, api, cast, channel, link):
        link("bob")
        assert api("DELETE", handle_of(cast, "dana"), channel.headers).status == 403
        assert api("DELETE", handle_of(cast, "dana"), cast.alice.headers).status == 200

    def test_a_personal_contact_that_is_bound_is_that_user(self, api, cast, channel):
        made = make_contact(cast.north, "telegram", "dana", kind="personal")
        with tenancy.account(cast.north):
            handle = ContactHandle.objects.get(contact=made)
        where = f"/contacts/{made}/handles/{handle.pk}/bind"
        assert api.post(where, cast.alice.headers, {"user_id": "bob"}).status == 200
        found = channel.say("dana")
        assert (found["sender"]["user_id"], found["session"]["user_id"]) == ("bob", "bob")
        with tenancy.account(cast.north):
            assert Contact.objects.count() == 1

    def test_a_person_is_named_before_a_group_of_the_same_id(self, api, cast, channel):
        make_contact(cast.north, "telegram", "77", kind="group")
        person = make_contact(cast.north, "telegram", "77", kind="personal")
        headers = contact_header(channel.headers, "telegram:77")
        assert api.get("/whoami", headers).result["contact_id"] == str(person)


def test_a_contact_does_not_learn_its_aliases_by_searching(api, cast, channel):
    dana = channel.contact("dana")
    change = {"aliases": ["The difficult one"], "display_name": "Dana"}
    assert api("PATCH", f"/contacts/{dana}", cast.alice.headers, change).status == 200
    own = contact_header(channel.headers, dana)
    assert len(api.get("/contacts", cast.alice.headers, q="difficult").result) == 1
    assert api.get("/contacts", own, q="difficult").result == []
    assert len(api.get("/contacts", own, q="dan").result) == 1


def test_a_look_outlives_the_contact(api, cast, channel, sign_in):
    with tenancy.account(cast.north):
        bob = User.objects.get(user_id="bob").user_id
    made = make_contact(cast.north, "peer", "p1", owner=bob)
    fields = {"contact": str(made), "reason": "Ticket"}
    assert sign_in("alice").post(f"/a/north/view?contact={made}", fields).status_code == 303
    assert api("DELETE", f"/contacts/{made}", cast.bob.headers).status == 409
    assert b"Ticket" in sign_in("bob").get("/a/north/looked").content
