"""Forms of the policy page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from accounts.errors import InvalidArgument
from accounts.names import check_id
from accounts.principals.forms.choices import offer_ids

if TYPE_CHECKING:
    from collections.abc import Sequence


MISSING = "There is no “%(value)s”."


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
