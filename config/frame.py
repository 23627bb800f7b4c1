"""The frame around an account's pages: who is signed in, where they may go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from accounts import selectors

if TYPE_CHECKING:
    from django.http import HttpRequest

    from accounts.http.request import AccountRequest

# (key, label, icon, address name), in groups parted by rules.
NAVIGATION = (
    (("sessions", "Sessions", "messages-square", "session_list"),),
    (("policy", "Policy", "fence", "policy"),),
)


@dataclass(frozen=True, slots=True)
class Entry:
    key: str
    label: str
    icon: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Switch:
    account_id: str
    name: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Frame:
    account_id: str
    account_name: str
    switch: list[Switch]
    entries: list[list[Entry]]
    person_name: str
    role: str
    theme_url: str
    sign_out_url: str


def frame(request: AccountRequest) -> dict[str, Any]:
    """Context processor: `frame` on pages of an account, nothing elsewhere."""
    actor = getattr(request, "actor", None)
    if actor is None:
        return {}
    switch = [
        Switch(
            entrance.ref.account_id,
            entrance.name,
            f"/a/{entrance.ref.account_id}/",
            entrance.ref.id == actor.account.id,
        )
        for entrance in selectors.entrances(request.user)
    ]
    return {
        "frame": Frame(
            account_id=actor.account.account_id,
            account_name=next(
                (entry.name for entry in switch if entry.current), actor.account.account_id
            ),
            switch=switch,
            entries=[
                [
                    _entry(request, key, label, icon, reverse(name))
                    for key, label, icon, name in group
                ]
                for group in NAVIGATION
            ],
            person_name=request.user.get_full_name(),
            role=actor.role.value,
            theme_url="/theme",
            sign_out_url="/sign-out",
        )
    }


def _entry(request: HttpRequest, key: str, label: str, icon: str, url: str) -> Entry:
    current = request.path == url or request.path.startswith(f"{url}/")
    return Entry(key, label, icon, url, current)
