"""Addresses inside an account, behind /a/<account>/."""

from __future__ import annotations

from django.urls import include, path

from config.frame import account_home

urlpatterns = [
    path("", account_home, name="account_home"),
    path("", include("memory.urls")),
    path("", include("sessions_app.urls")),
    path("", include("accounts.principals.urls")),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
