"""Forms of the account's own pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

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
        for name, ids in (("user", users), ("agent", agents)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # for the type checker
            field.choices = [(one, one) for one in ids]
