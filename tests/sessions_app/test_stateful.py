"""Sessions against a plain model of them: whatever is done in whichever order, both agree."""

# ruff: noqa: FBT001 - rules get their values by name

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from accounts import tenancy
from accounts.models import NamespacePolicy
from tests.cast import Answer, Api, Cast
from tests.sessions_app.work import fail_archive, run_queued, said

NAMES = ("s0", "s1", "s2", "s3")
users = st.sampled_from(["alice", "bob", "beth"])
picks = st.integers(0, 6)
threads = st.sampled_from([None, "a", "b"])
roles = st.sampled_from(["user", "assistant", "system"])
states = st.sampled_from(["active", "idle", "ended"])


@dataclass
class Archive:
    first: int
    last: int
    state: str = "pending"


@dataclass
class Talk:
    """What a session is, without a database."""

    owner: str
    agent: str
    moved: int  # when something was said in it last
    thread: str | None = None
    parent: str | None = None
    current: bool = False
    state: str = "active"
    title: str = ""
    messages: list[tuple[str, str | None, str]] = field(default_factory=list)
    archives: list[Archive] = field(default_factory=list)

    @property
    def users(self) -> list[str]:
        return list(dict.fromkeys(who for role, who, _ in self.messages if role == "user"))

    @property
    def agents(self) -> list[str]:
        return list(dict.fromkeys(who for role, who, _ in self.messages if role == "assistant"))

    @property
    def archived(self) -> int:
        return self.archives[-1].last if self.archives else 0

    @property
    def failed(self) -> int | None:
        for number, archive in enumerate(self.archives, start=1):
            if archive.state == "failed":
                return number
        return None

    @property
    def in_context(self) -> list[str]:
        done = [archive.last for archive in self.archives if archive.state == "completed"]
        return [text for _, _, text in self.messages[(done[-1] if done else 0) :]]


