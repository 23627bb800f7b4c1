"""Everybody who may come to a page, and one thing of each kind for the places in addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.pages import browser, code_of, submit

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx

PASSWORD = "correct horse battery staple"  # of who accepts an invitation here


@dataclass(frozen=True)
class Guests:
    """Cookies by visitor, and what stands in the braces of addresses.

    Visitors: admin, member (a user, asked for a code at the sign-in), half (the member between
    password and code), operator, nobody.
    """

    cookies: dict[str, dict[str, str]]
    passwords: dict[str, str]
    places: dict[str, str]


@dataclass(frozen=True)
class House:
    """What there is before: an account with sessions, its admin, an operator, a member to be."""

    url: str
    account: str
    admin: tuple[str, str]  # e-mail, password
    operator: tuple[str, str]
    member: str  # user ids
    invited: str
    places: dict[str, str]  # session_id, seq, agent_id


def welcome(house: House) -> Guests:
    """Sign everybody in, by the pages themselves."""
    home = f"/a/{house.account}"
    member_email = f"{house.member}@{house.account}.example"
    with browser(house.url) as admin, browser(house.url) as operator:
        _enter(admin, *house.admin)
        _enter(operator, *house.operator)
        cookies = {"admin": dict(admin.cookies), "operator": dict(operator.cookies), "nobody": {}}

        link = _invite(admin, home, house.member, member_email)
        with browser(house.url) as member, browser(house.url) as half:
            member.get(link)
            joined = submit(member, link, name=f"{house.member.title()} Marsh", password=PASSWORD)
            assert joined.is_redirect, joined.text
            _set_up_code(member)
            cookies["member"] = dict(member.cookies)
            _enter(half, member_email, PASSWORD)
            cookies["half"] = dict(half.cookies)

        open_link = _invite(admin, home, house.invited, f"{house.invited}@{house.account}.example")
        people = operator.get("/operator/people", params={"q": member_email}).text
        person = _found(r'href="/operator/people/([0-9a-f-]{36})"', people)
        made = submit(operator, f"/operator/people/{person}/link")
        reset = _found(r"/password/reset/([^/\s]+/[^/\s<]+)", made.text).split("/")
        places = {
            **house.places,
            "account": house.account,
            "user_id": house.member,
            "key_id": _found(
                r"/keys/([^/\"]+)/revoke", admin.get(f"{home}/keys?q={house.member}").text
            ),
            **_meet(admin, home),
            "memory_id": _keep(admin, home),
            "import_id": _bring(admin, home),
            "event_id": _found(rf"{home}/audit/([0-9a-f-]{{36}})", admin.get(f"{home}/audit").text),
            "person": person,
            "token": open_link.rpartition("/")[2],
            "uidb36": reset[0],
            "key": reset[1],
        }
    passwords = {"admin": house.admin[1], "operator": house.operator[1], "member": PASSWORD}
    return Guests(cookies, passwords, places)


def _enter(client: httpx.Client, email: str, password: str) -> None:
    answer = submit(client, "/sign-in", login=email, password=password)
    assert answer.is_redirect, answer.text


def _invite(admin: httpx.Client, home: str, user_id: str, email: str) -> str:
    """The path of the invitation's link, as the page shows it to copy."""
    answer = submit(admin, f"{home}/users/{user_id}/invite", email=email)
    assert answer.is_redirect, answer.text
    return _found(r"(/invitation/[^\s<\"]+)", admin.get(f"{home}/users/{user_id}").text)


def join(url: str, admin_cookies: dict[str, str], home: str, user_id: str) -> dict[str, str]:
    """Invite somebody who is registered, and accept it: the cookies of their browser."""
    with browser(url, admin_cookies) as admin, browser(url) as guest:
        link = _invite(admin, home, user_id, f"{user_id}@{home.rpartition('/')[2]}.example")
        guest.get(link)
        joined = submit(guest, link, name=f"{user_id.title()} Marsh", password=PASSWORD)
        assert joined.is_redirect, joined.text
        return dict(guest.cookies)


def _meet(admin: httpx.Client, home: str) -> dict[str, str]:
    """A contact with an address on a platform."""
    made = submit(
        admin,
        f"{home}/contacts/new",
        display_name="Dana Moss",
        kind="external",
        platform="telegram",
        platform_id="4711",
    )
    assert made.is_redirect, made.text
    contact = _found(r"/contacts/([0-9a-f-]{36})", made.headers["location"])
    page = admin.get(f"{home}/contacts/{contact}").text
    return {"contact_id": contact, "handle_id": _found(r"/handles/([0-9a-f-]{36})/", page)}


def _keep(admin: httpx.Client, home: str) -> str:
    """A memory with two versions."""
    opened = submit(admin, f"{home}/agents/default", memory_system="structured")
    assert opened.is_redirect, opened.text
    said = {"content": "The kitchen is closed on Mondays.", "kind": "facts", "salience": "medium"}
    made = submit(admin, f"{home}/memories/new", scope="user", **said)
    assert made.is_redirect, made.text
    memory = _found(r"/memories/([0-9a-f-]{36})", made.headers["location"])
    said["content"] = "The kitchen is closed on Mondays and Tuesdays."
    changed = submit(admin, f"{home}/memories/{memory}/edit", version="1", **said)
    assert changed.is_redirect, changed.text
    return memory


def _bring(admin: httpx.Client, home: str) -> str:
    """An import of two files, which waits until a worker counts it."""
    admin.get(f"{home}/imports/new")
    line = b'{"role": "user", "content": "Where is the key of the shed?"}\n'
    names = ("telegram_4711_Dana.jsonl", "gw_shed.jsonl")
    made = admin.post(
        f"{home}/imports/new",
        data={"format": "auto", "csrfmiddlewaretoken": admin.cookies["csrftoken"]},
        files=[("files", (name, line)) for name in names],
    )
    assert made.is_redirect, made.text
    return _found(r"/imports/([0-9a-f-]{36})", made.headers["location"])


def _set_up_code(client: httpx.Client) -> None:
    asked = client.get("/account/code")
    if asked.is_redirect:  # whether it is really they
        assert submit(client, asked.headers["location"], password=PASSWORD).is_redirect
    secret = _found(r'id="totp_secret">([A-Z2-7]+)<', client.get("/account/code").text)
    answer = submit(client, "/account/code", code=code_of(secret))
    assert answer.is_redirect, answer.text
    client.get(answer.headers["location"])  # which says that it is done, once


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, f"no {pattern} in {text}"
    return match[1]


def cookies_for(url: str, cookies: dict[str, str]) -> Iterable[dict[str, str]]:
    """In the shape that Playwright takes."""
    return [{"name": name, "value": value, "url": url} for name, value in cookies.items()]
