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
    contact = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        users: Sequence[str],
        agents: Sequence[str],
        contact: bool = False,
        **kwargs: Any,
    ) -> None:
        """With a contact, its owner is the user: none is chosen."""
        super().__init__(*args, **kwargs)
        del self.fields["user" if contact else "contact"]
        offer_ids(
            self, "agent", agents, nothing="Their default", missing="There is no agent “%(value)s”."
        )
        if contact:
            self.fields["reason"].help_text = (
                "The owner of the contact can read it, for instance “Ticket 4182: Dana misses an"
                " answer”."
            )
            return
        offer_ids(
            self,
            "user",
            users,
            nothing="Choose a user",
            missing="There is no user “%(value)s” to view as.",
        )
