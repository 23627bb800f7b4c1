"""Who acts in an account. Every table here exists once in each account's schema."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from accounts.guard import AccountModel


class User(AccountModel):
    """A principal of the account. Many have no Person: they act only through keys."""

    class Role(models.TextChoices):
        ADMIN = "admin"
        USER = "user"

    user_id = models.CharField(max_length=64)
    display_name = models.CharField(max_length=200, blank=True)
    role = models.CharField(max_length=8, choices=Role, default=Role.USER)
    is_default = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    # One at a time, so it stands here and costs an account no table of its own.
    link_code = models.BinaryField(
        max_length=32, null=True, help_text="HMAC of the one-time code that binds a handle."
    )
    link_code_expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["link_code"], name="user_link_code_unique"),
            models.UniqueConstraint(Lower("user_id"), name="user_id_unique"),
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="user_one_default"
            ),
            # ROOT is not a role that an account's user can have.
            models.CheckConstraint(
                condition=models.Q(role__in=["admin", "user"]), name="user_role_valid"
            ),
            models.CheckConstraint(
                condition=models.Q(is_default=False) | models.Q(role="user", is_active=True),
                name="user_default_plain",
            ),
        ]

    def __str__(self) -> str:
        return self.user_id


class Agent(AccountModel):
    """An AI agent of the account."""

    class MemorySystem(models.TextChoices):
        SUMMARIZATION = "summarization"
        STRUCTURED = "structured"

    class SessionScope(models.TextChoices):
        GLOBAL = "global"
        PER_SENDER = "per_sender"

    agent_id = models.CharField(max_length=64)
    display_name = models.CharField(max_length=200, blank=True)
    memory_system = models.CharField(
        max_length=16, choices=MemorySystem, default=MemorySystem.SUMMARIZATION
    )
    session_scope = models.CharField(
        max_length=16, choices=SessionScope, default=SessionScope.GLOBAL
    )
    registered_by = models.UUIDField(null=True, help_text="The User who first named it.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("agent_id"), name="agent_id_unique"),
            models.CheckConstraint(
                condition=models.Q(memory_system__in=["summarization", "structured"]),
                name="agent_memory_system_valid",
            ),
            models.CheckConstraint(
                condition=models.Q(session_scope__in=["global", "per_sender"]),
                name="agent_session_scope_valid",
            ),
        ]

    def __str__(self) -> str:
        return self.agent_id


class ApiKey(AccountModel):
    """A secret that acts as one user. Only its HMAC is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="keys")
    key_id = models.CharField(max_length=16)
    secret_hash = models.BinaryField(max_length=32, help_text="HMAC-SHA256 under the pepper.")
    pepper_id = models.CharField(max_length=16)
    name = models.CharField(max_length=100, default="default")
    scopes = ArrayField(models.CharField(max_length=16))
    agents = ArrayField(
        models.CharField(max_length=64),
        default=list,
        help_text="Agents it is bound to; empty: any.",
    )
    contact_required = models.BooleanField(
        default=False, help_text="Session and memory routes need a contact."
    )
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, help_text="Written at most once a minute.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key_id"], name="key_id_unique"),
            models.UniqueConstraint(
                fields=["user", "name"],
                condition=models.Q(revoked_at=None),
                name="key_name_unique",
            ),
            models.CheckConstraint(
                condition=models.Q(scopes__contained_by=["read", "write", "gateway", "manage"]),
                name="key_scopes_valid",
            ),
        ]

    def __str__(self) -> str:
        return self.key_id


class AuditEvent(AccountModel):
    """Who did what. Append-only by trigger; ids and counts only, so that it may outlive erasure."""

    action = models.CharField(max_length=64)
    actor = models.UUIDField(null=True, help_text="The real User; null: a job or an operator.")
    actor_role = models.CharField(max_length=8)
    actor_key = models.UUIDField(null=True)
    acting_as = models.UUIDField(null=True, help_text="The simulated User, if any.")
    target_type = models.CharField(max_length=32)
    target = models.UUIDField(null=True)
    data = models.JSONField(default=dict, help_text="UUIDs and counts; never text or names.")
    request_id = models.CharField(max_length=64, default="")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="audit_newest"),
            models.Index(fields=["target", "-created_at"], name="audit_by_target"),
            models.Index(fields=["action", "-created_at"], name="audit_by_action"),
            models.Index(fields=["actor", "-created_at"], name="audit_by_actor"),
        ]


