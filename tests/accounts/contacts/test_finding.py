"""Contacts over the API: resolving who writes, and the list."""

from __future__ import annotations

import pytest

from tests.accounts.contacts.kit import DANA
from tests.accounts.kit import with_key
from tests.sessions_app.channel import Unchanged


class TestResolve:
    def test_unknown_is_not_found_and_nobody_is_made(self, api, cast, gateway):
        with Unchanged(cast.north):
            answer = api.post("/contacts/resolve", gateway, DANA)
        assert (answer.status, answer.code) == (404, "NOT_FOUND")

    def test_makes_it_once_when_asked_to(self, api, gateway):
        body = {**DANA, "name": "Dana", "username": "dana_x", "auto_create": True}
        first, again = (api.post("/contacts/resolve", gateway, body).result for _ in range(2))
        assert (first["created"], again["created"]) == (True, False)
        assert first["contact"] == again["contact"]
        assert first["contact"]["auto_created"] is True
        assert first["contact"]["display_name"] == "Dana"
        found = api.post("/contacts/resolve", gateway, DANA).result
        assert found == {"contact": first["contact"], "created": False}

    def test_a_key_that_only_reads_finds_but_does_not_make(self, api, cast, gateway):
        body = {"user_id": "bob", "name": "r", "scopes": ["read", "gateway"]}
        made = api.post("/admin/accounts/north/keys", cast.alice.headers, body).result
        reader = with_key(made["user_key"])
        with Unchanged(cast.north):
            assert (
                api.post("/contacts/resolve", reader, {**DANA, "auto_create": True}).status == 403
            )
        api.post("/contacts/resolve", gateway, {**DANA, "auto_create": True})
        assert api.post("/contacts/resolve", reader, DANA).status == 200

    @pytest.mark.parametrize("kind", ["external", "group", "personal"])
    def test_each_kind_is_somebody_of_its_own(self, api, gateway, kind):
        body = {**DANA, "kind": kind, "auto_create": True}
        first = api.post("/contacts/resolve", gateway, body).result
        assert first["contact"]["kind"] == kind
        again = api.post("/contacts/resolve", gateway, {**DANA, "kind": kind}).result
        assert again["contact"]["id"] == first["contact"]["id"]
        for other in {"external", "group", "personal"} - {kind}:
            found = api.post("/contacts/resolve", gateway, {**DANA, "kind": other})
            assert found.status == 404

    def test_agrees_with_the_channel(self, api, channel):
        said = channel.say("dana")
        found = api.post("/contacts/resolve", channel.headers, DANA).result
        assert found["contact"]["id"] == said["contact"]["id"]
        made = api.post(
            "/contacts/resolve", channel.headers, {**DANA, "platform_id": "e", "auto_create": True}
        )
        assert channel.contact("e") == made.result["contact"]["id"]

    def test_of_a_user_and_of_channels_are_two(self, api, cast, gateway):
        body = {**DANA, "auto_create": True}
        own = api.post("/contacts/resolve", cast.bob.headers, body).result["contact"]
        shared = api.post("/contacts/resolve", gateway, body).result["contact"]
        assert (own["owner_user_id"], shared["owner_user_id"]) == ("bob", "default")
        assert own["id"] != shared["id"]

    def test_an_admin_names_the_owner(self, api, cast, create):
        own = create(headers=cast.bob.headers, handles=[DANA])
        body = {**DANA, "owner_user_id": "bob"}
        found = api.post("/contacts/resolve", cast.alice.headers, body)
        assert found.result["contact"]["id"] == own["id"]
        assert api.post("/contacts/resolve", cast.beth.headers, body).status == 403

    def test_on_behalf_of_a_contact_it_is_a_contradiction(self, api, who):
        for caller in ("itself", "a new peer"):
            answer = api.post("/contacts/resolve", who(caller), DANA)
            assert (answer.status, answer.code) == (409, "CONFLICT")

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"platform": "pigeon"}, 400),
            ({"platform_id": ""}, 400),
            ({"platform_id": "x" * 256}, 400),
            ({"kind": "robot"}, 400),
            ({"name": "x" * 201}, 400),
            ({"username": "x" * 201}, 400),
            ({"auto_create": "yes"}, 422),
            ({"auto_create": 1}, 422),
            ({"platform_id": 5}, 422),
            ({"id": "dana"}, 422),
        ],
    )
    def test_what_is_refused_changes_nothing(self, api, cast, gateway, change, status):
        body = {**DANA, "auto_create": True}
        with Unchanged(cast.north):
            assert api.post("/contacts/resolve", gateway, {**body, **change}).status == status
        assert api.post("/contacts/resolve", gateway, body).status == 200


