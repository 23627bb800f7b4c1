"""`/admin/accounts/{a}/keys`: named keys, what they may do, and when they die."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import keys, tenancy
from accounts.principals.models import Agent, ApiKey, AuditEvent, User
from tests.accounts.kit import contact_header, make_contact, peer_header, with_key
from tests.rows import row_counts

PATH = "/admin/accounts/north/keys"
GATEWAY = ["read", "write", "gateway"]


@pytest.fixture
def create(api, cast):
    """Make a key of Bob's as the account's admin."""
    return lambda **fields: api.post(
        PATH, cast.alice.headers, {"user_id": "bob", "name": "second", **fields}
    )


@pytest.fixture
def key(create):
    """As `create`; the key in clear."""
    return lambda **fields: create(**fields).result["user_key"]


@pytest.fixture
def refused(cast, create):
    """As `create`, when nothing must be left behind."""

    def post(**fields):
        before = row_counts(cast.north, cast.south)
        answer = create(**fields)
        assert row_counts(cast.north, cast.south) == before
        assert create().status == 200
        return answer.status, answer.code

    return post


@pytest.fixture
def listed(api, cast):
    return lambda **query: api.get(PATH, cast.alice.headers, **query).result


def in_an_hour():
    return (timezone.now() + timedelta(hours=1)).isoformat()


class TestMaking:
    def test_it_works(self, api, create):
        made = create().result
        parsed = keys.parse_key(made["user_key"])
        assert made == {
            "key_id": parsed.key_id,
            "user_id": "bob",
            "name": "second",
            "scopes": ["read", "write"],
            "agents": [],
            "contact_required": False,
            "created_at": made["created_at"],
            "expires_at": None,
            "last_used_at": None,
            "user_key": made["user_key"],
        }
        assert api.get("/whoami", with_key(made["user_key"])).result["user_id"] == "bob"

    def test_the_default_key_stays(self, api, cast, create):
        create()
        assert api.get("/whoami", cast.bob.headers).status == 200

    def test_root_may(self, api, cast):
        body = {"user_id": "bob", "name": "by root"}
        assert api.post(PATH, cast.root, body).status == 200

    def test_it_leaves_an_event_without_words(self, cast, create):
        create(name="a-name-that-is-a-word")
        with tenancy.account(cast.north):
            event = AuditEvent.objects.get(action="key.created")
            assert event.target == User.objects.get(user_id="bob").pk
            row = ApiKey.objects.get(name="a-name-that-is-a-word")
            assert event.data == {"key": str(row.pk)}

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            ({"user_id": "nobody"}, 404),
            ({"user_id": "charlie"}, 404),
            ({"user_id": "two words"}, 400),
            ({"user_id": None}, 422),
            ({"user_id": 5}, 422),
            ({"name": ""}, 400),
            ({"name": "  "}, 400),
            ({"name": "x" * 101}, 400),
            ({"name": None}, 422),
            ({"name": "default"}, 400),
            ({"name": " default "}, 400),
            ({"scopes": []}, 400),
            ({"scopes": ["read", "root"]}, 400),
            ({"scopes": ["READ"]}, 400),
            ({"scopes": "read"}, 422),
            ({"scopes": [1]}, 422),
            ({"scopes": ["manage"]}, 400),
            ({"agents": ["two words"]}, 400),
            ({"agents": [""]}, 400),
            ({"agents": ["x" * 65]}, 400),
            ({"agents": "ada"}, 422),
            ({"contact_required": "perhaps"}, 422),
            ({"expires_at": "2001-01-01T00:00:00Z"}, 400),
            ({"expires_at": "2001-01-01T00:00:00"}, 400),
            ({"expires_at": "soon"}, 422),
            ({"secret": "mine"}, 422),
        ],
        ids=str,
    )
    def test_refusals(self, refused, fields, status):
        code = "NOT_FOUND" if status == 404 else "INVALID_ARGUMENT"
        assert refused(**fields) == (status, code)

    @pytest.mark.parametrize(
        ("who", "account", "status"),
        [
            ("bob", "north", 403),
            ("charlie", "north", 403),
            ("alice", "south", 403),
            ("alice", "absent", 403),
            ("root", "absent", 404),
            ("nobody", "north", 401),
        ],
    )
    def test_who_may_not(self, api, cast, create, who, account, status):
        headers = {
            "nobody": {},
            "root": cast.root,
            "bob": cast.bob.headers,
            "alice": cast.alice.headers,
            "charlie": cast.charlie.headers,
        }[who]
        path = f"/admin/accounts/{account}/keys"
        body = {"user_id": "bob", "name": "second"}
        made = create(name="first").result["key_id"]
        assert api.post(path, headers, body).status == status
        assert api.get(path, headers).status == status
        assert api("DELETE", f"{path}/{made}", headers).status == status

    def test_an_inactive_user_gets_none(self, cast, create):
        assert create(user_id="beth").status == 200
        with tenancy.account(cast.north):
            User.objects.filter(user_id="beth").update(is_active=False)
        assert create(user_id="beth", name="third").status == 404

    def test_an_expiry_without_a_zone_is_utc(self, api, create):
        later = (timezone.now() + timedelta(hours=1)).replace(tzinfo=None).isoformat()
        made = create(expires_at=later)
        assert made.status == 200
        assert api.get("/whoami", with_key(made.result["user_key"])).status == 200

    @pytest.mark.parametrize("expires_at", ["9999-12-31T00:00:00Z", "9999-12-31T23:59:59-12:00"])
    def test_an_expiry_that_was_taken_can_be_listed(self, create, listed, expires_at):
        """The second one lies in the year 10000 of UTC, which cannot be read back."""
        assert create(expires_at=expires_at).status in (200, 400)
        assert "default" in {row["name"] for row in listed()}


class TestNames:
    def test_are_unique_for_a_user(self, create):
        assert create().status == 200
        again = create()
        assert (again.status, again.code) == (409, "ALREADY_EXISTS")
        assert create(user_id="beth").status == 200
        assert create(name="third").status == 200

    def test_are_free_again_after_revocation(self, api, cast, create):
        made = create().result["key_id"]
        assert create().status == 409
        assert api("DELETE", f"{PATH}/{made}", cast.alice.headers).status == 200
        assert create().status == 200


class TestScopes:
    @pytest.mark.parametrize(
        ("sent", "kept"),
        [
            ({}, {"read", "write"}),
            ({"scopes": None}, {"read", "write"}),
            ({"scopes": ["read"]}, {"read"}),
            ({"scopes": ["write", "write"]}, {"write"}),
            ({"scopes": ["gateway"]}, {"gateway"}),
            ({"scopes": GATEWAY}, {"read", "write", "gateway"}),
        ],
    )
    def test_are_those_that_were_asked_for(self, create, listed, sent, kept):
        scopes = create(**sent).result["scopes"]
        assert len(scopes) == len(kept)
        assert set(scopes) == kept
        assert {row["name"]: set(row["scopes"]) for row in listed()}["second"] == kept

    def test_an_admins_named_key_manages_only_when_asked(self, api, key):
        plain = key(user_id="alice", name="plain")
        managing = key(user_id="alice", name="managing", scopes=["read", "manage"])
        assert api.get(PATH, with_key(plain)).status == 403
        assert api.get(PATH, with_key(managing)).status == 200

    def test_manage_ends_with_the_role(self, api, cast, key):
        managing = key(user_id="alice", name="managing", scopes=["read", "manage"])
        for role, status in (("user", 403), ("admin", 200)):
            with tenancy.account(cast.north):
                User.objects.filter(user_id="alice").update(role=role)
            assert api.get(PATH, with_key(managing)).status == status
            assert api.get(PATH, cast.alice.headers).status == status

    def test_only_a_gateway_key_names_contacts(self, api, cast, key):
        contact = make_contact(cast.north, "telegram", "1")
        plain, gateway = key(name="plain"), key(name="gateway", scopes=GATEWAY)
        for named in (contact, "telegram:1"):
            assert api.get("/sessions", contact_header(with_key(gateway), named)).status == 200
            assert api.get("/sessions", contact_header(with_key(plain), named)).status == 403


class TestBoundAgents:
    @pytest.fixture
    def bound(self, key):
        return key(agents=["Ada", "max"])

    @pytest.mark.parametrize("agent", ["ada", "Ada", "MAX"])
    def test_by_header(self, api, bound, agent):
        headers = with_key(bound, agent=agent)
        assert api.get("/whoami", headers).result["agent_id"].lower() == agent.lower()
        made = api.post("/sessions", headers).result
        assert made["user"]["agent_id"].lower() == agent.lower()

    @pytest.mark.parametrize("agent", ["eve", "default", "ada2"])
    @pytest.mark.parametrize("family", ["Bailiwick", "OpenViking"])
    def test_another_by_header(self, api, cast, bound, agent, family):
        headers = {**with_key(bound), f"X-{family}-Agent": agent}
        assert api.get("/sessions", headers).status == 403
        assert api.say(headers, "s1").status == 403
        with tenancy.account(cast.north):
            assert not Agent.objects.exclude(agent_id="default").exists()

    def test_none_is_the_first_of_the_list(self, api, bound):
        assert api.get("/whoami", with_key(bound)).result["agent_id"] == "Ada"
        made = api.post("/sessions", with_key(bound)).result
        assert made["user"]["agent_id"] == "Ada"
        api.say(with_key(bound), "s1", role="assistant")
        rows = api.get("/sessions/s1/messages", with_key(bound)).result
        assert [row["role_id"] for row in rows] == ["Ada"]

    @pytest.mark.parametrize("path", ["/sessions", "/sessions/start"])
    def test_by_body(self, api, bound, path):
        own = api.post(path, with_key(bound), {"agent_id": "MAX"})
        assert own.result["user"]["agent_id"] == "MAX"
        other = api.post(path, with_key(bound), {"agent_id": "eve"})
        assert (other.status, other.code) == (403, "PERMISSION_DENIED")
        assert api.post(path, with_key(bound), {"agent_id": "default"}).status == 403

    def test_by_role_id(self, api, cast, key):
        """Only an admin may send it, and a bound key binds an admin too."""
        bound = key(user_id="alice", agents=["ada"])

        def batch(agent):
            message = {"role": "assistant", "content": "Good morning", "role_id": agent}
            path = "/sessions/s1/messages/batch"
            return api.post(path, with_key(bound), {"messages": [message]}).status

        assert api.say(with_key(bound), "s1", role="assistant", role_id="ada").status == 200
        assert api.say(with_key(bound), "s1", role="assistant", role_id="eve").status == 403
        assert (batch("ada"), batch("eve")) == (200, 403)
        assert api.get("/sessions/s1", cast.alice.headers).result["message_count"] == 2

    def test_every_route_of_the_session_is_bound(self, api, cast, key):
        bound = key(agents=["ada"])
        api.say(cast.bob.headers, "s1")
        for method, path in (
            ("GET", "/sessions/s1"),
            ("GET", "/sessions/s1/messages"),
            ("GET", "/sessions/s1/context"),
            ("PATCH", "/sessions/s1"),
            ("POST", "/sessions/s1/commit"),
            ("POST", "/sessions/s1/used"),
            ("GET", "/tasks"),
            ("GET", "/agents"),
        ):
            body = None if method == "GET" else {}
            assert api(method, path, with_key(bound, agent="ada"), body).status == 200, path
            assert api(method, path, with_key(bound, agent="eve"), body).status == 403, path


class TestContactRequired:
    @pytest.fixture
    def asking(self, key):
        return with_key(key(scopes=GATEWAY, contact_required=True))

    @pytest.fixture
    def contact(self, cast):
        return make_contact(cast.north, "telegram", "1")

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", "/sessions", None),
            ("POST", "/sessions", {}),
            ("POST", "/sessions/start", {}),
            ("GET", "/sessions/s1", None),
            ("PATCH", "/sessions/s1", {"title": "Plan"}),
            ("POST", "/sessions/s1/messages", {"role": "user", "content": "Hello"}),
            (
                "POST",
                "/sessions/s1/messages/batch",
                {"messages": [{"role": "user", "content": "Hello"}]},
            ),
            ("GET", "/sessions/s1/messages", None),
            ("GET", "/sessions/s1/context", None),
            ("POST", "/sessions/s1/used", {}),
            ("POST", "/sessions/s1/commit", {}),
            ("GET", "/tasks", None),
        ],
    )
    def test_session_routes_need_one(self, api, cast, asking, contact, method, path, body):
        with_contact = contact_header(asking, contact)
        assert api.say(with_contact, "s1").status == 200
        before = row_counts(cast.north)
        answer = api(method, path, asking, body)
        assert (answer.status, answer.code) == (400, "INVALID_ARGUMENT")
        assert row_counts(cast.north) == before
        assert api(method, path, with_contact, body).status == 200

    @pytest.mark.parametrize("path", ["/sessions", "/sessions/start"])
    def test_one_in_the_body_will_do(self, api, asking, contact, path):
        made = api.post(path, asking, {"contact_id": str(contact)}).result
        assert made["contact_id"] == str(contact)

    def test_a_peer_will_do(self, api, asking):
        assert api.say(peer_header(asking, "p1"), "s1").status == 200
        assert api.get("/sessions", peer_header(asking, "p1")).status == 200

    @pytest.mark.parametrize("path", ["/whoami", "/agents"])
    def test_other_routes_need_none(self, api, asking, path):
        assert api.get(path, asking).status == 200

    def test_a_session_that_has_one_is_no_contact(self, api, asking, contact):
        """The header comes first; a session alone narrows nothing for such a key."""
        assert api.say(contact_header(asking, contact), "s1").status == 200
        assert api.say(asking, "s1").status == 400


class TestEnds:
    def test_expiry(self, api, cast, key):
        made = key(expires_at=in_an_hour())
        assert api.get("/whoami", with_key(made)).status == 200
        with tenancy.account(cast.north):
            past = timezone.now() - timedelta(seconds=1)
            ApiKey.objects.filter(name="second").update(expires_at=past)
        assert api.get("/whoami", with_key(made)).status == 401
        assert api.get("/whoami", cast.bob.headers).status == 200

    def test_revocation(self, api, cast, create, listed):
        made = create().result
        path = f"{PATH}/{made['key_id']}"
        assert api.get("/whoami", with_key(made["user_key"])).status == 200
        assert api("DELETE", path, cast.alice.headers).result == {"deleted": True}
        assert api.get("/whoami", with_key(made["user_key"])).status == 401
        assert api.get("/whoami", cast.bob.headers).status == 200
        assert "second" not in {row["name"] for row in listed()}
        assert api("DELETE", path, cast.alice.headers).status == 404

    @pytest.mark.parametrize("key_id", ["absent", "-", "é", "x" * 300])
    def test_revoking_what_is_not_there(self, api, cast, key_id):
        assert api("DELETE", f"{PATH}/{key_id}", cast.alice.headers).status == 404

    def test_a_key_of_another_account_is_not_there(self, api, cast, create):
        made = create().result
        path = f"/admin/accounts/south/keys/{made['key_id']}"
        assert api("DELETE", path, cast.charlie.headers).status == 404
        assert api("DELETE", path, cast.root).status == 404
        assert api.get("/whoami", with_key(made["user_key"])).status == 200

    def test_the_default_key_can_be_revoked(self, api, cast):
        own = keys.parse_key(cast.bob.key).key_id
        assert api("DELETE", f"{PATH}/{own}", cast.alice.headers).status == 200
        assert api.get("/whoami", cast.bob.headers).status == 401


class TestListing:
    def test_never_tells_a_secret(self, cast, create, listed):
        made = create().result["user_key"]
        text = str(listed())
        for secret in (made, cast.alice.key, cast.bob.key):
            assert keys.parse_key(secret).key_id in text  # else this test looks past the rows
            assert keys.parse_key(secret).secret not in text
        assert "user_key" not in text
        assert "hash" not in text

    def test_of_one_user(self, create, listed):
        create()
        assert {(row["user_id"], row["name"]) for row in listed(user="BOB")} == {
            ("bob", "default"),
            ("bob", "second"),
        }
        assert listed(user="nobody") == []

    def test_pages(self, api, cast, create):
        for number in range(3):
            create(name=f"k{number}")
        seen, cursor = [], None
        while cursor is not None or not seen:
            more = {"cursor": cursor} if cursor else {}
            answer = api.get(PATH, cast.alice.headers, limit=2, **more)
            assert 1 <= len(answer.result) <= 2
            seen += [(row["user_id"], row["name"]) for row in answer.result]
            cursor = answer.body["page"]["next"]
        assert seen == [
            *((name, "default") for name in ("alice", "bob", "beth")),
            *(("bob", f"k{number}") for number in range(3)),
        ]

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ({"limit": 0}, 400),
            ({"limit": 201}, 400),
            ({"limit": "many"}, 422),
            ({"cursor": "garbage"}, 400),
        ],
    )
    def test_refusals(self, api, cast, query, status):
        assert api.get(PATH, cast.alice.headers, limit=200).status == 200
        assert api.get(PATH, cast.alice.headers, **query).status == status

    def test_last_use_is_told(self, api, key, listed):
        api.get("/whoami", with_key(key()))
        used = {row["name"]: row["last_used_at"] for row in listed(user="bob")}
        assert used["second"] is not None
        assert used["default"] is None
