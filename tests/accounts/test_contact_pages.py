"""Contacts: what admins and owners do with them in the browser."""

from __future__ import annotations

import re

import pytest

from accounts import tenancy
from accounts.actor import Operator
from accounts.principals.models import Agent, Contact, ContactHandle, User
from accounts.principals.services import key_create
from tests.accounts.kit import make_contact
from tests.sessions_app.channel import Channel, gateway_headers

CONTACTS = "/a/north/contacts"


@pytest.fixture
def alice(sign_in):
    return sign_in("alice")


@pytest.fixture
def bob(sign_in):
    return sign_in("bob")


@pytest.fixture
def channel(api, cast):
    return Channel(api, gateway_headers(cast.north))


def words(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


def shown(answer):
    return re.findall(r'class="row-link" href="/a/north/contacts/([^"]+)"', answer.content.decode())


def contact(cast, key):
    with tenancy.account(cast.north):
        return Contact.objects.filter(pk=key).first()


def handle_of(cast, key):
    with tenancy.account(cast.north):
        return ContactHandle.objects.select_related("user").get(contact=key)


def undo_of(browser, answer):
    """Press what the toast after this answer offers; the answer to that."""
    page = browser.get(answer["Location"]).content.decode()
    toast = page[page.index('id="toasts"') :].split('id="failed"')[0].split('class="toast"')[-1]
    at = re.search(r'<form method="post" action="([^"]+)"', toast)
    assert at, toast
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', toast)
    sent = {name: value.replace("&#x27;", "'") for name, value in fields}
    return browser.post(at[1], sent)


# --- The list ---


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


# --- One contact ---


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


# --- Merging ---


@pytest.fixture
def anas(channel, cast):
    """Two strangers called Ana, who have written; ids by platform."""
    found = {}
    for platform in ("telegram", "whatsapp"):
        sender = {"id": f"{platform}-1", "name": "Ana"}
        said = channel.say(sender=sender, platform=platform)
        found[platform] = said["sender"]["contact_id"]
        found[f"{platform} session"] = said["session"]["session_id"]
    return found


def test_a_merge_is_previewed_in_numbers_done_and_undone(alice, anas, cast):
    first, other = anas["telegram"], anas["whatsapp"]
    choose = words(alice.get(f"{CONTACTS}/{first}/merge"))
    assert f"?into={other}" in choose, "the one of the same name is offered"
    preview = words(alice.get(f"{CONTACTS}/{first}/merge", {"into": other}))
    assert "Merge Ana (Telegram) into Ana (WhatsApp)</button>" in preview
    assert re.search(r"Sessions</th>(<td class=\"num\">[112]</td>){3}", preview)
    assert "No row moves" in preview
    assert contact(cast, first).merged_into_id is None, "nothing was done yet"

    answer = alice.post(f"{CONTACTS}/{first}/merge", {"into": other})
    assert answer.status_code == 303
    assert answer["Location"] == f"{CONTACTS}/{other}"
    merged = words(alice.get(f"{CONTACTS}/{other}"))
    assert "2 sessions, 2 messages." in merged
    assert anas["telegram session"] in merged
    assert f"{CONTACTS}/{first}/unmerge" in merged
    assert shown(alice.get(CONTACTS)) == [other]
    part = words(alice.get(f"{CONTACTS}/{first}"))
    assert "Merged into" in part
    assert "Undo merge" in part
    assert anas["telegram session"] not in part

    undone = alice.post(f"{CONTACTS}/{first}/unmerge")
    assert undone.status_code == 303
    assert set(shown(alice.get(CONTACTS))) == {first, other}
    alice.get(CONTACTS)
    again = alice.post(f"{CONTACTS}/{first}/unmerge")
    assert "stands alone already" in words(alice.get(again["Location"]))
    assert contact(cast, first).merged_into_id is None


def test_the_toasts_of_a_merge_undo_it_and_do_it_again(alice, anas, cast):
    answer = alice.post(f"{CONTACTS}/{anas['telegram']}/merge", {"into": anas["whatsapp"]})
    undone = undo_of(alice, answer)
    assert undone.status_code == 303
    assert contact(cast, anas["telegram"]).merged_into_id is None
    assert undo_of(alice, undone).status_code == 303
    assert str(contact(cast, anas["telegram"]).merged_into_id) == anas["whatsapp"]


def test_what_cannot_be_merged_is_refused_on_the_page(alice, anas, cast):
    first = anas["telegram"]
    unfit = {
        first: "These are one contact already.",
        make_contact(cast.north, "web", "1", owner="bob"): "Only contacts of one owner",
        make_contact(
            cast.north, "web", "2", kind="group"
        ): "A group and a person cannot be merged.",
    }
    for other, why in unfit.items():
        for answer in (
            alice.get(f"{CONTACTS}/{first}/merge", {"into": other}),
            alice.post(f"{CONTACTS}/{first}/merge", {"into": other}),
        ):
            assert answer.status_code == 422
            assert why in words(answer)
            assert "Choose another contact below" in words(answer)
    offered = words(alice.get(f"{CONTACTS}/{first}/merge", {"q": ""}))
    assert "Only contacts of one owner" in offered
    assert contact(cast, first).merged_into_id is None
    assert alice.get(f"{CONTACTS}/{first}/merge", {"into": "garbage"}).status_code == 404
    assert alice.post(f"{CONTACTS}/{first}/merge", {"into": anas["whatsapp"]}).status_code == 303
    again = alice.post(f"{CONTACTS}/{first}/merge", {"into": make_contact(cast.north, "web", "3")})
    assert "Undo its merge" in words(again)


def test_only_admins_merge(bob, cast):
    one, two = (make_contact(cast.north, "peer", name, owner="bob") for name in "ab")
    assert bob.get(f"{CONTACTS}/{one}").status_code == 200
    assert bob.post(f"{CONTACTS}/{one}/merge", {"into": two}).status_code == 403
    assert bob.post(f"{CONTACTS}/{one}/unmerge").status_code == 403
    assert contact(cast, one).merged_into_id is None
    page = words(bob.get(f"{CONTACTS}/{one}"))
    assert "/merge" not in page
    assert "/bind" not in page
    assert "View as" not in page


# --- Addresses ---


def test_an_address_is_added_removed_and_both_undone(alice, cast):
    key = make_contact(cast.north, "telegram", "4711")
    sent = {"platform": "web", "platform_id": "w-1", "username": "ana"}
    added = alice.post(f"{CONTACTS}/{key}/handles/new", sent)
    assert added.status_code == 303
    assert "Web w-1" in words(alice.get(f"{CONTACTS}/{key}")).replace("<code>", "")
    with tenancy.account(cast.north):
        handle = ContactHandle.objects.get(platform_id="w-1")
    at = f"{CONTACTS}/{key}/handles/{handle.pk}/remove"
    assert "Remove Web w-1</button>" in words(alice.get(at))
    removed = alice.post(at)
    assert removed.status_code == 303
    with tenancy.account(cast.north):
        assert ContactHandle.objects.filter(contact=key).count() == 1
    assert undo_of(alice, removed).status_code == 303
    with tenancy.account(cast.north):
        assert ContactHandle.objects.get(platform_id="w-1").username == "ana"
    other = make_contact(cast.north, "web", "w-2")
    taken = alice.post(f"{CONTACTS}/{key}/handles/new", {**sent, "platform_id": "w-2"})
    assert taken.status_code == 422
    assert "is the address of another contact" in words(taken)
    foreign = handle_of(cast, other).pk
    assert alice.post(f"{CONTACTS}/{key}/handles/{foreign}/remove").status_code == 404


def test_an_address_is_bound_to_a_user_and_unbound(alice, bob, channel, cast):
    key = channel.contact("dana")
    handle = handle_of(cast, key).pk
    at = f"{CONTACTS}/{key}/handles/{handle}"
    wrong = alice.post(f"{at}/bind", {"user_id": "zoe"})
    assert wrong.status_code == 422
    assert "There is no user “zoe” here." in words(wrong)
    bound = alice.post(f"{at}/bind", {"user_id": "bob"})
    assert bound.status_code == 303
    assert channel.say("dana")["sender"]["user_id"] == "bob"
    assert "dana" in words(bob.get("/a/north/link"))
    unbound = alice.post(f"{at}/unbind")
    assert unbound.status_code == 303
    assert channel.say("dana")["sender"]["user_id"] is None
    assert undo_of(alice, unbound).status_code == 303
    assert handle_of(cast, key).user.user_id == "bob"
    for _ in range(2):  # pressed twice, the second time changes nothing
        assert alice.post(f"{at}/unbind").status_code == 303
    group = make_contact(cast.north, "telegram", "club", kind="group")
    at = f"{CONTACTS}/{group}/handles/{handle_of(cast, group).pk}"
    assert alice.get(f"{at}/bind").status_code == 404


def test_a_user_links_an_address_with_a_code(bob, channel, cast):
    assert "/a/north/link" in words(bob.get("/a/north/keys"))
    before = words(bob.get("/a/north/link"))
    assert "None yet." in before
    assert 'id="secret"' not in before
    made = bob.post("/a/north/link")
    assert made.status_code == 201
    code = re.search(r'id="secret">(/link \w{8})<', made.content.decode())[1]
    assert code not in words(bob.get("/a/north/link")), "it is shown once"
    assert channel.say("bobs-phone", code)["reply"]
    assert "bobs-phone" in words(bob.get("/a/north/link"))
    assert channel.say("bobs-phone")["sender"]["user_id"] == "bob"


def test_an_admin_finds_the_link_on_their_own_page_only(alice):
    assert "/a/north/link" in words(alice.get("/a/north/users/alice"))
    assert "/a/north/link" not in words(alice.get("/a/north/users/bob"))


def test_a_browser_is_no_gateway(bob, api, cast):
    """Who signs in as a user does not come by the contacts of gateways that way."""
    strangers = make_contact(cast.north, "telegram", "1")
    assert bob.get(f"{CONTACTS}/{strangers}").status_code == 404
    own = key_create(
        actor=Operator(), account=cast.north, user_id="bob", name="gate", scopes=["read", "gateway"]
    )[1]
    assert api.get(f"/contacts/{strangers}", {"X-API-Key": own}).status == 200


# --- What is said elsewhere ---


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
