"""Pages about what was said, below /a/<account>/."""

from __future__ import annotations

from django.urls import path

from sessions_app.views import changes, jobs, overview, sessions

SESSION = "sessions/<str:session_id>"

urlpatterns = [
    path("overview", overview.overview, name="overview"),
    path("sessions", sessions.session_list, name="session_list"),
    path(SESSION, sessions.session_detail, name="session_detail"),
    path(f"{SESSION}/messages/<int:seq>", sessions.message_detail, name="message_detail"),
    path(f"{SESSION}/title", changes.session_title, name="session_title"),
    path(f"{SESSION}/state", changes.session_state, name="session_state"),
    path(f"{SESSION}/memory", changes.session_memory, name="session_memory"),
    path(f"{SESSION}/commit", changes.session_commit, name="session_commit"),
    path(f"{SESSION}/delete", changes.session_delete, name="session_delete"),
    path("jobs", jobs.job_list, name="job_list"),
    path("jobs/retry", jobs.jobs_retry, name="jobs_retry"),
    path("jobs/<str:task_id>/retry", jobs.job_retry, name="job_retry"),
    path("jobs/<str:task_id>/skip", jobs.job_skip, name="job_skip"),
    path("jobs/<str:task_id>/cancel", jobs.job_cancel, name="job_cancel"),
]
