"""Memories against a plain model of them: whatever is done in whichever order, both agree.

MEMORY_STEPS=10000 runs that many steps, each run other ones; without it, a few hundred that are
always the same.
"""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils.dateparse import parse_datetime
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
from accounts.principals.models import ApiKey, ContactHandle, User
from memory.models import Memory, Version
from memory.services import memories_prune
from tests.cast import Api, Cast
from tests.memory.kit import agent_row
from tests.memory.model import ADMIN, LAPSED, TO_COME, Caller, Refused, Said, Store

STEPS = int(os.environ.get("MEMORY_STEPS", "0"))
PER_RUN = 30  # steps from an empty account
RARE = 23
USERS, AGENTS = (ADMIN, "beth", "bob"), ("ada", "default")
NOTHING = "00000000-0000-7000-8000-000000000000"
FLAGS = ("isolate_user_scope_by_agent", "isolate_agent_scope_by_user")
COLUMNS = {
    "scope": "scope", "user": "user_id", "agent": "agent_id", "contact": "contact_id",
    "kind": "kind", "topic": "topic_key", "content": "content", "expires": "expires_at",
    "by": "written_by", "key": "written_key", "state": "state", "successor": "superseded_by_id",
}  # fmt: skip

ALICE, BOB = Caller(ADMIN, "default"), Caller("bob", "ada")
OTHERS = (Caller("bob", "default"), Caller("beth", "ada"), Caller(ADMIN, "ada"))
PEERS = (Caller("bob", "ada", peer=True), Caller(ADMIN, "ada", peer=True))
callers = st.sampled_from([ALICE, BOB, ALICE, BOB, *OTHERS, *PEERS])
picks = st.integers(0, RARE)
scopes = st.sampled_from(["user", "user", "agent"])
kinds = st.sampled_from(["facts", "decisions"])
topics = st.sampled_from([None, "a", "a", "b"])
expiries = st.sampled_from([None, None, TO_COME])
contents = st.integers(0, 4).map("Says {}.".format)
versions = st.sampled_from([None, 1, None, 2, None, 3, 99])
changes = st.fixed_dictionaries(
    {},
    optional={"content": contents, "kind": kinds, "topic": topics, "expires": expiries},
)
# Past the application: columns that no service changes, or not so.
raws = st.fixed_dictionaries(
    {},
    optional={
        "scope": scopes,
        "user": st.sampled_from(USERS),
        "agent": st.sampled_from(AGENTS),
        "contact": st.sampled_from([None, *(f"{user}/walter" for user in USERS)]),
        "kind": kinds,
        "topic": topics,
        "content": contents,
        "expires": st.sampled_from([None, LAPSED, LAPSED, TO_COME]),
        "by": st.sampled_from([None, *USERS]),
        "state": st.sampled_from(["active", "quarantined", "superseded", "deleted"]),
    },
)


