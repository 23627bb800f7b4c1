"""What the audit log is narrowed to."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from accounts.principals.audit_words import GROUPS, action_choices, words_of
from accounts.principals.forms.choices import set_choices

MAX_ID = 64
FIRST, LAST = date(2000, 1, 1), date(2099, 12, 31)  # days that events can have
LABELS = {"action": "", "who": "by", "about": "about", "since": "from", "until": "to"}


def _day(label: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        validators=[
            MinValueValidator(FIRST, f"Choose a day from {FIRST:%Y-%m-%d} on."),
            MaxValueValidator(LAST, f"Choose a day up to {LAST:%Y-%m-%d}."),
        ],
        error_messages={"invalid": "Write the day as year-month-day, for instance 2026-11-01."},
    )


def _who(label: str) -> forms.CharField:
    too_long = {"max_length": f"An id has at most {MAX_ID} characters."}
    widget = forms.TextInput(attrs={"list": "users", "autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(
        label=label, required=False, max_length=MAX_ID, widget=widget, error_messages=too_long
    )


class AuditFilterForm(forms.Form):
    """Every field may be empty. The days are those of whoever looks."""

    action = forms.ChoiceField(
        label="What",
        required=False,
        error_messages={"invalid_choice": "Choose one of the actions in the list."},
    )
    who = _who("Who")
    about = _who("About user")
    since = _day("From day")
    until = _day("To day")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "action", action_choices())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since: date | None = cleaned.get("since")
        until: date | None = cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", "Choose the first day or a later one.")
        return cleaned

    def filter_words(self, name: str, value: Any) -> tuple[str, str]:
        """What a filter that is set is called, and its value in words."""
        if name in ("since", "until"):
            return LABELS[name], f"{value.day} {value:%b %Y}"
        if name == "action":
            group = GROUPS.get(value.removesuffix("."), "") if value.endswith(".") else ""
            return LABELS[name], group or words_of(value).label
        return LABELS[name], value
