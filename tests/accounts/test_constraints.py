"""Every constraint that a table holds, violated past the application."""

# ruff: noqa: E501 - one case a line reads as a table

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts import tenancy
from accounts.actor import Operator
from accounts.errors import AlreadyExists
from accounts.models import Invitation, PolicyVersion, SchemaTemplate
from accounts.principals.models import Agent, IdempotencyRecord, User, ViewAs
from accounts.services import person_enroll
from accounts.tenancy.template import account_labels
from sessions_app.models import Archive, DayCount, Message, Participant, Session, Task
from tests.accounts.kit import make_contact
from tests.constraints import cases, held_by_the_database, update

# Automatic names of Django's are written with the table and column that they are made of.
CASES = cases(
    """
    account_id_unique | accounts_account | account_id = 'south' | account_id = 'SOUTH' | account_id = 'North'
    account_state_valid | accounts_account | true | state = 'deleting' | state = 'gone'
    accounts_account_schema_name_key | accounts_account | account_id = 'south' | schema_name = 'x' | schema_name = (SELECT schema_name FROM accounts_account WHERE account_id = 'north')
    accounts_account_user_count_check | accounts_account | true | user_count = 0 | user_count = -1
    accounts_domain_domain_key | accounts_domain | domain = 'a' | domain = 'c' | domain = 'b'
    accounts_namespacepolicy_account_id_key | accounts_namespacepolicy | account_id = {south} | account_id = {south} | account_id = {north}
    accounts_namespacepolicy_version_check | accounts_namespacepolicy | true | version = 2 | version = -1
    policy_readers_valid | accounts_namespacepolicy | true | sessions_visible_to = 'participants' | sessions_visible_to = 'everyone'
    person_email_unique | accounts_person | email = 'alice@north.example' | email = 'ALICE@north.example' | email = 'Charlie@South.example'
    membership_once | accounts_membership | account_id = {south} | person_id = {alice} | person_id = {alice}, account_id = {north}
    membership_user_once | accounts_membership | account_id = {south} | "user" = {alice_user} | "user" = {alice_user}, account_id = {north}
    policy_version_once | accounts_policyversion | version = 1 AND account_id = {north} | version = 9 | version = 2
    accounts_policyversion_version_check | accounts_policyversion | account_id = {south} | version = 0 | version = -1
    template_once | accounts_schematemplate | heads = 'old' | heads = 'older' | heads = (SELECT heads FROM accounts_schematemplate WHERE heads <> 'old'), server_version = (SELECT server_version FROM accounts_schematemplate WHERE heads <> 'old')
    accounts_schematemplate_server_version_check | accounts_schematemplate | true | server_version = 15 | server_version = -1

    user_id_unique | principals_user | user_id = 'bob' | user_id = 'BOB' | user_id = 'Beth'
    user_one_default | principals_user | user_id = 'bob' | is_default = false | is_default = true
    user_role_valid | principals_user | user_id = 'bob' | role = 'admin' | role = 'root'
    user_default_plain | principals_user | is_default | display_name = 'Nobody' | role = 'admin'
    user_default_plain | principals_user | is_default | is_active = true | is_active = false
    agent_id_unique | principals_agent | agent_id = 'ada' | agent_id = 'ADA' | agent_id = 'Default'
    agent_memory_system_valid | principals_agent | true | memory_system = 'structured' | memory_system = 'none'
    agent_session_scope_valid | principals_agent | true | session_scope = 'per_sender' | session_scope = 'local'
    key_id_unique | principals_apikey | user_id = {bob} | key_id = 'x' | key_id = (SELECT key_id FROM principals_apikey WHERE user_id = {beth})
    key_name_unique | principals_apikey | user_id = {bob} | user_id = {beth}, name = 'second' | user_id = {beth}
    contact_kind_valid | principals_contact | id = {ana} | kind = 'personal' | kind = 'robot'
    contact_not_into_itself | principals_contact | id = {ana} | merged_into_id = {ben}, root = {ben} | merged_into_id = id, root = {ben}
    contact_root_fits | principals_contact | id = {ana} | merged_into_id = {ben}, root = {ben} | root = {ben}
    contact_root_fits | principals_contact | id = {ana} | merged_into_id = {ben}, root = {ben} | merged_into_id = {ben}
    user_link_code_unique | principals_user | id = {bob} | link_code = 'y' | link_code = 'x'
    handle_unique | principals_contacthandle | contact_id = {ben} | platform_id = '1', kind = 'group' | platform_id = '1'
    handle_unique | principals_contacthandle | contact_id = {ben} | platform_id = '1', platform = 'web' | platform_id = '1', username = 'ben'
    handle_unique | principals_contacthandle | contact_id = {ben} | platform_id = '1', owner_id = {bob} | platform_id = '1', user_id = {bob}
    handle_platform_valid | principals_contacthandle | contact_id = {ben} | platform = 'imessage' | platform = 'pigeon'
    view_of_another | principals_viewas | true | user_id = viewer_id, contact_id = {ana} | user_id = viewer_id
    view_has_reason | principals_viewas | true | reason = 'Ticket 2' | reason = ''
    invitation_user_once | accounts_invitation | "user" = {beth} | "user" = {alice_user} | "user" = {bob}
    invitation_user_once | accounts_invitation | "user" = {beth} | "user" = {bob}, revoked_at = now() | "user" = {bob}, accepted_at = NULL
    invitation_user_once | accounts_invitation | "user" = {beth} | "user" = {bob}, account_id = {south} | "user" = {bob}
    day_count_once | agent_sessions_daycount | day = '2026-11-02' | day = '2026-11-03' | day = '2026-11-01'
    agent_sessions_daycount_messages_check | agent_sessions_daycount | true | messages = 0 | messages = -1
    agent_sessions_daycount_sessions_check | agent_sessions_daycount | true | sessions = 0 | sessions = -1
    idempotency_once | principals_idempotencyrecord | key = 'k2' | key = 'k3' | key = 'k1'
    idempotency_once | principals_idempotencyrecord | key = 'k2' | key = 'k1', acting_as = {beth} | key = 'k1', attempt = {beth}
    key_scopes_valid | principals_apikey | true | scopes = ARRAY['read', 'gateway'] | scopes = ARRAY['read', 'root']

    session_id_unique | agent_sessions_session | session_id = 's2' | session_id = 'S2' | session_id = 'S1'
    session_state_valid | agent_sessions_session | true | state = 'idle' | state = 'open'
    session_not_own_parent | agent_sessions_session | session_id = 's2' | parent_id = (SELECT id FROM agent_sessions_session WHERE session_id = 's1') | parent_id = id
    agent_sessions_session_message_count_check | agent_sessions_session | true | message_count = 0 | message_count = -1
    agent_sessions_session_pending_tokens_check | agent_sessions_session | true | pending_tokens = 0 | pending_tokens = -1
    session_one_current | agent_sessions_session | session_id = 'c2' | is_current = false, thread_key = NULL | thread_key = NULL
    session_one_current | agent_sessions_session | session_id = 'c2' | thread_key = NULL, contact_id = {ana} | thread_key = NULL, contact_id = NULL
    session_one_current | agent_sessions_session | session_id = 'c2' | thread_key = NULL, agent_id = {ada} | thread_key = NULL, state = 'idle'
    session_one_current | agent_sessions_session | session_id = 'c2' | thread_key = NULL, owner_id = {beth} | thread_key = NULL, title = 'x'
    session_current_not_ended | agent_sessions_session | session_id = 'c2' | is_current = false, state = 'ended' | state = 'ended'
    agent_sessions_session_contexts_used_check | agent_sessions_session | true | contexts_used = 0 | contexts_used = -1
    agent_sessions_session_skills_used_check | agent_sessions_session | true | skills_used = 0 | skills_used = -1
    participant_one_kind | agent_sessions_participant | user_id = {bob} | user_id = NULL, contact_id = {third} | contact_id = {third}
    participant_contact_once | agent_sessions_participant | contact_id = {ana} | contact_id = {third} | contact_id = {ben}
    participant_one_kind | agent_sessions_participant | user_id = {bob} | user_id = NULL, agent_id = {default_agent} | agent_id = {default_agent}
    participant_one_kind | agent_sessions_participant | user_id = {bob} | user_id = {default_user} | user_id = NULL
    participant_user_once | agent_sessions_participant | user_id = {bob} | user_id = {default_user} | user_id = {beth}
    participant_agent_once | agent_sessions_participant | agent_id = {ada} | agent_id = {default_agent} | agent_id = {max}
    agent_sessions_participant_first_seq_check | agent_sessions_participant | true | first_seq = 0 | first_seq = -1
    agent_sessions_participant_last_seq_check | agent_sessions_participant | true | last_seq = 0 | last_seq = -1
    agent_sessions_participant_message_count_check | agent_sessions_participant | true | message_count = 0 | message_count = -1
    message_seq_unique | agent_sessions_message | seq = 2 | seq = 9 | seq = 1
    message_seq_from_one | agent_sessions_message | seq = 2 | seq = 9 | seq = 0
    agent_sessions_message_seq_check | agent_sessions_message | seq = 2 | seq = 9 | seq = -1
    message_role_valid | agent_sessions_message | seq = 1 | role = 'assistant' | role = 'narrator'
    message_author_named | agent_sessions_message | seq = 1 | role = 'system', role_id = NULL | role_id = NULL
    message_key_unique | agent_sessions_message | seq = 2 | idempotency_key = 'k2' | idempotency_key = 'k1'
    archive_number_unique | agent_sessions_archive | number = 2 | number = 3 | number = 1
    archive_range_unique | agent_sessions_archive | number = 2 | first_seq = 3, last_seq = 3 | first_seq = 1
    archive_range_valid | agent_sessions_archive | number = 2 | last_seq = 2 | last_seq = 1
    archive_range_valid | agent_sessions_archive | number = 1 | first_seq = 1 | first_seq = 0
    archive_state_valid | agent_sessions_archive | number = 1 | state = 'completed' | state = 'done'
    agent_sessions_archive_number_check | agent_sessions_archive | number = 1 | number = 0 | number = -1
    agent_sessions_archive_first_seq_check | agent_sessions_archive | number = 1 | first_seq = 1 | first_seq = -1
    agent_sessions_archive_last_seq_check | agent_sessions_archive | number = 1 | last_seq = 1 | last_seq = -1
    agent_sessions_archive_tokens_check | agent_sessions_archive | number = 1 | tokens = 0 | tokens = -1
    task_status_valid | agent_sessions_task | true | status = 'cancelled' | status = 'lost'
    message_external_unique | agent_sessions_message | seq = 2 | external_id = 'y', agent = {ada} | external_id = 'x', agent = {ada}
    message_external_unique | agent_sessions_message | seq = 2 | external_id = 'x', agent = {max} | external_id = 'x', agent = {ada}
    message_external_with_agent | agent_sessions_message | seq = 1 | external_id = NULL, agent = NULL | agent = NULL
    message_source_valid | agent_sessions_message | seq = 1 | source = 'context_injection' | source = 'other'
    """
)


