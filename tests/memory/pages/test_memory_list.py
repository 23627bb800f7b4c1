"""The list of memories: what stands in it, its facets and filters, the file of it."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import tenancy
from accounts.principals.models import Contact
from memory.models import Memory
from tests.memory.kit import agent_row, keep, make_contact
from tests.memory.pages.kit import MEMORIES, choices, titles, words


@pytest.fixture
def alice(sign_in):
    return sign_in("alice")


@pytest.fixture
def bob(sign_in):
    return sign_in("bob")


@pytest.fixture
def kept(cast):
    """Bob's with default and with ada, which is closed; beth's; one of the agent default; one in
    quarantine, one deleted, one superseded, one expired."""
    with tenancy.account(cast.north):
        agent_row("default", "structured")
        agent_row("ada", "summarization")
        return {
            "tea": keep("bob", content="Takes tea.", kind="preferences", salience="high"),
            "hedge": keep("bob", "ada", "Cuts the hedge in May."),
            "seeds": keep("beth", content="Orders seeds in February."),
            "answers": keep("beth", content="Answers in short sentences.", scope="agent"),
            "account": keep("bob", content="Account ending 4471.", state="quarantined"),
            "gone": keep("bob", content="Lives in Lisbon.", state="deleted"),
            "old": keep("bob", content="Lives in Faro.", state="superseded"),
            "week": keep("bob", content="Is away.", expires_at=timezone.now() - timedelta(hours=1)),
        }


def facet(answer, name):
    """A line of facets: label → count."""
    page = answer.content.decode()
    line = page.split(f"<h2>{name}</h2>")[1].split("</ul>")[0]
    text = re.sub(r"<[^>]+>", " ", line)
    found = re.findall(r"([A-Za-z][a-z_ ]*?)\s+([\d,]+)\s", text)
    return {label.strip(): int(count) for label, count in found}


def test_an_admin_has_the_whole_account_and_a_user_what_is_theirs(alice, bob, kept):
    assert titles(alice.get(MEMORIES)) == [
        "Is away.",
        "Lives in Faro.",
        "Account ending 4471.",
        "Answers in short sentences.",
        "Orders seeds in February.",
        "Cuts the hedge in May.",
        "Takes tea.",
    ]
    own = bob.get(MEMORIES)
    assert "Orders seeds" not in own.content.decode()
    assert titles(own) == [
        "Is away.",
        "Lives in Faro.",
        "Account ending 4471.",
        "Answers in short sentences.",  # of the agent that is asking, which nothing splits
        "Cuts the hedge in May.",
        "Takes tea.",
    ]


def test_the_policy_decides_what_is_a_users_own_and_how_the_chip_and_address_say_it(
    bob, kept, set_policy
):
    before = bob.get(MEMORIES).content.decode()
    assert '<span class="uri-root">viking://' in before
    assert f'href="{MEMORIES}?uri=viking%3A%2F%2Fuser%2Fbob"' in before
    assert "chip pair" not in before
    set_policy(isolate_user_scope_by_agent=True)
    after = bob.get(MEMORIES)
    assert "Cuts the hedge in May." not in titles(after)
    assert "Takes tea." in titles(after)
    page = after.content.decode()
    assert "chip pair" in page
    assert f'href="{MEMORIES}?uri=viking%3A%2F%2Fuser%2Fbob%2Fagent%2Fdefault"' in page
    assert "user with agent" in facet(after, "Scope")


def test_each_row_says_what_keeps_it_from_being_recalled(alice, bob, kept):
    page = words(alice.get(MEMORIES))
    for said in (
        "quarantined, waits for you",
        "hidden: ada uses summarization",
        "superseded",
        "expired",
    ):
        assert said in page
    assert "waits for an admin" in words(bob.get(MEMORIES))


def test_facets_count_and_lead_to_what_they_count(alice, kept):
    page = alice.get(MEMORIES)
    assert facet(page, "Scope") == {"Any": 7, "user": 6, "agent": 1}
    assert facet(page, "Kind") == {"Any": 7, "facts": 6, "preferences": 1}
    assert facet(page, "State") == {
        "Any kept": 7,
        "active": 4,
        "quarantined": 1,
        "expired": 1,
        "superseded": 1,
        "deleted": 1,
    }
    assert facet(page, "Salience")["high"] == 1
    for name, value, expected in (
        ("state", "deleted", ["Lives in Lisbon."]),
        ("kind", "preferences", ["Takes tea."]),
        ("scope", "agent", ["Answers in short sentences."]),
    ):
        assert f"?{name}={value}" in page.content.decode()
        found = alice.get(MEMORIES, {name: value})
        assert titles(found) == expected
        assert f'name="{name}" value="{value}"' in found.content.decode()  # the form keeps it
    none = alice.get(MEMORIES, {"kind": "preferences", "salience": "low"})
    assert "No memory matches" in words(none)


@pytest.mark.parametrize("query", [{"state": "gone"}, {"kind": "rumours"}, {"older": "garbage"}])
def test_a_facet_or_cursor_that_is_none_is_no_page(query, alice, kept):
    assert alice.get(MEMORIES, query).status_code == 404
    assert alice.get(MEMORIES, {"state": "active", "kind": "facts"}).status_code == 200


def test_filters_narrow_and_say_so(alice, kept, cast):
    found = alice.get(MEMORIES, {"q": "hedge"})
    assert titles(found) == ["Cuts the hedge in May."]
    assert "1 memory with “hedge”" in words(found).replace("Remove filter: ", "")
    assert titles(alice.get(MEMORIES, {"agent": "ada"})) == ["Cuts the hedge in May."]
    assert titles(alice.get(MEMORIES, {"user": "beth", "scope": "user"})) == [
        "Orders seeds in February."
    ]
    below = alice.get(MEMORIES, {"uri": "viking://user/bob/memories/preferences"})
    assert titles(below) == ["Takes tea."]


def test_a_contact_can_be_chosen_by_its_name(alice, bob, kept, cast):
    dana = make_contact(cast.north, "telegram", "4711", owner="bob")
    with tenancy.account(cast.north):
        Contact.objects.filter(pk=dana).update(display_name="Dana")
        keep("bob", content="Asks on Mondays.", contact=Contact.objects.get(pk=dana))
    assert (
        f'<option value="{dana}">Dana (Telegram)</option>' in alice.get(MEMORIES).content.decode()
    )
    for browser in (alice, bob):
        found = browser.get(MEMORIES, {"contact": dana})
        assert titles(found) == ["Asks on Mondays."]
        assert "Dana" in words(found)
    nobody = "019f7b9c-1234-7abc-8def-0123456789ab"
    assert alice.get(MEMORIES, {"contact": nobody}).status_code == 404


def test_a_refused_filter_is_answered_with_its_fault(alice, bob, kept):
    for query, said in (
        ({"as_of": "yesterday"}, "Write day and time"),
        ({"user": "nobody"}, "Choose one of the users"),
        ({"uri": "viking://nowhere/x"}, "An address must begin with"),
        ({"q": "x" * 201}, "at most 200 characters"),
    ):
        answer = alice.get(MEMORIES, query)
        assert answer.status_code == 422
        assert said in words(answer)
        assert titles(answer) == []
    theirs = {"uri": "viking://user/beth/memories"}
    assert "This namespace is not yours." in words(bob.get(MEMORIES, theirs))
    assert titles(alice.get(MEMORIES, theirs)) == ["Orders seeds in February."]


def test_as_of_shows_what_was_kept_then_and_offers_nothing_to_do(alice, kept, cast):
    with tenancy.account(cast.north):
        Memory.objects.filter(pk=kept["tea"].pk).update(content="Takes coffee.")
    now = alice.get(MEMORIES, {"kind": "preferences"})
    assert titles(now) == ["Takes coffee."]
    assert choices(now) == [str(kept["tea"].pk)]
    before = timezone.localtime(kept["tea"].updated_at) - timedelta(minutes=1)
    query = {"kind": "preferences", "as_of": f"{before:%Y-%m-%dT%H:%M}"}
    assert "No memory matches" in words(alice.get(MEMORIES, query))
    after = timezone.localtime() + timedelta(minutes=2)
    then = alice.get(MEMORIES, {**query, "as_of": f"{after:%Y-%m-%dT%H:%M}"})
    assert titles(then) == ["Takes coffee."]
    assert choices(then) == []


def test_a_list_goes_on_behind_its_cursor_and_comes_back(alice, cast, monkeypatch):
    monkeypatch.setattr("memory.views.memories.PAGE", 2)
    with tenancy.account(cast.north):
        for number in range(3):
            keep("bob", content=f"Note {number}.")
    first = alice.get(MEMORIES)
    assert titles(first) == ["Note 2.", "Note 1."]
    older = re.search(r'id="older" href="([^"]+)"', first.content.decode())[1]
    second = alice.get(older.replace("&amp;", "&"))
    assert titles(second) == ["Note 0."]
    newer = re.search(r'id="newer" href="([^"]+)"', second.content.decode())[1]
    assert titles(alice.get(newer.replace("&amp;", "&"))) == ["Note 2.", "Note 1."]


def test_htmx_gets_the_same_list_as_a_fragment(alice, kept):
    part = alice.get(MEMORIES, {"q": "tea"}, headers={"HX-Request": "true"})
    assert titles(part) == ["Takes tea."]
    assert "<html" not in part.content.decode()
    assert "<html" in alice.get(MEMORIES, {"q": "tea"}).content.decode()


def test_the_export_has_the_rows_of_the_list_and_is_noted(alice, bob, kept, cast, events):
    page = alice.get(MEMORIES, {"user": "bob", "state": "any"})
    assert "Export 6 memories" in words(page)
    answer = alice.get(f"{MEMORIES}/export", {"user": "bob", "state": "any"})
    assert answer["Content-Disposition"].startswith('attachment; filename="memories_north_')
    file = json.loads(answer.getvalue())
    assert {one["user_id"] for one in file["memories"]} == {"bob"}
    assert len(file["memories"]) == 6
    assert len(events("memory.exported")) == 1
    own = json.loads(bob.get(f"{MEMORIES}/export").getvalue())["memories"]
    assert "Orders seeds in February." not in {one["content"] for one in own}
    refused = alice.get(f"{MEMORIES}/export", {"user": "nobody"})
    assert refused.status_code == 302
    assert refused["Location"] == f"{MEMORIES}?user=nobody"
    assert len(events("memory.exported")) == 2


def test_where_nothing_is_kept_the_page_says_what_to_do(alice, bob, cast):
    page = alice.get(MEMORIES)
    assert "No agent of this account uses structured memory" in words(page)
    assert 'href="/a/north/agents/default#memory_system"' in page.content.decode()
    assert "An admin of the account switches that." in words(bob.get(MEMORIES))
    assert "/agents/default#" not in bob.get(MEMORIES).content.decode()
    with tenancy.account(cast.north):
        agent_row("ada", "structured")
    assert "X-Bailiwick-Agent: ada" in alice.get(MEMORIES).content.decode()


def test_where_all_is_deleted_the_page_leads_to_it(alice, cast):
    with tenancy.account(cast.north):
        keep("bob", content="Lives in Lisbon.", state="deleted")
    page = alice.get(MEMORIES)
    assert "Nothing is kept now" in words(page)
    assert f'href="{MEMORIES}?state=deleted"' in page.content.decode()
    assert titles(alice.get(MEMORIES, {"state": "deleted"})) == ["Lives in Lisbon."]
