"""The frame around an account's pages: who is signed in, where they may go, whose eyes they use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts import selectors
from accounts.actor import Role
from accounts.models import Person
from accounts.principals.contact_words import ref_view
from accounts.web import LAST_ACCOUNT
from sessions_app.selectors import failed_task_count

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

    from accounts.actor import Actor
    from accounts.http.request import AccountRequest, OurRequest
    from accounts.principals.contact_words import ContactView

# (key, label, icon, address name), in groups parted by rules.
FOR_ADMINS = (
    (("overview", "Overview", "gauge", "overview"),
     ("sessions", "Sessions", "messages-square", "session_list"),
     ("memories", "Memories", "notebook", "memory_list"),
     ("contacts", "Contacts", "contact", "contact_list")),
    (("agents", "Agents", "bot", "agent_list"),
     ("users", "Users", "users", "user_list"),
     ("policy", "Policy", "fence", "policy")),
    (("audit", "Audit log", "scroll-text", "audit_log"),
     ("jobs", "Jobs", "list-checks", "job_list"),
     ("settings", "Settings", "settings", "account_settings")),
)  # fmt: skip
FOR_USERS = (
    (("sessions", "Sessions", "messages-square", "session_list"),
     ("memories", "Memories", "notebook", "memory_list"),
     ("contacts", "Contacts", "contact", "contact_list")),
    (("keys", "Keys", "key-round", "key_list"),
     ("looked", "Who looked", "eye", "who_looked")),
)  # fmt: skip
FOR_CONTACTS = ((("sessions", "Sessions", "messages-square", "session_list"),),)


OPERATOR_PREFIX = "/operator/"
FOR_OPERATORS = (
    (("accounts", "Accounts", "building-2", "operator_accounts"),
     ("people", "People", "users", "operator_people")),
    (("log", "Log", "scroll-text", "operator_log"),
     ("health", "Health", "activity", "operator_health")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the rail. `count` stands only where it means work."""

    key: str
    label: str
    icon: str
    url: str
    current: bool
    count: int = 0


@dataclass(frozen=True, slots=True)
class Switch:
    account_id: str
    name: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class View:
    """What the banner of a view says."""

    user_id: str
    agent_id: str | None
    contact: ContactView | None
    reason: str
    expires_at: datetime
    leave_url: str


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
    person_url: str
    view_as_url: str | None  # None: no admin
    operator_url: str | None  # None: no operator
    view: View | None


@require_safe
def account_home(request: AccountRequest) -> HttpResponse:
    """To the overview for admins, to the sessions for users."""
    account_id = request.actor.account.account_id
    if request.session.get(LAST_ACCOUNT) != account_id:  # where `home` leads next time
        request.session[LAST_ACCOUNT] = account_id
    name = "overview" if request.actor.role is Role.ADMIN else "session_list"
    return HttpResponseRedirect(reverse(name))


def frame(request: AccountRequest) -> dict[str, Any]:
    """Context processor: `frame` on pages of an account, nothing elsewhere."""
    actor = getattr(request, "actor", None)
    if actor is None:
        in_console = request.path.startswith(OPERATOR_PREFIX)
        # A refusal from before the sign-in is looked at has no user.
        operator = in_console and getattr(getattr(request, "user", None), "is_operator", False)
        return {"frame": _operator_frame(request)} if operator else {}
    admin = actor.role is Role.ADMIN
    switch = _switch(request, actor)
    return {
        "frame": Frame(
            account_id=actor.account.account_id,
            account_name=next(one.name for one in switch if one.current),
            switch=switch,
            entries=_entries(request, actor),
            person_name=_person_name(request, actor),
            role="contact" if actor.contact else actor.role.value,
            theme_url="/theme",
            sign_out_url="/sign-out",
            person_url="/account",
            view_as_url=reverse("view_as") if admin else None,
            operator_url="/operator/" if request.user.is_operator and not actor.viewing else None,
            view=_view(actor),
        )
    }


def _operator_frame(request: OurRequest) -> Frame:
    """Around the operator console: its own rail, and the way back to one's accounts."""
    assert isinstance(request.user, Person)  # an operator is signed in
    entries = [
        [_entry(request, key, label, icon, reverse(name), 0) for key, label, icon, name in group]
        for group in FOR_OPERATORS
    ]
    if selectors.entrances(request.user):
        back = _entry(request, "home", "Your accounts", "arrow-left", reverse("home"), 0)
        entries.append([replace(back, current=False)])
    return Frame(
        account_id=request.get_host(),
        account_name="Operator console",
        switch=[],
        entries=entries,
        person_name=request.user.get_full_name(),
        role="operator",
        theme_url="/theme",
        sign_out_url="/sign-out",
        person_url="/account",
        view_as_url=None,
        operator_url=None,
        view=None,
    )


def _switch(request: AccountRequest, actor: Actor) -> list[Switch]:
    """The person's accounts. In a view only this one: the others are nobody's business here."""
    return [
        Switch(
            entrance.ref.account_id,
            entrance.name,
            f"/a/{entrance.ref.account_id}/",
            entrance.ref.id == actor.account.id,
        )
        for entrance in selectors.entrances(request.user)
        if not actor.viewing or entrance.ref.id == actor.account.id
    ]


def _person_name(request: AccountRequest, actor: Actor) -> str:
    if actor.contact is not None:  # only in a view: a contact signs in nowhere
        return ref_view(actor.contact).name
    return actor.viewing.person_name if actor.viewing else request.user.get_full_name()


def _view(actor: Actor) -> View | None:
    if actor.viewing is None:
        return None
    return View(
        user_id=actor.user.user_id,
        agent_id=actor.agent.agent_id if actor.viewing.names_agent else None,
        contact=ref_view(actor.contact) if actor.contact else None,
        reason=actor.viewing.reason,
        expires_at=actor.viewing.expires_at,
        leave_url=reverse("view_leave"),
    )


def _entries(request: AccountRequest, actor: Actor) -> list[list[Entry]]:
    admin = actor.role is Role.ADMIN
    failed = failed_task_count(actor=actor) if admin else 0
    groups = FOR_ADMINS if admin else FOR_CONTACTS if actor.contact else FOR_USERS
    return [
        [
            _entry(request, key, label, icon, reverse(name), failed if key == "jobs" else 0)
            for key, label, icon, name in group
        ]
        for group in groups
    ]


def _entry(request: HttpRequest, key: str, label: str, icon: str, url: str, count: int) -> Entry:
    places = (url, reverse("import_list")) if key == "settings" else (url,)
    current = any(request.path == one or request.path.startswith(f"{one}/") for one in places)
    return Entry(key, label, icon, url, current, count)
