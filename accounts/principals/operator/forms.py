"""Forms of the operator console."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import Account

MAX_ID = 64
MAX_NAME = 200
MAX_EMAIL = 254


def _search(label: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=MAX_NAME,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
        error_messages={"max_length": f"Search for at most {MAX_NAME} characters."},
    )


class AccountFilterForm(forms.Form):
    """What the list of accounts is narrowed to."""

    q = _search("Search ids and names")
    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=[("", "Any state"), *Account.State.choices, ("behind", "behind in migrations")],
        error_messages={"invalid_choice": "Choose one of the states in the list."},
    )


class PersonFilterForm(forms.Form):
    """What the list of persons is narrowed to."""

    q = _search("Search e-mails and names")
    who = forms.ChoiceField(
        label="Who",
        required=False,
        choices=[("", "Everyone"), ("operators", "Operators"), ("closed", "Closed sign-ins")],
        error_messages={"invalid_choice": "Choose one of the words in the list."},
    )


class AccountForm(forms.Form):
    """A new account; the service decides about ids."""

    account_id = forms.CharField(
        label="Account id",
        max_length=MAX_ID,
        help_text="1 to 64 letters, digits, “_” or “-”. It stands in addresses and in keys and "
        "never changes.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    name = forms.CharField(
        label="Name",
        required=False,
        max_length=MAX_NAME,
        help_text="What people read. Empty: the id.",
    )
    admin_user_id = forms.CharField(
        label="User id of the first admin",
        max_length=MAX_ID,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    email = forms.EmailField(
        label="E-mail of the first admin",
        required=False,
        max_length=MAX_EMAIL,
        help_text="Invites them to sign in. Empty: they have a key only.",
        error_messages={"invalid": "This is no e-mail address."},
    )
    isolate_user_scope_by_agent = forms.BooleanField(
        label="Keep user memories per agent", required=False
    )
    isolate_agent_scope_by_user = forms.BooleanField(
        label="Keep agent memories per user", required=False
    )


class AccountNameForm(forms.Form):
    """Another name for an account."""

    name = forms.CharField(label="Name", max_length=MAX_NAME)


class AccountDeleteForm(forms.Form):
    """The account's id, typed: nobody deletes one by a slip."""

    name = forms.CharField(
        max_length=MAX_ID,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, account_id: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account_id = account_id
        field = self.fields["name"]
        field.label = f"Type {account_id} to confirm"
        field.error_messages["required"] = f"Type {account_id}, the id of the account."

    def clean_name(self) -> str:
        typed: str = self.cleaned_data["name"]
        if typed != self.account_id:
            raise forms.ValidationError(f"That is not {self.account_id}, the id of the account.")
        return typed


class StateForm(forms.Form):
    """What the buttons of an account send."""

    state = forms.ChoiceField(
        choices=[(one, one) for one in (Account.State.ACTIVE, Account.State.SUSPENDED)]
    )


class RightsForm(forms.Form):
    """What the buttons of a person send."""

    act = forms.ChoiceField(choices=[(one, one) for one in ("close", "reopen", "grant", "revoke")])


class LinkForm(forms.Form):
    """How a password link is made."""

    remove_code = forms.BooleanField(
        label="Also take away the code after the password",
        required=False,
        help_text="For who lost their authenticator and their recovery codes.",
    )
