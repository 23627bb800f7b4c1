"""Committing: a range of messages becomes an archive at once, and is summarised by a job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts import tenancy
from sessions_app.models import Archive
from tests.rows import row_counts
from tests.sessions_app.work import fail_archive, queued, run_queued, said


@pytest.fixture
def talk(api, cast):
    """Bob's session `s1` with five messages of 8 characters, so 2 tokens each."""
    for number in range(1, 6):
        api.say(cast.bob.headers, "s1", f"Number {number}")


@pytest.fixture
def commit(api, cast, talk):
    """commit(keep_recent_count=…) → the answer."""

    def call(headers: dict[str, str] | None = None, **body):
        return api.post("/sessions/s1/commit", headers or cast.bob.headers, body)

    return call


@pytest.fixture
def read(api, cast):
    """read("/context") → the result for Bob of what lies below the session."""

    def call(path: str = "", headers: dict[str, str] | None = None):
        return api.get(f"/sessions/s1{path}", headers or cast.bob.headers).result

    return call


def ranges(cast) -> list[tuple[int, int, int]]:
    with tenancy.account(cast.north):
        rows = Archive.objects.filter(session__session_id="s1").order_by("number")
        return list(rows.values_list("number", "first_seq", "last_seq"))


def test_answer(cast, commit):
    answer = commit()
    made = answer.result
    assert (made["session_id"], made["status"], made["archived"]) == ("s1", "accepted", True)
    assert made["archive_uri"] == "viking://session/s1/history/archive_001"
    assert made["task_id"]
    assert made["trace_id"] == answer.body["request_id"]
    assert ranges(cast) == [(1, 1, 5)]


def test_no_body_is_an_empty_one(api, cast, talk):
    assert api("POST", "/sessions/s1/commit", cast.bob.headers).result["archived"] is True


def test_job_is_queued_with_ids_only(cast, commit):
    commit()
    (arguments,) = queued()
    assert arguments["account"] == str(cast.north.id)


def test_pending_messages_stay_in_the_context(api, cast, commit, read):
    before = read("/context")
    commit()
    assert read("/context")["messages"] == before["messages"]
    assert read("/context")["stats"]["totalArchives"] == 1
    assert read("/context")["stats"]["includedArchives"] == 0
    run_queued()
    assert read("/context")["messages"] == []


def test_archive_is_not_there_until_it_is_finished(api, cast, commit, read):
    commit()
    path = "/sessions/s1/archives/archive_001"
    early = api.get(path, cast.bob.headers)
    absent = api.get("/sessions/s1/archives/archive_009", cast.bob.headers)
    assert (early.status, early.code) == (absent.status, absent.code) == (404, "NOT_FOUND")
    assert early.body["error"]["details"] == {"resource": "archive_001", "type": "archive"}
    run_queued()
    archive = api.get(path, cast.bob.headers).result
    assert said(archive["messages"]) == [f"Number {n}" for n in range(1, 6)]
    assert [row["seq"] for row in archive["messages"]] == [1, 2, 3, 4, 5]
    assert archive["abstract"]
    assert archive["overview"]


@pytest.mark.parametrize(
    "archive_id", ["archive_0", "archive_-1", "archive_", "1e3", "none", "²", "9" * 40, "archive_x"]
)
def test_nonsense_is_no_archive(api, cast, commit, archive_id):
    commit()
    run_queued()
    assert api.get(f"/sessions/s1/archives/{archive_id}", cast.bob.headers).status == 404


def test_archives_are_contiguous(api, cast, commit):
    commit(keep_recent_count=2)
    api.say(cast.bob.headers, "s1", "Number 6")
    commit(keep_recent_count=1)
    api.say(cast.beth.headers, "s1", "Number 7")
    commit()
    assert ranges(cast) == [(1, 1, 3), (2, 4, 5), (3, 6, 7)]


def test_kept_messages_stay_in_the_context(api, commit, read):
    commit(keep_recent_count=2)
    run_queued()
    assert said(read("/context")["messages"]) == ["Number 4", "Number 5"]
    assert said(read("/archives/archive_001")["messages"]) == ["Number 1", "Number 2", "Number 3"]


