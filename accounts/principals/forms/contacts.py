"""Contacts: finding, making and changing them, and their addresses."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import ProhibitNullCharactersValidator

from accounts.principals.contact_words import platform_words
from accounts.principals.forms.choices import search_field
from accounts.principals.models import Contact, ContactHandle

KIND_WORDS = {
    Contact.Kind.EXTERNAL.value: "Person",
    Contact.Kind.GROUP.value: "Group",
    Contact.Kind.PERSONAL.value: "Personal: family or a friend, no customer",
}
KIND_SHORT = {**KIND_WORDS, Contact.Kind.PERSONAL.value: "Personal"}
PLATFORMS = [(one, platform_words(one)) for one in ContactHandle.Platform.values]
ONE_A_LINE = "One on each line."


class Lines(forms.Field):
    """Several texts, one on each line."""

    widget = forms.Textarea(attrs={"rows": 3})

    def __init__(self, *args: Any, most: int, longest: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.most, self.longest = most, longest

    def to_python(self, value: Any) -> list[str]:
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def validate(self, value: list[str]) -> None:
        super().validate(value)
        if len(value) > self.most:
            raise forms.ValidationError(f"These are {len(value)} lines; at most {self.most} fit.")
        if any(len(line) > self.longest for line in value):
            raise forms.ValidationError(f"A line has at most {self.longest} characters.")

    def run_validators(self, value: Any) -> None:
        ProhibitNullCharactersValidator()("".join(value))

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(data) != (initial or [])


class ContactFilterForm(forms.Form):
    """What the contacts' list is narrowed to."""

    q = search_field("Search names and addresses")
    platform = forms.ChoiceField(
        label="Platform",
        required=False,
        choices=[("", "Any platform"), *PLATFORMS],
        error_messages={"invalid_choice": "Choose one of the platforms in the list."},
    )
    kind = forms.ChoiceField(
        label="Kind",
        required=False,
        choices=[("", "Any kind"), *KIND_SHORT.items()],
        error_messages={"invalid_choice": "Choose one of the kinds in the list."},
    )

    def filter_words(self, name: str, value: str) -> tuple[str, str]:
        """How an active filter reads."""
        if name == "q":
            return "with", f"“{value}”"
        return name, platform_words(value) if name == "platform" else KIND_SHORT[value]


class ContactEditForm(forms.Form):
    """Names, notes and tags of a contact; only people of the account read the last three."""

    display_name = forms.CharField(
        label="Name",
        required=False,
        max_length=200,
        help_text="Empty: it goes by its first address.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    aliases = Lines(label="Also called", required=False, most=20, longest=200, help_text=ONE_A_LINE)
    tags = Lines(label="Tags", required=False, most=20, longest=64, help_text=ONE_A_LINE)
    notes = forms.CharField(
        label="Notes",
        required=False,
        max_length=10_000,
        help_text="The contact itself never reads them.",
        widget=forms.Textarea(attrs={"rows": 5}),
    )


class HandleForm(forms.Form):
    """One address. The service decides whether it is free."""

    platform = forms.ChoiceField(
        label="Platform",
        choices=PLATFORMS,
        error_messages={"invalid_choice": "Choose one of the platforms in the list."},
    )
    platform_id = forms.CharField(
        label="Id on the platform",
        max_length=255,
        help_text="What the channel calls the sender by: a number on Telegram, an address for"
        " e-mail.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
        error_messages={"required": "Write the id by which the platform knows them."},
    )
    username = forms.CharField(
        label="User name there",
        required=False,
        max_length=200,
        help_text="For people to read, for instance @ana. May stay empty.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )


class ContactNewForm(ContactEditForm, HandleForm):
    """A contact to make by hand, with its first address if there is one."""

    kind = forms.ChoiceField(
        label="Kind",
        choices=list(KIND_WORDS.items()),
        initial=Contact.Kind.EXTERNAL,
        widget=forms.RadioSelect,
    )
    owner_user_id = forms.CharField(
        label="Owner",
        required=False,
        max_length=64,
        help_text="The user whose contact it is. Empty: the default user, who has all that"
        " gateways meet.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )

    def __init__(self, *args: Any, names_owner: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["platform"].required = self.fields["platform_id"].required = False
        self.fields["platform_id"].help_text = "May stay empty, and be added later."
        if not names_owner:
            del self.fields["owner_user_id"]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("username") and not data.get("platform_id"):
            self.add_error("platform_id", "Write the id, too: the user name alone finds nobody.")
        return data


class BindForm(forms.Form):
    """Which user an address is."""

    user_id = forms.CharField(
        label="User id",
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
        error_messages={"required": "Write the id of the user who writes from this address."},
    )


class MergeSearchForm(forms.Form):
    """Looking for the other contact of a merge."""

    q = search_field("Search the other contact")
