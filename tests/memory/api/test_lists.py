"""GET /memories and its facets: every filter, the order, the past."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest

from accounts import tenancy
from memory.models import Memory
from tests.accounts.kit import contact_header, make_contact, with_key

ABSENT = "019f7b9c-1234-7abc-8def-0123456789ab"


@pytest.fixture
def listed(api, cast):
    """listed(kind="facts") → what the words of the found memories are, the newest first."""

    def found(headers=None, path="/memories", **query):
        answer = api.get(path, headers or cast.bob.headers, **query)
        assert answer.status == 200, answer.body
        return [row["content"] for row in answer.result]

    return found


@pytest.fixture
def many(api, cast, remember, set_settings):
    """Seven memories of Bob's, each of its own sort; one of Beth's."""
    set_settings(contact_consent="opt_out")
    bob, contact = cast.bob.headers, make_contact(cast.north, "telegram", "1", owner="bob")
    api.say(bob, "s1")
    made = {
        "plain": remember(bob, "plain"),
        "tea": remember(bob, "tea", kind="preferences", topic_key="tea", salience="high"),
        "travel": remember(bob, "travel", topics=["travel", "trains"], source="conversation"),
        "session": remember(bob, "session", session_id="s1"),
        "ada": remember(with_key(cast.bob.key, agent="ada"), "ada"),
        "agent": remember(cast.alice.headers, "agent", scope="agent", kind="skills"),
        "contact": remember(contact_header(cast.alice.headers, contact), "contact"),
        "beth": remember(cast.beth.headers, "beth", topics=["travel"]),
    }
    return {**made, "contact_id": str(contact)}


ALL = ["contact", "agent", "ada", "session", "travel", "tea", "plain"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ALL),
        ({"scope": "agent"}, ["agent"]),
        ({"kind": "preferences"}, ["tea"]),
        ({"topic_key": "tea"}, ["tea"]),
        ({"topic_key": "Tea"}, []),
        ({"topics": "travel"}, ["travel"]),
        ({"topics": ["travel", "trains"]}, ["travel"]),
        ({"topics": ["travel", "planes"]}, []),
        ({"user": "BOB"}, ["contact", "ada", "session", "travel", "tea", "plain"]),
        ({"user": "alice"}, ["agent"]),
        ({"user": "beth"}, []),
        ({"user": "nobody"}, []),
        ({"agent": "Ada"}, ["ada"]),
        ({"agent": "absent"}, []),
        ({"session": "S1"}, ["session"]),
        ({"session": "absent"}, []),
        ({"contact": ABSENT}, []),
        ({"salience": "high"}, ["tea"]),
        ({"source": "conversation"}, ["travel"]),
        ({"state": "any"}, ALL),
        ({"state": "deleted"}, []),
        ({"q": "plain"}, ["plain"]),
        ({"q": "TEAS"}, ["tea"]),
        ({"q": "beth"}, []),
        ({"since": "2001-01-01T00:00:00"}, ALL),
        ({"since": "2100-01-01T00:00:00Z"}, []),
        ({"uri": "viking://"}, ALL),
        ({"uri": "viking://user"}, ["contact", "ada", "session", "travel", "tea", "plain"]),
        ({"uri": "viking://user/bob/memories"}, [one for one in ALL if one != "agent"]),
        ({"uri": "viking://user/bob/memories/preferences/"}, ["tea"]),
        ({"uri": "viking://user/memories/preferences"}, ["tea"]),
        ({"uri": "viking://user/bob/elsewhere"}, []),
        ({"uri": "viking://agent/default"}, ["agent"]),
        ({"uri": "viking://agent/skills"}, ["agent"]),
        ({"uri": "viking://session/s1"}, []),
        ({"uri": "viking://resources"}, []),
        ({"kind": "facts", "agent": "ada", "user": "bob", "state": "kept", "q": "ada"}, ["ada"]),
    ],
    ids=str,
)
def test_filters(many, listed, query, found):
    assert listed(**query) == found


def test_the_contact_and_an_address_of_one_memory(many, listed):
    assert listed(contact=many["contact_id"]) == ["contact"]
    assert listed(uri=many["tea"]["uri"]) == ["tea"]
    assert listed(uri=many["tea"]["uri"].replace("preferences", "facts")) == []
    assert listed(uri=f"viking://user/bob/memories/facts/{many['beth']['id']}") == []


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        *(({name: "nonsense"}, 400, "INVALID_ARGUMENT") for name in ("scope", "kind", "state")),
        *(({name: "nonsense"}, 400, "INVALID_ARGUMENT") for name in ("salience", "source")),
        ({"q": "x" * 201}, 400, "INVALID_ARGUMENT"),
        ({"contact": "nobody"}, 422, "INVALID_ARGUMENT"),
        ({"since": "yesterday"}, 422, "INVALID_ARGUMENT"),
        ({"uri": "http://x"}, 400, "INVALID_URI"),
        ({"uri": "viking://user/bob//x"}, 400, "INVALID_URI"),
        ({"uri": "viking://user/beth"}, 403, "PERMISSION_DENIED"),
        ({"uri": "viking://agent/ada"}, 403, "PERMISSION_DENIED"),
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/memories", "/memories/facets"])
def test_values_that_are_refused(api, cast, path, query, status, code):
    assert api.get(path, cast.bob.headers).status == 200
    answer = api.get(path, cast.bob.headers, **query)
    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 201}, {"cursor": "nonsense"}], ids=str)
def test_pages_that_are_refused(api, cast, query):
    assert api.get("/memories", cast.bob.headers, limit=200).status == 200
    assert api.get("/memories", cast.bob.headers, **query).status == 400


def test_an_admin_lists_the_account_and_may_name_any_namespace(many, cast, listed):
    assert listed(cast.alice.headers) == ["beth", *ALL]
    assert listed(cast.alice.headers, uri="viking://user/beth") == ["beth"]
    assert listed(cast.alice.headers, uri="viking://user/nobody") == []
    assert listed(cast.alice_as("beth")) == ["beth", "agent"]


def test_a_cursor_stands_while_rows_come_and_go(api, cast, remember):
    bob = cast.bob.headers
    ids = [remember(bob, f"Number {n}.")["id"] for n in range(6)]
    first = api.get("/memories", bob, limit=2)
    remember(bob, "Newer.")
    assert api("DELETE", f"/memories/{ids[3]}", bob).status == 200
    assert api("PATCH", f"/memories/{ids[0]}", bob, {"content": "Changed."}).status == 200
    second = api.get("/memories", bob, limit=2, cursor=first.body["page"]["next"])
    third = api.get("/memories", bob, limit=2, cursor=second.body["page"]["next"])
    seen = [[row["id"] for row in page.result] for page in (first, second, third)]
    assert seen == [[ids[5], ids[4]], [ids[2], ids[1]], [ids[0]]]
    assert third.body["page"]["next"] is None


class TestStates:
    @pytest.fixture(autouse=True)
    def states(self, cast, remember):
        bob, soon = cast.bob.headers, "2100-01-01T00:00:00Z"
        for state in ("active", "quarantined", "superseded", "deleted"):
            made = remember(bob, state, expires_at=soon)
            with tenancy.account(cast.north):
                Memory.objects.filter(pk=made["id"]).update(state=state)
        made = remember(bob, "expired", expires_at=soon)
        with tenancy.account(cast.north):
            rows = Memory.objects.filter(pk=made["id"])
            rows.update(expires_at=rows.get().created_at)

    @pytest.mark.parametrize(
        ("state", "found"),
        [
            ("", "active"),
            ("active", "active"),
            ("quarantined", "quarantined"),
            ("superseded", "superseded"),
            ("deleted", "deleted"),
            ("expired", "expired"),
            ("kept", "expired superseded quarantined active"),
            ("any", "expired deleted superseded quarantined active"),
        ],
    )
    def test_list_and_facets(self, api, cast, listed, state, found):
        assert listed(state=state) == found.split()
        counts = api.get("/memories/facets", cast.bob.headers, state=state).result
        assert counts["total"] == len(found.split())
        assert counts["state"] == dict.fromkeys(
            ("active", "quarantined", "superseded", "deleted", "expired"), 1
        )

    def test_what_hides_each(self, api, cast):
        rows = api.get("/memories", cast.bob.headers, state="any").result
        assert {row["content"]: row["hidden_by"] for row in rows} == {
            "active": None,
            "quarantined": "quarantine",
            "superseded": None,
            "deleted": None,
            "expired": "expired",
        }


@pytest.mark.usefixtures("many")
class TestFacets:
    def test_they_are_what_the_lists_would_find(self, api, cast, listed):
        for headers in (cast.bob.headers, cast.alice.headers, cast.beth.headers):
            counts = api.get("/memories/facets", headers).result
            assert counts["total"] == len(listed(headers))
            for name in ("scope", "kind", "state", "salience"):
                assert sum(counts[name].values()) == counts["total"]
                for value, number in counts[name].items():
                    assert len(listed(headers, **{name: value})) == number

    def test_one_facet_does_not_narrow_itself(self, api, cast, listed):
        asked = {"kind": "preferences", "salience": "high", "scope": "user"}
        for name, other in itertools.permutations(asked, 2):
            query = {name: asked[name], other: asked[other]}
            counts = api.get("/memories/facets", cast.bob.headers, **query).result
            assert counts["total"] == len(listed(**query))
            for value, number in counts[name].items():
                assert number == len(listed(**{**query, name: value}))

    @pytest.mark.parametrize("query", [{"q": "tea"}, {"topics": "travel"}, {"agent": "ada"}])
    def test_the_other_filters_narrow_them(self, api, cast, listed, query):
        counts = api.get("/memories/facets", cast.bob.headers, **query).result
        assert counts["total"] == len(listed(**query)) == 1


class TestAsOf:
    def test_what_was_said_then(self, api, cast, remember, listed):
        bob = cast.bob.headers
        made = remember(bob, "Takes tea.", topic_key="drink")
        then = made["updated_at"]
        again = remember(bob, "Takes coffee.", topic_key="drink")
        later = remember(bob, "Later.")
        assert listed() == ["Later.", "Takes coffee."]
        assert listed(as_of=then) == ["Takes tea."]
        assert listed(as_of=again["updated_at"]) == ["Takes coffee."]
        assert listed(as_of=later["updated_at"]) == ["Later.", "Takes coffee."]
        before = datetime.fromisoformat(then) - timedelta(microseconds=1)
        assert listed(as_of=before.isoformat()) == []
        (row,) = api.get("/memories", bob, as_of=then).result
        assert (row["id"], row["version"], row["hidden_by"]) == (made["id"], 1, None)
        assert row["updated_at"] == then

    def test_what_was_deleted_since_is_in_it(self, api, cast, remember, listed):
        made = remember(cast.bob.headers)
        api("DELETE", f"/memories/{made['id']}", cast.bob.headers)
        assert listed() == []
        assert listed(as_of=made["updated_at"]) == ["Takes tea."]
        assert listed(as_of="2100-01-01T00:00:00Z", state="deleted") == ["Takes tea."]

    def test_filters_facets_and_words_are_of_then(self, api, cast, remember, listed):
        made = remember(cast.bob.headers, "Takes tea.", kind="preferences", topics=["drink"])
        then = made["updated_at"]
        path = f"/memories/{made['id']}"
        changes = {"content": "Takes coffee.", "kind": "facts", "topics": []}
        assert api("PATCH", path, cast.bob.headers, changes).status == 200
        for query in (
            *({"kind": "preferences"}, {"topics": "drink"}, {"q": "tea"}, {"user": "bob"}),
            {"uri": "viking://user/bob/memories/preferences"},
        ):
            assert listed(as_of=then, **query) == ["Takes tea."]
            counts = api.get("/memories/facets", cast.bob.headers, as_of=then, **query).result
            assert (counts["total"], counts["kind"]) == (1, {"preferences": 1})
        for query in ({"kind": "facts"}, {"q": "coffee"}, {"since": "2100-01-01T00:00:00Z"}):
            assert listed(as_of=then, **query) == []

    def test_who_may_see_it_is_as_of_now(self, cast, remember, listed, set_policy):
        made = remember(with_key(cast.bob.key, agent="ada"))
        then = made["updated_at"]
        assert listed(as_of=then) == ["Takes tea."]
        set_policy(isolate_user_scope_by_agent=True)
        assert listed(as_of=then) == []
        assert listed(with_key(cast.bob.key, agent="ada"), as_of=then) == ["Takes tea."]
        assert listed(cast.beth.headers, as_of=then) == []


def test_addresses_follow_the_policy(api, cast, remember, set_policy):
    ada = with_key(cast.bob.key, agent="ada")
    made = remember(ada)
    plain = f"viking://user/bob/memories/facts/{made['id']}"
    split = f"viking://user/bob/agent/ada/memories/facts/{made['id']}"
    (row,) = api.get("/memories", ada).result
    assert (row["uri"], row["owner_agent_id"]) == (plain, None)
    set_policy(isolate_user_scope_by_agent=True)
    (row,) = api.get("/memories", ada).result
    assert (row["uri"], row["owner_agent_id"]) == (split, "ada")
    assert api.get("/memories", ada, uri=split).result == [row]
    assert api.get("/memories", ada, uri=plain).status == 400
    assert api.get("/memories", cast.bob.headers, uri=split).status == 403
    found = api.get("/uris/resolve", ada, uri=split).result
    assert found == {
        "uri": split,
        "scope": "user",
        "owner_user_id": "bob",
        "owner_agent_id": "ada",
        "is_container": False,
        "policy_version": row["policy_version"],
    }
