"""Tables of the public schema. No foreign key leaves it, and none comes in from an account."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import uuid4

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils.crypto import salted_hmac
from django_tenants.models import DomainMixin, TenantMixin
from uuid_utils.compat import uuid7

from accounts.guard import Row


class Account(TenantMixin):  # type: ignore[misc]
    """One customer of the installation: one PostgreSQL schema holds everything that is its own."""

    class State(models.TextChoices):
        ACTIVE = "active"
        SUSPENDED = "suspended"
        DELETING = "deleting"

    auto_create_schema = False  # principals/services/accounts.py replays the template instead
    auto_drop_schema = False

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    account_id = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    state = models.CharField(max_length=16, choices=State, default=State.ACTIVE)
    ready = models.BooleanField(default=False, help_text="Its schema is complete.")
    migrated_to = models.TextField(default="", help_text="Heads of its migrations.")
    settings = models.JSONField(
        default=dict, help_text="What differs from the defaults in accounts/settings.py."
    )
    user_count = models.PositiveIntegerField(
        default=0, help_text="Listed users, the default user included; kept by the services."
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("account_id"), name="account_id_unique"),
            models.CheckConstraint(
                condition=models.Q(state__in=["active", "suspended", "deleting"]),
                name="account_state_valid",
            ),
        ]

    def __str__(self) -> str:
        return self.account_id


class Domain(DomainMixin):  # type: ignore[misc]
    """Always empty: the stock commands of django-tenants ask for such a table. Accounts are
    found by key or by path, never by host name."""


class NamespacePolicy(Row):
    """The account's rules on which dimensions split memories and who reads sessions."""

    class SessionsVisibleTo(models.TextChoices):
        ACCOUNT = "account"
        PARTICIPANTS = "participants"

    account = models.OneToOneField(Account, models.CASCADE, related_name="policy")
    isolate_user_scope_by_agent = models.BooleanField(default=False)
    isolate_agent_scope_by_user = models.BooleanField(default=False)
    sessions_visible_to = models.CharField(
        max_length=16, choices=SessionsVisibleTo, default=SessionsVisibleTo.ACCOUNT
    )
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(db_default=Now())
    updated_by = models.UUIDField(null=True, help_text="A User of the account; null: an operator.")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(sessions_visible_to__in=["account", "participants"]),
                name="policy_readers_valid",
            ),
        ]


class PolicyVersion(Row):
    """An earlier or present state of an account's policy: each is kept."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="policy_versions")
    version = models.PositiveIntegerField()
    isolate_user_scope_by_agent = models.BooleanField()
    isolate_agent_scope_by_user = models.BooleanField()
    sessions_visible_to = models.CharField(max_length=16)
    reason = models.TextField(blank=True)
    updated_by = models.UUIDField(null=True, help_text="A User of the account; null: an operator.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "version"], name="policy_version_once"),
        ]


class PersonManager(BaseUserManager["Person"]):
    """Look-ups by e-mail ignore case, as the unique constraint does."""

    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(email__iexact=username)


class Person(AbstractBaseUser):
    """A human who signs in with e-mail and password. May belong to several accounts."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    is_operator = models.BooleanField(default=False, help_text="Role ROOT: runs the installation.")
    time_zone = models.CharField(max_length=64, default="UTC", help_text="Pages tell times in it.")
    sign_in_stamp = models.UUIDField(
        default=uuid4, help_text="Part of each sign-in: changing it ends them all."
    )

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="person_email_unique"),
        ]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.name or self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a browser's sign-in is held against on each request, in Django's own place."""
        stamped = f"{self.password}{self.sign_in_stamp}"
        return salted_hmac(
            "bailiwick.sign_in", stamped, secret=secret, algorithm="sha256"
        ).hexdigest()

    # No permission tables: what a person may do follows from memberships (access.py).
    def has_perm(self, _perm: str, _obj: Any = None) -> bool:
        return False

    def has_module_perms(self, _label: str) -> bool:
        return False


class Membership(Row):
    """A Person is one User of one Account; `user` is that row's id, in the account's schema."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="memberships")
    account = models.ForeignKey(Account, models.CASCADE, related_name="memberships")
    user = models.UUIDField(help_text="User.id in the account's schema: no foreign key leaves it.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "account"], name="membership_once"),
            models.UniqueConstraint(fields=["account", "user"], name="membership_user_once"),
        ]


class Invitation(Row):
    """A User of an account is offered to the owner of an e-mail address.

    The link's token is signed, and kept nowhere: it holds as long as this row is open.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="invitations")
    user = models.UUIDField(help_text="User.id in the account's schema: no foreign key leaves it.")
    email = models.EmailField(max_length=254)
    invited_by = models.UUIDField(null=True, help_text="A User of the account; null: an operator.")
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "user"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_user_once",
            ),
        ]


class SchemaTemplate(Row):
    """The DDL of an empty account schema, replayed whenever an account is made.

    Kept for each pair of migration heads and server version, so that old and new processes of a
    rolling deployment each find the one that fits their code.
    """

    heads = models.TextField()
    server_version = models.PositiveIntegerField()
    statements = models.JSONField(help_text="Each one statement; the schema's name is a token.")
    applied = models.JSONField(help_text="[app, name] of each migration that it contains.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["heads", "server_version"], name="template_once"),
        ]


class OperatorEvent(Row):
    """What operators do to accounts. Append-only, as AuditEvent is in each account."""

    action = models.CharField(max_length=64)
    person = models.UUIDField(null=True, help_text="Null: the root key or the command line.")
    account = models.UUIDField(null=True)
    data = models.JSONField(default=dict, help_text="UUIDs and counts only.")
    request_id = models.CharField(max_length=64, default="")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["-created_at"], name="operator_event_newest")]
