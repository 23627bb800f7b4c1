"""Users: what admins do with them in the browser."""

from __future__ import annotations

import re

import pytest

from accounts import tenancy
from accounts.actor import Operator
from accounts.models import Invitation, Membership
from accounts.principals.models import ApiKey, AuditEvent, User
from accounts.principals.services import invitation_create, user_create, user_set_role

USERS = "/a/north/users"


@pytest.fixture
def alice(sign_in):
    return sign_in("alice")


@pytest.fixture
def add(alice):
    """add(user_id="carol", …) → the answer to the form."""

    def send(**fields):
        return alice.post(f"{USERS}/new", {"user_id": "carol", "role": "user", **fields})

    return send


def user(cast, user_id="carol"):
    with tenancy.account(cast.north):
        return User.objects.filter(user_id=user_id).first()


def actions(cast):
    with tenancy.account(cast.north):
        return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def words(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


# --- The list ---


def test_the_list_tells_of_each_user_what_an_admin_asks(alice, api, cast):
    assert api.say(cast.bob.headers, "bobs").status == 200
    invitation_create(
        actor=Operator(), account=cast.north, user_id="beth", email="beth@x.example", site=""
    )
    page = words(alice.get(USERS))
    rows = {
        name: page.split(f'href="{USERS}/{name}"')[1].split("</tr>")[0] for name in ("bob", "beth")
    }
    assert "no sign-in" in rows["bob"]
    assert re.search(r'class="cell-count num">1</td>', rows["bob"])
    assert ">invited<" in rows["beth"]
    assert "alice@north.example" in page
    assert "<strong>4</strong> users" in page


def test_search_and_role_narrow_the_list(alice):
    found = words(alice.get(USERS, {"q": "BE"}))
    assert f"{USERS}/beth" in found
    assert f"{USERS}/bob" not in found
    admins = words(alice.get(USERS, {"role": "admin"}))
    assert f"{USERS}/alice" in admins
    assert f"{USERS}/beth" not in admins
    assert "No user matches" in words(alice.get(USERS, {"q": "nobody-at-all"}))
    assert alice.get(USERS, {"role": "root"}).status_code == 422


def test_the_list_goes_on_without_a_cap_and_back_again(alice, cast):
    with tenancy.account(cast.north):
        User.objects.bulk_create(User(user_id=f"many{number}") for number in range(120))
    seen, address = [], USERS
    while address:
        page = alice.get(address).content.decode()
        seen += re.findall(r'class="row-link" href="/a/north/users/([^"]+)"', page)
        older = re.search(r'id="older" href="([^"]+)"', page)
        last, address = address, older[1].replace("&amp;", "&") if older else ""
    assert len(seen) == len(set(seen)) == 124
    newer = re.search(r'id="newer" href="([^"]+)"', alice.get(last).content.decode())
    assert len(re.findall("row-link", alice.get(newer[1]).content.decode())) == 50
    assert alice.get(f"{USERS}?older=garbage").status_code == 404


# --- Adding ---


def test_a_new_users_key_is_shown_once_and_the_shown_line_works(add, alice, api, cast):
    answer = add(display_name="Carol", with_key="on")
    assert answer.status_code == 201
    key = re.search(r'<code id="secret">([^<]+)</code>', answer.content.decode())[1]
    line = words(answer)
    assert f"/api/v1/sessions/hello-carol/messages -H &#x27;X-API-Key: {key}&#x27;" in line
    assert answer["Cache-Control"] == "no-store"
    assert api.say({"X-API-Key": key}, "hello-carol").status == 200
    detail = words(alice.get(f"{USERS}/carol"))
    assert "hello-carol" in detail
    assert key.rsplit(".", 1)[1] not in detail


def test_a_user_may_be_added_without_a_key_and_with_an_invitation(add, alice, cast):
    answer = add(email="carol@x.example")
    assert (answer.status_code, answer["Location"]) == (303, f"{USERS}/carol")
    with tenancy.account(cast.north):
        assert not ApiKey.objects.filter(user__user_id="carol").exists()
    page = words(alice.get(f"{USERS}/carol"))
    assert "carol@x.example" in page
    assert "http://testserver/invitation/" in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"user_id": ""}, "Give the user an id"),
        ({"user_id": "no spaces"}, "must be 1 to 64 letters"),
        ({"user_id": "default"}, "is reserved"),
        ({"user_id": "BOB"}, "A user with this id exists"),
        ({"role": "root"}, "Select a valid choice"),
        ({"email": "nowhere"}, "Write a whole address"),
        ({"email": "alice@north.example"}, "signs in as another user"),
        ({"display_name": "x" * 201}, "at most 200"),
    ],
)
def test_a_refused_user_leaves_nothing_behind(fields, said, add, cast):
    answer = add(with_key="on", **fields)
    assert answer.status_code == 422
    assert said in words(answer)
    assert "No user was added." in words(answer)
    assert user(cast) is None
    assert not Invitation.objects.exists()
    assert add(with_key="on").status_code == 201


def test_a_user_called_new_has_a_page_of_their_own(add, alice):
    assert add(user_id="new")["Location"] == f"{USERS}/NEW"
    assert "Change name or role" in words(alice.get(f"{USERS}/NEW"))
    assert "Add user" in words(alice.get(f"{USERS}/new"))


# --- Changing ---


