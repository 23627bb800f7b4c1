"""Forms of the pages outside accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from allauth.account.forms import ResetPasswordForm
from django import forms

from accounts import services
from accounts.web import site_of

if TYPE_CHECKING:
    from django.http import HttpRequest

OTHER = "Other"


class PasswordResetForm(ResetPasswordForm):  # type: ignore[misc]
    """Whose password; the answer is the same whether anybody has that e-mail."""

    def save(self, request: HttpRequest, **_kwargs: Any) -> str:
        email: str = self.cleaned_data["email"]
        services.password_ask(email=email, site=site_of(request))
        return email


class PersonForm(forms.Form):
    """What a person may change about themselves."""

    name = forms.CharField(
        max_length=200,
        required=False,
        help_text="Shown in the frame of every page, and to admins of your accounts.",
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    time_zone = forms.ChoiceField(
        label="Time zone",
        help_text="Pages tell times in it.",
        error_messages={"invalid_choice": "There is no time zone “%(value)s”."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)  # for the type checker
        field.choices = _zones()


def _zones() -> list[tuple[str, Any]]:
    """Every IANA zone, by region; UTC first."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for zone in sorted(available_timezones() - {"UTC"}):
        region, slash, place = zone.partition("/")
        if slash:
            regions.setdefault(region, []).append((zone, place.replace("_", " ")))
        else:
            regions.setdefault(OTHER, []).append((zone, zone))
    other = regions.pop(OTHER, [])
    return [("UTC", "UTC"), *regions.items(), (OTHER, other)]
