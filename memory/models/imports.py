"""Imports: what was brought in, from where, and how to take it out again."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.guard import AccountModel


class Import(AccountModel):
    """One run of an importer: who ran it, over what, and what became of it.

    A table of its own, since its report must outlive the run: a page shows it, and a rollback
    begins from it.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        COMPLETED = "completed"
        FAILED = "failed"
        ROLLED_BACK = "rolled_back"

    format = models.CharField(max_length=16)
    source = models.CharField(max_length=300, help_text="The file or folder, as it was named.")
    upload = models.CharField(
        max_length=64, blank=True, help_text="The uploaded file that a job reads; then empty."
    )
    state = models.CharField(max_length=11, choices=State, default=State.WAITING)
    dry_run = models.BooleanField(default=False)
    user = models.CharField(max_length=64, blank=True, help_text="In place of the default user.")
    agent = models.CharField(max_length=64, blank=True, help_text="In place of `default`.")
    done = models.PositiveIntegerField(default=0, help_text="Sessions that were dealt with.")
    total = models.PositiveIntegerField(null=True, help_text="Sessions in the source, if known.")
    sessions = models.PositiveIntegerField(default=0)
    messages = models.PositiveBigIntegerField(default=0)
    memories = models.PositiveIntegerField(default=0)
    extractions = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0, help_text="Were in already: left as they are.")
    problems = models.JSONField(default=list, help_text="[{where, what, lost}], the first 1,000.")
    problem_count = models.PositiveIntegerField(default=0)
    notes = models.JSONField(default=list)
    finished_at = models.DateTimeField(null=True)
    written_by = models.UUIDField(null=True, help_text="The real principal; null: a job.")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["waiting", "running", "completed", "failed", "rolled_back"]
                ),
                name="import_state_valid",
            ),
        ]


class ImportReceipt(AccountModel):
    """One thing that an import made: what it was in the source, and which row it is now.

    Written in the transaction that makes the row, so that a second run knows it, and a rollback
    takes out exactly what came in.
    """

    class Kind(models.TextChoices):
        SESSION = "session"
        FILE = "file"  # from which the source itself had moved a session
        MEMORY = "memory"
        EXTRACTION = "extraction"
        USER = "user"
        AGENT = "agent"
        CONTACT = "contact"

    run = models.ForeignKey(Import, models.CASCADE, related_name="receipts", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind)
    source_key = models.CharField(max_length=600, help_text="What the source calls it.")
    source_name = models.CharField(max_length=600, blank=True, help_text="The file or table row.")
    source_hash = models.BinaryField(max_length=32, help_text="SHA-256 of what was read.")
    source_length = models.PositiveBigIntegerField(default=0)
    target = models.UUIDField(help_text="The row that it became.")
    messages = models.PositiveIntegerField(default=0, help_text="Of a session.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "source_hash", "source_key"], name="receipt_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["run", "kind"], name="receipt_by_run"),
            models.Index(fields=["kind", "source_key"], name="receipt_by_key"),
        ]
