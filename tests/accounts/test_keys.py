"""API keys: their format, what is kept of them, and when they open."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts import keys, tenancy
from accounts.principals.models import ApiKey, User
from tests.rows import all_text


@pytest.fixture
def bobs_key(cast):
    """Change the row of Bob's key."""

    def change(**fields):
        with tenancy.account(cast.north):
            assert ApiKey.objects.filter(user__user_id="bob").update(**fields) == 1

    return change


@pytest.fixture
def opens(api):
    """The status that a key gets."""
    return lambda key: api.get("/sessions", {"X-API-Key": key}).status


def row_of(cast, user_id):
    with tenancy.account(cast.north):
        return ApiKey.objects.get(user__user_id=user_id)


class TestFormat:
    def test_it_names_the_account(self, cast):
        for member, account in ((cast.alice, "north"), (cast.charlie, "south")):
            parsed = keys.parse_key(member.key)
            assert member.key == f"bwk_{account}.{parsed.key_id}.{parsed.secret}"
            assert parsed.account_id == account

    def test_secret_is_long_and_random(self):
        secrets = {keys.parse_key(keys.new_key("north").plain).secret for _ in range(50)}
        assert len(secrets) == 50
        assert min(map(len, secrets)) >= 43  # 32 bytes

    @pytest.mark.parametrize("account_id", ["a", "-", "_", "A-b_9", "x" * 64])
    def test_every_account_id_can_be_found_again(self, account_id):
        made = keys.new_key(account_id)
        parsed = keys.parse_key(made.plain)
        assert (parsed.account_id, parsed.key_id) == (account_id, made.key_id)
        assert keys.matches(parsed.secret, made.pepper_id, made.secret_hash)

    @given(st.text() | st.text().map(lambda text: f"bwk_{text}") | st.from_regex(r"bwk_[a-z.]*"))
    def test_any_text_is_parsed_or_refused(self, text):
        parsed = keys.parse_key(text)
        if parsed is not None:
            assert text == f"bwk_{parsed.account_id}.{parsed.key_id}.{parsed.secret}"

    @pytest.mark.parametrize(
        "garbage",
        ["", "bwk_", "bwk_north", "bwk_north.a", "bwk_north..c", "bwk_.a.b", "bwk_a.b.c.d", "x"],
    )
    def test_garbage_opens_nothing(self, opens, garbage):
        assert keys.parse_key(garbage) is None
        assert opens(garbage) == 401


class TestKeeping:
    def secrets_of(self, cast):
        members = (cast.alice, cast.bob, cast.beth, cast.charlie)
        return [keys.parse_key(member.key) for member in members]

    def test_no_table_holds_a_secret(self, cast):
        everything = "\n".join(
            all_text(schema)
            for schema in ("public", cast.north.schema_name, cast.south.schema_name)
        )
        for parsed in self.secrets_of(cast):
            assert parsed.key_id in everything  # else this test looks in the wrong place
            for form in (
                parsed.secret,
                parsed.secret[:20],
                parsed.secret[:20].encode().hex(),
                base64.b64encode(parsed.secret.encode()).decode(),
                hashlib.sha256(parsed.secret.encode()).hexdigest(),
            ):
                assert form not in everything

    def test_its_hash_needs_the_pepper(self, cast, settings):
        parsed = keys.parse_key(cast.bob.key)
        row = row_of(cast, "bob")
        assert keys.matches(parsed.secret, row.pepper_id, row.secret_hash)
        settings.KEY_PEPPERS = {row.pepper_id: "another-pepper-of-that-id"}
        assert not keys.matches(parsed.secret, row.pepper_id, row.secret_hash)

    def test_no_answer_but_the_first_holds_it(self, api, cast):
        made = api.post("/admin/accounts/north/users", cast.alice.headers, {"user_id": "carol"})
        secret = keys.parse_key(made.result["user_key"]).secret
        for path in ("/admin/accounts/north/users", "/sessions"):
            assert secret not in str(api.get(path, cast.alice.headers).body)


class TestOpening:
    def test_by_either_header(self, api, cast):
        key = cast.bob.key
        for headers in (
            {"X-API-Key": key},
            {"Authorization": f"Bearer {key}"},
            {"Authorization": f"bearer  {key} "},
            {"X-API-Key": key, "Authorization": f"Bearer {key}"},
            {"X-API-Key": key, "Authorization": "Basic Ym9iOmJvYg=="},
        ):
            assert api.get("/sessions", headers).status == 200

    def test_two_different_keys_are_refused(self, api, cast):
        both = {**cast.bob.headers, "Authorization": f"Bearer {cast.alice.key}"}
        assert api.get("/sessions", both).status == 400

    def test_basic_alone_is_no_key(self, api, cast):
        assert api.get("/sessions", {"Authorization": f"Basic {cast.bob.key}"}).status == 401

    def test_wrong_secret(self, cast, opens):
        assert opens(cast.bob.key) == 200
        last = "A" if cast.bob.key[-1] != "A" else "B"
        assert opens(cast.bob.key[:-1] + last) == 401
        assert opens(cast.bob.key + "A") == 401

    def test_secret_of_another_key(self, cast, opens):
        bob, beth = keys.parse_key(cast.bob.key), keys.parse_key(cast.beth.key)
        assert opens(f"bwk_north.{bob.key_id}.{beth.secret}") == 401

    def test_wrong_account(self, cast, opens):
        """A key moved to the other account opens neither."""
        for account in ("south", "absent"):
            assert opens(cast.bob.key.replace("north", account)) == 401

    def test_revoked(self, cast, opens, bobs_key):
        assert opens(cast.bob.key) == 200
        bobs_key(revoked_at=timezone.now())
        assert opens(cast.bob.key) == 401
        assert opens(cast.beth.key) == 200

    def test_expiry(self, cast, opens, bobs_key):
        bobs_key(expires_at=timezone.now() + timedelta(hours=1))
        assert opens(cast.bob.key) == 200
        bobs_key(expires_at=timezone.now() - timedelta(seconds=1))
        assert opens(cast.bob.key) == 401

    def test_inactive_user(self, cast, opens):
        assert opens(cast.bob.key) == 200
        with tenancy.account(cast.north):
            User.objects.filter(user_id="bob").update(is_active=False)
        assert opens(cast.bob.key) == 401

    def test_root_key_is_whole_or_nothing(self, api, cast):
        key = cast.root["X-API-Key"]
        assert api.get("/admin/accounts", {"X-API-Key": key}).status == 200
        for other in (key[:-1], f"{key}x", key.upper(), key.removeprefix("bwr_")):
            assert api.get("/admin/accounts", {"X-API-Key": other}).status == 401

    @pytest.mark.parametrize("key", ["\xff\xfe", "é" * 50, "bwk_north.é.é", "x" * 10_000])
    def test_odd_characters(self, api, opens, key):
        assert opens(key) == 401
        assert api.get("/admin/accounts", {"X-API-Key": key}).status == 401


