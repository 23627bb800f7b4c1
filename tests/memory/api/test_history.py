"""Every version that a memory had, whoever made it and by whichever way."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.principals.models import User
from memory.models import Memory
from tests.accounts.kit import make_contact


@pytest.fixture
def history(api, cast):
    """history(memory_id) → its versions, the newest first."""

    def of(memory_id, headers=None, **query):
        path = f"/memories/{memory_id}/history"
        answer = api.get(path, headers or cast.bob.headers, **query)
        assert answer.status == 200, answer.body
        return answer.result

    return of


@pytest.fixture
def patch(api, cast):
    def send(memory_id, **changes):
        answer = api("PATCH", f"/memories/{memory_id}", cast.bob.headers, changes)
        assert answer.status == 200, answer.body
        return answer.result

    return send


def fields(step):
    return {change["field"]: (change["before"], change["after"]) for change in step["changes"]}


def test_of_a_new_one_there_is_one_version(cast, remember, history):
    made = remember(cast.bob.headers)
    (only,) = history(made["id"])
    assert (only["version"], only["changes"], only["written_by"]) == (1, [], "bob")
    assert only["memory"]["content"] == "Takes tea."
    assert only["at"] == made["updated_at"]


def test_a_text_is_compared_word_by_word(cast, remember, patch, history):
    made = remember(cast.bob.headers, "Takes green tea, no sugar.")
    patch(made["id"], content="Takes black tea, no sugar at all.")
    newest, oldest = history(made["id"])
    (change,) = newest["changes"]
    assert change["field"] == "content"
    pieces = [(piece["change"], piece["text"]) for piece in change["pieces"]]
    assert pieces == [
        ("kept", "Takes "),
        ("removed", "green"),
        ("added", "black"),
        ("kept", " tea, no sugar"),
        ("added", " at all"),
        ("kept", "."),
    ]
    for side, word in (("removed", "before"), ("added", "after")):
        text = "".join(text for kind, text in pieces if kind in ("kept", side))
        assert text == change[word]
    assert (newest["memory"]["version"], oldest["memory"]["content"]) == (2, change["before"])


def test_each_field_that_changed_is_named_with_both_values(cast, remember, patch, history):
    made = remember(cast.bob.headers, topics=["tea"])
    changes = {
        "kind": "preferences",
        "topic_key": "tea",
        "summary": "Tea",
        "salience": "high",
        "topics": ["tea", "drinks"],
        "expires_at": "2100-01-01T00:00:00Z",
    }
    patch(made["id"], **changes)
    newest = history(made["id"])[0]
    found = fields(newest)
    assert found.pop("expires_at") == (None, "2100-01-01 00:00:00+00:00")
    assert found == {
        "kind": ("facts", "preferences"),
        "topic_key": (None, "tea"),
        "summary": ("", "Tea"),
        "salience": ("medium", "high"),
        "topics": (["tea"], ["tea", "drinks"]),
    }


def test_states_and_their_authors(api, cast, remember, history):
    made = remember(cast.bob.headers)
    path = f"/memories/{made['id']}"
    api.post(f"{path}/quarantine", cast.alice.headers)
    api.post(f"{path}/release", cast.alice.headers)
    api("DELETE", path, cast.root_as("bob"))
    api.post(f"{path}/restore", cast.bob.headers)
    steps = history(made["id"])
    assert [(step["memory"]["state"], step["written_by"]) for step in steps] == [
        ("active", "bob"),
        ("deleted", "root"),
        ("active", "alice"),
        ("quarantined", "alice"),
        ("active", "bob"),
    ]
    assert [step["version"] for step in steps] == [5, 4, 3, 2, 1]
    moments = [step["at"] for step in steps]
    assert moments == sorted(moments, reverse=True)
    assert len(set(moments)) == 5


def test_what_is_written_past_the_services_is_in_it(cast, remember, history):
    """Bulk and raw writes too: the trigger sees what the code forgets."""
    made = remember(cast.bob.headers)
    contact = make_contact(cast.north, "telegram", "1", owner="bob")
    with tenancy.account(cast.north):
        beth = User.objects.get(user_id="beth")
        rows = Memory.objects.filter(pk=made["id"])
        rows.update(contact=contact)
        row = rows.get()
        row.salience = "low"
        Memory.objects.bulk_update([row], ["salience"])
        tenancy.fetch_rows(
            "UPDATE memory_memory SET user_id = %(user)s, written_by = NULL WHERE id = %(id)s"
            " RETURNING id",
            {"user": beth.pk, "id": made["id"]},
        )
    newest, second, third, _ = history(made["id"], cast.alice.headers)
    assert fields(newest) == {"user_id": ("bob", "beth")}
    assert newest["written_by"] is None
    assert fields(second) == {"salience": ("medium", "low")}
    assert fields(third) == {"contact_id": (None, str(contact))}
    assert third["memory"]["contact_id"] == str(contact)


def test_a_write_that_changes_nothing_leaves_no_version(cast, remember, patch, history):
    made = remember(cast.bob.headers, topics=["tea"])
    again = patch(made["id"], content="Takes tea.", topics=["tea"])
    assert (again["version"], again["updated_at"]) == (1, made["updated_at"])
    with tenancy.account(cast.north):
        Memory.objects.filter(pk=made["id"]).update(content="Takes tea.")
    assert len(history(made["id"])) == 1


def test_it_is_read_in_pages(api, cast, remember, patch):
    made = remember(cast.bob.headers, "Version 1.")
    for number in range(2, 6):
        patch(made["id"], content=f"Version {number}.")
    found, cursor, path = [], None, f"/memories/{made['id']}/history"
    for _ in range(3):
        answer = api.get(path, cast.bob.headers, limit=2, **({"cursor": cursor} if cursor else {}))
        found += answer.result
        cursor = answer.body["page"]["next"]
    assert cursor is None
    assert [step["version"] for step in found] == [5, 4, 3, 2, 1]
    # the last of a page is compared with what stands on the next one
    assert [fields(step).get("content") for step in found] == [
        *((f"Version {n - 1}.", f"Version {n}.") for n in (5, 4, 3, 2)),
        None,
    ]
    for query in ({"cursor": "nothing"}, {"limit": 0}, {"limit": 201}):
        assert api.get(path, cast.bob.headers, **query).status == 400


def test_a_long_text_is_shown_whole(cast, remember, patch, history):
    made = remember(cast.bob.headers, "word " * 5_000 + "end")
    patch(made["id"], content="other " * 5_000 + "end")
    (change,) = history(made["id"])[0]["changes"]
    # What both end with is not compared word by word.
    assert [piece["change"] for piece in change["pieces"]] == ["removed", "added", "kept"]


def test_the_history_of_what_one_does_not_see_is_not_there(api, cast, remember):
    made = remember(cast.bob.headers)
    for headers, status in ((cast.bob.headers, 200), (cast.beth.headers, 404)):
        assert api.get(f"/memories/{made['id']}/history", headers).status == status
    assert api.get("/memories/nothing/history", cast.bob.headers).status == 404
