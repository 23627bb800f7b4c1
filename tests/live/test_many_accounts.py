"""Two accounts with equal session ids, asked in turn by many threads, never mix."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.live import Server, at_once, result, serving

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

THREADS = 16
ROUNDS = 4
SESSIONS = ("plan", "notes")


@dataclass(frozen=True)
class Side:
    """One of the two accounts, and the word that only it knows."""

    account_id: str
    headers: dict[str, str]
    pages: httpx.Client
    canary: str


def make_side(server: Server, email: str = "") -> Side:
    person = server.person(email)
    pages = server.pages(server.sign_in(person))
    side = Side(person.account_id, person.headers, pages, uuid4().hex)
    with server.client(side.headers) as client:
        for session_id in SESSIONS:
            body = {"session_id": session_id, "title": f"{session_id} {side.canary}"}
            result(client.post("/sessions", json=body))
    return side


def visits(client: httpx.Client, side: Side, other: Side, session_id: str):
    """One round: what each request answered, and the status that it should have."""
    path = f"/sessions/{session_id}"
    mine = side.headers
    said = {"role": "user", "content": f"{side.canary} says hello"}
    yield client.post(f"{path}/messages", json=said, headers=mine), 200
    yield client.get("/sessions", headers=mine), 200
    yield client.get("/sessions", params={"q": other.canary}, headers=mine), 200
    yield client.post(f"{path}/messages", json={"role": "nobody"}, headers=mine), 400
    yield client.get(f"{path}/messages", params={"limit": 200}, headers=mine), 200
    yield client.get("/sessions/absent", headers=mine), 404
    yield client.get(f"{path}/context", headers=mine), 200
    yield client.get(path, headers={**mine, "X-Bailiwick-Account": other.account_id}), 403
    yield client.get(path, headers=mine), 200
    yield client.post("/sessions", json={"session_id": session_id}, headers=mine), 409
    yield side.pages.get(f"/a/{side.account_id}{path}"), 200
    yield client.get(path, headers={"X-API-Key": f"{mine['X-API-Key']}x"}), 401
    yield side.pages.get(f"/a/{side.account_id}/sessions"), 200
    yield side.pages.get(f"/a/{side.account_id}/sessions/absent"), 404


def check_apart(server: Server) -> None:
    sides = make_side(server), make_side(server)
    with server.client() as client:

        def work(number: int) -> list[str]:
            side, other = sides[number % 2], sides[(number + 1) % 2]
            wrong = []
            for turn in range(ROUNDS):
                session_id = SESSIONS[(number + turn) % 4 // 2]
                for answer, expected in visits(client, side, other, session_id):
                    what = f"{answer.request.method} {answer.request.url} {answer.status_code}"
                    if answer.status_code != expected:
                        wrong.append(f"{what}, not {expected}: {answer.text[:200]}")
                    if other.canary in answer.text:
                        wrong.append(f"{what} has the other account's words")
            return wrong

        assert [line for lines in at_once(work, THREADS) for line in lines] == []

        for side in sides:
            client.headers.update(side.headers)
            counts = [result(client.get(f"/sessions/{one}"))["message_count"] for one in SESSIONS]
            assert sum(counts) == THREADS // 2 * ROUNDS
            texts = [
                message["parts"][0]["text"]
                for one in SESSIONS
                for message in result(client.get(f"/sessions/{one}/messages?limit=200"))
            ]
            assert set(texts) == {f"{side.canary} says hello"}
            side.pages.close()


def test_two_accounts_never_mix(server):
    check_apart(server)


def test_two_accounts_never_mix_when_threads_outnumber_connections(server):
    here = str(Path(__file__).parent)
    crowd = {"DJANGO_SETTINGS_MODULE": "small_pool", "PGAPPNAME": "crowd"}
    with serving(PYTHONPATH=here, **crowd) as crowded:
        check_apart(crowded)
        held = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'crowd'"
        assert server.rows(held)[0]["count"] in range(1, 2 * 2 + 1)  # two workers, two each


def test_one_person_in_two_accounts_sees_each_under_its_own_address(server):
    first = make_side(server)
    email = f"alice@{first.account_id}.example"
    second = make_side(server, email)
    browser = second.pages

    def work(number: int) -> None:
        side, other = (first, second)[:: 1 if number % 2 else -1]
        for path in ("/sessions", "/sessions/plan", "/policy", "/sessions?q=plan"):
            answer = browser.get(f"/a/{side.account_id}{path}")
            assert answer.status_code == 200
            assert other.canary not in answer.text
            assert side.canary in answer.text or path == "/policy"

    at_once(work, THREADS)
    for side in (first, second):
        side.pages.close()
