"""The shape of an account's schema (platform.md, Accounts as schemas and Scale-out)."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from accounts import tenancy
from accounts.actor import Operator
from accounts.principals.services import account_create
from accounts.tenancy.migrate import apply_migrations
from accounts.tenancy.template import TOKEN, account_heads, current_template

MIGRATED = "account_migrated_step_by_step"

# What pg_catalog says about a schema, one row for each fact; the schema's own name becomes "~".
FACTS = {
    "tables": """
        SELECT c.relname, c.relkind, c.relpersistence, c.reloptions::text, c.relreplident
        FROM pg_class c WHERE c.relnamespace = %(schema)s::regnamespace
    """,
    "columns": """
        SELECT c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
            a.attidentity, a.attgenerated, a.attcollation, a.attstorage,
            pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relnamespace = %(schema)s::regnamespace AND a.attnum > 0
    """,
    "constraints": """
        SELECT conrelid::regclass::text, conname, contype, condeferrable, condeferred,
            convalidated, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = %(schema)s::regnamespace
    """,
    "indexes": """
        SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = %(schema)s
    """,
    "triggers": """
        SELECT t.tgname, t.tgenabled, pg_get_triggerdef(t.oid)
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal AND c.relnamespace = %(schema)s::regnamespace
    """,
    "functions": """
        SELECT proname, pg_get_functiondef(oid) FROM pg_proc
        WHERE pronamespace = %(schema)s::regnamespace
    """,
    "types": """
        SELECT typname, typtype FROM pg_type
        WHERE typnamespace = %(schema)s::regnamespace AND typrelid = 0 AND typelem = 0
    """,
    "sequences": """
        SELECT sequencename, data_type::text, start_value, min_value, max_value, increment_by, cycle
        FROM pg_sequences WHERE schemaname = %(schema)s
    """,
}


def rows(statement, **parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


# A cast of an array or of each of its members: PostgreSQL writes one as the other when it reads
# its own words back.
CASTS = re.compile(r"::(text|character varying)(\[\])?|[()]")


def facts(kind, schema):
    found = (repr(row).replace(schema, "~") for row in rows(FACTS[kind], schema=schema))
    return sorted(CASTS.sub("", fact) if kind == "constraints" else fact for fact in found)


@pytest.fixture
def migrated(cast):
    """A schema that ran every migration, as the first one did."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {MIGRATED}")
    applied = apply_migrations(MIGRATED, account_heads())
    tenancy.leave()
    return applied


@pytest.mark.parametrize("kind", FACTS)
def test_replayed_schema_equals_a_migrated_one(cast, migrated, kind):
    made = facts(kind, MIGRATED)
    assert made or kind in {"functions", "types"}
    assert facts(kind, cast.north.schema_name) == made


def test_replayed_schema_knows_its_migrations(cast, migrated):
    applied = rows(
        f"SELECT app, name FROM {cast.north.schema_name}.django_migrations ORDER BY 1, 2"
    )
    assert [list(row) for row in applied] == sorted(migrated)


def test_replayed_schema_can_be_migrated_further(cast):
    """The identity of its django_migrations goes on behind the copied rows."""
    with tenancy.account(cast.north), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('a', 'b', now())"
            " RETURNING id, (SELECT count(*) FROM django_migrations)"
        )
        new, before = cursor.fetchone()
    assert new == before + 1


def test_template_is_replayed_statement_by_statement(cast):
    """No settings, meta-commands or names of a schema; every statement is one."""
    for statement in current_template().statements:
        first = statement.lstrip().split(None, 1)[0]
        assert first in {"CREATE", "ALTER"}, statement
        assert "\\" not in statement.replace("\\u0300", "").replace("\\u036f", "")
        assert TOKEN in statement
        assert " OWNER TO " not in statement
        assert "ADD GENERATED" not in statement


def test_template_leaves_no_scratch_schema(cast):
    assert rows("SELECT 1 FROM pg_namespace WHERE nspname = %(name)s", name=TOKEN) == []


def test_an_account_is_lean(cast):
    """At most 24 tables and 2.6 MB when empty."""
    made = account_create(actor=Operator(), account_id="lean", admin_user_id="anna")
    ((tables, size),) = rows(
        "SELECT count(*), sum(pg_total_relation_size(oid)) FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = %(schema)s::regnamespace",
        schema=made.ref.schema_name,
    )
    assert 5 <= tables <= 24
    assert size <= 2.6 * 1024 * 1024


def test_account_schema_holds_no_tables_of_the_framework(cast):
    names = {row[0] for row in rows(FACTS["tables"], schema=cast.north.schema_name)}
    assert "principals_user" in names
    assert not [
        name
        for name in names
        if name.startswith(("auth_", "django_", "procrastinate"))
        and not name.startswith("django_migrations")
    ]


def test_no_foreign_key_leaves_a_schema(cast):
    crossing = rows("""
        SELECT conname FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.confrelid
        WHERE k.contype = 'f' AND c.relnamespace <> k.connamespace
    """)
    assert crossing == []
    assert rows("SELECT count(*) FROM pg_constraint WHERE contype = 'f'")[0][0] > 5


@pytest.mark.parametrize("place", ["public", "account"])
def test_every_table_has_a_primary_key(cast, place):
    without = """
        SELECT relname FROM pg_class c
        WHERE relkind = 'r' AND relnamespace = %(schema)s::regnamespace AND NOT EXISTS (
            SELECT 1 FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p')
    """
    schema = "public" if place == "public" else cast.north.schema_name
    assert rows(without, schema=schema) == []
    assert rows(without.replace("'p'", "'x'"), schema=schema) != []


def test_primary_keys_of_accounts_are_uuids(cast):
    keys = rows(
        """
        SELECT c.relname, format_type(a.atttypid, a.atttypmod)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
        WHERE i.indisprimary AND c.relnamespace = %(schema)s::regnamespace
        """,
        schema=cast.north.schema_name,
    )
    kinds = dict(keys)
    assert kinds.pop("django_migrations") == "bigint"
    assert set(kinds.values()) == {"uuid"}


def test_no_identity_column_but_the_frameworks_own(cast):
    found = rows(
        """
        SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relkind = 'r' AND c.relnamespace = %(schema)s::regnamespace
            AND (a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval%%')
        """,
        schema=cast.north.schema_name,
    )
    assert found == [("django_migrations",)]


def test_trigger_functions_are_shared_and_name_no_account(cast):
    triggers = rows(
        """
        SELECT p.pronamespace::regnamespace::text, p.prosrc
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE NOT t.tgisinternal AND c.relnamespace = %(schema)s::regnamespace
        """,
        schema=cast.north.schema_name,
    )
    assert triggers
    for schema, source in triggers:
        assert schema == "public"
        for forbidden in ("account_", "current_setting", "TG_TABLE_NAME", "NOTIFY"):
            assert forbidden not in source
