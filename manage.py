#!/usr/bin/env python
"""Bailiwick's command line for operators: `manage.py help` lists the commands."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line
from django.db.utils import OperationalError


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        first = str(error).strip().splitlines()[0]
        sys.stderr.write(
            f"bailiwick: the database does not answer ({first}). "
            "Start it with `make run`, or check DATABASE_URL.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
