"""Attacks on the importers: nothing lost, doubled, shown to others or left half-way."""

# ruff: noqa: F811 - fixtures of test_runs

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from accounts.errors import Conflict
from accounts.models import Account
from accounts.principals.authentication import actor_of_operator
from accounts.principals.models import Agent, ApiKey, Contact, User
from memory.importers.detect import open_source
from memory.importers.plain import SourceMemory, SourceName, SourceSender
from memory.models import Consent, Import, Memory
from memory.services.imports import import_rollback
from sessions_app.models import Message, Session
from tests.memory.importers import fixtures_openfang, fixtures_sqlite
from tests.memory.importers.stores import LONG_AGO, Store, say, told
from tests.memory.importers.test_runs import account, bring_in  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("account")


def folder_of(path: Path, **files: str) -> Path:
    folder = path / "sessions"
    folder.mkdir(exist_ok=True)
    for name, words in files.items():
        lines = [json.dumps({"role": "user", "content": one}) for one in words.split()]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    return path


def texts(name: str) -> list[str]:
    return [text for _, text, _ in told()[name]]


def hook(source, name, action):
    """Let something happen in the world when that method is called for the nth time."""
    original, calls = getattr(source, name), [0]

    def wrapped(*args):
        calls[0] += 1
        action(calls[0])
        return original(*args)

    setattr(source, name, wrapped)


# --- the source changes under it ---


def test_a_file_that_grew_after_it_came_in_is_not_put_aside(bring_in, tmp_path):
    path = folder_of(tmp_path, a="one two", b="three")
    file = path / "sessions" / "a.jsonl"
    source = open_source("jsonl", path)

    def grow(call):
        if call == 3:  # count, write, verify
            with file.open("a") as end:
                end.write('{"role": "user", "content": "late"}\n')

    hook(source, "sessions", grow)
    bring_in(source)
    assert texts("a") == ["one", "two"]
    assert file.exists()


def test_a_file_that_appeared_after_the_others_came_in_is_not_put_aside(bring_in, tmp_path):
    path = folder_of(tmp_path, a="one two")
    source = open_source("jsonl", path)
    hook(source, "sessions", lambda call: folder_of(tmp_path, b="late") if call == 3 else None)
    bring_in(source)
    assert "b" not in told()
    assert (path / "sessions" / "b.jsonl").exists()


def test_the_same_words_under_two_names_both_come(bring_in, tmp_path):
    bring_in(open_source("jsonl", folder_of(tmp_path, a="one two", b="one two")))
    assert texts("a") == texts("b") == ["one", "two"]


def test_names_that_differ_in_case_both_come(bring_in, tmp_path):
    source = open_source("jsonl", folder_of(tmp_path, Foo="one", foo="two"))
    _, report = bring_in(source)
    assert sorted(text for rows in told().values() for _, text, _ in rows) == ["one", "two"]
    assert report.whole
    _, report = bring_in(open_source("jsonl", folder_of(tmp_path, Foo="one", foo="two")))
    assert (report.sessions, report.whole) == (0, True)


def test_two_sessions_moved_from_files_with_the_same_words_both_come(bring_in, tmp_path):
    database = fixtures_sqlite.sessions_db(tmp_path)
    for key in ("a", "b"):
        fixtures_sqlite.say(database, key, ("user", "hi", "2024-05-01T08:00:00+00:00"))
        fixtures_sqlite.receipt(database, key, b'{"role": "user", "content": "hi"}\n')
    _, report = bring_in(open_source("sqlite", tmp_path))
    assert set(told()) == {"a", "b"}
    assert report.known == 0


def test_a_session_that_changes_while_it_is_written_is_left_out(bring_in, tmp_path):
    store = fixtures_openfang.Store(tmp_path)
    key = store.session(fixtures_openfang.said("user", "one"))
    source = open_source("openfang", store.path)

    def change(call):
        if call == 1:
            with store.connect() as database:
                more = [fixtures_openfang.said("user", word) for word in ("one", "two")]
                database.execute(
                    "UPDATE sessions SET messages = ?", [fixtures_openfang.packed(*more)]
                )

    hook(source, "messages", change)
    _, report = bring_in(source)
    assert not report.whole
    _, report = bring_in(open_source("openfang", store.path))
    assert texts(key) == ["one", "two"]
    assert report.whole


def test_what_differs_when_compared_is_not_put_aside(bring_in, tmp_path):
    path = folder_of(tmp_path, a="one two")
    source = open_source("jsonl", path)
    damage = lambda call: Message.objects.update(parts=[]) if call == 3 else None  # noqa: E731
    hook(source, "sessions", damage)
    _, report = bring_in(source)
    assert not report.whole
    assert (path / "sessions" / "a.jsonl").exists()


