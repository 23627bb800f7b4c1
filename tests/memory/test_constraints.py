"""Every constraint of the tables of memories, violated past the application."""

# ruff: noqa: E501 - one case a line reads as a table

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction

from accounts import tenancy
from memory.models import Consent, Evidence, Extraction, Import, ImportReceipt, Memory
from sessions_app.models import Message
from tests.constraints import cases, held_by_the_database, update
from tests.memory.kit import agent_row, keep, make_contact, user_row

# Two rows of one topic differ in one column that their identity is made of, or the index refuses.
CASES = cases(
    """
    memory_topic_once | memory_memory | topic_key = 'u' | topic_key = 'v' | topic_key = 't'
    memory_topic_once | memory_memory | topic_key = 'u' | topic_key = 't', scope = 'agent' | topic_key = 't', salience = 'high'
    memory_topic_once | memory_memory | topic_key = 'u' | topic_key = 't', user_id = {beth} | topic_key = 't', language = 'simple'
    memory_topic_once | memory_memory | topic_key = 'u' | topic_key = 't', agent_id = {max} | topic_key = 't', source = 'imported'
    memory_topic_once | memory_memory | topic_key = 'u' | topic_key = 't', contact_id = {ana} | topic_key = 't', contact_id = NULL
    memory_topic_once | memory_memory | topic_key = 'u' | topic_key = 't', contact_id = {ana} | topic_key = 'of a contact', contact_id = {ana}
    memory_topic_once | memory_memory | topic_key = 'u' | topic_key = 't', kind = 'decisions' | topic_key = 't', session_id = NULL
    memory_topic_once | memory_memory | topic_key = 'u' | topic_key = 't', state = 'quarantined' | topic_key = 't', expires_at = '2000-01-01'
    memory_topic_once | memory_memory | topic_key IN ('t', 'u') | topic_key = NULL | topic_key = 'w'
    memory_scope_valid | memory_memory | topic_key = 't' | scope = 'agent' | scope = 'team'
    memory_kind_valid | memory_memory | topic_key = 't' | kind = 'open_items' | kind = 'secrets'
    memory_source_valid | memory_memory | topic_key = 't' | source = 'imported' | source = 'hearsay'
    memory_salience_valid | memory_memory | topic_key = 't' | salience = 'critical' | salience = 'huge'
    memory_state_valid | memory_memory | topic_key = 't' | state = 'deleted' | state = 'erased'
    memory_says_something | memory_memory | topic_key = 't' | content = ' ' | content = ''
    memory_topic_not_empty | memory_memory | topic_key = 't' | topic_key = NULL | topic_key = ''
    memory_confidence_valid | memory_memory | topic_key = 't' | confidence = 0 | confidence = -0.1
    memory_confidence_valid | memory_memory | topic_key = 't' | confidence = 1 | confidence = 1.1
    memory_superseded_fits | memory_memory | topic_key = 'u' | superseded_by_id = {first}, state = 'superseded' | superseded_by_id = {first}
    memory_superseded_fits | memory_memory | topic_key = 'u' | superseded_by_id = {first}, state = 'deleted' | superseded_by_id = {first}, state = 'quarantined'
    memory_superseded_fits | memory_memory | topic_key = 'u' | superseded_by_id = NULL, state = 'superseded' | superseded_by_id = id, state = 'superseded'
    revision_version_once | memory_revision | version = 2 | version = 3 | version = 1
    memory_revision_version_check | memory_revision | version = 2 | version = 0 | version = -1
    evidence_once | memory_evidence | message_id = {hello} | memory_id = {second} | message_id = {again}
    consent_one_current | memory_consent | state = 'granted' | contact_id = {ben}, is_current = true | is_current = true
    consent_purpose_valid | memory_consent | true | purpose = 'memory' | purpose = 'sales'
    consent_state_valid | memory_consent | state = 'granted' | state = 'withdrawn' | state = 'asked'
    extraction_range_valid | memory_extraction | true | first_seq = 1, last_seq = 1 | first_seq = 0
    extraction_range_valid | memory_extraction | true | first_seq = 2, last_seq = 2 | first_seq = 3, last_seq = 2
    extraction_state_valid | memory_extraction | true | state = 'failed' | state = 'lost'
    memory_extraction_first_seq_check | memory_extraction | true | first_seq = 2 | first_seq = -1
    memory_extraction_last_seq_check | memory_extraction | true | last_seq = 2 | last_seq = -1
    memory_extraction_memories_check | memory_extraction | true | memories = 0 | memories = -1
    memory_extraction_tokens_check | memory_extraction | true | tokens = 0 | tokens = -1
    import_state_valid | memory_import | true | state = 'rolled_back' | state = 'lost'
    memory_import_done_check | memory_import | true | done = 0 | done = -1
    memory_import_total_check | memory_import | true | total = 0 | total = -1
    memory_import_sessions_check | memory_import | true | sessions = 0 | sessions = -1
    memory_import_messages_check | memory_import | true | messages = 0 | messages = -1
    memory_import_memories_check | memory_import | true | memories = 0 | memories = -1
    memory_import_extractions_check | memory_import | true | extractions = 0 | extractions = -1
    memory_import_known_check | memory_import | true | known = 0 | known = -1
    memory_import_problem_count_check | memory_import | true | problem_count = 0 | problem_count = -1
    receipt_once | memory_importreceipt | source_key = 'a' | source_key = 'c' | source_key = 'b'
    receipt_once | memory_importreceipt | source_key = 'a' | source_key = 'b', kind = 'file' | source_key = 'b', messages = 7
    memory_importreceipt_source_length_check | memory_importreceipt | true | source_length = 0 | source_length = -1
    memory_importreceipt_messages_check | memory_importreceipt | true | messages = 0 | messages = -1
    """
)
# -1 violates both.
TWINS = {
    "memory_extraction_first_seq_check": "extraction_range_valid",
    "memory_extraction_last_seq_check": "extraction_range_valid",
}
INSERTED = "memory_memory_version_check"  # the trigger lets no UPDATE come so far


