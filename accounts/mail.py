"""Mails: plain text, one template each, whose first line is the subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.mail import EmailMessage
from django.template.loader import render_to_string

if TYPE_CHECKING:
    from collections.abc import Mapping


def send(template: str, to: str, context: Mapping[str, Any]) -> None:
    """Send one mail; waits for the server up to EMAIL_TIMEOUT seconds.

    Args:
        template: its name below templates/, words without markup.
    """
    text = render_to_string(template, dict(context)).strip()
    subject, _, body = text.partition("\n")
    EmailMessage(" ".join(subject.split()), f"{body.strip()}\n", to=[to]).send()
