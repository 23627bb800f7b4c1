"""`POST /inbound`: the same turn again is no new turn."""

from __future__ import annotations

import pytest

from accounts import tenancy
from sessions_app.models import Message
from tests.sessions_app.channel import Channel, Unchanged


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
