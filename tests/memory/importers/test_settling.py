"""When a source counts as in, and is put aside."""

# ruff: noqa: F811 - fixtures of test_runs

from __future__ import annotations

import pytest

from accounts.principals.authentication import actor_of_operator
from memory.importers.detect import open_source
from memory.importers.plain import Problem
from memory.models import Import
from memory.services.imports import import_rollback
from sessions_app.models import Message
from tests.memory.importers.stores import told
from tests.memory.importers.test_attacks import folder_of, hook
from tests.memory.importers.test_runs import account, bring_in, store_of  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("account")


def test_what_was_rolled_back_meanwhile_is_not_put_aside(bring_in, account, tmp_path):
    path = folder_of(tmp_path, a="one two")
    source = open_source("jsonl", path)

    def roll_back(call):
        if call == 3:
            run = Import.objects.get()
            import_rollback(actor=actor_of_operator(account), run_id=run.pk)

    hook(source, "sessions", roll_back)
    bring_in(source)
    assert told() == {}
    assert (path / "sessions" / "a.jsonl").exists()


def test_a_renamed_file_is_not_doubled(bring_in, tmp_path):
    path = folder_of(tmp_path, a="one two")
    source = open_source("jsonl", path)
    source.settled = lambda: None
    bring_in(source)
    (path / "sessions" / "a.jsonl").rename(path / "sessions" / "z.jsonl")
    bring_in(open_source("jsonl", path))
    assert Message.objects.count() == 2


def test_a_loss_counts_however_many_problems_came_before(bring_in):
    store = store_of(1)
    store.faults = [Problem("x", "Harmless.")] * 1_001 + [Problem("y", "Lost.", 1)]
    assert not bring_in(store)[1].whole
    assert not store.put_aside


def test_a_defect_leaves_no_run_that_runs_for_ever(bring_in):
    store = store_of(1)
    store.memories = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        bring_in(store)
    assert Import.objects.get().state == Import.State.FAILED
