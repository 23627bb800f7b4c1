"""examples/gateway.py: what it makes of updates, and when it sends one again."""

from __future__ import annotations

import io
import json
from pathlib import Path

import httpx
import pytest

from examples import gateway

BASE = Path(__file__).resolve().parent.parent
SAMPLE = BASE / "examples" / "telegram_updates.jsonl"
GOT = {
    "sender": {"display_name": "Ana", "platform": "telegram", "kind": "external", "user_id": None},
    "contact": None,
    "session": None,
    "reply": "x",
}


def update(**message):
    said = {
        "message_id": 7,
        "date": 0,
        "from": {"id": 1, "first_name": "Ana", "last_name": "Reis", "username": "ana"},
        "chat": {"id": 1, "type": "private"},
        "text": "Hello",
    }
    return {"update_id": 1, "message": {**said, **message}}


class Answers:
    """A server that answers one after the other; a number is a status, an error is raised."""

    def __init__(self, *answers):
        self.left, self.sent, self.waited = list(answers), [], []

    def __call__(self, request):
        self.sent.append(request)
        answer = self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def asking(monkeypatch):
    """asking(*answers) → (api, server); it waits for nothing, and notes for how long."""

    def made(*answers):
        server = Answers(*answers)
        monkeypatch.setattr(gateway.time, "sleep", server.waited.append)
        http = httpx.Client(base_url="http://test", transport=httpx.MockTransport(server))
        return gateway.Bailiwick(http, "bwk_a.b.c"), server

    return made


def answer(status=200, **headers):
    body = {"status": "ok", "result": GOT} if status == 200 else {"error": {"message": "no"}}
    return httpx.Response(status, json=body, headers=headers)


def test_a_direct_message_names_its_sender_and_the_true_time():
    assert gateway.turn_of(update(), "counter") == {
        "platform": "telegram",
        "sender": {"id": "1", "name": "Ana Reis", "username": "ana"},
        "agent_id": "counter",
        "text": "Hello",
        "external_id": "7",
        "sent_at": "1970-01-01T00:00:00+00:00",
    }


def test_a_group_and_its_topic_are_named_beside_the_sender():
    chat = {"id": -5, "type": "supergroup", "title": "Allotment 14"}
    turn = gateway.turn_of(update(chat=chat, is_topic_message=True, message_thread_id=9), "counter")
    assert turn["chat"] == {"id": "-5", "kind": "group", "name": "Allotment 14"}
    assert turn["thread_key"] == "9"
    assert turn["sender"]["id"] == "1"
    # A reply in a group without topics has a thread's id too; it is no topic.
    assert "thread_key" not in gateway.turn_of(update(chat=chat, message_thread_id=9), "counter")


def test_a_code_takes_the_placeholders_place_and_no_other():
    assert gateway.turn_of(update(text="/link CODE"), "counter", "ABC")["text"] == "/link ABC"
    assert gateway.turn_of(update(text="/link CODE"), "counter")["text"] == "/link CODE"
    assert gateway.turn_of(update(text="My CODE"), "counter", "ABC")["text"] == "My CODE"


@pytest.mark.parametrize(
    ("passed_over", "why"),
    [
        ({"update_id": 1, "edited_message": {}}, "edited_message"),
        (update(text=None), "no words"),
        ({"update_id": 1, "message": {"text": "Hello", "sender_chat": {}}}, "no sender"),
    ],
)
def test_what_is_no_turn_is_passed_over_and_not_sent(asking, passed_over, why, capsys):
    api, server = asking(answer())
    lines = io.StringIO("\n".join(json.dumps(one) for one in (passed_over, update())))
    printer = gateway.feed(api, lines, "counter", None)
    assert (printer.skipped, printer.turns, len(server.sent)) == (1, 1, 1)
    assert why in capsys.readouterr().out


def test_a_turn_is_sent_again_when_the_server_asks_for_it(asking):
    api, server = asking(
        answer(429, **{"Retry-After": "3"}),
        answer(503, **{"Retry-After": "999"}),
        httpx.ConnectError("gone"),
        answer(503),
        answer(),
    )
    assert api.ask("POST", "/inbound", {"text": "Hello"}) == GOT
    assert server.waited == [3, gateway.LONGEST_WAIT, 2, 4]
    assert {request.content for request in server.sent} == {b'{"text":"Hello"}'}


def test_it_gives_up_after_some_attempts_and_at_once_where_waiting_cannot_help(asking):
    api, server = asking(*[answer(503)] * gateway.ATTEMPTS)
    with pytest.raises(gateway.Problem, match="503: no"):
        api.ask("POST", "/inbound")
    assert len(server.sent) == gateway.ATTEMPTS

    api, server = asking(*[httpx.ReadTimeout("slow")] * gateway.ATTEMPTS)
    with pytest.raises(httpx.ReadTimeout):
        api.ask("POST", "/inbound")
    assert len(server.sent) == gateway.ATTEMPTS

    api, server = asking(answer(412))
    with pytest.raises(gateway.Problem, match="412: no"):
        api.ask("POST", "/inbound")
    assert server.waited == []


def test_a_line_that_is_no_update_ends_the_run_with_its_number(asking):
    api, server = asking(answer())
    lines = io.StringIO(json.dumps(update()) + "\n\nnonsense\n")
    with pytest.raises(gateway.Problem, match="line 3"):
        gateway.feed(api, lines, "counter", None)
    assert len(server.sent) == 1
    with pytest.raises(gateway.Problem, match="another layout"):
        gateway.turn_of(update(chat={}), "counter")


def test_the_sample_holds_what_the_guide_says_of_it():
    updates = list(gateway.updates_in(io.StringIO(SAMPLE.read_text(encoding="utf-8"))))
    messages = [one["message"] for one in updates if "message" in one]
    anas = {one["from"]["id"] for one in messages if one["from"]["first_name"] == "Ana"}
    assert len(anas) == 2
    assert any(one["chat"]["type"] == "group" for one in messages)
    assert len({one["update_id"] for one in updates}) == len(updates) - 1
    assert [one["text"] for one in messages].count(gateway.PLACEHOLDER) == 1
