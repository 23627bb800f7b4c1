"""The audit log as admins read it: rows in words, filters, pages, one event, the file."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils.formats import date_format

from accounts import tenancy
from accounts.actor import Operator
from accounts.models import Person
from accounts.principals.audit_csv import HEAD, guarded
from accounts.principals.models import AuditEvent, User
from accounts.principals.selectors import audit as log
from accounts.principals.services import audit as export
from accounts.principals.services import user_create, user_delete

PATH = "/a/north/audit"


def write(account, action, *, at=None, **fields):
    """One event, as if it had been written at that time."""
    with tenancy.account(account):
        row = AuditEvent(action=action, actor_role="", target_type="user", **fields)
        if at is not None:
            row.created_at = at
        row.save(force_insert=True)
        return row


def user_of(account, user_id):
    with tenancy.account(account):
        return User.objects.get(user_id=user_id).pk


def actions(answer):
    return [row["action"] for row in answer.context["rows"]]


def words(answer):
    return [" ".join(part.text.strip() for part in row["parts"]) for row in answer.context["rows"]]


@pytest.fixture
def alice(sign_in):
    return sign_in("alice")


def lines(answer):
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(StringIO(text)))


class TestWords:
    def test_who_did_what_to_whom(self, alice, api, cast):
        key = api.post(
            "/admin/accounts/north/keys", cast.alice.headers, {"user_id": "bob", "name": "second"}
        ).result["key_id"]
        assert words(alice.get(PATH))[0] == f"alice made the key {key} of bob"

    def test_a_session_that_one_sees_has_its_id_and_a_link(self, alice, api, cast):
        api.say(cast.alice_as("bob"), "errand")
        answer = alice.get(PATH)
        assert words(answer)[0] == "alice wrote in errand"
        assert answer.context["rows"][0]["acting_as"].text == "bob"
        detail = alice.get(answer.context["rows"][0]["url"])
        assert '<a href="/a/north/sessions/errand">' in detail.content.decode()

    def test_what_is_gone_keeps_its_number_only(self, alice, cast):
        gone = uuid4()
        write(cast.north, "agent.deleted", target=gone)
        assert words(alice.get(PATH))[0].endswith(str(gone))
        assert f"{str(gone)[:8]}…" in alice.get(PATH).content.decode()

    def test_a_deleted_user_is_named_without_a_link(self, alice, cast):
        user_create(actor=Operator(), account=cast.north, user_id="carol")
        event = alice.get(PATH).context["rows"][0]["url"]
        link = 'href="/a/north/users/carol"'
        assert link in alice.get(event).content.decode()
        user_delete(actor=Operator(), account=cast.north, user_id="carol")
        body = alice.get(event).content.decode()
        assert link not in body
        assert "carol" in body
        assert words(alice.get(PATH))[0] == "An operator deleted the user carol and 1 key"

    def test_jobs_and_unknown_actions(self, alice, cast):
        bob = user_of(cast.north, "bob")
        write(cast.north, "view.ended", target=bob)
        assert words(alice.get(PATH))[0] == "The view as bob ran out"
        write(cast.north, "bridge.burnt", target=bob)
        assert words(alice.get(PATH))[0] == "A job did bridge.burnt"


class TestFilters:
    @pytest.fixture
    def events(self, cast):
        bob, beth = user_of(cast.north, "bob"), user_of(cast.north, "beth")
        day = datetime(2026, 3, 1, 12, tzinfo=UTC)
        write(cast.north, "key.created", at=day, actor=bob, target=beth)
        write(cast.north, "key.revoked", at=day + timedelta(days=1), target=bob)
        root = write(cast.north, "user.created", at=day + timedelta(days=2), target=beth)
        assert root.actor is None
        return {"since": "2026-03-01", "until": "2026-03-03"}

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({}, ["user.created", "key.revoked", "key.created"]),
            ({"action": "key."}, ["key.revoked", "key.created"]),
            ({"action": "key.created"}, ["key.created"]),
            ({"who": "BOB"}, ["key.created"]),
            ({"who": "jobs"}, ["user.created", "key.revoked"]),
            ({"who": "operators"}, []),
            ({"who": "nobody"}, []),
            ({"about": "beth"}, ["user.created", "key.created"]),
            ({"about": "beth", "who": "bob"}, ["key.created"]),
            ({"about": "nobody"}, []),
            ({"since": "2026-03-02"}, ["user.created", "key.revoked"]),
            ({"until": "2026-03-01"}, ["key.created"]),
        ],
        ids=str,
    )
    def test_each(self, alice, events, asked, found):
        answer = alice.get(PATH, {**events, **asked})
        assert actions(answer) == found
        assert answer.context["total"] == len(found)
        file = alice.get("/a/north/audit.csv", {**events, **asked})
        assert [row["action"] for row in lines(file)] == found

    @pytest.mark.usefixtures("events")
    def test_a_user_of_that_id_comes_before_the_word(self, alice, cast):
        user_create(actor=Operator(), account=cast.north, user_id="operators")
        write(cast.north, "key.replaced", actor=user_of(cast.north, "operators"))
        assert actions(alice.get(PATH, {"who": "operators"})) == ["key.replaced"]

    def test_days_are_those_of_who_looks(self, alice, cast):
        at = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)  # half past midnight in Vienna
        write(cast.north, "key.created", at=at)
        first = {"since": "2026-03-01", "until": "2026-03-01"}
        assert actions(alice.get(PATH, first)) == ["key.created"]
        Person.objects.filter(email="alice@north.example").update(time_zone="Europe/Vienna")
        assert actions(alice.get(PATH, first)) == []
        second = {"since": "2026-03-02", "until": "2026-03-02"}
        assert actions(alice.get(PATH, second)) == ["key.created"]

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ("action=key.", 200),
            ("action=none.such", 422),
            ("since=0001-01-01&until=9999-12-31", 422),
            ("since=2000-01-01&until=2099-12-31", 200),
            ("since=yesterday", 422),
            ("since=2026-03-02&until=2026-03-01", 422),
            ("who=%00", 422),
            ("who=" + "x" * 65, 422),
            ("older=x", 404),
            ("newer=%00", 404),
        ],
    )
    def test_odd_questions(self, alice, query, status):
        assert alice.get(f"{PATH}?{query}").status_code == status
        if "er=" not in query:
            assert alice.get(f"/a/north/audit.csv?{query}").status_code == status


class TestPages:
    def test_older_and_newer_lead_through_all(self, alice, cast, monkeypatch):
        monkeypatch.setattr("accounts.principals.views.audit.PAGE", 2)
        at = datetime(2026, 3, 1, tzinfo=UTC)
        wanted = [write(cast.north, "key.created", at=at).pk.hex for _ in range(5)][::-1]
        found, pages, url = [], [], f"{PATH}?action=key.created&until=2026-03-01"
        while url:
            answer = alice.get(url)
            pages.append(url)
            found += [
                row["url"].rpartition("/")[2].replace("-", "") for row in answer.context["rows"]
            ]
            last, url = answer, answer.context["older_url"]
        assert found == wanted
        assert len(pages) == 3
        first = alice.get(alice.get(last.context["newer_url"]).context["newer_url"])
        assert [row["url"] for row in first.context["rows"]] == [
            row["url"] for row in alice.get(pages[0]).context["rows"]
        ]
        assert first.context["newer_url"] is None

    def test_the_fragment_is_part_of_the_page(self, alice):
        whole = alice.get(PATH).content
        fragment = alice.get(PATH, headers={"HX-Request": "true"}).content
        assert b"<html" in whole
        assert b"<html" not in fragment
        assert b"What happened" in fragment

    def test_the_number_of_statements_does_not_grow(
        self, alice, api, cast, django_assert_max_num_queries
    ):
        alice.get(PATH)
        for number in range(12):
            api.say(cast.alice_as("bob"), f"s{number}")
        with django_assert_max_num_queries(20) as asked:
            alice.get(PATH)
        few = len(asked)
        for number in range(12, 24):
            api.say(cast.alice_as("bob"), f"s{number}")
        with django_assert_max_num_queries(few):
            alice.get(PATH)


class TestOneEvent:
    def test_everything_is_there(self, alice, api, cast):
        headers = {**cast.alice_as("bob"), "X-Request-Id": "123456"}
        api.say(headers, "errand")
        with tenancy.account(cast.north):
            event = AuditEvent.objects.order_by("-created_at", "-id").first()
        body = alice.get(f"{PATH}/{event.pk}").content.decode()
        for what in (str(event.pk), "message.written", event.request_id, "Acting as", "alice"):
            assert what in body

    def test_the_reason_of_a_view(self, alice):
        alice.post("/a/north/view", {"user": "bob", "reason": "Ticket <4182>"})
        alice.post("/a/north/view/leave")
        row = alice.get(PATH, {"action": "view.started"}).context["rows"][0]
        assert "Ticket &lt;4182&gt;" in alice.get(row["url"]).content.decode()

    def test_others_find_nothing(self, alice, sign_in, cast):
        event = write(cast.south, "key.created")
        assert alice.get(f"{PATH}/{event.pk}").status_code == 404
        assert sign_in("bob").get(f"{PATH}/{event.pk}").status_code == 403
        assert sign_in("charlie").get(f"/a/south/audit/{event.pk}").status_code == 200


class TestFile:
    def test_head_name_and_times(self, alice, cast):
        at = datetime(2026, 3, 1, 11, 12, 13, tzinfo=ZoneInfo("Europe/Vienna"))
        write(cast.north, "key.created", at=at, target=user_of(cast.north, "bob"), request_id="77")
        answer = alice.get("/a/north/audit.csv", {"action": "key.created", "until": "2026-03-01"})
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert answer["Cache-Control"] == "no-store"
        name = f"audit-north-{date_format(datetime.now(UTC), 'Y-m-d')}.csv"
        assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
        (row,) = lines(answer)
        assert tuple(row) == HEAD
        assert row["time"] == "2026-03-01T10:12:13.000Z"
        assert (row["target_name"], row["request_id"]) == ("bob", "77")

    @pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
    def test_no_cell_is_run_by_a_spreadsheet(self, alice, cast, first):
        assert guarded(f"{first}1+1") == f"'{first}1+1"
        assert guarded(f"1{first}") == f"1{first}"
        if first == "-":  # an id may begin so
            user_create(actor=Operator(), account=cast.north, user_id="-2")
            rows = lines(alice.get("/a/north/audit.csv", {"about": "-2"}))
            assert rows[0]["target_name"] == "'-2"

    def test_it_is_read_in_the_account_chunk_by_chunk_and_left_again(
        self, alice, cast, monkeypatch
    ):
        monkeypatch.setattr(log, "CHUNK", 2)
        monkeypatch.setattr(export, "MAX_EXPORTED", 5)
        for _ in range(7):
            write(cast.north, "key.created", at=datetime(2026, 3, 1, tzinfo=UTC))
        answer = alice.get("/a/north/audit.csv", {"until": "2026-03-01"})
        pieces = []
        for piece in answer.streaming_content:
            assert tenancy.current_schema() == "public"
            pieces.append(piece.decode())
        assert [piece.count("key.created") for piece in pieces] == [0, 2, 2, 1]

    def test_it_is_noted_once_an_hour_and_names_the_real_reader(self, alice, cast):
        with tenancy.account(cast.north):
            User.objects.filter(user_id="beth").update(role="admin")
        for _ in range(2):
            lines(alice.get("/a/north/audit.csv"))
        alice.post("/a/north/view", {"user": "beth", "reason": "Ticket 4182"})
        assert alice.get("/a/north/audit.csv").status_code == 200
        with tenancy.account(cast.north):
            events = list(AuditEvent.objects.filter(action="audit.exported").order_by("id"))
        alice_id, beth_id = user_of(cast.north, "alice"), user_of(cast.north, "beth")
        assert [(row.actor, row.acting_as) for row in events] == [
            (alice_id, None),
            (alice_id, beth_id),
        ]

    def test_only_for_admins(self, alice, sign_in):
        assert alice.get("/a/north/audit.csv").status_code == 200
        assert sign_in("bob").get("/a/north/audit.csv").status_code == 403
        assert sign_in("charlie").get("/a/north/audit.csv").status_code == 404
