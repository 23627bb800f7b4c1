"""Forms of the session pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from accounts.lists import filter_words
from accounts.principals.forms.choices import offer_ids, set_choices
from sessions_app.models import Session, Task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STATUS_WORDS = {
    Task.Status.PENDING: "waiting",
    Task.Status.RUNNING: "running",
    Task.Status.COMPLETED: "done",
    Task.Status.FAILED: "failed",
    Task.Status.CANCELLED: "cancelled",
}


class SessionFilterForm(forms.Form):
    """What the sessions list is narrowed to. Every field may be empty.

    Attributes:
        contact_words: how the contact that it is narrowed to is called; the view looks that up.
    """

    contact_words = ""

    q = forms.CharField(
        label="Search titles and messages",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
        error_messages={"max_length": "Search for at most 200 characters."},
    )
    agent = forms.ChoiceField(label="Agent", required=False)
    user = forms.ChoiceField(label="User", required=False)
    participant = forms.ChoiceField(label="Participant", required=False)
    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=[("", "Any state"), *Session.State.choices],
        error_messages={"invalid_choice": "Choose one of the states in the list."},
    )
    since = forms.DateField(
        label="Active since",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write the day as year-month-day, for instance 2026-11-01."},
    )
    # Too many for a choice: a contact's page leads here, and its name stands as an active filter.
    contact = forms.UUIDField(
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid": "A contact is named by its id; open one from its page."},
    )

    def __init__(
        self,
        *args: Any,
        agents: Sequence[str],
        users: Sequence[str],
        of_contact: bool = False,
        **kwargs: Any,
    ) -> None:
        """A contact is not told who else is in the account: of_contact leaves those fields out."""
        super().__init__(*args, **kwargs)
        if of_contact:
            for name in ("agent", "user", "participant", "contact"):
                del self.fields[name]
            return
        for name, nothing, ids in (
            ("agent", "Any agent", agents),
            ("user", "Any user", users),
            ("participant", "Anyone", list(dict.fromkeys([*users, *agents]))),
        ):
            missing = f"Choose one of the {name}s in the list."
            offer_ids(self, name, ids, nothing=nothing, missing=missing)

    def filter_words(self, name: str, value: Any) -> tuple[str, str]:
        """How an active filter reads."""
        if name == "contact":
            return name, self.contact_words
        if name == "since":
            return name, f"{value.day} {value:%b %Y}"
        return filter_words(name, value)


class SessionTitleForm(forms.Form):
    """What a session is called."""

    title = forms.CharField(
        label="Title",
        required=False,
        max_length=300,
        help_text="Empty: the session goes by its id.",
        error_messages={"max_length": "A title has at most 300 characters."},
    )


class SessionStateForm(forms.Form):
    """Ending a session, and opening it again."""

    state = forms.ChoiceField(choices=Session.State.choices)


class SessionMemoryForm(forms.Form):
    """Pausing a session's memory, and letting it go on."""

    memory = forms.ChoiceField(choices=[("paused", "paused"), ("open", "open")])


class SessionDeleteForm(forms.Form):
    """What becomes of what was kept from a session; nothing to choose when nothing was."""

    memories = forms.ChoiceField(
        label="What was kept from it",
        initial="keep",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whether what was kept from it goes too."},
    )

    def __init__(self, *args: Any, kept: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not kept:
            del self.fields["memories"]
            return
        what = f"{kept:,} memor{'y' if kept == 1 else 'ies'}"
        set_choices(
            self,
            "memories",
            [
                ("keep", f"Keep {what}: they say no more where they come from"),
                ("erase", f"Erase {what} for good, with their history"),
            ],
        )


class JobFilterForm(forms.Form):
    """Which jobs are listed."""

    status = forms.ChoiceField(
        label="State",
        required=False,
        error_messages={"invalid_choice": "Choose one of the states in the list."},
    )

    def __init__(self, *args: Any, counts: Mapping[str, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["status"]
        assert isinstance(field, forms.ChoiceField)  # for the type checker
        field.choices = [
            ("", f"Any state ({sum(counts.values()):,})"),
            *((name, f"{words} ({counts.get(name, 0):,})") for name, words in STATUS_WORDS.items()),
        ]
