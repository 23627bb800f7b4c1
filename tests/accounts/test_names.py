"""The rule on ids that people choose."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.errors import InvalidArgument
from accounts.names import check_id, check_new_id, check_session_id

ALPHABET = "abcxyzABCXYZ0189_-"
ids = st.text(ALPHABET, min_size=1, max_size=64)
anything = st.text(st.characters() | st.sampled_from(ALPHABET), max_size=140)


def accepts(check, *arguments):
    try:
        return check(*arguments) == arguments[0]
    except InvalidArgument:
        return False


@given(anything | ids)
@example("a\n")
@example("\u0661")
@example("x" * 65)
def test_ids_match_the_pattern(value):
    expected = re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", value) is not None
    assert accepts(check_id, value, "agent_id") is expected


@given(anything | st.text(ALPHABET, min_size=1, max_size=140))
@example("x" * 128)
@example("x" * 129)
def test_session_ids_may_be_longer(value):
    expected = re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", value) is not None
    assert accepts(check_session_id, value) is expected


@given(ids)
def test_new_ids_are_a_subset(value):
    if accepts(check_new_id, value, "user_id"):
        assert accepts(check_id, value, "user_id")


@given(st.uuids(), st.booleans(), st.booleans())
def test_nothing_shaped_like_a_uuid_is_new(value, dashes, upper):
    text = str(value) if dashes else value.hex
    text = text.upper() if upper else text
    assert UUID(text) == value
    assert accepts(check_id, text, "user_id")
    assert not accepts(check_new_id, text, "user_id")


@pytest.mark.parametrize(
    "word",
    ["default", "test", "root", "system", "memories", "skills", "instructions", "workspaces"],
)
@given(data=st.data())
def test_reserved_words_are_refused_in_any_case(word, data):
    flips = data.draw(st.lists(st.booleans(), min_size=len(word), max_size=len(word)))
    spelled = "".join(
        letter.upper() if flip else letter for letter, flip in zip(word, flips, strict=True)
    )
    assert accepts(check_id, spelled, "agent_id")
    assert not accepts(check_new_id, spelled, "agent_id")
    assert accepts(check_new_id, f"{spelled}-2", "agent_id")


def test_refusals_name_the_field_and_the_pattern():
    with pytest.raises(InvalidArgument) as refused:
        check_id("a b", "agent_id")
    assert refused.value.details == {"field": "agent_id", "pattern": "^[a-zA-Z0-9_-]{1,64}$"}
