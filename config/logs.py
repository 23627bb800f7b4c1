"""Our own log lines: the route's pattern and ids of rows, never path ids, queries or words."""

from __future__ import annotations

import logging
from typing import Any


class NoValues(logging.Filter):
    """Leaves out tracebacks: a database error's text holds values of the row, people's words."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        return True


def logging_settings() -> dict[str, Any]:
    """Everything to standard error, one line a record; libraries only from WARNING on."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
        },
        "handlers": {
            "jobs": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": ["no_values"],
            },
            "stderr": {"class": "logging.StreamHandler", "formatter": "line"},
            "none": {"class": "logging.NullHandler"},
        },
        "filters": {"no_values": {"()": "config.logs.NoValues"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "bailiwick": {"level": "INFO"},
            "procrastinate": {"handlers": ["jobs"], "level": "WARNING", "propagate": False},
            # Django's own request log names paths, which hold session ids; ours does not.
            "django.request": {"handlers": ["none"], "propagate": False},
            "django.security": {"level": "ERROR"},
            "django.security.DisallowedHost": {"handlers": ["none"], "propagate": False},
        },
    }
