"""`BAILIWICK_AUTH_MODE` trusted and dev: who one is taken for, and what is refused."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.actor import Operator
from accounts.models import Account
from accounts.principals.models import Agent, AuditEvent, Contact, User
from accounts.principals.services import account_create
from config.env import EnvironmentProblem, read_environment
from sessions_app.models import Message
from tests.accounts.kit import at_once, contact_header, make_contact, peer_header
from tests.rows import row_counts

NIL = "00000000-0000-0000-0000-000000000000"
GATEWAY_KEY = "the-key-of-the-gateway-of-this-test"
FORWARDED = (
    {"Forwarded": "for=192.0.2.1"},
    {"X-Forwarded-For": "192.0.2.1"},
    {"X-Forwarded-Host": "north.example"},
    {"X-Forwarded-Proto": "https"},
    {"X-Forwarded-Anything": "1"},
)
STRANGE_PAGES = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://testserver:81"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
)
OWN_PAGES = (
    {},
    {"Origin": "http://testserver"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
)
ADMIN_ROUTES = (
    ("GET", "/admin/accounts"),
    ("GET", "/admin/accounts/north"),
    ("GET", "/admin/accounts/north/users"),
    ("POST", "/admin/accounts/north/users"),
    ("GET", "/admin/accounts/north/keys"),
    ("GET", "/admin/accounts/north/policy"),
    ("PATCH", "/admin/accounts/north/settings"),
)


def vouched(user="bob", account="north", **more):
    """The headers that a gateway sends for a user."""
    return {"X-Bailiwick-Account": account, "X-Bailiwick-User": user, **more}


def users_of(account):
    with tenancy.account(account):
        return set(User.objects.values_list("user_id", flat=True))


def id_of(account, user_id):
    with tenancy.account(account):
        return User.objects.get(user_id=user_id).pk


class TestTrusted:
    """Behind a gateway that authenticates; no gateway key is configured."""

    @pytest.fixture(autouse=True)
    def trusted(self, settings):
        settings.AUTH_MODE = "trusted"
        settings.GATEWAY_KEYS = ()

    @pytest.mark.parametrize("family", ["Bailiwick", "OpenViking"])
    def test_the_headers_say_who(self, api, family):
        headers = {
            f"X-{family}-Account": "north",
            f"X-{family}-User": "BOB",
            f"X-{family}-Agent": "ada",
        }
        who = api.get("/whoami", headers).result
        assert (who["account_id"], who["user_id"], who["agent_id"], who["role"]) == (
            "north",
            "bob",
            "ada",
            "user",
        )
        assert who["simulated_by"] is None

    @pytest.mark.parametrize(
        ("missing", "status"),
        [
            ((), 200),
            (("X-Bailiwick-Account",), 400),
            (("X-Bailiwick-User",), 400),
            (("X-Bailiwick-Account", "X-Bailiwick-User"), 400),
        ],
    )
    def test_account_and_user_are_required(self, api, missing, status):
        headers = {name: value for name, value in vouched().items() if name not in missing}
        assert api.get("/sessions", headers).status == status
        assert api.say(headers, "s1").status == status

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            (vouched(account="absent"), 404),
            (vouched(account="a b"), 400),
            (vouched(user="a b"), 400),
            (vouched(user="x" * 65), 400),
            ({**vouched(), "X-OpenViking-User": "beth"}, 400),
            ({**vouched(), "X-Bailiwick-Agent": "a b"}, 400),
        ],
    )
    def test_refusals(self, api, cast, headers, status):
        before = row_counts(cast.north)
        assert api.get("/whoami", vouched()).status == 200
        assert api.get("/whoami", headers).status == status
        assert api.say(headers, "s1").status == status
        assert row_counts(cast.north) == before

    def test_an_admin_named_is_a_user(self, api):
        assert api.get("/whoami", vouched("alice")).result["role"] == "user"
        api.say(vouched("bob"), "s1")
        assert api("DELETE", "/sessions/s1", vouched("alice")).status == 403
        assert api.get("/sessions/s1", vouched("alice")).status == 200

    @pytest.mark.parametrize(("method", "path"), ADMIN_ROUTES)
    def test_admin_routes_are_closed(self, api, cast, settings, method, path):
        for headers in (vouched("alice"), {**cast.alice.headers, **vouched("alice")}, cast.root):
            assert api(method, path, headers, {"user_id": "x"}).status == 403
        settings.AUTH_MODE = "api_key"
        body = {"GET": None, "PATCH": {}, "POST": {"user_id": "carol"}}[method]
        assert api(method, path, cast.root, body).status == 200

    def test_agents_are_written_by_admins_only(self, api):
        assert api.post("/agents", vouched("alice"), {"agent_id": "ada"}).status == 403
        assert api.get("/agents", vouched("alice")).status == 200

    def test_a_suspended_account(self, api, cast):
        assert api.get("/whoami", vouched()).status == 200
        Account.objects.filter(pk=cast.north.id).update(state="suspended")
        assert api.get("/whoami", vouched()).status == 403

    @pytest.mark.parametrize("more", FORWARDED, ids=str)
    def test_forwarded_requests_are_refused(self, api, more):
        assert api.get("/whoami", vouched()).status == 200
        assert api.get("/whoami", vouched(**more)).status == 403
        assert api.say(vouched(**more), "s1").status == 403

    @pytest.mark.parametrize("more", STRANGE_PAGES, ids=str)
    def test_other_web_pages_are_refused(self, api, more):
        assert all(api.get("/whoami", vouched(**own)).status == 200 for own in OWN_PAGES)
        assert api.get("/whoami", vouched(**more)).status == 403

    def test_other_machines_are_refused(self, api):
        for address, status in (("127.0.0.1", 200), ("::1", 200), ("192.0.2.1", 403), ("", 403)):
            api.client.defaults["REMOTE_ADDR"] = address
            assert api.get("/whoami", vouched()).status == status

    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
    def test_forms_are_refused(self, api, content_type):
        body = b'{"role": "user", "content": "Hello"}'
        path = "/sessions/s1/messages"
        assert api.raw("POST", path, vouched(), body, content_type).status == 415
        assert api.raw("POST", path, vouched(), body).status == 200


class TestGatewayKey:
    @pytest.fixture(autouse=True)
    def trusted(self, settings):
        settings.AUTH_MODE = "trusted"
        settings.GATEWAY_KEYS = (GATEWAY_KEY, settings.ROOT_KEY)

    def test_it_is_needed(self, api, cast):
        for sent in (
            {},
            {"X-API-Key": GATEWAY_KEY[:-1]},
            {"X-API-Key": ""},
            cast.bob.headers,
            {"Authorization": f"Basic {GATEWAY_KEY}"},
        ):
            answer = api.get("/whoami", vouched(**sent))
            assert (answer.status, answer.code) == (401, "UNAUTHENTICATED")
        for sent in (
            {"X-API-Key": GATEWAY_KEY},
            {"Authorization": f"Bearer {GATEWAY_KEY}"},
            cast.root,
        ):
            assert api.get("/whoami", vouched(**sent)).status == 200

    def test_it_is_asked_for_first(self, api):
        assert api.get("/whoami").status == 401
        assert api.get("/whoami", vouched(account="absent")).status == 401

    def test_the_root_key_is_no_more_than_that(self, api, cast):
        assert api.get("/whoami", vouched(**cast.root)).result["role"] == "user"
        assert api.get("/whoami", cast.root).status == 400
        assert api.get("/admin/accounts", cast.root).status == 403

    @pytest.mark.parametrize("more", [*FORWARDED, *STRANGE_PAGES], ids=str)
    def test_proxies_may_stand_before_it(self, api, more):
        headers = vouched(**more)
        assert api.get("/whoami", headers).status == 401
        assert api.get("/whoami", {**headers, "X-API-Key": GATEWAY_KEY}).status == 200


class TestRegistration:
    """A user is registered on sight, by a write that commits."""

    @pytest.fixture(autouse=True)
    def trusted(self, settings):
        settings.AUTH_MODE = "trusted"
        settings.GATEWAY_KEYS = ()

    @pytest.fixture
    def before(self, cast):
        return users_of(cast.north)

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/sessions/s1/messages", {"role": "user", "content": "Hello"}),
            (
                "/sessions/s1/messages/batch",
                {"messages": [{"role": "user", "content": "Hello"}]},
            ),
            ("/sessions", {}),
            ("/sessions/start", {}),
        ],
    )
    def test_by_a_write(self, api, cast, before, path, body):
        assert api.post(path, vouched("Carol"), body).status == 200
        assert api.post(path, vouched("carol"), {**body, "session_id": "s2"}).status in (200, 422)
        assert users_of(cast.north) == before | {"Carol"}
        listed = api.get("/sessions", vouched("CAROL"), user="carol").result
        assert {row["user_id"] for row in listed} == {"Carol"}
        with tenancy.account(cast.north):
            row = User.objects.get(user_id="Carol")
            assert (row.role, row.is_active, row.is_default) == ("user", True, False)
            assert row.keys.count() == 0
            event = AuditEvent.objects.get(action="user.registered")
            assert event.target == row.pk

    def test_by_a_reading_that_makes_the_session(self, api, cast, before):
        answers = [api.get("/sessions/s1", vouched("carol"), auto_create="true") for _ in range(2)]
        assert [answer.status for answer in answers] == [200, 200]
        assert users_of(cast.north) == before | {"carol"}

    def test_and_is_counted(self, api, cast):
        count = Account.objects.get(pk=cast.north.id).user_count
        api.say(vouched("carol"), "s1")
        api.say(vouched("carol"), "s1")
        assert Account.objects.get(pk=cast.north.id).user_count == count + 1

    def test_by_reading_never_and_it_sees_nothing(self, api, cast, before):
        """Under sessions_visible_to = account, which shows every user everything."""
        api.say(vouched("bob"), "s1")
        rows = row_counts(cast.north)
        for path, registered, unregistered in (
            ("/sessions", 200, 200),
            ("/sessions/s1", 200, 404),
            ("/sessions/s1/messages", 200, 404),
            ("/sessions/s1/context", 200, 404),
            ("/tasks", 200, 200),
            ("/agents", 200, 200),
            ("/agents/default", 200, 404),
            ("/whoami", 200, 200),
        ):
            assert api.get(path, vouched("bob")).status == registered
            answer = api.get(path, vouched("carol"))
            assert answer.status == unregistered, path
            if path in ("/sessions", "/tasks", "/agents"):
                assert answer.result == []
        assert api.get("/sessions", vouched("bob")).result != []
        assert users_of(cast.north) == before
        assert row_counts(cast.north) == rows

    def test_by_a_refused_write_never(self, api, cast, before):
        api.post("/sessions", vouched("bob"), {"session_id": "taken"})
        rows = row_counts(cast.north)
        message = {"role": "user", "content": "Hello"}
        for method, path, body, status in (
            ("POST", "/sessions", {"session_id": "taken"}, 409),
            ("POST", "/sessions", {"parent_session_id": "taken"}, 404),
            ("POST", "/sessions", {"title": "x" * 301}, 400),
            ("POST", "/sessions/s1/messages", {**message, "content": " "}, 400),
            ("POST", "/sessions/s1/messages", {"role": "user"}, 422),
            ("POST", "/sessions/s1/messages", {**message, "role_id": "a b"}, 400),
            ("POST", "/sessions/s1/messages/batch", {"messages": [message, {"role": "u"}]}, 400),
            ("PATCH", "/sessions/taken", {"title": "Mine"}, 404),
            ("POST", "/sessions/taken/commit", {}, 404),
            ("POST", "/sessions/taken/used", {}, 404),
        ):
            answer = api(method, path, vouched("carol"), body)
            assert answer.status == status, (path, body)
            assert users_of(cast.north) == before
        assert row_counts(cast.north) == rows
        assert api.post("/sessions", vouched("carol"), {"session_id": "free"}).status == 200

    def test_its_first_message_may_go_to_a_session_that_it_may_read(self, api, cast, set_policy):
        api.say(vouched("bob"), "s1")
        assert api.say(vouched("carol"), "s1").status == 200
        set_policy(sessions_visible_to="participants")
        assert api.say(vouched("dave"), "s1").status == 404
        assert "dave" not in users_of(cast.north)

    @pytest.mark.parametrize(
        "user_id",
        ["root", "System", "memories", "agent", "019f7b9c-1234-7abc-8def-0123456789ab", "0" * 31],
    )
    def test_reserved_ids(self, api, cast, before, user_id):
        """Thirty-one zeros are no UUID."""
        taken = user_id.startswith("0" * 31)
        assert api.get("/sessions", vouched(user_id)).result == []
        assert api.say(vouched(user_id), "s1").status == (200 if taken else 400)
        assert users_of(cast.north) == (before | {user_id} if taken else before)

    def test_a_deleted_user_stays_out(self, api, cast, settings):
        assert api.say(vouched("beth"), "s1").status == 200
        settings.AUTH_MODE = "api_key"
        path = "/admin/accounts/north/users/beth"
        assert api("DELETE", path, cast.alice.headers).status == 200
        settings.AUTH_MODE = "trusted"
        for user in ("beth", "BETH"):
            assert api.get("/sessions", vouched(user)).status == 403
            assert api.say(vouched(user), "s1").status == 403
        assert api.say(vouched("bob"), "s1", role_id="beth").status == 400

    def test_an_account_takes_so_many_and_no_more(self, api, cast, before):
        Account.objects.filter(pk=cast.north.id).update(settings={"max_users": len(before) + 1})
        assert api.say(vouched("carol"), "s1").status == 200
        for answer in (
            api.say(vouched("dave"), "s2"),
            api.post("/sessions", vouched("dave"), {"session_id": "s2"}),
            api.say(vouched("bob"), "s2", role_id="dave"),
        ):
            assert (answer.status, answer.code) == (429, "RESOURCE_EXHAUSTED")
            assert int(answer.headers["Retry-After"]) > 0
        assert users_of(cast.north) == before | {"carol"}
        assert api.get("/sessions/s2", vouched("bob")).status == 404
        assert api.say(vouched("carol"), "s2").status == 200

    def test_by_role_id(self, api, cast, before):
        assert api.say(vouched("bob"), "s1", role_id="carol").status == 200
        assert api.say(vouched("bob"), "s1", role="assistant", role_id="ada").status == 200
        rows = api.get("/sessions/s1/messages", vouched("bob")).result
        assert [row["role_id"] for row in rows] == ["carol", "ada"]
        assert users_of(cast.north) == before | {"carol"}
        found = api.get("/sessions/s1", vouched("bob")).result
        assert found["participant_user_ids"] == ["carol"]
        assert found["created_by_user_id"] == "bob"
        assert api.say(vouched("bob"), "s1", role_id="root").status == 400

    @pytest.mark.parametrize("retired", ["test", "TEST", NIL])
    def test_retired_ids_fold_to_default(self, api, cast, before, caplog, retired):
        assert api.get("/whoami", vouched(retired)).result["user_id"] == "default"
        assert "folded" in caplog.text
        made = api.post("/sessions", vouched(retired)).result
        assert made["user"]["user_id"] == "default"
        assert users_of(cast.north) == before
        with tenancy.account(cast.north):
            noted = AuditEvent.objects.filter(action="user.folded")
            assert [event.target for event in noted] == [User.objects.get(is_default=True).pk]


def test_first_writes_at_once_register_a_user_once(committed, settings):
    settings.AUTH_MODE = "trusted"
    settings.GATEWAY_KEYS = ()
    headers = vouched("carol", committed.north.account_id)
    count = Account.objects.get(pk=committed.north.id).user_count
    answers = at_once(*((lambda api, n=n: api.say(headers, f"s{n}")) for n in range(4)))
    assert [answer.status for answer in answers] == [200] * 4
    with tenancy.account(committed.north):
        carol = User.objects.get(user_id="carol").pk
        assert set(Message.objects.values_list("written_by", flat=True)) == {carol}
        events = AuditEvent.objects.filter(action="user.registered")
        assert [event.target for event in events] == [carol]
    assert Account.objects.get(pk=committed.north.id).user_count == count + 1


class TestContactsInTrustedMode:
    @pytest.fixture(autouse=True)
    def trusted(self, settings):
        settings.AUTH_MODE = "trusted"
        settings.GATEWAY_KEYS = ()

    @pytest.fixture
    def contact(self, cast):
        return make_contact(cast.north, "telegram", "1")

    def test_narrow_to_the_owner(self, api, contact):
        api.say(vouched("bob"), "theirs")
        headers = contact_header(vouched("bob"), "telegram:1")
        who = api.get("/whoami", headers).result
        assert (who["user_id"], who["contact_id"]) == ("default", str(contact))
        assert api.get("/sessions", headers).result == []
        assert api.get("/sessions/theirs", headers).status == 404
        made = api.post("/sessions", headers).result
        assert (made["user"]["user_id"], made["contact_id"]) == ("default", str(contact))
        assert api.get("/sessions", contact_header(vouched("bob"), "telegram:2")).status == 404

    def test_a_new_user_who_names_one_is_registered(self, api, cast, contact):
        """What is written names a principal that is there: the one that the gateway vouched for."""
        assert api.say(contact_header(vouched("carol"), contact), "s1").status == 200
        assert "carol" in users_of(cast.north)
        with tenancy.account(cast.north):
            assert Message.objects.get().written_by == id_of(cast.north, "carol")

    @pytest.mark.parametrize("named", ["contact", "nobody"])
    def test_a_repetition_by_a_new_user_writes_once(self, api, contact, named):
        headers = vouched("carol", **{"Idempotency-Key": "k1"})
        if named == "contact":
            headers = contact_header(headers, contact)
        first, second = api.post("/sessions", headers), api.post("/sessions", headers)
        assert second.result == first.result

    def test_a_new_users_peer_is_made_with_it(self, api, cast):
        headers = peer_header(vouched("carol"), "p1")
        assert api.get("/sessions", headers).result == []
        assert "carol" not in users_of(cast.north)
        assert api.say(headers, "s1").status == 200
        with tenancy.account(cast.north):
            contact = Contact.objects.select_related("owner").get()
            assert contact.owner.user_id == "carol"
        assert api.get("/sessions/s1", headers).result["contact_id"] == str(contact.pk)


@pytest.mark.usefixtures("cast", "dev")
class TestDev:
    @pytest.fixture
    def dev(self, settings):
        account_create(actor=Operator(), account_id="default", admin_user_id="anna")
        settings.AUTH_MODE = "dev"
        settings.GATEWAY_KEYS = ()

    def test_everything_is_default(self, api):
        who = api.get("/whoami").result
        assert (who["account_id"], who["user_id"], who["agent_id"]) == ("default",) * 3
        assert (who["role"], who["simulated_by"]) == ("root", "root")
        assert api.say({}, "s1").status == 200
        assert api.get("/sessions/s1").result["created_by_user_id"] == "default"

    @pytest.mark.parametrize("sent", [{}, {"X-API-Key": "garbage"}])
    def test_no_key_is_asked_for(self, api, sent):
        assert api.get("/sessions", sent).status == 200

    @pytest.mark.parametrize(
        ("headers", "who"),
        [
            ({"X-Bailiwick-User": "anna"}, ("default", "anna", "default")),
            (vouched("bob"), ("north", "bob", "default")),
            ({"X-OpenViking-Agent": "ada"}, ("default", "default", "ada")),
            ({"X-Bailiwick-Account": "north"}, ("north", "default", "default")),
            ({"X-Bailiwick-User": "test"}, ("default", "default", "default")),
            ({"X-Bailiwick-User": NIL}, ("default", "default", "default")),
        ],
        ids=str,
    )
    def test_headers_name_others(self, api, headers, who):
        found = api.get("/whoami", headers).result
        assert (found["account_id"], found["user_id"], found["agent_id"]) == who

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"X-Bailiwick-User": "nobody"}, 404),
            ({"X-Bailiwick-Account": "absent"}, 404),
            ({"X-Bailiwick-User": "a b"}, 400),
        ],
        ids=str,
    )
    def test_who_is_not_there(self, api, headers, status):
        assert api.get("/whoami").status == 200
        assert api.get("/whoami", headers).status == status
        assert api.say(headers, "s1").status == status

    def test_it_deletes_sessions(self, api):
        api.say({}, "s1")
        assert api("DELETE", "/sessions/s1").status == 200

    @pytest.mark.parametrize("more", [*FORWARDED, *STRANGE_PAGES], ids=str)
    def test_strangers_are_refused(self, api, cast, more):
        assert all(api.get("/whoami", own).status == 200 for own in OWN_PAGES)
        before = row_counts(tenancy.find("default"))
        assert api.get("/whoami", more).status == 403
        assert api.say(more, "s1").status == 403
        assert api.get("/whoami", {**cast.root, **more}).status == 403
        assert row_counts(tenancy.find("default")) == before

    def test_other_machines_are_refused(self, api):
        for address, status in (("127.0.0.1", 200), ("192.0.2.1", 403)):
            api.client.defaults["REMOTE_ADDR"] = address
            assert api.get("/whoami").status == status

    def test_other_host_names_are_refused(self, api):
        for host, status in (("localhost", 200), ("evil.example", 400)):
            assert api.get("/whoami", {"Host": host}).status == status

    @pytest.mark.parametrize(("method", "path"), ADMIN_ROUTES)
    def test_admin_routes_are_closed(self, api, cast, method, path):
        for headers in ({}, cast.root, cast.alice.headers):
            assert api(method, path, headers, {"user_id": "x"}).status == 403

    def test_agents_can_be_made(self, api):
        """The role is ROOT, and the route is not below /admin."""
        assert api.post("/agents", {}, {"agent_id": "ada"}).status == 200
        with tenancy.account(tenancy.find("default")):
            assert Agent.objects.filter(agent_id="ada").exists()


class TestEnvironment:
    @pytest.fixture
    def read(self, tmp_path):
        return lambda **variables: read_environment(
            {"BAILIWICK_DATA_DIR": str(tmp_path / "data"), **variables}
        )

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "north.example", "127.0.0.1.x"])
    def test_modes_without_a_key_serve_this_machine_only(self, read, host):
        for mode in ("trusted", "dev"):
            assert read(BAILIWICK_AUTH_MODE=mode).auth_mode == mode
            with pytest.raises(EnvironmentProblem) as refused:
                read(BAILIWICK_AUTH_MODE=mode, HOST=host)
            words = str(refused.value)
            assert words.startswith(f"bailiwick: HOST is {host!r} in mode {mode}")
            assert "valid: 127.0.0.1, ::1, localhost" in words
            assert "\n" not in words
        assert read(HOST=host).host == host

    @pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
    @pytest.mark.parametrize("mode", ["trusted", "dev"])
    def test_loopback_is_taken(self, read, mode, host):
        assert read(BAILIWICK_AUTH_MODE=mode, HOST=host).host == host

    @pytest.mark.parametrize("name", ["BAILIWICK_GATEWAY_KEY", "BAILIWICK_ROOT_KEY"])
    def test_trusted_with_a_key_may_be_reached(self, read, tmp_path, name):
        secret = tmp_path / "secret"
        secret.write_text(GATEWAY_KEY)
        for more in ({name: GATEWAY_KEY}, {f"{name}_FILE": str(secret)}):
            found = read(BAILIWICK_AUTH_MODE="trusted", HOST="0.0.0.0", **more)
            assert found.gateway_keys == (GATEWAY_KEY,)
            with pytest.raises(EnvironmentProblem, match="in mode dev"):
                read(BAILIWICK_AUTH_MODE="dev", HOST="0.0.0.0", **more)

    def test_a_generated_root_key_is_not_configured(self, read):
        assert read(BAILIWICK_AUTH_MODE="trusted").gateway_keys == ()

    def test_a_short_gateway_key_is_refused(self, read):
        with pytest.raises(EnvironmentProblem, match="BAILIWICK_GATEWAY_KEY is shorter"):
            read(BAILIWICK_AUTH_MODE="trusted", BAILIWICK_GATEWAY_KEY="short")

    @pytest.mark.parametrize("hosts", ["*", "localhost,*", " * "])
    def test_any_host_name_is_refused(self, read, hosts):
        """Else a page whose name points here would be served."""
        for mode in ("trusted", "dev"):
            with pytest.raises(EnvironmentProblem) as refused:
                read(BAILIWICK_AUTH_MODE=mode, BAILIWICK_ALLOWED_HOSTS=hosts)
            assert "BAILIWICK_ALLOWED_HOSTS is '*'" in str(refused.value)
        assert "*" in read(BAILIWICK_ALLOWED_HOSTS=hosts).allowed_hosts
        named = {"BAILIWICK_AUTH_MODE": "trusted", "BAILIWICK_GATEWAY_KEY": GATEWAY_KEY}
        assert "*" in read(**named, BAILIWICK_ALLOWED_HOSTS=hosts).allowed_hosts