def test_name_and_role_change_and_the_way_back_is_offered(alice, cast):
    answer = alice.post(f"{USERS}/bob/edit", {"display_name": " Bob  Marsh ", "role": "admin"})
    assert answer.status_code == 303
    assert (user(cast, "bob").display_name, user(cast, "bob").role) == ("Bob Marsh", "admin")
    toast = words(alice.get(answer["Location"])).split('id="toasts"')[1]
    fields = dict(re.findall(r'name="(role|display_name)" value="([^"]*)"', toast))
    assert fields == {"role": "user", "display_name": ""}
    assert alice.post(f"{USERS}/bob/edit", fields).status_code == 303
    assert (user(cast, "bob").display_name, user(cast, "bob").role) == ("", "user")
    assert actions(cast).count("user.role_changed") == 2


def test_the_last_admin_keeps_the_role(alice, cast):
    fields = {"display_name": "", "role": "user"}
    refused = alice.post(f"{USERS}/alice/edit", fields)
    assert refused.status_code == 422
    assert "last admin" in words(refused)
    user_set_role(actor=Operator(), account=cast.north, user_id="bob", role="admin")
    answer = alice.post(f"{USERS}/alice/edit", fields)
    assert answer["Location"] == "/a/north/"
    assert alice.get(USERS).status_code == 403


def test_the_default_user_has_a_name_and_no_role_key_or_end(alice, cast):
    page = words(alice.get(f"{USERS}/default"))
    assert "cannot be deleted" in page
    assert "New key" not in page
    assert "Delete user" not in page
    assert 'name="role"' not in words(alice.get(f"{USERS}/default/edit"))
    changed = {"display_name": "Nobody", "role": "admin"}
    assert alice.post(f"{USERS}/default/edit", changed).status_code == 303
    assert (user(cast, "default").display_name, user(cast, "default").role) == ("Nobody", "user")
    assert alice.get(f"{USERS}/default/delete").status_code == 404
    assert alice.post(f"{USERS}/default/delete").status_code == 404
    assert alice.get("/a/north/keys/new?user=default").status_code == 404


# --- Sign-in ---


def test_an_invitation_is_made_renewed_and_revoked_on_the_users_page(alice, cast):
    answer = alice.post(f"{USERS}/bob/invite", {"email": "bob@x.example"})
    assert answer["Location"] == f"{USERS}/bob"
    row = Invitation.objects.get()
    page = words(alice.get(f"{USERS}/bob"))
    assert "http://testserver/invitation/" in page
    here = {"from": "user"}
    renewed = alice.post(f"/a/north/invitations/{row.pk}/renew", here)
    assert renewed["Location"] == f"{USERS}/bob"
    assert Invitation.objects.get().expires_at > row.expires_at
    assert alice.post(f"/a/north/invitations/{row.pk}/revoke", here).status_code == 303
    toast = words(alice.get(f"{USERS}/bob")).split('id="toasts"')[1]
    assert "Invite again" in toast
    assert "http://testserver/invitation/" not in words(alice.get(f"{USERS}/bob"))
    assert alice.post(f"/a/north/invitations/{row.pk}/revoke", here).status_code == 404


def test_who_signs_in_already_is_not_invited(alice, sign_in, cast):
    refused = alice.post(f"{USERS}/alice/invite", {"email": "other@x.example"})
    assert refused.status_code == 422
    assert "has a sign-in already" in words(refused)
    assert "Nobody was invited." in words(refused)
    assert not Invitation.objects.exists()


def test_an_invitation_of_another_account_is_not_there(sign_in, cast):
    row = invitation_create(
        actor=Operator(), account=cast.north, user_id="bob", email="bob@x.example", site=""
    )
    charlie = sign_in("charlie")
    assert charlie.post(f"/a/south/invitations/{row.pk}/revoke").status_code == 404
    assert Invitation.objects.get().revoked_at is None
    assert sign_in("alice").post(f"/a/north/invitations/{row.pk}/revoke").status_code == 303
    assert Invitation.objects.get().revoked_at is not None


# --- Deleting ---


def test_deleting_says_what_goes_and_what_stays_and_does_it(alice, sign_in, api, cast):
    made = user_create(actor=Operator(), account=cast.north, user_id="dora")
    assert api.say({"X-API-Key": made.user_key}, "doras").status == 200
    sign_in("dora")
    page = words(alice.get(f"{USERS}/dora/delete"))
    assert "Delete dora and 1 key?" in page
    assert "Sign-in of dora@north.example" in page
    answer = alice.post(f"{USERS}/dora/delete")
    assert (answer.status_code, answer["Location"]) == (303, USERS)
    assert api.get("/sessions", {"X-API-Key": made.user_key}).status == 401
    assert not Membership.objects.filter(user=made.user.pk).exists()
    assert alice.get("/a/north/sessions/doras").status_code == 200
    assert alice.get(f"{USERS}/dora").status_code == 404


def test_the_last_admin_is_not_deleted(alice, cast):
    refused = alice.post(f"{USERS}/alice/delete")
    assert refused.status_code == 422
    assert "last admin" in words(refused)
    assert user(cast, "alice").is_active


# --- Rights ---


@pytest.mark.parametrize(
    "path",
    ["new", "bob/edit", "beth/edit", "beth/invite", "beth/delete"],
)
def test_a_user_changes_nobody_not_even_themself(path, sign_in, cast):
    before = actions(cast)
    fields = {"user_id": "carol", "role": "admin", "display_name": "x", "email": "e@x.example"}
    assert sign_in("bob").post(f"{USERS}/{path}", fields).status_code == 403
    assert actions(cast) == before
    assert sign_in("alice").post(f"{USERS}/{path}", fields).status_code in {303, 201}
    assert actions(cast) != before
