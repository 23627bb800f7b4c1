"""What contacts agreed to."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.guard import AccountModel
from accounts.principals.models import Contact
from sessions_app.models import Message


class Consent(AccountModel):
    """What a contact agreed to, when, and how that is known: a ledger, of which the last counts."""

    class Purpose(models.TextChoices):
        MEMORY = "memory"

    class State(models.TextChoices):
        GRANTED = "granted"
        WITHDRAWN = "withdrawn"

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="+", db_index=False)
    purpose = models.CharField(max_length=8, choices=Purpose, default=Purpose.MEMORY)
    state = models.CharField(max_length=9, choices=State)
    is_current = models.BooleanField(default=True, help_text="The contact's last word.")
    channel = models.CharField(max_length=64, blank=True)
    evidence = models.ForeignKey(
        Message, models.SET_NULL, null=True, related_name="+", help_text="Where it was said."
    )
    expires_at = models.DateTimeField(null=True)
    written_by = models.UUIDField(null=True, help_text="The real principal; null: a job.")
    written_key = models.UUIDField(null=True, help_text="The key that it used, if any.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["contact", "purpose"],
                condition=models.Q(is_current=True),
                name="consent_one_current",
            ),
            models.CheckConstraint(
                condition=models.Q(purpose__in=["memory"]), name="consent_purpose_valid"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["granted", "withdrawn"]), name="consent_state_valid"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["contact", "-id"], name="consent_ledger")]
