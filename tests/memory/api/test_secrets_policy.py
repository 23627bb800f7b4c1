"""`secret_policy`: what becomes of keys, card numbers and passwords, wherever they are written."""

from __future__ import annotations

import pytest

from tests.memory.kit import past
from tests.rows import all_text, row_counts

CARD = "4111 1111 1111 1111"
MARK = "[redacted: card number]"
PLACES = {
    "content": (f"Pays with {CARD}.", f"Pays with {MARK}."),
    "summary": (f"Card {CARD}", f"Card {MARK}"),
    "topic_key": (f"card {CARD}", f"card {MARK}"),
    "topics": ([f"card {CARD}", "money"], [f"card {MARK}", "money"]),
}
each_place = pytest.mark.parametrize("place", PLACES)


@each_place
def test_redacted_by_default(cast, remember, place):
    sent, kept = PLACES[place]
    made = remember(cast.bob.headers, **{place: sent})
    assert (made[place], made["redacted"]) == (kept, 1)
    assert CARD not in all_text(cast.north.schema_name)


@each_place
def test_redacted_in_a_change_too(api, cast, remember, place):
    made = remember(cast.bob.headers)
    sent, kept = PLACES[place]
    path = f"/memories/{made['id']}"
    changed = api("PATCH", path, cast.bob.headers, {place: sent, "salience": "low"}).result
    assert (changed[place], changed["redacted"], changed["salience"]) == (kept, 1, "low")
    assert CARD not in all_text(cast.north.schema_name)


@each_place
def test_refused_where_the_account_keeps_none(api, cast, remember, set_settings, place):
    set_settings(secret_policy="refuse")
    made = remember(cast.bob.headers)
    before = row_counts(cast.north)
    sent, _ = PLACES[place]
    for method, path in (("POST", "/memories"), ("PATCH", f"/memories/{made['id']}")):
        answer = api(method, path, cast.bob.headers, {"content": "Pays by card.", place: sent})
        assert (answer.status, answer.code) == (400, "INVALID_ARGUMENT")
        assert answer.body["error"]["details"]["field"] == place
        assert "card number" in answer.body["error"]["message"]
        assert CARD not in str(answer.body)
    assert row_counts(cast.north) == before
    assert remember(cast.bob.headers, "Pays by card.")["redacted"] == 0


@each_place
def test_kept_where_the_account_looks_for_none(cast, remember, set_settings, place):
    set_settings(secret_policy="off")
    sent, _ = PLACES[place]
    made = remember(cast.bob.headers, **{place: sent})
    assert (made[place], made["redacted"]) == (sent, 0)


def test_several_are_counted_and_none_is_in_the_log_or_the_history(acting, cast, remember):
    made = remember(
        cast.bob.headers, f"Cards {CARD} and 5555 5555 5555 4444.", summary=CARD, topic_key="card"
    )
    again = remember(cast.bob.headers, f"Only {CARD}.", topic_key="card")
    assert (made["redacted"], again["redacted"], again["version"]) == (3, 1, 2)
    acting("bob")
    assert [one.content for one in past(made["id"])] == [
        f"Cards {MARK} and {MARK}.",
        f"Only {MARK}.",
    ]
    assert CARD not in all_text(cast.north.schema_name)


def test_two_topics_of_different_cards_are_one_topic(cast, remember):
    """The mark stands in the identity too: the secret cannot be told from the row."""
    first = remember(cast.bob.headers, topic_key=f"card {CARD}")
    again = remember(cast.bob.headers, topic_key="card 5555 5555 5555 4444")
    assert (again["id"], again["created"]) == (first["id"], False)


def test_a_mark_never_makes_a_text_too_long(cast, remember):
    text = "x" * (500 - len(CARD) - 1) + " " + CARD
    made = remember(cast.bob.headers, summary=text)
    assert len(made["summary"]) == 500
    assert CARD not in made["summary"]
