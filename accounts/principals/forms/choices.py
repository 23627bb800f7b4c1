"""What several forms share: choices known only when the form is made, ids, the search field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FEW = 50  # ids that a select still helps with; 1,500 of them cost a page 0.1 s and 98 kB
KNOWN = 200  # ids that views ask for, to be offered while one types
MAX_ID = 64


def set_choices(form: forms.Form, name: str, choices: Iterable[tuple[str, str]]) -> None:
    """Give a choice field of this form its choices: pairs of value and words."""
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)  # for the type checker
    field.choices = list(choices)


def offer_ids(
    form: forms.Form, name: str, ids: Sequence[str], *, nothing: str, missing: str
) -> None:
    """Let an id be chosen from a select, or typed with suggestions when there are many.

    A typed id is checked by whoever looks it up.

    Args:
        nothing: words of the empty choice. missing: the fault, with %(value)s, of a select.
    """
    field = form.fields[name]
    if len(ids) <= FEW:
        set_choices(form, name, [("", nothing), *((one, one) for one in ids)])
        field.error_messages["invalid_choice"] = missing
        return
    typed = forms.CharField(
        label=field.label,
        required=field.required,
        initial=field.initial,
        max_length=MAX_ID,
        widget=forms.TextInput(
            attrs={
                "list": f"id_{name}_known",
                "autocomplete": "off",
                "spellcheck": "false",
                "placeholder": nothing,
            }
        ),
        error_messages={"max_length": f"An id has at most {MAX_ID} characters."},
    )
    typed.known = list(ids)  # type: ignore[attr-defined]  # components/field.html offers them
    form.fields[name] = typed


def search_field(label: str) -> forms.CharField:
    """The field of a list's search."""
    return forms.CharField(
        label=label,
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
        error_messages={"max_length": "Search for at most 200 characters."},
    )
