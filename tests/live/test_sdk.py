"""The client library of the system that this one replaces, unmodified, against the live server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from openviking_sdk import (
    ConflictError,
    ContextPart,
    ImagePart,
    SyncHTTPClient,
    TextPart,
    ToolPart,
    UnimplementedError,
    use_actor_peer,
)
from openviking_sdk.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    OpenVikingError,
    PermissionDeniedError,
    UnauthenticatedError,
)

from tests.live import Server, new_id
from tests.live.worker import FINISHED, working

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

DETAIL = {
    *("session_id", "created_at", "updated_at", "created_by_user_id", "participant_user_ids"),
    *("participant_agent_ids", "message_count", "commit_count", "memories_extracted"),
    *("last_commit_at", "llm_token_usage", "embedding_token_usage", "pending_tokens", "user"),
}
CONTEXT = {
    *("latest_archive_overview", "pre_archive_abstracts", "messages", "estimatedTokens", "stats"),
}


@pytest.fixture(scope="module", autouse=True)
def no_configuration_of_this_machine():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENVIKING_CLI_CONFIG_FILE", "/nonexistent")
        patch.delenv("OPENVIKING_CLI_CONFIG_FILE")
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield


@contextmanager
def client_of(server: Server, **arguments: Any) -> Iterator[SyncHTTPClient]:
    client = SyncHTTPClient(url=server.url, timeout=60, **arguments)
    client.initialize()
    try:
        yield client
    finally:
        client.close()


@dataclass
class Office:
    """An account made through the library: its root, its admin anna, its user ben."""

    account_id: str
    root: SyncHTTPClient
    anna: SyncHTTPClient
    ben: SyncHTTPClient
    ben_key: str


@pytest.fixture(scope="module")
def office(server):
    account_id = new_id("sdk")
    with client_of(server, api_key=server.root["X-API-Key"]) as root:
        made = root.admin_create_account(account_id, "anna")
        registered = root.admin_register_user(account_id, "ben")
        with (
            client_of(
                server,
                api_key=made["user_key"],
                account=account_id,
                user="anna",
                extra_headers={"X-OpenViking-Agent": "ada"},
            ) as anna,
            client_of(server, api_key=registered["user_key"], account=account_id) as ben,
        ):
            yield Office(account_id, root, anna, ben, registered["user_key"])


@pytest.fixture
def session_id(office):
    """A session of ben's with two messages."""
    made = office.ben.create_session()["session_id"]
    office.ben.add_message(made, "user", "The 07:40 train, please.")
    office.ben.add_message(made, "assistant", "Booked.")
    return made


def done(client: SyncHTTPClient, task_id: str, seconds: float = 40) -> dict[str, Any]:
    """The task, once it is finished."""
    deadline = time.monotonic() + seconds
    while True:
        task = client.get_task(task_id)
        assert task is not None
        if task["status"] in FINISHED:
            return task
        assert time.monotonic() < deadline, f"still {task['status']}"
        time.sleep(0.05)


# --- accounts, users, roles, keys ---


def test_health(office):
    assert office.ben.health() is True


def test_account_is_created_listed_and_deleted(office):
    account_id = new_id("sdk")
    made = office.root.admin_create_account(account_id, "anna")
    assert (made["account_id"], made["admin_user_id"]) == (account_id, "anna")
    assert made["user_key"]
    listed = {row["account_id"]: row for row in office.root.admin_list_accounts(limit=200)}
    assert listed[account_id]["user_count"] == 2
    assert office.root.admin_get_account(account_id)["account_id"] == account_id
    with pytest.raises(AlreadyExistsError):
        office.root.admin_create_account(account_id, "anna")
    assert office.root.admin_delete_account(account_id)["deleted"] is True
    with pytest.raises(NotFoundError):
        office.root.admin_get_account(account_id)


