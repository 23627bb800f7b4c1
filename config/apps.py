from __future__ import annotations

from django.apps import AppConfig


class CompositionConfig(AppConfig):
    """Carries the management commands that need several apps at once; it has no models."""

    name = "config"
    label = "composition"
