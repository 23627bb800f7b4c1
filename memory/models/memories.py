"""Memories, what they said before, and where they come from."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Coalesce, Concat, Left, Now

from accounts.guard import AccountModel
from accounts.principals.models import Agent, Contact, User
from sessions_app.models import SEARCHED_CHARACTERS, Message, Session

KINDS = (
    "profile", "preferences", "entities", "events",  # presets of the user scope
    "cases", "patterns", "tools", "skills",  # presets of the agent scope
    "facts", "decisions", "tasks", "open_items",  # what extraction finds
    "topics",  # what dreams leave
)  # fmt: skip
MAX_SUMMARY, MAX_TOPIC_KEY = 500, 255


class Scope(models.TextChoices):
    """Whose a memory is: of a user, or of an agent. The policy says what splits them further."""

    USER = "user"
    AGENT = "agent"


class Source(models.TextChoices):
    """Where a memory comes from."""

    CONVERSATION = "conversation"
    OBSERVATION = "observation"
    USER_STATED = "user_stated"
    INFERRED = "inferred"
    SESSION = "session"
    REFLECTION = "reflection"
    IMPORTED = "imported"


class Salience(models.TextChoices):
    """How much a memory matters."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class State(models.TextChoices):
    """Where a memory stands. Only an active one is ever recalled."""

    ACTIVE = "active"
    QUARANTINED = "quarantined"
    SUPERSEDED = "superseded"
    DELETED = "deleted"


def searched_words() -> Left:
    """What is searched: summary, content and topic, folded."""
    words = Concat(
        models.F("summary"),
        models.Value(" "),
        models.F("content"),
        models.Value(" "),
        Coalesce(models.F("topic_key"), models.Value("")),
        output_field=models.TextField(),
    )
    return Left(models.Func(words, function="public.bw_fold"), SEARCHED_CHARACTERS)


