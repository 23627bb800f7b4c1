"""What an agent's switch to structured memory shows and hides, in numbers, before it is thrown."""

from __future__ import annotations

import re

import pytest

from accounts import tenancy
from accounts.principals.models import Contact
from memory.models import Consent, State
from tests.memory.kit import agent_row, keep, make_contact

AGENTS = "/a/north/agents"
MINUS = "\N{MINUS SIGN}"


@pytest.fixture
def alice(sign_in):
    return sign_in("alice")


@pytest.fixture
def ada(cast):
    """Structured, as max is. With ada: two memories that count, one deleted, one of each of two
    contacts of whom one agreed. With max: a user memory of bob's, and one of the agent scope."""
    agreeing, silent = (
        make_contact(cast.north, "telegram", name, owner="bob") for name in ("1", "2")
    )
    with tenancy.account(cast.north):
        row = agent_row("ada", "structured")
        agent_row("max", "structured")
        keep("bob", "ada", "Takes tea.")
        keep("beth", "ada", "The hedge is cut in May.", scope="agent")
        keep("bob", "ada", "Gone.", state=State.DELETED)
        for contact in (agreeing, silent):
            keep("bob", "ada", "Asks on Mondays.", contact=Contact.objects.get(pk=contact))
        Consent.objects.create(
            contact_id=agreeing, purpose="memory", state="granted", channel="dashboard"
        )
        keep("bob", "max", "Takes coffee.")
        keep("bob", "max", "Closes at six.", scope="agent")
    return row


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def shown(browser, agent="ada"):
    return text(browser.get(f"{AGENTS}/{agent}"))


def test_turning_memory_off_says_what_it_hides_and_how_to_be_rid_of_it(alice, ada, cast):
    page = shown(alice)
    assert f"Memories of ada that can be recalled 3 0 {MINUS}3" in page
    assert f"Memories of other agents that ada can recall 1 0 {MINUS}1" in page
    assert "Contacts with consent, of 2 1 1 none" in page
    assert "Turn off Structured, hide 3 memories" in page
    body = alice.get(f"{AGENTS}/ada").content.decode()
    assert 'href="/a/north/memories?agent=ada"' in body
    assert alice.post(f"{AGENTS}/ada", {"memory_system": "summarization"}).status_code == 303
    page = shown(alice)
    assert "Memories of ada that can be recalled 0 3 +3" in page
    assert "Turn on Structured, show 3 memories" in page


def test_where_agents_are_split_an_agent_recalls_nothing_of_another(alice, ada, set_policy):
    assert "Memories of other agents that ada can recall 1 0" in shown(alice)
    set_policy(isolate_user_scope_by_agent=True)
    assert "Memories of other agents that ada can recall 0 0 none" in shown(alice)


def test_what_silence_means_is_said_where_memory_is_turned_on(alice, ada, set_settings, cast):
    assert alice.post(f"{AGENTS}/ada", {"memory_system": "summarization"}).status_code == 303
    assert "Contacts are asked first" in shown(alice)
    set_settings(contact_consent="opt_out")
    page = shown(alice)
    assert "Contacts are not asked" in page
    assert "Turn on Structured, show 4 memories" in page  # the silent contact's is among them


def test_the_session_scope_counts_what_carries_a_contacts_stamp(alice, ada):
    page = shown(alice)
    assert "2 memories of contacts stay stamped and hidden." in page
    assert "Set scope to per sender, take up 2 memories" in page
    assert "No session and no memory of a contact is hidden." in shown(alice, "max")


def test_the_list_tells_how_many_memories_each_agent_keeps(alice, ada):
    body = alice.get(AGENTS).content.decode()
    rows = {
        name: body.split(f'href="{AGENTS}/{name}"')[1].split("</tr>")[0] for name in ("ada", "max")
    }
    assert 'class="cell-count num">4</td>' in rows["ada"]
    assert 'class="cell-count num">2</td>' in rows["max"]


def test_an_agent_with_memories_stays(alice, ada, cast):
    page = text(alice.get(f"{AGENTS}/max/delete"))
    assert "Agent max stays" in page
    assert "Memories kept with it 2" in page
    assert alice.post(f"{AGENTS}/max/delete").status_code == 422
    with tenancy.account(cast.north):
        agent_row("quinn")
    assert "Delete agent quinn?" in text(alice.get(f"{AGENTS}/quinn/delete"))
    assert alice.post(f"{AGENTS}/quinn/delete").status_code == 303
