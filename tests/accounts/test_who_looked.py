"""Who looked: what a user is told of admins who saw what is theirs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import tenancy
from accounts.principals.models import AuditEvent, User, ViewAs
from accounts.principals.selectors import looks_of

PATH = "/a/north/looked"


def text(answer):
    return " ".join(answer.content.decode().split())


@pytest.fixture
def alice(sign_in):
    return sign_in("alice")


@pytest.fixture
def bob(sign_in):
    return sign_in("bob")


def test_nobody_looked(bob):
    assert "Nobody looked" in text(bob.get(PATH))


def test_a_view_is_told_to_its_subject_and_to_nobody_else(alice, bob, sign_in):
    alice.post("/a/north/view", {"user": "bob", "reason": "Ticket <4182>"})
    assert "and still does" in text(bob.get(PATH))
    alice.post("/a/north/view/leave")
    told = text(bob.get(PATH))
    assert "Ticket &lt;4182&gt;" in told
    assert "less than a minute" in told
    assert "Nobody looked" in text(sign_in("beth").get(PATH))


def test_how_long_it_lasted(alice, bob, cast):
    alice.post("/a/north/view", {"user": "bob", "reason": "Ticket 4182"})
    began = timezone.now() - timedelta(hours=1)
    with tenancy.account(cast.north):
        ViewAs.objects.update(created_at=began, ended_at=began + timedelta(minutes=12))
    assert "12 min: “<bdi>Ticket 4182</bdi>”" in text(bob.get(PATH))
    with tenancy.account(cast.north):
        ViewAs.objects.update(ended_at=None, expires_at=began + timedelta(minutes=30))
    assert "30 min:" in text(bob.get(PATH))


def test_reading_is_told_once_an_hour(alice, bob, api, cast):
    api.say(cast.bob.headers, "errand")
    for _ in range(2):
        alice.get("/a/north/sessions/errand")
    rows = bob.get(PATH).context["rows"]
    assert sorted(row["did"] for row in rows) == [
        "opened a session of yours",
        "read messages in a session of yours",
    ]
    assert {row["who"] for row in rows} == {"alice"}
    assert alice.get(PATH).context["rows"] == []


def test_reading_through_anothers_eyes_says_through_whose(alice, bob, sign_in, api, cast):
    api.say(cast.beth.headers, "errand")
    alice.post("/a/north/view", {"user": "bob", "reason": "Ticket 4182"})
    alice.get("/a/north/sessions/errand")
    (row, *_) = sign_in("beth").get(PATH).context["rows"]
    assert (row["who"], row["acting_as"], row["as_me"]) == ("alice", "bob", False)


def test_looking_at_the_list_in_a_view_shows_the_subjects_own(alice, cast):
    alice.post("/a/north/view", {"user": "bob", "reason": "Ticket 4182"})
    assert "Ticket 4182" in text(alice.get(PATH))


def test_views_and_reads_stand_in_one_order_over_pages(cast, acting):
    acting("bob")
    users = dict(User.objects.values_list("user_id", "pk"))
    now = timezone.now()
    for number in range(7):
        at = now - timedelta(minutes=number)
        if number % 2:
            ViewAs.objects.create(
                viewer_id=users["alice"],
                user_id=users["bob"],
                reason=str(number),
                expires_at=at,
                created_at=at,
            )
        else:
            AuditEvent.objects.create(
                action="read.list",
                actor=users["alice"],
                actor_role="admin",
                target_type="user",
                target=users["bob"],
                created_at=at,
            )
    whole = [look.at for look in looks_of(user=users["bob"]).rows]
    assert whole == sorted(whole, reverse=True)
    assert len(whole) == 7
    first = looks_of(user=users["bob"], limit=3)
    second = looks_of(user=users["bob"], limit=3, older=first.older)
    third = looks_of(user=users["bob"], limit=3, older=second.older)
    assert [look.at for page in (first, second, third) for look in page.rows] == whole
    assert (first.newer, third.older) == (None, None)
    assert looks_of(user=users["bob"], limit=3, newer=third.newer).rows == second.rows
