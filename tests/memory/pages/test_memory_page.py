"""One memory: what it says, why one sees it, what it said before."""

from __future__ import annotations

import re

import pytest

from accounts import tenancy
from accounts.principals.models import Contact
from memory.models import Consent, Evidence, Memory
from sessions_app.models import Message, Session
from tests.memory.kit import agent_row, keep, make_contact
from tests.memory.pages.kit import MEMORIES, buttons, toast, undo, words

BOB = "user bob with agent ada agent default"


@pytest.fixture
def alice(sign_in):
    return sign_in("alice")


@pytest.fixture
def bob(sign_in):
    return sign_in("bob")


@pytest.fixture
def seat(cast):
    """Bob's with the agent ada, which keeps memories as default does; two versions."""
    with tenancy.account(cast.north):
        agent_row("default", "structured")
        agent_row("ada", "structured")
        row = keep("bob", "ada", "Prefers a window seat.", kind="preferences", topics=["train"])
        Memory.objects.filter(pk=row.pk).update(
            content="Prefers an aisle seat.", summary="Seats", salience="high"
        )
        return row


def page_of(browser, row, **options):
    return browser.get(f"{MEMORIES}/{row.pk}", **options)


def verdicts(answer):
    """The lines of why one sees it."""
    part = answer.content.decode().split('class="verdicts"')[1].split("</ul>")[0]
    lines = re.findall(r"<li>(.*?)</li>", part, re.DOTALL)
    texts = [re.sub(r"<svg.*?</svg>|<[^>]+>", " ", line, flags=re.DOTALL) for line in lines]
    return [re.sub(r"\s+", " ", text).strip() for text in texts]


def test_the_page_says_what_is_kept_and_all_about_it(alice, seat):
    answer = page_of(alice, seat)
    page = words(answer)
    for said in (
        "Seats",
        "Prefers an aisle seat.",
        "Kind preferences",
        "Found by train",
        "Source user stated",
        "Expires never",
        "version 2",
    ):
        assert said in page
    assert f"{seat.pk}</a>" in answer.content.decode()  # the whole address, not cut


def test_the_latest_change_stands_word_by_word_and_can_be_taken_back(alice, seat, cast):
    page = page_of(alice, seat).content.decode()
    assert "Prefers <del>a</del> <del>window</del> seat." in page
    assert "Prefers <ins>an</ins> <ins>aisle</ins> seat." in page
    assert "<del>medium</del> <ins>high</ins>" in page
    assert "All 2 versions" in page
    answer = alice.post(f"{MEMORIES}/{seat.pk}/restore", {"version": "1"})
    said, _ = toast(alice, answer)
    assert said == "It says again what version 1 said; this is version 3."
    assert "Prefers a window seat." in words(page_of(alice, seat))
    assert undo(alice, answer).status_code == 303
    with tenancy.account(cast.north):
        row = Memory.objects.get(pk=seat.pk)
    assert (row.content, row.version) == ("Prefers an aisle seat.", 4)


def test_restoring_what_stands_already_changes_nothing(alice, bob, seat):
    answer = alice.post(f"{MEMORIES}/{seat.pk}/restore", {"version": "2"})
    said, way_back = toast(alice, answer)
    assert said.startswith("Nothing was changed")
    assert way_back is None
    for version in ("9", "x", ""):
        answer = alice.post(f"{MEMORIES}/{seat.pk}/restore", {"version": version})
        assert answer.status_code == 404
    assert bob.post(f"{MEMORIES}/{seat.pk}/restore", {"version": "1"}).status_code == 303


def test_an_admin_reads_who_recalls_it(alice, seat):
    lines = verdicts(page_of(alice, seat))
    assert lines[0] == "Listed: an admin as itself lists the whole account."
    assert lines[1] == f"Recall: {BOB} has it: user memories are split by user only."
    assert lines[2] == (
        "Recall: user alice with agent ada agent default does not: it is another user&#x27;s."
    )


def test_a_user_reads_only_how_they_fare_themselves(bob, seat, set_policy):
    lines = verdicts(page_of(bob, seat))
    assert lines == [
        "Listed: user memories are split by user only.",
        f"Recall: {BOB} has it: user memories are split by user only.",
    ]
    set_policy(isolate_user_scope_by_agent=True)
    assert page_of(bob, seat).status_code == 404  # the browser asks through default


def test_the_verdicts_name_the_switch_that_is_off(alice, seat, cast):
    with tenancy.account(cast.north):
        agent_row("default", "summarization")
    lines = verdicts(page_of(alice, seat))
    assert any(
        "user bob with agent default does not: the asking agent does not use" in line
        for line in lines
    )
    assert any("user bob with agent ada has it" in line for line in lines)


