"""Jobs with a real worker process: done once, survive its death, and fail in the open."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from procrastinate.contrib.django import app

from accounts import tenancy
from accounts.tasks import retry_stalled_jobs
from sessions_app.tasks import complete_archive
from tests.live import Server, at_once, new_id, result
from tests.live.quickstart import eventually
from tests.live.worker import Worker, finished, holding, jobs, working

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

# A value that the database takes and the job cannot read.
BREAK = "UPDATE agent_sessions_message SET created_at = 'infinity' RETURNING id"
MEND = "UPDATE agent_sessions_message SET created_at = now() RETURNING id"

UNREADABLE = r"infinity|too large|timestamp"


@dataclass
class Office:
    """An account of its own, seen by its admin."""

    server: Server
    account_id: str
    client: httpx.Client

    def session(self, messages: int = 3) -> str:
        """A session of that many messages."""
        session_id = new_id("talk")
        for number in range(messages):
            self.say(session_id, f"Message {number + 1}")
        return session_id

    def say(self, session_id: str, text: str) -> None:
        path = f"/sessions/{session_id}/messages"
        result(self.client.post(path, json={"role": "user", "content": text}))

    def commit(self, session_id: str, **body: Any) -> dict[str, Any]:
        return result(self.client.post(f"/sessions/{session_id}/commit", json=body))

    def task(self, task_id: str) -> dict[str, Any]:
        return result(self.client.get(f"/tasks/{task_id}"))

    def context(self, session_id: str) -> dict[str, Any]:
        return result(self.client.get(f"/sessions/{session_id}/context"))

    def archive(self, session_id: str, number: int = 1) -> httpx.Response:
        return self.client.get(f"/sessions/{session_id}/archives/archive_{number:03d}")

    def rows(self, statement: str) -> list[dict[str, Any]]:
        return self.server.rows(statement, self.account_id)


@pytest.fixture
def office(server):
    account_id, alice = server.account()
    with server.client(alice) as client:
        yield Office(server, account_id, client)


@pytest.fixture
def in_process(django_db_setup, django_db_blocker):
    """Jobs may also be run here, in transactions that are committed."""
    with django_db_blocker.unblock():
        yield
        tenancy.leave()
        connection.close()


def spoken(rows: list[dict[str, Any]]) -> list[str]:
    return [row["parts"][0]["text"] for row in rows]


def run_here(job: dict[str, Any]) -> None:
    """The job, in this process, on a connection of its own thread."""
    try:
        complete_archive(**job["args"])
    finally:
        tenancy.leave()
        connection.close()


def rescue(server: Server) -> None:
    """What a minute of silence and the next tick of the clock would do."""
    server.rows(
        "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '5 minutes'"
        " RETURNING id"
    )
    async_to_sync(retry_stalled_jobs.func)(SimpleNamespace(app=app), 0)


@contextmanager
def broken(office: Office):
    """A session with a committed archive whose job fails; the ids of session and task."""
    session_id = office.session()
    made = office.commit(session_id)
    office.rows(BREAK)
    yield session_id, made["task_id"]


# --- a worker does its work ---


def test_commit_is_completed_by_the_worker(office):
    session_id = office.session()
    before = office.context(session_id)
    made = office.commit(session_id)
    assert office.archive(session_id).status_code == 404
    assert office.context(session_id) == {
        **before,
        "stats": {**before["stats"], "totalArchives": 1},
    }
    with working(office.server):
        task = finished(office.client, made["task_id"])
    assert (task["status"], task["error"]) == ("completed", None)
    assert task["updated_at"] > task["created_at"]
    archive = result(office.archive(session_id))
    assert spoken(archive["messages"]) == ["Message 1", "Message 2", "Message 3"]
    assert "Message 1" in archive["abstract"]
    assert "Message 3" in archive["overview"]
    context = office.context(session_id)
    assert context["messages"] == []
    assert context["latest_archive_overview"] == archive["overview"]
    assert context["pre_archive_abstracts"] == [
        {"archive_id": "archive_001", "abstract": archive["abstract"]}
    ]


def test_many_sessions_are_all_completed(office):
    tasks = [office.commit(office.session(1))["task_id"] for _ in range(12)]
    with working(office.server):
        assert {finished(office.client, task)["status"] for task in tasks} == {"completed"}
    assert {job["status"] for job in jobs(office.server, office.account_id)} <= {
        "doing",  # the queue writes down the end after the job's own transaction
        "succeeded",
    }


def test_job_carries_ids_only(office):
    session_id = office.session()
    office.commit(session_id)
    (job,) = jobs(office.server, office.account_id)
    (row,) = office.rows("SELECT id::text FROM agent_sessions_archive")
    assert set(job["args"]) == {"account", "archive"}
    assert job["args"]["archive"] == row["id"]


def test_worker_ends_when_asked(office):
    with working(office.server) as worker:
        made = office.commit(office.session())
        finished(office.client, made["task_id"])
        assert worker.stop() == 0


# --- kill -9 ---


def test_job_that_waited_while_the_worker_died_is_done_by_the_next_one(office):
    with working(office.server) as worker:
        finished(office.client, office.commit(office.session())["task_id"])
        worker.kill()
    made = office.commit(office.session())
    assert office.task(made["task_id"])["status"] == "pending"
    with working(office.server):
        assert finished(office.client, made["task_id"])["status"] == "completed"


def test_job_that_ran_while_the_worker_died_is_done_by_the_next_one(office, in_process):
    session_id = office.session()
    made = office.commit(session_id)
    with holding(office.server, office.account_id), working(office.server) as worker:
        eventually(lambda: jobs(office.server, office.account_id)[0]["status"] == "doing")
        worker.kill()
    assert office.task(made["task_id"])["status"] in {"pending", "running"}
    rescue(office.server)
    with working(office.server):
        assert finished(office.client, made["task_id"])["status"] == "completed"
    assert spoken(result(office.archive(session_id))["messages"])[-1] == "Message 3"


def test_worker_that_dies_again_and_again_loses_nothing(office, in_process):
    sessions = [office.session(2) for _ in range(15)]
    tasks = [office.commit(session_id)["task_id"] for session_id in sessions]
    for _ in range(3):
        worker = Worker(office.server)
        done = "SELECT count(*) FROM agent_sessions_archive WHERE state = 'completed'"
        before = office.rows(done)[0]["count"]
        eventually(lambda: office.rows(done)[0]["count"] > before)  # noqa: B023
        worker.kill()
        rescue(office.server)
        if office.rows(done)[0]["count"] == len(sessions):
            break
    with working(office.server):
        assert {finished(office.client, task)["status"] for task in tasks} == {"completed"}
    for session_id in sessions:
        assert len(result(office.archive(session_id))["messages"]) == 2
        assert office.context(session_id)["stats"]["totalArchives"] == 1


def test_ticks_that_died_themselves_keep_no_other_job_waiting(office):
    """Two dead ticks have one queueing lock, so they cannot both be queued again at once."""
    made = office.commit(office.session())
    (job,) = jobs(office.server, office.account_id)
    for status in ("doing", "doing", "todo"):
        office.server.rows(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args, status)"
            " SELECT queue_name, 'accounts.tasks.retry_stalled_jobs', 'retry_stalled_jobs',"
            f""" '{{"timestamp": 0}}', '{status}' FROM procrastinate_jobs LIMIT 1 RETURNING id"""
        )
    # Written last, so the tick comes to it last.
    office.server.rows(
        f"UPDATE procrastinate_jobs SET status = 'doing' WHERE id = {job['id']} RETURNING id"
    )
    with working(office.server):
        assert finished(office.client, made["task_id"], 20)["status"] == "completed"


def test_running_a_job_again_changes_nothing(office, in_process):
    session_id = office.session()
    made = office.commit(session_id)
    (job,) = jobs(office.server, office.account_id)
    run_here(job)
    first = result(office.archive(session_id))
    task = office.task(made["task_id"])
    kept = office.rows("SELECT * FROM agent_sessions_archive")
    run_here(job)
    assert result(office.archive(session_id)) == first
    assert office.task(made["task_id"]) == task
    assert office.rows("SELECT * FROM agent_sessions_archive") == kept


def test_running_a_job_many_times_at_once_changes_nothing(office, in_process):
    session_id = office.session()
    made = office.commit(session_id)
    (job,) = jobs(office.server, office.account_id)
    at_once(lambda _: run_here(job), 8)
    assert office.task(made["task_id"])["status"] == "completed"
    assert office.context(session_id)["stats"]["totalArchives"] == 1


# --- accounts that are closed ---


def test_job_of_a_suspended_account_does_nothing(office, in_process):
    session_id = office.session()
    made = office.commit(session_id)
    (job,) = jobs(office.server, office.account_id)
    path = f"/admin/accounts/{office.account_id}"
    with office.server.client(office.server.root) as root:
        result(root.patch(path, json={"state": "suspended"}))
        run_here(job)
        (archive,) = office.rows("SELECT state, abstract FROM agent_sessions_archive")
        assert archive == {"state": "pending", "abstract": ""}
        assert office.rows("SELECT status FROM agent_sessions_task") == [{"status": "pending"}]
        result(root.patch(path, json={"state": "active"}))
    run_here(job)
    assert office.task(made["task_id"])["status"] == "completed"


def test_job_of_a_deleted_account_does_nothing_and_leaves_the_queue(office, in_process):
    office.commit(office.session())
    (job,) = jobs(office.server, office.account_id)
    with office.server.client(office.server.root) as root:
        assert result(root.delete(f"/admin/accounts/{office.account_id}"))["deleted"] is True
    left = f"SELECT id FROM procrastinate_jobs WHERE id = {job['id']}"
    assert office.server.rows(left) == []
    run_here(job)
    schemas = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'account\\_%'"
    named = "SELECT schema_name AS nspname FROM accounts_account"
    known = {row["nspname"] for row in office.server.rows(named)}
    assert {row["nspname"] for row in office.server.rows(schemas)} <= known


def test_job_of_a_deleted_session_does_nothing(office, in_process):
    session_id = office.session()
    office.commit(session_id)
    (job,) = jobs(office.server, office.account_id)
    result(office.client.delete(f"/sessions/{session_id}"))
    run_here(job)
    assert office.rows("SELECT id FROM agent_sessions_archive") == []
    assert office.rows("SELECT id FROM agent_sessions_task") == []


# --- failure ---


def test_failed_job_is_written_down(office):
    with broken(office) as (session_id, task_id), working(office.server):
        task = finished(office.client, task_id)
    assert task["status"] == "failed"
    assert task["error"]
    assert "Message 1" not in task["error"]
    (archive,) = office.rows("SELECT state, error FROM agent_sessions_archive")
    assert archive["state"] == "failed"
    assert archive["error"]
    assert office.archive(session_id).status_code == 404


def test_failed_archive_blocks_the_next_commit_until_it_is_retried(office):
    with broken(office) as (session_id, task_id), working(office.server):
        assert finished(office.client, task_id)["status"] == "failed"
        office.rows(MEND)
        office.say(session_id, "Message 4")
        context = office.context(session_id)
        assert spoken(context["messages"]) == [f"Message {n}" for n in (1, 2, 3, 4)]
        assert context["stats"]["failedArchives"] == 1

        refused = office.client.post(f"/sessions/{session_id}/commit", json={})
        assert (refused.status_code, refused.json()["error"]["code"]) == (
            412,
            "FAILED_PRECONDITION",
        )
        again = result(office.client.post(f"/sessions/{session_id}/archives/archive_001/retry"))
        assert again["task_id"] != task_id
        assert finished(office.client, again["task_id"])["status"] == "completed"
        assert office.task(task_id)["status"] == "failed"
        assert len(result(office.archive(session_id))["messages"]) == 3

        made = office.commit(session_id)
        assert finished(office.client, made["task_id"])["status"] == "completed"
        assert spoken(result(office.archive(session_id, 2))["messages"]) == ["Message 4"]


def test_retry_that_fails_again_blocks_again(office, in_process):
    with broken(office) as (session_id, task_id):
        (job,) = jobs(office.server, office.account_id)
        with pytest.raises(Exception, match=UNREADABLE):
            run_here(job)
        assert office.task(task_id)["status"] == "failed"
        again = result(office.client.post(f"/sessions/{session_id}/archives/1/retry"))
        with pytest.raises(Exception, match=UNREADABLE):
            run_here(job)
        assert office.task(again["task_id"])["status"] == "failed"
        assert office.client.post(f"/sessions/{session_id}/commit").status_code == 412


def test_failed_archive_is_skipped(office, in_process):
    with broken(office) as (session_id, task_id):
        (job,) = jobs(office.server, office.account_id)
        with pytest.raises(Exception, match=UNREADABLE):
            run_here(job)
        office.rows(MEND)
        skipped = result(office.client.post(f"/sessions/{session_id}/archives/archive_001/skip"))
        assert skipped["task_id"] is None
    archive = result(office.archive(session_id))
    assert spoken(archive["messages"]) == ["Message 1", "Message 2", "Message 3"]
    assert archive["overview"] == ""
    assert office.context(session_id)["messages"] == []
    assert office.task(task_id)["status"] == "failed"
    office.say(session_id, "Message 4")
    assert office.commit(session_id)["archived"] is True


def test_failure_of_the_summary_itself(office, in_process, monkeypatch):
    def fail(*_args: Any) -> str:
        raise RuntimeError("a word of Message 1")

    session_id = office.session()
    made = office.commit(session_id)
    (job,) = jobs(office.server, office.account_id)
    monkeypatch.setattr("sessions_app.services.commit.overview_of", fail)
    with pytest.raises(RuntimeError):
        run_here(job)
    task = office.task(made["task_id"])
    assert (task["status"], "Message 1" in task["error"]) == ("failed", False)
    monkeypatch.undo()
    run_here(job)  # a stray repetition must not mend what waits for retry or skip
    assert office.archive(session_id).status_code == 404
    assert office.task(made["task_id"])["status"] == "failed"


# --- cancel ---


def test_cancelled_task_blocks_the_next_commit_until_it_is_retried_or_skipped(office, in_process):
    for way in ("retry", "skip"):
        session_id = office.session()
        made = office.commit(session_id)
        cancelled = result(office.client.post(f"/tasks/{made['task_id']}/cancel"))
        assert cancelled["status"] == "cancelled"
        run_here(jobs(office.server, office.account_id)[-1])
        assert office.task(made["task_id"])["status"] == "cancelled"
        assert office.archive(session_id).status_code == 404
        office.say(session_id, "More")
        assert office.client.post(f"/sessions/{session_id}/commit").status_code == 412
        result(office.client.post(f"/sessions/{session_id}/archives/archive_001/{way}"))
        run_here(jobs(office.server, office.account_id)[-1])
        assert office.archive(session_id).status_code == 200
        assert office.commit(session_id)["archived"] is True
        run_here(jobs(office.server, office.account_id)[-1])


def test_finished_task_cannot_be_cancelled(office, in_process):
    made = office.commit(office.session())
    run_here(jobs(office.server, office.account_id)[0])
    refused = office.client.post(f"/tasks/{made['task_id']}/cancel")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "CONFLICT")
    assert office.task(made["task_id"])["status"] == "completed"


def test_cancelling_races_with_the_job_and_one_of_them_wins(office, in_process):
    ends = set()
    for turn in range(30):
        session_id = office.session(1)
        made = office.commit(session_id)
        job = jobs(office.server, office.account_id)[-1]

        def act(number: int, made: dict = made, job: dict = job) -> int:
            if number == 0:
                run_here(job)
                return 0
            return office.client.post(f"/tasks/{made['task_id']}/cancel").status_code

        first = (turn % 2, 1 - turn % 2)
        statuses = at_once(lambda number: act(first[number]), 2)  # noqa: B023
        status = max(statuses)
        assert status in {200, 409}
        told = office.task(made["task_id"])["status"]
        assert told == ("cancelled" if status == 200 else "completed")
        (archive,) = office.rows(
            "SELECT a.state FROM agent_sessions_archive a JOIN agent_sessions_session s"
            f" ON s.id = a.session_id WHERE s.session_id = '{session_id}'"
        )
        assert archive["state"] == ("failed" if status == 200 else "completed")
        ends.add(status)
    assert ends


def test_deleting_the_session_races_with_its_job_without_harm(office, in_process):
    for turn in range(30):
        session_id = office.session(1)
        made = office.commit(session_id)
        job = jobs(office.server, office.account_id)[-1]

        def delete(_: int, session_id: str = session_id) -> int:
            return office.client.delete(f"/sessions/{session_id}").status_code

        with ThreadPoolExecutor(2) as pool:
            acts = [pool.submit(run_here, job), pool.submit(delete, 0)][:: 1 - 2 * (turn % 2)]
            status = max(act.result() or 0 for act in acts)
        assert status == 200
        assert office.client.get(f"/tasks/{made['task_id']}").status_code == 404
        assert office.archive(session_id).status_code == 404


def test_deleting_a_session_while_its_job_holds_the_archive_waits_for_it(office):
    session_id = office.session()
    office.commit(session_id)
    with ThreadPoolExecutor(1) as pool:
        with holding(office.server, office.account_id):
            deleting = pool.submit(office.client.delete, f"/sessions/{session_id}")
            waits = (
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database() AND query LIKE '%agent_sessions_%'"
            )
            eventually(lambda: office.server.rows(waits)[0]["count"] > 0)
            # The job holds the archive, and writes the task next: nobody else may hold that.
            free = office.rows("SELECT id FROM agent_sessions_task FOR UPDATE NOWAIT")
        assert deleting.result().status_code == 200
    assert len(free) == 1


def test_deleting_the_account_races_with_its_jobs_without_harm(server, in_process):
    for _ in range(3):
        account_id, alice = server.account()
        with server.client(alice) as client:
            office = Office(server, account_id, client)
            for _ in range(4):
                office.commit(office.session(1))
            waiting = jobs(server, account_id)

            def act(number: int, waiting: list = waiting, account_id: str = account_id) -> int:
                if number == 0:
                    with server.client(server.root) as root:
                        return root.delete(f"/admin/accounts/{account_id}").status_code
                run_here(waiting[number - 1])
                return 0

            assert max(at_once(act, 5)) == 200
        named = f"SELECT id FROM accounts_account WHERE account_id = '{account_id}'"
        assert server.rows(named) == []
