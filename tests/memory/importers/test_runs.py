"""Importing: every message once, in order, with its true time; again, interrupted, and back."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.db import connection

from accounts import tenancy
from accounts.errors import Conflict, PermissionDenied
from accounts.principals.authentication import actor_of_operator, actor_within
from accounts.principals.models import Agent, Contact, User
from memory.importers.plain import (
    Problem,
    SourceExtraction,
    SourceMemory,
    SourceName,
    SourceSender,
)
from memory.models import Extraction, Import, ImportReceipt, Memory
from memory.services.imports import import_create, import_rollback, import_run
from sessions_app.models import Session
from tests.memory.importers.stores import (
    LONG_AGO,
    KilledError,
    Store,
    say,
    told,
    took_part,
)
from tests.rows import row_counts


@pytest.fixture
def account(cast):
    with tenancy.account(cast.north):
        yield cast.north


@pytest.fixture
def bring_in(account):
    """bring_in(store) → (the run, its report)."""
    actor = actor_of_operator(account)

    def run(store, **options):
        made = import_create(actor=actor, format=store.format, source="store", **options)
        return made, import_run(actor=actor, run=made, source=store)

    return run


def store_of(count: int = 3) -> Store:
    return Store({f"talk{n}": say(*(f"{n}.{m}" for m in range(n + 1))) for n in range(count)})


def test_every_message_comes_once_in_order_with_its_time(bring_in):
    store = store_of()
    _, report = bring_in(store)
    assert (report.sessions, report.messages, report.problems) == (3, 6, [])
    assert told() == {
        key: [(one.role, one.parts[0]["text"], one.at) for one in messages]
        for key, messages in store.talks.items()
    }
    row = Session.objects.get(session_id="talk2")
    assert (row.message_count, row.started_at) == (3, LONG_AGO)
    assert row.last_activity_at == LONG_AGO + timedelta(minutes=2)
    assert took_part("talk2") == {("default", 2), ("default", 1)}
    assert store.put_aside


def test_without_times_the_files_own_stands(bring_in):
    bring_in(Store({"a": say("one", "two", start=None), "empty": []}))
    assert {row.last_activity_at for row in Session.objects.all()} == {LONG_AGO}
    assert [at for _, _, at in told()["a"]] == [LONG_AGO, LONG_AGO]


def test_a_dry_run_counts_and_writes_nothing(bring_in, account):
    store = store_of()
    before = row_counts(account)
    _, report = bring_in(store, dry_run=True)
    assert (report.sessions, report.messages) == (3, 6)
    after = row_counts(account)
    changed = {name for name in after if after[name] != before[name]}
    ours = account.schema_name
    assert changed == {f"{ours}.memory_import", f"{ours}.principals_auditevent"}
    assert not store.put_aside


def test_a_second_run_changes_nothing(bring_in, account):
    store = store_of()
    store.kept = [SourceMemory("m1", "row 1", "Likes tea", LONG_AGO)]
    bring_in(store)
    before = row_counts(account)
    _, report = bring_in(store)
    assert (report.sessions, report.memories, report.known) == (0, 0, 4)
    after = row_counts(account)
    assert {name.split(".")[1] for name in after if after[name] != before[name]} == {
        "memory_import",
        "principals_auditevent",
    }


def test_what_changed_since_is_left_alone_and_said(bring_in):
    store = store_of(2)
    bring_in(store)
    before = told()
    store.talks["talk1"] += say("more")
    _, report = bring_in(store)
    assert told() == before
    assert [(one.where, one.lost) for one in report.problems] == [("sessions/talk1.jsonl", 1)]
    assert not report.whole


def test_a_session_of_the_same_id_is_not_touched(bring_in, api, cast):
    assert api.say(cast.bob.headers, "TALK1", "Mine").status == 200
    with tenancy.account(cast.north):
        _, report = bring_in(store_of(3))
        assert told()["TALK1"][0][1] == "Mine"
    assert report.sessions == 2
    assert [one.lost for one in report.problems] == [2]


def test_killed_anywhere_and_run_again_equals_undisturbed(bring_in, account):
    store = Store({f"t{n}": say(*(f"{n}.{m}" for m in range(4))) for n in range(5)})
    store.kept = [SourceMemory(f"m{n}", f"row {n}", f"Fact {n}", LONG_AGO) for n in range(5)]
    expected = {
        key: [(one.role, one.parts[0]["text"], one.at) for one in messages]
        for key, messages in store.talks.items()
    }
    chance = random.Random(7)
    for _ in range(20):
        store.read, store.dies_at = 0, chance.randrange(25)
        try:
            bring_in(store)
        except KilledError:
            assert all(expected[key] == found for key, found in told().items() if found)
    store.dies_at = None
    _, report = bring_in(store)
    assert report.problems == []
    assert told() == expected
    assert Memory.objects.count() == 5
    assert ImportReceipt.objects.filter(kind="session").count() == 5


def test_verification_notices_a_difference(bring_in):
    store = store_of(2)
    run, _ = bring_in(store)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE agent_sessions_message SET parts = '[]' WHERE text = '1.1'")
    _, report = bring_in(store)
    assert [one.what for one in report.problems] == ["Message 2 differs from its source."]
    assert run.state == Import.State.COMPLETED


def test_rollback_leaves_the_account_as_it_was(bring_in, account):
    ignored = ("memory_import", "principals_auditevent", "accounts_account")
    before = row_counts(account)
    users = account_users(account)
    store = store_of()
    store.about = {
        "talk0": {"sender": SourceSender("telegram", "4711", name="Dana")},
        "talk1": {"user": SourceName("walter"), "agent": SourceName("gardener")},
        "talk2": {"parent": "talk1"},
    }
    store.kept = [
        SourceMemory("m1", "row 1", "Old", LONG_AGO, state="superseded", superseded_by="m2"),
        SourceMemory("m2", "row 2", "New", LONG_AGO, session="talk1"),
    ]
    store.runs = [SourceExtraction("x1", "run 1", "talk1", LONG_AGO, 2)]
    run, report = bring_in(store)
    assert (report.memories, report.extractions, report.problems) == (2, 1, [])
    assert Memory.objects.get(content="Old").superseded_by == Memory.objects.get(content="New")
    assert Session.objects.get(session_id="talk2").parent.session_id == "talk1"
    assert Extraction.objects.get().session.session_id == "talk1"
    import_rollback(actor=actor_of_operator(account), run_id=run.pk)
    after = row_counts(account)
    assert {
        name for name in after if after[name] != before[name] and not name.endswith(ignored)
    } == set()
    assert account_users(account) == users
    with pytest.raises(Conflict):
        import_rollback(actor=actor_of_operator(account), run_id=run.pk)
    assert bring_in(store)[1].sessions == 3


def account_users(account):
    return tenancy.fetch_row(
        "SELECT user_count FROM public.accounts_account WHERE id = %s", [account.id]
    )["user_count"]


def test_what_was_continued_is_not_rolled_back(bring_in, account, api, cast):
    run, _ = bring_in(store_of())
    assert api.say(cast.alice.headers, "talk2", "Go on").status == 200
    with tenancy.account(account):
        with pytest.raises(Conflict, match="talk2"):
            import_rollback(actor=actor_of_operator(account), run_id=run.pk)
        assert Session.objects.filter(session_id="talk0").exists()


def test_whose_it_is(bring_in):
    store = store_of(3)
    store.defaults = frozenset({"4f0c6d2e-7c57-4f6e-b6a9-f7a1f0f5a001"})
    store.about = {
        "talk0": {"user": SourceName("4f0c6d2e-7c57-4f6e-b6a9-f7a1f0f5a001")},
        "talk1": {
            "user": SourceName("9d2b6e32-1111-4f6e-b6a9-f7a1f0f5a002", "Ana María"),
            "agent": SourceName("root"),
        },
        "talk2": {"sender": SourceSender("telegram", "4711", name="Dana")},
    }
    bring_in(store)
    owners = dict(Session.objects.values_list("session_id", "owner__user_id"))
    assert owners["talk0"] == owners["talk2"] == "default"
    assert owners["talk1"].startswith("ana-mar-a-")
    assert Agent.objects.filter(agent_id__startswith="root-").exists()
    met = Session.objects.get(session_id="talk2").contact
    assert (met.display_name, met.owner.user_id) == ("Dana", "default")
    assert told()["talk2"][0][0] == "user"
    first = Session.objects.get(session_id="talk2").messages.get(seq=1)
    assert (first.contact, first.role_id) == (met, str(met.pk))


def test_a_key_that_is_no_id_becomes_one_and_is_kept(bring_in):
    key = "tg_4711_Ána y Zoë"
    bring_in(Store({key: say("Hi")}))
    row = Session.objects.get()
    assert row.session_id.startswith("tg_4711_-na-y-zo")
    assert row.metadata == {"source_key": key}


def test_of_two_memories_with_one_topic_the_later_keeps_it(bring_in):
    store = Store(
        kept=[
            SourceMemory("m1", "row 1", "Red", LONG_AGO, topic_key="colour"),
            SourceMemory("m2", "row 2", "Blue", LONG_AGO, topic_key="colour"),
        ]
    )
    _, report = bring_in(store)
    assert dict(Memory.objects.values_list("content", "topic_key")) == {
        "Red": None,
        "Blue": "colour",
    }
    assert report.problem_count == 1
    assert report.whole


def test_problems_of_the_source_are_reported(bring_in):
    store = store_of(1)
    store.faults = [Problem("sessions/talk0.jsonl:3", "This line is no JSON.", 1)]
    run, report = bring_in(store)
    assert not report.whole
    run.refresh_from_db()
    assert run.problems == [
        {"where": "sessions/talk0.jsonl:3", "what": "This line is no JSON.", "lost": 1}
    ]
    assert not store.put_aside


def test_only_operators_and_admins_bring_in(account):
    actor = actor_within(account, "bob")
    with pytest.raises(PermissionDenied):
        import_create(actor=actor, format="jsonl", source="store")
    assert not Import.objects.exists()
    assert not Contact.objects.exists()
    assert User.objects.filter(user_id="bob").exists()
