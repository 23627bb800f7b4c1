"""Mode trusted: users are registered by their first write that is kept."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.models import Account
from accounts.principals.models import AuditEvent, User
from sessions_app.models import Message
from tests.accounts.kit import at_once
from tests.accounts.modes.kit import NIL, users_of, vouched
from tests.rows import row_counts


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
            ("/memories", 200, 200),
            ("/memories/facets", 200, 200),
            ("/users", 200, 200),
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
