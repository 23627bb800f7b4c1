"""Functions of the public schema that every account's tables use. One statement each.

Cost for 1,000 accounts: none; they exist once.
"""

from __future__ import annotations

from django.db import migrations

# Folded for search: case and accents do not matter. IMMUTABLE, since generated columns call it;
# `normalize` needs a UTF8 database.
FOLD = r"""
CREATE OR REPLACE FUNCTION public.bw_fold(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.lower(pg_catalog.regexp_replace(
    pg_catalog.normalize(value, 'NFKD'), E'[\u0300-\u036f]', '', 'g'))
"""

# Append-only tables: a trigger on UPDATE, DELETE and TRUNCATE calls this.
REFUSE = """
CREATE OR REPLACE FUNCTION public.bw_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$
"""


# The public table of what operators did is append-only, as AuditEvent is in each account.
APPEND_ONLY = [
    f"""
    CREATE OR REPLACE TRIGGER operator_event_append_only_{moment} BEFORE {event} ON accounts_operatorevent
    FOR EACH {unit} EXECUTE FUNCTION public.bw_refuse_change()
    """
    for moment, event, unit in (
        ("rows", "UPDATE OR DELETE", "ROW"),
        ("table", "TRUNCATE", "STATEMENT"),
    )
]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [
        migrations.RunSQL(FOLD, "DROP FUNCTION public.bw_fold(text)"),
        migrations.RunSQL(REFUSE, "DROP FUNCTION public.bw_refuse_change()"),
        migrations.RunSQL(APPEND_ONLY[0], migrations.RunSQL.noop),
        migrations.RunSQL(APPEND_ONLY[1], migrations.RunSQL.noop),
    ]
