"""Users: finding, adding, changing and inviting them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from accounts.principals.forms.choices import search_field, set_choices

if TYPE_CHECKING:
    from accounts.principals.keeping import UserStock

ROLES = (
    ("user", "User: sees their own, and what the policy shares"),
    ("admin", "Admin: sees and runs the account"),
)


class UserFilterForm(forms.Form):
    """What the users' list is narrowed to."""

    q = search_field("Search ids and names")
    role = forms.ChoiceField(
        label="Role",
        required=False,
        choices=[("", "Any role"), ("admin", "Admin"), ("user", "User")],
        error_messages={"invalid_choice": "Choose one of the roles in the list."},
    )


class UserNewForm(forms.Form):
    """A user to add; the service decides whether the id is free."""

    user_id = forms.CharField(
        label="User id",
        max_length=64,
        help_text="1 to 64 letters, digits, “_” or “-”. It stands in keys and addresses for good.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
        error_messages={"required": "Give the user an id, for instance carol."},
    )
    display_name = forms.CharField(
        label="Display name",
        required=False,
        max_length=200,
        help_text="What people read beside the id. May stay empty.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(label="Role", choices=ROLES, initial="user", widget=forms.RadioSelect)
    with_key = forms.BooleanField(
        label="Make a key now, to act as this user from a program",
        required=False,
        initial=True,
    )
    email = forms.EmailField(
        label="Invite by e-mail",
        required=False,
        max_length=254,
        help_text="Whoever has this address may sign in here as the user. May stay empty.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={"invalid": "Write a whole address, for instance carol@hollis.example."},
    )


class UserEditForm(forms.Form):
    """Name and role of a user. The default user keeps its role, so the field is not there."""

    display_name = forms.CharField(
        label="Display name",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(label="Role", choices=ROLES, widget=forms.RadioSelect)

    def __init__(self, *args: Any, keeps_role: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if keeps_role:
            del self.fields["role"]


class InviteForm(forms.Form):
    """Who is invited to sign in as a user."""

    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": "Write the address of whoever shall sign in.",
            "invalid": "Write a whole address, for instance carol@hollis.example.",
        },
    )


class UserDeleteForm(forms.Form):
    """What becomes of a user's memories; nothing to choose when nothing is kept."""

    memories = forms.ChoiceField(
        label="What is kept of them",
        initial="erase",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whether what is kept of them goes too."},
    )

    def __init__(self, *args: Any, stock: UserStock, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not stock.rows:
            del self.fields["memories"]
            return
        what = f"{stock.rows:,} memor{'y' if stock.rows == 1 else 'ies'}"
        gone = stock.rows - stock.kept
        beside = f", {gone:,} of them marked as deleted," if gone else ""
        set_choices(
            self,
            "memories",
            [
                ("erase", f"Erase {what}{beside} for good, with their history"),
                ("keep", f"Keep {what}{beside} for admins to read; nobody recalls them"),
            ],
        )


class Confirmation(forms.Form):
    """Only a yes; it carries what a service says against it."""
