"""View as a contact: an admin sees its sessions and nothing else of the account."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from django.test import Client

from accounts import tenancy
from accounts.actor import Role, Scope
from accounts.principals.models import AuditEvent, Contact, ViewAs
from accounts.principals.services import contact_merge
from tests.accounts.kit import make_contact
from tests.accounts.test_view_as import account_paths, rows_of
from tests.page_table import page_cells
from tests.sessions_app.channel import Channel, gateway_headers

HERE = "/a/north"
DANA = {"id": "dana", "name": "Dana"}


@pytest.fixture
def channel(api, cast):
    return Channel(api, gateway_headers(cast.north))


@pytest.fixture
def begin(sign_in):
    """begin(contact) → alice's browser, in which she views as that contact."""

    def start(contact, **fields) -> Client:
        browser = sign_in("alice")
        sent = {"contact": str(contact), "reason": "Ticket 77", "agent": "", **fields}
        answer = browser.post(f"{HERE}/view", sent)
        assert answer.status_code == 303, answer.content[-2000:]
        return browser

    return start


@pytest.fixture
def said(channel, api, cast):
    """Sessions of dana, eli, of a group in which both speak, and of bob; a draft of dana's."""
    found = {
        "dana": channel.session("dana", sender=DANA),
        "draft": channel.session("dana", thread_key="draft"),
        "eli": channel.session("eli"),
        "group": channel.session("dana", group="club"),
        "bob": "of-bob",
    }
    channel.say("eli", group="club")
    assert api.say(cast.bob.headers, "of-bob").status == 200
    return found


def listed(browser):
    page = browser.get(f"{HERE}/sessions").content.decode()
    return set(re.findall(r'class="row-link row-title" href="/a/north/sessions/([^"]+)"', page))


def group_of(cast):
    with tenancy.account(cast.north):
        return str(Contact.objects.get(kind="group").pk)


@pytest.mark.parametrize(
    ("whom", "seen"), [("dana", {"dana", "draft"}), ("eli", {"eli"}), ("group", {"group"})]
)
def test_a_contacts_eyes_see_exactly_its_sessions(whom, seen, begin, channel, said, cast):
    contact = group_of(cast) if whom == "group" else channel.contact(whom)
    browser = begin(contact)
    own = {said[name] for name in seen}
    assert listed(browser) == own == channel.listed(channel.as_contact(contact))
    for session in said.values():
        answer = browser.get(f"{HERE}/sessions/{session}")
        assert answer.status_code == (200 if session in own else 404)


def test_a_merged_contacts_eyes_see_what_both_said(begin, channel, said, alice_actor):
    dana, eli = channel.contact("dana"), channel.contact("eli")
    contact_merge(actor=alice_actor(), contact_id=eli, into=dana)
    tenancy.leave()
    both = {said["dana"], said["draft"], said["eli"]}
    for contact in (dana, eli):  # of a merged contact all is its root's
        assert listed(begin(contact)) == both


@pytest.fixture
def alice_actor(acting):
    def admin():
        return replace(acting("alice"), role=Role.ADMIN, scopes=frozenset(Scope))

    return admin


def test_of_all_other_pages_there_is_none(begin, channel, said, places):
    browser = begin(channel.contact("dana"))
    open_ones = {"/a/{account}/": 302, "/a/{account}/sessions": 200}
    for path, visitor, status in page_cells():
        if visitor != "admin" or not path.startswith("/a/"):
            continue
        answer = browser.get(path.format(account="north", **places))
        expected = open_ones.get(path, 405 if status == "405" else 404)
        assert answer.status_code == expected, path


def test_its_own_page_says_what_it_may_know_of_itself(begin, channel, said, cast):
    contact = channel.contact("dana", sender=DANA)
    with tenancy.account(cast.north):
        Contact.objects.filter(pk=contact).update(notes="Owes us a pot", aliases=["Dee"])
    own = begin(contact).get(f"{HERE}/contacts/{contact}")
    assert own.status_code == 200
    assert f"{HERE}/sessions/{said['dana']}".encode() in own.content
    for secret in (b"Owes us a pot", b"Dee", b"/edit", b"/delete", b"/merge", b"View as Dana"):
        assert secret not in own.content
    assert begin(contact).get(f"{HERE}/contacts/{channel.contact('eli')}").status_code == 404


def test_the_rail_and_the_filters_tell_of_nobody_else(begin, channel, said):
    browser = begin(channel.contact("dana"))
    page = browser.get(f"{HERE}/sessions").content.decode()
    rail = page[page.index('class="entries"') : page.index('class="rail-foot"')]
    assert re.findall(r'href="([^"]+)"', rail) == [f"{HERE}/sessions"]
    session = browser.get(f"{HERE}/sessions/{said['dana']}").content.decode()
    for word in ("bob", "beth", "gate", "max"):
        assert not re.search(rf"\b{word}\b", page + session), word
    assert "Dana" in page[page.index("view-banner") :][:1500]


def test_every_change_is_refused(begin, channel, said, cast, places):
    contact = channel.contact("dana")
    browser = begin(contact)
    stand_in = {**places, "session_id": said["dana"], "contact_id": contact}
    before = rows_of(cast.north.schema_name)
    for path in account_paths():
        at = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(stand_in.get(found[1], "1")), path)
        if at.endswith("/view/leave"):
            continue
        answer = browser.post(at.format(account="north"), {"title": "x", "reason": "x"})
        assert answer.status_code == 403, at
    assert rows_of(cast.north.schema_name) == before
    assert browser.post(f"{HERE}/view/leave").status_code == 303


def test_the_form_says_as_whom_and_needs_a_reason(sign_in, channel):
    contact, alice = channel.contact("dana", sender=DANA), sign_in("alice")
    form = alice.get(f"{HERE}/view", {"contact": contact}).content.decode()
    assert f'name="contact" value="{contact}"' in form
    assert 'name="user"' not in form
    assert "Dana" in form
    refused = alice.post(f"{HERE}/view", {"contact": contact, "reason": ""})
    assert refused.status_code == 422
    assert f'name="contact" value="{contact}"' in refused.content.decode()
    for nobody in ("no-uuid", "019f7b9c-1234-7abc-8def-0123456789ab"):
        assert alice.get(f"{HERE}/view", {"contact": nobody}).status_code == 404
    assert sign_in("bob").get(f"{HERE}/view", {"contact": contact}).status_code == 403


def test_the_owner_reads_who_looked_with_whose_eyes(begin, sign_in, cast):
    contact = make_contact(cast.north, "telegram", "4711", owner="bob")
    with tenancy.account(cast.north):
        Contact.objects.filter(pk=contact).update(display_name="Dana")
    begin(contact)
    page = re.sub(r"\s+", " ", sign_in("bob").get(f"{HERE}/looked").content.decode())
    assert "saw the account as your contact" in page
    assert ">Dana<" in page
    assert "Ticket 77" in page
    with tenancy.account(cast.north):
        assert str(ViewAs.objects.get().contact_id) == str(contact)
        started = AuditEvent.objects.get(action="view.started")
        assert started.data["contact"] == str(contact)
