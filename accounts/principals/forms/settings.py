"""The account's settings that have an effect in this version, in groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from django import forms

from accounts.principals.forms.choices import set_choices
from accounts.settings import AccountSettings, Language

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.forms import BoundField

GROUPS = (
    ("Registration", ("agent_registration", "max_users")),
    ("Sessions", ("session_idle_hours", "retention_days")),
    ("Search", ("language",)),
)
UNITS = {"max_users": "users", "session_idle_hours": "hours", "retention_days": "days"}


def _whole(label: str, name: str, help_text: str) -> forms.IntegerField:
    """A number within the limits that the settings themselves name."""
    limits = AccountSettings.model_json_schema()["properties"][name]
    lowest, highest = limits["minimum"], limits["maximum"]
    sentence = f"Write a whole number from {lowest:,} to {highest:,}."
    return forms.IntegerField(
        label=label,
        min_value=lowest,
        max_value=highest,
        help_text=help_text,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), sentence),
    )


class SettingsForm(forms.Form):
    """Every field is a setting by its own name."""

    agent_registration = forms.ChoiceField(
        label="Who may name an agent that is not registered yet",
        choices=[
            ("open", "Anyone: an agent is registered by its first message"),
            ("admins", "Admins only: messages of an unknown agent are refused"),
        ],
        widget=forms.RadioSelect,
    )
    max_users = _whole(
        "Users at most", "max_users", "Adding another one is then refused. The default is 10,000."
    )
    session_idle_hours = _whole(
        "A session is idle after",
        "session_idle_hours",
        "A channel that asks for its session then gets a new one. 0, the default: never.",
    )
    retention_days = _whole(
        "Ended sessions are kept for",
        "retention_days",
        "After that they are deleted with their messages, hourly, for good."
        " 0, the default: for ever.",
    )
    language = forms.ChoiceField(
        label="Language of new messages",
        help_text="Search finds other forms of a word in it. Older messages keep theirs.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [(one, one.capitalize()) for one in get_args(Language) if one != "simple"]
        set_choices(self, "language", [*names, ("simple", "None: words as they are written")])

    def groups(self) -> Iterator[tuple[str, list[tuple[BoundField, str]]]]:
        """Heading, then each field with its unit."""
        for heading, names in GROUPS:
            yield heading, [(self[name], UNITS.get(name, "")) for name in names]