@pytest.fixture
def names(api, cast):
    """Two rows of everything, and their ids as SQL text."""
    ana, ben = (make_contact(cast.north, "telegram", str(n)) for n in (1, 2))
    for words in ("Hello", "Again"):
        assert api.say(cast.bob.headers, "s1", words).status == 200
    with tenancy.account(cast.north):
        first, second = keep(topic_key="t"), keep(topic_key="u")
        keep(topic_key="of a contact", contact_id=ana)
        for words in ("Takes coffee.", "Takes water."):
            Memory.objects.filter(pk=first.pk).update(content=words)
        hello, again = Message.objects.order_by("seq").values_list("pk", flat=True)
        for message in (hello, again):
            Evidence.objects.create(memory=first, message_id=message)
        for state in ("granted", "withdrawn"):
            Consent.objects.create(contact_id=ana, state=state, is_current=state == "withdrawn")
        Extraction.objects.create(
            user=user_row("bob"), agent=agent_row("max"), first_seq=1, last_seq=2
        )
        run = Import.objects.create(format="jsonl", source="sessions")
        for key in "ab":
            ImportReceipt.objects.create(
                run=run, kind="session", source_key=key, source_hash=b"x" * 32, target=run.pk
            )
        ids = {
            "ana": ana,
            "ben": ben,
            "beth": user_row("beth").pk,
            "max": agent_row("max").pk,
            "first": first.pk,
            "second": second.pk,
            "hello": hello,
            "again": again,
        }
    return {name: f"'{key}'" for name, key in ids.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name} {case.bad[:40]}")
def test_constraint(cast, names, case):
    with tenancy.account(cast.north):
        assert update(case, case.good, names) >= 1
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            update(case, case.bad, names)
    violated = refused.value.__cause__.diag.constraint_name
    assert violated in {case.name, TWINS.get(case.name)}


@pytest.mark.usefixtures("names")
def test_a_version_is_never_negative(cast):
    with tenancy.account(cast.north):
        assert keep(version=0).version == 0
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            keep(version=-1)
    assert refused.value.__cause__.diag.constraint_name == INSERTED


@pytest.mark.usefixtures("names")
def test_a_memory_without_a_topic_stands_beside_any_number_of_its_like(cast):
    with tenancy.account(cast.north):
        assert len({keep().pk for _ in range(3)}) == 3


def test_every_constraint_of_the_database_is_tried(cast):
    held = held_by_the_database(cast.north.schema_name, "memory\\_%")
    assert {*(case.name for case in CASES), INSERTED} == held


def test_every_constraint_of_the_models_is_tried():
    tried = {case.name for case in CASES}
    for model in apps.get_app_config("memory").get_models():
        named = {constraint.name for constraint in model._meta.constraints}
        assert named <= tried, model
