"""The operators' console: people, their rights, and the command that makes one."""

from __future__ import annotations

import re
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.actor import Operator
from accounts.errors import Conflict
from accounts.models import Membership, Person
from accounts.principals.operator import services
from tests.accounts.kit import at_once
from tests.accounts.operators.kit import browser_of, person, text


class TestPeople:
    @pytest.fixture
    def dana(self, cast):
        row = person("dana@west.example", name="Dana")
        Membership.objects.create(person=row, account_id=cast.south.id, user=uuid4())
        return row

    @pytest.fixture
    def act(self, console):
        return lambda who, what: console.post(f"/operator/people/{who.pk}/rights", {"act": what})

    def test_the_list(self, console, dana, olga):
        rows = {row.email: row for row in console.get("/operator/people").context["rows"]}
        assert (rows[dana.email].accounts, rows[dana.email].is_operator) == (1, False)
        assert (rows[olga.email].accounts, rows[olga.email].is_operator) == (0, True)
        found = console.get("/operator/people", {"q": "DANA"}).context["rows"]
        assert [row.email for row in found] == [dana.email]
        found = console.get("/operator/people", {"who": "operators"}).context["rows"]
        assert {row.is_operator for row in found} == {True}

    def test_closing_ends_every_sign_in_for_good(self, act, dana, console, events):
        browser = browser_of(dana)
        assert browser.get("/")["Location"] == "/a/south/"
        assert act(dana, "close").status_code == 303
        assert "/sign-in" in browser.get("/")["Location"]
        closed = console.get("/operator/people", {"who": "closed"}).context["rows"]
        assert [row.email for row in closed] == [dana.email]
        act(dana, "close")
        act(dana, "reopen")
        assert "/sign-in" in browser.get("/")["Location"]
        assert events() == ["person.closed", "person.reopened"]
        dana.refresh_from_db()
        assert browser_of(dana).get("/")["Location"].startswith("/a/south/")

    def test_making_an_operator_and_back(self, act, dana, events):
        browser = browser_of(dana)
        for what, status in (("grant", 200), ("revoke", 404)):
            assert act(dana, what).status_code == 303
            assert browser.get("/operator/log").status_code == status
        assert events() == ["operator.granted", "operator.revoked"]

    def test_nobody_locks_themselves_out(self, act, olga, dana, events):
        act(dana, "grant")
        events()
        for what in ("close", "revoke"):
            answer = act(olga, what)
            assert answer.status_code == 409
            assert "another operator can" in text(answer)
        olga.refresh_from_db()
        assert (olga.is_active, olga.is_operator, events()) == (True, True, [])

    def test_the_last_operator_stays(self, olga, dana):
        Person.objects.exclude(pk=olga.pk).update(is_operator=False)
        root = Operator()
        for take in (services.operator_revoke, services.person_close):
            with pytest.raises(Conflict, match="last operator"):
                take(actor=root, person=olga.pk)
        services.operator_grant(actor=root, person=dana.pk)
        services.person_close(actor=root, person=dana.pk)
        with pytest.raises(Conflict, match="last operator"):  # who is closed does not count
            services.operator_revoke(actor=root, person=olga.pk)
        services.person_reopen(actor=root, person=dana.pk)
        services.operator_revoke(actor=root, person=olga.pk)

    def test_a_closed_person_becomes_no_operator_and_gets_no_link(self, act, console, dana):
        act(dana, "close")
        assert act(dana, "grant").status_code == 409
        assert console.post(f"/operator/people/{dana.pk}/link").status_code == 422

    def test_a_password_link_is_shown_once_and_sets_the_password(self, console, dana, events):
        answer = console.post(f"/operator/people/{dana.pk}/link")
        link = re.search(r"http://testserver(/password/reset/\S+)</pre>", answer.content.decode())[
            1
        ]
        assert events() == ["person.link_made"]
        assert link not in text(console.get(f"/operator/people/{dana.pk}"))
        assert Client().get(link, follow=True).status_code == 200

    def test_what_is_not_there(self, console):
        assert console.get(f"/operator/people/{uuid4()}").status_code == 404
        assert console.post(f"/operator/people/{uuid4()}/rights", {"act": "x"}).status_code == 404

    def test_odd_acts(self, act, dana):
        assert act(dana, "delete").status_code == 404
        assert act(dana, "grant").status_code == 303


def test_two_operators_cannot_take_the_rights_from_each_other_at_once(committed):
    Person.objects.filter(is_operator=True).update(is_operator=False)
    emails = Person.objects.filter(email__contains="@").order_by("-id")[:2]
    one, two = [row.pk for row in emails]
    Person.objects.filter(pk__in=(one, two)).update(is_operator=True)

    def take(actor, person):
        def call(_api):
            try:
                services.operator_revoke(actor=Operator(person=actor), person=person)
            except Conflict:
                return "refused"
            return "taken"

        return call

    assert sorted(at_once(take(one, two), take(two, one))) == ["refused", "taken"]
    assert Person.objects.filter(is_operator=True).count() == 1


@pytest.mark.usefixtures("cast")
class TestCommand:
    def run(self, *arguments):
        said = StringIO()
        call_command("operator_create", *arguments, stdout=said)
        return said.getvalue()

    def test_a_new_operator_signs_in_with_what_is_printed(self, events):
        said = self.run("--email", "otto@hollis.example")
        password = said.split("Password (shown once): ")[1].strip()
        assert Person.objects.get(email="otto@hollis.example").check_password(password)
        browser = Client()
        browser.post("/sign-in", {"login": "otto@hollis.example", "password": password})
        assert browser.get("/operator/accounts").status_code == 200
        assert events() == ["operator.granted"]

    def test_who_is_there_keeps_their_password(self, sign_in):
        browser = sign_in("alice")
        with pytest.raises(CommandError, match="has a sign-in already"):
            self.run("--email", "ALICE@north.example")
        assert browser.get("/operator/log").status_code == 404
        said = self.run("--email", "ALICE@north.example", "--existing")
        assert "the password that they have" in said
        assert browser.get("/operator/log").status_code == 200

    def test_refusals(self):
        for arguments in (["no e-mail"], ["otto@hollis.example", "--password", "short"]):
            with pytest.raises(CommandError):
                self.run("--email", *arguments)
        assert not Person.objects.filter(is_operator=True).exists()
