"""Turns of a chat channel, many at once, against two server processes."""

from __future__ import annotations

from collections import Counter
from random import Random

import httpx
import pytest

from tests.live import at_once, result

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

MANY = 64
TABLES = (
    "principals_contact",
    "principals_contacthandle",
    "principals_agent",
    "agent_sessions_session",
    "agent_sessions_message",
)
WHOLE = """
SELECT s.session_id, s.message_count, count(*) AS kept, min(m.seq) AS first, max(m.seq) AS last,
    count(DISTINCT m.contact_id) AS speakers
FROM agent_sessions_session s JOIN agent_sessions_message m ON m.session_id = s.id
GROUP BY s.id
"""


@pytest.fixture
def office(server):
    """An account, its admin's headers, and a channel's client."""
    account_id, alice = server.account()
    with server.client(alice) as client:
        body = {"user_id": "alice", "name": "channel", "scopes": ["read", "write", "gateway"]}
        key = result(client.post(f"/admin/accounts/{account_id}/keys", json=body))["user_key"]
    with server.client({"X-API-Key": key}) as channel:
        yield account_id, alice, channel


def turn(sender: str, number: int | str, **more: object) -> dict[str, object]:
    return {
        "platform": "telegram",
        "sender": {"id": sender, "name": "Ana"},
        "agent_id": "quinn",
        "text": f"turn {number}",
        "external_id": str(number),
        **more,
    }


def counts(server, account_id: str) -> dict[str, int]:
    return {
        table: server.rows(f"SELECT count(*) FROM {table}", account_id)[0]["count"]
        for table in TABLES
    }


def send(channel: httpx.Client, body: dict[str, object]) -> dict:
    """As a gateway does: once more when the answer says so."""
    for _attempt in range(5):
        answer = channel.post("/inbound", json=body)
        if answer.status_code != 503:
            break
    return result(answer)


def kept(answer: dict) -> tuple[str, str, int, str | None]:
    """What must be the same when a turn is delivered again."""
    return (
        answer["session"]["session_id"],
        answer["message"]["message_id"],
        answer["message"]["seq"],
        answer["contact"] and answer["contact"]["id"],
    )


def test_parallel_first_messages_of_one_sender_make_one_contact_and_one_session(server, office):
    account_id, _, channel = office
    answers = at_once(lambda number: send(channel, turn("dana", number)), MANY)
    assert len({answer["contact"]["id"] for answer in answers}) == 1
    assert len({answer["session"]["session_id"] for answer in answers}) == 1
    assert sorted(answer["message"]["seq"] for answer in answers) == list(range(1, MANY + 1))
    assert Counter(answer["session"]["is_new"] for answer in answers)[True] == 1
    made = {"principals_agent": 2, "agent_sessions_message": MANY}
    assert counts(server, account_id) == {**dict.fromkeys(TABLES, 1), **made}

    again = at_once(lambda number: send(channel, turn("dana", number)), MANY)
    assert [kept(one) for one in again] == [kept(one) for one in answers]
    assert counts(server, account_id) == {**dict.fromkeys(TABLES, 1), **made}


def test_fifty_new_senders_at_once_are_kept_apart(server, office):
    """Two turns of each, all together; then every turn again."""
    account_id, _, channel = office

    def say(number: int) -> dict:
        return send(channel, turn(f"sender-{number % 50}", number))

    answers = at_once(say, 100)
    for number, answer in enumerate(answers):
        others = [one for n, one in enumerate(answers) if n % 50 != number % 50]
        assert answer["contact"]["id"] not in {one["contact"]["id"] for one in others}
        said = {row["parts"][0]["text"] for row in answer["context"]["messages"]}
        assert said <= {f"turn {number % 50}", f"turn {number % 50 + 50}"}
    rows = server.rows(WHOLE, account_id)
    assert len(rows) == 50
    for row in rows:
        assert (row["message_count"], row["kept"], row["first"], row["last"]) == (2, 2, 1, 2)
        assert row["speakers"] == 1

    before = counts(server, account_id)
    assert before["principals_contact"] == 50
    assert [kept(one) for one in at_once(say, 100)] == [kept(one) for one in answers]
    assert counts(server, account_id) == before


