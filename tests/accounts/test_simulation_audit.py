"""What an admin or operator leaves behind who looks at, or writes as, somebody else."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.utils import timezone

from accounts import tenancy
from accounts.models import OperatorEvent
from accounts.principals import audit
from accounts.principals.models import ApiKey, AuditEvent, User
from sessions_app.models import Archive
from tests.accounts.kit import contact_header, make_contact
from tests.rows import all_text

READS = {
    "/sessions": "read.list",
    "/sessions/bobs": "read.session",
    "/sessions/bobs/messages": "read.messages",
    "/sessions/bobs/context": "read.context",
}
WRITES = [
    ("POST", "/sessions", {}, ["session.created"]),
    ("POST", "/sessions/start", {}, ["session.created"]),
    ("PATCH", "/sessions/bobs", {"title": "Plan"}, ["session.updated"]),
    (
        "POST",
        "/sessions/bobs/messages",
        {"role": "user", "content": "Hello"},
        ["message.written"],
    ),
    (
        "POST",
        "/sessions/new/messages",
        {"role": "user", "content": "Hello"},
        ["session.created", "message.written"],
    ),
    ("POST", "/sessions/bobs/used", {"contexts": []}, ["session.used"]),
    ("POST", "/sessions/bobs/commit", {}, ["session.committed"]),
]


@pytest.fixture
def events(cast):
    """Events of the account since the fixture was made, oldest first."""
    with tenancy.account(cast.north):
        known = set(AuditEvent.objects.values_list("pk", flat=True))

    def since(prefix=""):
        with tenancy.account(cast.north):
            rows = AuditEvent.objects.exclude(pk__in=known).order_by("created_at", "id")
            return [row for row in rows if row.action.startswith(prefix)]

    return since


@pytest.fixture
def told(api, cast):
    api.say(cast.bob.headers, "bobs")
    api.say(cast.beth.headers, "beths")


def id_of(cast, user_id):
    with tenancy.account(cast.north):
        return User.objects.get(user_id=user_id).pk


@pytest.fixture
def looking(cast):
    return {
        "an admin as itself": cast.alice.headers,
        "an admin for Bob": cast.alice_as("bob"),
        "root for Bob": cast.root_as("bob"),
    }


class TestReading:
    @pytest.mark.parametrize("who", ["an admin as itself", "an admin for Bob", "root for Bob"])
    @pytest.mark.parametrize("path", [path for path in READS if path != "/sessions"])
    @pytest.mark.usefixtures("told")
    def test_leaves_one_event_an_hour(self, api, cast, looking, events, who, path):
        for _ in range(3):
            assert api.get(path, looking[who]).status == 200
        (event,) = events("read.")
        assert (event.action, event.target_type) == (READS[path], "user")
        assert event.target == id_of(cast, "bob")
        root = who == "root for Bob"
        assert event.actor == (None if root else id_of(cast, "alice"))
        assert event.actor_role == ("root" if root else "admin")
        assert event.acting_as == (None if who == "an admin as itself" else id_of(cast, "bob"))

    @pytest.mark.usefixtures("told")
    def test_of_each_kind_has_its_own(self, api, cast, events):
        for path in READS:
            api.get(path, cast.alice_as("bob"))
        of_bob = [event.action for event in events("read.") if event.target == id_of(cast, "bob")]
        assert sorted(of_bob) == sorted(READS.values())

    @pytest.mark.usefixtures("told")
    def test_of_a_list_leaves_one_for_each_subject(self, api, cast, events):
        api.say(cast.bob.headers, "bobs-second")
        for _ in range(2):
            assert len(api.get("/sessions", cast.alice.headers).result) == 3
        found = events("read.")
        assert [event.action for event in found] == ["read.list"] * 2
        assert {event.target for event in found} == {id_of(cast, "bob"), id_of(cast, "beth")}

    def test_of_an_empty_list_leaves_none(self, api, cast, events):
        assert api.get("/sessions", cast.alice_as("bob")).result == []
        assert events("read.") == []

    @pytest.mark.usefixtures("told")
    def test_in_another_hour_leaves_another(self, api, cast, events, monkeypatch):
        api.get("/sessions/bobs", cast.alice.headers)
        later = timezone.now() + dt.timedelta(hours=1)
        monkeypatch.setattr(audit, "timezone", type("Clock", (), {"now": lambda: later}))
        api.get("/sessions/bobs", cast.alice.headers)
        assert len(events("read.")) == 2

    @pytest.mark.usefixtures("told")
    def test_by_two_admins_leaves_two(self, api, cast, events):
        with tenancy.account(cast.north):
            User.objects.filter(user_id="beth").update(role="admin")
        for headers in (cast.alice.headers, cast.beth.headers) * 2:
            api.get("/sessions/bobs", headers)
        actors = {event.actor for event in events("read.")}
        assert (len(events("read.")), actors) == (
            2,
            {id_of(cast, "alice"), id_of(cast, "beth")},
        )

    @pytest.mark.parametrize("path", READS)
    def test_what_is_ones_own_leaves_none(self, api, cast, events, path):
        api.say(cast.alice.headers, "bobs")
        assert api.get(path, cast.alice.headers).status == 200
        assert events("read.") == []

    @pytest.mark.parametrize("path", READS)
    @pytest.mark.usefixtures("told")
    def test_by_a_user_leaves_none(self, api, cast, events, path):
        for member in (cast.bob, cast.beth):
            assert api.get(path, member.headers).status == 200
        assert events("read.") == []

    @pytest.mark.parametrize("path", ["/sessions/absent", "/sessions/absent/messages"])
    @pytest.mark.usefixtures("told")
    def test_of_nothing_leaves_none(self, api, cast, events, path):
        assert api.get(path, cast.alice_as("bob")).status == 404
        assert events() == []

    @pytest.mark.usefixtures("told")
    def test_of_an_archive(self, api, cast, events):
        api.post("/sessions/bobs/commit", cast.bob.headers)
        with tenancy.account(cast.north):
            Archive.objects.update(state="completed", abstract="a", overview="o")
        assert api.get("/sessions/bobs/archives/archive_001", cast.alice.headers).status == 200
        (event,) = events("read.")
        assert event.target == id_of(cast, "bob")

    @pytest.mark.usefixtures("told")
    def test_of_pages(self, cast, events, sign_in):
        browser = sign_in("alice")
        for _ in range(2):
            assert browser.get("/a/north/sessions/bobs").status_code == 200
        assert {event.target for event in events("read.")} == {id_of(cast, "bob")}
        kinds = [event.action for event in events("read.")]
        assert len(kinds) == len(set(kinds)) > 0

    def test_as_a_contact_of_another_user(self, api, cast, events):
        contact = make_contact(cast.north, "telegram", "1")
        headers = contact_header(cast.alice.headers, contact)
        api.say(headers, "danas")
        for _ in range(2):
            assert api.get("/sessions/danas", headers).status == 200
        (event,) = events("read.")
        assert event.target == event.acting_as == id_of(cast, "default")


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("write", WRITES, ids=lambda write: f"{write[0]} {write[1]}")
class TestWriting:
    @pytest.mark.parametrize("who", ["an admin for Bob", "root for Bob"])
    def test_for_another_leaves_one_event_each(self, api, cast, looking, events, who, write):
        method, path, body, actions = write
        assert api(method, path, looking[who], body).status == 200
        found = events()
        assert sorted(event.action for event in found) == sorted(actions)
        for event in found:
            assert event.acting_as == id_of(cast, "bob")
            assert event.actor == (None if who == "root for Bob" else id_of(cast, "alice"))
            assert (event.actor_key is None) is (who == "root for Bob")
            assert event.target_type == "session"

    def test_twice_leaves_two(self, api, cast, events, write):
        """Each write is told, as often as it is done."""
        method, path, body, actions = write
        if path.endswith(("/commit", "/start")):
            actions = [*actions]  # the second finds nothing to do
        elif "new" in path:
            actions = [*actions, "message.written"]
        else:
            actions = actions * 2
        for _ in range(2):
            assert api(method, path, cast.alice_as("bob"), body).status == 200
        assert sorted(event.action for event in events()) == sorted(actions)

    def test_as_oneself_leaves_none(self, api, cast, events, write):
        method, path, body, _ = write
        for headers in (cast.bob.headers, cast.alice.headers):
            assert api(method, path, headers, body).status == 200
        assert events() == []

    def test_refused_leaves_none(self, api, cast, events, write):
        method, path, body, _ = write
        headers = {**cast.alice_as("bob"), "X-Bailiwick-Agent": "root"}  # reserved
        where = path.replace("bobs", "absent")
        assert api(method, where, headers, body).status in (400, 404)
        assert events() == []


def test_key_of_the_real_principal_is_told(api, cast, events):
    assert api.say(cast.alice_as("bob"), "s1").status == 200
    with tenancy.account(cast.north):
        key = ApiKey.objects.get(user__user_id="alice").pk
    assert {event.actor_key for event in events()} == {key}


class TestRequestIds:
    @pytest.mark.parametrize(
        ("sent", "kept"),
        [
            ("alice-reads-bobs-diary", False),
            ("Plan.B", False),
            ("0123456789abcdef0123456789abcdef", True),
            ("019f7b9c-1234-7abc-8def-0123456789ab", True),
        ],
    )
    def test_words_are_not_stored(self, api, cast, events, sent, kept):
        headers = {**cast.alice_as("bob"), "X-Request-Id": sent}
        answer = api.say(headers, "s1")
        assert answer.headers["X-Request-Id"] == sent
        assert {event.request_id for event in events()} == {sent if kept else ""}
        if not kept:
            assert sent not in all_text(cast.north.schema_name)

    @pytest.mark.parametrize(
        ("sent", "kept"),
        [("alice-reads-bobs-diary", False), ("0123456789abcdef0123456789abcdef", True)],
    )
    def test_nor_in_the_operators_log(self, api, cast, sent, kept):
        headers = {**cast.root, "X-Request-Id": sent}
        body = {"account_id": "west", "admin_user_id": "anna"}
        assert api.post("/admin/accounts", headers, body).status == 200
        event = OperatorEvent.objects.get(action="account.created", account=self.id_of("west"))
        assert event.request_id == (sent if kept else "")

    def id_of(self, account_id):
        return tenancy.find(account_id).id


def test_events_hold_no_words(api, cast, events):
    for headers in (cast.alice_as("bob"), cast.root_as("bob")):
        api.say(headers, "canary-session", "canary-words")
        api("PATCH", "/sessions/canary-session", headers, {"title": "canary-title"})
        api.get("/sessions", headers)
        api("DELETE", "/sessions/canary-session", headers)
    found = events()
    assert len(found) >= 8
    text = json.dumps([[event.action, event.data, event.request_id] for event in found])
    for word in ("canary", "bob", "alice", "default"):
        assert word not in text
