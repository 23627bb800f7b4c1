"""Contacts over the API: making, changing and deleting them, and who may."""

from __future__ import annotations

from uuid import UUID

import pytest

from accounts import tenancy
from accounts.principals.models import Contact
from tests.accounts.contacts.kit import ABSENT, DANA, actions
from tests.accounts.kit import contact_header
from tests.sessions_app.channel import Unchanged


class TestCreate:
    def test_it_works(self, api, cast, create):
        made = create(
            kind="personal",
            aliases=["Dani", "Dani", "D"],
            notes="Prefers e-mail",
            tags=["vip"],
            handles=[{**DANA, "username": "dana_x"}, {"platform": "email", "platform_id": "D@X.y"}],
        )
        handles = [
            (one["platform"], one["platform_id"], one["username"]) for one in made["handles"]
        ]
        assert handles == [("telegram", "dana", "dana_x"), ("email", "d@x.y", "")]
        assert made["aliases"] == ["Dani", "D"]
        assert (made["kind"], made["owner_user_id"]) == ("personal", "default")
        assert (made["auto_created"], made["merged_into"], made["merged"]) == (False, None, [])
        assert api.get(f"/contacts/{made['id']}", cast.alice.headers).result == made
        (event,) = actions(cast.north, "contact.created")
        assert event.target == UUID(made["id"])

    @pytest.mark.parametrize(
        ("who", "owner"),
        [
            ("bob", "bob"),
            ("alice", "default"),
            ("alice as bob", "default"),
            ("root", "default"),
            ("gate", "default"),
        ],
    )
    def test_owner_follows_from_the_key(self, cast, create, gateway, who, owner):
        headers = {
            "bob": cast.bob.headers,
            "alice": cast.alice.headers,
            "alice as bob": cast.alice_as("bob"),
            "root": cast.root_as("bob"),
            "gate": gateway,
        }[who]
        assert create(headers=headers)["owner_user_id"] == owner

    def test_admins_name_the_owner_others_do_not(self, api, cast, create, gateway):
        assert create(owner_user_id="Beth")["owner_user_id"] == "beth"
        assert create(headers=cast.root_as("bob"), owner_user_id="beth")["owner_user_id"] == "beth"
        with Unchanged(cast.north):
            for headers in (cast.bob.headers, gateway):
                answer = api.post("/contacts", headers, {"owner_user_id": "bob"})
                assert answer.status == 403
            for owner, status in (("nobody", 404), ("a b", 400), (5, 422)):
                answer = api.post("/contacts", cast.alice.headers, {"owner_user_id": owner})
                assert answer.status == status

    def test_two_of_one_name_both_exist(self, create):
        assert create("Ana")["id"] != create("Ana")["id"]

    def test_an_address_belongs_to_one(self, api, cast, create):
        create(handles=[DANA])
        with Unchanged(cast.north):
            answer = api.post("/contacts", cast.alice.headers, {"handles": [DANA]})
            assert (answer.status, answer.code) == (409, "CONFLICT")
        create(kind="group", handles=[DANA])
        create(headers=cast.bob.headers, handles=[DANA])

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"kind": "robot"}, 400),
            ({"display_name": "x" * 201}, 400),
            ({"display_name": "a\0b"}, 400),
            ({"notes": "x" * 10_001}, 400),
            ({"aliases": ["x"] * 3 + [" "]}, 400),
            ({"aliases": [str(n) for n in range(21)]}, 400),
            ({"aliases": ["x" * 201]}, 400),
            ({"tags": [""]}, 400),
            ({"tags": ["x" * 65]}, 400),
            ({"tags": "vip"}, 422),
            ({"tags": [5]}, 422),
            ({"notes": None}, 422),
            ({"display_name": 5}, 422),
            ({"handles": [{"platform": "pigeon", "platform_id": "1"}]}, 400),
            ({"handles": [{"platform": "web", "platform_id": " "}]}, 400),
            ({"handles": [{"platform": "web", "platform_id": "x" * 256}]}, 400),
            ({"handles": [{"platform": "web", "platform_id": "1", "username": "x" * 201}]}, 400),
            ({"handles": [{"platform": "web"}]}, 422),
            ({"handles": [DANA, DANA]}, 409),
            ({"handles": [{"platform": "web", "platform_id": str(n)} for n in range(21)]}, 400),
            ({"name": "Dana"}, 422),
            ({"merged_into": ABSENT}, 422),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_what_is_refused_changes_nothing(self, api, cast, body, status):
        with Unchanged(cast.north):
            assert api.post("/contacts", cast.alice.headers, body).status == status
        assert api.post("/contacts", cast.alice.headers, {}).status == 200

    def test_on_behalf_of_a_contact_none_is_made(self, api, cast, who):
        with Unchanged(cast.north):
            for caller in ("itself", "a new peer"):
                assert api.post("/contacts", who(caller), {}).status == 403


READERS = {
    "owner": True,
    "other": False,
    "gateway": False,
    "admin": True,
    "admin as bob": True,
    "admin as beth": False,
    "root as bob": True,
    "root as beth": False,
    "itself": True,
    "another": False,
    "a new peer": False,
    "outsider": False,
}


WRITERS = {**READERS, "itself": None}  # it may look, but changes nothing


