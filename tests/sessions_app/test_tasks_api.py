"""Tasks: whose they are, how they are found, how long they are kept, how they are cancelled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import tenancy
from sessions_app.models import Archive, Task
from sessions_app.services import account_tidy
from tests.sessions_app.work import fail_archive, queued, run_queued


@pytest.fixture
def commit(api, cast):
    """commit("s1", headers) → the task's id, after one message more; Bob's without headers."""

    def call(session_id: str = "s1", headers: dict[str, str] | None = None) -> str:
        headers = headers or cast.bob.headers
        assert api.say(headers, session_id).status == 200
        return api.post(f"/sessions/{session_id}/commit", headers).result["task_id"]

    return call


@pytest.fixture
def listed(api, cast):
    """listed(headers, status=…) → the ids in the order of the list."""

    def call(headers: dict[str, str] | None = None, **query: Any) -> list[str]:
        rows = api.get("/tasks", headers or cast.bob.headers, **query).result
        return [row["task_id"] for row in rows]

    return call


def peer(headers: dict[str, str], name: str) -> dict[str, str]:
    return {**headers, "X-OpenViking-Actor-Peer": name}


def aged(account, task_id: str, **fields: Any) -> None:
    """Change the task's row past the application."""
    with tenancy.account(account):
        assert Task.objects.filter(pk=task_id).update(**fields) == 1


def test_task_from_its_beginning_to_its_end(api, cast, commit):
    task_id = commit()
    begun = api.get(f"/tasks/{task_id}", cast.bob.headers).result
    assert begun == {
        "task_id": task_id,
        "task_type": "session_commit",
        "status": "pending",
        "created_at": begun["created_at"],
        "updated_at": begun["updated_at"],
        "resource_id": "s1",
        "result": None,
        "error": None,
    }
    run_queued()
    done = api.get(f"/tasks/{task_id}", cast.bob.headers).result
    assert done == {
        **begun,
        "status": "completed",
        "updated_at": done["updated_at"],
        "result": {"archive_id": "archive_001", "messages": 1},
    }
    assert done["updated_at"] > begun["updated_at"]


@pytest.mark.parametrize("task_id", ["01234567-89ab-7def-8123-456789abcdef", "nonsense", "0"])
def test_absent_task(api, cast, task_id):
    for answer in (
        api.get(f"/tasks/{task_id}", cast.bob.headers),
        api.post(f"/tasks/{task_id}/cancel", cast.bob.headers),
    ):
        assert (answer.status, answer.code) == (404, "NOT_FOUND")
        assert answer.body["error"]["details"] == {"resource": task_id, "type": "task"}


# --- whose it is ---


def test_task_is_its_users_only(api, cast, commit, listed):
    task_id = commit()
    for headers in (cast.beth.headers, cast.alice.headers, cast.charlie.headers):
        assert api.get(f"/tasks/{task_id}", headers).status == 404
        assert api.post(f"/tasks/{task_id}/cancel", headers).status == 404
        assert listed(headers) == []
    for headers in (cast.bob.headers, cast.alice_as("bob"), cast.root_as("bob")):
        assert api.get(f"/tasks/{task_id}", headers).status == 200
        assert listed(headers) == [task_id]


def test_task_in_anothers_session_is_the_committers(api, cast, commit, listed):
    commit("s1")
    theirs = commit("s1", cast.beth.headers)
    assert listed(cast.beth.headers) == [theirs]
    assert theirs not in listed()


def test_task_goes_out_of_sight_with_its_session(api, cast, commit, listed, set_policy):
    commit("s1")
    api.say(cast.bob.headers, "s1")
    theirs = api.post("/sessions/s1/commit", cast.beth.headers).result["task_id"]
    set_policy(sessions_visible_to="participants")
    assert listed(cast.beth.headers) == []
    assert api.get(f"/tasks/{theirs}", cast.beth.headers).status == 404
    assert api.post(f"/tasks/{theirs}/cancel", cast.beth.headers).status == 404
    set_policy(sessions_visible_to="account")
    assert listed(cast.beth.headers) == [theirs]


def test_contact_sees_its_own_tasks_only(api, cast, commit, listed):
    bob = cast.bob.headers
    own = commit("s1")
    walter = commit("walters", peer(bob, "walter"))
    willy = commit("willys", peer(bob, "willy"))
    assert listed(peer(bob, "walter")) == [walter]
    assert listed(peer(bob, "willy")) == [willy]
    assert listed(peer(bob, "new")) == []
    for task_id in (own, willy):
        assert api.get(f"/tasks/{task_id}", peer(bob, "walter")).status == 404
    assert set(listed()) == {own, walter, willy}  # the contact's owner


# --- finding it ---


