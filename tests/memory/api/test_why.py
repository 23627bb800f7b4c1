"""GET /memories/{id}/why: what may be asked, and about whom."""

from __future__ import annotations

import pytest

from accounts import tenancy
from memory.models import Memory
from tests.accounts.kit import make_contact
from tests.memory.kit import agent_row
from tests.rows import row_counts

ABSENT = "019f7b9c-1234-7abc-8def-0123456789ab"


@pytest.fixture
def why(api, cast):
    def ask(memory, headers=None, **query):
        return api.get(f"/memories/{memory['id']}/why", headers or cast.bob.headers, **query)

    return ask


def test_about_oneself(cast, remember, why):
    made = remember(cast.bob.headers)
    before = row_counts(cast.north)
    found = why(made).result
    assert found == {
        "visible": True,
        "clause": "user memories are split by user only",
        "listed": True,
        "listed_clause": "user memories are split by user only",
        "user_id": "bob",
        "agent_id": "default",
        "contact_id": None,
        "rank": None,
        "score": None,
        "policy_version": found["policy_version"],
    }
    assert row_counts(cast.north) == before


def test_about_others_an_admin_as_itself_asks(cast, remember, why, set_settings):
    set_settings(contact_consent="opt_out")
    made = remember(cast.bob.headers)
    contact = make_contact(cast.north, "telegram", "1", owner="bob")
    with tenancy.account(cast.north):
        agent_row("max")
    for query, clause in (
        ({"user": "bob"}, "user memories are split by user only"),
        ({"user": "beth"}, "it is another user's"),
        ({"user": "bob", "agent": "max"}, "the asking agent does not use structured memory"),
        ({"contact": str(contact)}, "a contact sees its own memories only"),
    ):
        found = why(made, cast.alice.headers, **query).result
        assert (found["clause"], found["visible"]) == (clause, clause.startswith("user memories"))
        for headers in (cast.bob.headers, cast.alice_as("bob"), cast.root_as("bob")):
            assert why(made, headers, **query).status == 403
    own = why(made, cast.alice.headers).result  # a role never widens recall
    assert (own["visible"], own["listed"]) == (False, True)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"user": "nobody"}, 404),
        ({"agent": "absent"}, 404),
        ({"contact": ABSENT}, 404),
        ({"contact": "nobody"}, 422),
        ({"query": "tea"}, 501),
    ],
    ids=str,
)
def test_what_cannot_be_asked(cast, remember, why, query, status):
    made = remember(cast.bob.headers)
    assert why(made, cast.alice.headers).status == 200
    assert why(made, cast.alice.headers, **query).status == status


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"state": "quarantined"}, "it is in quarantine"),
        ({"state": "deleted"}, "it is deleted"),
        ({"state": "superseded"}, "a newer memory superseded it"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "it has expired"),
    ],
    ids=str,
)
def test_what_withholds_it_is_named(cast, remember, why, change, clause):
    made = remember(cast.bob.headers)
    with tenancy.account(cast.north):
        Memory.objects.filter(pk=made["id"]).update(**change)
    found = why(made).result
    assert (found["visible"], found["clause"], found["listed"]) == (False, clause, True)
