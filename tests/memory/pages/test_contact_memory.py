"""A contact's page: what is kept of it, and what it agreed to."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import tenancy
from accounts.principals.models import Contact
from memory.models import Consent
from tests.memory.kit import keep, make_contact


@pytest.fixture
def dana(cast, structured):
    """A contact of bob's of whom one thing was kept, and the address of its page."""
    key = make_contact(cast.north, "telegram", "4711", owner="bob")
    with tenancy.account(cast.north):
        keep(content="Wants deliveries on Thursdays.", contact=Contact.objects.get(pk=key))
    return f"/a/north/contacts/{key}"


def words(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


def ledger(cast):
    with tenancy.account(cast.north):
        return list(Consent.objects.order_by("id").values_list("state", "channel", "is_current"))


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_the_page_says_what_is_kept_and_that_silence_hides_it(who, dana, sign_in):
    page = words(sign_in(who).get(dana))
    assert "in this account nothing is kept of a contact until it agrees" in page
    assert "hidden: no consent" in page.split("Wants deliveries on Thursdays.")[1]
    assert sign_in("beth").get(dana).status_code == 404


def test_silence_is_read_as_the_account_says(dana, sign_in, set_settings):
    set_settings(contact_consent="opt_out")
    page = words(sign_in("bob").get(dana))
    assert "that counts as yes until it says no" in page
    assert "hidden: no consent" not in page
    assert "Wants deliveries on Thursdays." in page


def test_an_admin_writes_down_what_the_contact_says(dana, sign_in, cast):
    alice = sign_in("alice")
    answer = alice.post(f"{dana}/consent", {"state": "granted", "channel": "in the chat"})
    assert answer.status_code == 303
    page = words(alice.get(answer["Location"]))
    assert "agreed." in page
    assert "<bdi>in the chat</bdi>" in page
    assert "hidden: no consent" not in page
    assert alice.post(f"{dana}/consent", {"state": "withdrawn"}).status_code == 303
    assert "hidden: no consent" in words(alice.get(dana))
    assert ledger(cast) == [("granted", "in the chat", False), ("withdrawn", "", True)]


def test_a_refused_line_is_not_written(dana, sign_in, cast):
    alice = sign_in("alice")
    past = timezone.localtime(timezone.now() - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    for fields in ({}, {"state": "maybe"}, {"state": "granted", "expires_at": past}):
        answer = alice.post(f"{dana}/consent", fields)
        assert answer.status_code == 422, fields
        assert "Nothing was written down." in words(answer)
    assert ledger(cast) == []
    assert alice.post(f"{dana}/consent", {"state": "granted"}).status_code == 303


def test_the_owner_reads_the_ledger_and_writes_nothing(dana, sign_in, cast):
    sign_in("alice").post(f"{dana}/consent", {"state": "granted", "channel": "on paper"})
    bob = sign_in("bob")
    page = words(bob.get(f"{dana}/consent"))
    assert "<bdi>on paper</bdi>" in page
    assert "alice" in page
    assert "Write it down" not in page
    assert bob.post(f"{dana}/consent", {"state": "withdrawn"}).status_code == 403
    assert ledger(cast) == [("granted", "on paper", True)]
    assert sign_in("beth").get(f"{dana}/consent").status_code == 404


def test_a_contact_of_whom_something_is_kept_is_not_deleted(dana, sign_in, cast):
    alice = sign_in("alice")
    asked = words(alice.get(f"{dana}/delete"))
    assert "cannot be deleted yet" in asked
    assert re.search(r'deleted ones too</th><td class="num">1</td>', asked)
    assert 'class="button-destroy"' not in asked
    assert alice.post(f"{dana}/delete").status_code == 422
    other = make_contact(cast.north, "telegram", "4712", owner="bob")
    assert alice.post(f"/a/north/contacts/{other}/delete").status_code == 303


def test_the_list_counts_what_is_kept(dana, sign_in):
    page = words(sign_in("alice").get("/a/north/contacts"))
    row = page.split(f'href="{dana}"')[1].split("</tr>")[0]
    assert '<td class="cell-count num">1</td>' in row
