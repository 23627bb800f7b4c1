"""Who accepts an invitation, when their e-mail has no sign-in yet."""

from __future__ import annotations

from django import forms


class NewPersonForm(forms.Form):
    """A name and a first password; the service checks the password."""

    name = forms.CharField(
        max_length=200,
        required=False,
        label="Your name",
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    password = forms.CharField(
        max_length=128,
        strip=False,
        label="Choose a password",
        help_text="12 characters or more.",
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        error_messages={"required": "Choose a password."},
    )
