"""A policy's preview against what the lists then show, as every user with every agent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from random import Random

import pytest
from django.db import connection
from django.utils import timezone

from accounts import tenancy
from accounts.principals.models import AuditEvent, Contact, User
from memory.models import Memory, Revision, Scope, State
from tests.memory.kit import agent_row, keep, make_contact, user_row

POLICIES = ("ff", "ft", "tf", "tt")
USERS = ("alice", "beth", "bob", "default")
AGENTS = ("ada", "default", "max")
PREVIEW, POLICY = "/admin/accounts/north/policy/preview", "/admin/accounts/north/policy"
SAMPLES = 3


@dataclass
class Office:
    """Alice at work: she previews and applies; and what each user lists with each agent."""

    api: object
    cast: object

    def flags(self, code):
        names = ("isolate_user_scope_by_agent", "isolate_agent_scope_by_user")
        return dict(zip(names, (letter == "t" for letter in code), strict=True))

    def apply(self, code):
        answer = self.api("PUT", POLICY, self.cast.alice.headers, self.flags(code))
        assert answer.status == 200, answer.body
        return answer.result["version"]

    def revert(self):
        answer = self.api.post(f"{POLICY}/revert", self.cast.alice.headers, {"reason": "A test"})
        assert answer.status == 200, answer.body

    def preview(self, code, **query):
        answer = self.api(
            "POST", PREVIEW, self.cast.alice.headers, self.flags(code), **{"limit": 200, **query}
        )
        assert answer.status == 200, answer.body
        return answer

    def listed(self):
        """(user, agent) → id → row, by GET /memories; nobody is looked at as an admin."""
        found = {}
        for user, agent in product(USERS, AGENTS):
            own = {"bob": self.cast.bob, "beth": self.cast.beth}.get(user)
            headers = {
                **(own.headers if own else self.cast.root_as(user)),
                "X-Bailiwick-Agent": agent,
            }
            answer = self.api.get("/memories", headers, limit=200)
            assert answer.body["page"]["next"] is None
            found[user, agent] = {row["id"]: row for row in answer.result}
        return found


@pytest.fixture
def office(api, cast):
    return Office(api, cast)


def furnish(cast, seed):
    """A world: memories of everybody with every agent, about contacts, in every state."""
    random = Random(seed)
    contacts = [
        None,
        None,
        *(
            make_contact(cast.north, "telegram", str(n), owner=owner, kind=kind)
            for n, (owner, kind) in enumerate(
                [("bob", "external"), ("default", "external"), ("default", "group")]
            )
        ),
    ]
    lapsed, to_come = (timezone.now() + timedelta(days=n) for n in (-1, 1))
    with tenancy.account(cast.north):
        for agent in AGENTS:  # the lists show what a closed gate hides from recall
            agent_row(agent, random.choice(["structured", "summarization"]))
        merged, into = contacts[3], make_contact(cast.north, "web", "w", owner="default")
        Contact.objects.filter(pk=merged).update(merged_into=into, root=into)
        for number in range(random.randint(1, 60)):
            keep(
                random.choice(USERS),
                random.choice(AGENTS),
                f"Memory {number}.",
                summary=random.choice(["", f"Line {number}."]),
                scope=random.choice(Scope.values),
                contact_id=random.choice(contacts),
                state=random.choice([*[State.ACTIVE] * 6, *State.values]),
                expires_at=random.choice([None, None, lapsed, to_come]),
            )


def check(found, seen, then):
    """The preview's numbers are the differences of the lists, pair by pair and in sum."""
    pairs = {(row["user_id"], row["agent_id"]): row for row in found["pairs"]}
    changed = {key for key in seen if seen[key].keys() != then[key].keys()}
    assert pairs.keys() == changed
    for key, row in pairs.items():
        gained = then[key].keys() - seen[key].keys()
        lost = seen[key].keys() - then[key].keys()
        crossing = [one for one in gained if then[key][one]["user_id"] != key[0]]
        numbers = (len(seen[key]), len(then[key]), len(gained), len(lost), len(crossing))
        names = ("now", "after", "gained", "lost", "crossing")
        assert tuple(row[name] for name in names) == numbers, key
        for samples, ids, rows in (
            (row["samples"]["gained"], gained, then[key]),
            (row["samples"]["lost"], lost, seen[key]),
        ):
            assert [one["id"] for one in samples] == sorted(ids, reverse=True)[:SAMPLES]
            for one in samples:
                row_said = rows[one["id"]]
                assert one["words"] == (row_said["summary"] or row_said["content"])
                assert {name: rows[one["id"]][name] for name in one if name != "words"} == {
                    name: one[name] for name in one if name != "words"
                }
    for name in ("gained", "lost", "crossing"):
        assert found[name] == sum(row[name] for row in pairs.values())
    assert found["now"] == sum(map(len, seen.values()))
    assert found["after"] == sum(map(len, then.values()))
    assert (found["changed_pairs"], found["all_pairs"]) == (len(pairs), len(seen))


