"""Secrets in what is remembered: where they stand, and the text without them.

Formats of providers are found by Kingfisher's catalogue, offline; what people say of passwords and
cards, and our own keys, by `secret_patterns`. Why, and at which price: docs/adr/0010.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from kingfisher_sdk import Rules, Scanner

from memory import secret_patterns

# Redacting can bring to light what was covered before, such as a password that a token stood in.
# Each round takes words away, so that few are needed; this many end what a hostile text might do.
ROUNDS = 8

# The first of these in a rule's id decides what its finds are called.
_KINDS = (
    ("aws", "AWS key"),
    ("password", "password"),
    ("jwt", "token"),
    ("token", "token"),
    ("-pat", "token"),
    ("oauth", "token"),
    ("webhook", "token"),
    ("key", "API key"),
)

_SPACED = bytes(0x20 if byte >= 0x80 or byte in b"()[]{}<>,;!?*|" else byte for byte in range(256))
_CONTINUATION = bytes(range(0x80, 0xC0))  # of a character in UTF-8, after its first byte
_KEY_BEGINS = b"-----BEGIN"
_SENTENCE_END = re.compile(rb"[.:](?=[.:\s]|$)")


@dataclass(frozen=True, slots=True)
class Found:
    """A secret: `text[start:end]`, counted in characters, and a plain word for what it is."""

    kind: str
    start: int
    end: int


class _Catalogue:
    """The compiled rules, once in a process: 4 s of processor time, or 0.4 s from the disk cache.

    Scanning keeps no state and lets other threads run; only the making is guarded.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scanner: Scanner | None = None

    def scanner(self) -> Scanner:
        with self._lock:
            if self._scanner is None:
                self._scanner = Scanner(Rules(), base64=False)
            return self._scanner


_catalogue = _Catalogue()


def warm() -> None:
    """Compile the rules now, so that the first request of a process need not wait for them."""
    _catalogue.scanner()


def find(text: str) -> list[Found]:
    """The secrets in the text, in its order, none overlapping another."""
    # What says most comes first: of two that overlap, the first gives the kind.
    ranked = [*secret_patterns.exact(text), *_of_catalogue(text), *secret_patterns.said(text)]
    spans = sorted(
        (start, end, rank, kind) for rank, (kind, start, end) in enumerate(ranked) if start < end
    )
    merged: list[tuple[int, int, int, str]] = []
    for start, end, rank, kind in spans:
        if merged and start < merged[-1][1]:
            first, last, best, name = merged.pop()
            if rank < best:
                best, name = rank, kind
            merged.append((first, max(last, end), best, name))
        else:
            merged.append((start, end, rank, kind))
    return [Found(kind, start, end) for start, end, _rank, kind in merged]


def redacted(text: str) -> tuple[str, int]:
    """The text with `[redacted: card number]` for each secret, and how many there were."""
    count = 0
    for _round in range(ROUNDS):
        secrets = find(text)
        if not secrets:
            break
        count += len(secrets)
        text = "".join(_pieces(text, secrets))
    return text, count


def _pieces(text: str, secrets: list[Found]) -> Iterator[str]:
    done = 0
    for secret in secrets:
        yield text[done : secret.start]
        yield f"[redacted: {secret.kind}]"
        done = secret.end
    yield text[done:]


def _of_catalogue(text: str) -> Iterator[secret_patterns.Span]:
    # Many NULs would be taken for UTF-16. A lone surrogate, which JSON can bring, has no UTF-8.
    data = text.replace("\0", " ").encode(errors="replace")
    # Private keys are found by our own pattern, also cut off. The catalogue's takes seconds for a
    # text that begins thousands of them.
    data = data.replace(_KEY_BEGINS, b" " * len(_KEY_BEGINS))
    scanner = _catalogue.scanner()
    reported = sorted(
        {
            (where["start_offset"], where["end_offset"], _kind(finding.rule_id))
            for finding in (*scanner.scan(data), *scanner.scan(_set_apart(data)))
            # What is not visible only helps to check another find: the id of a client, an address.
            if finding.visible and (where := finding.location)
        }
    )
    # Offsets count bytes. One pass over the text, however many there are.
    byte, character = 0, 0
    for start, end, kind in reported:
        character += _characters(data[byte:start])
        byte = start
        yield kind, character, character + _characters(data[start:end])


def _characters(data: bytes) -> int:
    """How many begin in these bytes, which may begin or end within one."""
    return len(data.translate(None, _CONTINUATION))


def _set_apart(data: bytes) -> bytes:
    """The same length with spaces for what stands around words in prose.

    The catalogue is made for code: many of its rules want a space, a quote or the end behind a
    token, and do not find one before a full stop, in brackets or between Chinese characters.
    """
    return _SENTENCE_END.sub(b" ", data.translate(_SPACED))


def _kind(rule_id: str) -> str:
    return next((kind for part, kind in _KINDS if part in rule_id), "secret")
