"""Channels, contacts and owners against a plain model of who owns and who sees which session.

GATEWAY_STEPS=10000 runs that many steps, each run other ones; without it, a few hundred that are
always the same.
"""

# ruff: noqa: FBT001 - rules get their values by name

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from accounts import tenancy
from accounts.models import Account, NamespacePolicy
from sessions_app import access
from tests.accounts.kit import contact_header
from tests.cast import Answer, Api, Cast
from tests.sessions_app.channel import Channel, gateway_headers

STEPS = int(os.environ.get("GATEWAY_STEPS", "0"))
PER_RUN = 40  # steps from an empty account
SENDERS, GROUPS = ("s0", "s1", "s2", "s3"), ("g0", "g1")
AGENTS = ("quinn", "rex")
OWNERS = ("bob", "beth", "alice", "default")
names = st.sampled_from(SENDERS + GROUPS)
senders = st.sampled_from(SENDERS)
groups = st.sampled_from([None, None, *GROUPS])
agents = st.sampled_from(AGENTS)
threads = st.sampled_from([None, None, "t"])
owners = st.sampled_from(OWNERS)
picks = st.integers(0, 11)
# Everybody who may look: the owners, the channel's own user, and each contact by two keys; "at": by
# its address, which stands for the user when it is bound to one.
callers = st.sampled_from(
    [
        *(*OWNERS, "gate"),
        *(f"{key}/{name}" for key in ("gate", "alice", "at") for name in SENDERS + GROUPS),
    ]
)


@dataclass
class Talk:
    """What a session is, without a database. `contact`: the sender or group, by name."""

    owner: str
    agent: str
    contact: str | None
    thread: str | None
    moved: int
    current: bool = True
    ended: bool = False
    users: set[str] = field(default_factory=set)
    words: list[str] = field(default_factory=list)


@dataclass
class Turn:
    """What a channel sent, and what it got."""

    sender: str
    group: str | None
    agent: str
    thread: str | None
    number: str
    session_id: str
    message: dict[str, Any]


