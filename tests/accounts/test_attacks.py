"""What was found by attacking the pages: each line of this file once was a way in, or a 500."""

from __future__ import annotations

import pytest

from accounts import tenancy
from accounts.actor import Operator
from accounts.errors import AlreadyExists, Conflict, ResourceExhausted
from accounts.http.paging import encode_cursor
from accounts.models import Invitation, Membership, Person
from accounts.principals import services
from accounts.principals.forms.choices import FEW
from accounts.principals.models import AuditEvent, User
from accounts.principals.operator.services import operator_create
from accounts.principals.services import invitations
from accounts.services import person_enroll
from tests.cast import PASSWORD

SITE = "https://bailiwick.example"


def invite(cast, settings, *, mail: bool, email: str = "vera@corp.example") -> Invitation:
    settings.MAIL_ENABLED = mail
    return services.invitation_create(
        actor=Operator(), account=cast.north, user_id="bob", email=email, site=SITE
    )


class TestAnEmailTakenInAdvance:
    """Without mail an e-mail is not proven: who has it first may be somebody else."""

    @pytest.fixture
    def squatter(self, cast):
        with tenancy.account(cast.north):
            bob = User.objects.get(user_id="bob")
        return person_enroll(
            actor=Operator(),
            email="vera@corp.example",
            name="",
            password=PASSWORD,
            account=cast.north,
            user=bob.pk,
        )

    def test_does_not_get_another_account(self, squatter, cast):
        with tenancy.account(cast.south):
            default = User.objects.get(is_default=True).pk

        def enroll(**more):
            person_enroll(
                actor=Operator(),
                email="VERA@corp.example",
                name="",
                password=PASSWORD,
                account=cast.south,
                user=default,
                **more,
            )

        with pytest.raises(AlreadyExists):
            enroll()
        assert not Membership.objects.filter(person=squatter, account_id=cast.south.id).exists()
        enroll(existing=True)  # whoever says so has asked
        assert Membership.objects.filter(person=squatter, account_id=cast.south.id).exists()

    def test_does_not_become_an_operator(self, squatter):
        with pytest.raises(AlreadyExists):
            operator_create(actor=Operator(), email="vera@corp.example", password=PASSWORD)
        assert not Person.objects.get(pk=squatter.pk).is_operator


@pytest.mark.parametrize("mail", [True, False])
def test_with_mail_only_the_owner_of_the_email_gets_the_link(mail, cast, settings, sign_in):
    invite(cast, settings, mail=mail)
    for path in ("/a/north/users/bob", "/a/north/keys"):
        page = sign_in("alice").get(path)
        assert page.status_code == 200
        assert (b"/invitation/" in page.content) is not mail


def test_invitations_are_no_way_to_flood_an_address(cast, settings, monkeypatch):
    row = invite(cast, settings, mail=True)
    with pytest.raises(Conflict):
        services.invitation_renew(
            actor=Operator(), account=cast.north, invitation=row.pk, site=SITE
        )
    monkeypatch.setattr(invitations, "MAX_AN_HOUR", 2)
    invite(cast, settings, mail=True)
    with pytest.raises(ResourceExhausted):
        invite(cast, settings, mail=True)


@pytest.mark.parametrize("path", ["/a/north/sessions", "/a/north/audit", "/a/north/looked"])
def test_odd_time_zones_in_cursors(path, sign_in):
    odd = encode_cursor("2026-01-01T00:00:00+23:59:59", "0" * 8 + "-0000-0000-0000-" + "0" * 12)
    assert sign_in("alice").get(path, {"older": odd}).status_code == 404


def test_odd_time_zones_in_cursors_of_the_api(api, cast):
    odd = encode_cursor("2026-01-01T00:00:00+23:59:59", "0" * 8 + "-0000-0000-0000-" + "0" * 12)
    assert api.get("/sessions", cast.bob.headers, cursor=odd).code == "INVALID_ARGUMENT"


def test_forms_are_utf8(sign_in):
    body = b'--x\r\nContent-Disposition: form-data; name="user_id"\r\n\r\n+2AA-\r\n--x--\r\n'
    alice = sign_in("alice")
    for charset, status in (("utf-7", 404), ("utf-8", 422)):
        kind = f"multipart/form-data; boundary=x; charset={charset}"
        assert alice.generic("POST", "/a/north/users/new", body, kind).status_code == status


def test_a_read_of_ones_own_does_not_hide_behind_one_for_another(sign_in, api, cast):
    api.say(cast.bob.headers, "theirs")
    alice = sign_in("alice")
    alice.post("/a/north/view", {"user": "beth", "reason": "Ticket"})
    alice.get("/a/north/sessions/theirs")
    alice.post("/a/north/view/leave")
    alice.get("/a/north/sessions/theirs")
    with tenancy.account(cast.north):
        people = dict(User.objects.values_list("pk", "user_id"))
        read = AuditEvent.objects.filter(action="read.session").order_by("id")
        seen = [(people[row.actor], people.get(row.acting_as)) for row in read]
    assert seen == [("alice", "beth"), ("alice", None)]


def test_more_users_than_a_select_holds(sign_in, api, cast):
    api.say(cast.bob.headers, "theirs")  # without a session there is no filter
    with tenancy.account(cast.north):
        User.objects.bulk_create(User(user_id=f"user-{n:03}") for n in range(FEW + 1))
    alice = sign_in("alice")
    for query, status in (
        ({"user": "user-050"}, 200),
        ({"user": "nobody-there"}, 200),
        ({"user": "no id"}, 422),
    ):
        assert alice.get("/a/north/policy", query).status_code == status
    assert b"datalist" in alice.get("/a/north/sessions").content
    assert alice.get("/a/north/sessions", {"user": "user-050"}).status_code == 200
    fields = {"user": "nobody-there", "reason": "Ticket"}
    refused = alice.post("/a/north/view", fields)
    assert refused.status_code == 422
    assert b"No such user" in refused.content
    assert alice.post("/a/north/view", {**fields, "user": "user-050"}).status_code == 303


def test_two_replacements_of_a_key_leave_one(cast):
    for _ in range(2):
        services.key_replace(actor=Operator(), account=cast.north, user_id="bob")
    with tenancy.account(cast.north):
        bob = User.objects.get(user_id="bob")
        assert bob.keys.filter(name="default", revoked_at=None).count() == 1
