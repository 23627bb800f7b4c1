"""Pages about what was said, below /a/<account>/."""

from __future__ import annotations

from django.urls import path

from sessions_app.views import jobs, overview, sessions

urlpatterns = [
    path("overview", overview.overview, name="overview"),
    path("sessions", sessions.session_list, name="session_list"),
    path("sessions/<str:session_id>", sessions.session_detail, name="session_detail"),
    path(
        "sessions/<str:session_id>/messages/<int:seq>",
        sessions.message_detail,
        name="message_detail",
    ),
    path("jobs", jobs.job_list, name="job_list"),
]