class Sessions(RuleBasedStateMachine):
    """Drives the API and the model side by side."""

    api: Api
    cast: Cast

    def __init__(self) -> None:
        super().__init__()
        self.talks: dict[str, Talk] = {}
        self.visible_to = "account"
        self.now = 0
        self.block = transaction.atomic()
        self.block.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)
        tenancy.leave()

    # --- helpers ---

    def headers(self, who: str) -> dict[str, str]:
        return {**getattr(self.cast, who).headers, "X-Bailiwick-Agent": f"{who}-bot"}

    def tick(self) -> int:
        self.now += 1
        return self.now

    def named(self, pick: int) -> str:
        """One of the sessions there are, or a name that may be free."""
        known = [*NAMES, *(name for name in self.talks if name not in NAMES)]
        return known[pick % len(known)]

    def sees(self, who: str, name: str) -> bool:
        talk = self.talks.get(name)
        if talk is None:
            return False
        own = who in (talk.owner, *talk.users)
        return who == "alice" or own or self.visible_to == "account"

    def expect(self, answer: Answer, status: int) -> bool:
        assert answer.status == status, (answer.body, status)
        return status == 200

    def current(self, who: str, thread: str | None) -> str | None:
        for name, talk in self.talks.items():
            if talk.current and (talk.owner, talk.thread) == (who, thread):
                return name
        return None

    # --- making ---

    @initialize()
    def begin(self) -> None:
        tenancy.leave()

    @rule(who=users, name=st.sampled_from(NAMES), pick=picks, fork=st.booleans(), thread=threads)
    def create(self, who: str, name: str, pick: int, fork: bool, thread: str | None) -> None:
        parent = self.named(pick) if fork else None
        body = {"session_id": name, "parent_session_id": parent, "thread_key": thread}
        answer = self.api.post("/sessions", self.headers(who), body)
        if parent is not None and not self.sees(who, parent):
            self.expect(answer, 404)
        elif name in self.talks:
            self.expect(answer, 409)
        elif self.expect(answer, 200):
            self.talks[name] = Talk(who, f"{who}-bot", self.tick(), thread, parent)

    @rule(who=users, thread=threads, force=st.booleans())
    def start(self, who: str, thread: str | None, force: bool) -> None:
        body = {"thread_key": thread, "force_new": force}
        answer = self.api.post("/sessions/start", self.headers(who), body)
        self.expect(answer, 200)
        before = self.current(who, thread)
        if before is not None and not force:
            assert (answer.result["session_id"], answer.result["is_existing"]) == (before, True)
            return
        if before is not None:
            self.talks[before].current = False
        made = answer.result["session_id"]
        assert (made not in self.talks, answer.result["is_existing"]) == (True, False)
        self.talks[made] = Talk(who, f"{who}-bot", self.tick(), thread, current=True)

    # --- writing ---

    @rule(who=users, pick=picks, role=roles, loud=st.booleans())
    def append(self, who: str, pick: int, role: str, loud: bool) -> None:
        name = self.named(pick)
        text = f"message {self.now}"
        path = f"/sessions/{name.upper() if loud and name in self.talks else name}/messages"
        answer = self.api.post(path, self.headers(who), {"role": role, "content": text})
        if self.expect(answer, self.writing(who, name)):
            self.wrote(who, name, [(role, text)])
            assert answer.result["seq"] == len(self.talks[name].messages)
            assert answer.result["message_count"] == answer.result["seq"]

    @rule(who=users, pick=picks, wanted=st.lists(roles, min_size=1, max_size=4), bad=st.booleans())
    def batch(self, who: str, pick: int, wanted: list[str], bad: bool) -> None:
        name = self.named(pick)
        spoken = [(role, f"message {self.now}.{n}") for n, role in enumerate(wanted)]
        messages = [{"role": role, "content": text} for role, text in spoken]
        if bad:
            messages.append({"role": "user", "content": " "})
        path = f"/sessions/{name}/messages/batch"
        answer = self.api.post(path, self.headers(who), {"messages": messages})
        if self.expect(answer, 400 if bad else self.writing(who, name)):
            self.wrote(who, name, spoken)
            assert answer.result["message_count"] == len(self.talks[name].messages)

    def writing(self, who: str, name: str) -> int:
        talk = self.talks.get(name)
        if talk is None:
            return 200
        if not self.sees(who, name):
            return 404
        return 412 if talk.state == "ended" else 200

    def wrote(self, who: str, name: str, spoken: list[tuple[str, str]]) -> None:
        talk = self.talks.setdefault(name, Talk(who, f"{who}-bot", 0))
        authors = {"user": who, "assistant": f"{who}-bot"}
        talk.messages += [(role, authors.get(role), text) for role, text in spoken]
        talk.moved, talk.state = self.tick(), "active"

    # --- changing ---

    @rule(who=users, pick=picks, state=states, titled=st.booleans())
    def change(self, who: str, pick: int, state: str, titled: bool) -> None:
        name = self.named(pick)
        body = {"state": state, **({"title": f"Title {self.now}"} if titled else {})}
        answer = self.api("PATCH", f"/sessions/{name}", self.headers(who), body)
        if self.expect(answer, 200 if self.sees(who, name) else 404):
            talk = self.talks[name]
            talk.state, talk.title = state, body.get("title", talk.title)
            talk.current = talk.current and state != "ended"
            assert (answer.result["state"], answer.result["title"]) == (talk.state, talk.title)
            assert bool(answer.result["ended_at"]) is (state == "ended")

    @rule(who=users, pick=picks, cascade=st.booleans())
    def delete(self, who: str, pick: int, cascade: bool) -> None:
        name = self.named(pick)
        path, query = f"/sessions/{name}", {"cascade": str(cascade).lower()}
        answer = self.api("DELETE", path, self.headers(who), **query)
        allowed = 200 if who == "alice" else 403
        if not self.expect(answer, allowed if self.sees(who, name) else 404):
            return
        doomed = {name}
        while cascade and (
            more := {n for n, t in self.talks.items() if t.parent in doomed} - doomed
        ):
            doomed |= more
        self.talks = {n: t for n, t in self.talks.items() if n not in doomed}
        for talk in self.talks.values():
            talk.parent = None if talk.parent in doomed else talk.parent

    @rule(visible_to=st.sampled_from(["account", "participants"]))
    def switch_policy(self, visible_to: str) -> None:
        account = self.cast.north.id
        NamespacePolicy.objects.filter(account_id=account).update(sessions_visible_to=visible_to)
        self.visible_to = visible_to

    # --- committing ---

    @rule(who=users, pick=picks, keep=st.integers(0, 3))
    def commit(self, who: str, pick: int, keep: int) -> None:
        name = self.named(pick)
        path, body = f"/sessions/{name}/commit", {"keep_recent_count": keep}
        answer = self.api.post(path, self.headers(who), body)
        if not self.sees(who, name):
            self.expect(answer, 404)
            return
        talk = self.talks[name]
        if not self.expect(answer, 200 if talk.failed is None else 412):
            return
        first, last = talk.archived + 1, len(talk.messages) - keep
        assert answer.result["archived"] is (last >= first)
        if last >= first:
            talk.archives.append(Archive(first, last))

    @rule()
    def work(self) -> None:
        run_queued()
        for talk in self.talks.values():
            for archive in talk.archives:
                if archive.state == "pending":
                    archive.state = "completed"

    @rule(pick=picks)
    def break_archive(self, pick: int) -> None:
        talk = self.talks.get(self.named(pick))
        if talk and talk.archives and talk.archives[-1].state == "pending":
            fail_archive(self.cast.north, self.named(pick), len(talk.archives))
            talk.archives[-1].state = "failed"

    @rule(who=users, pick=picks, way=st.sampled_from(["retry", "skip"]))
    def mend_archive(self, who: str, pick: int, way: str) -> None:
        name = self.named(pick)
        talk = self.talks.get(name)
        number = (talk.failed if talk else None) or 1
        path = f"/sessions/{name}/archives/{number}/{way}"
        answer = self.api.post(path, self.headers(who))
        if talk is None or not self.sees(who, name) or not talk.archives:
            self.expect(answer, 404)
        elif self.expect(answer, 200 if talk.failed else 409):
            talk.archives[number - 1].state = "pending" if way == "retry" else "completed"

    # --- looking ---

    @rule(who=users, owner=st.sampled_from(["", "alice", "bob"]))
    def look_at_the_list(self, who: str, owner: str) -> None:
        answer = self.api.get("/sessions", self.headers(who), user=owner, limit=200)
        wanted = [
            (name, talk)
            for name, talk in sorted(self.talks.items(), key=lambda item: -item[1].moved)
            if self.sees(who, name) and owner in ("", talk.owner)
        ]
        assert [
            (row["session_id"], row["user_id"], row["state"], row["message_count"], row["title"])
            for row in answer.result
        ] == [
            (name, talk.owner, talk.state, len(talk.messages), talk.title) for name, talk in wanted
        ]

    @rule(who=users, pick=picks)
    def look_at_one(self, who: str, pick: int) -> None:
        name = self.named(pick)
        answer = self.api.get(f"/sessions/{name}", self.headers(who))
        if not self.expect(answer, 200 if self.sees(who, name) else 404):
            return
        talk, found = self.talks[name], answer.result
        assert found["created_by_user_id"] == talk.owner
        assert found["user"]["agent_id"] == talk.agent
        assert found["participant_user_ids"] == talk.users
        assert found["participant_agent_ids"] == talk.agents
        assert (found["message_count"], found["state"]) == (len(talk.messages), talk.state)
        assert (found["commit_count"], found["thread_key"]) == (len(talk.archives), talk.thread)
        shown = talk.parent if talk.parent and self.sees(who, talk.parent) else None
        assert found["parent_session_id"] == shown

    @rule(who=users, pick=picks)
    def read(self, who: str, pick: int) -> None:
        name = self.named(pick)
        answer = self.api.get(f"/sessions/{name}/messages", self.headers(who), limit=200)
        if not self.expect(answer, 200 if self.sees(who, name) else 404):
            return
        rows = [(row["role"], row["role_id"], row["parts"][0]["text"]) for row in answer.result]
        assert rows == self.talks[name].messages
        assert [row["seq"] for row in answer.result] == list(range(1, len(rows) + 1))

    @rule(who=users, pick=picks)
    def read_context(self, who: str, pick: int) -> None:
        name = self.named(pick)
        answer = self.api.get(f"/sessions/{name}/context", self.headers(who))
        if not self.expect(answer, 200 if self.sees(who, name) else 404):
            return
        talk, found = self.talks[name], answer.result
        assert said(found["messages"]) == talk.in_context
        done = [
            f"archive_{number:03d}"
            for number, archive in enumerate(talk.archives, start=1)
            if archive.state == "completed"
        ]
        assert [row["archive_id"] for row in found["pre_archive_abstracts"]] == done
        stats = found["stats"]
        assert stats["totalArchives"] == len(talk.archives)
        assert stats["failedArchives"] == sum(one.state == "failed" for one in talk.archives)


def test_sessions_agree_with_the_model(api, cast, monkeypatch):
    monkeypatch.setattr("django.conf.settings.RATE_LIMIT", 0)
    machine = type("Machine", (Sessions,), {"api": api, "cast": cast})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_machine_notices_a_disagreement(api, cast):
    """Else the test above would show nothing."""
    Sessions.api, Sessions.cast = api, cast
    machine = Sessions()
    try:
        machine.append("bob", 0, "user", False)
        machine.talks["s0"].messages.append(("user", "bob", "never said"))
        disagrees = [False, False]
        for number, look in enumerate((machine.read, machine.look_at_the_list)):
            try:
                look("bob", 0) if number == 0 else look("bob", "")
            except AssertionError:
                disagrees[number] = True
        assert all(disagrees)
    finally:
        machine.teardown()
        del Sessions.api, Sessions.cast
