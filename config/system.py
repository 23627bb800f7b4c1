"""Open routes: health, readiness, metrics, system status."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from ninja import Router, Schema
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from accounts import keys
from accounts.errors import DomainError, Unauthenticated, Unimplemented
from accounts.http.envelope import Envelope, error_response, ok
from accounts.principals.auth import credential
from config.health import Readiness, readiness

router = Router(tags=["system"])


class StatusOut(Schema):
    initialized: bool
    version: str
    auth_mode: str


@router.get("/status", response=Envelope[StatusOut])
def system_status(request: HttpRequest) -> Any:
    """Whether the installation is ready to serve, and which version it runs. Needs no key."""
    return ok(
        request,
        StatusOut(
            initialized=readiness().ready, version=settings.VERSION, auth_mode=settings.AUTH_MODE
        ),
    )


@router.post("/wait", response=Envelope[None])
def system_wait(request: HttpRequest) -> Any:
    """Not offered: poll tasks instead."""
    del request
    raise Unimplemented("Waiting for all work is not offered; poll the task instead.")


@require_safe
def health(_request: HttpRequest) -> JsonResponse:
    """Whether this process answers; asks nothing of the database."""
    return JsonResponse({"status": "ok", "healthy": True, "version": settings.VERSION})


@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """Whether it can serve: 200, or 503 with what is missing."""
    found = readiness()
    return JsonResponse(
        {"status": "ok" if found.ready else "unavailable", "checks": found.checks},
        status=200 if found.ready else 503,
    )


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text for an operator. Needs the root key."""
    try:
        if not keys.is_root_key(credential(request)):
            raise Unauthenticated("The root key is needed.")
    except DomainError as error:
        return error_response(request, error)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(readiness()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Collector:
    """Read from the database at each scrape, so that all processes tell the same."""

    def __init__(self, found: Readiness) -> None:
        self.found = found

    def collect(self) -> Any:
        yield GaugeMetricFamily("bailiwick_ready", "1 when it can serve.", int(self.found.ready))
        accounts = GaugeMetricFamily("bailiwick_accounts", "Accounts by state.", labels=["state"])
        for state, count in sorted(self.found.accounts.items()):
            accounts.add_metric([state], count)
        yield accounts
        jobs = GaugeMetricFamily("bailiwick_jobs", "Jobs by status.", labels=["status"])
        for status, count in sorted(self.found.jobs.items()):
            jobs.add_metric([status], count)
        yield jobs
        yield GaugeMetricFamily(
            "bailiwick_oldest_waiting_job_seconds",
            "Age of the oldest job that is due and waits.",
            self.found.oldest_waiting_seconds,
        )
