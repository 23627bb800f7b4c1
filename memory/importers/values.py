"""Values of a foreign store, made fit to be kept: text, JSON, times. Nothing here raises."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from memory.importers.plain import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Deeper than anything that a tool is asked or answers; what reads JSON later gives up at about 500.
MAX_DEPTH = 64
MAX_JSON = 32 * 1024 * 1024
MAX_TOLD = 10_000
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NUMBER = re.compile(r"-?\d{9,20}(\.\d{1,20})?")
_A_DAY = timedelta(days=1)
# Seconds reach this in the year 5138, milliseconds in March 1973.
_MILLISECONDS_FROM = 100_000_000_000


class Problems:
    """What could not be read so far, each thing once however often it was come across.

    Of more than MAX_TOLD things the others are only counted.
    """

    def __init__(self) -> None:
        self._told: dict[Problem, None] = {}
        self._further: set[int] = set()
        self._further_lost = 0

    def add(self, where: str, what: str, lost: int = 0) -> None:
        problem = Problem(where, what, lost)
        if problem in self._told:
            return
        if len(self._told) < MAX_TOLD:
            self._told[problem] = None
        elif (seen := hash(problem)) not in self._further:
            self._further.add(seen)
            self._further_lost += lost

    def all(self) -> list[Problem]:
        rest = f"{len(self._further):,} more problems."
        further = [Problem("", rest, self._further_lost)] if self._further else []
        return [*self._told, *further]


@dataclass(slots=True)
class Cleaner:
    """Makes the values of one session or row fit, and remembers what it changed."""

    _changed: dict[str, None] = field(default_factory=dict)

    def remarks(self) -> list[str]:
        """What was changed, a sentence each."""
        return list(self._changed)

    def remark(self, sentence: str) -> None:
        """Remember something else to say about it."""
        self._changed[sentence] = None

    def text(self, value: str) -> str:
        """The text without NUL characters, and with U+FFFD for what is no character."""
        if _UNFIT.search(value) is None:
            return value
        if "\0" in value:
            self.remark("NUL characters were taken out of its texts.")
            value = value.replace("\0", "")
        if _SURROGATE.search(value):
            self.remark("Broken characters in its texts were replaced.")
            value = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value)
        return value

    def words(self, value: object) -> str:
        """A text from a text, bytes or a number; empty for anything else."""
        if isinstance(value, bytes):
            value = value.decode("utf-8", "surrogateescape")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        return self.text(value) if isinstance(value, str) else ""

    def json(self, value: Any, depth: int = 0) -> Any:
        """The value as JSON: bytes as base64, numbers that are none as text, depth bounded."""
        if not isinstance(value, dict | list | tuple):
            return self._single(value)
        if depth >= MAX_DEPTH:
            self.remark(f"Values nested deeper than {MAX_DEPTH} levels were left out.")
            return None
        if isinstance(value, dict):
            return {self.text(str(k)): self.json(v, depth + 1) for k, v in value.items()}
        return [self.json(one, depth + 1) for one in value]

    def _single(self, value: Any) -> Any:
        if value is None or isinstance(value, int):
            return value
        if isinstance(value, bytes | bytearray):
            return base64.b64encode(value).decode()
        if isinstance(value, float) and math.isfinite(value):
            return value
        return self.text(str(value))

    def time(self, value: object, what: str, *, ahead: bool = False) -> datetime | None:
        """A time, or None; one that cannot be used is remarked on.

        Args:
            what: names it in the remark. ahead: it may lie in the future.
        """
        if value is None or value in ("", b""):
            return None
        found = moment(value)
        if found is not None and not ahead and found > datetime.now(UTC) + _A_DAY:
            found = None
        if found is None:
            self.remark(f"{what} is no time that can be used: {shown(value)}.")
        return found


def moment(value: object) -> datetime | None:
    """A time with a zone from ISO 8601 (UTC where it names none) or seconds or milliseconds since
    1970; None for anything else, and before 1970."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    try:
        found = _from_text(value.strip()) if isinstance(value, str) else _from_number(value)
        found = None if found is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found is not None and found.year >= 1970 else None


def parsed(value: object) -> tuple[bool, Any]:
    """Whether a column holds JSON that can be read, and what it says."""
    if not isinstance(value, str | bytes) or len(value) > MAX_JSON:
        return False, None
    try:
        if isinstance(value, bytes):
            value = value.decode("utf-8", "surrogateescape")
        return True, json.loads(value)
    except (ValueError, RecursionError):
        return False, None


def short(text: str, length: int) -> str:
    """The text within a length; of two that differ, what is left differs, too."""
    if len(text) <= length:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{text[: length - 9]}~{digest}"


def shown(value: object) -> str:
    """A value in a sentence: short, on one line, without what cannot be printed."""
    if isinstance(value, str | bytes) and len(value) > 60:
        return f"{shown(value[:60])}…"
    return value if isinstance(value, str) and value.isprintable() else ascii(value)


def listed(counts: dict[str, int], name: Callable[[str], str] = shown) -> str:
    """ "robot, narrator and 3 more"."""
    names = [name(one) for one in counts]
    return (
        ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"
    )


def once(values: Iterator[str], limit: int) -> tuple[str, ...]:
    """The first so many different ones that are not blank, in order."""
    found: dict[str, None] = {}
    for value in values:
        line = " ".join(value.split())
        if line:
            found[line] = None
        if len(found) == limit:
            break
    return tuple(found)


def _from_text(text: str) -> datetime | None:
    if _NUMBER.fullmatch(text):
        return _from_number(float(text))
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _from_number(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if value >= _MILLISECONDS_FROM:
        # In whole microseconds: a float of milliseconds divided by 1000 misses the last digits.
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)
