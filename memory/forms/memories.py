"""Memories: what a list is narrowed to, writing one, and what is done to several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils import timezone

from accounts.errors import InvalidArgument
from accounts.lists import filter_words
from accounts.moments import checked_moment
from accounts.principals.forms.choices import offer_ids, search_field, set_choices
from accounts.templatetags.bailiwick import exact
from memory.models import KINDS, MAX_SUMMARY, MAX_TOPIC_KEY, Salience, Scope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

MOMENT = "%Y-%m-%dT%H:%M"
NO_MOMENT = "Write day and time as year-month-day hour:minute, for instance 2026-11-01 14:30."
MAX_CONTENT = 100_000
DOING = ("quarantine", "release", "delete", "restore")


class Moment(forms.DateTimeField):
    """A moment in the reader's time zone, to the minute."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT)
    default_error_messages = {"invalid": NO_MOMENT}  # noqa: RUF012 - as Django has it

    def to_python(self, value: Any) -> datetime | None:
        """Within what every time zone can show; beyond, it is no moment."""
        try:
            moment = super().to_python(value)
            return moment and checked_moment(moment, "moment")
        except (InvalidArgument, OverflowError):
            raise forms.ValidationError(NO_MOMENT, code="invalid") from None


class MemoryFilterForm(forms.Form):
    """What the memories' list is narrowed to, beside its facets. Every field may be empty.

    Attributes:
        contact_words: how the contact that it is narrowed to is called; the view looks that up.
    """

    contact_words = ""

    q = search_field("Search memories")
    user = forms.ChoiceField(label="User", required=False)
    agent = forms.ChoiceField(label="Agent", required=False)
    contact = forms.UUIDField(
        label="Contact",
        required=False,
        widget=forms.Select,
        error_messages={"invalid": "A contact is named by its id; open one from its page."},
    )
    as_of = Moment(label="As of", required=False)
    # These come with links: from an address, a session, a memory's record.
    uri = forms.CharField(required=False, widget=forms.HiddenInput)
    session = forms.CharField(required=False, widget=forms.HiddenInput)
    topic_key = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        agents: Sequence[str],
        users: Sequence[str],
        contacts: Sequence[tuple[UUID, str]] | None,
        **kwargs: Any,
    ) -> None:
        """Args:
        contacts: ids and names to choose from; None: too many, they come with a link.
        """
        super().__init__(*args, **kwargs)
        offer_ids(
            self, "user", users, nothing="Any user", missing="Choose one of the users in the list."
        )
        offer_ids(
            self,
            "agent",
            agents,
            nothing="Any agent",
            missing="Choose one of the agents in the list.",
        )
        if contacts is None:
            self.fields["contact"].widget = forms.HiddenInput()
            return
        self.fields["contact"].widget.choices = [
            ("", "Any contact"),
            *((str(key), name) for key, name in contacts),
        ]

    def filter_words(self, name: str, value: Any) -> tuple[str, str]:
        """How an active filter reads."""
        match name:
            case "contact":
                return name, self.contact_words
            case "as_of":
                return "as of", exact(value)
            case "uri":
                return "below", str(value)
            case "topic_key":
                return "topic", f"“{value}”"
        return filter_words(name, value)


class MemoryForm(forms.Form):
    """What a memory says. The same rules as for programs stand in the service."""

    content = forms.CharField(
        label="What is kept",
        strip=False,
        max_length=MAX_CONTENT,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": "Write what is to be kept."},
    )
    summary = forms.CharField(
        label="Summary",
        required=False,
        max_length=MAX_SUMMARY,
        help_text="One line that stands for it in lists. Empty: its first words do.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    kind = forms.ChoiceField(
        label="Kind",
        choices=[(one, one.replace("_", " ")) for one in KINDS],
        initial="facts",
        error_messages={"invalid_choice": "Choose one of the kinds in the list."},
    )
    salience = forms.ChoiceField(
        label="Salience",
        choices=[(one, one) for one in Salience.values],
        initial=Salience.MEDIUM,
        error_messages={"invalid_choice": "Choose one of the four levels."},
    )
    topic_key = forms.CharField(
        label="Topic",
        required=False,
        max_length=MAX_TOPIC_KEY,
        help_text="What is remembered under the same topic replaces it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    topics = forms.CharField(
        label="Words to find it by",
        required=False,
        help_text="Several are parted by commas.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    expires_at = Moment(
        label="Expires", required=False, help_text="Empty: never. After it, nobody recalls it."
    )

    def clean_content(self) -> str:
        """Browsers send line ends of two characters; what was kept has one."""
        text: str = self.cleaned_data["content"].replace("\r\n", "\n")
        if not text.strip():
            raise forms.ValidationError("Write what is to be kept.")
        return text

    def clean_expires_at(self) -> datetime | None:
        """A moment to come; one that stood there before may have passed."""
        moment: datetime | None = self.cleaned_data["expires_at"]
        if moment and moment <= timezone.now() and moment != self.initial.get("expires_at"):
            raise forms.ValidationError("This moment has passed; choose one to come.")
        return moment

    def clean_topics(self) -> list[str]:
        words = (one.strip() for one in self.cleaned_data["topics"].split(","))
        return [one for one in words if one]

    def clean_topic_key(self) -> str | None:
        return self.cleaned_data["topic_key"] or None


class MemoryNewForm(MemoryForm):
    """A memory that a person writes; only admins write an agent's."""

    scope = forms.ChoiceField(label="Whose it is", initial=Scope.USER)

    def __init__(self, *args: Any, user_id: str, agent_id: str, admin: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not admin:
            del self.fields["scope"]
            return
        own, agents = f"of the user {user_id}", f"of the agent {agent_id}"
        set_choices(self, "scope", [(Scope.USER, own), (Scope.AGENT, agents)])


class VersionForm(forms.Form):
    """Which version is meant."""

    version = forms.IntegerField(min_value=1, max_value=10**9)


class MemoriesForm(forms.Form):
    """What is to be done, and to which memories; an undo names them in one value."""

    do = forms.ChoiceField(choices=[(one, one) for one in DOING])

    def ids(self) -> list[UUID]:
        """Raises ValueError for what is no id."""
        sent = self.data
        assert isinstance(sent, QueryDict)  # for the type checker
        return [UUID(one) for value in sent.getlist("ids") for one in value.split()]