def places_of_rows():
    """Where each row lies and who wrote it last: any UPDATE moves it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, ctid::text, xmin::text, version FROM memory_memory ORDER BY id")
        return cursor.fetchall()


@pytest.mark.parametrize("seed", range(6))
def test_a_preview_says_what_the_lists_then_show(office, cast, seed):
    furnish(cast, seed)
    with tenancy.account(cast.north):
        rows = places_of_rows()
    previews, lists = {}, {}
    for code in POLICIES:
        office.apply(code)
        lists[code] = office.listed()
        for then in POLICIES:
            previews[code, then] = office.preview(then).result
    for (code, then), found in previews.items():
        check(found, lists[code], lists[then])
    office.revert()
    assert office.listed() == {
        key: {one: {**row, "policy_version": row["policy_version"] + 2} for one, row in by.items()}
        for key, by in lists["tf"].items()
    }
    with tenancy.account(cast.north):
        assert places_of_rows() == rows
        assert not Revision.objects.exists()


def test_the_worlds_differ_under_the_policies(office, cast):
    """Else the test above would compare nothing with nothing."""
    furnish(cast, 1)
    numbers = [office.preview(code).result for code in POLICIES]
    assert not numbers[0]["pairs"]
    for found in numbers[1:]:
        assert found["pairs"]
        assert found["lost"] > 0
    office.apply("tt")
    found = office.preview("ff").result
    assert found["gained"] > found["crossing"] > 0


@pytest.fixture
def few(cast):
    """Bob keeps one memory with each agent, and Ada one that is hers; Beth keeps none."""
    with tenancy.account(cast.north):
        for agent in AGENTS:
            keep("bob", agent, f"With {agent}.")
        keep("bob", "ada", "Of Ada.", scope="agent")


@pytest.mark.usefixtures("few")
def test_pairs_come_with_most_changes_first_and_in_pages(office):
    whole = office.preview("tt")
    rows = whole.result["pairs"]
    # Each agent loses two of Bob's; of Ada everyone else loses hers.
    assert [(row["user_id"], row["agent_id"], row["lost"]) for row in rows] == [
        ("bob", "ada", 2),
        ("bob", "default", 2),
        ("bob", "max", 2),
        ("alice", "ada", 1),
        ("beth", "ada", 1),
        ("default", "ada", 1),
    ]
    assert whole.body["page"]["next"] is None
    shown, cursor = [], ""
    while cursor is not None:
        page = office.preview("tt", limit=4, **({"cursor": cursor} if cursor else {}))
        assert {**page.result, "pairs": rows} == whole.result  # the sums are over all pages
        shown += page.result["pairs"]
        cursor = page.body["page"]["next"]
    assert shown == rows


@pytest.mark.usefixtures("few")
def test_a_policy_that_changes_no_memorys_place_changes_no_pair(office, cast):
    found = office.preview("ff").result
    assert (found["pairs"], found["gained"], found["lost"]) == ([], 0, 0)
    assert (found["changed_pairs"], found["all_pairs"]) == (0, 12)
    assert found["now"] == found["after"] == 3 * 3 + 4
    body = {"sessions_visible_to": "participants"}
    answer = office.api.post(PREVIEW, cast.alice.headers, body)
    assert answer.result["pairs"] == []
    assert office.preview("tt").result["pairs"]


@pytest.mark.usefixtures("few")
def test_who_is_not_active_is_no_pair(office, cast):
    with tenancy.account(cast.north):
        User.objects.filter(pk=user_row("beth").pk).update(is_active=False)
    found = office.preview("tt").result
    assert {row["user_id"] for row in found["pairs"]} == {"alice", "bob", "default"}
    assert found["all_pairs"] == 9


@pytest.mark.usefixtures("few")
def test_a_preview_is_for_admins_of_the_account(office, cast):
    body = office.flags("tt")
    refused = {
        "bob": cast.bob.headers,
        "charlie": cast.charlie.headers,
        "nobody": {},
    }
    answers = {who: office.api.post(PREVIEW, sent, body) for who, sent in refused.items()}
    assert {who: answer.status for who, answer in answers.items()} == {
        "bob": 403,
        "charlie": 403,
        "nobody": 401,
    }
    assert "With ada." not in str([answer.body for answer in answers.values()])
    assert office.api.post(PREVIEW, cast.root, body).result == office.preview("tt").result


@pytest.mark.usefixtures("few")
def test_values_that_no_policy_has_are_refused(office, cast):
    for body, status in (
        ({"sessions_visible_to": "everyone"}, 400),
        ({"isolate_user_scope_by_agent": "yes"}, 422),
        ({"isolate_everything": True}, 422),
    ):
        assert office.api.post(PREVIEW, cast.alice.headers, body).status == status, body
    for cursor in ("?", "LTE", "bm8"):
        answer = office.api("POST", PREVIEW, cast.alice.headers, office.flags("tt"), cursor=cursor)
        assert answer.status == 400, cursor


@pytest.mark.usefixtures("few")
def test_a_preview_keeps_nothing(office, cast):
    """But for the note that Alice read samples of Bob's memories."""
    version = office.api.get(POLICY, cast.alice.headers).result["version"]
    office.preview("tt")
    assert office.api.get(POLICY, cast.alice.headers).result["version"] == version
    with tenancy.account(cast.north):
        assert Memory.objects.count() == 4
        noted = AuditEvent.objects.filter(action="read.memories")
        assert [row.target for row in noted] == [user_row("bob").pk]
