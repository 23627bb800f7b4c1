"""Choices that are known only when the form is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms

if TYPE_CHECKING:
    from collections.abc import Iterable


def set_choices(form: forms.Form, name: str, choices: Iterable[tuple[str, str]]) -> None:
    """Give a choice field of this form its choices: pairs of value and words."""
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)  # for the type checker
    field.choices = list(choices)
