"""Two accounts that differ only in what the caller may not see answer alike, to everything."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from accounts.actor import Operator
from accounts.models import NamespacePolicy
from accounts.principals.services import account_create, user_create
from tests.sessions_app.work import run_queued

# What is new each time: ids, times, cursors.
CHANGING = re.compile(
    r"msg_[0-9a-f]{32}|sess_[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
ALWAYS_NEW = {"request_id": "new", "trace_id": "new", "next": "more"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
ABSENT = "01234567-89ab-7def-8123-456789abcdef"


@dataclass
class Place:
    """One of the two accounts."""

    account_id: str
    keys: dict[str, str]

    def of(self, user: str, **more: str) -> dict[str, str]:
        return {"X-API-Key": self.keys[user], **more}

    def walter(self) -> dict[str, str]:
        return self.of("bob", **{"X-OpenViking-Actor-Peer": "walter"})


class Questioner:
    """Asks both places the same, in each of its ways, and holds the answers together."""

    def __init__(self, api: Any, places: list[Place], *ways: Callable[[Place], Any]) -> None:
        self.api, self.places, self.ways = api, places, ways

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> list[Any]:
        """All answers."""
        found = []
        for way in self.ways:
            answers = [self.api(method, path, way(place), body, **query) for place in self.places]
            one, two = (
                (answer.status, normal(answer.body, place.account_id))
                for answer, place in zip(answers, self.places, strict=True)
            )
            assert one == two, f"{method} {path} {query}"
            found += answers
        return found

    def pages(self, path: str, **query: Any) -> int:
        """All pages of a list, in both places at once; how many there were at most."""
        return max(self._pages(way, path, query) for way in self.ways)

    def _pages(self, way: Callable[[Place], Any], path: str, query: dict[str, Any]) -> int:
        cursors: list[str | None] = [None, None]
        for number in range(1, 50):
            found = []
            for place, cursor in zip(self.places, cursors, strict=True):
                more = {"cursor": cursor} if cursor else {}
                answer = self.api("GET", path, way(place), **query, **more)
                found.append((normal(answer.body, place.account_id), answer))
            assert found[0][0] == found[1][0], (path, query, number)
            cursors = [answer.body["page"]["next"] for _, answer in found]
            if cursors[0] is None:
                return number
        raise AssertionError("no end")


def normal(body: dict[str, Any], account_id: str) -> Any:
    """The answer without what is new each time; equal ids stay equal."""
    numbers: Iterator[int] = count()
    seen: dict[str, str] = {}

    def plain(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: plain(one, key) for key, one in value.items()}
        if isinstance(value, list):
            return [plain(one) for one in value]
        if not isinstance(value, str):
            return value
        if name in ALWAYS_NEW:
            value = ALWAYS_NEW[name]
        text = MOMENT.sub("then", value.replace(account_id, "place"))
        return CHANGING.sub(lambda found: seen.setdefault(found[0], f"id-{next(numbers)}"), text)

    return plain(body)


def furnish(api: Any, place: Place, *, hidden: bool) -> None:
    """What everyone sees in both places; with `hidden` also what Bob and Walter must not see."""
    bob, beth, walter = place.of("bob"), place.of("beth"), place.walter()

    def say(headers: dict[str, str], session_id: str, text: str, **more: Any) -> None:
        assert api.say(headers, session_id, text, **more).status == 200

    def secret(headers: dict[str, str], session_id: str, **fork: Any) -> None:
        if hidden:
            body = {"session_id": session_id, "title": "Secret plan", "thread_key": "t", **fork}
            assert api.post("/sessions", headers, body).status == 200
            say(headers, session_id, "The secret train to Porto")
            api.post(f"/sessions/{session_id}/commit", headers, {})

    secret(beth, "beths-first")
    say(bob, "shared", "The train to Porto")
    say(bob, "shared", "Good", role="assistant")
    secret(beth, "beths-second", parent_session_id="shared")
    api.post("/sessions", bob, {"session_id": "bobs", "title": "Porto", "thread_key": "t"})
    if hidden:
        fork = {"session_id": "fork", "parent_session_id": "beths-first"}
        assert api.post("/sessions", bob, fork).status == 200
    else:
        assert api.post("/sessions", bob, {"session_id": "fork"}).status == 200
    say(bob, "fork", "A fork in the road")
    api.post("/sessions/shared/commit", bob, {"keep_recent_count": 1})
    secret(beth, "beths-third")
    say(walter, "walters", "Hello, it is Walter")
    api.post("/sessions/walters/commit", walter, {})
    secret(beth, "beths-fourth")
    if hidden:
        api.post("/sessions/start", beth, {"thread_key": "t"})
        beths_peer = place.of("beth", **{"X-OpenViking-Actor-Peer": "walter"})
        secret(beths_peer, "beths-walter")
    run_queued()
    say(bob, "shared", "After the archive")


@pytest.fixture
def places(api, cast):
    """Two accounts alike in all that Bob may see; in the first there is more."""
    root, made = Operator(), []
    for account_id in ("east", "west"):
        account = account_create(actor=root, account_id=account_id, admin_user_id="alice")
        keys = {"alice": account.user_key}
        for user_id in ("bob", "beth"):
            keys[user_id] = user_create(actor=root, account=account.ref, user_id=user_id).user_key
        made.append(Place(account_id, keys))
        furnish(api, made[-1], hidden=account_id == "east")
        NamespacePolicy.objects.filter(account_id=account.ref.id).update(
            sessions_visible_to="participants"
        )
    return made


HIDDEN = ("beths-first", "beths-second", "beths-third", "beths-fourth", "beths-walter")
SHOWN = ("shared", "bobs", "fork", "walters")


def as_bob(place: Place) -> dict[str, str]:
    return place.of("bob")


def as_admin_for_bob(place: Place) -> dict[str, str]:
    return place.of("alice", **{"X-Bailiwick-User": "bob"})


@pytest.fixture
def bob(api, places):
    return Questioner(api, places, as_bob, as_admin_for_bob)


def test_the_places_do_differ(api, places):
    """Else the tests below would show nothing."""
    counts = [len(api.get("/sessions", place.of("alice")).result) for place in places]
    assert counts[0] >= counts[1] + 4
    texts = [
        [row["session_id"] for row in api.get("/sessions", place.of("beth")).result]
        for place in places
    ]
    assert texts[0]
    assert not texts[1]
    theirs = api.get("/tasks", places[0].of("beth")).result
    assert theirs
    for row in theirs:
        for method, path in (("GET", ""), ("POST", "/cancel")):
            found = [
                api(method, f"/tasks/{row['task_id']}{path}", place.of("bob")) for place in places
            ]
            assert {answer.status for answer in found} == {404}
            assert normal(found[0].body, "") == normal(found[1].body, "")


def test_everything_that_is_read(bob):
    ask_for_lists(bob)
    ask_for_what_is_seen(bob)
    ask_for_tasks(bob)
    for path in ("/whoami", "/agents", "/agents/default", "/agents/none"):
        bob.ask("GET", path)


def ask_for_lists(bob):
    for limit in (1, 2, 3, 200):
        assert bob.pages("/sessions", limit=limit) >= 1
    for query in (
        {"q": "secret"},
        {"q": "train"},
        {"q": "porto"},
        {"q": "Walter"},
        {"q": "nothing at all"},
        {"user": "beth"},
        {"user": "bob"},
        {"agent": "default"},
        {"agent": "ada"},
        {"participant": "beth"},
        {"participant": "bob"},
        {"participant": "default"},
        {"thread_key": "t"},
        {"state": "active"},
        {"state": "ended"},
        {"since": "2020-01-01T00:00:00Z"},
        {"contact": ABSENT},
        {"q": "train", "user": "beth"},
    ):
        bob.pages("/sessions", limit=1, **query)


def ask_for_what_is_seen(bob):
    for session_id in SHOWN:
        for path in ("", "/messages", "/context", "/archives/archive_001", "/archives/2"):
            bob.ask("GET", f"/sessions/{session_id}{path}")
        for budget in (0, 5, 40, 1000):
            bob.ask("GET", f"/sessions/{session_id}/context", token_budget=budget)
        bob.ask("GET", f"/sessions/{session_id}/messages", after_seq=1, limit=1)
    forks = bob.ask("GET", "/sessions/fork")
    assert {answer.result["parent_session_id"] for answer in forks} == {None}


def test_what_is_not_seen_is_absent(bob):
    for session_id in (*HIDDEN[1:3], HIDDEN[-1], "never-there"):
        for path in ("", "/messages", "/context", "/archives/archive_001"):
            found = bob.ask("GET", f"/sessions/{session_id}{path}")
            assert {answer.status for answer in found} == {404}
        for path in ("/commit", "/used", "/archives/1/retry", "/archives/1/skip", "/extract"):
            found = bob.ask("POST", f"/sessions/{session_id}{path}", {})
            assert {answer.status for answer in found} == {404}
        assert bob.ask("PATCH", f"/sessions/{session_id}", {"title": "T"})[0].status == 404
        deleted = bob.ask("DELETE", f"/sessions/{session_id}")
        assert {answer.status for answer in deleted} == {404}
        fork = {"session_id": "new", "parent_session_id": session_id}
        assert bob.ask("POST", "/sessions", fork)[0].status == 404


def ask_for_tasks(bob):
    for limit in (1, 200):
        bob.pages("/tasks", limit=limit)
    for query in (
        {"status": "completed"},
        {"status": "pending"},
        {"resource_id": "shared"},
        {"resource_id": "beths-first"},
        {"task_type": "session_commit"},
    ):
        bob.ask("GET", "/tasks", **query)
    bob.ask("GET", f"/tasks/{ABSENT}")
    bob.ask("POST", f"/tasks/{ABSENT}/cancel")


def test_writing(bob):
    """Last: it changes both places in the same way."""
    bob.ask("POST", "/sessions/start", {"thread_key": "t"})
    bob.ask("POST", "/sessions/start", {"thread_key": "t"})
    bob.ask("POST", "/sessions/shared/messages", {"role": "user", "content": "One more"})
    bob.ask("POST", "/sessions/shared/commit", {})
    bob.ask("PATCH", "/sessions/fork", {"title": "T"})
    bob.pages("/sessions", limit=1)
    bob.pages("/tasks", limit=1)


def test_contact_is_told_nothing_of_its_owner_and_of_others(api, places):
    walter = Questioner(api, places, Place.walter)
    for limit in (1, 200):
        assert walter.pages("/sessions", limit=limit) == 1
    for query in ({"q": "secret"}, {"q": "train"}, {"q": "Walter"}, {"user": "bob"}):
        walter.ask("GET", "/sessions", **query)
    for session_id in (*SHOWN, *HIDDEN):
        for path in ("", "/messages", "/context", "/archives/archive_001"):
            walter.ask("GET", f"/sessions/{session_id}{path}")
    walter.ask("GET", "/tasks")
    walter.ask("GET", "/whoami")
    walter.ask("POST", "/sessions/start", {})
    walter.ask("POST", "/sessions/walters/messages", {"role": "user", "content": "More"})