def test_accounts_are_for_root_only(office):
    for client in (office.anna, office.ben):
        with pytest.raises(PermissionDeniedError):
            client.admin_create_account(new_id("sdk"), "anna")
        with pytest.raises(PermissionDeniedError):
            client.admin_list_accounts()


def test_user_is_registered_listed_and_removed(office):
    made = office.anna.admin_register_user(office.account_id, "carla")
    assert (made["account_id"], made["user_id"]) == (office.account_id, "carla")
    assert made["user_key"]
    with pytest.raises(AlreadyExistsError):
        office.anna.admin_register_user(office.account_id, "carla")
    listed = {
        row["user_id"]: row["role"] for row in office.anna.admin_list_users(office.account_id)
    }
    assert listed.items() >= {"anna": "admin", "ben": "user", "carla": "user"}.items()
    assert office.anna.admin_get_user(office.account_id, "carla")["role"] == "user"
    assert office.anna.admin_remove_user(office.account_id, "carla")["deleted"] is True
    with pytest.raises(NotFoundError):
        office.anna.admin_get_user(office.account_id, "carla")


def test_role_is_set(office):
    office.anna.admin_register_user(office.account_id, "dora")
    done_ = office.anna.admin_set_role(office.account_id, "dora", "admin")
    assert done_["role"] == "admin"
    with pytest.raises(InvalidArgumentError):
        office.anna.admin_set_role(office.account_id, "dora", "root")
    assert office.anna.admin_get_user(office.account_id, "dora")["role"] == "admin"


def test_key_is_replaced(server, office):
    key = office.anna.admin_register_user(office.account_id, "emil")["user_key"]
    fresh = office.anna.admin_regenerate_key(office.account_id, "emil")["user_key"]
    with client_of(server, api_key=fresh) as emil:
        assert emil.list_sessions() is not None
    with client_of(server, api_key=key) as nobody, pytest.raises(UnauthenticatedError):
        nobody.list_sessions()


def test_user_of_another_account_is_refused(server, office):
    with (
        client_of(server, api_key=office.ben_key, account="another") as ben,
        pytest.raises(PermissionDeniedError),
    ):
        ben.list_sessions()


# --- sessions ---


def test_session_is_created_listed_and_found(office):
    session_id = new_id("trip")
    made = office.ben.create_session(session_id)
    assert made["session_id"] == session_id
    assert made["user"] == {
        "account_id": office.account_id,
        "user_id": "ben",
        "agent_id": "default",
    }
    assert session_id in {row["session_id"] for row in office.ben.list_sessions()}
    found = office.ben.get_session(session_id)
    assert set(found) >= DETAIL
    assert (found["created_by_user_id"], found["message_count"]) == ("ben", 0)
    assert office.ben.session_exists(session_id)
    with pytest.raises(AlreadyExistsError):
        office.ben.create_session(session_id)


def test_session_id_is_generated(office):
    assert office.ben.create_session()["session_id"]


def test_options_of_a_session_that_we_do_not_know_are_ignored(office):
    options = {"memory_policy": {"enabled": True}, "auto_commit_policy": None, "telemetry": False}
    assert office.ben.create_session(options=options)["session_id"]


def test_absent_session(office):
    absent = new_id("absent")
    assert not office.ben.session_exists(absent)
    with pytest.raises(NotFoundError):
        office.ben.get_session(absent)


def test_absent_session_is_created_when_asked_for(office):
    session_id = new_id("auto")
    assert office.ben.get_session(session_id, auto_create=True)["session_id"] == session_id
    assert office.ben.get_session(session_id, auto_create=True)["message_count"] == 0
    assert office.ben.session_exists(session_id)


def test_session_is_deleted_by_an_admin_only(office, session_id):
    with pytest.raises(PermissionDeniedError):
        office.ben.delete_session(session_id)
    assert office.ben.session_exists(session_id)
    office.anna.delete_session(session_id)
    assert not office.ben.session_exists(session_id)


