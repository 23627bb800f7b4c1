"""Addresses outside accounts. Pages of an account are in account_urls.py, under /a/<account>/."""

from __future__ import annotations

from django.urls import include, path

from config.api import api
from config.installation import operator_health
from config.system import health, metrics, ready

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("accounts.principals.public_urls")),
    path("operator/health", operator_health, name="operator_health"),
    path("operator/", include("accounts.principals.operator.urls")),
    path("api/v1/", api.urls),
    path("health", health, name="health"),
    path("ready", ready, name="ready"),
    path("metrics", metrics, name="metrics"),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
