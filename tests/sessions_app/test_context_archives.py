"""The context's budget over the API: messages whole, then the overview, then abstracts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sessions_app.work import fail_archive, run_queued, said


@pytest.fixture
def read(api, cast):
    """read(budget) → the context of Bob's session s1."""

    def call(budget: int | None = None, **query: Any) -> dict[str, Any]:
        if budget is not None:
            query["token_budget"] = budget
        return api.get("/sessions/s1/context", cast.bob.headers, **query).result

    return call


@pytest.fixture
def archives(api, cast):
    """Three completed archives, and two messages of 8 characters each that are newer."""
    for number in range(1, 4):
        for turn in range(number):
            api.say(cast.bob.headers, "s1", f"Archive {number}, message {turn} " + "x" * 40 * turn)
        api.post("/sessions/s1/commit", cast.bob.headers)
        run_queued()
    for number in (7, 8):
        api.say(cast.bob.headers, "s1", f"Number {number}")
    return [
        api.get(f"/sessions/s1/archives/{number}", cast.bob.headers).result for number in (1, 2, 3)
    ]


def tokens(text: str) -> int:
    return (len(text) + 3) // 4


def expected(archives: list[dict[str, Any]], active: int, budget: int) -> tuple[str, list[str]]:
    """The rule, written down once more."""
    left = budget - active
    overview = archives[-1]["overview"]
    if tokens(overview) <= left:
        left -= tokens(overview)
    else:
        overview = ""
    kept: list[str] = []
    for archive in archives[::-1]:
        left -= tokens(archive["abstract"])
        if left < 0:
            break
        kept = [archive["archive_id"], *kept]
    return overview, kept


def test_everything_fits_by_default(read, archives):
    context = read()
    assert said(context["messages"]) == ["Number 7", "Number 8"]
    assert context["latest_archive_overview"] == archives[-1]["overview"]
    assert context["pre_archive_abstracts"] == [
        {"archive_id": row["archive_id"], "abstract": row["abstract"]} for row in archives
    ]
    assert context["stats"] == {
        "totalArchives": 3,
        "includedArchives": 3,
        "droppedArchives": 0,
        "failedArchives": 0,
        "activeTokens": 4,
        "archiveTokens": tokens(archives[-1]["overview"])
        + sum(tokens(row["abstract"]) for row in archives),
    }
    assert context["estimatedTokens"] == 4 + context["stats"]["archiveTokens"]


def test_every_budget_from_nothing_to_plenty(read, archives):
    plenty = read()["estimatedTokens"]
    seen = set()
    for budget in [*range(0, plenty, 3), plenty - 1, plenty, plenty + 1]:
        context = read(budget)
        overview, kept = expected(archives, 4, budget)
        assert context["latest_archive_overview"] == overview, budget
        assert [row["archive_id"] for row in context["pre_archive_abstracts"]] == kept, budget
        assert len(context["messages"]) == 2
        stats = context["stats"]
        assert (stats["includedArchives"], stats["droppedArchives"]) == (len(kept), 3 - len(kept))
        assert context["estimatedTokens"] == stats["activeTokens"] + stats["archiveTokens"]
        assert context["estimatedTokens"] <= max(budget, 4)
        seen.add((bool(overview), len(kept)))
    assert len(seen) >= 4, "the budgets never met the thresholds"


def test_messages_are_never_cut(read, archives):
    for budget in (0, 1, 3):
        context = read(budget)
        assert said(context["messages"]) == ["Number 7", "Number 8"]
        assert (context["latest_archive_overview"], context["pre_archive_abstracts"]) == ("", [])
        assert context["estimatedTokens"] == 4


@pytest.mark.parametrize(
    ("budget", "status"),
    [(-1, 400), (10_000_001, 400), ("x", 422), ("", 422), (1.5, 422), (10**30, 400)],
)
def test_refused_budget(api, cast, budget, status):
    api.say(cast.bob.headers, "s1")
    answer = api.get("/sessions/s1/context", cast.bob.headers, token_budget=budget)
    assert answer.status == status


def test_pending_archive_counts_but_is_not_included(api, cast, read, archives):
    api.post("/sessions/s1/commit", cast.bob.headers)
    context = read()
    assert said(context["messages"]) == ["Number 7", "Number 8"]
    stats = context["stats"]
    assert (stats["totalArchives"], stats["includedArchives"]) == (4, 3)
    assert context["latest_archive_overview"] == archives[-1]["overview"]


def test_failed_archive_is_counted_as_failed(api, cast, read, archives):
    api.post("/sessions/s1/commit", cast.bob.headers)
    fail_archive(cast.north, "s1", 4)
    context = read()
    assert said(context["messages"]) == ["Number 7", "Number 8"]
    assert context["stats"]["failedArchives"] == 1
    assert context["latest_archive_overview"] == archives[-1]["overview"]


def test_skipped_archive_has_no_overview_but_an_abstract(api, cast, read, archives):
    api.post("/sessions/s1/commit", cast.bob.headers)
    fail_archive(cast.north, "s1", 4)
    api.post("/sessions/s1/archives/4/skip", cast.bob.headers)
    context = read()
    assert (context["messages"], context["latest_archive_overview"]) == ([], "")
    assert context["pre_archive_abstracts"][-1]["archive_id"] == "archive_004"
    assert context["stats"]["failedArchives"] == 0


def test_tokens_are_characters_over_four_rounded_up(api, cast, read):
    for text, size in (("a", 1), ("abcd", 2), ("abcde", 4), ("ä" * 8, 6)):
        api.say(cast.bob.headers, "s1", text)
        assert read()["estimatedTokens"] == size


def test_tool_parts_are_in_the_context_whole(api, cast, read):
    part = {"type": "tool", "tool_id": "t1", "tool_name": "x", "tool_output": "y" * 400}
    api.say(cast.bob.headers, "s1", None, parts=[part])
    context = read(0)
    assert context["messages"][0]["parts"] == [part]
    assert context["estimatedTokens"] >= 100
