from __future__ import annotations

from django.urls import path

from accounts.principals import views

urlpatterns = [
    path("", views.policy, name="policy"),
]