@pytest.mark.parametrize("keep", [5, 6, 100_000])
def test_nothing_is_archived_when_all_is_kept(cast, commit, keep):
    before = row_counts(cast.north)
    made = commit(keep_recent_count=keep).result
    assert (made["archived"], made["task_id"], made["archive_uri"]) == (False, None, None)
    assert made["status"] == "accepted"
    assert row_counts(cast.north) == before
    assert queued() == []


def test_empty_session(api, cast):
    api.post("/sessions", cast.bob.headers, {"session_id": "empty"})
    made = api.post("/sessions/empty/commit", cast.bob.headers).result
    assert (made["archived"], made["task_id"]) == (False, None)
    assert api.get("/sessions/empty", cast.bob.headers).result["commit_count"] == 0


def test_second_commit_without_new_messages_archives_nothing(cast, commit):
    assert commit().result["archived"] is True
    assert commit().result["archived"] is False
    run_queued()
    assert commit().result["archived"] is False
    assert ranges(cast) == [(1, 1, 5)]


@pytest.mark.parametrize(("keep", "status"), [(-1, 400), (100_001, 400), ("x", 422), (None, 422)])
def test_refused_count(cast, commit, keep, status):
    before = row_counts(cast.north)
    assert commit(keep_recent_count=keep).status == status
    assert row_counts(cast.north) == before


def test_unknown_fields_are_ignored(commit):
    assert commit(enable_working_memory=True, telemetry=False).result["archived"] is True


def test_counters(commit, read, api, cast):
    before = datetime.now(UTC)
    assert (read()["commit_count"], read()["last_commit_at"]) == (0, None)
    assert read()["pending_tokens"] == 10
    commit(keep_recent_count=2)
    assert read()["commit_count"] == 1
    assert read()["pending_tokens"] == 4
    at = datetime.fromisoformat(read()["last_commit_at"])
    assert timedelta() <= at - before + timedelta(seconds=1) < timedelta(seconds=60)
    api.say(cast.bob.headers, "s1", "Number 6")
    assert read()["pending_tokens"] == 6
    commit()
    assert (read()["commit_count"], read()["pending_tokens"]) == (2, 0)
    assert read()["message_count"] == 6


def test_committing_is_no_activity(commit, read):
    before = read()
    commit()
    run_queued()
    assert read()["updated_at"] == before["updated_at"]
    assert read()["participant_user_ids"] == before["participant_user_ids"]


def test_messages_stay_readable(commit, read):
    before = read("/messages")
    commit()
    run_queued()
    assert read("/messages") == before


def test_tokens_of_the_archive_are_those_of_its_messages(cast, commit):
    commit(keep_recent_count=1)
    with tenancy.account(cast.north):
        assert Archive.objects.get().tokens == 8


def test_ended_session_is_committed(api, cast, commit):
    api("PATCH", "/sessions/s1", cast.bob.headers, {"state": "ended"})
    assert commit().result["archived"] is True
    run_queued()
    assert api.get("/sessions/s1", cast.bob.headers).result["state"] == "ended"


def test_everyone_who_reads_the_session_may_commit_it(cast, commit, set_policy):
    assert commit(cast.beth.headers, keep_recent_count=3).result["archived"] is True
    set_policy(sessions_visible_to="participants")
    assert commit(cast.beth.headers).status == 404
    assert ranges(cast) == [(1, 1, 2)]
    assert commit(cast.bob.headers).result["archived"] is True


def test_absent_session(api, cast):
    before = row_counts(cast.north)
    assert api.post("/sessions/absent/commit", cast.bob.headers).status == 404
    assert row_counts(cast.north) == before


# --- an archive that failed ---


@pytest.fixture
def failed(cast, commit):
    """The first archive has failed; two messages are newer."""
    commit(keep_recent_count=2)
    fail_archive(cast.north, "s1")


def test_failed_archive_blocks_the_next_commit(cast, commit, failed):
    refused = commit()
    assert (refused.status, refused.code) == (412, "FAILED_PRECONDITION")
    assert refused.body["error"]["details"]["archive_id"] == "archive_001"
    assert ranges(cast) == [(1, 1, 3)]


def test_messages_of_a_failed_archive_stay_in_the_context(read, failed):
    context = read("/context")
    assert said(context["messages"]) == [f"Number {n}" for n in range(1, 6)]
    stats = context["stats"]
    assert (stats["totalArchives"], stats["failedArchives"]) == (1, 1)
    assert (stats["includedArchives"], stats["activeTokens"]) == (0, 10)


