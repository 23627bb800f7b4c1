"""Keys: finding and making them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils import timezone

from accounts.actor import Scope
from accounts.principals.forms.choices import search_field, set_choices

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

NAMED = 8  # agents in the sentence about a wrong one


class KeyFilterForm(forms.Form):
    """What the keys' list is narrowed to."""

    q = search_field("Search names, users, key ids")


class Scopes(forms.CheckboxSelectMultiple):
    """Check boxes of which some cannot be chosen: what they are is said all the same."""

    closed: Collection[str] = ()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        if str(value) in self.closed:
            option["attrs"]["disabled"] = True
        return option


class KeyForm(forms.Form):
    """A key to make; the service decides about the name and the scopes."""

    name = forms.CharField(
        label="Name",
        max_length=100,
        help_text="What uses it, for instance “kitchen tablet”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Name what will use the key."},
    )
    agents = forms.CharField(
        label="Agents",
        required=False,
        max_length=7_000,
        help_text="Ids with commas between them: the key then acts for these only. Empty: any.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    expires_at = forms.DateField(
        label="Expires",
        required=False,
        help_text="It stops working when this day begins. Empty: it works until revoked.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write the day as year-month-day, for instance 2027-03-01."},
    )
    scopes = forms.MultipleChoiceField(
        label="Scopes",
        widget=Scopes,
        error_messages={
            "required": "Choose at least one scope: without one the key opens nothing.",
            "invalid_choice": "You cannot give the scope “%(value)s”.",
        },
    )

    def __init__(
        self,
        *args: Any,
        scopes: Sequence[Scope],
        all_scopes: bool,
        known: Sequence[str],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.known = {one.lower(): one for one in known}
        self.grantable = [str(scope) for scope in scopes]
        choices = [(one, one) for one in self.grantable]
        if all_scopes and Scope.MANAGE not in self.grantable:
            choices.append((str(Scope.MANAGE), "manage, for admins only"))
        set_choices(self, "scopes", choices)
        widget = self.fields["scopes"].widget
        assert isinstance(widget, Scopes)  # for the type checker
        widget.closed = [value for value, _ in choices if value not in self.grantable]

    def clean_agents(self) -> list[str]:
        """As the agents are written, each once."""
        named = [one for one in re.split(r"[\s,;]+", self.cleaned_data["agents"]) if one]
        wrong = [one for one in named if one.lower() not in self.known]
        if wrong:
            ids = list(self.known.values())
            more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
            raise forms.ValidationError(
                f"There is no agent “{wrong[0]}”. Known: {', '.join(ids[:NAMED])}{more}."
            )
        return list(dict.fromkeys(self.known[one.lower()] for one in named))

    def clean_expires_at(self) -> date | None:
        day: date | None = self.cleaned_data["expires_at"]
        if day is not None and day <= timezone.localdate():
            passed = "is today" if day == timezone.localdate() else "has passed"
            raise forms.ValidationError(
                f"{day.day} {day:%B %Y} {passed}. The earliest is tomorrow."
            )
        return day