def test_session_object(office):
    session = office.ben.session(office.ben.create_session()["session_id"])
    session.add_message("user", "Hello")
    session.batch_add_messages([{"role": "assistant", "content": "Good morning"}])
    assert session.load()["message_count"] == 2
    assert len(session.get_session_context()["messages"]) == 2
    assert session.commit()["archived"] is True


# --- messages ---


def test_message_with_content(office, session_id):
    made = office.ben.add_message(session_id, "user", "One more thing")
    assert (made["session_id"], made["message_count"]) == (session_id, 3)
    context = office.ben.get_session_context(session_id)
    assert set(context) == CONTEXT
    said = [(row["role"], row["role_id"], row["parts"]) for row in context["messages"]]
    assert said == [
        ("user", "ben", [{"type": "text", "text": "The 07:40 train, please."}]),
        ("assistant", "default", [{"type": "text", "text": "Booked."}]),
        ("user", "ben", [{"type": "text", "text": "One more thing"}]),
    ]


@pytest.mark.parametrize(
    ("part", "kept"),
    [
        (TextPart("Hello"), {"type": "text", "text": "Hello"}),
        (
            ContextPart("viking://user/ben/memories/facts/1", "memory", "Likes trains"),
            {
                "type": "context",
                "uri": "viking://user/ben/memories/facts/1",
                "context_type": "memory",
                "abstract": "Likes trains",
            },
        ),
        (
            ImagePart("https://example.org/ticket.png", "low"),
            {
                "type": "image_url",
                "image_url": {"url": "https://example.org/ticket.png", "detail": "low"},
            },
        ),
        (
            ToolPart(
                tool_id="t1",
                tool_name="timetable",
                tool_input={"to": "Porto"},
                tool_output="07:40",
                tool_status="completed",
                duration_ms=12.5,
            ),
            {
                "type": "tool",
                "tool_id": "t1",
                "tool_name": "timetable",
                "tool_status": "completed",
                "tool_input": {"to": "Porto"},
                "tool_output": "07:40",
                "duration_ms": 12.5,
            },
        ),
        ({"type": "poll", "options": ["a", "b"]}, {"type": "poll", "options": ["a", "b"]}),
    ],
    ids=["text", "context", "image", "tool", "unknown"],
)
def test_message_with_parts(office, session_id, part, kept):
    office.ben.add_message(session_id, "assistant", parts=[part])
    assert office.ben.get_session_context(session_id)["messages"][-1]["parts"] == [kept]


def test_blank_message_is_refused(office, session_id):
    with pytest.raises(InvalidArgumentError):
        office.ben.add_message(session_id, "user", "   ")
    assert office.ben.get_session(session_id)["message_count"] == 2


def test_first_message_creates_the_session(office):
    session_id = new_id("first")
    assert office.ben.add_message(session_id, "user", "Hello")["message_count"] == 1
    assert office.ben.get_session(session_id)["created_by_user_id"] == "ben"


def test_options_of_a_message(office, session_id):
    options = {
        "created_at": "2024-05-06T07:08:09Z",
        "turn_id": "t1",
        "message_kind": "user_query",
        "telemetry": False,
    }
    office.ben.add_message(session_id, "user", "Long ago", options=options)
    row = office.ben.get_session_context(session_id)["messages"][-1]
    assert row["created_at"].startswith("2024-05-06T07:08:09")


def test_role_id_is_set_by_an_admin(office, session_id):
    office.anna.add_message(session_id, "user", "For Ben", options={"extra": {"role_id": "ben"}})
    office.anna.add_message(session_id, "assistant", "Ada here")
    rows = office.ben.get_session_context(session_id)["messages"][-2:]
    assert [row["role_id"] for row in rows] == ["ben", "ada"]
    detail = office.ben.get_session(session_id)
    assert detail["participant_user_ids"] == ["ben"]
    assert set(detail["participant_agent_ids"]) == {"default", "ada"}


