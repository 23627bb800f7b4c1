"""What the tests of the modes share."""

from __future__ import annotations

from accounts import tenancy
from accounts.principals.models import User

NIL = "00000000-0000-0000-0000-000000000000"


GATEWAY_KEY = "the-key-of-the-gateway-of-this-test"


FORWARDED = (
    {"Forwarded": "for=192.0.2.1"},
    {"X-Forwarded-For": "192.0.2.1"},
    {"X-Forwarded-Host": "north.example"},
    {"X-Forwarded-Proto": "https"},
    {"X-Forwarded-Anything": "1"},
)


STRANGE_PAGES = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://testserver:81"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
)


OWN_PAGES = (
    {},
    {"Origin": "http://testserver"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
)


ADMIN_ROUTES = (
    ("GET", "/admin/accounts"),
    ("GET", "/admin/accounts/north"),
    ("GET", "/admin/accounts/north/users"),
    ("POST", "/admin/accounts/north/users"),
    ("GET", "/admin/accounts/north/keys"),
    ("GET", "/admin/accounts/north/policy"),
    ("PATCH", "/admin/accounts/north/settings"),
)


def vouched(user="bob", account="north", **more):
    """The headers that a gateway sends for a user."""
    return {"X-Bailiwick-Account": account, "X-Bailiwick-User": user, **more}


def users_of(account):
    with tenancy.account(account):
        return set(User.objects.values_list("user_id", flat=True))
