"""What is done to chosen memories: all or none, said in numbers, and taken back."""

from __future__ import annotations

import pytest

from accounts import tenancy
from memory.models import Memory
from tests.memory.kit import agent_row, keep
from tests.memory.pages.kit import MEMORIES, buttons, choices, toast, undo

BULK = f"{MEMORIES}/bulk"


@pytest.fixture
def alice(sign_in):
    return sign_in("alice")


@pytest.fixture
def bob(sign_in):
    return sign_in("bob")


@pytest.fixture
def rows(cast):
    """Two of bob's, one of them in quarantine; and one that beth wrote for the agent."""
    with tenancy.account(cast.north):
        agent_row("default", "structured")
        return [
            keep("bob", content="Takes tea."),
            keep("bob", content="Account ending 4471.", state="quarantined"),
            keep("beth", content="Answers in short sentences.", scope="agent"),
        ]


@pytest.fixture
def states(cast, rows):
    def now():
        with tenancy.account(cast.north):
            found = dict(Memory.objects.values_list("pk", "state"))
        return [found[row.pk] for row in rows]

    return now


def do(browser, what, rows, **more):
    ids = [str(row.pk) for row in rows]
    return browser.post(BULK, {"do": what, "ids": ids, **more})


def test_several_are_deleted_and_brought_back_as_they_were(alice, rows, states, events):
    answer = do(alice, "delete", rows)
    assert toast(alice, answer)[0] == "3 memories are deleted."
    assert states() == ["deleted"] * 3
    answer = do(alice, "restore", rows)
    assert states() == ["active", "quarantined", "active"]
    do(alice, "delete", rows[:2])
    answer = undo(alice, do(alice, "delete", rows))  # only what this one changed
    assert toast(alice, answer)[0] == "The memory is restored."
    assert states() == ["deleted", "deleted", "active"]
    assert len(events("memory.deleted")) == 6


def test_quarantine_and_release_undo_each_other(alice, rows, states):
    answer = do(alice, "quarantine", rows)
    assert toast(alice, answer)[0] == "2 memories are in quarantine now."  # one was already
    assert states() == ["quarantined"] * 3
    assert undo(alice, answer).status_code == 303
    assert states() == ["active", "quarantined", "active"]
    answer = do(alice, "release", rows[1:2])
    assert states() == ["active"] * 3
    undo(alice, answer)
    assert states() == ["active", "quarantined", "active"]


def test_a_user_chooses_among_their_own_and_all_or_none_is_done(bob, rows, states):
    page = bob.get(MEMORIES)
    assert set(choices(page)) == {str(rows[0].pk), str(rows[1].pk)}
    assert buttons(page) == ["delete"]
    said, way_back = toast(bob, do(bob, "delete", rows))
    assert said.startswith("Nothing was changed. Only who wrote")
    assert way_back is None
    said, _ = toast(bob, do(bob, "quarantine", rows[:1]))
    assert said.startswith("Nothing was changed.")
    assert states() == ["active", "quarantined", "active"]
    assert toast(bob, do(bob, "delete", rows[:2]))[0] == "2 memories are deleted."


def test_what_one_does_not_see_is_not_there(bob, alice, rows, cast, states):
    with tenancy.account(cast.north):
        theirs = keep("beth", content="Orders seeds.")
    said, _ = toast(bob, do(bob, "delete", [rows[0], theirs]))
    assert said == "Nothing was changed: one of them is not there any more."
    assert states()[0] == "active"
    assert toast(alice, do(alice, "delete", [rows[0], theirs]))[0] == "2 memories are deleted."


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        ("active", ["quarantine", "delete"]),
        ("quarantined", ["release", "delete"]),
        ("deleted", ["restore"]),
        ("", ["quarantine", "delete"]),
    ],
)
def test_the_list_offers_what_fits_its_state(state, offered, alice, rows, cast):
    with tenancy.account(cast.north):
        keep("bob", content="Lives in Lisbon.", state="deleted")
    assert buttons(alice.get(MEMORIES, {"state": state} if state else {})) == offered


def test_a_superseded_memory_is_chosen_among_its_own_kind_only(alice, rows, cast):
    with tenancy.account(cast.north):
        old = keep("bob", content="Lives in Faro.", state="superseded")
    assert str(old.pk) not in choices(alice.get(MEMORIES))
    page = alice.get(MEMORIES, {"state": "superseded"})
    assert choices(page) == [str(old.pk)]
    assert buttons(page) == ["restore"]
    answer = do(alice, "delete", [old], back="memory", superseded="1")
    assert toast(alice, answer)[1] is None  # undoing it would bring it back to life


def test_one_comes_back_to_where_one_was(alice, rows):
    answer = do(alice, "delete", rows[:1], back="memory")
    assert answer["Location"] == f"{MEMORIES}/{rows[0].pk}"
    assert undo(alice, answer)["Location"] == f"{MEMORIES}/{rows[0].pk}"
    query = {"do": "delete", "ids": [str(rows[0].pk)]}
    answer = alice.post(f"{BULK}?kind=facts&q=tea", query)
    assert answer["Location"] == f"{MEMORIES}?kind=facts&q=tea"


def test_nothing_chosen_is_said_and_nonsense_is_no_page(alice, rows, states):
    assert toast(alice, alice.post(BULK, {"do": "delete"}))[0].startswith("Nothing was changed")
    for fields in ({}, {"do": "erase", "ids": str(rows[0].pk)}, {"do": "delete", "ids": "x"}):
        assert alice.post(BULK, fields).status_code == 404
    assert states() == ["active", "quarantined", "active"]


def test_a_taken_topic_keeps_a_deleted_memory_deleted(alice, cast):
    with tenancy.account(cast.north):
        agent_row("default", "structured")
        gone = keep("bob", content="Takes tea.", topic_key="drink", state="deleted")
        keep("bob", content="Takes coffee.", topic_key="drink")
    said, _ = toast(alice, do(alice, "restore", [gone]))
    assert said == "Nothing was changed. Another memory stands for this topic."
