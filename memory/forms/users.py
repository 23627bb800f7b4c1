"""Control of what is kept of a user."""

from __future__ import annotations

from django import forms


class OneMemoryForm(forms.Form):
    """Which memory a button of the list means."""

    memory = forms.UUIDField(widget=forms.HiddenInput)