class TestWhoMay:
    @pytest.mark.parametrize(("caller", "sees"), READERS.items())
    def test_look(self, api, people, who, caller, sees):
        found = api.get(f"/contacts/{people['bobs']}", who(caller))
        listed = [row["id"] for row in api.get("/contacts", who(caller)).result]
        assert found.status == (200 if sees else 404)
        assert (str(people["bobs"]) in listed) is sees
        searched = [row["id"] for row in api.get("/contacts", who(caller), q="b").result]
        assert (str(people["bobs"]) in searched) is sees

    @pytest.mark.parametrize(("caller", "may"), WRITERS.items())
    def test_change(self, api, cast, people, who, caller, may):
        path = f"/contacts/{people['bobs']}"
        with tenancy.account(cast.north):
            handle = Contact.objects.get(pk=people["bobs"]).handles.get().pk
        headers = who(caller)  # made before anything is counted
        done = [
            api("PATCH", path, headers, {"notes": "x"}).status,
            api.post(f"{path}/handles", headers, DANA).status,
            api("DELETE", f"{path}/handles/{handle}", headers).status,
            api("DELETE", path, headers).status,
        ]
        assert done == [200 if may else 403 if may is None else 404] * 4

    def test_a_gateway_sees_and_changes_what_channels_make(self, api, people, gateway):
        listed = {row["id"] for row in api.get("/contacts", gateway).result}
        assert listed == {str(people["shared"]), str(people["group"])}
        answer = api("PATCH", f"/contacts/{people['shared']}", gateway, {"notes": "x"})
        assert answer.status == 200

    def test_a_trusted_caller_sees_its_own_and_what_channels_make(
        self, api, cast, people, settings
    ):
        settings.AUTH_MODE, settings.GATEWAY_KEYS = "trusted", ()
        bob = {"X-Bailiwick-Account": "north", "X-Bailiwick-User": "bob"}
        listed = {row["id"] for row in api.get("/contacts", bob).result}
        assert listed == {str(one) for one in people.values()}
        new = {**bob, "X-Bailiwick-User": "walter"}
        with Unchanged(cast.north):
            assert api.get("/contacts", new).result == []

    def test_words_of_the_owner_are_hidden_from_the_contact(self, api, cast, people, who):
        path = f"/contacts/{people['bobs']}"
        words = {"notes": "Owes us money", "tags": ["late"], "aliases": ["Slowpoke"]}
        api("PATCH", path, cast.bob.headers, words)
        seen = api.get(path, cast.bob.headers).result
        assert {name: seen[name] for name in words} == words
        for headers in (who("itself"), contact_header(cast.alice.headers, people["bobs"])):
            own = api.get(path, headers).result
            assert (own["notes"], own["tags"], own["aliases"]) == ("", [], [])
            (listed,) = api.get("/contacts", headers).result
            assert listed == own
        assert own["id"] == str(people["bobs"])

    @pytest.mark.parametrize("text", ["x", ABSENT, "telegram:b"])
    def test_what_names_nobody_is_absent(self, api, cast, text):
        for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/unmerge")):
            body = {} if method == "PATCH" else None
            answer = api(method, f"/contacts/{text}{path}", cast.alice.headers, body)
            assert (answer.status, answer.code) == (404, "NOT_FOUND")


class TestChange:
    def test_what_is_absent_stays(self, api, cast, create):
        made = create(notes="Notes", tags=["a"], aliases=["b"])
        path = f"/contacts/{made['id']}"
        answer = api("PATCH", path, cast.alice.headers, {"display_name": " Dana E. ", "tags": []})
        assert answer.result == {**made, "display_name": "Dana E.", "tags": []}
        with Unchanged(cast.north):
            assert api("PATCH", path, cast.alice.headers, {}).result == answer.result
        assert len(actions(cast.north, "contact.updated")) == 1

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"display_name": "x" * 201}, 400),
            ({"tags": ["a", ""]}, 400),
            ({"notes": "a\0b"}, 400),
            ({"notes": 5}, 422),
            ({"kind": "group"}, 422),
            ({"owner_user_id": "bob"}, 422),
        ],
    )
    def test_what_is_refused_changes_nothing(self, api, cast, create, body, status):
        made = create()
        path = f"/contacts/{made['id']}"
        with Unchanged(cast.north):
            assert api("PATCH", path, cast.alice.headers, body).status == status
        assert api.get(path, cast.alice.headers).result == made


class TestDelete:
    def test_with_its_handles(self, api, cast, create):
        made = create(handles=[DANA])
        assert api("DELETE", f"/contacts/{made['id']}", cast.alice.headers).result["deleted"]
        assert api.get(f"/contacts/{made['id']}", cast.alice.headers).status == 404
        assert api.post("/contacts/resolve", cast.alice.headers, DANA).status == 404
        assert create(handles=[DANA])["id"] != made["id"]

    def test_not_with_sessions(self, api, cast, channel):
        contact = channel.contact()
        for headers in (cast.alice.headers, channel.headers):
            with Unchanged(cast.north):
                answer = api("DELETE", f"/contacts/{contact}", headers)
                assert (answer.status, answer.code) == (409, "CONFLICT")

    def test_not_one_who_spoke_in_a_group(self, api, cast, channel):
        speaker = channel.contact("dana", group="-5")
        with Unchanged(cast.north):
            assert api("DELETE", f"/contacts/{speaker}", cast.alice.headers).status == 409

    def test_not_one_that_others_were_merged_into(self, api, cast, create, merge, unmerge):
        first, other = create()["id"], create()["id"]
        merge(first, other)
        with Unchanged(cast.north):
            assert api("DELETE", f"/contacts/{other}", cast.alice.headers).status == 409
        unmerge(first)
        assert api("DELETE", f"/contacts/{other}", cast.alice.headers).status == 200
