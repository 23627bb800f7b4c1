"""`/contacts` and `/handles`: who may look, who may change, and merging, which moves no row."""

from __future__ import annotations

from itertools import permutations
from uuid import UUID

import pytest
from django.db import connection
from psycopg import sql

from accounts import tenancy
from accounts.principals.models import AuditEvent, Contact
from tests.accounts.kit import contact_header, make_contact, peer_header, with_key
from tests.sessions_app.channel import Channel, Unchanged, gateway_headers

ABSENT = "019f7b9c-1234-7abc-8def-0123456789ab"
DANA = {"platform": "telegram", "platform_id": "dana"}


@pytest.fixture
def gateway(cast):
    return gateway_headers(cast.north)


@pytest.fixture
def channel(api, gateway):
    return Channel(api, gateway)


@pytest.fixture
def people(cast):
    """Contacts: bobs (Bob's), shared (the default user's), group (the default user's)."""
    return {
        "bobs": make_contact(cast.north, "telegram", "b", owner="bob"),
        "shared": make_contact(cast.north, "telegram", "s"),
        "group": make_contact(cast.north, "telegram", "s", kind="group"),
    }


@pytest.fixture
def who(cast, gateway, people):
    """who("owner") → headers of somebody, about Bob's contact."""
    callers = {
        "owner": cast.bob.headers,
        "other": cast.beth.headers,
        "gateway": gateway,
        "admin": cast.alice.headers,
        "admin as bob": cast.alice_as("bob"),
        "admin as beth": cast.alice_as("beth"),
        "root as bob": cast.root_as("bob"),
        "root as beth": cast.root_as("beth"),
        "itself": contact_header(gateway, people["bobs"]),
        "another": contact_header(gateway, people["shared"]),
        "a new peer": peer_header(cast.bob.headers, "new"),
        "outsider": cast.charlie.headers,
    }
    return callers.__getitem__


@pytest.fixture
def create(api, cast):
    def make(name="Dana", headers=None, **fields):
        answer = api.post(
            "/contacts", headers or cast.alice.headers, {"display_name": name, **fields}
        )
        assert answer.status == 200, answer.body
        return answer.result

    return make  # fmt: skip


@pytest.fixture
def merge(api, cast):
    def into(first, other, status=200, headers=None):
        path, body = f"/contacts/{first}/merge", {"into": str(other)}
        answer = api.post(path, headers or cast.alice.headers, body)
        assert answer.status == status, answer.body
        return answer

    return into


@pytest.fixture
def unmerge(api, cast):
    def undo(first, status=200):
        answer = api.post(f"/contacts/{first}/unmerge", cast.alice.headers)
        assert answer.status == status, answer.body
        return answer

    return undo


def actions(account, action):
    with tenancy.account(account):
        return list(AuditEvent.objects.filter(action=action).order_by("id"))


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


def fingerprint(account):
    """Every row of what was said, with the transaction that wrote it last."""
    rows = []
    for table in ("session", "message", "participant", "archive", "task"):
        name = sql.Identifier(account.schema_name, f"agent_sessions_{table}")
        with connection.cursor() as cursor:
            cursor.execute(
                sql.SQL("SELECT xmin::text, ctid::text, t::text FROM {} t ORDER BY id").format(name)
            )
            rows += cursor.fetchall()
    assert rows
    return rows


