"""What is kept of a user: the page for the user itself and for admins."""

from __future__ import annotations

import json
import re

import pytest

from accounts import tenancy
from memory.models import Extraction, Memory
from sessions_app.models import Session
from tests.memory.kit import agent_row, keep, user_row

PAGE = "/a/north/users/bob/memory"


@pytest.fixture
def kept(cast, structured):
    """Three memories of bob with two agents, one of them hidden; an agent's, and one of beth's."""
    with tenancy.account(cast.north):
        agent_row("max")
        return {
            "tea": keep(content="Takes tea.", topic_key="drinks"),
            "ada": keep(agent="ada", content="Asks ada for trains."),
            "hidden": keep(agent="max", content="Tells max of seeds."),
            "agents": keep(agent="ada", scope="agent", content="Ada knows a trick."),
            "beths": keep("beth", content="Beth takes coffee."),
        }


def words(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


def states(cast):
    with tenancy.account(cast.north):
        return dict(Memory.objects.values_list("content", "state"))


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_all_that_is_kept_of_a_user_is_listed_with_what_hides_it(who, sign_in, kept):
    page = words(sign_in(who).get(PAGE))
    assert "Takes tea." in page
    assert "Asks ada for trains." in page
    assert "hidden: max uses summarization" in page.split("Tells max of seeds.")[1]
    assert "Ada knows a trick." not in page
    assert "Beth takes coffee." not in page
    assert "Wipe 3 memories" in page
    assert sign_in(who).get("/a/north/users/nobody/memory").status_code == (
        404 if who == "alice" else 403
    )


@pytest.mark.parametrize("path", ["memory", "memory/wipe", "memory/export", "extractions"])
def test_a_user_controls_nobody_else(path, sign_in, kept, cast):
    beth = sign_in("beth")
    assert beth.get(f"/a/north/users/bob/{path}").status_code == 403
    assert beth.post(f"{PAGE}/wipe").status_code == 403
    assert beth.post(f"{PAGE}/delete", {"memory": kept["tea"].pk}).status_code == 403
    assert set(states(cast).values()) == {"active"}
    assert beth.get(f"/a/north/users/beth/{path}").status_code == 200


@pytest.mark.parametrize("odd", ["nil", "test", "none"])
def test_who_means_nobody_has_no_page(odd, sign_in, kept):
    assert sign_in("alice").get(f"/a/north/users/{odd}/memory").status_code == 404


def test_one_memory_is_deleted_and_brought_back(sign_in, kept, cast):
    bob = sign_in("bob")
    answer = bob.post(f"{PAGE}/delete", {"memory": kept["tea"].pk})
    assert answer.status_code == 303
    assert states(cast)["Takes tea."] == "deleted"
    assert "“Takes tea.” was deleted." in words(bob.get(answer["Location"]))
    assert bob.post(f"{PAGE}/restore", {"memory": kept["tea"].pk}).status_code == 303
    assert states(cast)["Takes tea."] == "active"
    for other in ("beths", "agents"):  # in the address it is bob's, and it is not
        assert bob.post(f"{PAGE}/delete", {"memory": kept[other].pk}).status_code == 404
    assert bob.post(f"{PAGE}/delete", {"memory": "garbage"}).status_code == 404
    assert set(states(cast).values()) == {"active"}


def test_what_cannot_come_back_says_why(sign_in, kept, cast):
    bob = sign_in("bob")
    bob.post(f"{PAGE}/delete", {"memory": kept["tea"].pk})
    with tenancy.account(cast.north):
        keep(content="Takes coffee now.", topic_key="drinks")
    answer = bob.post(f"{PAGE}/restore", {"memory": kept["tea"].pk})
    assert "Nothing was restored. Another memory stands" in words(bob.get(answer["Location"]))
    assert states(cast)["Takes tea."] == "deleted"


def test_what_is_kept_with_other_agents_is_controlled_too(sign_in, kept, cast, set_policy):
    set_policy(isolate_user_scope_by_agent=True)  # in the browser bob asks through `default`
    bob = sign_in("bob")
    page = words(bob.get(PAGE))
    assert f"/memories/{kept['tea'].pk}" in page
    assert f"/memories/{kept['ada'].pk}" not in page
    assert bob.get(f"/a/north/memories/{kept['ada'].pk}").status_code == 404
    assert "Show the whole memory" in page.split("Asks ada for trains.")[1]
    assert bob.post(f"{PAGE}/delete", {"memory": kept["ada"].pk}).status_code == 303
    assert states(cast)["Asks ada for trains."] == "deleted"
    assert bob.post(f"{PAGE}/restore", {"memory": kept["ada"].pk}).status_code == 303
    assert states(cast)["Asks ada for trains."] == "active"


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_a_wipe_asks_with_the_numbers_and_takes_exactly_that(who, sign_in, kept, api, cast):
    api.say(cast.bob.headers, "s1")
    with tenancy.account(cast.north):
        Extraction.objects.create(
            session=Session.objects.get(session_id="s1"),
            user=user_row("bob"),
            agent=agent_row("default"),
            first_seq=1,
            last_seq=1,
            state="failed",
            error="The endpoint answered 503.",
        )
    browser = sign_in(who)
    runs = words(browser.get("/a/north/users/bob/extractions"))
    assert "The endpoint answered 503." in runs
    assert 'href="/a/north/sessions/s1"' in runs
    asked = words(browser.get(f"{PAGE}/wipe"))
    rows = dict(re.findall(r'<th scope="row">([^<]*)</th><td class="num">(\d+)', asked))
    assert rows == {
        "Memories kept with no particular agent": "1",
        "Memories kept with named agents": "2",
        "Records of extractions, for good": "1",
    }
    assert "Wipe 3 memories and 1 record" in asked
    assert set(states(cast).values()) == {"active"}
    answer = browser.post(f"{PAGE}/wipe")
    assert answer.status_code == 303
    page = words(browser.get(answer["Location"]))
    assert "Wiped: 3 memories of bob." in page
    assert "Nothing is kept of" in page
    assert {text for text, state in states(cast).items() if state == "active"} == {
        "Ada knows a trick.",
        "Beth takes coffee.",
    }
    assert "Nothing is kept of" in words(browser.get(f"{PAGE}/wipe"))
    assert "No extraction has run" in words(browser.get("/a/north/users/bob/extractions"))


def test_the_file_holds_the_same_as_the_list(sign_in, kept):
    answer = sign_in("bob").get(f"{PAGE}/export")
    assert re.search(r'filename="memory_bob_\d{8}\.json"', answer["Content-Disposition"])
    found = json.loads(b"".join(answer.streaming_content))
    assert [one["content"] for one in found["memories"]] == [
        "Tells max of seeds.",
        "Asks ada for trains.",
        "Takes tea.",
    ]


def test_the_list_goes_on_and_back(sign_in, kept, cast):
    with tenancy.account(cast.north):
        for number in range(60):
            keep("beth", content=f"Beth's number {number}.")
    alice = sign_in("alice")
    page = "/a/north/users/beth/memory"
    first = words(alice.get(page))
    assert "50 of 61 shown" in first
    older = re.search(r'href="([^"]*older=[^"]*)"', first)[1]
    second = words(alice.get(older))
    assert "Beth takes coffee." in second
    newer = re.search(r'href="([^"]*newer=[^"]*)"', second)[1]
    assert "Beth&#x27;s number 59." in words(alice.get(newer))
    assert alice.get(f"{page}?older=garbage").status_code == 404
    fragment = alice.get(older, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert "Beth takes coffee." in fragment


@pytest.mark.parametrize(("choice", "left"), [("keep", 3), ("erase", 0)])
def test_who_is_deleted_leaves_their_memories_or_not(choice, left, sign_in, kept, cast):
    alice = sign_in("alice")
    asked = words(alice.get("/a/north/users/bob/delete"))
    assert "Erase 3 memories for good" in asked
    assert alice.post("/a/north/users/bob/delete").status_code == 422
    assert alice.post("/a/north/users/bob/delete", {"memories": choice}).status_code == 303
    with tenancy.account(cast.north):
        assert Memory.objects.filter(user__user_id="bob", scope="user").count() == left
        assert Memory.objects.filter(scope="agent").count() == 1


def test_the_list_of_users_counts_their_own_active_memories(sign_in, kept):
    page = words(sign_in("alice").get("/a/north/users"))
    row = page.split('href="/a/north/users/bob"')[1].split("</tr>")[0]
    assert row.count('<td class="cell-count num">3</td>') == 1
    assert "3 active memories of bob" in words(sign_in("alice").get("/a/north/users/bob"))


def test_a_user_comes_there_from_the_memories(sign_in, kept):
    link = f'href="{PAGE}"'
    assert link in words(sign_in("bob").get("/a/north/memories"))
    assert link not in words(sign_in("alice").get("/a/north/memories"))
    assert link in words(sign_in("alice").get("/a/north/users/bob"))