def test_role_id_is_refused_from_a_user(office, session_id):
    with pytest.raises(InvalidArgumentError):
        office.ben.add_message(
            session_id, "user", "As Anna", options={"extra": {"role_id": "anna"}}
        )
    assert office.ben.get_session(session_id)["message_count"] == 2


def test_batch(office, session_id):
    made = office.ben.batch_add_messages(
        session_id,
        [
            {"role": "user", "content": "Three"},
            {"role": "assistant", "parts": [TextPart("Four")]},
        ],
    )
    assert (made["session_id"], made["message_count"]) == (session_id, 4)
    said = [
        row["parts"][0]["text"] for row in office.ben.get_session_context(session_id)["messages"]
    ]
    assert said[2:] == ["Three", "Four"]


def test_batch_with_a_blank_message_adds_nothing(office, session_id):
    with pytest.raises(InvalidArgumentError):
        office.ben.batch_add_messages(
            session_id, [{"role": "user", "content": "Three"}, {"role": "user", "content": " "}]
        )
    assert office.ben.get_session(session_id)["message_count"] == 2


# --- actor peer ---


def test_actor_peer_makes_a_contact_that_sees_its_own_sessions_only(office, session_id):
    peer = new_id("peer")
    own = new_id("peers-own")
    with use_actor_peer(peer):
        assert office.ben.list_sessions() == []
        office.ben.add_message(own, "user", "Hello, it is me")
        assert [row["session_id"] for row in office.ben.list_sessions()] == [own]
        assert not office.ben.session_exists(session_id)
        context = office.ben.get_session_context(own)
    with use_actor_peer(f"{peer}-other"):
        assert not office.ben.session_exists(own)
    detail = office.ben.get_session(own)
    assert detail["created_by_user_id"] == "ben"
    assert detail["participant_contact_ids"] == [context["messages"][0]["role_id"]]


def test_actor_peer_of_a_whole_client(server, office):
    own = new_id("peers-own")
    with client_of(server, api_key=office.ben_key, actor_peer_id=new_id("peer")) as peer:
        peer.add_message(own, "user", "Hello")
        assert [row["session_id"] for row in peer.list_sessions()] == [own]


def test_peer_id_names_the_speaker(office, session_id):
    office.ben.add_message(session_id, "user", "Said by a peer", peer_id="wanda")
    row = office.ben.get_session_context(session_id)["messages"][-1]
    detail = office.ben.get_session(session_id)
    assert detail["participant_contact_ids"] == [row["role_id"]]
    assert detail["participant_user_ids"] == ["ben"]


def test_peer_id_that_contradicts_the_sessions_contact_is_refused(office):
    own = new_id("peers-own")
    with use_actor_peer("walter"):
        office.ben.add_message(own, "user", "Hello")
    with pytest.raises(ConflictError):
        office.ben.add_message(own, "user", "Hello", peer_id="willy")


# --- commit, archives, tasks ---


def test_commit_archive_and_context(server, office, session_id):
    made = office.ben.commit_session(session_id, keep_recent_count=1)
    assert (made["status"], made["archived"]) == ("accepted", True)
    assert made["trace_id"]
    archive_id = made["archive_uri"].rsplit("/", 1)[-1]
    assert office.ben.get_task(made["task_id"])["status"] in {"pending", "running", "completed"}
    with working(server):
        task = done(office.ben, made["task_id"])
    assert (task["status"], task["task_type"], task["error"]) == (
        "completed",
        "session_commit",
        None,
    )
    assert task["resource_id"] == session_id
    archive = office.ben.get_session_archive(session_id, archive_id)
    assert archive["archive_id"] == archive_id
    assert archive["abstract"]
    assert archive["overview"]
    assert [row["parts"][0]["text"] for row in archive["messages"]] == ["The 07:40 train, please."]
    context = office.ben.get_session_context(session_id)
    assert context["latest_archive_overview"] == archive["overview"]
    assert [row["parts"][0]["text"] for row in context["messages"]] == ["Booked."]
    detail = office.ben.get_session(session_id)
    assert (detail["commit_count"], bool(detail["last_commit_at"])) == (1, True)


