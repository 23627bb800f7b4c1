"""Merging and unmerging: one contact to look at, and no row that moves."""

from __future__ import annotations

from itertools import permutations
from uuid import UUID

import pytest
from django.db import connection
from psycopg import sql

from accounts import tenancy
from accounts.principals.models import Contact
from tests.accounts.contacts.kit import ABSENT, actions
from tests.accounts.kit import contact_header, with_key
from tests.sessions_app.channel import Unchanged


def fingerprint(account):
    """Every row of what was said, with the transaction that wrote it last."""
    rows = []
    for table in ("session", "message", "participant", "archive", "task"):
        name = sql.Identifier(account.schema_name, f"agent_sessions_{table}")
        with connection.cursor() as cursor:
            cursor.execute(
                sql.SQL("SELECT xmin::text, ctid::text, t::text FROM {} t ORDER BY id").format(name)
            )
            rows += cursor.fetchall()
    assert rows
    return rows


class TestMerge:
    @pytest.fixture
    def abc(self, channel):
        """Three senders with a session each: name → (contact, session)."""
        said = {name: channel.say(name, f"Greetings from number{name}") for name in "abc"}
        return {
            name: (found["contact"]["id"], found["session"]["session_id"])
            for name, found in said.items()
        }

    def test_it_counts_as_the_other_from_then_on(self, api, cast, abc, merge):
        (a, _), (b, _), _ = abc.values()
        answer = merge(a, b).result
        assert (answer["id"], answer["merged"]) == (b, [a])
        assert {one["platform_id"] for one in answer["handles"]} == {"a", "b"}
        assert {one["contact_id"] for one in answer["handles"]} == {a, b}
        assert api.get(f"/contacts/{a}", cast.alice.headers).result["merged_into"] == b
        (event,) = actions(cast.north, "contact.merged")
        assert event.data == {"into": b, "family": 1}

    def test_the_sessions_of_both_are_the_roots(self, api, cast, abc, channel, merge):
        (a, of_a), (b, of_b), (c, of_c) = abc.values()
        for contact, session_id in ((a, of_a), (b, of_b)):
            path = f"/sessions/{session_id}/commit"
            assert api.post(path, channel.as_contact(contact)).result["task_id"]
        merge(a, b)
        for headers in (channel.headers, cast.alice.headers, cast.root_as("default")):
            for named in (a, b, "telegram:a", "telegram:b"):
                either = contact_header(headers, named)
                assert api.get("/whoami", either).result["contact_id"] == b
                assert channel.listed(either) == {of_a, of_b}
                assert channel.listed(either, q="numbera") == {of_a}
                tasks = {row["resource_id"] for row in api.get("/tasks", either).result}
                assert tasks == {of_a, of_b}
                for session_id in (of_a, of_b):
                    for part in ("", "/messages", "/context"):
                        assert api.get(f"/sessions/{session_id}{part}", either).status == 200
                assert api.get(f"/sessions/{of_c}", either).status == 404
            assert channel.listed(contact_header(headers, c)) == {of_c}

    def test_no_row_of_what_was_said_moves(self, abc, cast, merge, unmerge):
        before = fingerprint(cast.north)
        (a, _), (b, _), (c, _) = abc.values()
        merge(a, b)
        merge(b, c)
        assert fingerprint(cast.north) == before
        unmerge(b)
        unmerge(a)
        assert fingerprint(cast.north) == before

    def test_either_may_append_where_the_other_spoke(self, api, abc, channel, merge):
        (a, of_a), (b, of_b), _ = abc.values()
        merge(a, b)
        for contact in (a, b):
            for session_id in (of_a, of_b):
                assert api.say(channel.as_contact(contact), session_id).status == 200

    def test_afterwards_both_write_into_the_newest_session(self, abc, channel, merge, unmerge):
        (a, of_a), (b, of_b), _ = abc.values()
        merge(a, b)
        assert channel.session("a") == channel.session("b") == of_b
        unmerge(a)
        assert (channel.session("a"), channel.session("b")) == (of_a, of_b)

    def test_a_session_begun_meanwhile_stays_the_roots(
        self, api, cast, abc, channel, merge, unmerge
    ):
        (a, of_a), (b, of_b), _ = abc.values()
        merge(a, b)
        begun = channel.session("a", thread_key="t")
        assert api.get(f"/sessions/{begun}", cast.alice.headers).result["contact_id"] == b
        unmerge(a)
        assert channel.listed(channel.as_contact(a)) == {of_a}
        assert channel.listed(channel.as_contact(b)) == {of_b, begun}
        assert channel.session("a", thread_key="t") != begun

    def test_force_new_retires_the_current_sessions_of_both(self, api, abc, channel, merge):
        (a, _), (b, _), _ = abc.values()
        merge(a, b)
        body = {"agent_id": "quinn", "force_new": True}
        begun = api.post("/sessions/start", channel.as_contact(a), body).result["session_id"]
        assert channel.session("a") == channel.session("b") == begun

    @pytest.mark.parametrize("undone", list(permutations("ab")), ids="".join)
    @pytest.mark.parametrize("made", ["ab bc", "bc ab"])
    def test_chains_are_undone_in_any_order(self, cast, abc, channel, merge, unmerge, made, undone):
        ids = {name: contact for name, (contact, _) in abc.items()}
        of = {name: session for name, (_, session) in abc.items()}

        def families():
            """Who sees whose sessions, by the header of each."""
            return {
                name: "".join(
                    sorted(n for n, s in of.items() if s in channel.listed(channel.as_contact(c)))
                )
                for name, c in ids.items()
            }

        for pair in made.split():
            merge(ids[pair[0]], ids[pair[1]])
        assert families() == {"a": "abc", "b": "abc", "c": "abc"}
        # a went into b, and with it into c; or into c itself, when b had gone there before.
        with tenancy.account(cast.north):
            into = Contact.objects.get(pk=ids["a"]).merged_into_id
        assert into == UUID(ids["b" if made == "ab bc" else "c"])
        left = "abc"
        for name in undone:
            unmerge(ids[name])
            left = left.replace(name, "")
            if (made, undone, name) == ("ab bc", ("b", "a"), "b"):
                assert families() == {"a": "ab", "b": "ab", "c": "c"}
                continue
            assert families()[name] == name
        assert families() == {"a": "a", "b": "b", "c": "c"}

    def test_cycles_are_impossible(self, abc, cast, merge):
        (a, _), (b, _), (c, _) = abc.values()
        merge(a, b)
        merge(b, c)
        with Unchanged(cast.north):
            for first, other in ((c, a), (c, b), (b, a), (a, c), (a, b)):
                merge(first, other, status=409)

    def test_itself_is_refused(self, abc, merge):
        a, _ = abc["a"]
        assert merge(a, a, status=409).code == "CONFLICT"

    def test_one_that_is_merged_already_is_refused(self, abc, create, merge):
        (a, _), (b, _), _ = abc.values()
        merge(a, b)
        merge(a, create()["id"], status=409)

    def test_of_other_owners_are_refused(self, abc, cast, create, merge):
        a, _ = abc["a"]
        bobs = create(owner_user_id="bob")["id"]
        with Unchanged(cast.north):
            merge(a, bobs, status=409)
            merge(bobs, a, status=409)

    def test_a_group_and_a_person_are_refused(self, abc, cast, create, merge):
        a, _ = abc["a"]
        group = create(kind="group")["id"]
        with Unchanged(cast.north):
            merge(a, group, status=409)
            merge(group, a, status=409)
        merge(group, create(kind="group")["id"])
        merge(create(kind="personal")["id"], a)

    def test_only_admins_may(self, api, abc, cast, channel, merge):
        (a, _), (b, _), _ = abc.values()
        callers = (cast.bob.headers, channel.headers, channel.as_contact(a), cast.charlie.headers)
        with Unchanged(cast.north):
            for headers in callers:
                path = f"/contacts/{a}"
                wanted = 404 if headers == cast.charlie.headers else 403
                merge(a, b, status=wanted, headers=headers)
                assert api.post(f"{path}/unmerge", headers).status == wanted

    def test_an_admin_without_manage_may_not(self, api, abc, cast, merge):
        (a, _), (b, _), _ = abc.values()
        body = {"user_id": "alice", "name": "plain", "scopes": ["read", "write"]}
        key = api.post("/admin/accounts/north/keys", cast.alice.headers, body).result["user_key"]
        merge(a, b, status=403, headers=with_key(key))

    @pytest.mark.parametrize(
        ("into", "status"), [(ABSENT, 404), ("x", 422), (5, 422), (None, 422), ("", 422)]
    )
    def test_into_nobody_is_refused(self, api, abc, cast, into, status):
        a, _ = abc["a"]
        with Unchanged(cast.north):
            answer = api.post(f"/contacts/{a}/merge", cast.alice.headers, {"into": into})
            assert answer.status == status

    def test_what_was_not_merged_is_not_undone(self, abc, unmerge):
        a, _ = abc["a"]
        assert unmerge(a, status=409).code == "CONFLICT"

    def test_groups_that_became_one_are_one_conversation(self, channel, merge):
        """As when a chat platform moves a group to another id."""
        old, new = (channel.say("dana", group=group) for group in ("-1", "-2"))
        merge(old["contact"]["id"], new["contact"]["id"])
        again = channel.say("eli", group="-1")
        assert again["session"]["session_id"] == new["session"]["session_id"]
        both = {found["session"]["session_id"] for found in (old, new)}
        assert channel.listed(channel.as_contact(old["contact"]["id"])) == both

    def test_a_speaker_who_was_merged_speaks_as_the_root(self, abc, channel, merge):
        (a, _), (b, _), _ = abc.values()
        merge(a, b)
        found = channel.say("a", group="-5")
        assert found["sender"]["contact_id"] == b
        assert found["contact"]["id"] not in (a, b)

    def test_a_merged_senders_binding_is_its_own(self, api, cast, abc, channel, merge):
        """The other address stays the contact's: one was said to be a user, not both."""
        (a, _), (b, of_b), _ = abc.values()
        merge(a, b)
        handles = api.get(f"/contacts/{b}", cast.alice.headers).result["handles"]
        (handle,) = (one["id"] for one in handles if one["platform_id"] == "a")
        api.post(f"/contacts/{b}/handles/{handle}/bind", cast.alice.headers, {"user_id": "bob"})
        assert channel.say("a")["session"]["user_id"] == "bob"
        assert channel.session("b") == of_b
