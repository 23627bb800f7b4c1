"""Messages and sessions a day: counted hourly, and the rest while one looks."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from accounts import tenancy
from accounts.actor import Role
from accounts.errors import PermissionDenied
from sessions_app import selectors
from sessions_app.models import DayCount, Message, Session
from sessions_app.services import account_tidy, days_count
from sessions_app.services.days import LATE, id_of, safe_horizon

TODAY = timezone.now().astimezone(UTC).date()


def at_noon(days_ago: int) -> datetime:
    return datetime.combine(TODAY - timedelta(days=days_ago), datetime.min.time(), UTC) + timedelta(
        hours=12
    )


@pytest.fixture
def said(api, cast):
    """said("s1", 3) writes a message whose own time is three days ago, or now."""

    def say(session_id: str, days_ago: int | None = None) -> None:
        more = {} if days_ago is None else {"created_at": at_noon(days_ago).isoformat()}
        assert api.say(cast.bob.headers, session_id, **more).status == 200

    return say


@pytest.fixture
def roll(cast):
    """Count what is there by now; tests cannot wait until it is safe."""

    def count() -> None:
        until = timezone.now() + timedelta(milliseconds=2)
        time.sleep(0.003)  # ids tell milliseconds; what is written next is later
        with tenancy.account(cast.north):
            days_count(until=until)

    return count


@pytest.fixture
def per_day(acting):
    """Days ago → (messages, sessions), as the overview has them; days without any left out."""

    def read() -> dict[int, tuple[int, int]]:
        found = selectors.activity(actor=replace(acting("alice"), role=Role.ADMIN))
        tenancy.leave()
        rows = zip(found.days, found.messages, found.sessions, strict=True)
        return {
            (found.days[-1] - day).days: (messages, sessions)
            for day, messages, sessions in rows
            if messages or sessions
        }

    return read


def plainly(cast) -> dict[int, tuple[int, int]]:
    """The same by counting rows one by one."""
    found: dict[int, list[int]] = {}
    with tenancy.account(cast.north):
        moments = [
            *((0, at) for at in Message.objects.values_list("created_at", flat=True)),
            *((1, at) for at in Session.objects.values_list("started_at", flat=True)),
        ]
    for kind, at in moments:
        found.setdefault((TODAY - at.astimezone(UTC).date()).days, [0, 0])[kind] += 1
    return {days: (messages, sessions) for days, (messages, sessions) in found.items()}


def test_what_was_counted_and_what_came_since_make_a_plain_count(said, roll, per_day, cast):
    for session_id, days_ago in [("a", 3), ("a", 3), ("b", 3), ("b", 1), ("c", None)]:
        said(session_id, days_ago)
    assert per_day() == plainly(cast) == {3: (3, 2), 1: (1, 0), 0: (1, 1)}
    roll()
    assert per_day() == plainly(cast)
    said("a", 3)
    said("d")
    assert per_day() == plainly(cast) == {3: (4, 2), 1: (1, 0), 0: (2, 2)}


def test_counted_twice_it_counts_once(said, roll, per_day, cast):
    said("a", 2)
    roll()
    said("a", 2)
    roll()
    roll()
    assert per_day() == plainly(cast) == {2: (2, 1)}


def test_a_horizon_that_lies_back_counts_nothing_again(said, roll, per_day, cast):
    said("a")
    roll()
    with tenancy.account(cast.north):
        before = list(DayCount.objects.order_by("day").values_list("day", "messages", "counted_to"))
        days_count(until=timezone.now() - timedelta(hours=1))
        after = list(DayCount.objects.order_by("day").values_list("day", "messages", "counted_to"))
    assert before == after
    assert per_day() == {0: (1, 1)}


def test_an_old_time_lands_on_its_own_day_also_after_a_count(said, roll, per_day):
    said("a")
    roll()
    said("a", 29)
    said("a", 30)  # beyond what the overview shows
    assert per_day() == {29: (1, 0), 0: (1, 1)}
    roll()
    assert per_day() == {29: (1, 0), 0: (1, 1)}


def test_the_first_day_there_can_be_is_counted_like_any_other(said, roll, cast):
    said("a", (TODAY - date(1970, 1, 1)).days)
    roll()
    said("a", (TODAY - date(1970, 1, 1)).days)
    roll()
    with tenancy.account(cast.north):
        assert DayCount.objects.get(day=date(1970, 1, 1)).messages == 2


def test_what_is_deleted_stays_counted(said, roll, per_day, api, cast):
    said("a", 1)
    roll()
    assert api("DELETE", "/sessions/a", cast.alice.headers).status == 200
    assert per_day() == {1: (1, 1)}


def test_another_account_is_not_counted(said, roll, per_day, api, cast):
    assert api.say(cast.charlie.headers, "theirs").status == 200
    said("a")
    roll()
    assert per_day() == {0: (1, 1)}


def test_housekeeping_counts_what_nobody_can_be_writing_any_more(said, cast, monkeypatch):
    said("a")
    with tenancy.account(cast.north):
        account_tidy(account=cast.north)
        assert DayCount.objects.filter(messages__gt=0).count() == 0
        late = timezone.now() + LATE + timedelta(seconds=1)
        monkeypatch.setattr("sessions_app.services.days.safe_horizon", lambda: late - LATE)
        account_tidy(account=cast.north)
        assert DayCount.objects.get(messages__gt=0).messages == 1


def test_nothing_is_counted_that_an_open_transaction_may_still_write(cast, monkeypatch):
    parameters = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    wanted = {name: parameters[name] for name in names if parameters.get(name)}
    later = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr("sessions_app.services.days.timezone.now", lambda: later)
    with psycopg.connect(**wanted) as other:
        (began,) = other.execute("SELECT now()").fetchone()
        assert safe_horizon() == began - LATE
    # The server keeps what it told a transaction, and a test is one.
    tenancy.fetch_row("SELECT pg_stat_clear_snapshot()", [])
    assert safe_horizon() == later - LATE


def test_ids_stand_in_the_order_of_their_making():
    now = timezone.now()
    row = Message()
    assert id_of(now - timedelta(seconds=1)) < row.id < id_of(now + timedelta(seconds=60))


def test_only_an_admin_as_itself_reads_the_numbers(acting):
    alice, bob = replace(acting("alice"), role=Role.ADMIN), acting("bob")
    assert len(selectors.activity(actor=alice).days) == 30
    for other in (bob, replace(alice, user=bob.user), replace(alice, role=Role.ROOT)):
        with pytest.raises(PermissionDenied):
            selectors.activity(actor=other)
