"""`/admin/accounts`: what each request is answered, and what a refusal leaves behind."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.db import connection

from accounts.http.paging import encode_cursor
from accounts.models import Account, NamespacePolicy, SchemaTemplate
from accounts.principals.services import accounts as service
from tests.rows import row_counts

PATH = "/admin/accounts"
FLAGS = ("isolate_user_scope_by_agent", "isolate_agent_scope_by_user")
MALFORMED = ("", " ", "a b", "a.b", "a/b", "é", "x" * 65, "a\n", "\u0661", "a,b")
RESERVED = ("test", "Root", "SYSTEM", "default", "memories", "0" * 32)
UUID_SHAPED = "019f7b9c-1234-7abc-8def-0123456789ab"


@pytest.fixture
def create(api, cast):
    """Make an account as root."""

    def post(**fields):
        return api.post(PATH, cast.root, {"account_id": "acme", "admin_user_id": "anna", **fields})

    return post


@pytest.fixture
def unchanged(cast):
    """No row and no schema more than before."""

    def state():
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_namespace")
            return cursor.fetchone(), row_counts(cast.north)

    before = state()
    return lambda: state() == before


@pytest.mark.parametrize("by_agent", [False, True])
@pytest.mark.parametrize("by_user", [False, True])
def test_it_works(api, cast, create, by_agent, by_user):
    made = create(**dict(zip(FLAGS, (by_agent, by_user), strict=True))).result
    key = {"X-API-Key": made.pop("user_key")}
    assert made == {
        "account_id": "acme",
        "admin_user_id": "anna",
        **dict(zip(FLAGS, (by_agent, by_user), strict=True)),
    }
    policy = NamespacePolicy.objects.get(account__account_id="acme")
    assert (policy.isolate_user_scope_by_agent, policy.isolate_agent_scope_by_user) == (
        by_agent,
        by_user,
    )
    assert (policy.sessions_visible_to, policy.version) == ("account", 1)
    assert api.get(f"{PATH}/acme/users", key).status == 200
    assert api.say(key, "s1").status == 200


def test_flags_default_to_false(create):
    made = create().result
    assert (made[FLAGS[0]], made[FLAGS[1]]) == (False, False)


def test_schema_is_generated_and_never_from_input(create):
    create(account_id="pg_catalog", admin_user_id="public")
    account = Account.objects.get(account_id="pg_catalog")
    assert re.fullmatch(r"account_[0-9a-f]{32}", account.schema_name)


@pytest.mark.parametrize("spelling", ["north", "North", "NORTH"])
def test_taken_id_is_refused_in_any_case(create, unchanged, spelling):
    refused = create(account_id=spelling)
    assert (refused.status, refused.code) == (409, "ALREADY_EXISTS")
    assert unchanged()
    assert create(account_id="north-2").status == 200


def test_first_spelling_is_kept(api, cast, create):
    create(account_id="AcMe")
    assert api.get(f"{PATH}/ACME/users", cast.root).status == 200
    made = api.post(f"{PATH}/acme/users", cast.root, {"user_id": "ben"}).result
    assert made["account_id"] == "AcMe"


@pytest.mark.parametrize("value", MALFORMED)
@pytest.mark.parametrize("field", ["account_id", "admin_user_id"])
def test_malformed_ids_are_refused(create, unchanged, field, value):
    refused = create(**{field: value})
    assert (refused.status, refused.code) == (400, "INVALID_ARGUMENT")
    assert unchanged()


@pytest.mark.parametrize("value", [*RESERVED, UUID_SHAPED, UUID_SHAPED.upper()])
def test_reserved_admins_are_refused(create, unchanged, value):
    assert create(admin_user_id=value).status == 400
    assert unchanged()


@pytest.mark.parametrize(
    "fields",
    [
        *({"account_id": value} for value in (None, 5, True, ["acme"], {})),
        *({"admin_user_id": value} for value in (None, 5, ["anna"])),
        *({FLAGS[0]: value} for value in (None, "maybe", 2, [])),
        *({FLAGS[1]: value} for value in (None, "maybe", 2, {})),
    ],
    ids=str,
)
def test_wrong_types_are_malformed(create, unchanged, fields):
    answer = create(**fields)
    assert answer.status == 422
    assert answer.body["error"]["details"]["errors"][0]["loc"][-1] in fields
    assert unchanged()


@pytest.mark.parametrize("missing", ["account_id", "admin_user_id"])
def test_missing_fields_are_malformed(api, cast, unchanged, missing):
    body = {"account_id": "acme", "admin_user_id": "anna"}
    del body[missing]
    answer = api.post(PATH, cast.root, body)
    assert answer.status == 422
    assert answer.body["error"]["details"]["errors"][0]["loc"][-1] == missing
    assert unchanged()


def test_without_a_template_it_can_be_tried_again(create, unchanged, cast):
    """migrate_accounts has not run for this code."""
    SchemaTemplate.objects.update(heads="older code")
    answer = create()
    assert (answer.status, answer.code) == (503, "UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) > 0
    assert unchanged()


def test_a_failure_half_way_leaves_nothing(create, unchanged, monkeypatch):
    def fail(*_args):
        raise RuntimeError

    monkeypatch.setattr(service, "issue_default_key", fail)
    assert create().status == 500
    assert unchanged()
    monkeypatch.undo()
    assert create().status == 200


@pytest.fixture
def behind(cast):
    """The cursor behind every account that there is."""
    return encode_cursor(str(Account.objects.latest("id").pk))


@pytest.fixture
def four(behind, create):
    names = ["acme-0", "Acme-1", "a", "zebra"]
    for name in names:
        assert create(account_id=name).status == 200
    return names


class TestList:
    """Of the accounts behind a cursor: other tests' accounts may stand before it."""

    def ids(self, answer):
        return [row["account_id"] for row in answer.result]

    def test_rows(self, api, cast):
        row = api.get(PATH, cast.root).result[0]
        at = datetime.fromisoformat(row.pop("created_at"))
        assert (datetime.now(UTC) - at).total_seconds() < 3600
        assert row == {
            "account_id": "north",
            "name": "north",
            "state": "active",
            "user_count": 4,
            FLAGS[0]: False,
            FLAGS[1]: False,
        }

    def test_oldest_first(self, api, cast, behind, four):
        assert self.ids(api.get(PATH, cast.root))[:2] == ["north", "south"]
        assert self.ids(api.get(PATH, cast.root, cursor=behind)) == four

    def test_users_are_counted(self, api, cast):
        def counts():
            rows = api.get(PATH, cast.root).result
            return {row["account_id"]: row["user_count"] for row in rows[:2]}

        assert counts() == {"north": 4, "south": 2}  # the default user included
        assert api.post(f"{PATH}/south/users", cast.root, {"user_id": "dora"}).status == 200
        assert api.post(f"{PATH}/south/users", cast.root, {"user_id": "dora"}).status == 409
        assert counts() == {"north": 4, "south": 3}

    def test_accounts_that_are_not_complete_are_not_listed(self, api, cast, behind, four):
        Account.objects.filter(account_id="a").update(ready=False)
        assert self.ids(api.get(PATH, cast.root, cursor=behind)) == [*four[:2], four[3]]

    @pytest.mark.parametrize("limit", [1, 2, 4, 200])
    def test_pages_give_every_row_once(self, api, cast, behind, four, limit):
        found, cursor = [], behind
        while cursor is not None:
            answer = api.get(PATH, cast.root, limit=limit, cursor=cursor)
            assert len(answer.result) <= limit
            found += self.ids(answer)
            cursor = answer.body["page"]["next"]
        assert found == four

    def test_pages_are_stable_while_accounts_are_made(self, api, cast, behind, four, create):
        first = api.get(PATH, cast.root, limit=2, cursor=behind)
        create(account_id="late")
        rest = api.get(PATH, cast.root, cursor=first.body["page"]["next"])
        assert self.ids(first) + self.ids(rest) == [*four, "late"]

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            *(({"limit": value}, 400) for value in ("0", "201", "-1")),
            *(({"limit": value}, 422) for value in ("x", "1.5", "")),
            *(({"cursor": value}, 400) for value in ("x", "AAAA", "é", "%00", "A" * 300)),
        ],
        ids=str,
    )
    def test_refused_queries(self, api, cast, query, status):
        assert api.get(PATH, cast.root, **query).status == status
