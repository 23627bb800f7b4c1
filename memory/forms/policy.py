"""Forms of the policy pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from accounts.errors import InvalidArgument
from accounts.names import check_id
from accounts.principals.forms.choices import offer_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

MISSING = "There is no “%(value)s”."
CODES = ("ff", "ft", "tf", "tt")
READERS = ("account", "participants")
MAX_REASON = 1_000


class SampleForm(forms.Form):
    """For which user and agent the policy page prints addresses."""

    user = forms.ChoiceField(label="for")
    agent = forms.ChoiceField(label="with")

    def __init__(
        self, *args: Any, users: Sequence[str], agents: Sequence[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        offer_ids(self, "user", users, nothing="Choose a user", missing=MISSING)
        offer_ids(self, "agent", agents, nothing="Choose an agent", missing=MISSING)

    def clean(self) -> dict[str, Any]:
        """A typed id need not be anybody's: the page only prints it. But it must be one."""
        cleaned = super().clean() or {}
        for name in ("user", "agent"):
            try:
                check_id(cleaned.get(name, "default"), name)
            except InvalidArgument as error:
                self.add_error(name, error.message)
        return cleaned


class ProposalForm(forms.Form):
    """What the policy would be changed to. Links carry it; nobody types it."""

    to = forms.ChoiceField(required=False, choices=[("", ""), *((one, one) for one in CODES)])
    readers = forms.ChoiceField(
        required=False, choices=[("", ""), *((one, one) for one in READERS)]
    )

    def changes(self) -> dict[str, Any]:
        """Of the policy's fields; what is not proposed stays away."""
        to, readers = self.cleaned_data["to"], self.cleaned_data["readers"]
        changes: dict[str, Any] = {"sessions_visible_to": readers} if readers else {}
        if to:
            changes["isolate_user_scope_by_agent"] = to[0] == "t"
            changes["isolate_agent_scope_by_user"] = to[1] == "t"
        return changes


class ReasonForm(forms.Form):
    """Why the policy is changed, and which version was before one's eyes."""

    reason = forms.CharField(
        max_length=MAX_REASON,
        help_text="Stands in the list of versions.",
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
        error_messages={
            "required": "Say why, for whoever reads the versions later.",
            "max_length": f"A reason has at most {MAX_REASON:,} characters.",
        },
    )
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class ChangesForm(forms.Form):
    """Which of the memories that a change would move are listed."""

    what = forms.ChoiceField(
        label="Change",
        required=False,
        choices=[
            ("", "Gained or lost"),
            ("gained", "Gained"),
            ("crossing", "Gained from another user"),
            ("lost", "Lost"),
        ],
    )
    user = forms.ChoiceField(label="User", required=False)
    agent = forms.ChoiceField(label="Agent", required=False)

    def __init__(
        self, *args: Any, users: Sequence[str], agents: Sequence[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        offer_ids(self, "user", users, nothing="Every user", missing=MISSING)
        offer_ids(self, "agent", agents, nothing="Every agent", missing=MISSING)

    def filter_words(self, name: str, value: Any) -> tuple[str, str]:
        """How a filter that is set reads."""
        if name == "what":
            choices: Any = self.fields["what"]
            return "only", dict(choices.choices)[value].lower()
        return ("of", value) if name == "user" else ("with", value)