# --- true times ---


def test_messages_without_times_leave_the_sessions_own_activity(bring_in, tmp_path):
    database = fixtures_sqlite.sessions_db(tmp_path)
    fixtures_sqlite.say(database, "a", ("user", "hi", ""), ("user", "ho", ""))
    fixtures_sqlite.about(database, "a")
    bring_in(open_source("sqlite", tmp_path))
    row = Session.objects.get()
    assert row.started_at.isoformat() == "2024-05-01T08:00:00+00:00"
    assert row.last_activity_at.isoformat() == "2024-05-02T09:30:00+00:00"


# --- hostile values ---

HOSTILE = (
    '{"role": "user", "content": [{"type": "text\\u0000", "n": 1}]}',
    '{"role": "user", "content": [{"type": "text", "text": "a", "text\\u0000": 5}]}',
    '{"role": "user", "content": [{"type": "x", "type\\u0000": "text"}]}',
    '{"role": "user", "content": [{"type": "x", "n": 1e999, "m": ' + "9" * 4000 + "}]}",
    '{"role": "user", "content": [{"type": "x", "n": ' + "[" * 5000 + "]" * 5000 + "}]}",
    '{"role": "user", "content": [{"type": "x", "n": NaN}]}',
    '{"role": "user", "content": [{"type": "x", "n": 1e400, "\\ud800": "\\udfff"}]}',
)


@pytest.mark.parametrize("line", HOSTILE)
def test_a_hostile_line_stops_nothing(bring_in, tmp_path, line):
    path = folder_of(tmp_path, a="one", z="two")
    with (path / "sessions" / "a.jsonl").open("a") as end:
        end.write(f"{line}\n")
    run, _ = bring_in(open_source("jsonl", path))
    assert texts("a")[0] == "one"
    assert texts("z") == ["two"]
    assert run.state == Import.State.COMPLETED


@pytest.mark.parametrize("kind", ["text\0", "context\0"])
def test_a_hostile_block_stops_nothing(bring_in, tmp_path, kind):
    store = fixtures_openfang.Store(tmp_path)
    store.session(fixtures_openfang.said("user", [{"type": kind, "n": 1}]))
    store.session(fixtures_openfang.said("user", "fine"))
    _, report = bring_in(open_source("openfang", store.path))
    assert report.messages >= 1
    assert "fine" in [text for rows in told().values() for _, text, _ in rows]


def test_a_database_with_a_name_that_is_no_text(bring_in, tmp_path):
    fixtures_sqlite.say(fixtures_sqlite.sessions_db(tmp_path), "a", ("user", "hi", ""))
    name = os.fsencode(tmp_path) + b"/se\xff.db"
    path = (tmp_path / "sessions" / "sessions.db").rename(os.fsdecode(name))
    bring_in(open_source("sqlite", path))
    assert texts("a") == ["hi"]


def test_a_folder_with_a_name_that_is_no_text(bring_in, tmp_path):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/f\xff"))
    folder.mkdir()
    (folder / "a.jsonl").write_text('{"role": "user", "content": "hi"}\n{]\n')
    run, report = bring_in(open_source("jsonl", folder))
    assert texts("a") == ["hi"]
    assert run.state == Import.State.COMPLETED
    assert report.problem_count == 1


def test_two_memories_of_one_name_stop_nothing(bring_in):
    one = SourceMemory("m", "row 1", "Likes tea", LONG_AGO)
    store = Store(kept=[one, one, SourceMemory("n", "row 2", "Likes rain", LONG_AGO)])
    bring_in(store)
    assert sorted(Memory.objects.values_list("content", flat=True)) == ["Likes rain", "Likes tea"]


def test_a_memory_that_the_database_refuses_stops_nothing(bring_in):
    bad = SourceMemory("m", "row 1", "Odd", LONG_AGO, kind="nonsense", confidence=7.0)
    store = Store(kept=[bad, SourceMemory("n", "row 2", "Likes rain", LONG_AGO)])
    run, report = bring_in(store)
    assert list(Memory.objects.values_list("content", flat=True)) == ["Likes rain"]
    assert run.state == Import.State.COMPLETED
    assert [one.lost for one in report.problems] == [1]


def test_long_keys_that_begin_alike_both_come(bring_in):
    start = "k" * 700
    store = Store({f"{start}{n}": say(f"talk {n}") for n in range(2)})
    store.kept = [SourceMemory(f"{start}{n}", f"row {n}", f"Fact {n}", LONG_AGO) for n in range(2)]
    _, report = bring_in(store)
    assert (report.sessions, report.memories, report.problems) == (2, 2, [])
    assert bring_in(store)[1].known == 4


