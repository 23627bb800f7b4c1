from __future__ import annotations

from django.apps import AppConfig


class MemoryConfig(AppConfig):
    name = "memory"

    def ready(self) -> None:
        from accounts.principals import keeping  # noqa: PLC0415 - models are loaded by now
        from memory.answers import MemoryAnswers  # noqa: PLC0415
        from sessions_app import ports  # noqa: PLC0415

        answers = MemoryAnswers()
        keeping.provide(answers)
        ports.provide(answers)
