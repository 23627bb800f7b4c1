"""The function by which a table keeps its past states. Cost for 1,000 accounts: none; it exists
once.

It lies in the public schema and names no account: the schema comes from the trigger, the table for
the past states is its argument (the trigger's own table name carries a suffix on a shard), and the
author is a column of the row, never a setting of the connection.
"""

from django.db import migrations

STATED = (
    "scope", "user_id", "agent_id", "contact_id", "session_id", "kind", "topic_key", "summary",
    "content", "source", "salience", "topics", "confidence", "state", "superseded_by_id",
    "expires_at", "language", "written_by", "written_key",
)  # fmt: skip


REFERRING = ("session_id", "superseded_by_id")


def record(name: str, without: tuple[str, ...] = ()) -> str:
    return ", ".join(f"{name}.{column}" for column in STATED if column not in without)


# clock_timestamp(), not now(): of two transactions the one that began first may write last, and a
# state must not end before it began.
KEEP = f"""
CREATE OR REPLACE FUNCTION public.bw_keep_revision() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := greatest(clock_timestamp(), OLD.updated_at);
BEGIN
    -- What a row refers to may go; that is no change of what it says.
    IF ROW({record("NEW", REFERRING)}) IS NOT DISTINCT FROM ROW({record("OLD", REFERRING)})
        AND (NEW.session_id IS NULL OR NEW.session_id IS NOT DISTINCT FROM OLD.session_id)
        AND (NEW.superseded_by_id IS NULL
            OR NEW.superseded_by_id IS NOT DISTINCT FROM OLD.superseded_by_id)
    THEN
        NEW.version := OLD.version;
        NEW.updated_at := OLD.updated_at;
        RETURN NEW;
    END IF;
    EXECUTE format(
        'INSERT INTO %I.%I (id, memory, version, valid_from, valid_to, created_at,'
        ' scope, "user", agent, contact, session, kind, topic_key, summary, content, source,'
        ' salience, topics, confidence, state, superseded_by, expires_at, language, written_by,'
        ' written_key) VALUES (gen_random_uuid(), $1.id, $1.version, $1.updated_at, $2, $2,'
        ' {record("$1")})',
        TG_TABLE_SCHEMA, TG_ARGV[0]
    ) USING OLD, moment;
    NEW.version := OLD.version + 1;
    NEW.updated_at := moment;
    RETURN NEW;
END
$$
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_people_and_invitations")]
    operations = [
        migrations.RunSQL(KEEP, "DROP FUNCTION public.bw_keep_revision()"),
    ]