class Gateway(RuleBasedStateMachine):
    """Drives the API and the model side by side."""

    api: Api
    cast: Cast
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.talks: dict[str, Talk] = {}
        self.turns: list[Turn] = []
        self.ids: dict[str, str] = {}  # of the contacts
        self.merged: dict[str, str] = {}
        self.bound: dict[str, str] = {}
        self.scopes: dict[str, str] = {}  # of the agents that are registered
        self.shared = False
        self.visible_to = "account"
        self.now = 0
        self.block = transaction.atomic()
        self.block.__enter__()

    def teardown(self) -> None:
        try:
            for name in (*OWNERS, "gate", *(f"gate/{one}" for one in self.ids)):
                self.look_at_the_list(name)
        finally:
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)
            tenancy.leave()

    @initialize()
    def begin(self) -> None:
        tenancy.leave()
        self.channel = Channel(self.api, gateway_headers(self.cast.north))

    @invariant()
    def count(self) -> None:
        Gateway.steps += 1

    # --- the model ---

    def tick(self) -> int:
        self.now += 1
        return self.now

    def root(self, name: str | None) -> str | None:
        while name in self.merged:
            name = self.merged[name]
        return name

    def as_whom(self, caller: str) -> tuple[str, str]:
        """Whose key, or which user; and the contact, if one is named."""
        who, _, contact = caller.partition("/")
        if who == "at" and contact in self.bound:
            return self.bound[contact], ""
        return who, contact

    def sees(self, caller: str, talk: Talk) -> bool:
        who, contact = self.as_whom(caller)
        if contact:
            return talk.contact is not None and self.root(talk.contact) == self.root(contact)
        own = who == talk.owner or who in talk.users
        everyones = self.visible_to == "account" and talk.contact is None
        return who == "alice" or own or everyones

    def current(self, owner: str, agent: str, contact: str | None, thread: str | None) -> list[str]:
        """Current sessions of the contact's family, the one that is found first."""
        found = [
            (talk.moved, session_id)
            for session_id, talk in self.talks.items()
            if talk.current
            and (talk.owner, talk.agent, talk.thread) == (owner, agent, thread)
            and (talk.contact is None) is (contact is None)
            and self.root(talk.contact) == self.root(contact)
        ]
        return [session_id for _, session_id in sorted(found, reverse=True)]

    def whose(self, sender: str, group: str | None) -> tuple[str, str | None]:
        """The owner and the contact of the session that a turn belongs to."""
        if group is not None:
            return "default", self.root(group)
        if sender in self.bound:
            return self.bound[sender], None
        return "default", self.root(sender)

    def take(
        self, found: str, owner: str, agent: str, contact: str | None, thread: str | None
    ) -> Talk:
        """The session that get-or-create answered, which must be the model's, or new in both."""
        wanted = self.current(owner, agent, contact, thread)
        if wanted:
            assert found == wanted[0]
            return self.talks[found]
        assert found not in self.talks
        self.talks[found] = Talk(owner, agent, self.root(contact), thread, self.tick())
        return self.talks[found]

    # --- helpers ---

    def headers(self, caller: str) -> dict[str, str]:
        who, _, contact = caller.partition("/")
        if who in ("gate", "at"):
            headers = self.channel.headers
        elif who == "default":
            headers = self.cast.alice_as("default")
        else:
            headers = getattr(self.cast, who).headers
        if not contact:
            return headers
        named = f"telegram:{contact}" if who == "at" else self.ids[contact]
        return contact_header(headers, named)

    def known(self, caller: str) -> bool:
        contact = caller.partition("/")[2]
        return not contact or contact in self.ids

    def named(self, pick: int) -> str | None:
        known = list(self.talks)
        return known[pick % len(known)] if known else None

    def expect(self, answer: Answer, status: int) -> bool:
        assert answer.status == status, (answer.status, status, answer.body)
        return status == 200

    def admin(self, method: str, path: str, body: Any = None) -> Answer:
        return self.api(method, path, self.cast.alice.headers, body)

    # --- turns ---

    @rule(sender=senders, group=groups, agent=agents, thread=threads)
    def turn(self, sender: str, group: str | None, agent: str, thread: str | None) -> None:
        number = str(self.tick())
        more = {"thread_key": thread, "external_id": number}
        answer = self.channel.turn(sender, f"turn {number}", agent_id=agent, group=group, **more)
        scope = self.scopes.get(agent, "per_sender")
        apart = scope == "per_sender"
        if not self.expect(answer, 200 if apart or self.shared else 412):
            return
        self.scopes[agent] = scope
        found = answer.result
        owner, contact = self.whose(sender, group) if apart else ("default", None)
        if apart:
            self.meet(sender, group, found)
        talk = self.take(found["session"]["session_id"], owner, agent, contact, thread)
        talk.words.append(f"turn {number}")
        talk.moved = self.tick()
        if not apart:
            talk.users.add("default")
        elif sender in self.bound:
            talk.users.add(self.bound[sender])
        self.check_answer(found, talk, contact)
        self.turns.append(
            Turn(
                sender,
                group,
                agent,
                thread,
                number,
                found["session"]["session_id"],
                found["message"],
            )
        )

    def meet(self, sender: str, group: str | None, found: Any) -> None:
        """Contacts that were new have their ids now; the others have them still."""
        if group is not None:
            self.ids.setdefault(group, found["contact"]["id"])
        if sender not in self.bound:
            self.ids.setdefault(sender, found["sender"]["contact_id"])
            assert found["sender"]["contact_id"] == self.ids[self.root(sender) or ""]
        assert (found["sender"]["user_id"] or "") == self.bound.get(sender, "")

    def check_answer(self, found: Any, talk: Talk, contact: str | None) -> None:
        shown = found["contact"] and found["contact"]["id"]
        assert shown == (self.ids[contact] if contact else None)
        assert found["session"]["user_id"] == talk.owner
        assert found["message"]["seq"] == len(talk.words)
        self.check_words(found["context"]["messages"], talk)

    def check_words(self, rows: list[Any], talk: Talk) -> None:
        assert [row["parts"][0]["text"] for row in rows] == talk.words

    @rule(pick=picks)
    def deliver_again(self, pick: int) -> None:
        if not self.turns:
            return
        turn = self.turns[-1 - pick % len(self.turns)]
        answer = self.channel.turn(
            turn.sender,
            f"turn {turn.number}",
            agent_id=turn.agent,
            group=turn.group,
            thread_key=turn.thread,
            external_id=turn.number,
        )
        apart = self.scopes[turn.agent] == "per_sender"
        if self.expect(answer, 200 if apart or self.shared else 412):
            assert answer.result["message"] == turn.message
            assert answer.result["session"]["session_id"] == turn.session_id
            self.check_words(answer.result["context"]["messages"], self.talks[turn.session_id])

    # --- owners, and contacts by header ---

    @rule(caller=callers, agent=agents, thread=threads, force=st.booleans())
    def start(self, caller: str, agent: str, thread: str | None, force: bool) -> None:
        if not self.known(caller):
            return
        body = {"agent_id": agent, "thread_key": thread, "force_new": force}
        answer = self.api.post("/sessions/start", self.headers(caller), body)
        self.expect(answer, 200)
        who, named = self.as_whom(caller)
        contact = self.root(named) if named else None
        owner = "default" if named else who
        self.scopes.setdefault(agent, "per_sender" if named else "global")
        before = self.current(owner, agent, contact, thread)
        assert answer.result["is_existing"] is (bool(before) and not force)
        if force:
            for session_id in before:
                self.talks[session_id].current = False
        self.take(answer.result["session_id"], owner, agent, contact, thread)

    @rule(caller=callers, pick=picks)
    def append(self, caller: str, pick: int) -> None:
        name = self.named(pick)
        if name is None or not self.known(caller):
            return
        talk, text = self.talks[name], f"append {self.tick()}"
        answer = self.api.say(self.headers(caller), name, text)
        ended = 412 if talk.ended else 200
        if self.expect(answer, ended if self.sees(caller, talk) else 404):
            talk.words.append(text)
            talk.moved = self.tick()
            who, contact = self.as_whom(caller)
            if not contact:
                talk.users.add(who)

    @rule(pick=picks)
    def end(self, pick: int) -> None:
        name = self.named(pick)
        if name is not None:
            self.expect(self.admin("PATCH", f"/sessions/{name}", {"state": "ended"}), 200)
            self.talks[name].ended, self.talks[name].current = True, False

    # --- contacts ---

    @rule(first=names, other=names)
    def merge(self, first: str, other: str) -> None:
        if first not in self.ids or other not in self.ids:
            return
        path, body = f"/contacts/{self.ids[first]}/merge", {"into": self.ids[other]}
        root = self.root(other)
        fits = root != self.root(first) and first not in self.merged and first[0] == other[0]
        if self.expect(self.admin("POST", path, body), 200 if fits else 409):
            assert root is not None
            self.merged[first] = root

    @rule(name=names)
    def unmerge(self, name: str) -> None:
        if name in self.ids:
            answer = self.admin("POST", f"/contacts/{self.ids[name]}/unmerge")
            if self.expect(answer, 200 if name in self.merged else 409):
                del self.merged[name]

    @rule(name=names, user=st.sampled_from(["bob", "beth", None]))
    def bind(self, name: str, user: str | None) -> None:
        """Or, with None, undo it."""
        if name not in self.ids:
            return
        path = f"/contacts/{self.ids[name]}"
        (handle,) = (
            one["id"]
            for one in self.admin("GET", path).result["handles"]
            if one["platform_id"] == name
        )
        if user is None:
            answer = self.admin("POST", f"{path}/handles/{handle}/unbind")
            if self.expect(answer, 200 if name in self.bound else 404):
                del self.bound[name]
        else:
            answer = self.admin("POST", f"{path}/handles/{handle}/bind", {"user_id": user})
            if self.expect(answer, 409 if name in GROUPS else 200):
                self.bound[name] = user

    # --- settings ---

    @rule(agent=agents, scope=st.sampled_from(["global", "per_sender"]))
    def switch_scope(self, agent: str, scope: str) -> None:
        answer = self.admin("PATCH", f"/agents/{agent}", {"session_scope": scope})
        if self.expect(answer, 200 if agent in self.scopes else 404):
            self.scopes[agent] = scope

    @rule(shared=st.booleans())
    def switch_inbox(self, shared: bool) -> None:
        Account.objects.filter(pk=self.cast.north.id).update(settings={"shared_inbox": shared})
        self.shared = shared

    @rule(visible_to=st.sampled_from(["account", "participants"]))
    def switch_policy(self, visible_to: str) -> None:
        account = self.cast.north.id
        NamespacePolicy.objects.filter(account_id=account).update(sessions_visible_to=visible_to)
        self.visible_to = visible_to

    @rule()
    def restart(self) -> None:
        """What a process keeps in its memory is gone."""
        tenancy.forget("north")
        access._texts.clear()

    # --- looking ---

    @rule(caller=callers)
    def look_at_the_list(self, caller: str) -> None:
        if not self.known(caller):
            return
        found = self.api.get("/sessions", self.headers(caller), limit=200).result
        assert {row["session_id"]: row["message_count"] for row in found} == {
            name: len(talk.words) for name, talk in self.talks.items() if self.sees(caller, talk)
        }

    @rule(caller=callers, pick=picks)
    def look_at_one(self, caller: str, pick: int) -> None:
        name = self.named(pick)
        if name is None or not self.known(caller):
            return
        talk, headers = self.talks[name], self.headers(caller)
        status = 200 if self.sees(caller, talk) else 404
        if self.expect(self.api.get(f"/sessions/{name}", headers), status):
            found = self.api.get(f"/sessions/{name}", headers).result
            assert found["created_by_user_id"] == talk.owner
            assert found["contact_id"] == (self.ids[talk.contact] if talk.contact else None)
            assert set(found["participant_user_ids"]) == talk.users
        said = self.api.get(f"/sessions/{name}/messages", headers, limit=200)
        if self.expect(said, status):
            self.check_words(said.result, talk)
        context = self.api.get(f"/sessions/{name}/context", headers)
        if self.expect(context, status):
            self.check_words(context.result["messages"], talk)

    @rule(caller=callers, name=names)
    def look_by_contact(self, caller: str, name: str) -> None:
        """The list's filter, which takes either id of those that were merged."""
        if name not in self.ids or not self.known(caller):
            return
        query = {"contact": self.ids[name], "limit": 200}
        found = self.api.get("/sessions", self.headers(caller), **query).result
        assert {row["session_id"] for row in found} == {
            session_id
            for session_id, talk in self.talks.items()
            if self.sees(caller, talk)
            and talk.contact
            and self.root(talk.contact) == self.root(name)
        }