class Memory(AccountModel):
    """One thing that is kept.

    Who and with whom are both always recorded; which of them split the namespace is decided by
    the policy at read time, so that a change of policy moves no row. A trigger keeps a Revision
    of every state that an UPDATE replaces, counts `version` and sets `updated_at`.
    """

    scope = models.CharField(max_length=5, choices=Scope, default=Scope.USER)
    user = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    agent = models.ForeignKey(Agent, models.PROTECT, related_name="+", db_index=False)
    contact = models.ForeignKey(
        Contact,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="Whom it is about or from, when that is an outside person or group.",
    )
    session = models.ForeignKey(
        Session,
        models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        help_text="In which it was said.",
    )
    kind = models.CharField(max_length=16, default="facts")
    topic_key = models.CharField(
        max_length=MAX_TOPIC_KEY,
        null=True,
        help_text="Names what it is about: remembering the same again replaces it.",
    )
    summary = models.CharField(max_length=MAX_SUMMARY, blank=True)
    content = models.TextField()
    source = models.CharField(max_length=12, choices=Source, default=Source.USER_STATED)
    salience = models.CharField(max_length=8, choices=Salience, default=Salience.MEDIUM)
    topics = ArrayField(models.CharField(max_length=100), default=list)
    confidence = models.FloatField(null=True, help_text="0 to 1, by who extracted it.")
    state = models.CharField(max_length=11, choices=State, default=State.ACTIVE)
    superseded_by = models.ForeignKey(
        "self", models.SET_NULL, null=True, related_name="supersedes", db_index=False
    )
    expires_at = models.DateTimeField(null=True, help_text="Past it, it is no longer recalled.")
    version = models.PositiveIntegerField(default=1, help_text="Counted by the database.")
    updated_at = models.DateTimeField(db_default=Now(), help_text="Set by the database.")
    language = models.CharField(max_length=63, default="english", help_text="A regconfig.")
    written_by = models.UUIDField(null=True, help_text="The real principal; null: a job.")
    written_key = models.UUIDField(null=True, help_text="The key that it used, if any.")
    search = models.GeneratedField(
        expression=models.Func(models.F("language"), searched_words(), function="to_tsvector"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        constraints: ClassVar = [
            # Without NULLS NOT DISTINCT two contacts' nulls would differ, and an upsert would
            # double; without the condition a tuple could hold one memory without a topic. The
            # topic stands first: each listed row asks whether a newer one of its topic is there.
            models.UniqueConstraint(
                fields=["topic_key", "kind", "scope", "user", "agent", "contact"],
                condition=models.Q(state="active", topic_key__isnull=False),
                nulls_distinct=False,
                name="memory_topic_once",
            ),
            models.CheckConstraint(
                condition=models.Q(scope__in=["user", "agent"]), name="memory_scope_valid"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=list(KINDS)), name="memory_kind_valid"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    source__in=[
                        "conversation",
                        "observation",
                        "user_stated",
                        "inferred",
                        "session",
                        "reflection",
                        "imported",
                    ]
                ),
                name="memory_source_valid",
            ),
            models.CheckConstraint(
                condition=models.Q(salience__in=["low", "medium", "high", "critical"]),
                name="memory_salience_valid",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["active", "quarantined", "superseded", "deleted"]),
                name="memory_state_valid",
            ),
            models.CheckConstraint(condition=~models.Q(content=""), name="memory_says_something"),
            models.CheckConstraint(
                condition=models.Q(topic_key=None) | ~models.Q(topic_key=""),
                name="memory_topic_not_empty",
            ),
            models.CheckConstraint(
                condition=models.Q(confidence=None)
                | models.Q(confidence__gte=0, confidence__lte=1),
                name="memory_confidence_valid",
            ),
            models.CheckConstraint(
                condition=models.Q(superseded_by=None)
                | models.Q(state__in=["superseded", "deleted"])
                & ~models.Q(superseded_by=models.F("id")),
                name="memory_superseded_fits",
            ),
        ]
        indexes: ClassVar = [
            # Lists, newest first, by whose they are; what a caller sees is one or two of these.
            models.Index(fields=["user", "-id"], name="memory_by_user"),
            models.Index(fields=["agent", "-id"], name="memory_by_agent"),
            models.Index(
                fields=["contact", "-id"],
                condition=models.Q(contact__isnull=False),
                name="memory_by_contact",
            ),
            models.Index(
                fields=["session"],
                condition=models.Q(session__isnull=False),
                name="memory_by_session",
            ),
            models.Index(
                fields=["superseded_by"],
                condition=models.Q(superseded_by__isnull=False),
                name="memory_by_successor",
            ),
            models.Index(
                fields=["expires_at"],
                condition=models.Q(state="active", expires_at__isnull=False),
                name="memory_expiring",
            ),
            # Facets of an account are counted from the index alone.
            models.Index(
                fields=[
                    "state",
                    "scope",
                    "kind",
                    "salience",
                    "user",
                    "agent",
                    "contact",
                    "expires_at",
                ],
                name="memory_facets",
            ),
            GinIndex(fields=["search"], name="memory_search"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Stated(AccountModel):
    """The columns of one state of a memory, beside Memory's own."""

    scope = models.CharField(max_length=5, choices=Scope)
    user = models.UUIDField()
    agent = models.UUIDField()
    contact = models.UUIDField(null=True)
    session = models.UUIDField(null=True)
    kind = models.CharField(max_length=16)
    topic_key = models.CharField(max_length=MAX_TOPIC_KEY, null=True)
    summary = models.CharField(max_length=MAX_SUMMARY, blank=True)
    content = models.TextField()
    source = models.CharField(max_length=12, choices=Source)
    salience = models.CharField(max_length=8, choices=Salience)
    topics = ArrayField(models.CharField(max_length=100))
    confidence = models.FloatField(null=True)
    state = models.CharField(max_length=11, choices=State)
    superseded_by = models.UUIDField(null=True)
    expires_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField()
    language = models.CharField(max_length=63)
    written_by = models.UUIDField(null=True)
    written_key = models.UUIDField(null=True)
    valid_from = models.DateTimeField(help_text="Since when the memory was so.")
    valid_to = models.DateTimeField(null=True, help_text="Until when; null: it still is.")

    class Meta:
        abstract = True


class Revision(Stated):
    """An earlier state of a memory, written by a trigger of the database alone.

    A table beside Memory, so that lists never read past states. It refers to its memory by a plain
    UUID: no foreign key, since erasure removes the two in an order of its own.
    """

    memory = models.UUIDField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["memory", "version"], name="revision_version_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["valid_to", "valid_from"], name="revision_as_of"),
        ]


class Version(Stated):
    """Every state of every memory, past and present: a view over Memory and Revision.

    History and `as_of` read it; nothing is stored.
    """

    memory = models.ForeignKey(Memory, models.DO_NOTHING, related_name="versions")
    search = SearchVectorField(null=True, help_text="The memory's; null of a past state.")

    class Meta:
        managed = False
        db_table = "memory_version"


class Evidence(AccountModel):
    """The message that a memory came from; it goes with the message, the memory stays."""

    memory = models.ForeignKey(Memory, models.CASCADE, related_name="evidence", db_index=False)
    message = models.ForeignKey(Message, models.CASCADE, related_name="+", db_index=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["memory", "message"], name="evidence_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["message"], name="evidence_by_message")]
