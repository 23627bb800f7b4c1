"""Context: all newer messages whole, then what fits of the rest (http-api.md, Context rule)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.context import ArchiveSummary, assemble

archives = st.lists(st.tuples(st.text(max_size=60), st.text(max_size=120)), max_size=8).map(
    lambda pairs: [
        ArchiveSummary(f"archive_{number:03}", abstract, overview)
        for number, (abstract, overview) in enumerate(pairs, start=1)
    ]
)
sizes = st.integers(0, 200)


def cost(text: str) -> int:
    return math.ceil(len(text) / 4)


@given(sizes, archives, sizes)
def test_summaries_never_exceed_what_the_messages_leave(active, found, budget):
    done = assemble(active, found, budget)
    assert done.archive_tokens <= max(0, budget - active)
    assert done.archive_tokens == cost(done.overview) + sum(
        cost(archive.abstract) for archive in done.abstracts
    )


@given(sizes, archives, sizes)
def test_messages_are_never_cut(active, found, budget):
    done = assemble(active, found, budget)
    assert done.active_tokens == active
    assert done.estimated_tokens == active + done.archive_tokens


@given(sizes, archives, sizes)
def test_overview_is_the_latest_whole_or_empty(active, found, budget):
    done = assemble(active, found, budget)
    if not found:
        assert done.overview == ""
    elif cost(found[-1].overview) <= budget - active:
        assert done.overview == found[-1].overview
    else:
        assert done.overview == ""


@given(sizes, archives, sizes)
def test_abstracts_are_kept_from_the_newest_in_their_order(active, found, budget):
    done = assemble(active, found, budget)
    assert done.abstracts == found[len(found) - len(done.abstracts) :]
    assert (done.included, done.dropped) == (
        len(done.abstracts),
        len(found) - len(done.abstracts),
    )


@given(sizes, archives, sizes)
def test_the_next_abstract_would_not_have_fitted(active, found, budget):
    done = assemble(active, found, budget)
    if done.dropped:
        next_one = found[done.dropped - 1]
        left = max(0, budget - active) - done.archive_tokens
        assert cost(next_one.abstract) > left or budget < active


@given(sizes, archives, sizes, sizes)
def test_a_larger_budget_never_keeps_less_of_the_overview(active, found, budget, more):
    small, large = assemble(active, found, budget), assemble(active, found, budget + more)
    assert not small.overview or large.overview == small.overview
    assert large.archive_tokens <= max(0, budget + more - active)


def test_everything_fits_exactly():
    found = [ArchiveSummary("a1", "x" * 4, "ignored"), ArchiveSummary("a2", "x" * 8, "x" * 12)]
    whole = assemble(10, found, 10 + 3 + 2 + 1)
    assert (whole.overview, whole.abstracts, whole.archive_tokens) == ("x" * 12, found, 6)
    less = assemble(10, found, 10 + 3 + 2 + 1 - 1)
    assert (less.overview, less.abstracts, less.dropped) == ("x" * 12, found[1:], 1)


@pytest.fixture
def talk(api, cast):
    """A session of 60 messages."""
    for number in range(60):
        assert api.say(cast.bob.headers, "s1", f"Sentence {number:02}").status == 200
    return "s1"


def test_every_message_is_there_in_order(api, cast, talk):
    messages = api.get("/sessions/s1/context", cast.beth.headers).result["messages"]
    assert [message["parts"][0]["text"] for message in messages] == [
        f"Sentence {number:02}" for number in range(60)
    ]


@pytest.mark.parametrize("budget", [0, 1, 128_000])
def test_budget_cuts_no_message(api, cast, talk, budget):
    found = api.get("/sessions/s1/context", cast.bob.headers, token_budget=budget).result
    assert len(found["messages"]) == 60
    assert found["estimatedTokens"] == found["stats"]["activeTokens"] == 60 * 3


def test_empty_session_has_an_empty_context(api, cast):
    api.post("/sessions", cast.bob.headers, {"session_id": "s1"})
    found = api.get("/sessions/s1/context", cast.bob.headers).result
    assert (found["messages"], found["estimatedTokens"]) == ([], 0)


def test_absent_session(api, cast):
    assert api.get("/sessions/s1/context", cast.bob.headers).status == 404


@pytest.mark.parametrize(
    ("budget", "status"),
    [("-1", 400), (str(10**30), 400), ("1.5", 422), ("many", 422), ("", 422), ("NaN", 422)],
)
def test_refused_budgets(api, cast, talk, budget, status):
    answer = api.get("/sessions/s1/context", cast.bob.headers, token_budget=budget)
    assert (answer.status, answer.code) == (status, "INVALID_ARGUMENT")
