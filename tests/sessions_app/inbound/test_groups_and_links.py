"""`POST /inbound`: groups with their speakers, and senders who are users."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import tenancy
from accounts.principals.models import User
from sessions_app.models import Message
from tests.accounts.kit import contact_header
from tests.rows import all_text
from tests.sessions_app.channel import Unchanged


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
