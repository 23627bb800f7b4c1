"""Sign-in, sign-out and the way to one's accounts."""

from __future__ import annotations

from django.urls import path

from accounts import views

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in", views.sign_in, name="account_login"),
    path("sign-in/inactive", views.inactive, name="account_inactive"),
    path("sign-out", views.sign_out, name="account_logout"),
    path("theme", views.choose_theme, name="theme"),
]