class TestList:
    @pytest.fixture
    def many(self, create, merge):
        ana = create("Ana", handles=[{"platform": "telegram", "platform_id": "4711"}])
        ben = create("Ben", aliases=["Benny 100%"], handles=[{**DANA, "username": "big_ben"}])
        fans = create("Fans", kind="group", handles=[{"platform": "web", "platform_id": "f"}])
        gone = create("Gone", handles=[{"platform": "email", "platform_id": "gone@x.example"}])
        merge(gone["id"], ana["id"])
        return {"ana": ana["id"], "ben": ben["id"], "fans": fans["id"]}

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({}, "fans ben ana"),
            ({"q": "AN"}, "fans ben ana"),  # Fans, dana, Ana
            ({"q": "ana"}, "ben ana"),
            ({"q": "benny"}, "ben"),
            ({"q": "100%"}, "ben"),
            ({"q": "%"}, "ben"),
            ({"q": "_ben"}, "ben"),
            ({"q": "@big_ben"}, "ben"),
            ({"q": "4711"}, "ana"),
            ({"q": "gone"}, "ana"),  # it counts as Ana
            ({"q": "nobody"}, ""),
            ({"platform": "telegram"}, "ben ana"),
            ({"platform": "email"}, "ana"),
            ({"platform": "Web"}, "fans"),
            ({"platform": "discord"}, ""),
            ({"kind": "group"}, "fans"),
            ({"kind": "external"}, "ben ana"),
            ({"kind": "external", "platform": "telegram", "q": "ben"}, "ben"),
        ],
        ids=str,
    )
    def test_search(self, api, cast, many, query, found):
        rows = api.get("/contacts", cast.alice.headers, **query).result
        assert [row["id"] for row in rows] == [many[name] for name in found.split()]

    def test_pages_are_stable_while_others_are_made(self, api, cast, create):
        made = [create(str(number))["id"] for number in range(7)]
        seen, cursor = [], None
        while True:
            query = {"limit": 3, **({"cursor": cursor} if cursor else {})}
            answer = api.get("/contacts", cast.alice.headers, **query)
            seen += [row["id"] for row in answer.result]
            create("Newer")
            cursor = answer.body["page"]["next"]
            if cursor is None:
                break
        assert seen == made[::-1]

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ({"limit": 0}, 400),
            ({"limit": 201}, 400),
            ({"limit": "x"}, 422),
            ({"cursor": "garbage"}, 400),
            ({"q": "x" * 201}, 400),
            ({"q": "a\0b"}, 400),
            ({"platform": "pigeon"}, 400),
            ({"kind": "robot"}, 400),
        ],
    )
    def test_what_is_refused(self, api, cast, query, status):
        assert api.get("/contacts", cast.alice.headers, **query).status == status

    def test_sessions_of_one_that_was_merged_are_listed_by_either_id(self, cast, channel, merge):
        ana, ben = (channel.say(name) for name in ("ana", "ben"))
        ids = [found["contact"]["id"] for found in (ana, ben)]
        both = {found["session"]["session_id"] for found in (ana, ben)}
        assert channel.listed(cast.alice.headers, contact=ids[0]) < both
        merge(*ids)
        for contact in ids:
            assert channel.listed(cast.alice.headers, contact=contact) == both
