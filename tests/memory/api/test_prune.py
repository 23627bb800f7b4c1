"""The hourly job that marks what has expired as deleted."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts import tenancy
from memory import services
from memory.models import Memory
from memory.tasks import prune_memories
from tests.memory.kit import past


@pytest.fixture
def expire(cast):
    def end(*memories):
        keys = [memory["id"] for memory in memories]
        with tenancy.account(cast.north):
            Memory.objects.filter(pk__in=keys).update(expires_at=timezone.now())

    return end


def states(account):
    with tenancy.account(account):
        return dict(Memory.objects.values_list("content", "state"))


def test_only_what_is_active_and_has_expired(api, cast, remember, expire):
    bob, soon = cast.bob.headers, "2100-01-01T00:00:00Z"
    gone, held = remember(bob, "gone"), remember(bob, "held")
    remember(bob, "later", expires_at=soon)
    remember(bob, "never")
    api.post(f"/memories/{held['id']}/quarantine", cast.alice.headers)
    expire(gone, held)
    prune_memories(0)
    assert states(cast.north) == {
        "gone": "deleted",
        "held": "quarantined",
        "later": "active",
        "never": "active",
    }
    before = api.get(f"/memories/{gone['id']}", bob).result
    assert before["written_by"] is None  # a job
    prune_memories(0)
    assert api.get(f"/memories/{gone['id']}", bob).result == before
    back = api.post(f"/memories/{gone['id']}/restore", bob).result
    assert (back["state"], back["expires_at"]) == ("active", None)
    with tenancy.account(cast.north):
        assert [one.state for one in past(gone["id"])] == ["active", "active", "deleted", "active"]


def test_many_are_done_in_portions(cast, remember, expire, monkeypatch):
    monkeypatch.setattr("memory.services.lifecycle.PRUNED_AT_ONCE", 2)
    expire(*(remember(cast.bob.headers, f"Number {n}") for n in range(5)))
    with tenancy.account(cast.north):
        assert [services.memories_prune() for _ in range(4)] == [2, 2, 1, 0]


def test_one_account_that_fails_does_not_hold_up_the_others(cast, remember, expire, monkeypatch):
    expire(remember(cast.bob.headers, "gone"))
    real, failed = services.memories_prune, []

    def ill():
        if not failed:
            failed.append(1)
            raise OperationalError
        return real()

    monkeypatch.setattr("memory.tasks.memories_prune", ill)
    monkeypatch.setattr("accounts.selectors.active_accounts", lambda: [cast.south, cast.north])
    prune_memories(0)
    assert failed
    assert states(cast.north) == {"gone": "deleted"}
