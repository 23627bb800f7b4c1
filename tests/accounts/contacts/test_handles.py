"""Addresses over the API: adding, binding to a user, one-time codes."""

from __future__ import annotations

import pytest

from tests.accounts.contacts.kit import DANA, actions
from tests.accounts.kit import contact_header
from tests.sessions_app.channel import Unchanged


class TestHandles:
    def test_adding_one_makes_its_sender_the_contact(self, api, cast, channel):
        contact = channel.contact("dana")
        path = f"/contacts/{contact}/handles"
        body = {"platform": "email", "platform_id": "Dana@X.example", "username": "d"}
        added = api.post(path, cast.alice.headers, body).result
        assert (added["platform_id"], added["user_id"]) == ("dana@x.example", None)
        assert channel.contact("dana@x.example", platform="email") == contact
        (event,) = actions(cast.north, "handle.added")
        assert event.data == {"handle": added["id"]}

    def test_one_of_another_contact_is_a_conflict(self, api, cast, channel):
        dana, _eli = channel.contact("dana"), channel.contact("eli")
        with Unchanged(cast.north):
            body = {"platform": "telegram", "platform_id": "eli"}
            answer = api.post(f"/contacts/{dana}/handles", cast.alice.headers, body)
        assert (answer.status, answer.code) == (409, "CONFLICT")

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"platform": "pigeon", "platform_id": "1"}, 400),
            ({"platform": "web", "platform_id": ""}, 400),
            ({"platform": "web"}, 422),
            ({**DANA, "kind": "group"}, 422),
        ],
    )
    def test_what_is_refused_changes_nothing(self, api, cast, create, body, status):
        path = f"/contacts/{create()['id']}/handles"
        with Unchanged(cast.north):
            assert api.post(path, cast.alice.headers, body).status == status

    def test_without_it_the_sender_is_somebody_new(self, api, cast, channel):
        contact = channel.contact("dana")
        (handle,) = api.get(f"/contacts/{contact}", cast.alice.headers).result["handles"]
        path = f"/contacts/{contact}/handles/{handle['id']}"
        assert api("DELETE", path, cast.alice.headers).result["deleted"]
        assert api("DELETE", path, cast.alice.headers).status == 404
        assert channel.contact("dana") != contact

    def test_of_another_contact_is_absent(self, api, cast, create):
        first, other = create(handles=[DANA]), create()
        (handle,) = first["handles"]
        with Unchanged(cast.north):
            for way, body in (("", None), ("/bind", {"user_id": "bob"}), ("/unbind", None)):
                path = f"/contacts/{other['id']}/handles/{handle['id']}{way}"
                method = "POST" if way else "DELETE"
                assert api(method, path, cast.alice.headers, body).status == 404

    def test_of_a_merged_contact_is_its_own_and_its_roots(self, api, cast, create, merge):
        """What the answer cannot show is not changed either."""
        first, root = create(handles=[DANA]), create(handles=[{**DANA, "platform": "web"}])
        merge(first["id"], root["id"])
        own, roots = first["handles"][0]["id"], root["handles"][0]["id"]
        bind = {"user_id": "bob"}
        with Unchanged(cast.north):
            path = f"/contacts/{first['id']}/handles/{roots}/bind"
            assert api.post(path, cast.alice.headers, bind).status == 404
        path = f"/contacts/{root['id']}/handles/{own}/bind"
        assert api.post(path, cast.alice.headers, bind).result["user_id"] == "bob"
        path = f"/contacts/{first['id']}/handles/{own}/unbind"
        assert api.post(path, cast.alice.headers).result["user_id"] is None


