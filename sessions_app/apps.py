from __future__ import annotations

from django.apps import AppConfig


class SessionsAppConfig(AppConfig):
    name = "sessions_app"
    label = "agent_sessions"  # Django owns the label `sessions`

    def ready(self) -> None:
        from accounts.principals.usage import provide  # noqa: PLC0415 - models are loaded by now
        from sessions_app.usage import SessionUsage  # noqa: PLC0415

        provide(SessionUsage())
