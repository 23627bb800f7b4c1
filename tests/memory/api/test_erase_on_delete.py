"""Deleting a user or a session with `memories=erase` leaves no trace; with `keep` all stays."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.principals.models import Agent, AuditEvent, User
from memory.models import Extraction, Memory, Revision
from sessions_app.models import Session
from tests.rows import all_text

CANARY = "canary-of-a-memory"


@pytest.fixture
def written(api, cast, remember):
    """Bob's memories, one edited, one superseded by another one, one deleted; all say the canary.

    One is out of Beth's session; one is Beth's, and one the agent's: these hold no canary.
    """
    bob = cast.bob.headers
    said = api.say(cast.beth.headers, "s1").result["message_id"]
    first = remember(bob, f"{CANARY} 1", topic_key=CANARY, summary=CANARY, topics=[CANARY])
    remember(bob, f"{CANARY} 2", topic_key=CANARY)
    second = remember(bob, f"{CANARY} 3", session_id="s1", evidence=[said])
    remember(bob, f"{CANARY} 4", supersedes=[second["id"]])
    assert api("DELETE", f"/memories/{first['id']}", bob).status == 200
    remember(cast.beth.headers, "beth's")
    remember(cast.alice.headers, "of the agent", scope="agent")
    with tenancy.account(cast.north):
        Extraction.objects.create(
            user=User.objects.get(user_id="bob"),
            agent=Agent.objects.get(agent_id="default"),
            session=Session.objects.get(),
            first_seq=1,
            last_seq=1,
            error=CANARY,
        )


def contents(account):
    with tenancy.account(account):
        return list(Memory.objects.order_by("id").values_list("content", flat=True))


OTHERS = ["beth's", "of the agent"]


@pytest.mark.usefixtures("written")
class TestUser:
    PATH = "/admin/accounts/north/users/bob"

    @pytest.mark.parametrize("query", [{}, {"memories": "erase"}], ids=str)
    def test_erased(self, api, cast, query):
        assert CANARY in all_text(cast.north.schema_name)
        assert api("DELETE", self.PATH, cast.alice.headers, **query).status == 200
        assert CANARY not in all_text(cast.north.schema_name)
        assert contents(cast.north) == OTHERS
        with tenancy.account(cast.north):
            assert not Revision.objects.exists()
            assert not Extraction.objects.exists()
            event = AuditEvent.objects.get(action="user.deleted")
            assert event.data["memories"] == 3

    def test_kept(self, api, cast):
        assert api("DELETE", self.PATH, cast.alice.headers, memories="keep").status == 200
        assert contents(cast.north)[:3] == [f"{CANARY} {n}" for n in (2, 3, 4)]
        with tenancy.account(cast.north):
            assert Revision.objects.count() > 0
            assert Extraction.objects.count() == 1
            assert AuditEvent.objects.get(action="user.deleted").data["memories"] == 0
        listed = api.get("/memories", cast.alice.headers, state="any", user="bob").result
        assert len(listed) == 3

    def test_another_word_deletes_nobody(self, api, cast):
        assert api("DELETE", self.PATH, cast.alice.headers, memories="burn").status == 400
        assert len(contents(cast.north)) == 5
        assert api.get("/memories", cast.bob.headers).status == 200


@pytest.mark.usefixtures("written")
class TestSession:
    PATH = "/sessions/s1"

    def test_erased_is_what_was_said_in_it(self, api, cast):
        answer = api("DELETE", self.PATH, cast.alice.headers, memories="erase")
        assert answer.status == 200
        assert f"{CANARY} 3" not in all_text(cast.north.schema_name)
        assert contents(cast.north) == [f"{CANARY} 2", f"{CANARY} 4", *OTHERS]
        with tenancy.account(cast.north):
            assert not Extraction.objects.exists()
            assert AuditEvent.objects.get(action="session.deleted").data["memories"] == 1

    @pytest.mark.parametrize("query", [{}, {"memories": "keep"}], ids=str)
    def test_kept(self, api, cast, query):
        assert api("DELETE", self.PATH, cast.alice.headers, **query).status == 200
        assert len(contents(cast.north)) == 5
        with tenancy.account(cast.north):
            memory = Memory.objects.get(content=f"{CANARY} 3")
            assert (memory.session, memory.evidence.count()) == (None, 0)
            assert Extraction.objects.get().session is None

    def test_of_a_fork_too(self, api, cast, remember):
        body = {"session_id": "fork", "parent_session_id": "s1"}
        assert api.post("/sessions", cast.bob.headers, body).status == 200
        remember(cast.bob.headers, f"{CANARY} 5", session_id="fork")
        query = {"cascade": "true", "memories": "erase"}
        assert api("DELETE", self.PATH, cast.alice.headers, **query).status == 200
        assert contents(cast.north) == [f"{CANARY} 2", f"{CANARY} 4", *OTHERS]


def test_an_erased_memory_can_be_followed_by_one_of_the_same_topic(api, cast, remember):
    api.say(cast.bob.headers, "s1")
    remember(cast.bob.headers, topic_key="tea", session_id="s1")
    assert api("DELETE", "/sessions/s1", cast.alice.headers, memories="erase").status == 200
    made = remember(cast.bob.headers, topic_key="tea")
    assert (made["created"], made["version"]) == (True, 1)
