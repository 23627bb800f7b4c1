"""What the tests of the contacts' pages share."""

from __future__ import annotations

import re

from accounts import tenancy
from accounts.principals.models import Contact

CONTACTS = "/a/north/contacts"


def words(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


def shown(answer):
    return re.findall(r'class="row-link" href="/a/north/contacts/([^"]+)"', answer.content.decode())


def contact(cast, key):
    with tenancy.account(cast.north):
        return Contact.objects.filter(pk=key).first()


def undo_of(browser, answer):
    """Press what the toast after this answer offers; the answer to that."""
    page = browser.get(answer["Location"]).content.decode()
    toast = page[page.index('id="toasts"') :].split('id="failed"')[0].split('class="toast"')[-1]
    at = re.search(r'<form method="post" action="([^"]+)"', toast)
    assert at, toast
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', toast)
    sent = {name: value.replace("&#x27;", "'") for name, value in fields}
    return browser.post(at[1], sent)