def test_options_of_a_commit_that_we_do_not_know_are_ignored(office, session_id):
    options = {"enable_working_memory": True, "event_tags": ["trip"], "telemetry": False}
    assert office.ben.commit_session(session_id, options=options)["archived"] is True


def test_commit_of_an_empty_session(office):
    session_id = office.ben.create_session()["session_id"]
    made = office.ben.commit_session(session_id)
    assert (made["archived"], made["task_id"]) == (False, None)


def test_archive_that_is_not_there_yet(office, session_id):
    office.ben.commit_session(session_id)
    for archive_id in ("archive_001", "archive_002", "nonsense"):
        with pytest.raises(NotFoundError):
            office.ben.get_session_archive(session_id, archive_id)


def test_tasks_are_listed(office, session_id):
    made = office.ben.commit_session(session_id)
    (row,) = office.ben.list_tasks(resource_id=session_id)
    assert row["task_id"] == made["task_id"]
    listed = office.ben.list_tasks(task_type="session_commit", status="pending", limit=200)
    assert made["task_id"] in {row["task_id"] for row in listed}
    assert office.ben.list_tasks(task_type="resource_ingest") == []


def test_task_is_cancelled_and_blocks_the_next_commit(office, session_id):
    made = office.ben.commit_session(session_id)
    assert office.ben.cancel_task(made["task_id"])["status"] == "cancelled"
    office.ben.add_message(session_id, "user", "More")
    with pytest.raises(FailedPreconditionError):
        office.ben.commit_session(session_id)
    with pytest.raises(ConflictError):
        office.ben.cancel_task(made["task_id"])


def test_absent_task(office):
    for task_id in ("01234567-89ab-7def-8123-456789abcdef", "nonsense"):
        assert office.ben.get_task(task_id) is None
        with pytest.raises(NotFoundError):
            office.ben.cancel_task(task_id)


def test_task_of_another_user_is_absent(office, session_id):
    made = office.ben.commit_session(session_id)
    assert office.anna.get_task(made["task_id"]) is None


# --- what is not offered ---

