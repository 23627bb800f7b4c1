"""Forms of the policy page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from accounts.principals.forms.choices import set_choices

if TYPE_CHECKING:
    from collections.abc import Sequence


class SampleForm(forms.Form):
    """For which user and agent the policy page prints addresses."""

    user = forms.ChoiceField(label="for")
    agent = forms.ChoiceField(label="with")

    def __init__(
        self, *args: Any, users: Sequence[str], agents: Sequence[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "user", [(one, one) for one in users])
        set_choices(self, "agent", [(one, one) for one in agents])