class Contact(AccountModel):
    """An outside person or group that reaches an agent through a channel.

    Display names are not unique: two strangers called Ana both exist.
    """

    class Kind(models.TextChoices):
        EXTERNAL = "external"
        GROUP = "group"
        PERSONAL = "personal"

    owner = models.ForeignKey(User, models.PROTECT, related_name="contacts")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.EXTERNAL)
    display_name = models.CharField(max_length=200, blank=True)
    aliases = ArrayField(models.CharField(max_length=200), default=list)
    notes = models.TextField(blank=True)
    tags = ArrayField(models.CharField(max_length=64), default=list)
    auto_created = models.BooleanField(default=False)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="merged", db_index=False
    )
    root = models.UUIDField(
        help_text="The contact that this one counts as: itself, or the end of `merged_into`."
    )
    written_by = models.UUIDField(null=True, help_text="The real principal; null: a job.")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["external", "group", "personal"]),
                name="contact_kind_valid",
            ),
            models.CheckConstraint(
                condition=models.Q(merged_into=None) | ~models.Q(merged_into=models.F("id")),
                name="contact_not_into_itself",
            ),
            models.CheckConstraint(
                condition=models.Q(merged_into=None, root=models.F("id"))
                | models.Q(merged_into__isnull=False) & ~models.Q(root=models.F("id")),
                name="contact_root_fits",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["root"], name="contact_by_root")]


class ContactHandle(AccountModel):
    """An address of a contact on one platform; unique, so that two first messages make one."""

    class Platform(models.TextChoices):
        TELEGRAM = "telegram"
        WHATSAPP = "whatsapp"
        DISCORD = "discord"
        SLACK = "slack"
        IMESSAGE = "imessage"
        EMAIL = "email"
        PHONE = "phone"
        WEB = "web"
        PEER = "peer"

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="handles")
    platform = models.CharField(max_length=8, choices=Platform)
    platform_id = models.CharField(max_length=255)
    username = models.CharField(max_length=200, blank=True)
    user = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="handles", help_text="Bound: is this user."
    )
    # Copied from the contact, so that the database itself can hold them unique.
    owner = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=Contact.Kind)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner", "platform", "platform_id", "kind"], name="handle_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    platform__in=[
                        "telegram",
                        "whatsapp",
                        "discord",
                        "slack",
                        "imessage",
                        "email",
                        "phone",
                        "web",
                        "peer",
                    ]
                ),
                name="handle_platform_valid",
            ),
        ]


class ViewAs(AccountModel):
    """An admin sees the product as a user sees it, for half an hour, and may change nothing.

    It stands beside the audit log because it has words: the reason, which the user may read.
    """

    viewer = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="views", db_index=False)
    agent = models.ForeignKey(
        Agent, models.SET_NULL, null=True, related_name="+", help_text="On behalf of which."
    )
    contact = models.ForeignKey(
        Contact,
        models.PROTECT,
        null=True,
        related_name="views",
        help_text="Narrowed to what this contact sees; `user` is its owner.",
    )
    reason = models.CharField(max_length=200)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(viewer=models.F("user")) | models.Q(contact__isnull=False),
                name="view_of_another",
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="view_has_reason"),
        ]
        indexes: ClassVar = [models.Index(fields=["user", "-created_at"], name="view_newest")]


class IdempotencyRecord(AccountModel):
    """One write that named an Idempotency-Key: a repetition is answered from it, for 24 hours.

    It holds hashes and ids only, no words.
    """

    principal = models.UUIDField(help_text="The key, the person, or the root key.")
    acting_as = models.UUIDField(help_text="The effective user.")
    route = models.BinaryField(max_length=32, help_text="SHA-256 of method and path.")
    key = models.CharField(max_length=255)
    body = models.BinaryField(max_length=32, help_text="SHA-256 of the body.")
    attempt = models.UUIDField(help_text="Which request holds it while it is in flight.")
    started_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, help_text="Null: in flight.")
    reference = models.JSONField(default=dict, help_text="Ids of what was made.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["principal", "acting_as", "route", "key"], name="idempotency_once"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="idempotency_oldest")]