NOT_OFFERED = {
    "ls": lambda c: c.ls("viking://resources"),
    "ls page": lambda c: c.ls_page("viking://resources"),
    "tree": lambda c: c.tree("viking://resources"),
    "stat": lambda c: c.stat("viking://resources"),
    "attrs": lambda c: c.attrs("viking://resources"),
    "mkdir": lambda c: c.mkdir("viking://resources/a"),
    "rm": lambda c: c.rm("viking://resources/a"),
    "mv": lambda c: c.mv("viking://resources/a", "viking://resources/b"),
    "set tags": lambda c: c.set_tags("viking://resources/a", ["x"]),
    "read": lambda c: c.read("viking://resources/a"),
    "read raw": lambda c: c.read_raw("viking://resources/a"),
    "download": lambda c: c.download_bytes("viking://resources/a"),
    "abstract": lambda c: c.abstract("viking://resources/a"),
    "overview": lambda c: c.overview("viking://resources/a"),
    "write": lambda c: c.write("viking://resources/a", "x"),
    "batch write": lambda c: c.batch_write(
        "viking://resources", [{"op": "write", "uri": "viking://resources/a", "content": "x"}]
    ),
    "reindex": lambda c: c.reindex("viking://resources/a"),
    "acl get": lambda c: c.acl_get("viking://resources/a"),
    "acl set": lambda c: c.acl_set("viking://resources/a", []),
    "acl grant": lambda c: c.acl_grant("viking://resources/a", "ben", "read"),
    "acl revoke": lambda c: c.acl_revoke("viking://resources/a", "ben"),
    "acl delete": lambda c: c.acl_delete("viking://resources/a"),
    "find": lambda c: c.find("trains"),
    "search": lambda c: c.search("trains"),
    "search context": lambda c: c.search_context("trains"),
    "grep": lambda c: c.grep("viking://resources", "trains"),
    "glob": lambda c: c.glob("*.md"),
    "add resource": lambda c: c.add_resource("https://example.org/a.md"),
    "add skill": lambda c: c.add_skill({"name": "x", "content": "y"}),
    "list skills": lambda c: c.list_skills(),
    "find skills": lambda c: c.find_skills("trains"),
    "validate skill": lambda c: c.validate_skill({"name": "x"}),
    "get skill": lambda c: c.get_skill("x"),
    "update skill": lambda c: c.update_skill("x", {"name": "x", "content": "y"}),
    "delete skill": lambda c: c.delete_skill("x"),
    "list watches": lambda c: c.list_watches(),
    "get watch": lambda c: c.get_watch("t1"),
    "update watch": lambda c: c.update_watch("t1", is_active=False),
    "delete watch": lambda c: c.delete_watch("t1"),
    "trigger watch": lambda c: c.trigger_watch("t1"),
    "snapshot commit": lambda c: c.snapshot.commit(message="x"),
    "snapshot restore": lambda c: c.snapshot.restore(source_commit="abc"),
    "snapshot show": lambda c: c.snapshot.show("abc"),
    "snapshot log": lambda c: c.snapshot.log(),
    "snapshot diff": lambda c: c.snapshot.diff("a", to_ref="abc"),
    "snapshot ignore": lambda c: c.snapshot.get_gitignore(),
    "pack export": lambda c: c.export_ovpack("viking://resources", "/tmp/none.ovpack"),
    "pack backup": lambda c: c.backup_ovpack("/tmp/none.ovpack"),
    "observer queue": lambda c: c.observer.queue,
    "observer system": lambda c: c.observer.system,
    "queue status": lambda c: c.queue_status(),
    "vikingdb status": lambda c: c.vikingdb_status(),
    "models status": lambda c: c.models_status(),
    "status": lambda c: c.get_status(),
    "consistency": lambda c: c.check_consistency("viking://resources"),
    "wait processed": lambda c: c.wait_processed(),
    "compile": lambda c: c.compile(["viking://resources/a"], "viking://resources/b", "x"),
    "session config": lambda c: c.update_session_config("s1", {"auto_commit_policy": None}),
    "trajectories": lambda c: c.list_experience_trajectories("viking://agent/a"),
    "outcomes": lambda c: c.get_experience_outcomes("viking://agent/a"),
    "assets": lambda c: c.resolve_openviking_assets("assets: []"),
    "asset preflight": lambda c: c.preflight_openviking_asset("a", "https://example.org/a.git"),
    "migrate": lambda c: c.admin_migrate(),
    "agent evolution": lambda c: c.admin_get_agent_evolution(),
    "set agent evolution": lambda c: c.admin_set_agent_evolution(enabled=True),
    "create group": lambda c: c.admin_create_group("acme", "g"),
    "list groups": lambda c: c.admin_list_groups("acme"),
    "delete group": lambda c: c.admin_delete_group("acme", "g"),
    "list members": lambda c: c.admin_list_group_members("acme", "g"),
    "add member": lambda c: c.admin_add_group_member("acme", "g", "ben"),
    "remove member": lambda c: c.admin_remove_group_member("acme", "g", "ben"),
}


@pytest.mark.parametrize("call", NOT_OFFERED.values(), ids=NOT_OFFERED)
def test_everything_else_is_unimplemented(office, call):
    with pytest.raises(UnimplementedError) as refused:
        call(office.anna)
    assert refused.value.message


def test_setting_that_this_system_does_not_have_is_refused_in_the_envelope(office):
    with pytest.raises(OpenVikingError) as refused:
        office.anna.admin_set_account_agent_evolution(office.account_id, enabled=True)
    assert refused.value.code in {"UNIMPLEMENTED", "INVALID_ARGUMENT"}