def test_of_a_contact_the_contact_is_asked_too(alice, cast):
    dana = make_contact(cast.north, "telegram", "4711", owner="bob")
    with tenancy.account(cast.north):
        agent_row("default", "structured")
        contact = Contact.objects.get(pk=dana)
        row = keep("bob", content="Asks on Mondays.", contact=contact)
    assert any(
        "contact 4711 Telegram with agent default does not: its contact has not agreed" in line
        for line in verdicts(page_of(alice, row))
    )
    with tenancy.account(cast.north):
        Consent.objects.create(contact=contact, state="granted")
    assert any(
        "contact 4711 Telegram with agent default has it" in line
        for line in verdicts(page_of(alice, row))
    )


def test_it_leads_to_the_messages_that_it_came_from_as_far_as_one_sees_them(
    alice, bob, seat, api, cast, set_policy
):
    set_policy(sessions_visible_to="participants")
    api.say(cast.beth.headers, "plan")
    with tenancy.account(cast.north):
        Evidence.objects.create(memory=seat, message=Message.objects.get())
        Memory.objects.filter(pk=seat.pk).update(session=Session.objects.get())
    page = page_of(alice, seat).content.decode()
    assert 'href="/a/north/sessions/plan/messages/1"' in page
    assert 'href="/a/north/sessions/plan"' in page
    assert "sessions/plan" not in page_of(bob, seat).content.decode()


def test_what_took_its_place_is_a_link(alice, bob, seat, cast):
    with tenancy.account(cast.north):
        old = keep("bob", content="Stands.", state="superseded", superseded_by=seat)
    assert f'href="{MEMORIES}/{seat.pk}"' in page_of(bob, old).content.decode()
    assert f'href="{MEMORIES}/{old.pk}"' in page_of(bob, seat).content.decode()
    assert buttons(page_of(bob, old)) == ["restore", "delete"]


@pytest.mark.parametrize("part", ["", "/history", "/edit"])
def test_another_users_memory_is_no_page(part, alice, bob, cast):
    with tenancy.account(cast.north):
        theirs = keep("beth", content="Orders seeds.")
    assert bob.get(f"{MEMORIES}/{theirs.pk}{part}").status_code == 404
    assert bob.post(f"{MEMORIES}/{theirs.pk}/restore", {"version": "1"}).status_code == 404
    assert alice.get(f"{MEMORIES}/{theirs.pk}{part}").status_code == 200


def test_buttons_stand_for_what_one_may_do(alice, bob, cast):
    with tenancy.account(cast.north):
        agents = keep("beth", content="Answers in short sentences.", scope="agent")
        held = keep("bob", content="Account ending 4471.", state="quarantined")
        gone = keep("bob", content="Lives in Lisbon.", state="deleted")
    assert buttons(page_of(alice, agents)) == ["quarantine", "delete"]
    assert buttons(page_of(bob, agents)) == []  # somebody else wrote it for the agent
    assert bob.get(f"{MEMORIES}/{agents.pk}/edit").status_code == 403
    assert buttons(page_of(alice, held)) == ["release", "delete"]
    assert buttons(page_of(bob, held)) == ["delete"]
    assert buttons(page_of(bob, gone)) == ["restore"]


def test_an_admins_look_is_noted_and_a_users_own_is_not(alice, bob, seat, events):
    page_of(bob, seat)
    assert events("read.memories") == []
    page_of(alice, seat)
    assert events("read.memories") == [seat.user_id]


def test_the_list_opens_it_beside_itself(alice, seat):
    part = page_of(alice, seat, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "Prefers an aisle seat." in part
    assert "Why you see it" in part


def test_the_history_has_every_version_and_what_each_changed(alice, seat, monkeypatch, cast):
    with tenancy.account(cast.north):
        Memory.objects.filter(pk=seat.pk).update(state="quarantined")
    answer = alice.get(f"{MEMORIES}/{seat.pk}/history")
    page = answer.content.decode()
    assert re.findall(r"<strong>Version (\d)</strong>", page) == ["3", "2", "1"]
    assert "<del>active</del> <ins>quarantined</ins>" in page
    assert "<ins>aisle</ins>" in page
    # Only what says something else can be restored: the state is another matter.
    assert re.findall(r'name="version" value="(\d)"', page) == ["1"]
    monkeypatch.setattr("memory.views.memories.VERSIONS", 2)
    first = alice.get(f"{MEMORIES}/{seat.pk}/history").content.decode()
    assert re.findall(r"<strong>Version (\d)</strong>", first) == ["3", "2"]
    older = re.search(r'id="older" href="([^"]+)"', first)[1]
    assert re.findall(r"<strong>Version (\d)</strong>", alice.get(older).content.decode()) == ["1"]
    assert alice.get(f"{MEMORIES}/{seat.pk}/history?older=garbage").status_code == 404


def test_words_of_people_are_shown_and_never_run(alice, cast):
    with tenancy.account(cast.north):
        row = keep("bob", content="<script>alert(1)</script>")
        Memory.objects.filter(pk=row.pk).update(content="<b>bold</b>")
    for path in ("", "/history", "/edit"):
        page = alice.get(f"{MEMORIES}/{row.pk}{path}").content.decode()
        assert "<b>bold" not in page
        assert "<script>alert" not in page
        assert "&lt;b&gt;" in page
