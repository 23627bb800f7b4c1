"""The demo account's memories: what a newcomer is shown."""

from __future__ import annotations

from collections import Counter

import pytest

from accounts import tenancy
from accounts.principals.models import Agent
from config import demo
from memory.models import Evidence, Memory, Revision
from memory.selectors import MemoryFilter, memory_page
from memory.visibility import Hidden
from tests.memory.kit import past


@pytest.fixture
def hollis(cast, monkeypatch):
    """The demo account, beside those of the tests."""
    monkeypatch.setattr(demo.selectors, "account_page", lambda *_: [])
    assert demo.load_demo() is not None
    found = tenancy.find(demo.ACCOUNT_ID)
    with tenancy.account(found):
        yield found


def test_the_demo_shows_what_can_become_of_a_memory(hollis):
    """All at once: to load it takes longer than to look at it."""
    check_states()
    check_sources()
    check_what_hides(hollis)


def check_states():
    rows = list(Memory.objects.all())
    assert len(rows) >= 40
    assert {row.state for row in rows} == {"active", "quarantined", "superseded", "deleted"}
    assert Counter(row.scope for row in rows)["agent"] >= 3
    assert len({row.kind for row in rows}) >= 8
    seat = next(row for row in rows if row.topic_key == "train-seat")
    assert [one.version for one in past(seat)] == [1, 2, 3]
    (open_train,) = (row for row in rows if row.superseded_by_id)
    assert open_train.superseded_by.topic_key == "porto-trains"
    assert Revision.objects.count() >= 5
    assert dict(Agent.objects.values_list("agent_id", "memory_system")) == {
        "default": "summarization",
        "ada": "structured",
        "iris": "structured",
        "max": "summarization",
    }


def check_sources():
    said = Memory.objects.exclude(session=None)
    linked = {one.memory_id: one.message.session_id for one in Evidence.objects.all()}
    assert len(linked) >= 35
    assert all(linked[row.pk] == row.session_id for row in said)
    of_contacts = Memory.objects.exclude(contact=None)
    assert len({row.contact.root for row in of_contacts}) == 4
    assert {row.contact.kind for row in of_contacts} == {"external", "group"}


def check_what_hides(hollis):
    """To Ines as an admin, who lists everybody's."""
    admin = demo.memories._Book(hollis, "ines", {}).admin
    rows = memory_page(actor=admin, where=MemoryFilter(state="any"), limit=200).rows
    hidden = Counter(row.hidden_by for row in rows)
    assert {Hidden.QUARANTINE, Hidden.GATE, Hidden.CONSENT} < hidden.keys()
    assert hidden[None] > 25
