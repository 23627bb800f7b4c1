"""Violating constraints past the application: what the tests of each app's tables share."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction


@dataclass(frozen=True)
class Case:
    """An UPDATE of some rows: with `good` it is taken, with `bad` the constraint refuses it."""

    name: str
    table: str
    where: str
    good: str
    bad: str


def cases(text):
    """One case a line, its five parts between bars."""
    return [
        Case(*(part.strip() for part in line.split("|")))
        for line in text.strip().splitlines()
        if line.strip()
    ]


def update(case, change, names):
    """Run it and take it back; the number of rows that it changed."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {case.table} SET {change} WHERE {case.where}".format(**names))
        changed = cursor.rowcount
        transaction.set_rollback(True)
    return changed


def held_by_the_database(schema, prefix):
    """Names of the checks and unique indexes of these tables, but for primary keys."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT k.conname FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
            WHERE k.contype IN ('c', 'x') AND t.relnamespace = %(schema)s::regnamespace
                AND t.relname LIKE %(prefix)s
            UNION
            SELECT x.relname FROM pg_index i
            JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
            WHERE i.indisunique AND NOT i.indisprimary AND t.relname LIKE %(prefix)s
                AND t.relnamespace = %(schema)s::regnamespace
            """,
            {"schema": schema, "prefix": prefix},
        )
        return {name for (name,) in cursor.fetchall()}
