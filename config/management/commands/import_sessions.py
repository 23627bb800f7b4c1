from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from accounts import tenancy
from accounts.errors import DomainError
from accounts.principals.authentication import actor_of_operator
from memory.importers.detect import AUTO, FORMATS, open_source
from memory.importers.plain import UnreadableSource
from memory.services.imports import import_create, import_rollback, import_run

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from accounts.actor import Actor
    from memory.importers.plain import Source
    from memory.models import Import
    from memory.services.imports import Report

SHOWN_PROBLEMS = 50


class Command(BaseCommand):
    help = (
        "Bring in the sessions and memories of an existing installation. Exit status 0: all of it"
        " is in; 1: something was left out, and the summary says what; 2: wrong usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("format", choices=[AUTO, *FORMATS], nargs="?", default=AUTO)
        parser.add_argument("path", nargs="?", type=Path, help="the folder or file to read")
        parser.add_argument("--account", required=True, help="account_id to bring it into")
        parser.add_argument("--user", default="", help="owner of what names no user (default)")
        parser.add_argument("--agent", default="", help="agent of what names none (default)")
        parser.add_argument(
            "--dry-run", action="store_true", help="count and report; write nothing"
        )
        parser.add_argument(
            "--rollback", type=UUID, metavar="RECEIPT", help="take an import out again"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        ref = tenancy.find(options["account"], fresh=True)
        if ref is None:
            raise CommandError(f"There is no account {options['account']}.", returncode=2)
        if options["path"] is None and options["rollback"] is None:
            raise CommandError("Say what to read: FORMAT PATH.", returncode=2)
        with tenancy.account(ref):
            try:
                actor = actor_of_operator(ref)
                if options["rollback"]:
                    self._roll_back(actor, options)
                else:
                    whole = self._bring_in(actor, options)
                    if not whole:
                        sys.exit(1)
            except (DomainError, UnreadableSource) as error:
                raise CommandError(str(error), returncode=2) from None

    def _bring_in(self, actor: Actor, options: dict[str, Any]) -> bool:
        source = open_source(options["format"], options["path"])
        run = import_create(
            actor=actor,
            format=source.format,
            source=str(options["path"].absolute()),
            user_id=options["user"],
            agent_id=options["agent"],
            dry_run=options["dry_run"],
        )
        report = self._run(actor, run, source)
        self._tell(run, report)
        return report.whole

    def _run(self, actor: Actor, run: Import, source: Source) -> Report:
        console = Console(file=sys.stderr)
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        ) as bar:
            task = bar.add_task("sessions", total=None)
            return import_run(
                actor=actor,
                run=run,
                source=source,
                progress=lambda done, total, what: bar.update(
                    task, completed=done, total=total, description=what
                ),
            )

    def _tell(self, run: Import, report: Report) -> None:
        verb = "Would bring in" if run.dry_run else "Brought in"
        self.stdout.write(f"{verb}: {run.format} {run.source}")
        table = Table("", "count")
        for name in ("sessions", "messages", "memories", "extractions", "known"):
            table.add_row("in already" if name == "known" else name, f"{getattr(report, name):,}")
        table.add_row("problems", f"{report.problem_count:,}")
        Console(file=self.stdout).print(table)  # type: ignore[arg-type]
        for note in report.notes:
            self.stdout.write(f"Note: {note}")
        for problem in report.problems[:SHOWN_PROBLEMS]:
            self.stdout.write(f"{problem.where}: {problem.what}")
        if report.problem_count > SHOWN_PROBLEMS:
            self.stdout.write(f"… and {report.problem_count - SHOWN_PROBLEMS:,} more.")
        if not run.dry_run:
            self.stdout.write(f"Receipt {run.pk}: --rollback {run.pk} takes it out again.")

    def _roll_back(self, actor: Actor, options: dict[str, Any]) -> None:
        done = import_rollback(actor=actor, run_id=options["rollback"])
        run, path = done.run, options["path"] or Path(done.run.source)
        try:
            source = open_source(run.format, path)
        except UnreadableSource:  # elsewhere by now: nothing there to rename back
            self.stdout.write(f"{path} is not there any more; nothing was renamed back.")
        else:
            source.brought_back(done.files)
            for problem in source.problems():
                self.stdout.write(f"{problem.where}: {problem.what}")
        self.stdout.write(f"The import {run.pk} of {run.source} is taken out.")
