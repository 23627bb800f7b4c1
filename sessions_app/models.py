"""What was said. Every table here exists once in each account's schema."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Left, Lower

from accounts.guard import AccountModel
from accounts.principals.models import Agent, User

SEARCHED_CHARACTERS = 250_000  # a tsvector holds no more; the rest of a longer text is not searched


class Session(AccountModel):
    """One conversation."""

    class State(models.TextChoices):
        ACTIVE = "active"
        IDLE = "idle"
        ENDED = "ended"

    session_id = models.CharField(max_length=128)
    owner = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    agent = models.ForeignKey(Agent, models.PROTECT, related_name="+", db_index=False)
    parent = models.ForeignKey("self", models.SET_NULL, null=True, related_name="children")
    thread_key = models.CharField(max_length=255, null=True)
    title = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    message_count = models.PositiveIntegerField(default=0)
    pending_tokens = models.PositiveBigIntegerField(
        default=0, help_text="Estimated tokens of the messages that no archive covers."
    )
    last_activity_at = models.DateTimeField(help_text="True time of the last message.")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    metadata = models.JSONField(default=dict)
    written_by = models.UUIDField(null=True, help_text="The real principal; null: a job.")
    written_key = models.UUIDField(null=True, help_text="The key that it used, if any.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("session_id"), name="session_id_unique"),
            models.CheckConstraint(
                condition=models.Q(state__in=["active", "idle", "ended"]),
                name="session_state_valid",
            ),
            models.CheckConstraint(
                condition=models.Q(parent=None) | ~models.Q(parent=models.F("id")),
                name="session_not_own_parent",
            ),
        ]
        indexes: ClassVar = [
            # The list, newest first, whole and by what its filters name.
            models.Index(fields=["-last_activity_at", "-id"], name="session_newest"),
            models.Index(fields=["owner", "-last_activity_at", "-id"], name="session_by_owner"),
            models.Index(fields=["agent", "-last_activity_at", "-id"], name="session_by_agent"),
        ]

    def __str__(self) -> str:
        return self.session_id


class Participant(AccountModel):
    """A user or agent that took part: its count makes lists and visibility one index look-up."""

    session = models.ForeignKey(
        Session, models.CASCADE, related_name="participants", db_index=False
    )
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    agent = models.ForeignKey(Agent, models.PROTECT, null=True, related_name="+", db_index=False)
    first_seq = models.PositiveIntegerField()
    last_seq = models.PositiveIntegerField()
    last_at = models.DateTimeField()
    message_count = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(user=None, agent__isnull=False)
                | models.Q(user__isnull=False, agent=None),
                name="participant_one_kind",
            ),
            # Nulls are distinct: one row for each user and one for each agent of a session.
            models.UniqueConstraint(fields=["session", "user"], name="participant_user_once"),
            models.UniqueConstraint(fields=["session", "agent"], name="participant_agent_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "session"], name="participant_by_user"),
        ]


class Message(AccountModel):
    """One turn. `seq` is contiguous from 1 in its session; `message_id` is made from the key."""

    class Role(models.TextChoices):
        USER = "user"
        ASSISTANT = "assistant"
        SYSTEM = "system"
        TOOL = "tool"

    class Source(models.TextChoices):
        CONTEXT_INJECTION = "context_injection"

    session = models.ForeignKey(Session, models.CASCADE, related_name="messages", db_index=False)
    seq = models.PositiveIntegerField()
    role = models.CharField(max_length=9, choices=Role)
    role_id = models.CharField(max_length=64, null=True)
    parts = models.JSONField()
    text = models.TextField(blank=True, help_text="Plain text of the parts.")
    language = models.CharField(max_length=63, default="english", help_text="A regconfig.")
    source = models.CharField(max_length=32, choices=Source, null=True)
    written_by = models.UUIDField(null=True, help_text="The real principal; null: a job.")
    written_key = models.UUIDField(null=True, help_text="The key that it used, if any.")
    search = models.GeneratedField(
        expression=models.Func(
            models.F("language"),
            Left(models.Func(models.F("text"), function="public.bw_fold"), SEARCHED_CHARACTERS),
            function="to_tsvector",
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "seq"], name="message_seq_unique"),
            models.CheckConstraint(condition=models.Q(seq__gte=1), name="message_seq_from_one"),
            models.CheckConstraint(
                condition=models.Q(role__in=["user", "assistant", "system", "tool"]),
                name="message_role_valid",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=["system", "tool"]) | models.Q(role_id__isnull=False),
                name="message_author_named",
            ),
            models.CheckConstraint(
                condition=models.Q(source=None) | models.Q(source="context_injection"),
                name="message_source_valid",
            ),
        ]
        indexes: ClassVar = [GinIndex(fields=["search"], name="message_search")]

    @property
    def message_id(self) -> str:
        return f"msg_{self.id.hex}"
