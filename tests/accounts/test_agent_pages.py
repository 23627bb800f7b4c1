"""Agents in the browser: two choices with their effect, how they are used, their end."""

from __future__ import annotations

import re

import pytest

from accounts import tenancy
from accounts.actor import Operator
from accounts.principals.models import Agent
from accounts.principals.services import key_create
from accounts.principals.usage import usage
from sessions_app import usage as answers
from sessions_app.models import Session

AGENTS = "/a/north/agents"


@pytest.fixture
def alice(sign_in):
    return sign_in("alice")


@pytest.fixture
def ada(cast, api):
    """Ada, with two sessions of bob's (3 messages) and one of beth's (1)."""
    for member, session in (
        (cast.bob, "b1"),
        (cast.bob, "b1"),
        (cast.bob, "b2"),
        (cast.beth, "e1"),
    ):
        headers = {**member.headers, "X-Bailiwick-Agent": "ada"}
        assert api.say(headers, session).status == 200
    with tenancy.account(cast.north):
        return Agent.objects.get(agent_id="ada")


def agent(cast, agent_id="ada"):
    with tenancy.account(cast.north):
        return Agent.objects.filter(agent_id=agent_id).first()


def words(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


def test_the_list_tells_how_much_each_agent_is_used(alice, ada):
    page = words(alice.get(AGENTS))
    row = page.split(f'href="{AGENTS}/ada"')[1].split("</tr>")[0]
    assert 'class="cell-count num">3</td>' in row
    assert ">bob</span>" in row  # who named it first
    assert f'href="{AGENTS}/default"' in page
    found = words(alice.get(AGENTS, {"q": "AD"}))
    assert f'href="{AGENTS}/default"' not in found
    assert f'href="{AGENTS}/ada"' in found


def test_the_page_counts_from_the_sessions_own_counters(alice, ada, cast):
    key_create(actor=Operator(), account=cast.north, user_id="beth", name="k", agents=["ADA"])
    key_create(actor=Operator(), account=cast.north, user_id="beth", name="l", agents=["adam"])
    page = words(alice.get(f"{AGENTS}/ada"))
    assert 'Sessions started</th><td class="num">3</td>' in page.replace("> <", "><")
    assert 'Messages in them</th><td class="num">4</td>' in page.replace("> <", "><")
    bound = page.split("Keys bound to ada")[1]
    assert bound.count("<dt>") == 1
    assert "beth, read and write" in bound


def test_sums_stop_at_their_bound_and_say_so(alice, ada, cast, monkeypatch):
    monkeypatch.setattr(answers, "SUMMED", 2)
    with tenancy.account(cast.north):
        use = usage().agent(agent=ada.pk)
        assert use.sessions == 2
        assert sum(who.sessions for who in use.talkers) == 2
    monkeypatch.setattr(answers, "COUNTED", 2)
    with tenancy.account(cast.north):
        assert usage().agents(agents=[ada.pk])[ada.pk].sessions == 2
        [bob, beth] = [one.owner_id for one in Session.objects.filter(session_id__in=["b1", "e1"])]
        assert sorted(usage().sessions_of(users=[bob, beth]).values()) == [1, 2]


def test_talkers_add_up_also_beyond_those_who_are_named(alice, ada, cast, monkeypatch):
    monkeypatch.setattr(answers, "TALKERS", 1)
    with tenancy.account(cast.north):
        use = usage().agent(agent=ada.pk)
    assert [(who.id, who.sessions) for who in use.talkers] == [("bob", 2)]
    assert (use.others, use.other_sessions) == (1, 1)


@pytest.mark.parametrize(
    ("field", "value", "button"),
    [
        ("memory_system", "structured", "Turn on Structured, show nothing yet"),
        ("session_scope", "per_sender", "Set scope to per sender, keep 3 sessions"),
    ],
)
def test_a_choice_says_its_effect_is_applied_and_can_be_undone(
    field, value, button, alice, ada, cast
):
    before = getattr(ada, field)
    assert button in words(alice.get(f"{AGENTS}/ada"))
    answer = alice.post(f"{AGENTS}/ada", {field: value})
    assert answer.status_code == 303
    assert getattr(agent(cast), field) == value
    page = words(alice.get(answer["Location"]))
    toast = page.split('id="toasts"')[1]
    assert f'name="{field}" value="{before}"' in toast
    assert alice.post(f"{AGENTS}/ada", {field: before}).status_code == 303
    assert getattr(agent(cast), field) == before


@pytest.mark.parametrize("fields", [{}, {"memory_system": "total"}, {"session_scope": "none"}])
def test_a_choice_that_is_none_changes_nothing(fields, alice, ada, cast):
    answer = alice.post(f"{AGENTS}/ada", fields)
    assert answer.status_code == 422
    assert "Nothing was changed." in words(answer)
    assert (agent(cast).memory_system, agent(cast).session_scope) == ("summarization", "global")


def test_an_agent_is_added_and_renamed_with_a_way_back(alice, cast):
    answer = alice.post(f"{AGENTS}/new", {"agent_id": "quinn", "session_scope": "per_sender"})
    assert answer["Location"] == f"{AGENTS}/quinn"
    assert agent(cast, "quinn").session_scope == "per_sender"
    assert alice.post(f"{AGENTS}/quinn/rename", {"display_name": " Quinn  Q "}).status_code == 303
    assert agent(cast, "quinn").display_name == "Quinn Q"
    assert 'name="display_name" value=""' in words(alice.get(f"{AGENTS}/quinn"))


@pytest.mark.parametrize(
    ("agent_id", "said"),
    [("", "Give the agent an id"), ("DEFAULT", "is reserved"), ("a b", "must be 1 to 64")],
)
def test_a_refused_agent_is_not_added(agent_id, said, alice, cast):
    answer = alice.post(f"{AGENTS}/new", {"agent_id": agent_id, "session_scope": "global"})
    assert answer.status_code == 422
    assert said in words(answer)
    assert "No agent was added." in words(answer)


def test_a_taken_id_is_told_at_the_id(alice, ada):
    answer = alice.post(f"{AGENTS}/new", {"agent_id": "ADA", "session_scope": "global"})
    assert answer.status_code == 422
    assert "An agent with this id exists." in words(answer)


def test_only_an_agent_that_nothing_refers_to_is_deleted(alice, ada, cast):
    refused = alice.post(f"{AGENTS}/ada/delete")
    assert refused.status_code == 422
    assert "It has sessions or memories" in words(refused)
    assert agent(cast) is not None
    assert alice.post(f"{AGENTS}/default/delete").status_code == 422
    alice.post(f"{AGENTS}/new", {"agent_id": "quinn", "session_scope": "global"})
    assert alice.get(f"{AGENTS}/quinn/delete").status_code == 200
    assert alice.post(f"{AGENTS}/quinn/delete")["Location"] == AGENTS
    assert agent(cast, "quinn") is None


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("new", {"agent_id": "quinn", "session_scope": "global"}),
        ("ada", {"memory_system": "structured"}),
        ("ada/rename", {"display_name": "Mine"}),
        ("ada/delete", {}),
    ],
)
def test_a_user_runs_no_agent(path, fields, sign_in, ada, cast):
    assert sign_in("bob").post(f"{AGENTS}/{path}", fields).status_code == 403
    assert agent(cast, "quinn") is None
    assert (agent(cast).memory_system, agent(cast).display_name) == ("summarization", "")