class TestBinding:
    @pytest.fixture
    def place(self, api, cast, channel):
        """Dana's handle, as a path."""
        contact = channel.contact("dana")
        (handle,) = api.get(f"/contacts/{contact}", cast.alice.headers).result["handles"]
        return f"/contacts/{contact}/handles/{handle['id']}"

    def test_then_the_sender_is_that_user(self, api, cast, channel, place):
        bound = api.post(f"{place}/bind", cast.alice.headers, {"user_id": "Bob"}).result
        assert bound["user_id"] == "bob"
        found = channel.say("dana")
        assert (found["contact"], found["session"]["user_id"]) == (None, "bob")
        (event,) = actions(cast.north, "handle.bound")
        assert set(event.data) == {"handle", "user"}

    def test_undone_the_sender_is_the_contact_again(self, api, cast, channel, place):
        before = channel.session("dana")
        api.post(f"{place}/bind", cast.alice.headers, {"user_id": "bob"})
        assert channel.session("dana") != before
        assert api.post(f"{place}/unbind", cast.alice.headers).result["user_id"] is None
        assert channel.session("dana") == before
        assert api.post(f"{place}/unbind", cast.alice.headers).status == 404

    def test_another_user_takes_its_place(self, api, cast, channel, place):
        for user in ("bob", "beth"):
            api.post(f"{place}/bind", cast.alice.headers, {"user_id": user})
            assert channel.say("dana")["session"]["user_id"] == user

    @pytest.mark.parametrize("who", ["bob", "beth", "gateway"])
    def test_only_admins_bind(self, api, cast, gateway, place, who):
        headers = gateway if who == "gateway" else getattr(cast, who).headers
        with Unchanged(cast.north):
            assert api.post(f"{place}/bind", headers, {"user_id": "bob"}).status == 403
            assert api.post(f"{place}/unbind", headers).status == 403

    @pytest.mark.parametrize(
        ("user", "status"), [("nobody", 404), ("a b", 400), (5, 422), (None, 422)]
    )
    def test_only_to_a_user(self, api, cast, place, user, status):
        with Unchanged(cast.north):
            answer = api.post(f"{place}/bind", cast.alice.headers, {"user_id": user})
            assert answer.status == status

    def test_a_group_is_no_user(self, api, cast, create):
        made = create(kind="group", handles=[DANA])
        path = f"/contacts/{made['id']}/handles/{made['handles'][0]['id']}/bind"
        with Unchanged(cast.north):
            assert api.post(path, cast.alice.headers, {"user_id": "bob"}).status == 409

    def test_naming_a_bound_sender_is_naming_the_user(self, api, cast, channel, place):
        named = contact_header(channel.headers, "telegram:dana")
        before = channel.session("dana")
        assert channel.listed(named) == {before}
        api.post(f"{place}/bind", cast.alice.headers, {"user_id": "bob"})
        after = channel.session("dana")
        assert channel.listed(named) == {after}
        assert api.get(f"/sessions/{before}", named).status == 404
        found = api.get("/whoami", named).result
        assert (found["user_id"], found["contact_id"]) == ("bob", None)
        for user, status in (("bob", 200), ("gate", 200), ("beth", 404)):
            beside = {**named, "X-Bailiwick-User": user}
            assert api.get(f"/sessions/{after}", beside).status == status
        for headers in (cast.beth.headers, cast.bob.headers):
            assert api.get("/sessions", contact_header(headers, "telegram:dana")).status == 403


class TestCodes:
    def test_for_ones_own_user(self, api, cast, channel):
        for who in ("bob", "alice"):
            made = api.post("/handles/code", getattr(cast, who).headers).result
            assert len(made["code"]) == 8
            assert who in channel.say(f"{who}s-phone", f"/link {made['code']}")["reply"]

    def test_for_whom_one_acts(self, api, cast, channel):
        made = api.post("/handles/code", cast.alice_as("bob")).result
        assert "bob" in channel.say("dana", f"/link {made['code']}")["reply"]

    def test_not_on_behalf_of_a_contact(self, api, cast, who):
        with Unchanged(cast.north):
            for caller in ("itself", "a new peer"):
                assert api.post("/handles/code", who(caller)).status == 403
