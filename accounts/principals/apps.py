from __future__ import annotations

from django.apps import AppConfig


class PrincipalsConfig(AppConfig):
    name = "accounts.principals"
    label = "principals"