# -1 violates both.
TWINS = (
    {"agent_sessions_message_seq_check", "message_seq_from_one"},
    {"agent_sessions_archive_first_seq_check", "archive_range_valid"},
    {"agent_sessions_archive_last_seq_check", "archive_range_valid"},
)


def add_current_sessions(api, cast):
    for name, thread in (("c1", {}), ("c2", {"thread_key": "t"})):
        made = api.post("/sessions/start", cast.bob.headers, thread)
        assert made.status == 200
        with tenancy.account(cast.north):
            Session.objects.filter(session_id=made.result["session_id"]).update(session_id=name)


def add_versions(cast):
    policy = {"isolate_user_scope_by_agent": False, "isolate_agent_scope_by_user": False}
    for account, version in ((cast.north, 1), (cast.north, 2), (cast.south, 1)):
        PolicyVersion.objects.update_or_create(
            account_id=account.id,
            version=version,
            defaults={**policy, "sessions_visible_to": "account"},
        )


def add_to_session(cast, *contacts):
    """Two archives with a task, two contacts, a message's key, and two idempotency records."""
    with tenancy.account(cast.north):
        session = Session.objects.get(session_id="s1")
        at = session.started_at
        for contact in contacts:
            Participant.objects.create(
                session=session, contact_id=contact, first_seq=1, last_seq=1, last_at=at
            )
        for number in (1, 2):
            archive = Archive.objects.create(
                session=session, number=number, first_seq=number, last_seq=number, tokens=1
            )
        Task.objects.create(
            user=session.owner, task_type="session_commit", updated_at=at, archive=archive
        )
        ada = Agent.objects.get(agent_id="ada")
        Message.objects.filter(session=session, seq=1).update(
            idempotency_key="k1", external_id="x", agent=ada.pk
        )
        for key in ("k1", "k2"):
            IdempotencyRecord.objects.create(
                principal=cast.north.id,
                acting_as=cast.north.id,
                route=b"r",
                key=key,
                body=b"b",
                attempt=cast.north.id,
                started_at=at,
            )


