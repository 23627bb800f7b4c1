"""What an installation needs to serve, asked of the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from django.db import DatabaseError
from django.db.migrations.loader import MigrationLoader

from accounts import tenancy
from accounts.tenancy.template import account_labels, heads_text

QUEUE_AGE_LIMIT = 900  # seconds that a due job may wait before the installation is not well


@dataclass(frozen=True, slots=True)
class Readiness:
    """The checks by name ("ok", or what is wrong), and the figures behind them."""

    checks: dict[str, str]
    accounts: dict[str, int] = field(default_factory=dict)
    jobs: dict[str, int] = field(default_factory=dict)
    oldest_waiting_seconds: float = 0.0

    @property
    def ready(self) -> bool:
        return all(value == "ok" for value in self.checks.values())


def readiness() -> Readiness:
    """Ask the database; an unreachable one is an answer, not an error."""
    try:
        with tenancy.public():
            return _readiness()
    except DatabaseError:
        return Readiness({"database": "it does not answer"})


def _readiness() -> Readiness:
    applied = (
        {
            (row["app"], row["name"])
            for row in tenancy.fetch_rows("SELECT app, name FROM public.django_migrations", [])
        }
        if _has_migrations()
        else set()
    )
    missing = _public_heads() - applied
    if missing:
        return Readiness(
            {"database": "ok", "migrations": f"{len(missing)} apps behind; run migrate_accounts"}
        )
    accounts = tenancy.fetch_rows(
        "SELECT state, count(*) AS count, count(*) FILTER (WHERE migrated_to <> %s) AS behind"
        " FROM accounts_account WHERE ready GROUP BY state",
        [heads_text()],
    )
    behind = sum(row["behind"] for row in accounts)
    jobs = tenancy.fetch_rows(
        "SELECT status::text AS status, count(*) AS count FROM procrastinate_jobs"
        " WHERE status IN ('todo', 'doing', 'failed') GROUP BY status",
        [],
    )
    waiting = tenancy.fetch_row(
        "SELECT coalesce(extract(epoch FROM now() - min(event.at)), 0)::float AS seconds"
        " FROM procrastinate_jobs job JOIN procrastinate_events event"
        " ON event.job_id = job.id AND event.type IN ('deferred', 'deferred_for_retry')"
        " WHERE job.status = 'todo' AND coalesce(job.scheduled_at, now()) <= now()",
        [],
    )
    oldest = waiting["seconds"] if waiting else 0.0
    return Readiness(
        checks={
            "database": "ok",
            "migrations": f"{behind} accounts behind; run migrate_accounts" if behind else "ok",
            "queue": "ok" if oldest <= QUEUE_AGE_LIMIT else f"the oldest job waits {oldest:.0f} s",
        },
        accounts={row["state"]: row["count"] for row in accounts},
        jobs={row["status"]: row["count"] for row in jobs},
        oldest_waiting_seconds=oldest,
    )


def _has_migrations() -> bool:
    found = tenancy.fetch_row("SELECT to_regclass('public.django_migrations') AS name", [])
    return found is not None and found["name"] is not None


@cache
def _public_heads() -> frozenset[tuple[str, str]]:
    labels = set(account_labels())
    leaves = MigrationLoader(None, ignore_no_migrations=True).graph.leaf_nodes()
    return frozenset(node for node in leaves if node[0] not in labels)
