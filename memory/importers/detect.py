"""From a format's name and a path to the source; `auto` looks at what lies there."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from memory.importers import readonly
from memory.importers.jsonl import JsonlSource
from memory.importers.openfang import OpenfangSource
from memory.importers.plain import UnreadableSource
from memory.importers.sqlite import SqliteSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from memory.importers.plain import Source

FORMATS: dict[str, Callable[[Path], Source]] = {
    "jsonl": JsonlSource,
    "sqlite": SqliteSource,
    "openfang": OpenfangSource,
}
AUTO = "auto"


def open_source(name: str, path: Path) -> Source:
    """The source of that format at that path.

    Raises:
        UnreadableSource: no such format or path, or `auto` finds nothing that it knows.
    """
    if name == AUTO:
        if not path.exists():
            raise UnreadableSource(f"{path} is not there.")
        name, path = detected(path)
    if name not in FORMATS:
        raise UnreadableSource(f"{name} is no format; there are {', '.join([AUTO, *FORMATS])}.")
    return FORMATS[name](path)


def detected(path: Path) -> tuple[str, Path]:
    """The format of what lies at the path, by its files and tables, and what to open.

    Raises:
        UnreadableSource: none of those that are known.
    """
    for file in _databases(path):
        tables = _tables(file, asked=file == path)
        if {"agents", "sessions"} <= tables:
            return "openfang", file
        if tables & {"sessions", "session_metadata", "memories"}:
            usual = file.name in ("sessions.db", "brain.db") and path.is_dir()
            return "sqlite", path if usual else file
    folders = (path, path / "sessions") if path.is_dir() else ()
    if path.suffix == ".jsonl" or any(any(one.glob("*.jsonl")) for one in folders):
        return "jsonl", path
    raise UnreadableSource(
        f"{path.name} is none of the known stores: a folder with sessions/*.jsonl, sessions.db,"
        " or openfang.db."
    )


def _databases(path: Path) -> list[Path]:
    """What may be a database there, the usual names first."""
    if path.is_file():
        return [path]
    usual = ("openfang.db", "sessions/sessions.db", "sessions.db", "memory/brain.db", "brain.db")
    others = [file for pattern in ("*.db", "*.sqlite", "*.sqlite3") for file in path.glob(pattern)]
    return [*(path / name for name in usual), *sorted(others)[:20]]


def _tables(file: Path, *, asked: bool) -> set[str]:
    """Names of its tables; none of what is no database, unless just that file was asked for."""
    if not file.is_file():
        return set()
    try:
        with closing(readonly.opened(file)) as database:
            rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return {str(name) for (name,) in rows}
    except UnreadableSource:
        if asked and file.suffix != ".jsonl":
            raise
    except readonly.FAULTS:
        pass
    return set()
