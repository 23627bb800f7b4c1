"""Pages as a browser without a screen asks for them: over HTTP, with cookies and form tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from urllib.parse import urlsplit

import httpx

STEP = 30  # seconds for which an authenticator shows a code


def browser(url: str, cookies: dict[str, str] | None = None) -> httpx.Client:
    """For the pages of the server at that address; redirects are not followed."""
    jar = httpx.Cookies()
    for name, value in (cookies or {}).items():
        jar.set(name, value, domain=urlsplit(url).hostname or "")
    return httpx.Client(base_url=url, cookies=jar, timeout=60, trust_env=False)


def submit(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    """Post a form with the token that the sign-in page, or an earlier one, has set."""
    if "csrftoken" not in client.cookies:
        client.get("/sign-in")
    return client.post(path, data={**fields, "csrfmiddlewaretoken": client.cookies["csrftoken"]})


def code_of(secret: str, ahead: int = 0) -> str:
    """What an authenticator shows (RFC 6238), early enough to be used before it changes."""
    left = STEP - time.time() % STEP
    if left < 2:
        time.sleep(left)
    counter = (int(time.time()) // STEP + ahead).to_bytes(8, "big")
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, counter, hashlib.sha1).digest()
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
