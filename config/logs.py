"""Our own log lines: the route's pattern and ids of rows, never path ids, queries or words."""

from __future__ import annotations

from typing import Any


def logging_settings() -> dict[str, Any]:
    """Everything to standard error, one line a record; libraries only from WARNING on."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "line"},
            "none": {"class": "logging.NullHandler"},
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "bailiwick": {"level": "INFO"},
            # Django's own request log names paths, which hold session ids; ours does not.
            "django.request": {"handlers": ["none"], "propagate": False},
            "django.security": {"level": "ERROR"},
            "django.security.DisallowedHost": {"handlers": ["none"], "propagate": False},
        },
    }
