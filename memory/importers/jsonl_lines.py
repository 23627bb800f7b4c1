"""Lines of a JSONL conversation, and the message in each. Nothing is held but one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeAlias

from pydantic_core import from_json

from memory.importers.values import shown

if TYPE_CHECKING:
    import hashlib
    from collections.abc import Iterator

    from memory.importers.values import Cleaner

MAX_LINE = 32 * 1024 * 1024  # bytes; a line over that is not taken in
MAX_DIGITS = 300
ROLES = ("user", "assistant", "system", "tool")
_BOM = b"\xef\xbb\xbf"
_CHUNK = 1024 * 1024
Said: TypeAlias = tuple[str, list[dict[str, Any]]]  # role and parts


class Fault(NamedTuple):
    """Why a line is no message, as a sentence."""

    what: str


def lines(file: BinaryIO, length: int, digest: hashlib._Hash) -> Iterator[bytes | None]:
    """Each line of the first `length` bytes, without its ending; None for one that is too long.

    Every byte goes into the digest, in order.
    """
    left, first = length, True
    while left > 0 and (line := file.readline(min(MAX_LINE + 1, left))):
        digest.update(line)
        left -= len(line)
        if len(line) > MAX_LINE:
            left = _skip(file, line, left, digest)
            yield None
        else:
            yield line.removeprefix(_BOM) if first else line
        first = False


def is_blank(line: bytes | None) -> bool:
    """Whether there is nothing on the line."""
    return line is not None and not line.strip()


def message_of(line: bytes | None, cleaner: Cleaner) -> Said | Fault:
    """The message on a line; what of it had to be changed is with the cleaner."""
    if line is None:
        return Fault(f"The line is longer than {MAX_LINE // 1024 // 1024} MB.")
    try:
        value = _parsed(line)
    except ValueError:
        return Fault("The line is no JSON.")
    except RecursionError:
        return Fault("The line is nested too deeply.")
    return _said(value, cleaner)


def _said(value: Any, cleaner: Cleaner) -> Said | Fault:
    if not isinstance(value, dict):
        return Fault("The line is no message.")
    role, content = value.get("role"), value.get("content")
    if role not in ROLES:
        return Fault(f"The message has no role that is known: {shown(role)}.")
    if isinstance(content, str):
        return role, [{"type": "text", "text": cleaner.text(content)}]
    # Cleaned first: what only then reads as a part must have the shape of one, too.
    parts = cleaner.json(content) if isinstance(content, list) else None
    if not _are_parts(parts):
        return Fault("The content is neither text nor a list of parts.")
    return role, parts or [{"type": "text", "text": ""}]


def _parsed(line: bytes) -> Any:
    """JSON, leniently: broken characters are left to the cleaner.

    Raises:
        ValueError: it is none. RecursionError: it is nested too deeply.
    """
    try:
        return from_json(line, allow_inf_nan=False)  # ten times as fast as json
    except ValueError:
        text = line.decode("utf-8", "surrogateescape")
        return json.loads(text, parse_int=_integer, parse_constant=_refused)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= MAX_DIGITS else digits


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is no JSON.")


def _are_parts(content: Any) -> bool:
    return isinstance(content, list) and all(
        isinstance(part, dict)
        and isinstance(part.get("type"), str)
        and (part["type"] != "text" or isinstance(part.get("text"), str))
        for part in content
    )


def _skip(file: BinaryIO, line: bytes, left: int, digest: hashlib._Hash) -> int:
    """Read on to the end of the line; gives how many bytes are left after it."""
    while not line.endswith(b"\n") and left > 0 and (line := file.readline(min(_CHUNK, left))):
        digest.update(line)
        left -= len(line)
    return left
