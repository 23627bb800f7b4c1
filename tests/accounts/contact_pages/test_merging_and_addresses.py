"""Contacts in the dashboard: merging with a preview, addresses, links."""

from __future__ import annotations

import re

from accounts import tenancy
from accounts.actor import Operator
from accounts.principals.models import ContactHandle
from accounts.principals.services import key_create
from tests.accounts.contact_pages.kit import CONTACTS, contact, shown, undo_of, words
from tests.accounts.kit import make_contact


def handle_of(cast, key):
    with tenancy.account(cast.north):
        return ContactHandle.objects.select_related("user").get(contact=key)


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
