"""Whom to view as, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from accounts.principals.forms.choices import offer_ids

if TYPE_CHECKING:
    from collections.abc import Sequence


class ViewAsForm(forms.Form):
    """The start of a view; the service decides whether it may begin."""

    user = forms.ChoiceField(label="User")
    agent = forms.ChoiceField(label="On behalf of agent", required=False)
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
        offer_ids(
            self,
            "user",
            users,
            nothing="Choose a user",
            missing="There is no user “%(value)s” to view as.",
        )
        offer_ids(
            self, "agent", agents, nothing="Their default", missing="There is no agent “%(value)s”."
        )
