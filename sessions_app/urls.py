from __future__ import annotations

from django.urls import path

from sessions_app import views

urlpatterns = [
    path("", views.session_list, name="session_list"),
    path("/<str:session_id>", views.session_detail, name="session_detail"),
    path("/<str:session_id>/messages/<int:seq>", views.message_detail, name="message_detail"),
]
