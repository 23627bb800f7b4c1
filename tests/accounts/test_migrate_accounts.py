"""`manage.py migrate_accounts`: what is behind comes to head; a failure stops nobody else."""

from __future__ import annotations

from io import StringIO

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts import tenancy
from accounts.models import Account
from accounts.tenancy.migrate import LOCK
from accounts.tenancy.template import heads_text
from config.management.commands import migrate_accounts
from config.postgres import EmbeddedPostgres
from tests.cast import Api


@pytest.fixture
def migrated(monkeypatch):
    """Account ids in the order in which the command migrated them."""
    done = []
    migrate_one = migrate_accounts.migrate_one

    def note(ref):
        done.append(ref.account_id)
        return migrate_one(ref)

    monkeypatch.setattr(migrate_accounts, "migrate_one", note)
    return done


def run(**options):
    """The command's words on its error output; raises CommandError as it does."""
    stderr = StringIO()
    try:
        call_command("migrate_accounts", quiet=True, stderr=stderr, **options)
    except CommandError as error:
        return stderr.getvalue(), str(error)
    return stderr.getvalue(), None


def put_behind(ref):
    """Take the tables of one app away again."""
    tenancy.enter(ref)
    MigrationExecutor(connection).migrate([("agent_sessions", None)])
    tenancy.leave()
    Account.objects.filter(pk=ref.id).update(migrated_to="principals.0001_initial")


def at_head(ref):
    return Account.objects.get(pk=ref.id).migrated_to == heads_text()


def execute(ref, statement):
    with tenancy.account(ref), connection.cursor() as cursor:
        cursor.execute(statement)


def test_new_accounts_are_at_head(committed):
    assert at_head(committed.north)


def test_nothing_to_do(committed, migrated):
    assert run() == ("", None)
    assert migrated == []


def test_an_account_behind_is_migrated(committed, migrated):
    put_behind(committed.north)
    api = Api()
    assert api.get("/sessions", committed.charlie.headers).status == 200
    assert run() == ("", None)
    assert migrated == [committed.north.account_id]
    assert at_head(committed.north)
    assert api.say(committed.bob.headers, "s1").status == 200
    assert run() == ("", None)
    assert len(migrated) == 1


def test_accounts_that_are_not_ready_are_left_alone(committed, migrated):
    put_behind(committed.north)
    Account.objects.filter(pk=committed.north.id).update(ready=False)
    assert run() == ("", None)
    assert migrated == []


def test_a_failing_account_stops_nobody_and_is_retried(committed, migrated):
    broken, sound = committed.north, committed.south
    for ref in (broken, sound):
        put_behind(ref)
    execute(broken, "CREATE TABLE agent_sessions_message (in_the_way int)")
    words, error = run()
    assert error == "1 accounts were not migrated; run it again."
    assert broken.account_id in words
    assert "already exists" in words
    assert sorted(migrated) == sorted([broken.account_id, sound.account_id])
    assert (at_head(broken), at_head(sound)) == (False, True)

    execute(broken, "DROP TABLE agent_sessions_message")
    assert run() == ("", None)
    assert migrated[2:] == [broken.account_id]
    assert at_head(broken)
    assert Api().say(committed.bob.headers, "s1").status == 200


def test_a_failing_account_is_whole_again_or_as_before(committed):
    """Its migration is one transaction: nothing of it stays."""
    put_behind(committed.north)
    execute(committed.north, "CREATE TABLE agent_sessions_message (in_the_way int)")
    run()
    with tenancy.account(committed.north), connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
            " AND tablename LIKE 'agent_sessions_%'"
        )
        assert cursor.fetchall() == [("agent_sessions_message",)]


def test_only_one_at_a_time(committed, migrated):
    put_behind(committed.north)
    with psycopg.connect(**_parameters(), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        assert run() == ("", "Another migrate_accounts is running on this database.")
        assert migrated == []
        other.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
        assert run() == ("", None)
    assert at_head(committed.north)


def _parameters():
    server = EmbeddedPostgres(settings.ENV.data_dir).parameters
    return {**server, "dbname": settings.DATABASES["default"]["NAME"]}


def test_lock_is_given_back_after_a_failure(committed):
    put_behind(committed.north)
    execute(committed.north, "CREATE TABLE agent_sessions_message (in_the_way int)")
    assert run()[1]
    with psycopg.connect(**_parameters(), autocommit=True) as other:
        taken = other.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()
    assert taken == (True,)


@pytest.mark.parametrize("jobs", [0, 33, -1])
def test_refused_number_of_jobs(committed, jobs):
    assert run(jobs=jobs) == ("", "--jobs must be from 1 to 32.")


def test_a_crash_between_migrating_and_noting_it_is_harmless(committed, migrated):
    Account.objects.filter(pk=committed.north.id).update(migrated_to="principals.0001_initial")
    assert run() == ("", None)
    assert migrated == [committed.north.account_id]
    assert at_head(committed.north)
    assert Api().say(committed.bob.headers, "s1").status == 200
