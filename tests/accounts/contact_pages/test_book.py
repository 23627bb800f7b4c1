"""Contacts in the dashboard: the list, and one contact."""

from __future__ import annotations

import re

import pytest

from accounts import tenancy
from accounts.principals.models import Agent, Contact, ContactHandle, User
from tests.accounts.contact_pages.kit import CONTACTS, contact, shown, undo_of, words
from tests.accounts.kit import make_contact


def test_the_list_tells_of_each_contact_what_an_admin_asks(alice, channel):
    key = channel.contact("4711", sender={"id": "4711", "name": "Ana", "username": "@ana"})
    channel.say("4711", thread_key="other")
    channel.say("4711", group="club")
    page = words(alice.get(CONTACTS))
    row = page.split(f'href="{CONTACTS}/{key}"')[1].split("</tr>")[0]
    assert ">Ana<" in row
    assert "Telegram 4711 (@ana)" in row
    assert re.search(r'class="cell-count num">2</td>', row)
    assert "<strong>2</strong> contacts" in page
    assert "chip group" in page


def test_search_platform_and_kind_narrow_the_list(alice, cast):
    ana = make_contact(cast.north, "telegram", "4711")
    club = make_contact(cast.north, "whatsapp", "77", kind="group")
    with tenancy.account(cast.north):
        Contact.objects.filter(pk=ana).update(display_name="Ana", aliases=["Nan"])
    for query, found in (
        ({"q": "ANA"}, [ana]),
        ({"q": "nan"}, [ana]),
        ({"q": "471"}, [ana]),
        ({"platform": "whatsapp"}, [club]),
        ({"kind": "group"}, [club]),
        ({"kind": "external", "platform": "whatsapp"}, []),
        ({}, [club, ana]),
    ):
        assert shown(alice.get(CONTACTS, query)) == [str(key) for key in found], query
    assert "No contact matches" in words(alice.get(CONTACTS, {"q": "nobody"}))
    assert "platform WhatsApp" in words(alice.get(CONTACTS, {"platform": "whatsapp"}))
    assert alice.get(CONTACTS, {"platform": "fax"}).status_code == 422
    assert alice.get(CONTACTS, {"older": "garbage"}).status_code == 404


def test_the_list_goes_on_without_a_cap_and_back_again(alice, cast):
    with tenancy.account(cast.north):
        owner = User.objects.get(is_default=True)
        rows = [Contact(owner=owner, display_name=f"No {number}") for number in range(120)]
        for row in rows:
            row.root = row.pk
        Contact.objects.bulk_create(rows)
    seen, address = [], CONTACTS
    while address:
        page = alice.get(address)
        seen += shown(page)
        older = re.search(r'id="older" href="([^"]+)"', page.content.decode())
        last, address = address, older[1].replace("&amp;", "&") if older else ""
    assert len(seen) == len(set(seen)) == 120
    newer = re.search(r'id="newer" href="([^"]+)"', alice.get(last).content.decode())
    assert shown(alice.get(newer[1].replace("&amp;", "&"))) == seen[50:100]


def test_a_user_has_the_contacts_they_own_and_no_others(alice, bob, cast):
    own = make_contact(cast.north, "peer", "dana", owner="bob")
    others = [
        make_contact(cast.north, "telegram", "1"),
        make_contact(cast.north, "peer", "e", owner="beth"),
    ]
    assert shown(bob.get(CONTACTS)) == [str(own)]
    assert len(shown(alice.get(CONTACTS))) == 3
    assert bob.get(f"{CONTACTS}/{own}").status_code == 200
    for other in others:
        for path in ("", "/edit", "/delete", "/handles/new"):
            assert bob.get(f"{CONTACTS}/{other}{path}").status_code == 404
        assert bob.post(f"{CONTACTS}/{other}/edit", {"display_name": "Mine"}).status_code == 404
    assert 'href="/a/north/contacts"' in words(bob.get("/a/north/sessions"))


def test_while_there_is_none_the_list_says_how_one_comes(alice, bob, cast):
    with tenancy.account(cast.north):
        Agent.objects.create(agent_id="ada")
    page = words(alice.get(CONTACTS))
    assert "No contact has written yet" in page
    assert "No agent of this account has that scope." in page
    assert "Set session scope of ada" in page
    assert "/a/north/keys/new?scope=gateway" in page
    gateway = words(alice.get("/a/north/keys/new", {"scope": "gateway"}))
    assert re.search(r'value="gateway"[^>]*checked', gateway)
    assert not re.search(r'value="gateway"[^>]*checked', words(alice.get("/a/north/keys/new")))
    with tenancy.account(cast.north):
        Agent.objects.filter(agent_id="ada").update(session_scope="per_sender")
    assert "ada has that scope." in words(alice.get(CONTACTS))
    assert "Set session scope" not in words(alice.get(CONTACTS))
    assert "names one, in the header" in words(bob.get(CONTACTS))


def test_a_contacts_page_has_its_sessions_and_leads_to_all_of_them(alice, channel, api, cast):
    key = channel.contact("dana")
    of_dana, of_eli = channel.session("dana", thread_key="t"), channel.session("eli")
    page = words(alice.get(f"{CONTACTS}/{key}"))
    assert f"/a/north/sessions/{of_dana}" in page
    assert of_eli not in page
    assert "2 sessions, 2 messages." in page
    every = words(alice.get("/a/north/sessions", {"contact": key}))
    assert of_dana in every
    assert of_eli not in every
    assert "contact dana (Telegram)" in every
    assert 'name="contact" value' in every, "another filter keeps it"


