"""Whom to view as, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from accounts.principals.forms.choices import set_choices

if TYPE_CHECKING:
    from collections.abc import Sequence


class ViewAsForm(forms.Form):
    """The start of a view; the service decides whether it may begin."""

    user = forms.ChoiceField(
        label="User", error_messages={"invalid_choice": "There is no user “%(value)s” to view as."}
    )
    agent = forms.ChoiceField(
        label="On behalf of agent",
        required=False,
        error_messages={"invalid_choice": "There is no agent “%(value)s”."},
    )
    reason = forms.CharField(
        label="Reason",
        max_length=200,
        help_text="The user can read it, for instance “Ticket 4182: Bob misses a session”.",
        error_messages={"required": "Say why: the user can read it."},
    )

    def __init__(
        self, *args: Any, users: Sequence[str], agents: Sequence[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "user", [("", "Choose a user"), *((one, one) for one in users)])
        set_choices(self, "agent", [("", "Their default"), *((one, one) for one in agents)])