def add_looks_and_invitations(cast):
    """Alice's view of Bob, an invitation for Bob and one for Beth, and two days."""
    later = timezone.now() + timedelta(days=1)
    with tenancy.account(cast.north):
        users = {row.user_id: row for row in User.objects.all()}
        User.objects.filter(user_id="beth").update(link_code=b"x")
        ViewAs.objects.create(
            viewer=users["alice"], user=users["bob"], reason="Ticket 1", expires_at=later
        )
        for day in (1, 2):
            DayCount.objects.create(day=date(2026, 11, day), counted_to=cast.north.id)
    for name in ("bob", "beth"):
        Invitation.objects.create(
            account_id=cast.north.id,
            user=users[name].pk,
            email=f"{name}@north.example",
            expires_at=later,
        )


@pytest.fixture
def names(api, cast):
    """Two rows of everything, and their ids as SQL text."""
    for agent in ("ada", "max"):
        for headers, role in ((cast.bob.headers, "user"), (cast.bob.headers, "assistant")):
            sent = {**headers, "X-Bailiwick-Agent": agent}
            answer = api.post("/sessions/s1/messages", sent, {"role": role, "content": "Hello"})
            assert answer.status == 200
    assert api.say(cast.beth.headers, "s1").status == 200
    assert api.post("/sessions", cast.bob.headers, {"session_id": "s2"}).status == 200
    ana, ben, third = (make_contact(cast.north, "telegram", str(n)) for n in (1, 2, 3))
    add_versions(cast)
    add_current_sessions(api, cast)
    add_to_session(cast, ana, ben)
    add_looks_and_invitations(cast)
    SchemaTemplate.objects.create(heads="old", server_version=18, statements=[], applied=[])
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_domain (domain, is_primary, tenant_id)"
            " VALUES ('a', true, %(a)s), ('b', true, %(a)s)",
            {"a": cast.north.id},
        )

    def one(statement):
        with connection.cursor() as cursor:
            cursor.execute(statement)
            (value,) = cursor.fetchone()
        return f"'{value}'"

    with tenancy.account(cast.north):
        users = {
            name: one(f"SELECT id FROM principals_user WHERE user_id = '{name}'")
            for name in ("bob", "beth", "default", "alice")
        }
        agents = {
            name: one(f"SELECT id FROM principals_agent WHERE agent_id = '{name}'")
            for name in ("ada", "max", "default")
        }
    return {
        "north": f"'{cast.north.id}'",
        "south": f"'{cast.south.id}'",
        "bob": users["bob"],
        "beth": users["beth"],
        "alice_user": users["alice"],
        "default_user": users["default"],
        "default_agent": agents["default"],
        "ada": agents["ada"],
        "max": agents["max"],
        "ana": f"'{ana}'",
        "ben": f"'{ben}'",
        "third": f"'{third}'",
        "alice": one("SELECT id FROM accounts_person WHERE email = 'alice@north.example'"),
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name} {case.bad[:30]}")
def test_constraint(cast, names, case):
    with tenancy.account(cast.north):
        assert update(case, case.good, names) >= 1
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            update(case, case.bad, names)
    violated = refused.value.__cause__.diag.constraint_name
    assert violated == case.name or {violated, case.name} in TWINS


