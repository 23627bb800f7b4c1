"""The namespace policy in the browser: a change is seen before it is made, applied and reverted."""

from __future__ import annotations

import re

import pytest

from accounts import tenancy
from accounts.models import NamespacePolicy, PolicyVersion
from accounts.principals.models import AuditEvent
from accounts.principals.services import policy_update
from memory.models import Memory
from tests.memory.kit import keep

POLICY = "/a/north/policy"
CHANGES = f"{POLICY}/changes"
VERSIONS = f"{POLICY}/versions"
MINUS = "\N{MINUS SIGN}"


@pytest.fixture
def alice(sign_in):
    return sign_in("alice")


@pytest.fixture
def kept(cast, set_policy):
    """Under ft: two user memories of bob's, with default and ada; one that ada kept of him."""
    set_policy(isolate_agent_scope_by_user=True)
    with tenancy.account(cast.north):
        Memory.objects.all().delete()
        keep("bob", "default", "Takes tea.")
        keep("bob", "ada", "Takes coffee.")
        return keep("bob", "ada", "The hedge is cut in May.", scope="agent")


def words(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


def text(answer):
    """What is read, without what only a browser needs."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def in_force(cast):
    row = NamespacePolicy.objects.get(account_id=cast.north.id)
    flags = (row.isolate_user_scope_by_agent, row.isolate_agent_scope_by_user)
    code = "".join("t" if flag else "f" for flag in flags)
    return code, row.sessions_visible_to, row.version


def apply(browser, query, **fields):
    return browser.post(f"{POLICY}?{query}", {"reason": "Max does the books.", **fields})


def test_the_preview_says_what_each_pair_would_gain_and_lose(alice, kept):
    answer = alice.get(POLICY, {"to": "tf"})
    page = text(answer)
    assert "Proposed, not in force" in page
    assert "Apply tf as version 2" in page
    rows = [re.sub(r"<[^>]+>", " ", part) for part in words(answer).split("<tbody>")]
    numbers = {}
    for row in rows:
        if found := re.search(r"user +(\w+) +with agent +(\w+) +(\d+) +(\d+) +(\S+) +(\S+)", row):
            numbers[found[1], found[2]] = found.groups()[2:]
    # Bob loses with each agent what he kept with the other; others gain what ada learned with him.
    assert numbers["bob", "ada"] == ("3", "2", f"{MINUS}1", "none")
    assert numbers["bob", "default"] == ("2", "1", f"{MINUS}1", "none")
    assert numbers["alice", "ada"] == ("0", "1", "none", "+1")
    assert ("alice", "default") not in numbers
    assert re.search(
        rf"5 of 8 pairs +5 +6 +{MINUS}2 +\+3", page
    )  # default and beth gain as alice does
    assert "3 gains cross a border between users." in page
    assert f'href="/a/north/memories/{kept.pk}"' in words(answer)


def test_every_change_can_be_read_before_anything_is_applied(alice, kept, cast):
    crossing = alice.get(CHANGES, {"to": "tf", "what": "crossing"})
    assert words(crossing).count("The hedge is cut in May.") == 3
    assert "Takes tea." not in words(crossing)
    lost = alice.get(CHANGES, {"to": "tf", "what": "lost", "user": "BOB", "agent": "ada"})
    # 50 ids or fewer are chosen from a list, as they are spelled.
    assert lost.status_code == 422
    lost = alice.get(CHANGES, {"to": "tf", "what": "lost", "user": "bob", "agent": "ada"})
    assert "Takes tea." in words(lost)
    assert "Takes coffee." not in words(lost)
    assert "1</strong> change" in words(lost)
    with tenancy.account(cast.north):
        assert AuditEvent.objects.filter(action="read.memories").count() == 1
    nothing = alice.get(CHANGES, {"to": "ft"})
    assert "Nothing would change" in words(nothing)


def test_the_list_of_changes_goes_on_behind_its_page(alice, kept, monkeypatch):
    monkeypatch.setattr("memory.views.policy.PAGE", 2)
    seen, url = [], f"{CHANGES}?to=tf"
    while url:
        page = words(alice.get(url))
        seen += re.findall(r'row-title" href="([^"]+)"', page)
        found = re.search(r'id="older" href="([^"]+)"', page)
        url = found[1].replace("&amp;", "&") if found else None
    assert len(seen) == 5
    assert seen.count(f"/a/north/memories/{kept.pk}") == 3


def test_what_is_applied_is_what_was_previewed(alice, kept, cast):
    assert apply(alice, "to=tf", version="1", reason="").status_code == 422
    assert in_force(cast) == ("ft", "account", 1)
    answer = apply(alice, "to=tf", version="1")
    assert answer.status_code == 303
    assert in_force(cast) == ("tf", "account", 2)
    made = PolicyVersion.objects.get(account_id=cast.north.id, version=2)
    assert made.reason == "Max does the books."
    toast = words(alice.get(answer["Location"])).split('id="toasts"')[1]
    assert 'name="version" value="2"' in toast
    assert alice.post(VERSIONS, {"reason": "Undone at once.", "version": "2"}).status_code == 303


def test_a_change_that_came_between_refuses_the_old_preview_and_shows_the_new(
    alice, kept, cast, acting
):
    actor = acting("alice")
    policy_update(
        actor=actor,
        account=cast.north,
        changes={"isolate_user_scope_by_agent": True},
        reason="Meanwhile",
    )
    answer = apply(alice, "to=ff", version="1")
    assert answer.status_code == 422
    page = text(answer)
    assert "version 2 is in force" in page
    assert "Apply ff as version 3" in page
    assert "Max does the books." in page  # what was typed stays
    assert 'name="version" value="2"' in words(answer)
    assert in_force(cast) == ("tt", "account", 2)
    assert apply(alice, "to=ff", version="2").status_code == 303
    assert in_force(cast) == ("ff", "account", 3)


def test_what_is_in_force_already_is_not_applied_again(alice, kept, cast):
    page = text(alice.get(POLICY, {"to": "ft"}))
    assert "Proposed, not in force" not in page
    assert apply(alice, "to=ft", version="1").status_code == 303
    assert in_force(cast) == ("ft", "account", 1)


def test_who_reads_sessions_is_changed_in_the_same_way(alice, kept, cast):
    page = text(alice.get(POLICY, {"readers": "participants"}))
    assert "Apply sessions for participants only as version 2" in page
    assert "No memory is gained or lost." in page
    assert "read by its creator" in page
    assert apply(alice, "readers=participants", version="1").status_code == 303
    assert in_force(cast) == ("ft", "participants", 2)
    both = text(alice.get(POLICY, {"readers": "account", "to": "tt"}))
    assert "Apply tt and sessions for every user as version 3" in both


def test_the_words_say_who_recalls_what_now_and_then(alice, kept):
    page = text(alice.get(POLICY, {"to": "ff"}))
    now = "only for the user whom it was kept with."
    then = "by that agent only, for every user of the account."
    assert page.index(now) < page.index(then)
    assert then not in text(alice.get(POLICY))


def test_addresses_stand_side_by_side_with_what_differs(alice, kept):
    page = words(alice.get(POLICY, {"to": "tf", "user": "bob", "agent": "ada"}))
    assert "<strong>user</strong>/<wbr><strong>bob</strong>" in page  # in force
    assert "<strong>agent</strong>/<wbr><strong>ada</strong>" in page  # proposed
    part = words(
        alice.get(
            POLICY,
            {"to": "tf", "user": "bob", "agent": "ada"},
            headers={"HX-Request": "true", "HX-Target": "addresses"},
        )
    )
    assert "Proposed (tf)" in part
    assert "<html" not in part


@pytest.mark.parametrize("query", [{"to": "xx"}, {"readers": "all"}, {"to": "tf", "cursor": "%"}])
def test_what_is_no_policy_has_no_preview(query, alice, kept):
    assert alice.get(POLICY, query).status_code == 404
    assert alice.get(CHANGES, {"to": "tf"}).status_code == 200
    assert alice.get(CHANGES, query | {"older": "%"}).status_code == 404


def test_versions_are_told_and_the_last_one_is_taken_back(alice, kept, cast):
    PolicyVersion.objects.filter(account_id=cast.north.id).update(isolate_agent_scope_by_user=True)
    assert "none to go back to" in text(alice.get(VERSIONS))
    assert alice.post(VERSIONS, {"reason": "Back", "version": "1"}).status_code == 422
    apply(alice, "to=tf", version="1")
    page = text(alice.get(VERSIONS))
    assert "Max does the books." in page
    assert "Revert to ft as version 3" in page
    assert f'href="{POLICY}?to=ft&amp;readers=account"' in words(alice.get(VERSIONS))
    assert alice.post(VERSIONS, {"reason": "", "version": "2"}).status_code == 422
    assert alice.post(VERSIONS, {"reason": "Back", "version": "1"}).status_code == 422
    assert in_force(cast) == ("tf", "account", 2)
    assert alice.post(VERSIONS, {"reason": "Back", "version": "2"}).status_code == 303
    assert in_force(cast) == ("ft", "account", 3)


def test_a_user_reads_the_policy_and_changes_nothing(sign_in, kept, cast):
    bob = sign_in("bob")
    page = text(bob.get(POLICY, {"to": "tf"}))
    assert "Who recalls memories" in page
    for absent in ("Preview", "Apply", "Earlier versions", "Change to participants"):
        assert absent not in page
    assert apply(bob, "to=tf", version="1").status_code == 403
    assert bob.get(CHANGES, {"to": "tf"}).status_code == 403
    assert bob.get(VERSIONS).status_code == 403
    assert bob.post(VERSIONS, {"reason": "Mine", "version": "1"}).status_code == 403
    assert in_force(cast) == ("ft", "account", 1)


def test_many_pairs_are_read_a_page_at_a_time(alice, kept, monkeypatch):
    monkeypatch.setattr("memory.views.policy.PAIRS", 2)
    first = words(alice.get(POLICY, {"to": "tf"}))
    assert "2 of 5 pairs shown" in first
    url = re.search(r'class="button" href="([^"]+)#preview">More', first)[1].replace("&amp;", "&")
    second = words(alice.get(url))
    assert "First pairs" in second
    assert "5 of 8 pairs" in second  # the sums are of all
