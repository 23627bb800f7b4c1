"""Addresses inside an account, behind /a/<account>/."""

from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="session_list"), name="account_home"),
    path("sessions", include("sessions_app.urls")),
    path("policy", include("accounts.principals.urls")),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
