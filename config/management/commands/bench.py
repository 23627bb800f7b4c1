from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = "Measure Bailiwick on a throw-away database, against floors (see bench/README.md)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="+", metavar="NAME", help="for instance: append")
        parser.add_argument("--quick", action="store_true", help="about 40 s a name")
        parser.add_argument("--sizes", help="numbers of accounts, for instance 10,100")

    def handle(self, *_args: Any, names: list[str], **options: Any) -> None:
        """Become `python -m bench`: it has settings of its own, and these are read already."""
        command = [sys.executable, "-m", "bench", *names]
        if options["quick"]:
            command.append("--quick")
        if options["sizes"]:
            command.append(f"--sizes={options['sizes']}")
        os.chdir(settings.BASE_DIR)
        os.execv(sys.executable, command)  # noqa: S606 - our own command
