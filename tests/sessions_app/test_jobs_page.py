"""Jobs: everybody's tasks for an admin, with retry, skip and cancel."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts import tenancy
from accounts.principals.models import AuditEvent, User
from sessions_app.models import Archive, Task
from tests.sessions_app.work import fail_archive, run_queued

PAGE = "/a/north/jobs"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def browser(sign_in) -> Client:
    return sign_in("alice")


@pytest.fixture
def begun(api, cast):
    """begun("a") → the id of a task of bob's that archives that session."""

    def begin(session_id: str) -> str:
        assert api.say(cast.bob.headers, session_id).status == 200
        return api.post(f"/sessions/{session_id}/commit", cast.bob.headers).result["task_id"]

    return begin


@pytest.fixture
def failed(begun, cast):
    """failed("a") → the same, after its job failed."""

    def fail(session_id: str) -> str:
        task_id = begun(session_id)
        fail_archive(cast.north, session_id)
        with tenancy.account(cast.north):
            Task.objects.filter(pk=task_id).update(status="failed", error="broken")
        return task_id

    return fail


def text(answer) -> str:
    assert answer.status_code == 200, answer.content[:300]
    return answer.content.decode()


def events(cast) -> list[tuple[str, str]]:
    with tenancy.account(cast.north):
        names = dict(User.objects.values_list("pk", "user_id"))
        rows = AuditEvent.objects.filter(target_type="session").order_by("id")
        return [(row.action, names[row.actor]) for row in rows]


def statuses(cast) -> list[str]:
    with tenancy.account(cast.north):
        return list(Task.objects.order_by("id").values_list("status", flat=True))


def test_an_account_without_jobs_says_how_one_comes(browser):
    assert "A job appears when a session is archived" in text(browser.get(PAGE))


def test_everybodys_jobs_are_listed_by_state(browser, begun, failed):
    begun("waits")
    failed("fails")
    whole = text(browser.get(PAGE))
    assert "waits" in whole
    assert "broken" in whole
    only = text(browser.get(f"{PAGE}?status=failed"))
    assert "broken" in only
    assert "/sessions/waits" not in only
    assert "No job of this state" in text(browser.get(f"{PAGE}?status=running"))
    assert browser.get(f"{PAGE}?status=asleep").status_code == 422
    assert browser.get(f"{PAGE}?older=x").status_code == 404


def test_pages_of_jobs_follow_each_other(browser, begun, monkeypatch):
    monkeypatch.setattr("sessions_app.views.jobs.PAGE", 1)
    begun("first")
    begun("second")
    newest = browser.get(PAGE)
    assert "/sessions/second" in text(newest)
    assert "/sessions/first" not in text(newest)
    older = text(browser.get(newest.context["older_url"]))
    assert "/sessions/first" in older
    assert "/sessions/second" not in older


def test_the_page_asks_again_only_while_something_is_unfinished(browser, begun):
    begun("a")
    asked = text(browser.get(PAGE, headers=HTMX))
    assert 'hx-trigger="every 5s"' in asked
    assert "data-announce" in asked
    again = text(browser.get(PAGE, headers={**HTMX, "HX-Trigger": "again"}))
    assert "data-announce" not in again
    assert run_queued() == 1
    done = text(browser.get(PAGE, headers=HTMX))
    assert "every 5s" not in done
    assert "done" in done


def test_an_admin_cancels_the_job_of_another_and_it_is_written_down(browser, begun, cast):
    task_id = begun("a")
    answer = browser.post(f"{PAGE}/{task_id}/cancel")
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
    assert "The job is cancelled" in text(browser.get(PAGE))
    assert statuses(cast) == ["cancelled"]
    assert events(cast) == [("task.cancelled", "alice")]
    assert run_queued() == 1
    assert statuses(cast) == ["cancelled"]


def test_a_job_that_has_ended_is_not_cancelled(browser, begun, cast):
    task_id = begun("a")
    run_queued()
    browser.post(f"{PAGE}/{task_id}/cancel")
    assert "Nothing was changed. The task is completed" in text(browser.get(PAGE))
    assert statuses(cast) == ["completed"]
    assert events(cast) == []


def test_a_retried_job_stays_its_users(browser, failed, api, cast):
    task_id = failed("a")
    assert browser.post(f"{PAGE}/{task_id}/retry").status_code == 303
    assert statuses(cast) == ["failed", "pending"]
    assert events(cast) == [("archive.retried", "alice")]
    assert run_queued() == 2  # that of the first task finds nothing to do
    mine = api.get("/tasks", cast.bob.headers).result
    assert [row["status"] for row in mine] == ["completed", "failed"]
    browser.post(f"{PAGE}/{task_id}/retry")
    assert "Nothing was changed. The archive is completed" in text(browser.get(PAGE))


def test_a_skipped_job_leaves_an_archive_without_a_summary(browser, failed, api, cast):
    task_id = failed("a")
    assert api.post("/sessions/a/commit", cast.bob.headers).status == 412
    assert browser.post(f"{PAGE}/{task_id}/skip").status_code == 303
    with tenancy.account(cast.north):
        archive = Archive.objects.get()
    assert (archive.state, "not summarised" in archive.abstract) == ("completed", True)
    assert events(cast) == [("archive.skipped", "alice")]
    assert api.post("/sessions/a/commit", cast.bob.headers).status == 200


def test_all_failed_jobs_are_retried_at_once_and_only_they(browser, begun, failed, cast):
    failed("a")
    failed("b")
    begun("waits")
    done = failed("skipped")
    browser.post(f"{PAGE}/{done}/skip")
    assert 'id="retry-all">Retry 2 jobs' in text(browser.get(PAGE))
    browser.post(f"{PAGE}/retry")
    assert "2 jobs wait again." in text(browser.get(PAGE))
    assert sorted(statuses(cast)) == ["failed"] * 3 + ["pending"] * 3
    browser.post(f"{PAGE}/retry")
    assert "Nothing was retried" in text(browser.get(PAGE))
    assert len(statuses(cast)) == 6


def test_an_archive_that_failed_twice_counts_once(browser, failed, cast):
    task_id = failed("a")
    browser.post(f"{PAGE}/{task_id}/retry")
    fail_archive(cast.north, "a")
    with tenancy.account(cast.north):
        Task.objects.filter(status="pending").update(status="failed")
    assert "Retry 1 job<" in text(browser.get(PAGE))
    browser.post(f"{PAGE}/retry")
    assert statuses(cast) == ["failed", "failed", "pending"]


@pytest.mark.parametrize("what", ["retry", "skip", "cancel"])
def test_only_admins_change_jobs_and_only_of_their_account(what, sign_in, failed, begun, cast):
    task_id = begun("a") if what == "cancel" else failed("a")
    before = statuses(cast)
    assert sign_in("bob").post(f"{PAGE}/{task_id}/{what}").status_code == 403
    assert sign_in("charlie").post(f"{PAGE}/{task_id}/{what}").status_code == 404
    assert sign_in("charlie").post(f"/a/south/jobs/{task_id}/{what}").status_code == 404
    for odd in ("x", "00000000-0000-0000-0000-000000000001"):
        assert sign_in("alice").post(f"{PAGE}/{odd}/{what}").status_code == 404
    assert statuses(cast) == before
    assert sign_in("alice").post(f"{PAGE}/{task_id}/{what}").status_code == 303


def test_only_admins_retry_everything(sign_in, failed, cast):
    failed("a")
    assert sign_in("bob").post(f"{PAGE}/retry").status_code == 403
    assert statuses(cast) == ["failed"]
