"""Mode trusted: a gateway that authenticates vouches for account and user."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.models import Account
from accounts.principals.models import Contact, User
from sessions_app.models import Message
from tests.accounts.kit import contact_header, make_contact, peer_header
from tests.accounts.modes.kit import (
    ADMIN_ROUTES,
    FORWARDED,
    GATEWAY_KEY,
    OWN_PAGES,
    STRANGE_PAGES,
    users_of,
    vouched,
)
from tests.rows import row_counts


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
