"""The health page of the operator console: what the installation is, and what it lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import tenancy
from accounts.principals.operator.gate import operators_only
from accounts.tasks import HEARTBEAT_SECONDS
from config.env import LOOPBACK
from config.health import QUEUE_AGE_LIMIT, Readiness, readiness

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.principals.operator.gate import OperatorRequest

# What of a database is here: its version, size and extension for vectors, and who works for it.
_DATABASE = """
    SELECT current_setting('server_version') AS version,
           pg_database_size(current_database()) AS bytes,
           (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS vector,
           EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') AS vector_offered,
           (SELECT count(*) FROM procrastinate_workers
            WHERE last_heartbeat > now() - make_interval(secs => %s)) AS workers,
           (SELECT count(*) FROM accounts_person WHERE is_operator AND is_active) AS operators
"""


@dataclass(frozen=True, slots=True)
class Concern:
    """What is amiss, and how it is cured."""

    what: str
    cure: str


@operators_only
@require_safe
def operator_health(request: OperatorRequest) -> HttpResponse:
    """Version, database, migrations, queue and settings; warnings first, each with its cure."""
    found, database = readiness(), _database()
    context = {
        "version": settings.VERSION,
        "database": database,
        "vector": _vector(database),
        "checks": found.checks,
        "accounts": found.accounts,
        "jobs": found.jobs,
        "oldest": round(found.oldest_waiting_seconds),
        "mail": settings.MAIL_ENABLED,
        "auth_mode": settings.AUTH_MODE,
        "https": settings.ENV.https,
        "hosts": settings.ALLOWED_HOSTS,
        "warnings": [*_of_the_work(found, database), *_of_the_settings(database)],
    }
    return render(request, "operator/health.html", context)


def _database() -> dict[str, Any]:
    return tenancy.fetch_row(_DATABASE, [HEARTBEAT_SECONDS]) or {}


def _vector(database: dict[str, Any]) -> str:
    if database["vector"]:
        return f"pgvector {database['vector']}"
    if database["vector_offered"]:
        return "pgvector can be made in this database, and is not"
    return "pgvector is not installed on the server"


def _of_the_work(found: Readiness, database: dict[str, Any]) -> list[Concern]:
    warnings = [
        Concern(f"Migrations: {found.checks['migrations']}.", "Run manage.py migrate_accounts.")
    ]
    if found.checks.get("migrations") == "ok":
        warnings.clear()
    if not database["workers"]:
        warnings.append(
            Concern(
                "No worker runs: jobs wait.",
                "Start one with manage.py worker; make run starts one by itself.",
            )
        )
    elif found.oldest_waiting_seconds > QUEUE_AGE_LIMIT:
        warnings.append(
            Concern(
                f"The oldest job waits for {found.oldest_waiting_seconds / 60:,.0f} minutes.",
                "Start another worker, or raise --concurrency of the one that runs.",
            )
        )
    if failed := found.jobs.get("failed", 0):
        warnings.append(
            Concern(
                f"{failed:,} job{'s' if failed > 1 else ''} failed.",
                "The pages of their accounts say which; the worker's log says why.",
            )
        )
    return warnings


def _of_the_settings(database: dict[str, Any]) -> list[Concern]:
    env = settings.ENV
    asked = (
        (
            not settings.MAIL_ENABLED,
            "No mail goes out: invitations and password links are copied by hand.",
            "Set BAILIWICK_SMTP_URL and BAILIWICK_MAIL_FROM.",
        ),
        (
            not env.https and env.host not in LOOPBACK,
            "Passwords and keys travel in clear: this server listens beyond its own machine.",
            "Put a proxy that ends TLS before it, and set BAILIWICK_HTTPS=1.",
        ),
        (
            settings.AUTH_MODE == "dev",
            "Mode dev asks nobody for a key.",
            "Set BAILIWICK_AUTH_MODE=api_key before anybody else uses it.",
        ),
        (env.debug, "BAILIWICK_DEBUG is on: error pages show the code.", "Set BAILIWICK_DEBUG=0."),
        (
            database["operators"] == 1,
            "You are the only operator: nobody else can help you back in.",
            "Make another person an operator on the page People.",
        ),
    )
    return [Concern(what, cure) for is_so, what, cure in asked if is_so]