# --- people ---


def test_too_many_users_leave_one_session_out_and_the_rest_come(bring_in, account):
    Account.objects.filter(pk=account.id).update(settings={"max_users": 2})
    store = Store({"a": say("one"), "b": say("two")}, {"a": {"user": SourceName("walter")}})
    run, report = bring_in(store)
    assert set(told()) == {"b"}
    assert [one.lost for one in report.problems] == [1]
    assert run.state == Import.State.COMPLETED


def test_a_refused_memory_leaves_no_user_behind(bring_in, account):
    Account.objects.filter(pk=account.id).update(settings={"max_users": 2})
    store = Store(
        kept=[
            SourceMemory("m1", "row 1", "One", LONG_AGO),
            SourceMemory("m2", "row 2", "Two", LONG_AGO, user=SourceName("walter")),
        ]
    )
    _, report = bring_in(store)
    assert list(Memory.objects.values_list("content", flat=True)) == ["One"]
    assert not User.objects.filter(user_id="walter").exists()
    assert [one.lost for one in report.problems] == [1]


def test_a_deleted_user_leaves_one_session_out_and_the_rest_come(bring_in):
    User.objects.filter(user_id="bob").update(is_active=False)
    store = Store({"a": say("one"), "b": say("two")}, {"a": {"user": SourceName("bob")}})
    _, report = bring_in(store)
    assert set(told()) == {"b"}
    assert [one.lost for one in report.problems] == [1]


def test_one_sender_of_two_users_is_two_contacts(bring_in):
    sender = SourceSender("telegram", "4711")
    about = {
        name: {"sender": sender, "user": SourceName(user)}
        for name, user in (("a", "walter"), ("b", "wanda"))
    }
    bring_in(Store({"a": say("one"), "b": say("two")}, about))
    for row in Session.objects.select_related("contact", "owner"):
        assert row.contact.owner_id == row.owner_id


def test_an_agent_first_seen_with_a_sender_keeps_senders_apart(bring_in):
    about = {
        "a": {"sender": SourceSender("telegram", "4711"), "agent": SourceName("gardener")},
        "b": {"agent": SourceName("cook")},
    }
    bring_in(Store({"a": say("one"), "b": say("two")}, about))
    scopes = dict(Agent.objects.values_list("agent_id", "session_scope"))
    assert (scopes["gardener"], scopes["cook"]) == ("per_sender", "global")


def test_a_memory_of_a_contacts_session_is_the_contacts(bring_in):
    store = Store({"a": say("one")}, {"a": {"sender": SourceSender("telegram", "4711")}})
    bring_in(store, user_id="bob")
    bring_in(Store(kept=[SourceMemory("m", "row 1", "Secret", LONG_AGO, session="a")]))
    memory, session = Memory.objects.get(), Session.objects.get()
    assert memory.session_id == session.pk
    assert memory.contact_id == session.contact_id
    assert memory.user_id == session.owner_id


def test_a_group_says_who_spoke(bring_in, tmp_path):
    bring_in(open_source("jsonl", folder_of(tmp_path, **{"telegram_-100_bob": "one two"})))
    session = Session.objects.get()
    spoke = Message.objects.values_list("contact__handles__platform_id", flat=True)
    assert (session.contact.kind, list(spoke)) == ("group", ["bob", "bob"])


# --- rollback ---


def test_a_memory_that_was_edited_once_is_not_rolled_back(bring_in, account):
    run, _ = bring_in(Store(kept=[SourceMemory("m", "row 1", "Likes tea", LONG_AGO)]))
    memory = Memory.objects.get()
    memory.content = "Likes coffee"
    memory.save(update_fields=["content"])
    with pytest.raises(Conflict):
        import_rollback(actor=actor_of_operator(account), run_id=run.pk)


def test_a_user_who_signs_in_by_now_stays(bring_in, account):
    store = Store({"a": say("one")}, {"a": {"user": SourceName("walter")}})
    run, _ = bring_in(store)
    walter = User.objects.get(user_id="walter")
    ApiKey.objects.create(
        user=walter, key_id="k", secret_hash=b"0" * 32, pepper_id="1", scopes=["read"]
    )
    import_rollback(actor=actor_of_operator(account), run_id=run.pk)
    assert User.objects.filter(user_id="walter").exists()


def test_withdrawn_consent_outlives_a_rollback(bring_in, account):
    store = Store({"a": say("one")}, {"a": {"sender": SourceSender("telegram", "4711")}})
    run, _ = bring_in(store)
    Consent.objects.create(contact=Contact.objects.get(), state="withdrawn")
    import_rollback(actor=actor_of_operator(account), run_id=run.pk)
    assert Consent.objects.count() == 1