def test_sessions_are_listed_for_a_contact_only_to_whom_it_is_known(alice, bob, cast):
    own = make_contact(cast.north, "peer", "dana", owner="bob")
    other = make_contact(cast.north, "peer", "e", owner="beth")
    assert bob.get("/a/north/sessions", {"contact": own}).status_code == 200
    assert bob.get("/a/north/sessions", {"contact": other}).status_code == 404
    assert bob.get("/a/north/sessions", {"contact": "no-uuid"}).status_code == 422


def test_a_change_is_kept_and_undone(alice, cast):
    key = make_contact(cast.north, "telegram", "4711")
    with tenancy.account(cast.north):
        Contact.objects.filter(pk=key).update(aliases=["One, two", "Three"], notes="Line\nand line")
    sent = {"display_name": "Ana", "aliases": "A\r\n\r\n B ", "tags": "vip", "notes": "New"}
    answer = alice.post(f"{CONTACTS}/{key}/edit", sent)
    assert answer.status_code == 303
    row = contact(cast, key)
    assert (row.display_name, row.aliases, row.tags, row.notes) == (
        "Ana",
        ["A", "B"],
        ["vip"],
        "New",
    )
    assert undo_of(alice, answer).status_code == 303
    row = contact(cast, key)
    assert (row.display_name, row.aliases, row.tags) == ("", ["One, two", "Three"], [])
    assert row.notes.split() == ["Line", "and", "line"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"aliases": "\n".join(map(str, range(21)))}, "at most 20 fit"),
        ({"tags": "x" * 65}, "at most 64 characters"),
        ({"display_name": "x" * 201}, "at most 200 characters"),
        ({"notes": "a\x00b"}, "Null characters"),
    ],
)
def test_a_refused_change_says_why_and_changes_nothing(fields, said, alice, cast):
    key = make_contact(cast.north, "telegram", "4711")
    answer = alice.post(f"{CONTACTS}/{key}/edit", {"display_name": "Ana", **fields})
    assert answer.status_code == 422
    assert said in words(answer)
    assert contact(cast, key).display_name == ""


def test_a_contact_is_made_by_hand_with_its_first_address(alice, bob, cast):
    sent = {
        "kind": "external",
        "display_name": "Ana",
        "platform": "email",
        "platform_id": "A@x.org",
    }
    assert alice.post(f"{CONTACTS}/new", sent).status_code == 303
    answer = bob.post(f"{CONTACTS}/new", sent)
    assert answer.status_code == 303
    with tenancy.account(cast.north):
        found = ContactHandle.objects.order_by("id").values_list("owner__user_id", "platform_id")
        assert list(found) == [("default", "a@x.org"), ("bob", "a@x.org")]
    again = alice.post(f"{CONTACTS}/new", sent)
    assert again.status_code == 422
    assert "is the address of another contact" in words(again)
    assert alice.post(f"{CONTACTS}/new", {**sent, "owner_user_id": "beth"}).status_code == 303
    assert "There is no user" in words(
        alice.post(f"{CONTACTS}/new", {**sent, "owner_user_id": "zoe"})
    )
    bare = {"kind": "group", "platform": "telegram", "username": "@x"}
    assert "the user name alone finds nobody" in words(alice.post(f"{CONTACTS}/new", bare))
    with tenancy.account(cast.north):
        assert Contact.objects.count() == 3


def test_a_contact_is_deleted_only_while_nothing_is_kept_of_it(alice, channel, cast):
    new, known = make_contact(cast.north, "web", "1"), channel.contact("dana")
    asked = words(alice.get(f"{CONTACTS}/{new}/delete"))
    assert "Delete 1 and 1 address</button>" in asked
    assert alice.post(f"{CONTACTS}/{new}/delete").status_code == 303
    assert contact(cast, new) is None
    kept = words(alice.get(f"{CONTACTS}/{known}/delete"))
    assert "cannot be deleted yet" in kept
    assert "button-destroy" not in kept
    assert f"/a/north/sessions?contact={known}" in kept
    refused = alice.post(f"{CONTACTS}/{known}/delete")
    assert refused.status_code == 422
    assert "Nothing was deleted." in words(refused)
    assert contact(cast, known) is not None


def test_the_audit_log_names_contacts_on_the_page_and_their_ids_in_the_file(alice, anas):
    alice.post(f"{CONTACTS}/{anas['telegram']}/merge", {"into": anas["whatsapp"]})
    page = words(alice.get("/a/north/audit", {"action": "contact.merged"}))
    assert "let the contact" in page
    assert page.count(">Ana<") == 2
    file = b"".join(alice.get("/a/north/audit.csv", {"action": "contact.merged"})).decode()
    assert anas["telegram"] in file
    assert "Ana" not in file
    alice.post("/a/north/view", {"contact": anas["telegram"], "reason": "Ticket 77"})
    alice.post("/a/north/view/leave")
    started = words(alice.get("/a/north/audit", {"action": "view.started"}))
    assert re.search(r"began to see the account as .*>Ana<.* , a contact of", started)


def test_the_agents_page_says_in_numbers_what_becomes_of_senders(alice, channel, cast, api):
    for sender in ("dana", "eli", "dana"):
        channel.say(sender, thread_key=f"of-{sender}")
    channel.say("dana", thread_key="another")
    page = words(alice.get("/a/north/agents/quinn"))
    assert "2 senders, 3 sessions." in page
    assert "are refused with 412. 3 sessions of contacts stay stamped and hidden." in page
    assert "Set scope to global, hide 3 sessions</button>" in page
    assert alice.post("/a/north/agents/quinn", {"session_scope": "global"}).status_code == 303
    assert channel.turn("dana").status == 412
    page = words(alice.get("/a/north/agents/quinn"))
    assert "Set scope to per sender, take up 3 sessions</button>" in page
    assert re.search(
        r"Senders with sessions of their own</th><td class=\"num\">0</td><td class=\"num\">2</td>",
        page,
    )
