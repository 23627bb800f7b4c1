"""The overview: what waits, thirty days, what is live, the queue."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import tenancy
from accounts.models import Invitation, Membership
from accounts.principals.models import ApiKey, AuditEvent, User
from sessions_app.models import Session, Task
from tests.sessions_app.work import fail_archive, run_queued

PAGE = "/a/north/overview"


@pytest.fixture
def look(sign_in):
    """The words of the page, without tags and repeated spaces."""
    browser = sign_in("alice")

    def words(path: str = PAGE) -> str:
        answer = browser.get(path)
        assert answer.status_code == 200
        main = answer.content.decode().split("<main", 1)[1].split("</main>", 1)[0]
        return " ".join(re.sub(r"<[^>]+>", " ", main).split())

    return words


def test_a_fresh_account_is_shown_the_first_three_steps(look, api, cast):
    words = look()
    assert "Three steps to the first session" in words
    assert "curl -X POST http://testserver/api/v1/sessions/demo-1/messages" in words
    assert api.say(cast.bob.headers, "demo-1").status == 200
    words = look()
    assert "Three steps" not in words
    assert "1 in 30 days" in words
    assert "All 1 session" in words


def test_live_sessions_are_named_and_the_look_is_noted_once_an_hour(look, api, cast):
    api.say(cast.bob.headers, "now")
    api.say(cast.beth.headers, "past")
    with tenancy.account(cast.north):
        Session.objects.filter(session_id="past").update(
            last_activity_at=timezone.now() - timedelta(minutes=6)
        )
    words = look()
    assert " now user bob" in words
    assert "past" not in words
    look()
    with tenancy.account(cast.north):
        bob = User.objects.get(user_id="bob").pk
        noted = AuditEvent.objects.filter(action="read.list").values_list("target", flat=True)
        assert list(noted) == [bob]


def test_failed_jobs_wait_with_a_button_that_retries_them(look, api, cast, sign_in):
    for session_id in ("a", "b"):
        api.say(cast.bob.headers, session_id)
        api.post(f"/sessions/{session_id}/commit", cast.bob.headers)
    assert "failed and" not in look()
    for session_id in ("a", "b"):
        fail_archive(cast.north, session_id)
    with tenancy.account(cast.north):
        Task.objects.update(status="failed", error="broken")
    assert "2 jobs failed" in look()
    assert "Retry 2 jobs" in look()
    answer = sign_in("alice").post("/a/north/jobs/retry")
    assert (answer.status_code, answer["Location"]) == (303, "/a/north/jobs")
    assert "jobs failed" not in look()


def test_jobs_that_nobody_takes_are_told(look, api, cast):
    api.say(cast.bob.headers, "a")
    api.post("/sessions/a/commit", cast.bob.headers)
    assert "no worker" not in look()
    with tenancy.account(cast.north):
        Task.objects.update(created_at=timezone.now() - timedelta(minutes=25))
    assert "1 job waits for more than 20 minutes: no worker seems to be running." in look()
    run_queued()
    assert "no worker" not in look()


def test_who_can_do_nothing_is_told_until_a_way_in_is_there(look, api, cast):
    api.say(cast.bob.headers, "a")
    with tenancy.account(cast.north):
        assert "can do nothing" not in look()
        tenancy.enter(cast.north)
        bob = User.objects.get(user_id="bob")
        ApiKey.objects.filter(user=bob).update(revoked_at=timezone.now())
        assert "1 user can do nothing here" in look()
        invitation = Invitation.objects.create(
            account_id=cast.north.id,
            user=bob.pk,
            email="bob@north.example",
            expires_at=timezone.now() + timedelta(days=1),
        )
        assert "can do nothing" not in look()
        past = timezone.now() - timedelta(days=1)
        Invitation.objects.filter(pk=invitation.pk).update(expires_at=past)
        words = look()
        assert "1 user can do nothing here" in words
        assert "1 invitation ran out" in words
        other = Membership.objects.exclude(account_id=cast.north.id).get()
        Membership.objects.create(person_id=other.person_id, account_id=cast.north.id, user=bob.pk)
        assert "can do nothing" not in look()


def test_keys_that_end_soon_are_told(look, api, cast):
    api.say(cast.bob.headers, "a")

    def expire(days: int) -> None:
        with tenancy.account(cast.north):
            ApiKey.objects.filter(user__user_id="bob").update(
                expires_at=timezone.now() + timedelta(days=days)
            )

    expire(8)
    assert "expires" not in look()
    expire(6)
    assert "1 key expires within seven days" in look()
    expire(-1)
    assert "key expires" not in look()