class TestMerge:
    @pytest.fixture
    def abc(self, channel):
        """Three senders with a session each: name → (contact, session)."""
        said = {name: channel.say(name, f"Greetings from number{name}") for name in "abc"}
        return {
            name: (found["contact"]["id"], found["session"]["session_id"])
            for name, found in said.items()
        }

    def test_it_counts_as_the_other_from_then_on(self, api, cast, abc, merge):
        (a, _), (b, _), _ = abc.values()
        answer = merge(a, b).result
        assert (answer["id"], answer["merged"]) == (b, [a])
        assert {one["platform_id"] for one in answer["handles"]} == {"a", "b"}
        assert {one["contact_id"] for one in answer["handles"]} == {a, b}
        assert api.get(f"/contacts/{a}", cast.alice.headers).result["merged_into"] == b
        (event,) = actions(cast.north, "contact.merged")
        assert event.data == {"into": b, "family": 1}

    def test_the_sessions_of_both_are_the_roots(self, api, cast, abc, channel, merge):
        (a, of_a), (b, of_b), (c, of_c) = abc.values()
        for contact, session_id in ((a, of_a), (b, of_b)):
            path = f"/sessions/{session_id}/commit"
            assert api.post(path, channel.as_contact(contact)).result["task_id"]
        merge(a, b)
        for headers in (channel.headers, cast.alice.headers, cast.root_as("default")):
            for named in (a, b, "telegram:a", "telegram:b"):
                either = contact_header(headers, named)
                assert api.get("/whoami", either).result["contact_id"] == b
                assert channel.listed(either) == {of_a, of_b}
                assert channel.listed(either, q="numbera") == {of_a}
                tasks = {row["resource_id"] for row in api.get("/tasks", either).result}
                assert tasks == {of_a, of_b}
                for session_id in (of_a, of_b):
                    for part in ("", "/messages", "/context"):
                        assert api.get(f"/sessions/{session_id}{part}", either).status == 200
                assert api.get(f"/sessions/{of_c}", either).status == 404
            assert channel.listed(contact_header(headers, c)) == {of_c}

    def test_no_row_of_what_was_said_moves(self, abc, cast, merge, unmerge):
        before = fingerprint(cast.north)
        (a, _), (b, _), (c, _) = abc.values()
        merge(a, b)
        merge(b, c)
        assert fingerprint(cast.north) == before
        unmerge(b)
        unmerge(a)
        assert fingerprint(cast.north) == before

    def test_either_may_append_where_the_other_spoke(self, api, abc, channel, merge):
        (a, of_a), (b, of_b), _ = abc.values()
        merge(a, b)
        for contact in (a, b):
            for session_id in (of_a, of_b):
                assert api.say(channel.as_contact(contact), session_id).status == 200

    def test_afterwards_both_write_into_the_newest_session(self, abc, channel, merge, unmerge):
        (a, of_a), (b, of_b), _ = abc.values()
        merge(a, b)
        assert channel.session("a") == channel.session("b") == of_b
        unmerge(a)
        assert (channel.session("a"), channel.session("b")) == (of_a, of_b)

    def test_a_session_begun_meanwhile_stays_the_roots(
        self, api, cast, abc, channel, merge, unmerge
    ):
        (a, of_a), (b, of_b), _ = abc.values()
        merge(a, b)
        begun = channel.session("a", thread_key="t")
        assert api.get(f"/sessions/{begun}", cast.alice.headers).result["contact_id"] == b
        unmerge(a)
        assert channel.listed(channel.as_contact(a)) == {of_a}
        assert channel.listed(channel.as_contact(b)) == {of_b, begun}
        assert channel.session("a", thread_key="t") != begun

    def test_force_new_retires_the_current_sessions_of_both(self, api, abc, channel, merge):
        (a, _), (b, _), _ = abc.values()
        merge(a, b)
        body = {"agent_id": "quinn", "force_new": True}
        begun = api.post("/sessions/start", channel.as_contact(a), body).result["session_id"]
        assert channel.session("a") == channel.session("b") == begun

    @pytest.mark.parametrize("undone", list(permutations("ab")), ids="".join)
    @pytest.mark.parametrize("made", ["ab bc", "bc ab"])
    def test_chains_are_undone_in_any_order(self, cast, abc, channel, merge, unmerge, made, undone):
        ids = {name: contact for name, (contact, _) in abc.items()}
        of = {name: session for name, (_, session) in abc.items()}

        def families():
            """Who sees whose sessions, by the header of each."""
            return {
                name: "".join(
                    sorted(n for n, s in of.items() if s in channel.listed(channel.as_contact(c)))
                )
                for name, c in ids.items()
            }

        for pair in made.split():
            merge(ids[pair[0]], ids[pair[1]])
        assert families() == {"a": "abc", "b": "abc", "c": "abc"}
        # a went into b, and with it into c; or into c itself, when b had gone there before.
        with tenancy.account(cast.north):
            into = Contact.objects.get(pk=ids["a"]).merged_into_id
        assert into == UUID(ids["b" if made == "ab bc" else "c"])
        left = "abc"
        for name in undone:
            unmerge(ids[name])
            left = left.replace(name, "")
            if (made, undone, name) == ("ab bc", ("b", "a"), "b"):
                assert families() == {"a": "ab", "b": "ab", "c": "c"}
                continue
            assert families()[name] == name
        assert families() == {"a": "a", "b": "b", "c": "c"}

    def test_cycles_are_impossible(self, abc, cast, merge):
        (a, _), (b, _), (c, _) = abc.values()
        merge(a, b)
        merge(b, c)
        with Unchanged(cast.north):
            for first, other in ((c, a), (c, b), (b, a), (a, c), (a, b)):
                merge(first, other, status=409)

    def test_itself_is_refused(self, abc, merge):
        a, _ = abc["a"]
        assert merge(a, a, status=409).code == "CONFLICT"

    def test_one_that_is_merged_already_is_refused(self, abc, create, merge):
        (a, _), (b, _), _ = abc.values()
        merge(a, b)
        merge(a, create()["id"], status=409)

    def test_of_other_owners_are_refused(self, abc, cast, create, merge):
        a, _ = abc["a"]
        bobs = create(owner_user_id="bob")["id"]
        with Unchanged(cast.north):
            merge(a, bobs, status=409)
            merge(bobs, a, status=409)

    def test_a_group_and_a_person_are_refused(self, abc, cast, create, merge):
        a, _ = abc["a"]
        group = create(kind="group")["id"]
        with Unchanged(cast.north):
            merge(a, group, status=409)
            merge(group, a, status=409)
        merge(group, create(kind="group")["id"])
        merge(create(kind="personal")["id"], a)

    def test_only_admins_may(self, api, abc, cast, channel, merge):
        (a, _), (b, _), _ = abc.values()
        callers = (cast.bob.headers, channel.headers, channel.as_contact(a), cast.charlie.headers)
        with Unchanged(cast.north):
            for headers in callers:
                path = f"/contacts/{a}"
                wanted = 404 if headers == cast.charlie.headers else 403
                merge(a, b, status=wanted, headers=headers)
                assert api.post(f"{path}/unmerge", headers).status == wanted

    def test_an_admin_without_manage_may_not(self, api, abc, cast, merge):
        (a, _), (b, _), _ = abc.values()
        body = {"user_id": "alice", "name": "plain", "scopes": ["read", "write"]}
        key = api.post("/admin/accounts/north/keys", cast.alice.headers, body).result["user_key"]
        merge(a, b, status=403, headers=with_key(key))

    @pytest.mark.parametrize(
        ("into", "status"), [(ABSENT, 404), ("x", 422), (5, 422), (None, 422), ("", 422)]
    )
    def test_into_nobody_is_refused(self, api, abc, cast, into, status):
        a, _ = abc["a"]
        with Unchanged(cast.north):
            answer = api.post(f"/contacts/{a}/merge", cast.alice.headers, {"into": into})
            assert answer.status == status

    def test_what_was_not_merged_is_not_undone(self, abc, unmerge):
        a, _ = abc["a"]
        assert unmerge(a, status=409).code == "CONFLICT"

    def test_groups_that_became_one_are_one_conversation(self, channel, merge):
        """As when a chat platform moves a group to another id."""
        old, new = (channel.say("dana", group=group) for group in ("-1", "-2"))
        merge(old["contact"]["id"], new["contact"]["id"])
        again = channel.say("eli", group="-1")
        assert again["session"]["session_id"] == new["session"]["session_id"]
        both = {found["session"]["session_id"] for found in (old, new)}
        assert channel.listed(channel.as_contact(old["contact"]["id"])) == both

    def test_a_speaker_who_was_merged_speaks_as_the_root(self, abc, channel, merge):
        (a, _), (b, _), _ = abc.values()
        merge(a, b)
        found = channel.say("a", group="-5")
        assert found["sender"]["contact_id"] == b
        assert found["contact"]["id"] not in (a, b)

    def test_a_merged_senders_binding_is_its_own(self, api, cast, abc, channel, merge):
        """The other address stays the contact's: one was said to be a user, not both."""
        (a, _), (b, of_b), _ = abc.values()
        merge(a, b)
        handles = api.get(f"/contacts/{b}", cast.alice.headers).result["handles"]
        (handle,) = (one["id"] for one in handles if one["platform_id"] == "a")
        api.post(f"/contacts/{b}/handles/{handle}/bind", cast.alice.headers, {"user_id": "bob"})
        assert channel.say("a")["session"]["user_id"] == "bob"
        assert channel.session("b") == of_b
