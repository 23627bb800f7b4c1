"""A typical small change: one nullable column on a table of sessions_app. Costs no rewrite."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models


class AddForeignField(migrations.AddField):
    """AddField on another app's model; that app's own migrations stay as they are."""

    def state_forwards(self, _app_label: str, state: Any) -> None:
        super().state_forwards("agent_sessions", state)

    def database_forwards(self, _app_label: str, *arguments: Any) -> None:
        super().database_forwards("agent_sessions", *arguments)


class Migration(migrations.Migration):
    dependencies = [("agent_sessions", "__first__")]
    operations = [AddForeignField("session", "bench_note", models.TextField(null=True))]