def test_every_turn_delivered_several_times_at_once_is_taken_once(server, office):
    account_id, _, channel = office
    copies, turns = 8, 8
    answers = at_once(
        lambda number: send(channel, turn(f"sender-{number % turns % 2}", number % turns)),
        copies * turns,
    )
    for number in range(turns):
        assert len({kept(answer) for answer in answers[number::turns]}) == 1
    assert counts(server, account_id)["agent_sessions_message"] == turns
    for row in server.rows(WHOLE, account_id):
        assert (row["kept"], row["first"], row["last"]) == (turns // 2, 1, turns // 2)


def test_a_new_groups_new_members_make_one_group(server, office):
    """The same people write to the agent directly meanwhile, in any order."""
    account_id, _, channel = office
    order = list(range(MANY))
    Random(4711).shuffle(order)

    def say(place: int) -> tuple[int, dict]:
        number = order[place]
        group = {"chat": {"id": "-5", "kind": "group"}} if number % 2 else {}
        return number, send(channel, turn(f"member-{number // 2 % 8}", number, **group))

    answers = dict(at_once(say, MANY))
    in_group = [answer for number, answer in answers.items() if number % 2]
    direct = [answer for number, answer in answers.items() if not number % 2]
    assert len({answer["session"]["session_id"] for answer in in_group}) == 1
    assert len({answer["session"]["session_id"] for answer in direct}) == 8
    assert sorted(answer["message"]["seq"] for answer in in_group) == list(range(1, 33))
    speakers = {answer["sender"]["contact_id"] for answer in in_group}
    assert speakers == {answer["contact"]["id"] for answer in direct}
    assert counts(server, account_id)["principals_contact"] == 9


def test_parallel_resolving_makes_one(server, office):
    account_id, _, channel = office
    body = {"platform": "web", "platform_id": "dana", "auto_create": True}
    found = at_once(lambda _: result(channel.post("/contacts/resolve", json=body)), 32)
    assert len({one["contact"]["id"] for one in found}) == 1
    assert Counter(one["created"] for one in found) == {True: 1, False: 31}
    assert counts(server, account_id)["principals_contact"] == 1


def test_merges_that_cross_end_in_one_tree(server, office):
    """a into b and b into a at once: one of them is done, the other refused; never a ring."""
    account_id, alice, channel = office
    with server.client(alice) as admin:
        for round_ in range(8):
            a, b, c = (
                send(channel, turn(f"{name}-{round_}", 1))["contact"]["id"] for name in "abc"
            )
            pairs = [(a, b), (b, a), (b, c), (c, a)]

            def merge(number: int) -> int:
                first, into = pairs[number]  # noqa: B023 - done before the next round
                return admin.post(f"/contacts/{first}/merge", json={"into": into}).status_code

            statuses = at_once(merge, len(pairs))
            assert set(statuses) == {200, 409}
            rows = {
                str(row["id"]): row
                for row in server.rows(
                    "SELECT id, merged_into_id, root FROM principals_contact"
                    f" WHERE id IN ('{a}', '{b}', '{c}')",
                    account_id,
                )
            }
            for row in rows.values():
                at, steps = row, 0
                while at["merged_into_id"] is not None:
                    at, steps = rows[str(at["merged_into_id"])], steps + 1
                    assert steps < 3, rows
                assert row["root"] == at["id"], rows
            assert statuses.count(200) == sum(
                row["merged_into_id"] is not None for row in rows.values()
            )


def test_merging_while_both_write_loses_nothing(server, office):
    account_id, alice, channel = office
    a, b = (send(channel, turn(name, 0))["contact"]["id"] for name in "ab")
    with server.client(alice) as admin:

        def act(number: int) -> dict | None:
            if number == 0:
                result(admin.post(f"/contacts/{a}/merge", json={"into": b}))
                return None
            return send(channel, turn("ab"[number % 2], number))

        answers = at_once(act, 33)[1:]
        listed = result(admin.get("/sessions", params={"contact": a}))
    wrote = {answer["session"]["session_id"] for answer in answers}
    assert wrote <= {row["session_id"] for row in listed}
    assert sum(row["message_count"] for row in listed) == 34
    for row in server.rows(WHOLE, account_id):
        assert row["kept"] == row["message_count"] == row["last"]


def test_one_code_binds_one_sender(server, office):
    account_id, alice, channel = office
    with server.client(alice) as admin:
        code = result(admin.post("/handles/code"))["code"]
    said = {"text": f"/link {code}", "external_id": None}
    answers = at_once(lambda number: send(channel, turn(f"s{number}", 0, **said)), 16)
    linked = [answer for answer in answers if answer["sender"]["user_id"]]
    assert [answer["sender"]["user_id"] for answer in linked] == ["alice"]
    assert counts(server, account_id)["principals_contacthandle"] == 1
