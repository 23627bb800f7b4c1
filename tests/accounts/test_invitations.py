"""Invitations: who may take one, once, and that a link is no way into a person that exists."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.core.signing import Signer
from django.test import Client
from django.utils import timezone

from accounts import tenancy
from accounts.actor import Operator
from accounts.errors import Conflict, FailedPrecondition, InvalidArgument, NotFound
from accounts.models import Account, Invitation, Membership, Person
from accounts.principals import services, tasks
from accounts.principals.models import AuditEvent, User
from accounts.principals.selectors import invitation_page, invitations_of
from accounts.principals.tokens import invitation_link
from tests.accounts.kit import at_once
from tests.cast import PASSWORD

EMAIL = "bob@home.example"
SITE = "http://testserver"
GOOD = {"name": "Bob Away", "password": PASSWORD}


@pytest.fixture
def browser(cast):
    return Client(raise_request_exception=False)


@pytest.fixture
def invite(cast):
    """invite() → bob of north is invited."""

    def make(user_id="bob", email=EMAIL, account=None, actor=None):
        return services.invitation_create(
            actor=actor or Operator(),
            account=account or cast.north,
            user_id=user_id,
            email=email,
            site=SITE,
        )

    return make


@pytest.fixture
def link(invite):
    return invitation_link(invite())


def members(email=EMAIL):
    return list(
        Membership.objects.filter(person__email__iexact=email).values_list(
            "account__account_id", flat=True
        )
    )


def actions(account, prefix="invitation."):
    with tenancy.account(account):
        rows = AuditEvent.objects.filter(action__startswith=prefix).order_by("id")
        return [(row.action, row.actor_role) for row in rows]


class TestAdminsSide:
    def test_one_waits_for_a_user_and_a_new_one_revokes_it(self, cast, invite, browser):
        first, second = invite(), invite(email="other@home.example")
        rows = invitation_page(account=cast.north, after=None, limit=10)
        assert [(row.id, row.user_id, row.state) for row in rows] == [(second.pk, "bob", "open")]
        assert browser.get(invitation_link(first)).status_code == 410
        assert browser.get(invitation_link(second)).status_code == 200
        assert browser.get(rows[0].link).status_code == 200

    def test_the_list_tells_who_invited(self, cast, acting, invite):
        invite(actor=acting("alice"))
        tenancy.leave()
        invite(user_id="beth", email="beth@home.example")
        found = {
            row.user_id: row.invited_by
            for row in invitation_page(account=cast.north, after=None, limit=10)
        }
        assert found == {"bob": "alice", "beth": None}

    def test_pages_of_the_list_neither_skip_nor_repeat(self, cast, invite):
        invite()
        invite(user_id="beth", email="beth@home.example")
        first = invitation_page(account=cast.north, after=None, limit=1)
        assert len(first) == 2
        rest = invitation_page(account=cast.north, after=first[0].id, limit=1)
        assert [row.user_id for row in rest] == ["bob"]

    def test_an_expired_one_is_listed_without_its_link_until_it_is_sent_again(self, cast, invite):
        row = invite()
        Invitation.objects.update(expires_at=timezone.now())
        found = invitations_of(account=cast.north, users={row.user})[row.user]
        assert (found.state, found.link) == ("expired", "")
        services.invitation_renew(
            actor=Operator(), account=cast.north, invitation=row.pk, site=SITE
        )
        found = invitations_of(account=cast.north, users={row.user})[row.user]
        assert (found.state, found.link) == ("open", invitation_link(row))

    def test_who_has_a_sign_in_is_not_invited(self, invite, sign_in):
        assert invite()
        sign_in("bob")
        with pytest.raises(Conflict):
            invite()

    def test_an_email_of_another_user_of_the_account_is_refused(self, invite):
        assert invite(email="charlie@south.example")  # a person of another account is welcome
        with pytest.raises(Conflict):
            invite(email="ALICE@north.example")

    @pytest.mark.parametrize(
        "email", ["", "bob", "bob@", "a b@c.example", "x" * 250 + "@a.example"]
    )
    def test_what_is_no_address_is_refused(self, invite, email):
        with pytest.raises(InvalidArgument):
            invite(email=email)

    def test_another_accounts_invitation_is_not_found(self, cast, invite):
        row = invite()
        for change in (services.invitation_revoke, services.invitation_renew):
            more = {"site": SITE} if change is services.invitation_renew else {}
            with pytest.raises(NotFound):
                change(actor=Operator(), account=cast.south, invitation=row.pk, **more)
            assert change(actor=Operator(), account=cast.north, invitation=row.pk, **more)
            Invitation.objects.update(revoked_at=None)

    def test_deleting_the_user_revokes_it(self, cast, invite, browser):
        link = invitation_link(invite())
        assert browser.get(link).status_code == 200
        services.user_delete(actor=Operator(), account=cast.north, user_id="bob")
        assert browser.get(link).status_code == 410
        assert ("invitation.revoked", "root") in actions(cast.north)


class TestAccepting:
    def test_a_new_person_is_made_signed_in_and_shown_the_account(self, cast, browser, link):
        page = browser.get(link)
        assert page.status_code == 200
        assert EMAIL in page.content.decode()
        before = browser.session.session_key
        answer = browser.post(link, GOOD)
        assert (answer.status_code, answer["Location"]) == (303, "/a/north/")
        assert browser.session.session_key != before
        assert browser.get("/a/north/sessions").status_code == 200
        person = Person.objects.get(email=EMAIL)
        assert (person.name, person.check_password(PASSWORD)) == ("Bob Away", True)
        with tenancy.account(cast.north):
            event = AuditEvent.objects.get(action="invitation.accepted")
            bob = User.objects.get(user_id="bob")
            assert (event.actor, event.target, event.actor_role) == (bob.pk, bob.pk, "user")

    @pytest.mark.parametrize("password", ["", "short", "password1234", EMAIL])
    def test_a_weak_password_is_refused(self, browser, link, password):
        answer = browser.post(link, {"name": "", "password": password})
        assert answer.status_code == 422
        assert not Person.objects.filter(email=EMAIL).exists()
        assert browser.post(link, GOOD).status_code == 303

    def test_the_link_works_once(self, browser, link):
        assert browser.post(link, GOOD).status_code == 303
        other = Client()
        answer = other.post(link, {"name": "Mallory", "password": "another long password"})
        assert answer.status_code == 410
        assert b"accepted already" in answer.content
        assert "sessionid" not in other.cookies
        assert Person.objects.get(email=EMAIL).check_password(PASSWORD)

    @pytest.mark.parametrize("change", ["cut", "longer", "other", "garbage", "unsigned"])
    def test_a_link_that_was_tampered_with_opens_nothing(self, browser, link, invite, change):
        other = invite(user_id="beth", email="beth@home.example")
        sign = link.rpartition(".")[2]
        wrong = {
            "cut": link[:-1],
            "longer": f"{link}a",
            "other": f"/invitation/{other.pk.hex}.{sign}",
            "garbage": "/invitation/%00%ff..",
            "unsigned": f"/invitation/{other.pk.hex}",
        }[change]
        for answer in (browser.get(wrong), browser.post(wrong, GOOD)):
            assert answer.status_code == 404
        assert not Person.objects.filter(email=EMAIL).exists()
        assert browser.get(link).status_code == 200

    def test_a_signature_made_for_something_else_opens_nothing(self, browser, invite):
        row = invite()
        other = Signer(salt="another", sep=".").sign(row.pk.hex)
        assert browser.get(f"/invitation/{other}").status_code == 404
        assert browser.get(invitation_link(row)).status_code == 200

    @pytest.mark.parametrize("end", ["expired", "revoked", "suspended", "inactive"])
    def test_what_is_over_is_refused(self, cast, browser, invite, end):
        row = invite()
        link = invitation_link(row)
        assert browser.get(link).status_code == 200
        if end == "expired":
            Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        elif end == "revoked":
            services.invitation_revoke(actor=Operator(), account=cast.north, invitation=row.pk)
        elif end == "suspended":
            Account.objects.filter(pk=cast.north.id).update(state="suspended")
        else:
            with tenancy.account(cast.north):
                User.objects.filter(user_id="bob").update(is_active=False)
        for answer in (browser.get(link), browser.post(link, GOOD)):
            assert answer.status_code == 410
            assert b"opens nothing" in answer.content
            assert b"north" not in answer.content
        with pytest.raises(FailedPrecondition):
            services.invitation_accept(token=link.rpartition("/")[2], person=None, **GOOD)
        assert not Person.objects.filter(email=EMAIL).exists()


class TestExistingPerson:
    """The inviting admin knows the link: it must be no key to a person that exists."""

    @pytest.fixture
    def link(self, invite):
        return invitation_link(invite(email="Charlie@south.example"))

    def test_must_be_signed_in(self, browser, link):
        page = browser.get(link)
        assert page.status_code == 200
        assert f"/sign-in?next={link}" in page.content.decode()
        assert b'name="password"' not in page.content
        answer = browser.post(link, {"name": "Mallory", "password": "another long password"})
        assert answer.status_code == 422
        charlie = Person.objects.get(email="charlie@south.example")
        assert (charlie.name, charlie.check_password(PASSWORD)) == ("Charlie South", True)
        assert members(charlie.email) == ["south"]
        assert browser.get("/a/south/sessions").status_code == 302

    def test_accepts_as_themselves(self, sign_in, link):
        charlie = sign_in("charlie")
        assert charlie.get("/a/north/sessions").status_code == 404
        assert charlie.get(link).status_code == 200
        answer = charlie.post(link)
        assert (answer.status_code, answer["Location"]) == (303, "/a/north/")
        assert charlie.get("/a/north/sessions").status_code == 200
        assert sorted(members("charlie@south.example")) == ["north", "south"]

    def test_somebody_else_who_is_signed_in_cannot_take_it(self, sign_in, link, invite):
        alice = sign_in("alice")
        page = alice.get(link)
        assert b"You are signed in as alice@north.example" in page.content
        assert alice.post(link).status_code == 422
        assert members("charlie@south.example") == ["south"]
        # Nor one whose e-mail has no sign-in yet: whose would it become?
        fresh = invitation_link(invite(user_id="beth", email="beth@home.example"))
        assert alice.post(fresh, GOOD).status_code == 422
        assert not Person.objects.filter(email="beth@home.example").exists()

    def test_who_is_in_the_account_already_gets_no_second_user(self, invite, sign_in):
        alice = sign_in("alice")
        row = invite()
        Invitation.objects.filter(pk=row.pk).update(email="alice@north.example")
        assert alice.post(invitation_link(row)).status_code == 422
        assert Invitation.objects.get(pk=row.pk).accepted_at is None

    def test_a_closed_sign_in_accepts_nothing(self, browser, link):
        Person.objects.filter(email="charlie@south.example").update(is_active=False)
        assert browser.post(link, GOOD).status_code == 422
        assert members("charlie@south.example") == ["south"]


def test_the_form_needs_its_token(cast, link):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(link, GOOD).status_code == 403
    assert Client().post(link, GOOD).status_code == 303


class TestMail:
    def test_goes_out_by_a_job_that_names_ids_only(self, cast, settings, invite, browser):
        settings.MAIL_ENABLED = True
        row = invite()
        job = tenancy.fetch_row(
            "SELECT args FROM procrastinate_jobs WHERE task_name LIKE %s", ["%send_invitation"]
        )
        assert str(row.pk) in str(job)
        assert EMAIL not in str(job)
        tasks.send_invitation.func(str(cast.north.id), str(row.pk), SITE)
        [sent] = mail.outbox
        assert sent.to == [EMAIL]
        assert "\n" not in sent.subject
        assert f"{SITE}{invitation_link(row)}\n" in sent.body
        assert browser.get(invitation_link(row)).status_code == 200

    def test_is_not_sent_when_it_was_revoked_meanwhile(self, cast, settings, invite):
        settings.MAIL_ENABLED = True
        row = invite()
        services.invitation_revoke(actor=Operator(), account=cast.north, invitation=row.pk)
        tasks.send_invitation.func(str(cast.north.id), str(row.pk), SITE)
        assert mail.outbox == []

    def test_without_mail_nothing_is_queued(self, invite):
        invite()
        assert not tenancy.fetch_row(
            "SELECT id FROM procrastinate_jobs WHERE task_name LIKE %s", ["%send_invitation"]
        )


def test_accepted_by_many_at_once_it_counts_once(committed):
    """Real transactions: who comes second waits for the first, and is told that it is over."""
    email = f"bob-{committed.north.account_id}@home.example"
    row = services.invitation_create(
        actor=Operator(), account=committed.north, user_id="bob", email=email, site=SITE
    )
    token = invitation_link(row).rpartition("/")[2]

    def accept(_api):
        try:
            services.invitation_accept(token=token, person=None, name="", password=PASSWORD)
        except FailedPrecondition as error:
            return error.details["state"]
        return "in"

    found = at_once(*[accept] * 4)
    try:
        assert sorted(found) == ["accepted", "accepted", "accepted", "in"]
        assert Membership.objects.filter(person__email=email).count() == 1
    finally:
        Person.objects.filter(email=email).delete()
