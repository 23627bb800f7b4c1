"""The four policies as pure functions: the table of isolation.md, and what splits what."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.namespace import Policy, agent_root, session_uri, user_root

# isolation.md, Namespace policy, word for word.
TABLE = """
ff  viking://user/{u}            viking://agent/{a}
ft  viking://user/{u}            viking://agent/{a}/user/{u}
tf  viking://user/{u}/agent/{a}  viking://agent/{a}
tt  viking://user/{u}/agent/{a}  viking://agent/{a}/user/{u}
"""
ROWS = [line.split() for line in TABLE.split("\n") if line]
CODES = [row[0] for row in ROWS]

ids = st.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True)
codes = st.sampled_from(CODES)


def policy(code: str) -> Policy:
    return Policy(
        isolate_user_scope_by_agent=code[0] == "t", isolate_agent_scope_by_user=code[1] == "t"
    )


@pytest.mark.parametrize(("code", "of_users", "of_agents"), ROWS)
@given(u=ids, a=ids)
def test_roots_are_those_of_the_table(code, of_users, of_agents, u, a):
    assert policy(code).code == code
    assert user_root(policy(code), u, a) == of_users.format(u=u, a=a)
    assert agent_root(policy(code), u, a) == of_agents.format(u=u, a=a)


@given(codes, ids, ids, ids, ids)
def test_a_user_root_is_shared_only_as_the_policy_says(code, u1, u2, a1, a2):
    same = user_root(policy(code), u1, a1) == user_root(policy(code), u2, a2)
    assert same is (u1 == u2 and (code[0] == "f" or a1 == a2))


@given(codes, ids, ids, ids, ids)
def test_an_agent_root_is_shared_only_as_the_policy_says(code, u1, u2, a1, a2):
    same = agent_root(policy(code), u1, a1) == agent_root(policy(code), u2, a2)
    assert same is (a1 == a2 and (code[1] == "f" or u1 == u2))


@given(codes, ids, ids, ids, ids)
def test_the_two_scopes_never_share_a_root(code, u1, u2, a1, a2):
    user, agent = user_root(policy(code), u1, a1), agent_root(policy(code), u2, a2)
    assert not f"{user}/".startswith(f"{agent}/")
    assert not f"{agent}/".startswith(f"{user}/")


@given(codes, ids, ids, ids, ids)
def test_no_root_lies_inside_another_of_its_scope(code, u1, u2, a1, a2):
    """`uri=` matches prefixes, so a root below another would be seen through it."""
    for root in (user_root, agent_root):
        one, other = root(policy(code), u1, a1), root(policy(code), u2, a2)
        if one != other:
            assert not f"{one}/".startswith(f"{other}/")


@given(codes, ids, ids)
def test_who_reads_sessions_changes_no_root(code, u, a):
    closed = Policy(
        isolate_user_scope_by_agent=code[0] == "t",
        isolate_agent_scope_by_user=code[1] == "t",
        sessions_visible_to="participants",
        version=9,
    )
    assert closed.code == code
    assert user_root(closed, u, a) == user_root(policy(code), u, a)
    assert agent_root(closed, u, a) == agent_root(policy(code), u, a)


@given(st.from_regex(r"[a-zA-Z0-9_-]{1,128}", fullmatch=True))
def test_sessions_have_one_address_under_every_policy(session_id):
    assert session_uri(session_id) == f"viking://session/{session_id}"


def test_both_default_to_false():
    assert Policy().code == "ff"
    assert Policy().sessions_visible_to == "account"


@pytest.mark.parametrize(("code", "of_users", "of_agents"), ROWS)
def test_the_policy_page_prints_them(sign_in, set_policy, code, of_users, of_agents):
    set_policy(
        isolate_user_scope_by_agent=code[0] == "t", isolate_agent_scope_by_user=code[1] == "t"
    )
    browser = sign_in("alice")
    page = browser.get("/a/north/policy?user=bob&agent=default").content.decode()
    text = re.sub(r"<wbr>|<[^>]*>|\s+", "", unescape(page))
    assert of_users.format(u="bob", a="default") in text
    assert of_agents.format(u="bob", a="default") in text
    for _, any_user, any_agent in ROWS:  # the matrix shows all four
        assert any_user in text
        assert any_agent in text