def test_pending_archive_does_not_block(cast, commit, api):
    commit(keep_recent_count=2)
    assert commit().result["archived"] is True
    assert ranges(cast) == [(1, 1, 3), (2, 4, 5)]
    assert run_queued() == 2


def test_retry_makes_a_new_task(api, cast, commit, failed):
    again = api.post("/sessions/s1/archives/archive_001/retry", cast.bob.headers)
    assert again.result["task_id"]
    assert again.result["archive_uri"] == "viking://session/s1/history/archive_001"
    run_queued()
    task = api.get(f"/tasks/{again.result['task_id']}", cast.bob.headers).result
    assert task["status"] == "completed"
    assert task["result"] == {"archive_id": "archive_001", "messages": 3}
    assert commit().result["archived"] is True


def test_skip_completes_without_a_summary(api, cast, commit, read, failed):
    skipped = api.post("/sessions/s1/archives/1/skip", cast.bob.headers).result
    assert (skipped["task_id"], skipped["archived"]) == (None, True)
    archive = read("/archives/archive_001")
    assert archive["overview"] == ""
    assert "not summarised" in archive["abstract"]
    assert said(archive["messages"]) == ["Number 1", "Number 2", "Number 3"]
    assert said(read("/context")["messages"]) == ["Number 4", "Number 5"]
    assert commit().result["archived"] is True


@pytest.mark.parametrize("way", ["retry", "skip"])
def test_only_a_failed_archive_is_retried_or_skipped(api, cast, commit, way):
    commit()
    path = f"/sessions/s1/archives/archive_001/{way}"
    for _state in ("pending", "completed"):
        refused = api.post(path, cast.bob.headers)
        assert (refused.status, refused.code) == (409, "CONFLICT")
        run_queued()
    assert api.post(f"/sessions/s1/archives/9/{way}", cast.bob.headers).status == 404
    assert api.post(f"/sessions/none/archives/1/{way}", cast.bob.headers).status == 404


@pytest.mark.parametrize("way", ["retry", "skip"])
def test_who_does_not_read_the_session_neither_retries_nor_skips(
    api, cast, failed, set_policy, way
):
    path = f"/sessions/s1/archives/archive_001/{way}"
    set_policy(sessions_visible_to="participants")
    assert api.post(path, cast.beth.headers).status == 404
    assert api.post(path, cast.charlie.headers).status == 404
    set_policy(sessions_visible_to="account")
    assert api.post(path, cast.beth.headers).status == 200


def test_later_archive_completes_while_an_earlier_one_failed(api, cast, commit, read):
    """An archive behind one that failed waits with it: no message is in no summary and gone."""
    commit(keep_recent_count=2)
    commit()
    fail_archive(cast.north, "s1", 1)
    run_queued()
    context = read("/context")
    assert [row["seq"] for row in read("/messages")] == [1, 2, 3, 4, 5]
    assert len(context["messages"]) == 5
    assert context["pre_archive_abstracts"] == []
    assert context["stats"]["failedArchives"] == 1
    api.post("/sessions/s1/archives/1/retry", cast.bob.headers)
    run_queued()
    context = read("/context")
    assert [row["archive_id"] for row in context["pre_archive_abstracts"]] == [
        "archive_001",
        "archive_002",
    ]


# --- repetition ---


def test_repeated_commit_gets_the_same_answer(api, cast, talk):
    headers = {**cast.bob.headers, "Idempotency-Key": "k1"}
    first, second = (api.post("/sessions/s1/commit", headers, {}) for _ in range(2))
    assert {**second.result, "trace_id": ""} == {**first.result, "trace_id": ""}
    assert ranges(cast) == [(1, 1, 5)]
    assert api.post("/sessions/s1/commit", headers, {"keep_recent_count": 1}).status == 422


def test_repeated_commit_that_had_nothing_to_archive(api, cast):
    headers = {**cast.bob.headers, "Idempotency-Key": "k1"}
    api.post("/sessions", cast.bob.headers, {"session_id": "s1"})
    first = api.post("/sessions/s1/commit", headers, {}).result
    api.say(cast.bob.headers, "s1")
    second = api.post("/sessions/s1/commit", headers, {}).result
    assert (first["archived"], second["archived"], second["task_id"]) == (False, False, None)
