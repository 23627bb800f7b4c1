"""The only module that knows schemas (docs/adr/0001).

A thread is either in `public` or in one account. Everything that enters leaves again in a
`finally`; models and querysets of account tables remember where they were made (see guard.py).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection as _connection
from psycopg import sql
from psycopg.errors import UndefinedTable

from accounts.names import is_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

connection: Any = _connection  # django-tenants adds the schema to Django's own wrapper
PUBLIC = "public"
CACHED_ACCOUNTS = 10_000


@dataclass(frozen=True, slots=True)
class AccountRef:
    """What never changes about an account; the only thing about it that is ever cached."""

    id: UUID
    account_id: str
    schema_name: str


def current_schema() -> str:
    """The schema that this thread's statements go to."""
    name: str = connection.schema_name
    return name


@contextmanager
def account(ref: AccountRef) -> Iterator[None]:
    """Run the block inside the account's schema; return to where the thread was before."""
    before = connection.tenant
    connection.set_schema(ref.schema_name)
    try:
        yield
    finally:
        connection.set_tenant(before)


def enter(ref: AccountRef) -> None:
    """Enter for the rest of the request; the request middleware leaves in its `finally`."""
    connection.set_schema(ref.schema_name)


def leave() -> None:
    """Back to public, whatever happened."""
    connection.set_schema_to_public()


def disconnect() -> None:
    """Give this thread's connection back; for a process that only watches from now on."""
    connection.close()


@contextmanager
def public() -> Iterator[None]:
    """Run the block in the public schema; return to where the thread was before."""
    before = connection.tenant
    connection.set_schema_to_public()
    try:
        yield
    finally:
        connection.set_tenant(before)


# --- account_id → schema, cached because it is immutable ---

_refs: dict[str, AccountRef] = {}
_refs_lock = Lock()


def find(account_id: str, *, fresh: bool = False) -> AccountRef | None:
    """The ready account of that id (case is ignored), or None. One statement when not cached.

    Args:
        fresh: ask the database in any case, for rare routes that must not meet a dropped schema.
    """
    key = account_id.lower()
    if fresh:
        forget(key)
    ref = _refs.get(key)
    if ref is None and is_id(account_id):
        row = fetch_row(
            "SELECT id, account_id, schema_name FROM public.accounts_account"
            " WHERE lower(account_id) = %s AND ready",
            [key],
        )
        if row is not None:
            ref = AccountRef(row["id"], row["account_id"], row["schema_name"])
            with _refs_lock:
                if len(_refs) >= CACHED_ACCOUNTS:
                    _refs.clear()
                _refs[key] = ref
    return ref


def forget(account_id: str) -> None:
    """Drop a cached account that turned out to be gone."""
    with _refs_lock:
        _refs.pop(account_id.lower(), None)


def is_missing_schema(error: BaseException) -> bool:
    """Whether a statement failed because the account's tables are no longer there."""
    return isinstance(error.__cause__, UndefinedTable)


# --- statements of our own, for hot paths where the ORM costs more than the database ---


def fetch_row(sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> dict[str, Any] | None:
    """Run one statement in the current schema; its first row by column name, or None."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row = cursor.fetchone()
        if row is None:
            return None
        return dict(zip([column.name for column in cursor.description], row, strict=True))


def execute(sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> int:
    """Run one statement in the current schema; how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def fetch_rows(sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[dict[str, Any]]:
    """Run one statement in the current schema; all rows by column name."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Stream rows into a table of the current schema, inside the caller's transaction.

    Args:
        table, columns: names of ours, never from input.
        rows: must not ask the database anything: the connection is taken until the last row.
    """
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with (
        connection.cursor() as cursor,
        cursor.copy(into) as copy,
        connection.execute_wrapper(_refuse_while_copying),
    ):
        for row in rows:
            copy.write_row(row)


def _refuse_while_copying(*_: Any) -> None:
    """Without this it would wait for itself, for ever."""
    raise RuntimeError("The database was asked something while rows are copied into it.")