def test_every_constraint_of_the_database_is_tried(cast):
    held = held_by_the_database("public", "accounts\\_%")
    held |= held_by_the_database(cast.north.schema_name, "%")
    held -= held_by_the_database(cast.north.schema_name, "memory\\_%")  # tests/memory tries them
    assert {case.name for case in CASES} == held


def test_every_constraint_of_the_models_is_tried():
    tried = {case.name for case in CASES}
    for label in {"accounts", *account_labels()} - {"memory"}:
        for model in apps.get_app_config(label).get_models():
            named = {constraint.name for constraint in model._meta.constraints}
            assert named <= tried, model


def test_two_keys_of_one_name_may_follow_each_other(cast, names):
    """Only one of them is in force: revoked ones do not count."""
    with tenancy.account(cast.north), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE principals_apikey SET user_id = {names['beth']}, revoked_at = now()"
            f" WHERE user_id = {names['bob']}"
        )
        assert cursor.rowcount == 1


def test_a_refused_enrolment_says_so(cast, names):
    """The service turns the constraint into its own words."""
    with pytest.raises(AlreadyExists):
        person_enroll(
            actor=Operator(),
            email="Alice@North.example",
            name="Alice again",
            password="correct horse battery staple",
            account=cast.north,
            user=UUID(names["bob"].strip("'")),
        )
