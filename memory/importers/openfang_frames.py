"""MessagePack lists of messages, one message at a time, as far as they can be read.

A message is first skipped over, which allocates nothing whatever its headers promise, and only
decoded when it is whole: then no header in it can promise more than is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import msgpack

from memory.importers.readonly import FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 64 * 1024
# What broken bytes make of the unpacker; msgpack's own exceptions are not all ValueErrors.
_FAULTS = (msgpack.UnpackException, ValueError, TypeError, OverflowError, RecursionError)


class Readable(Protocol):
    """A stream of bytes that can go back."""

    def read(self, length: int = -1, /) -> bytes: ...

    def seek(self, offset: int, origin: int = 0, /) -> object: ...

    def tell(self) -> int: ...


@dataclass(slots=True)
class Frames:
    """The messages of one blob, each as its bytes.

    Attributes:
        fault: a sentence on why the rest cannot be read; empty: all of it was.
        lost: how many messages that rest should hold, as far as the blob says so.
    """

    stream: Readable
    size: int
    fault: str = ""
    lost: int = 0

    def __iter__(self) -> Iterator[bytes]:
        self.fault, self.lost = "", 0
        if not self.size:
            return
        self.stream.seek(0)
        unpacker = msgpack.Unpacker(
            self.stream, read_size=min(_CHUNK, self.size), max_buffer_size=self.size
        )
        try:
            count = unpacker.read_array_header()
        except (*_FAULTS, *FAULTS):
            self.fault = f"Its messages are no MessagePack list: {self.size:,} bytes are lost."
            return
        for given in range(count):
            start = unpacker.tell()
            try:
                unpacker.skip()
                frame = self._between(start, unpacker.tell())
            except (*_FAULTS, *FAULTS) as error:
                self._stopped(error, given, count, start)
                return
            yield frame
        if left := self.size - unpacker.tell():
            self.fault = f"{left:,} bytes after its last message belong to none and are left out."

    def _stopped(self, error: Exception, given: int, count: int, start: int) -> None:
        missing = count - given
        # A broken header promises anything; a blob was never shorter than its list is long.
        self.lost = missing if missing <= self.size else 1
        why = "is cut off" if isinstance(error, msgpack.OutOfData) else "is broken"
        self.fault = (
            f"Its list of messages {why} after message {given:,}:"
            f" {self.size - start:,} bytes are lost."
        )

    def _between(self, start: int, end: int) -> bytes:
        """What was skipped over; the unpacker has read on, and goes on where it was."""
        ahead = self.stream.tell()
        self.stream.seek(start)
        found = self.stream.read(end - start)
        self.stream.seek(ahead)
        return found


def mentions(stream: Readable, word: bytes) -> bool:
    """Whether the bytes of a word stand somewhere in a stream."""
    stream.seek(0)
    end = b""
    try:
        while chunk := stream.read(_CHUNK):
            if word in end + chunk:
                return True
            end = chunk[1 - len(word) :]
    except FAULTS:
        return True  # what can be read of it may name it
    return False


def decoded(frame: bytes) -> tuple[bool, Any]:
    """Whether a whole message can be decoded, and what it says.

    Maps have text keys; bytes stay bytes; text that is no UTF-8 has surrogates in it.
    """
    try:
        return True, msgpack.unpackb(
            frame,
            strict_map_key=False,
            unicode_errors="surrogateescape",
            object_pairs_hook=_map,
            ext_hook=_extension,
        )
    except _FAULTS:
        return False, None


def _map(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    # A key may be a list or a map here, which no dict would take.
    return {key if isinstance(key, str) else str(key): value for key, value in pairs}


def _extension(code: int, data: bytes) -> dict[str, Any]:
    return {"ext": code, "data": data}
