"""Bringing account schemas to the newest migration, one schema at a time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from accounts.tenancy import connection

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LOCK = 0x6261696C  # "bail": one migrate_accounts at a time on a database


def apply_migrations(schema_name: str, targets: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Migrate one schema to the targets and return the [app, name] of all that it then has.

    Leaves the thread in that schema when it fails, so the caller returns to public in a `finally`.
    """
    # Without public in the path, else the shared django_migrations would be taken for its own.
    connection.set_schema(schema_name, include_public=False)
    MigrationRecorder(connection).ensure_schema()
    connection.set_schema(schema_name)
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets))
    applied = sorted(MigrationRecorder(connection).applied_migrations())
    return [[app, name] for app, name in applied]


@contextmanager
def only_one() -> Iterator[bool]:
    """Hold the installation's migration lock; yields False when another process holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        held = bool(cursor.fetchone()[0])
    try:
        yield held
    finally:
        if held:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
