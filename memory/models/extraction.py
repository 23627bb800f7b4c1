"""Runs that looked for memories."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.guard import AccountModel
from accounts.principals.models import Agent, Contact, User
from sessions_app.models import Session


class Extraction(AccountModel):
    """One run that looked for memories in a range of messages: what an audit of extraction lists.

    Of its own, since a run that found nothing, or failed, leaves no memory and must be visible.
    """

    class State(models.TextChoices):
        RUNNING = "running"
        COMPLETED = "completed"
        FAILED = "failed"

    session = models.ForeignKey(
        Session, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    user = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    agent = models.ForeignKey(Agent, models.PROTECT, related_name="+", db_index=False)
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, related_name="+", db_index=False
    )
    first_seq = models.PositiveIntegerField()
    last_seq = models.PositiveIntegerField()
    state = models.CharField(max_length=9, choices=State, default=State.RUNNING)
    memories = models.PositiveIntegerField(default=0, help_text="How many it made or changed.")
    tokens = models.PositiveBigIntegerField(default=0)
    error = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(first_seq__gte=1, last_seq__gte=models.F("first_seq")),
                name="extraction_range_valid",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["running", "completed", "failed"]),
                name="extraction_state_valid",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="extraction_by_user"),
            models.Index(
                fields=["session"],
                condition=models.Q(session__isnull=False),
                name="extraction_by_session",
            ),
        ]
