"""Every change of a memory leaves what it was, whoever makes it and by whatever way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from accounts import tenancy
from accounts.actor import Operator
from accounts.principals.services import account_create
from memory.models import Memory, Revision, Stated, Version
from sessions_app.models import Session
from tests.memory.kit import agent_row, keep, make_contact, past, user_row

OTHER = UUID(int=7)
# The database's own, or not part of what a memory says.
UNKEPT = {"id", "created_at", "version", "updated_at", "search"}
# A new value for each of the others.
VALUES = {
    "scope": "agent",
    "user_id": lambda: user_row("beth").pk,
    "agent_id": lambda: agent_row("max").pk,
    "contact_id": lambda: CONTACT[0],
    "session_id": lambda: Session.objects.get().pk,
    "kind": "decisions",
    "topic_key": "tea",
    "summary": "Tea",
    "content": "Takes coffee.",
    "source": "imported",
    "salience": "high",
    "topics": ["tea"],
    "confidence": 0.5,
    "state": "deleted",
    "superseded_by_id": lambda: keep(content="Another.").pk,
    "expires_at": datetime(2031, 1, 1, tzinfo=UTC),
    "language": "german",
    "written_by": OTHER,
    "written_key": OTHER,
}
CONTACT: list[UUID] = []


@pytest.fixture
def inside(api, cast):
    """The first account, with a session and a contact to refer to."""
    assert api.say(cast.bob.headers, "s1").status == 200
    CONTACT[:] = [make_contact(cast.north, "telegram", "1")]
    with tenancy.account(cast.north):
        yield cast.north


def sql(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


def stated(row):
    """What a memory or a version of it says, by the columns of Memory."""
    names = [field.name for field in Stated._meta.fields if not field.name.startswith("valid_")]
    found = {name: getattr(row, name) for name in names if name not in UNKEPT}
    return {name: getattr(value, "pk", value) for name, value in found.items()}


def by_save(row):
    row.content = "Takes coffee."
    row.save(update_fields=["content"])


def by_saving_everything(row):
    row.content = "Takes coffee."
    row.save()


def by_update(row):
    Memory.objects.filter(pk=row.pk).update(content="Takes coffee.")


def by_expression(row):
    Memory.objects.filter(pk=row.pk).update(content=F("kind"))


def by_bulk_update(row):
    row.content = "Takes coffee."
    Memory.objects.bulk_update([row], ["content"])


def by_raw_sql(row):
    assert sql("UPDATE memory_memory SET content = 'Takes coffee.' WHERE id = %s", row.pk) == 1


def by_raw_upsert(row):
    columns = "id, created_at, scope, user_id, agent_id, kind, summary, content, source, salience,"
    columns += " topics, state, version, updated_at, language"
    sql(
        f"INSERT INTO memory_memory ({columns}) SELECT {columns} FROM memory_memory WHERE id = %s"
        " ON CONFLICT (id) DO UPDATE SET content = 'Takes coffee.'",
        row.pk,
    )


def by_raw_join(row):
    sql(
        "UPDATE memory_memory m SET content = u.user_id FROM principals_user u"
        " WHERE u.id = m.user_id AND m.id = %s",
        row.pk,
    )


@pytest.mark.parametrize(
    "change",
    [
        by_save,
        by_saving_everything,
        by_update,
        by_expression,
        by_bulk_update,
        by_raw_sql,
        by_raw_upsert,
        by_raw_join,
    ],
)
@pytest.mark.usefixtures("inside")
def test_each_way_of_changing_leaves_what_it_was(change):
    row, bystander = keep(), keep(content="Of no concern.")
    before, since = stated(row), row.updated_at
    change(row)
    row.refresh_from_db()
    first, second = past(row)
    assert row.content != before["content"]
    assert (stated(first), stated(second)) == (before, stated(row))
    assert (first.version, second.version, row.version) == (1, 2, 2)
    assert (first.valid_from, first.valid_to) == (since, row.updated_at)
    assert (second.valid_from, second.valid_to) == (row.updated_at, None)
    assert [one.version for one in past(bystander)] == [1]


@pytest.mark.parametrize("column", VALUES)
@pytest.mark.usefixtures("inside")
def test_a_change_of_each_column_leaves_what_it_was(column):
    row = keep()
    value = VALUES[column]
    more = {"state": "superseded"} if column == "superseded_by_id" else {}
    before = stated(row)
    Memory.objects.filter(pk=row.pk).update(
        **{column: value() if callable(value) else value}, **more
    )
    row.refresh_from_db()
    first, second = past(row)
    assert (stated(first), stated(second)) == (before, stated(row))
    name = column.removesuffix("_id")
    assert stated(first)[name] != stated(second)[name]


@pytest.mark.usefixtures("inside")
def test_each_column_is_either_tried_or_the_databases_own():
    columns = {field.attname for field in Memory._meta.concrete_fields}
    assert set(VALUES) | UNKEPT == columns
    past = {field.name for field in Revision._meta.fields}
    assert {field.name for field in Version._meta.fields} == {*past, "search"}


@pytest.mark.usefixtures("inside")
def test_a_change_that_changes_nothing_leaves_nothing():
    row = keep(topics=["tea"], topic_key="tea")
    Memory.objects.filter(pk=row.pk).update(content=F("content"), topics=["tea"])
    row.save()
    sql("UPDATE memory_memory SET id = id, topic_key = 'tea', expires_at = NULL")
    same = Memory.objects.get(pk=row.pk)
    assert (same.version, same.updated_at) == (1, row.updated_at)
    assert not Revision.objects.exists()
    Memory.objects.filter(pk=row.pk).update(topics=[])
    assert Revision.objects.get().topics == ["tea"]


@pytest.mark.usefixtures("inside")
def test_version_and_time_cannot_be_set_by_a_change():
    row = keep()
    late = timezone.now() + timedelta(days=1)
    sql("UPDATE memory_memory SET version = 40, updated_at = %s WHERE id = %s", late, row.pk)
    same = Memory.objects.get(pk=row.pk)
    assert (same.version, same.updated_at) == (1, row.updated_at)
    Memory.objects.filter(pk=row.pk).update(version=40, updated_at=late, content="Takes coffee.")
    same = Memory.objects.get(pk=row.pk)
    assert same.version == 2
    assert row.updated_at < same.updated_at < late


@pytest.mark.usefixtures("inside")
def test_versions_follow_each_other_without_a_gap():
    row = keep()
    for number in range(5):
        Memory.objects.filter(pk=row.pk).update(content=f"Takes {number} cups.")
    found = past(row)
    assert [one.version for one in found] == [1, 2, 3, 4, 5, 6]
    for before, after in pairwise(found):
        assert before.valid_from <= before.valid_to == after.valid_from
    assert found[-1].valid_to is None


@pytest.mark.usefixtures("inside")
def test_a_state_never_ends_before_it_began():
    """Two transactions may write in another order than they began; a clock may be set back."""
    ahead = timezone.now() + timedelta(hours=1)
    row = keep(updated_at=ahead)
    for words in ("Takes coffee.", "Takes water."):
        Memory.objects.filter(pk=row.pk).update(content=words)
    assert [(one.valid_from, one.valid_to) for one in past(row)] == [
        (ahead, ahead),
        (ahead, ahead),
        (ahead, None),
    ]


@pytest.mark.usefixtures("inside")
def test_who_wrote_a_state_stays_with_it():
    row = keep(written_by=UUID(int=1), written_key=UUID(int=2))
    Memory.objects.filter(pk=row.pk).update(content="Takes coffee.", written_by=None)
    assert [(one.written_by, one.written_key) for one in past(row)] == [
        (UUID(int=1), UUID(int=2)),
        (None, UUID(int=2)),
    ]


@pytest.mark.usefixtures("inside")
def test_erasing_a_row_writes_no_state_of_it():
    row = keep()
    Memory.objects.filter(pk=row.pk).update(content="Takes coffee.")
    Memory.objects.filter(pk=row.pk).delete()
    assert [one.content for one in Revision.objects.filter(memory=row.pk)] == ["Takes tea."]


# --- accounts ---


def revisions(account):
    with tenancy.account(account):
        return list(Revision.objects.values_list("memory", "content"))


def test_a_state_stays_in_its_account(inside, cast):
    row = keep()
    with tenancy.account(cast.south):
        Memory.objects.create(
            pk=row.pk, user=user_row("charlie"), agent=agent_row("default"), content="Of south."
        )
    by_update(row)
    assert (revisions(inside), revisions(cast.south)) == ([(row.pk, "Takes tea.")], [])
    # Named with its schema, whichever account the connection is in.
    with tenancy.account(cast.south):
        sql(f"UPDATE {inside.schema_name}.memory_memory SET content = 'Takes water.'")
        assert [one.content for one in past(Memory.objects.get(pk=row.pk))] == ["Of south."]
    assert len(revisions(inside)) == 2
    assert revisions(cast.south) == []


def test_an_account_that_is_made_today_keeps_its_states(cast):
    """Its tables, trigger and view come from the template, not from the migrations."""
    made = account_create(actor=Operator(), account_id="east", admin_user_id="dana").ref
    with tenancy.account(made):
        row = keep("dana")
        by_update(row)
        assert [one.content for one in past(row)] == ["Takes tea.", "Takes coffee."]
    assert revisions(made) == [(row.pk, "Takes tea.")]
    assert (revisions(cast.north), revisions(cast.south)) == ([], [])
