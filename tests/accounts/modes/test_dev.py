"""Mode dev, and what the environment may say about modes."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.actor import Operator
from accounts.principals.models import Agent
from accounts.principals.services import account_create
from config.env import EnvironmentProblem, read_environment
from tests.accounts.modes.kit import (
    ADMIN_ROUTES,
    FORWARDED,
    GATEWAY_KEY,
    NIL,
    OWN_PAGES,
    STRANGE_PAGES,
    vouched,
)
from tests.rows import row_counts


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