class TestPeppers:
    def test_unknown_pepper(self, cast, opens, settings):
        assert opens(cast.bob.key) == 200
        settings.KEY_PEPPERS = {"2": "another-pepper-altogether"}
        assert opens(cast.bob.key) == 401

    def test_rotation(self, api, cast, opens, settings):
        old = dict(settings.KEY_PEPPERS)
        new = {"2": "the-next-pepper-of-this-run"}
        settings.KEY_PEPPERS = {**new, **old}
        assert opens(cast.bob.key) == 200
        made = api.post("/admin/accounts/north/users", cast.alice.headers, {"user_id": "carol"})
        carol = made.result["user_key"]
        assert row_of(cast, "carol").pepper_id == "2"
        assert row_of(cast, "bob").pepper_id == "1"
        assert opens(carol) == 200
        settings.KEY_PEPPERS = new
        assert opens(carol) == 200
        assert opens(cast.bob.key) == 401


class TestScopes:
    @pytest.mark.parametrize(
        ("scopes", "reading", "writing"),
        [
            (["read", "write"], 200, 200),
            (["read"], 200, 403),
            (["write"], 403, 200),
            (["gateway"], 403, 403),
            ([], 403, 403),
            (["manage"], 403, 403),
        ],
    )
    def test_reading_and_writing(self, api, cast, bobs_key, scopes, reading, writing):
        api.say(cast.beth.headers, "s1")
        bobs_key(scopes=scopes)
        for path in ("/sessions", "/sessions/s1", "/sessions/s1/messages", "/sessions/s1/context"):
            assert api.get(path, cast.bob.headers).status == reading
        assert api.post("/sessions", cast.bob.headers).status == writing
        assert api.say(cast.bob.headers, "s1").status == writing

    @pytest.mark.parametrize(
        ("role", "scope", "status"),
        [
            ("admin", "manage", 200),
            ("admin", "write", 403),
            ("admin", "gateway", 403),
            ("user", "manage", 403),
        ],
    )
    def test_manage_needs_the_role_too(self, api, cast, bobs_key, role, scope, status):
        bobs_key(scopes=["read", scope], name="second")
        with tenancy.account(cast.north):
            User.objects.filter(user_id="bob").update(role=role)
        assert api.get("/admin/accounts/north/users", cast.bob.headers).status == status

    def test_an_admins_default_key_manages_as_long_as_the_role_lasts(self, api, cast):
        """The row holds no `manage`: the role gives it, and takes it away again."""
        path = "/admin/accounts/north/users"
        for role, status in (("admin", 200), ("user", 403), ("admin", 200), ("user", 403)):
            with tenancy.account(cast.north):
                User.objects.filter(user_id="bob").update(role=role)
            assert api.get(path, cast.bob.headers).status == status
            scopes = api.get("/whoami", cast.bob.headers).result["scopes"]
            assert ("manage" in scopes) is (status == 200)
        assert set(row_of(cast, "bob").scopes) == {"read", "write"}

    def test_of_new_keys(self, api, cast):
        for name, manages in (("alice", {"manage"}), ("bob", set())):
            assert set(row_of(cast, name).scopes) == {"read", "write"}
            headers = {"alice": cast.alice, "bob": cast.bob}[name].headers
            found = api.get("/whoami", headers).result["scopes"]
            assert set(found) == {"read", "write"} | manages
        assert row_of(cast, "alice").name == row_of(cast, "bob").name == "default"


class TestLastUse:
    def test_first_use_is_noted(self, cast, opens):
        assert row_of(cast, "bob").last_used_at is None
        opens(cast.bob.key)
        assert timezone.now() - row_of(cast, "bob").last_used_at < timedelta(seconds=10)

    @pytest.mark.parametrize(("seconds", "noted"), [(50, False), (70, True)])
    def test_at_most_once_a_minute(self, cast, opens, bobs_key, seconds, noted):
        before = timezone.now() - timedelta(seconds=seconds)
        bobs_key(last_used_at=before)
        opens(cast.bob.key)
        assert (row_of(cast, "bob").last_used_at != before) is noted

    def test_a_refused_key_is_not_noted(self, cast, opens):
        opens(f"{cast.bob.key}x")
        assert row_of(cast, "bob").last_used_at is None
