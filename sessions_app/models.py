"""What was said. Every table here exists once in each account's schema."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Left, Lower

from accounts.guard import AccountModel
from accounts.principals.models import Agent, Contact, User

# A tsvector holds 1 MB of words, and hyphenated ones count whole and in parts; the rest of a longer
# text is not searched.
SEARCHED_CHARACTERS = 100_000


class Session(AccountModel):
    """One conversation."""

    class State(models.TextChoices):
        ACTIVE = "active"
        IDLE = "idle"
        ENDED = "ended"

    session_id = models.CharField(max_length=128)
    owner = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    agent = models.ForeignKey(Agent, models.PROTECT, related_name="+", db_index=False)
    contact = models.ForeignKey(
        Contact,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="With whom; never changes.",
    )
    parent = models.ForeignKey("self", models.SET_NULL, null=True, related_name="children")
    thread_key = models.CharField(max_length=255, null=True)
    title = models.CharField(max_length=300, blank=True)
    # Folding 100,000 titles for each search took 0.8 s; reading them folded takes 0.03 s.
    folded_title = models.GeneratedField(
        expression=models.Func(models.F("title"), function="public.bw_fold"),
        output_field=models.TextField(),
        db_persist=True,
    )
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    is_current = models.BooleanField(
        default=False, help_text="What get-or-create finds; only get-or-create sets it."
    )
    memory_paused = models.BooleanField(default=False)
    contexts_used = models.PositiveIntegerField(default=0)
    skills_used = models.PositiveIntegerField(default=0)
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
            # Get-or-create rests on this index, not on look-then-insert.
            models.UniqueConstraint(
                fields=["owner", "agent", "contact", "thread_key"],
                condition=models.Q(is_current=True),
                nulls_distinct=False,
                name="session_one_current",
            ),
            models.CheckConstraint(
                condition=models.Q(is_current=False) | ~models.Q(state="ended"),
                name="session_current_not_ended",
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
            models.Index(
                fields=["contact", "-last_activity_at", "-id"],
                condition=models.Q(contact__isnull=False),
                name="session_by_contact",
            ),
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
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, related_name="+", db_index=False
    )
    first_seq = models.PositiveIntegerField()
    last_seq = models.PositiveIntegerField()
    last_at = models.DateTimeField()
    message_count = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=False, agent=None, contact=None)
                | models.Q(user=None, agent__isnull=False, contact=None)
                | models.Q(user=None, agent=None, contact__isnull=False),
                name="participant_one_kind",
            ),
            # Nulls are distinct: one row for each user and one for each agent of a session.
            models.UniqueConstraint(fields=["session", "user"], name="participant_user_once"),
            models.UniqueConstraint(fields=["session", "agent"], name="participant_agent_once"),
            models.UniqueConstraint(fields=["session", "contact"], name="participant_contact_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "session"], name="participant_by_user"),
            models.Index(
                fields=["agent", "session"],
                condition=models.Q(agent__isnull=False),
                name="participant_by_agent",
            ),
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
    contact = models.ForeignKey(
        Contact,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The speaker, when a contact spoke.",
    )
    idempotency_key = models.CharField(max_length=255, null=True, help_text="Kept for ever.")
    external_id = models.CharField(
        max_length=600, null=True, help_text="platform:chat:id of a turn, through /inbound only."
    )
    agent = models.UUIDField(null=True, help_text="The session's, beside an external id.")
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
            models.UniqueConstraint(
                fields=["session", "idempotency_key"],
                condition=models.Q(idempotency_key__isnull=False),
                name="message_key_unique",
            ),
            # Also when a newer session has begun: a turn that is delivered again is no new turn.
            models.UniqueConstraint(
                fields=["agent", "external_id"],
                condition=models.Q(external_id__isnull=False),
                name="message_external_unique",
            ),
            models.CheckConstraint(
                condition=models.Q(external_id=None) | models.Q(agent__isnull=False),
                name="message_external_with_agent",
            ),
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


class Archive(AccountModel):
    """A committed range of a session's messages, with an abstract and an overview of it."""

    class State(models.TextChoices):
        PENDING = "pending"
        COMPLETED = "completed"
        FAILED = "failed"

    session = models.ForeignKey(Session, models.CASCADE, related_name="archives", db_index=False)
    number = models.PositiveIntegerField()
    first_seq = models.PositiveIntegerField()
    last_seq = models.PositiveIntegerField()
    tokens = models.PositiveBigIntegerField(help_text="Estimated tokens of its messages.")
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    abstract = models.TextField(blank=True)
    overview = models.TextField(blank=True)
    error = models.TextField(blank=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "number"], name="archive_number_unique"),
            models.UniqueConstraint(fields=["session", "first_seq"], name="archive_range_unique"),
            models.CheckConstraint(
                condition=models.Q(first_seq__gte=1, last_seq__gte=models.F("first_seq")),
                name="archive_range_valid",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["pending", "completed", "failed"]),
                name="archive_state_valid",
            ),
        ]

    @property
    def archive_id(self) -> str:
        return f"archive_{self.number:03d}"


class Task(AccountModel):
    """Work that a request began and a job finishes; its id is what the caller polls."""

    class Type(models.TextChoices):
        SESSION_COMMIT = "session_commit"

    class Status(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        COMPLETED = "completed"
        FAILED = "failed"
        CANCELLED = "cancelled"

    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    contact = models.ForeignKey(
        Contact, models.CASCADE, null=True, related_name="+", db_index=False
    )
    task_type = models.CharField(max_length=32, choices=Type)
    status = models.CharField(max_length=9, choices=Status, default=Status.PENDING)
    updated_at = models.DateTimeField()
    session = models.ForeignKey(Session, models.CASCADE, null=True, related_name="tasks")
    archive = models.ForeignKey(
        Archive, models.CASCADE, null=True, related_name="tasks", db_index=False
    )
    result = models.JSONField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(
                    status__in=["pending", "running", "completed", "failed", "cancelled"]
                ),
                name="task_status_valid",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="task_newest"),
            models.Index(fields=["updated_at"], name="task_oldest"),
        ]


class DayCount(AccountModel):
    """What was said on a day (UTC), counted hourly, so that the overview need not count millions.

    Counted once, when it was said: what is deleted later stays counted.
    """

    day = models.DateField()
    messages = models.PositiveBigIntegerField(default=0)
    sessions = models.PositiveBigIntegerField(default=0, help_text="Started on this day.")
    counted_to = models.UUIDField(help_text="Rows with a smaller id (UUIDv7) are counted.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["day"], name="day_count_once"),
        ]
