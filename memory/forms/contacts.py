"""What a contact agreed to."""

from __future__ import annotations

from django import forms

from memory.forms.memories import Moment
from memory.models import Consent

STATES = (
    (Consent.State.GRANTED, "It agreed that something is kept about it"),
    (Consent.State.WITHDRAWN, "It does not agree, or no longer does"),
)


class ConsentForm(forms.Form):
    """A line for the ledger; the service decides whether it is written."""

    state = forms.ChoiceField(
        label="What the contact said",
        choices=STATES,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what the contact said."},
    )
    channel = forms.CharField(
        label="How it said so",
        required=False,
        max_length=64,
        help_text="For instance “in the chat” or “on paper”. May stay empty.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"max_length": "Write at most 64 characters."},
    )
    expires_at = Moment(
        label="Until",
        required=False,
        help_text="From then on it counts as not said. Empty: for good.",
    )