class Memories(RuleBasedStateMachine):
    """Drives the API, the tables and the model side by side."""

    api: Api
    cast: Cast
    steps = 0

    def __init__(self):
        super().__init__()
        self.store = Store()
        self.moments = []
        self.block = transaction.atomic()
        self.block.__enter__()

    def teardown(self):
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)
        tenancy.leave()

    @initialize()
    def begin(self):
        tenancy.leave()
        row = Account.objects.get(pk=self.cast.north.id)
        row.settings = {"agent_memory_writers": "anyone", "contact_consent": "opt_out"}
        row.save(update_fields=["settings"])
        NamespacePolicy.objects.filter(account_id=row.pk).update(**self.flags("ff"))
        self.ids, self.names = {}, {}
        with tenancy.account(self.cast.north):
            for name in AGENTS:
                self.known("agent", name, agent_row(name, "structured").pk)
            for user in User.objects.filter(user_id__in=USERS):
                self.known("user", user.user_id, user.pk)
                self.known("key", user.user_id, ApiKey.objects.get(user=user).pk)
        for caller, scope, topic in (
            (BOB, "user", "a"),
            (BOB, "agent", "a"),
            (PEERS[0], "user", "b"),
            (OTHERS[1], "user", None),
        ):
            self.remember(caller, scope, "facts", topic, "Says 0.", None, [])
            self.remember_the_moment()

    # --- helpers ---

    def flags(self, code):
        return dict(zip(FLAGS, (letter == "t" for letter in code), strict=True))

    def known(self, what, name, key):
        self.ids[what, name], self.names[key] = key, name

    def headers(self, caller):
        peer = {"X-OpenViking-Actor-Peer": "walter"} if caller.peer else {}
        named = getattr(self.cast, caller.who)
        return {**named.headers, "X-Bailiwick-Agent": caller.agent, **peer}

    def named(self, pick):
        """One of the memories there are; seldom an id that nothing has."""
        known = [*self.store.kept]
        return known[pick % len(known)] if known and pick != RARE else NOTHING

    def agree(self, expected, answer):
        """Whether it was taken; the model has been asked before."""
        assert answer.status == expected, (answer.body, expected)
        return expected == 200

    def ask(self, act, *values):
        """What the product must answer with, and what the model says it did."""
        self.store.step += 1
        try:
            return 200, act(*values)
        except Refused as refused:
            return refused.status, None

    def meet_contacts(self):
        """The first write of a contact makes it."""
        handles = ContactHandle.objects.filter(platform="peer", platform_id="walter")
        for owner, key in handles.values_list("owner__user_id", "contact"):
            self.known("contact", f"{owner}/walter", key)

    def said(self, row):
        """A row of Version in the words of the model."""
        return Said(
            row.scope,
            self.names[row.user],
            self.names[row.agent],
            self.names.get(row.contact),
            row.kind,
            row.topic_key,
            row.content,
            row.expires_at and row.expires_at.isoformat(),
            self.names.get(row.written_by),
            self.names.get(row.written_key),
            row.state,
            row.superseded_by and str(row.superseded_by),
        )

    # --- after every step ---

    @invariant()
    def tables_agree(self):
        """Every version of every memory is what it was, none is missing, none too much."""
        Memories.steps += 1
        if not hasattr(self, "ids"):
            return
        with tenancy.account(self.cast.north):
            self.meet_contacts()
            rows = list(Version.objects.order_by("memory", "version"))
            current = list(Memory.objects.values_list("pk", "version"))
        found = {}
        for row in rows:
            found.setdefault(str(row.memory_id), []).append(row)
        assert found.keys() == self.store.kept.keys()
        for name, kept in self.store.kept.items():
            assert [self.said(row) for row in found[name]] == kept.versions
            assert [row.version for row in found[name]] == [*range(1, len(kept.versions) + 1)]
            ends = [row.valid_to for row in found[name]]
            assert ends == [*(row.valid_from for row in found[name][1:]), None]
        assert {str(key): version for key, version in current} == {
            name: len(kept.versions) for name, kept in self.store.kept.items()
        }
        taken = [one.now.identity for one in self.store.kept.values() if one.now.state == "active"]
        taken = [identity for identity in taken if identity[-1] is not None]
        assert len(taken) == len(set(taken))

    # --- writing ---

    @rule(
        caller=callers, scope=scopes, kind=kinds, topic=topics, content=contents, expires=expiries,
        older=st.lists(picks, max_size=2),
    )  # fmt: skip
    def remember(self, caller, scope, kind, topic, content, expires, older):
        said = Said(
            scope, caller.who, caller.agent, caller.contact, kind, topic, content, expires,
            caller.who, caller.who,
        )  # fmt: skip
        names = [name for name in map(self.named, older) if name != NOTHING] if older[1:] else []
        body = {
            "scope": scope, "kind": kind, "topic_key": topic, "content": content,
            "expires_at": expires, "supersedes": names,
        }  # fmt: skip
        status, holder = self.ask(self.store.remember, caller, said, names)
        answer = self.api.post("/memories", self.headers(caller), body)
        if self.agree(status, answer):
            made = answer.result
            assert made["created"] is (holder is None)
            assert made["id"] == (holder or made["id"])
            assert holder or made["id"] not in self.store.kept
            self.store.remembered(made["id"], caller, said, dict.fromkeys(names))

    @rule(caller=callers, pick=picks, version=versions, changed=changes)
    def edit(self, caller, pick, version, changed):
        name = self.named(pick)
        body = {
            {"topic": "topic_key", "expires": "expires_at"}.get(key, key): value
            for key, value in changed.items()
        }
        if version is not None:
            body["version"] = version
        status, _ = self.ask(self.store.edit, caller, name, version, changed)
        self.agree(status, self.api("PATCH", f"/memories/{name}", self.headers(caller), body))

    @rule(caller=callers, pick=picks)
    def delete(self, caller, pick):
        name = self.named(pick)
        status, _ = self.ask(self.store.delete, caller, name)
        self.agree(status, self.api("DELETE", f"/memories/{name}", self.headers(caller)))

    @rule(caller=callers, pick=picks, version=versions)
    def restore(self, caller, pick, version):
        name = self.named(pick)
        status, _ = self.ask(self.store.restore, caller, name, version)
        path, body = f"/memories/{name}/restore", {} if version is None else {"version": version}
        answer = self.api.post(path, self.headers(caller), body)
        if self.agree(status, answer):
            assert answer.result["version"] == len(self.store.kept[name].versions)

    @rule(caller=callers, pick=picks, state=st.sampled_from(["quarantined", "active"]))
    def keep_apart(self, caller, pick, state):
        name = self.named(pick)
        status, _ = self.ask(self.store.move, caller, name, state)
        way = {"quarantined": "quarantine", "active": "release"}[state]
        answer = self.api.post(f"/memories/{name}/{way}", self.headers(caller))
        if self.agree(status, answer):
            assert answer.result["state"] == state

    @rule(
        caller=callers, user=st.sampled_from(USERS), agent=st.sampled_from([None, *AGENTS]),
        topic=st.sampled_from([None, "a", None, "b"]),
    )  # fmt: skip
    def wipe(self, caller, user, agent, topic):
        status, counts = self.ask(self.store.wipe, caller, user, agent, topic)
        path = f"/users/{user}" + (f"/agents/{agent}" if agent else "") + "/memory"
        path += f"/topics/{topic}" if topic else ""
        answer = self.api("DELETE", path, self.headers(caller))
        if self.agree(status, answer):
            found = answer.result
            assert (found["topics_deleted"], found["agent_topics_deleted"]) == counts

    @rule()
    def prune(self):
        self.store.step += 1
        with tenancy.account(self.cast.north):
            assert memories_prune() == self.store.prune()

    @rule(code=st.sampled_from(["ff", "ft", "tf", "tt", "revert"]))
    def switch_policy(self, code):
        if code == "revert":
            self.revert_policy()
            return
        answer = self.api(
            "PUT", "/admin/accounts/north/policy", self.cast.alice.headers, self.flags(code)
        )
        self.agree(200, answer)
        if code != self.store.policy:
            self.store.policies.append(code)

    def revert_policy(self):
        first = len(self.store.policies) == 1
        path = "/admin/accounts/north/policy/revert"
        answer = self.api.post(path, self.cast.alice.headers)
        if self.agree(409 if first else 200, answer):
            self.store.policies.append(self.store.policies[-2])

    # --- past the application ---

    @rule(pick=picks, changed=raws)
    def change_by_sql(self, pick, changed):
        name = self.named(pick)
        if changed.get("contact") and ("contact", changed["contact"]) not in self.ids:
            return
        if name == NOTHING or not changed:
            return
        if "state" in changed:
            changed = {**changed, "successor": None}
        status, _ = self.ask(self.store.put, name, replace(self.store.kept[name].now, **changed))
        values = [self.ids.get((self.kind_of(key), value), value) for key, value in changed.items()]
        names = ", ".join(f"{COLUMNS[key]} = %s" for key in changed)
        with tenancy.account(self.cast.north), connection.cursor() as cursor:
            statement = f"UPDATE memory_memory SET {names}, version = 40 WHERE id = %s"
            try:
                with transaction.atomic():
                    cursor.execute(statement, [*values, name])
            except IntegrityError:
                assert status == 409
            else:
                assert status == 200

    @rule(choice=st.lists(picks, min_size=1, max_size=4), content=contents, by_hand=st.booleans())
    def change_many(self, choice, content, by_hand):
        names = {name for name in map(self.named, choice) if name != NOTHING}
        self.store.step += 1
        for name in names:
            self.store.force(name, replace(self.store.kept[name].now, content=content))
        with tenancy.account(self.cast.north):
            rows = list(Memory.objects.filter(pk__in=names))
            for row in rows:
                row.content, row.version = content, 40
            if by_hand:
                Memory.objects.filter(pk__in=names).update(content=content)
            else:
                Memory.objects.bulk_update(rows, ["content", "version"])

    def kind_of(self, column):
        return {"by": "user", "key": "key"}.get(column, column)

    # --- looking ---

    @rule()
    def remember_the_moment(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            self.moments.append((cursor.fetchone()[0], self.store.step))

    @rule(
        caller=callers, pick=picks, then=st.booleans(),
        state=st.sampled_from(["", "any", "any", "kept", "expired", "superseded", "deleted"]),
    )  # fmt: skip
    def look_at_the_list(self, caller, pick, then, state):
        moment, step = None, None
        if then and self.moments:
            moment, step = self.moments[pick % len(self.moments)]
        query = {"state": state} | ({"as_of": moment.isoformat()} if moment else {})
        answer = self.api.get("/memories", self.headers(caller), limit=200, **query)
        self.agree(200, answer)
        wanted = self.store.listed(caller, state or "active", step)
        assert [row["id"] for row in answer.result] == sorted(wanted, reverse=True)
        for row in answer.result:
            said = wanted[row["id"]]
            self.check(row, said)
            assert row["uri"] == f"{self.store.root(said)}/memories/{said.kind}/{row['id']}"
            assert row["policy_version"] == len(self.store.policies)
        counted = self.api.get("/memories/facets", self.headers(caller), **query)
        assert counted.result["total"] == len(wanted)

    def check(self, row, said):
        assert (row["scope"], row["user_id"], row["agent_id"]) == said.owner[:3]
        contact = self.ids["contact", said.contact] if said.contact else None
        assert row["contact_id"] == (contact and str(contact))
        assert (row["kind"], row["topic_key"], row["content"]) == (
            said.kind, said.topic, said.content
        )  # fmt: skip
        expires = row["expires_at"] and parse_datetime(row["expires_at"]).isoformat()
        assert (row["state"], row["superseded_by"], row["written_by"], expires) == (
            said.state, said.successor, said.by, said.expires
        )  # fmt: skip

    @rule(caller=callers, pick=picks)
    def look_at_the_history(self, caller, pick):
        name = self.named(pick)
        status, kept = self.ask(lambda: self.store.found(caller, name, edit=False))
        answer = self.api.get(f"/memories/{name}/history", self.headers(caller), limit=200)
        if not self.agree(status, answer):
            return
        steps = answer.result[::-1]
        assert [one["version"] for one in steps] == [*range(1, len(kept.versions) + 1)]
        for one, said in zip(steps, kept.versions, strict=True):
            self.check(one["memory"], said)
        one = self.api.get(f"/memories/{name}", self.headers(caller)).result
        self.check(one, kept.now)


def test_memories_agree_with_the_model(api, cast, monkeypatch):
    monkeypatch.setattr("django.conf.settings.RATE_LIMIT", 0)
    machine = type("Machine", (Memories,), {"api": api, "cast": cast})
    Memories.steps = 0
    wanted = STEPS or 40 * PER_RUN
    while Memories.steps < wanted:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=max(1, (wanted - Memories.steps) // PER_RUN),
                stateful_step_count=PER_RUN,
                deadline=None,
                derandomize=not STEPS,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    print(f"{Memories.steps} steps without a disagreement")  # noqa: T201 - seen with -s


@pytest.fixture
def machine(api, cast):
    Memories.api, Memories.cast = api, cast
    made = Memories()
    made.begin()
    yield made
    made.teardown()
    del Memories.api, Memories.cast


def test_the_machine_notices_a_disagreement(machine):
    """Else the test above would show nothing."""
    machine.edit(BOB, 0, 1, {"content": "Says 2."})
    looks = (
        machine.tables_agree,
        lambda: machine.look_at_the_list(BOB, 0, then=False, state=""),
        lambda: machine.look_at_the_list(BOB, 0, then=True, state=""),
        lambda: machine.look_at_the_history(BOB, 0),
    )
    for look in looks:
        look()
    kept = next(iter(machine.store.kept.values()))
    kept.versions = [replace(said, content="Says 3.") for said in kept.versions]
    for look in looks:
        with pytest.raises(AssertionError):
            look()
