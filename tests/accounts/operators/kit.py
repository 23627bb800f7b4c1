"""What the tests of the console share."""

from __future__ import annotations

from django.test import Client

from accounts.models import Person
from tests.cast import PASSWORD

NEW = {"account_id": "west", "name": "The West", "admin_user_id": "anna"}


def person(email, **fields):
    row = Person(email=email, **fields)
    row.set_password(PASSWORD)
    row.save()
    return row


def browser_of(who):
    browser = Client(raise_request_exception=False)
    browser.force_login(who)
    return browser


def text(answer):
    return " ".join(answer.content.decode().split())
