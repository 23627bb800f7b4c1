"""Writing a memory by hand, and changing what one says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import tenancy
from memory.models import Memory
from tests.memory.kit import agent_row, keep, past
from tests.memory.pages.kit import MEMORIES, toast, undo, words

NEW = f"{MEMORIES}/new"
SAID = {
    "content": "Takes tea.\r\nNever coffee.",
    "summary": "Tea",
    "kind": "preferences",
    "salience": "high",
    "topic_key": "drink",
    "topics": "kitchen, , morning",
    "expires_at": "",
}


@pytest.fixture
def alice(sign_in):
    return sign_in("alice")


@pytest.fixture
def bob(sign_in):
    return sign_in("bob")


@pytest.fixture
def tea(cast, structured):
    with tenancy.account(cast.north):
        return keep("bob", content="Takes tea.\nNever coffee.", summary="Tea", topic_key="drink")


def row(cast, **where):
    with tenancy.account(cast.north):
        return Memory.objects.get(**where)


def edit(row):
    return f"{MEMORIES}/{row.pk}/edit"


def test_a_memory_is_kept_as_it_was_written(bob, cast, structured):
    answer = bob.post(NEW, SAID)
    assert toast(bob, answer)[0] == "It is kept."
    made = row(cast, topic_key="drink")
    assert made.content == "Takes tea.\nNever coffee."
    assert (made.summary, made.kind, made.salience) == ("Tea", "preferences", "high")
    assert made.topics == ["kitchen", "morning"]
    assert made.written_by == made.user_id
    assert answer["Location"] == f"{MEMORIES}/{made.pk}"
    undo(bob, answer)
    assert row(cast, pk=made.pk).state == "deleted"


def test_the_same_topic_again_replaces_what_it_said(bob, cast, structured):
    bob.post(NEW, SAID)
    answer = bob.post(NEW, {**SAID, "content": "Takes coffee."})
    said, way_back = toast(bob, answer)
    assert said == "It took the place of what its topic said."
    assert way_back is None
    assert row(cast, topic_key="drink").content == "Takes coffee."


def test_a_closed_gate_is_said_before_anything_is_written(alice, bob, cast):
    for browser, link in ((alice, True), (bob, False)):
        page = browser.get(NEW)
        assert "The agent default keeps no memories" in words(page)
        assert ("/agents/default#memory_system" in page.content.decode()) is link
        assert "Keep this memory" not in words(page)
        answer = browser.post(NEW, SAID)  # closed while the form was open
        assert answer.status_code == 422
        assert "Nothing was kept." in words(answer)
        assert "Never coffee." in words(answer)  # what was written is not lost
    with tenancy.account(cast.north):
        assert not Memory.objects.exists()
        agent_row("default", "structured")
    assert "Keep this memory" in words(bob.get(NEW))


def test_only_an_admin_writes_for_the_agent(alice, bob, cast, structured):
    assert 'name="scope"' in alice.get(NEW).content.decode()
    assert 'name="scope"' not in bob.get(NEW).content.decode()
    alice.post(NEW, {**SAID, "scope": "agent"})
    assert row(cast, topic_key="drink").scope == "agent"
    bob.post(NEW, {**SAID, "topic_key": "other", "scope": "agent"})
    assert row(cast, topic_key="other").scope == "user"


def test_a_secret_is_taken_out_and_that_is_said(bob, cast, structured):
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    answer = bob.post(NEW, {**SAID, "content": f"The token is {token}."})
    assert toast(bob, answer)[0] == "It is kept. 1 secret was taken out of it."
    assert token not in row(cast, topic_key="drink").content


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"content": "  "}, "Write what is to be kept."),
        ({"kind": "rumours"}, "Choose one of the kinds"),
        ({"salience": "huge"}, "Choose one of the four levels"),
        ({"summary": "x" * 501}, "at most 500 characters"),
        ({"expires_at": "soon"}, "Write day and time"),
        ({"expires_at": "2020-01-01T00:00"}, "This moment has passed"),
        ({"topics": ",".join(map(str, range(40)))}, "at most 32 topics"),
    ],
)
def test_a_refused_field_says_why_and_nothing_is_kept(fields, said, bob, tea, cast):
    for address in (NEW, edit(tea)):
        answer = bob.post(address, {**SAID, **fields})
        assert answer.status_code == 422
        assert said in words(answer)
    with tenancy.account(cast.north):
        assert [one.content for one in Memory.objects.all()] == ["Takes tea.\nNever coffee."]
        assert len(past(tea)) == 1


def test_a_change_makes_a_version_and_can_be_taken_back(bob, tea, cast):
    page = bob.get(edit(tea))
    assert "Save as version 2" in words(page)
    answer = bob.post(edit(tea), {**SAID, "content": "Takes milk.", "version": "1"})
    assert toast(bob, answer)[0] == "The memory was changed; this is version 2."
    changed = row(cast, pk=tea.pk)
    assert (changed.content, changed.salience, changed.version) == ("Takes milk.", "high", 2)
    undo(bob, answer)
    assert row(cast, pk=tea.pk).content == "Takes tea.\nNever coffee."


def test_saving_what_stands_already_makes_no_version(bob, tea, cast):
    with tenancy.account(cast.north):
        Memory.objects.filter(pk=tea.pk).update(expires_at=timezone.now() - timedelta(days=1))
    was = row(cast, pk=tea.pk)
    fields = {
        **SAID,
        "kind": "facts",
        "salience": "medium",
        "topics": "",
        "version": str(was.version),
        "expires_at": f"{timezone.localtime(was.expires_at):%Y-%m-%dT%H:%M}",  # it has passed
    }
    assert toast(bob, bob.post(edit(tea), fields))[0] == "Nothing was changed."
    assert row(cast, pk=tea.pk).version == was.version
    assert toast(bob, bob.post(edit(tea), {**fields, "summary": "T"}))[0].startswith("The memory")


def test_what_somebody_wrote_meanwhile_is_shown_and_not_overwritten(alice, bob, tea, cast):
    alice.post(edit(tea), {**SAID, "content": "Takes water.", "version": "1"})
    late = {**SAID, "content": "Takes milk.", "version": "1"}
    answer = bob.post(edit(tea), late)
    assert answer.status_code == 422
    page = words(answer)
    assert "This memory was changed meanwhile." in page
    assert "What it says now Version 2, written by alice" in page
    assert "Takes water." in page
    assert "Takes milk." in page
    assert row(cast, pk=tea.pk).content == "Takes water."
    assert 'name="version" value="2"' in answer.content.decode()
    assert bob.post(edit(tea), {**late, "version": "2"}).status_code == 303
    assert row(cast, pk=tea.pk).content == "Takes milk."


def test_a_taken_topic_is_a_fault_of_its_field(bob, tea, cast):
    with tenancy.account(cast.north):
        other = keep("bob", content="Takes coffee.", topic_key="other")
    fields = {**SAID, "kind": "facts", "version": "1"}
    answer = bob.post(edit(other), fields)
    assert answer.status_code == 422
    assert "Another memory stands for this topic." in words(answer)
    assert 'href="#id_topic_key"' in answer.content.decode()
    assert bob.post(edit(other), {**fields, "topic_key": "free"}).status_code == 303


def test_a_deleted_memory_is_restored_before_it_is_changed(bob, tea, cast):
    with tenancy.account(cast.north):
        Memory.objects.filter(pk=tea.pk).update(state="deleted")
    assert "This memory is deleted." in words(bob.get(edit(tea)))
    assert "Save as" not in words(bob.get(edit(tea)))
    assert bob.post(edit(tea), {**SAID, "version": "2"}).status_code == 422
    assert row(cast, pk=tea.pk).version == 2
