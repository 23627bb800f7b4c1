"""Looking at tables directly, past the application."""

from __future__ import annotations

from typing import Any

from django.db import connection
from psycopg import sql

from accounts.tenancy import AccountRef


def tables(schema: str) -> list[str]:
    """Names of the tables of a schema."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = %s ORDER BY 1", [schema]
        )
        return [name for (name,) in cursor.fetchall()]


def row_counts(*accounts: AccountRef) -> dict[str, int]:
    """Rows of every table of these accounts and of the public schema."""
    counts = {}
    for schema in ("public", *(account.schema_name for account in accounts)):
        for table in tables(schema):
            name = sql.Identifier(schema, table)
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(name))
                counts[f"{schema}.{table}"] = cursor.fetchone()[0]
    return counts


def all_text(schema: str) -> str:
    """Every value of every row of the schema, as text."""
    found: list[Any] = []
    for table in tables(schema):
        with connection.cursor() as cursor:
            cursor.execute(
                sql.SQL("SELECT row_to_json(r)::text FROM {} r").format(
                    sql.Identifier(schema, table)
                )
            )
            found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found)
