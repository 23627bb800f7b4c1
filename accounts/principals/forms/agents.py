"""Agents: finding, adding and renaming them."""

from __future__ import annotations

from django import forms

from accounts.principals.forms.choices import search_field

NAME = "What people read beside the id. May stay empty."


class AgentFilterForm(forms.Form):
    """What the agents' list is narrowed to."""

    q = search_field("Search ids and names")


class AgentNewForm(forms.Form):
    """An agent to add; the service decides whether the id is free."""

    agent_id = forms.CharField(
        label="Agent id",
        max_length=64,
        help_text="1 to 64 letters, digits, “_” or “-”. It stands in addresses for good.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
        error_messages={"required": "Give the agent an id, for instance ada."},
    )
    display_name = forms.CharField(
        label="Display name",
        required=False,
        max_length=200,
        help_text=NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    session_scope = forms.ChoiceField(
        label="Session scope",
        initial="global",
        choices=[
            ("global", "Global: sessions belong to users"),
            ("per_sender", "Per sender: each sender has a contact and sessions of their own"),
        ],
        widget=forms.RadioSelect,
    )


class AgentRenameForm(forms.Form):
    """Another display name; the id stays."""

    display_name = forms.CharField(
        label="Display name",
        required=False,
        max_length=200,
        help_text=NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
