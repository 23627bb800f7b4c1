"""Every page as somebody sees it: what the checks of pages and the contact sheet go through."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response

    from tests.e2e.guests import Guests

# visitor, status, address; what stands in braces is filled by guests.py.
SIGHTS = """
nobody    200  /sign-in
half      200  /sign-in/code
nobody    403  /sign-in/inactive
nobody    200  /password/reset
nobody    200  /password/reset/sent
nobody    200  /password/reset/{uidb36}/{key}
nobody    200  /password/reset/done
nobody    200  /invitation/{token}

admin     200  /a/{account}/overview
admin     200  /a/{account}/sessions
admin     200  /a/{account}/sessions/{session_id}
admin     200  /a/{account}/sessions/{session_id}?follow=1
admin     200  /a/{account}/sessions/{session_id}/messages/{seq}
admin     200  /a/{account}/sessions/{session_id}/title
admin     200  /a/{account}/sessions/{session_id}/delete
admin     200  /a/{account}/agents
admin     200  /a/{account}/agents/new
admin     200  /a/{account}/agents/{agent_id}
admin     200  /a/{account}/agents/{agent_id}/rename
admin     200  /a/{account}/agents/{agent_id}/delete
admin     200  /a/{account}/users
admin     200  /a/{account}/users/new
admin     200  /a/{account}/users/{user_id}
admin     200  /a/{account}/users/{user_id}/edit
admin     200  /a/{account}/users/{user_id}/invite
admin     200  /a/{account}/users/{user_id}/delete
admin     200  /a/{account}/users/{user_id}/memory
admin     200  /a/{account}/users/{user_id}/memory/wipe
admin     200  /a/{account}/users/{user_id}/extractions
admin     200  /a/{account}/keys
admin     200  /a/{account}/keys/new
admin     200  /a/{account}/keys/replace?user={user_id}
admin     200  /a/{account}/keys/{key_id}/revoke
admin     200  /a/{account}/policy
admin     200  /a/{account}/policy?to=tf&readers=participants
admin     200  /a/{account}/policy/changes?to=tf
admin     200  /a/{account}/policy/versions
admin     200  /a/{account}/audit
admin     200  /a/{account}/audit/{event_id}
admin     200  /a/{account}/jobs
admin     200  /a/{account}/imports
admin     200  /a/{account}/imports/new
admin     200  /a/{account}/imports/{import_id}
admin     200  /a/{account}/imports/{import_id}/rollback
admin     200  /a/{account}/settings
admin     200  /a/{account}/view
admin     200  /a/{account}/looked
admin     200  /a/{account}/link
admin     200  /a/{account}/memories
admin     200  /a/{account}/memories/new
admin     200  /a/{account}/memories/{memory_id}
admin     200  /a/{account}/memories/{memory_id}/edit
admin     200  /a/{account}/memories/{memory_id}/history
admin     200  /a/{account}/contacts
admin     200  /a/{account}/contacts/new
admin     200  /a/{account}/contacts/{contact_id}
admin     200  /a/{account}/contacts/{contact_id}/edit
admin     200  /a/{account}/contacts/{contact_id}/delete
admin     200  /a/{account}/contacts/{contact_id}/consent
admin     200  /a/{account}/contacts/{contact_id}/merge
admin     200  /a/{account}/contacts/{contact_id}/handles/new
admin     200  /a/{account}/contacts/{contact_id}/handles/{handle_id}/remove
admin     200  /a/{account}/contacts/{contact_id}/handles/{handle_id}/bind
admin     200  /a/{account}/view?contact={contact_id}
admin     404  /a/{account}/nowhere

member    200  /a/{account}/sessions
member    200  /a/{account}/sessions/{session_id}
member    200  /a/{account}/memories
member    200  /a/{account}/keys
member    200  /a/{account}/keys/new
member    200  /a/{account}/looked
member    200  /a/{account}/contacts
member    200  /a/{account}/link
member    403  /a/{account}/users

admin     200  /account
admin     200  /account/password
admin     200  /account/code
admin     200  /sign-in/again
admin     200  /sign-out
member    200  /account
member    200  /sign-in/again/code
member    200  /account/code/remove
member    200  /account/recovery-codes
member    200  /account/recovery-codes/new

operator  200  /operator/accounts
operator  200  /operator/accounts/new
operator  200  /operator/accounts/{account}
operator  200  /operator/accounts/{account}/name
operator  200  /operator/accounts/{account}/delete
operator  200  /operator/people
operator  200  /operator/people/{person}
operator  200  /operator/people/{person}/link
operator  200  /operator/log
operator  200  /operator/health
"""
# Addresses that answer with something else than a page of ours, or lead on at once.
NO_PAGE = {
    *("/", "/a/{account}/", "/operator/"),
    *("/a/{account}/memories/export", "/a/{account}/users/{user_id}/memory/export"),
    *("/a/{account}/audit.csv", "/account/recovery-codes/file"),
    *("/health", "/ready", "/metrics", "/api/v1/", "/api/v1/docs", "/api/v1/openapi.json"),
    *("/operator/accounts/{account}/state", "/operator/people/{person}/rights"),  # forms only
}


@dataclass(frozen=True)
class Sight:
    """One page of one visitor."""

    visitor: str
    status: int
    address: str

    @property
    def route(self) -> str:
        return self.address.partition("?")[0]

    @property
    def name(self) -> str:
        """For a file: admin-users-new."""
        where = re.sub(r"^/a/\{account\}", "", self.address)
        words = re.findall(r"[a-z0-9_]+", where.replace("_id}", "}"))
        return "-".join([self.visitor, *words])

    def show(self, page: Page, guests: Guests) -> Response:
        """Load it; the password is given once more where it is asked for in between."""
        address = self.address.format(**guests.places)
        answer = page.goto(address)
        if "/sign-in/again?" in page.url:
            password = page.get_by_label("Password")
            if not password.is_visible():
                page.get_by_role("link", name="Use your password").click()
            password.fill(guests.passwords[self.visitor])
            page.get_by_role("button", name="Go on").click()
            answer = page.goto(address)
        assert answer is not None
        assert answer.status == self.status, f"{address}: {answer.status}, not {self.status}"
        assert page.url.rpartition("/")[2] == address.rpartition("/")[2] or "{key}" in self.address
        return answer


def sights() -> list[Sight]:
    lines = [line.split() for line in SIGHTS.splitlines() if line.strip()]
    return [Sight(visitor, int(status), address) for visitor, status, address in lines]