def test_the_gateway_agrees_with_the_model(api, cast, monkeypatch):
    monkeypatch.setattr("django.conf.settings.RATE_LIMIT", 0)
    machine = type("Machine", (Gateway,), {"api": api, "cast": cast})
    Gateway.steps = 0
    wanted = STEPS or 600
    while Gateway.steps < wanted:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=max(1, (wanted - Gateway.steps) // PER_RUN),
                stateful_step_count=PER_RUN,
                deadline=None,
                derandomize=not STEPS,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    print(f"{Gateway.steps} steps without a disagreement")  # noqa: T201 - seen with -s


def test_the_machine_notices_a_disagreement(api, cast):
    """Else the test above would show nothing."""
    Gateway.api, Gateway.cast = api, cast
    machine = Gateway()
    try:
        machine.begin()
        for name in SENDERS[:2]:
            machine.turn(name, None, "quinn", None)
        machine.look_at_the_list("gate/s0")
        machine.merged["s0"] = "s1"  # as the model would have it, had the merge been forgotten
        looks = (
            lambda: machine.look_at_the_list("gate/s0"),
            lambda: machine.look_by_contact("alice", "s1"),
            lambda: machine.turn("s0", None, "quinn", None),
        )
        disagrees = []
        for look in looks:
            try:
                look()
            except AssertionError:
                disagrees.append(look)
        assert len(disagrees) == len(looks)
        del machine.merged["s0"]
        machine.talks.clear()
    finally:
        transaction.set_rollback(True)
        machine.block.__exit__(None, None, None)
        tenancy.leave()
        del Gateway.api, Gateway.cast
