"""The audit log: append-only, ids only, one event for each simulated write."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from accounts import tenancy
from accounts.models import OperatorEvent
from accounts.principals.models import ApiKey, AuditEvent, User


@pytest.fixture
def events(cast):
    """The events since the last time they were asked for, oldest first."""
    known = set()

    def fresh():
        with tenancy.account(cast.north):
            rows = [
                row
                for row in AuditEvent.objects.order_by("created_at", "id")
                if row.pk not in known
            ]
        known.update(row.pk for row in rows)
        return rows

    fresh()
    return fresh


@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET action = 'x'", "DELETE FROM {}", "TRUNCATE {}"]
)
@pytest.mark.parametrize("table", ["principals_auditevent", "public.accounts_operatorevent"])
def test_nothing_is_changed_or_taken_away(cast, statement, table):
    with tenancy.account(cast.north):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
            (before,) = cursor.fetchone()
            assert before > 0
        refused = pytest.raises(DatabaseError, match="append-only")
        with refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement.format(table))
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (before,)


def test_the_models_cannot_either(cast):
    with tenancy.account(cast.north):
        event = AuditEvent.objects.first()
        for act in (event.delete, event.save, AuditEvent.objects.all().delete):
            with pytest.raises(DatabaseError), transaction.atomic():
                act()


class TestSimulatedWrites:
    """One event for each; none for one's own."""

    def test_none_for_own_writes(self, api, cast, events):
        own = {**cast.alice.headers, "X-Bailiwick-User": "alice", "X-Bailiwick-Account": "north"}
        for headers in (cast.bob.headers, cast.alice.headers, own):
            assert api.post("/sessions", headers).status == 200
            assert api.say(headers, "s1").status == 200
        assert events() == []

    @pytest.mark.parametrize("who", ["alice", "root"])
    def test_one_for_each(self, api, cast, events, who):
        headers = cast.alice_as("bob") if who == "alice" else cast.root_as("bob")
        assert api.post("/sessions", headers, {"session_id": "s1"}).status == 200
        (made,) = events()
        assert (made.action, made.target_type) == ("session.created", "session")
        for role in ("user", "assistant"):
            body = {"role": role, "content": "Hello"}
            assert api.post("/sessions/s1/messages", headers, body).status == 200
            (said,) = events()
            assert (said.action, said.target) == ("message.written", made.target)
        with tenancy.account(cast.north):
            bob = User.objects.get(user_id="bob").pk
            alice = User.objects.get(user_id="alice").pk
            key = ApiKey.objects.get(user=alice).pk
        for event in (made, said):
            assert event.acting_as == bob
            assert event.actor_role == ("admin" if who == "alice" else "root")
            assert event.actor == (alice if who == "alice" else None)
            assert event.actor_key == (key if who == "alice" else None)

    def test_a_first_message_is_a_session_and_a_message(self, api, cast, events):
        assert api.say(cast.alice_as("bob"), "s1").status == 200
        assert sorted(event.action for event in events()) == ["message.written", "session.created"]

    def test_none_for_a_refused_one(self, api, cast, events):
        api.post("/sessions", cast.bob.headers, {"session_id": "taken"})
        headers = cast.alice_as("bob")
        assert api.post("/sessions", headers, {"session_id": "taken"}).status == 409
        assert api.say(headers, "s1", " ").status == 400
        assert api.say(headers, "s1", role_id="nobody").status == 400
        assert api.say(cast.alice_as("nobody"), "s1").status == 404
        assert events() == []
        assert api.say(headers, "s1").status == 200
        assert events() != []

    def test_none_in_the_other_account(self, api, cast):
        with tenancy.account(cast.south):
            before = AuditEvent.objects.count()
        assert api.say(cast.alice_as("bob"), "s1").status == 200
        with tenancy.account(cast.south):
            assert AuditEvent.objects.count() == before


def test_registering_a_user_is_an_event(api, cast, events):
    api.post("/admin/accounts/north/users", cast.alice.headers, {"user_id": "carol"})
    (event,) = events()
    with tenancy.account(cast.north):
        carol = User.objects.get(user_id="carol")
        assert (event.action, event.target) == ("user.created", carol.pk)
        assert event.actor == User.objects.get(user_id="alice").pk
        assert event.acting_as is None
        assert event.data == {"key": str(ApiKey.objects.get(user=carol).pk)}
    api.post("/admin/accounts/north/users", cast.root, {"user_id": "dave"})
    (event,) = events()
    assert (event.actor, event.actor_role) == (None, "root")


def test_making_an_account_is_an_event_of_operators(api, cast):
    before = OperatorEvent.objects.count()
    made = api.post("/admin/accounts", cast.root, {"account_id": "acme", "admin_user_id": "anna"})
    assert made.status == 200
    assert OperatorEvent.objects.count() == before + 1
    event = OperatorEvent.objects.latest("created_at")
    ref = tenancy.find("acme")
    assert (event.action, event.account, event.person) == ("account.created", ref.id, None)
    with tenancy.account(ref):
        actions = sorted(AuditEvent.objects.values_list("action", flat=True))
    assert actions == ["account.created", "user.created"]


def test_request_id_finds_the_event(api, cast, events):
    number = uuid4().hex
    headers = {**cast.alice_as("bob"), "X-Request-Id": number}
    assert api.post("/sessions", headers, {"session_id": "s1"}).headers["X-Request-Id"] == number
    (event,) = events()
    assert event.request_id == number


def test_a_request_id_in_words_is_echoed_and_not_kept(api, cast, events):
    """It may be a name: the log holds ids and counts only."""
    headers = {**cast.alice_as("bob"), "X-Request-Id": "mathilda-77"}
    answer = api.post("/sessions", headers, {"session_id": "s1"})
    assert answer.headers["X-Request-Id"] == "mathilda-77"
    (event,) = events()
    assert event.request_id == ""


def test_ids_and_counts_only(api, cast, events):
    """Never text, names or slugs: they may be names, and the log outlives erasure."""
    words = ("mathilda", "quincy", "zanzibar", "apricots", "thread-of-hers", "alice", "bob")
    api.post("/admin/accounts/north/users", cast.alice.headers, {"user_id": "mathilda"})
    headers = {**cast.alice_as("mathilda"), "X-Bailiwick-Agent": "quincy"}
    body = {"session_id": "zanzibar", "title": "apricots", "thread_key": "thread-of-hers"}
    assert api.post("/sessions", headers, body).status == 200
    assert api.say(headers, "zanzibar", "apricots").status == 200
    written = events()
    assert len(written) == 4
    for event in [*written, *OperatorEvent.objects.all()]:
        kept = " ".join(str(getattr(event, field.attname)) for field in event._meta.fields)
        kept = kept.replace(event.request_id, "") if event.request_id else kept
        assert not [word for word in words if word in kept.lower()]
        for value in event.data.values():
            assert isinstance(value, int) or UUID(value)