def test_newest_first_and_by_pages(api, cast, commit):
    made = [commit(f"s{number}") for number in range(5)][::-1]
    found, cursor = [], None
    for _ in range(5):
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        answer = api.get("/tasks", cast.bob.headers, **query)
        found.append([row["task_id"] for row in answer.result])
        cursor = answer.body["page"]["next"]
        if cursor is None:
            break
        commit("later")  # what comes meanwhile does not disturb the pages
    assert found == [made[:2], made[2:4], made[4:]]


def test_filters(cast, commit, listed):
    one = commit("s1")
    run_queued()
    two = commit("s2")
    assert listed() == [two, one]
    assert listed(status="completed") == [one]
    assert listed(status="pending") == [two]
    assert listed(status="failed") == []
    assert listed(resource_id="s1") == [one]
    assert listed(resource_id="S1") == [one]
    assert listed(resource_id="s1", status="pending") == []
    assert listed(task_type="session_commit") == [two, one]
    assert listed(task_type="other") == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"status": "done"}, 400),
        ({"limit": 0}, 400),
        ({"limit": 201}, 400),
        ({"limit": "x"}, 422),
        ({"cursor": "nonsense"}, 400),
    ],
)
def test_refused_query(api, cast, query, status):
    assert api.get("/tasks", cast.bob.headers, **query).status == status


# --- how long it is kept ---


@pytest.mark.parametrize(
    ("status", "age", "kept"),
    [
        ("completed", timedelta(hours=23, minutes=59), True),
        ("completed", timedelta(hours=24, minutes=1), False),
        ("cancelled", timedelta(hours=23, minutes=59), True),
        ("cancelled", timedelta(hours=24, minutes=1), False),
        ("failed", timedelta(days=6, hours=23), True),
        ("failed", timedelta(days=7, minutes=1), False),
        ("pending", timedelta(days=30), True),
        ("running", timedelta(days=30), True),
    ],
)
def test_retention(api, cast, commit, listed, status, age, kept):
    task_id = commit()
    aged(cast.north, task_id, status=status, updated_at=timezone.now() - age)
    for tidied in (False, True):
        if tidied:
            with tenancy.account(cast.north):
                account_tidy(account=cast.north)
                assert Task.objects.filter(pk=task_id).exists() is kept
        assert listed() == ([task_id] if kept else [])
        assert api.get(f"/tasks/{task_id}", cast.bob.headers).status == (200 if kept else 404)


def test_tidying_queues_again_what_lost_its_job(cast, commit):
    commit()
    assert len(queued()) == 1
    with tenancy.account(cast.north):
        account_tidy(account=cast.north)
    assert len(queued()) == 1
    with tenancy.account(cast.north):
        Archive.objects.update(created_at=timezone.now() - timedelta(hours=1))
        account_tidy(account=cast.north)
    assert len(queued()) == 2
    assert run_queued() == 2


# --- cancelling ---


def test_pending_task_is_cancelled(api, cast, commit):
    task_id = commit()
    answer = api.post(f"/tasks/{task_id}/cancel", cast.bob.headers)
    assert (answer.result["task_id"], answer.result["status"]) == (task_id, "cancelled")
    run_queued()
    assert api.get(f"/tasks/{task_id}", cast.bob.headers).result["status"] == "cancelled"
    assert api.get("/sessions/s1/archives/1", cast.bob.headers).status == 404
    refused = api.post("/sessions/s1/commit", cast.bob.headers)
    assert (refused.status, refused.code) == (412, "FAILED_PRECONDITION")


@pytest.mark.parametrize("status", ["running", "completed", "failed", "cancelled"])
def test_only_a_pending_task_is_cancelled(api, cast, commit, status):
    task_id = commit()
    aged(cast.north, task_id, status=status)
    refused = api.post(f"/tasks/{task_id}/cancel", cast.bob.headers)
    assert (refused.status, refused.code) == (409, "CONFLICT")
    assert api.get(f"/tasks/{task_id}", cast.bob.headers).result["status"] == status


def test_task_of_an_earlier_attempt_stays_as_it_was(api, cast, commit):
    first = commit()
    aged(cast.north, first, status="failed", error="broken")
    fail_archive(cast.north, "s1")
    again = api.post("/sessions/s1/archives/1/retry", cast.bob.headers).result["task_id"]
    api.post(f"/tasks/{again}/cancel", cast.bob.headers)
    assert api.get(f"/tasks/{first}", cast.bob.headers).result["status"] == "failed"
    assert api.get(f"/tasks/{again}", cast.bob.headers).result["status"] == "cancelled"


def test_repeated_cancelling_gets_the_same_answer(api, cast, commit):
    task_id = commit()
    headers = {**cast.bob.headers, "Idempotency-Key": "k1"}
    first, second = (api.post(f"/tasks/{task_id}/cancel", headers) for _ in range(2))
    assert second.result == first.result
