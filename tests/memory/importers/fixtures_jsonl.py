"""Writes folders of format A as the programs that use it do."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

WRITTEN_AT = datetime(2024, 5, 17, 6, 45, 12, tzinfo=UTC)


def line(role: object, content: object, **extra: object) -> bytes:
    return json.dumps({"role": role, "content": content, **extra}, ensure_ascii=False).encode()


def write(workspace: Path, name: str, *lines: bytes, ending: bytes = b"\n") -> Path:
    """`{workspace}/sessions/{name}.jsonl` of these lines, last changed at WRITTEN_AT."""
    folder = workspace / "sessions"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.jsonl"
    path.write_bytes(b"".join(one + ending for one in lines))
    return dated(path)


def dated(path: Path, at: datetime = WRITTEN_AT) -> Path:
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes, but for SQLite's index of a log, which is scratch
    paper of those who have the file open."""
    return {
        str(one.relative_to(folder)): one.read_bytes()
        for one in sorted(folder.rglob("*"))
        if one.is_file() and not one.name.endswith("-shm")
    }


def texts(source, session) -> list[tuple[str, str]]:
    """(role, text) of its messages."""
    return [(one.role, one.parts[0]["text"]) for one in source.messages(session)]


def read(source) -> dict[str, list[tuple[str, str]]]:
    return {one.key: texts(source, one) for one in source.sessions()}


def told(source) -> list[tuple[str, str, int]]:
    return [(one.where, one.what, one.lost) for one in source.problems()]
