"""Context headers: two families, one meaning (isolation.md, Authentication and Simulation)."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.actor import Operator
from accounts.principals.models import User
from accounts.principals.services import key_create
from tests.accounts.kit import make_contact

FAMILIES = ("X-Bailiwick", "X-OpenViking")


@pytest.fixture
def whoami(api):
    """(user, agent) that a write is made as, or the status of its refusal."""

    def ask(headers):
        answer = api.post("/sessions", headers)
        if answer.status != 200:
            return answer.status
        owner = answer.result["user"]
        return owner["account_id"], owner["user_id"], owner["agent_id"]

    return ask


def test_defaults(whoami, cast):
    assert whoami(cast.bob.headers) == ("north", "bob", "default")


@pytest.mark.parametrize("family", FAMILIES)
class TestEitherFamily:
    def test_names_the_agent(self, whoami, cast, family):
        assert whoami({**cast.bob.headers, f"{family}-Agent": "ada"}) == ("north", "bob", "ada")

    def test_names_ones_own_account_and_user(self, whoami, cast, family):
        own = {**cast.bob.headers, f"{family}-Account": "north", f"{family}-User": "bob"}
        assert whoami(own) == ("north", "bob", "default")
        other_case = {**cast.bob.headers, f"{family}-Account": "NORTH", f"{family}-User": "BoB"}
        assert whoami(other_case) == ("north", "bob", "default")

    def test_admin_acts_for_a_user(self, whoami, cast, family):
        headers = {**cast.alice.headers, f"{family}-User": "bob", f"{family}-Agent": "ada"}
        assert whoami(headers) == ("north", "bob", "ada")

    def test_admin_acts_for_the_default_user(self, whoami, cast, family):
        headers = {**cast.alice.headers, f"{family}-User": "default"}
        assert whoami(headers) == ("north", "default", "default")

    def test_root_acts_for_a_user(self, whoami, cast, family):
        for account, user in (("north", "bob"), ("south", "charlie"), ("NORTH", "alice")):
            headers = {**cast.root, f"{family}-Account": account, f"{family}-User": user}
            assert whoami(headers) == (account.lower(), user, "default")

    def test_user_cannot_name_another(self, whoami, cast, family):
        for other in ("alice", "beth", "default", "nobody", "charlie"):
            assert whoami({**cast.bob.headers, f"{family}-User": other}) == 403

    def test_foreign_and_absent_accounts_are_refused_alike(self, whoami, cast, family):
        for account in ("south", "absent"):
            for member in (cast.bob, cast.alice):
                assert whoami({**member.headers, f"{family}-Account": account}) == 403

    def test_admin_naming_nobody_is_not_found(self, whoami, cast, family):
        for nobody in ("nobody", "charlie", "ada"):
            assert whoami({**cast.alice.headers, f"{family}-User": nobody}) == 404
        assert whoami({**cast.alice.headers, f"{family}-User": "bob"}) == (
            "north",
            "bob",
            "default",
        )

    def test_inactive_users_are_nobody(self, whoami, cast, family):
        with tenancy.account(cast.north):
            User.objects.filter(user_id="bob").update(is_active=False)
        assert whoami({**cast.alice.headers, f"{family}-User": "bob"}) == 404

    @pytest.mark.parametrize(
        ("named", "status"),
        [
            ({}, 400),
            ({"Account": "north"}, 400),
            ({"User": "bob"}, 400),
            ({"Agent": "ada"}, 400),
            ({"Account": "absent", "User": "bob"}, 404),
            ({"Account": "north", "User": "nobody"}, 404),
            ({"Account": "south", "User": "bob"}, 404),
        ],
    )
    def test_root_must_name_account_and_user(self, whoami, cast, family, named, status):
        headers = {f"{family}-{name}": value for name, value in named.items()}
        assert whoami({**cast.root, **headers}) == status

    @pytest.mark.parametrize("name", ["Account", "User", "Agent"])
    @pytest.mark.parametrize("value", ["a b", "a.b", "x" * 65, "é", "a/b", "*", "a,b"])
    def test_malformed_values_are_refused(self, whoami, cast, family, name, value):
        assert whoami({**cast.alice.headers, f"{family}-{name}": value}) == 400

    @pytest.mark.parametrize("name", ["Account", "User", "Agent"])
    def test_empty_values_are_absent(self, whoami, cast, family, name):
        headers = {**cast.bob.headers, f"{family}-{name}": ""}
        assert whoami(headers) == ("north", "bob", "default")


def both(name, ours, theirs):
    return {f"X-Bailiwick-{name}": ours, f"X-OpenViking-{name}": theirs}


@pytest.mark.parametrize(
    ("name", "value", "other"),
    [("Account", "north", "south"), ("User", "bob", "beth"), ("Agent", "ada", "max")],
)
def test_contradictions_are_refused_and_repetitions_accepted(whoami, cast, name, value, other):
    for member in (cast.alice, cast.bob):
        assert whoami({**member.headers, **both(name, value, other)}) == 400
        assert whoami({**member.headers, **both(name, other, value)}) == 400
    found = whoami({**cast.alice.headers, **both(name, value, value)})
    expected = {
        "Account": ("north", "alice", "default"),
        "User": ("north", "bob", "default"),
        "Agent": ("north", "alice", "ada"),
    }
    assert found == expected[name]
    assert whoami({**cast.alice.headers, **both(name, value, value.upper())})[:2] == found[:2]


def test_families_may_be_mixed(whoami, cast):
    headers = {
        "X-Bailiwick-Account": "north",
        "X-OpenViking-User": "bob",
        "X-Bailiwick-Agent": "ada",
    }
    assert whoami({**cast.root, **headers}) == ("north", "bob", "ada")


CONTACT_ROUTES = (
    *(("GET", path, None) for path in ("/sessions/s1", "/sessions/s1/messages")),
    ("GET", "/sessions/s1/context", None),
    ("POST", "/sessions/s1/messages", {"role": "user", "content": "Hello"}),
)


@pytest.mark.parametrize(
    ("who", "header", "value", "status"),
    [
        # A peer of one's own user; it never wrote, so it reads as empty.
        *((who, "X-OpenViking-Actor-Peer", "telegram:1", 404) for who in ("bob", "alice", "root")),
        ("bob", "X-Bailiwick-Contact", "telegram:1", 403),
        ("bob", "X-Bailiwick-Contact", "{other}", 403),
        *(
            (who, "X-Bailiwick-Contact", value, 404)
            for who in ("alice", "root", "gateway")
            for value in ("telegram:1", "telegram:2", "{other}", "{absent}", "peer:nobody")
        ),
        *(
            (who, "X-Bailiwick-Contact", value, 400)
            for who in ("alice", "root", "gateway")
            for value in ("pigeon:1", "telegram:", "garbage", "telegram:" + "x" * 256)
        ),
        ("nobody", "X-Bailiwick-Contact", "telegram:1", 401),
        ("nobody", "X-OpenViking-Actor-Peer", "dana", 401),
    ],
)
def test_a_contact_always_narrows(api, cast, who, header, value, status):
    """It fails closed: ignoring one would widen."""
    other = make_contact(cast.north, "telegram", "2")
    made = key_create(
        actor=Operator(),
        account=cast.north,
        user_id="bob",
        name="gateway",
        scopes=["read", "write", "gateway"],
    )
    headers = {
        "bob": cast.bob.headers,
        "alice": cast.alice.headers,
        "root": cast.root_as("default"),
        "gateway": {"X-API-Key": made[1]},
        "nobody": {},
    }[who]
    assert api.say(cast.bob.headers, "s1").status == 200
    named = {**headers, header: value.format(other=other, absent=cast.north.id)}
    for method, path, body in CONTACT_ROUTES:
        assert api(method, path, named, body).status == status, path
    listed = api.get("/sessions", named)
    assert listed.status in (200, status)
    assert listed.status != 200 or listed.result == []
    assert api.get("/sessions/s1", cast.bob.headers).result["message_count"] == 1


def test_headers_change_nothing_on_admin_routes(api, cast):
    """There the real role decides."""
    path = "/admin/accounts/north/users"
    for named in (
        {"X-Bailiwick-User": "bob"},
        {"X-OpenViking-User": "nobody"},
        {"X-Bailiwick-Agent": "ada"},
    ):
        assert api.get(path, {**cast.alice.headers, **named}).status == 200
        assert api.get(path, {**cast.bob.headers, **named}).status == 403
    as_bob = {**cast.alice.headers, "X-Bailiwick-User": "bob"}
    assert api.post(path, as_bob, {"user_id": "carol"}).status == 200


def test_reading_under_an_unknown_agent_sees_as_its_user(api, cast):
    api.say(cast.bob.headers, "s1")
    headers = {**cast.bob.headers, "X-Bailiwick-Agent": "never-seen"}
    assert api.get("/sessions/s1", headers).status == 200
