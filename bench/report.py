"""A bench's page: one table, its bars, and what it ran on. To the screen, a text file and JSON."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

from rich import box
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"
WIDTH = 110
Cell = float | str | None


class Worthless(Exception):
    """The run measured nothing that can be trusted; the message is one line that says why."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure must reach."""

    text: str
    value: float
    limit: float
    at_least: bool = False  # else: at most

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        met = "pass" if self.met else "MISS"
        return f"{met}  {shown(self.value)} {sign} {shown(self.limit)}  {self.text}"


@dataclass(slots=True)
class Report:
    """What a bench found.

    Attributes:
        columns: headings; the first ones are texts, the figures stand to the right.
        rows: cells as they were measured, None where there is nothing.
        sizes: how much was done: clients, rounds, seconds, accounts.
    """

    title: str
    columns: list[str]
    sizes: dict[str, Any]
    rows: list[list[Cell]] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def shown(cell: Cell) -> str:
    """Three significant digits; whole numbers from 100 on."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int):
        return f"{cell:,}"
    for limit, digits in ((99.95, 0), (9.995, 1), (0.9995, 2)):
        if abs(cell) >= limit:
            return f"{cell:,.{digits}f}"
    return f"{cell:.3f}"


def surroundings(server_version: str) -> dict[str, Any]:
    """Machine, versions and commit; nothing that names a host or a folder."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": {
            "cpu": _cpu_model(),
            "cores": os.cpu_count(),
            "memory_gb": round(_memory_bytes() / 2**30, 1),
            "load_before": round(os.getloadavg()[0], 2),
        },
        "versions": {
            "python": platform.python_version(),
            "django": version("django"),
            "postgresql": server_version,
            "granian": version("granian"),
            "psycopg": version("psycopg"),
        },
    }


def publish(name: str, report: Report, ran_on: dict[str, Any], *, keep: bool) -> None:
    """Print the page, and keep it in bench/results unless it was only a try."""
    screen = Console()
    _print(screen if screen.is_terminal else Console(width=WIDTH), report, ran_on)
    if not keep:
        return
    RESULTS.mkdir(exist_ok=True)
    data = {"name": name, **ran_on, **asdict(report)}
    data["bars"] = [{**asdict(bar), "met": bar.met} for bar in report.bars]
    rounded = json.loads(json.dumps(data), parse_float=lambda text: float(f"{float(text):.5g}"))
    with _replaced(f"{name}.json") as handle:
        handle.write(json.dumps(rounded, indent=1, ensure_ascii=False) + "\n")
    with _replaced(f"{name}.txt") as handle:
        _print(Console(file=handle, width=WIDTH), report, ran_on)


class _replaced:  # noqa: N801 - used as a function
    """A file that takes the old one's place only when it is whole."""

    def __init__(self, name: str) -> None:
        self.path = RESULTS / name
        self.draft = RESULTS / f"{name}.tmp"

    def __enter__(self) -> TextIO:
        self.handle = self.draft.open("w", encoding="utf-8")
        return self.handle

    def __exit__(self, kind: object, *_: object) -> None:
        self.handle.close()
        if kind is None:
            self.draft.replace(self.path)
        else:
            self.draft.unlink()


def _print(console: Console, report: Report, ran_on: dict[str, Any]) -> None:
    machine, versions = ran_on["machine"], ran_on["versions"]
    table = Table(title=report.title, title_justify="left", box=box.SIMPLE_HEAD)
    texts = max((_leading_texts(row) for row in report.rows), default=0)
    for number, column in enumerate(report.columns):
        table.add_column(column, justify="left" if number < texts else "right", no_wrap=True)
    for row in report.rows:
        table.add_row(*(shown(cell) for cell in row))
    console.print(table)
    for line in [*map(str, report.bars), "", *report.notes]:
        console.print(line, highlight=False, markup=False)
    sizes = ", ".join(f"{name} {value}" for name, value in report.sizes.items())
    console.print(
        f"{ran_on['date']}, commit {ran_on['commit']}. {sizes}.\n"
        f"{machine['cpu']}, {machine['cores']} cores shared by load, server and database, "
        f"{machine['memory_gb']} GB, load before {machine['load_before']}. "
        + ", ".join(f"{name} {value}" for name, value in versions.items())
        + ".",
        highlight=False,
        markup=False,
    )


def _leading_texts(row: list[Cell]) -> int:
    count = 0
    while count < len(row) and isinstance(row[count], str):
        count += 1
    return count


def _commit() -> str:
    """The commit, with `+` when the tree differs from it; empty outside a repository."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")
    except OSError:
        return ""


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
