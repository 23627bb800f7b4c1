"""A session's page: what was kept from it, who could recall that, pausing; the overview's table."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from accounts import tenancy
from accounts.actor import Role
from accounts.principals.models import Agent, Contact, User
from memory import access
from memory.models import Consent, Evidence, Memory
from memory.selectors import session_recall
from sessions_app.models import Message, Session
from tests.memory.kit import agent_row, keep, make_contact

PAGE = "/a/north/sessions/s1"
POLICIES = [(user, agent) for user in (False, True) for agent in (False, True)]


@pytest.fixture
def session(api, cast, structured):
    """Two messages of bob's; two memories came from the first one, one from nowhere."""
    api.say(cast.bob.headers, "s1", "I take tea, and never before nine.")
    api.say(cast.bob.headers, "s1", "Thank you.")
    with tenancy.account(cast.north):
        row = Session.objects.get(session_id="s1")
        first = Message.objects.get(session=row, seq=1)
        for content in ("Takes tea.", "Sleeps until nine."):
            Evidence.objects.create(memory=keep(content=content, session=row), message=first)
        keep(agent="default", scope="agent", content="Bob is polite.", session=row)
    return row


def words(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


def as_admin(actor):
    return replace(actor, role=Role.ADMIN, principal=actor.user)


def entries(page):
    return [piece.split("</li>")[0] for piece in page.split('<li class="entry')[1:]]


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_a_message_tells_what_came_from_it(who, session, sign_in):
    first, second = entries(words(sign_in(who).get(PAGE)))
    assert "2 memories came from this" in first
    assert "/a/north/memories?session=s1&amp;state=kept" in first
    assert first.startswith(" kept")
    assert "came from this" not in second
    assert not second.startswith(" kept")


def test_a_message_counts_only_what_its_reader_may_manage(session, sign_in, cast, set_policy):
    with tenancy.account(cast.north):
        first = Message.objects.get(session=session, seq=1)
        Evidence.objects.create(memory=keep("beth", content="Bob takes tea."), message=first)
    assert "3 memories came from this" in words(sign_in("alice").get(PAGE))
    assert "2 memories came from this" in words(sign_in("bob").get(PAGE))
    assert "1 memory came from this" in words(sign_in("beth").get(PAGE))


def test_who_could_recall_stands_there_for_admins_as_themselves(session, sign_in):
    page = words(sign_in("alice").get(PAGE))
    assert "3 memories came from it." in page
    panel = page.split("Who could recall this")[1].split("</section>")[0]
    pairs = re.findall(r"<strong>(\d of \d)</strong></p> <p>([^<]*)</p>", panel)
    assert pairs[0] == ("3 of 3", "Own user memories, and memories of default.")
    assert "A contact sees only what is stamped with it." in panel
    assert "Who could recall this" not in words(sign_in("bob").get(PAGE))


def test_all_pairs_are_shown_when_asked_for(session, sign_in, cast):
    alice = sign_in("alice")
    few = words(alice.get(PAGE)).split("Who could recall this")[1].split("</section>")[0]
    # bob with both agents; alice, beth and the default user with `default`
    assert few.count("</strong></p>") == 5
    assert "Show all" not in few
    with tenancy.account(cast.north):
        agent_row("max", "structured")
    few = words(alice.get(PAGE)).split("Who could recall this")[1].split("</section>")[0]
    assert "Show all 6 pairs" in few
    every = words(alice.get(f"{PAGE}?pairs=all")).split("Who could recall this")[1]
    assert every.split("</section>")[0].count("</strong></p>") == 6


@pytest.mark.parametrize(("by_agent", "by_user"), POLICIES)
def test_the_counts_are_what_each_pair_recalls(
    by_agent, by_user, session, cast, acting, set_policy
):
    key = make_contact(cast.north, "telegram", "4711", owner="bob")
    set_policy(isolate_user_scope_by_agent=by_agent, isolate_agent_scope_by_user=by_user)
    with tenancy.account(cast.north):
        agent_row("max")  # summarization
        dana = Contact.objects.get(pk=key)
        for user in ("bob", "beth"):
            for agent in ("default", "ada", "max"):
                for scope in ("user", "agent"):
                    for number, more in enumerate(
                        ({}, {"state": "quarantined"}, {"contact": dana}, {"topic_key": "t"})
                    ):
                        content = f"{user} {agent} {scope} {number}"
                        keep(user, agent, content, scope=scope, session=session, **more)
        Consent.objects.create(contact=dana, state="granted")
        users = list(User.objects.filter(is_active=True).values_list("user_id", flat=True))
        agents = list(Agent.objects.values_list("agent_id", flat=True))
    counted = {}
    for user in users:
        for agent in agents:
            actor = acting(user, agent=agent)
            counted[user, agent] = access.recallable_by(actor).filter(session=session).count()
    found = session_recall(actor=as_admin(acting("alice")), session=session, users=[], limit=100)
    assert {(pair.user_id, pair.agent_id): pair.count for pair in found.pairs} == {
        pair: count for pair, count in counted.items() if count
    }
    assert found.kept == Memory.objects.filter(session=session).count()
    assert found.all_pairs == len(found.pairs) > 0


def test_a_participant_who_recalls_nothing_is_told_with_the_reason(session, cast, acting):
    with tenancy.account(cast.north):
        Agent.objects.filter(agent_id="default").update(memory_system="summarization")
        bob = User.objects.get(user_id="bob").pk
    found = session_recall(actor=as_admin(acting("alice")), session=session, users=[bob], limit=5)
    [pair] = found.pairs
    assert (pair.user_id, pair.agent_id, pair.count) == ("bob", "default", 0)
    assert "default uses summarization" in pair.words
    assert found.withheld == [(3, "kept with an agent that uses summarization")]


def test_memory_is_paused_and_goes_on(session, sign_in, api, cast):
    bob = sign_in("bob")
    answer = bob.post(f"{PAGE}/memory", {"memory": "paused"})
    assert answer.status_code == 303
    page = words(bob.get(answer["Location"]))
    assert "Memory is paused" in page
    assert "Let memory go on" in page
    body = {"content": "Takes coffee.", "session_id": "s1"}
    assert api.post("/memories", cast.bob.headers, body).status == 412
    assert bob.post(f"{PAGE}/memory", {"memory": "open"}).status_code == 303
    assert api.post("/memories", cast.bob.headers, body).status == 200
    assert bob.post(f"{PAGE}/memory", {"memory": "perhaps"}).status_code == 404
    assert bob.post("/a/north/sessions/nope/memory", {"memory": "paused"}).status_code == 404


@pytest.mark.parametrize(("choice", "left"), [("keep", 3), ("erase", 0)])
def test_a_session_goes_with_or_without_what_was_kept(choice, left, session, sign_in, cast):
    alice = sign_in("alice")
    assert "Erase 3 memories for good" in words(alice.get(f"{PAGE}/delete"))
    assert alice.post(f"{PAGE}/delete").status_code == 422
    answer = alice.post(f"{PAGE}/delete", {"memories": choice})
    assert answer.status_code == 303
    with tenancy.account(cast.north):
        assert not Session.objects.exists()
        assert Memory.objects.count() == left


def test_the_overview_counts_by_kind_and_tells_what_waits(session, sign_in, cast):
    with tenancy.account(cast.north):
        keep(content="Account 4471", kind="profile", state="quarantined")
        keep(content="Gone", kind="profile", state="deleted")
        keep(content="Blue", kind="profile", expires_at="2020-01-01T00:00:00Z")
        keep(content="Green", kind="profile")
    page = words(sign_in("alice").get("/a/north/overview"))
    table = page.split("Memories by kind and state")[1].split("</table>")[0]
    rows = [
        re.findall(r">([\w ]+)<", row.split("</svg>")[0])[:1]
        + re.findall(r'<td class="num">(?:<span class="none">)?(\w+)', row)
        for row in table.split("<tr>")[2:-1]
    ]
    assert rows == [["facts", "3", "none"], ["profile", "1", "2"]]
    assert "All 6 memories" in page
    assert "1 memory waits in quarantine" in page
    assert "/a/north/memories?state=quarantined" in page
