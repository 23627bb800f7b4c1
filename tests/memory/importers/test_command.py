"""`manage.py import_sessions` over real stores of each format."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from accounts import tenancy
from memory.models import Memory
from sessions_app.models import Session
from tests.live import BASE
from tests.memory.importers import fixtures_jsonl, fixtures_openfang, fixtures_sqlite
from tests.memory.importers.fixtures_jsonl import contents, line, write
from tests.memory.importers.stores import told


def jsonl(folder):
    write(folder, "gw_shed", line("user", "Where?"), line("assistant", "There."))
    write(folder, "telegram_-100_4711", line("user", "Hello, all"))
    return folder, 2


def sqlite(folder):
    database = fixtures_sqlite.sessions_db(folder)
    rows = (
        ("user", "Where?", "2024-05-01T08:00:00Z"),
        ("assistant", "There.", "2024-05-01T08:01:00Z"),
    )
    fixtures_sqlite.say(database, "gw_shed", *rows)
    fixtures_sqlite.about(database, "gw_shed", name="The shed")
    database.close()
    database = fixtures_sqlite.brain_db(folder)
    fixtures_sqlite.keep(database, id="m1", key="tea", content="Takes tea.")
    database.close()
    return folder, 1


def openfang(folder):
    store = fixtures_openfang.Store(folder)
    store.session(
        fixtures_openfang.said("user", "Where?"), fixtures_openfang.said("assistant", "There.")
    )
    store.memory("Takes tea.")
    return store.path, 1


STORES = {"jsonl": jsonl, "sqlite": sqlite, "openfang": openfang}


@pytest.fixture
def run(capsys, cast):
    """run("auto", path, …) → (exit status, what was said)."""

    def command(*arguments, **options):
        status = 0
        tenancy.leave()
        try:
            call_command("import_sessions", *arguments, account="north", **options)
        except CommandError as error:
            return error.returncode, str(error)
        except SystemExit as stop:
            status = stop.code
        said = capsys.readouterr()
        assert said.err == ""  # no bar where there is no terminal
        return status, said.out

    return command


def sessions(cast):
    with tenancy.account(cast.north):
        return told()


def receipt(said):
    return re.search(r"--rollback ([0-9a-f-]{36})", said)[1]


@pytest.mark.parametrize("name", STORES)
def test_a_store_comes_in_once_and_goes_out_again(run, cast, tmp_path, name):
    path, count = STORES[name](tmp_path)
    before = contents(tmp_path)
    status, said = run("auto", path, dry_run=True)
    assert status == 0
    assert "Would bring in" in said
    assert (sessions(cast), contents(tmp_path)) == ({}, before)

    status, said = run("auto", path)
    assert status == 0, said
    assert len(sessions(cast)) == count
    spoken = [[words[:2] for words in messages] for messages in sessions(cast).values()]
    assert [("user", "Where?"), ("assistant", "There.")] in spoken
    with tenancy.account(cast.north):
        assert Memory.objects.count() == (0 if name == "jsonl" else 1)
    moved = {file for file in contents(tmp_path) if file.endswith(".jsonl.migrated")}
    assert len(moved) == (2 if name == "jsonl" else 0)

    if name != "jsonl":  # its files are put aside: there is nothing left to read
        again, second = run("auto", path)
        assert (again, re.search(r"in already\D*(\d+)", second)[1]) == (0, str(count + 1))
        assert len(sessions(cast)) == count

    status, out = run(rollback=receipt(said))
    assert (status, "is taken out" in out) == (0, True)
    assert (sessions(cast), contents(tmp_path)) == ({}, before)
    status, refused = run(rollback=receipt(said))
    assert (status, "taken out before" in refused) == (2, True)


def test_what_is_left_out_is_named_and_the_rest_is_in(run, cast, tmp_path):
    write(tmp_path, "gw_a", line("user", "One"), b"{broken", line("assistant", "Two"))
    write(tmp_path, "gw_b", b"nothing at all")
    write(tmp_path, "gw_c", line("user", "Three"))
    status, said = run("jsonl", tmp_path)
    assert status == 1
    assert "sessions/gw_a.jsonl:2: " in said
    assert "sessions/gw_b.jsonl:1: " in said
    assert set(sessions(cast)) == {"gw_a", "gw_c"}
    assert sorted(one.name for one in (tmp_path / "sessions").iterdir()) == [
        "gw_a.jsonl", "gw_b.jsonl", "gw_c.jsonl",
    ]  # fmt: skip


def test_owner_and_agent_stand_where_none_is_named(run, cast, tmp_path):
    write(tmp_path, "gw_a", line("user", "One"))
    assert run("jsonl", tmp_path, user="nobody-here")[0] == 2
    assert run("jsonl", tmp_path, agent="no id!")[0] == 2
    assert sessions(cast) == {}
    assert run("jsonl", tmp_path, user="BOB", agent="gardener")[0] == 0
    with tenancy.account(cast.north):
        row = Session.objects.get()
        assert (row.owner.user_id, row.agent.agent_id) == ("bob", "gardener")


def test_wrong_usage_is_2(run, tmp_path, cast):
    fixtures_jsonl.write(tmp_path, "gw_a", line("user", "One"))
    assert run() == (2, "Say what to read: FORMAT PATH.")
    assert run("auto", tmp_path / "nowhere")[0] == 2
    assert run("openfang", tmp_path)[0] == 2
    assert run(rollback="01890000-0000-7000-8000-000000000000")[0] == 2
    with pytest.raises(CommandError, match="no account nowhere") as caught:
        call_command("import_sessions", "auto", tmp_path, account="nowhere")
    assert caught.value.returncode == 2
    assert sessions(cast) == {}
    assert run("auto", tmp_path)[0] == 0


@pytest.mark.parametrize("arguments", [["tape", ".", "--account", "north"], ["auto", "."]])
def test_wrong_words_are_2(arguments):
    done = subprocess.run(
        [sys.executable, str(BASE / "manage.py"), "import_sessions", *arguments],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "usage: manage.py import_sessions" in done.stderr
