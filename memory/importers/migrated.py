"""Files that are in: renamed `{name}.jsonl.migrated`, and back. Nothing is ever overwritten."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from memory.importers import readonly
from memory.importers.plain import UnreadableSource

if TYPE_CHECKING:
    from pathlib import Path

ENDING = ".migrated"


def aside(path: Path) -> Path:
    """Where a file is put once it is in."""
    return path.with_name(path.name + ENDING)


def put_aside(path: Path, sha256: str) -> str | None:
    """Rename the file, if it holds what was read; else why it stays, as a sentence."""
    to = aside(path)
    if not path.exists() and to.exists():
        return None  # an earlier run came as far as this
    return _moved(path, to, sha256)


def bring_back(path: Path, sha256: str) -> str | None:
    """Undo put_aside for the file of that name; else why not, as a sentence.

    Args:
        sha256: of what must be in it; empty: whatever is there.
    """
    if path.exists() and not aside(path).exists():
        return None
    return _moved(aside(path), path, sha256)


def ours(folder: Path, only: str | None) -> dict[str, str]:
    """Names of the files put aside there, without those that the source itself moved into its
    database, and calls `.migrated` just the same."""
    names = [
        one.name.removesuffix(ENDING)
        for one in folder.glob(f"*.jsonl{ENDING}")
        if only is None or one.name == only + ENDING
    ]
    theirs = _moved_by_the_source(folder) if names else set()
    return {one: "" for one in sorted(names) if one.removesuffix(".jsonl") not in theirs}


def sha256_of(path: Path) -> str:
    """Of a whole file, in constant memory. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _moved(path: Path, to: Path, sha256: str) -> str | None:
    try:
        before = path.stat()
        if sha256 and sha256_of(path) != sha256:
            return f"It has changed since it was read; it keeps its name, {path.name}."
        _rename(path, to)
        after = to.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            _rename(to, path)  # somebody wrote to it in between
            return f"It has changed since it was read; it keeps its name, {path.name}."
    except FileExistsError:
        return f"{to.name} is there already; {path.name} keeps its name."
    except OSError as error:
        return f"It cannot be renamed: {error.strerror}."
    return None


def _rename(path: Path, to: Path) -> None:
    """A rename that never replaces: by a second name, as rename() itself would.

    Raises:
        FileExistsError: something has that name. OSError: it cannot be done.
    """
    try:
        os.link(path, to, follow_symlinks=False)
    except FileExistsError:
        if not path.samefile(to):  # else a crash came between the two steps
            raise
    except OSError:  # file systems without second names
        if to.exists():
            raise FileExistsError from None
        path.rename(to)
        return
    path.unlink()


def _moved_by_the_source(folder: Path) -> set[str]:
    """Keys that the database beside the files holds."""
    file = folder / "sessions.db"
    if not file.is_file():
        return set()
    try:
        with closing(readonly.opened(file)) as database:
            tables = ("jsonl_import_receipts", "session_metadata", "sessions")
            found = set()
            for table in tables:
                if "session_key" in readonly.columns(database, table):
                    rows = database.execute(f"SELECT DISTINCT session_key FROM {table}")  # noqa: S608 - a constant
                    found |= {str(key) for (key,) in rows}
            return found
    except (sqlite3.Error, UnreadableSource):
        return set()
