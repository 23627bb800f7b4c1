"""Files that a browser sent, on this machine's disk until they are read: one folder an upload."""

from __future__ import annotations

import calendar
import os
import shutil
import struct
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from django.conf import settings

from accounts.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_FILES = 10_000  # of one archive
MAX_BYTES = 4 * 1024**3  # of one upload, when unpacked
ENDINGS = (".jsonl", ".db", ".db-wal", ".sqlite", ".sqlite-wal", ".sqlite3", ".sqlite3-wal")
ARCHIVE = ".zip"
_OUR_FOLDERS = ("sessions", "memory", "data")
_SCRAP = "__MACOSX"  # what one system adds to its archives
_TIMES = 0x5455  # the extra field that holds a file's time in UTC
# What a damaged archive raises, beside what says so itself.
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, NotImplementedError, EOFError,
    ValueError,
)  # fmt: skip


class Uploaded(Protocol):
    """A file as a browser sent it."""

    name: str | None

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]: ...


def put_aside(files: Sequence[Uploaded]) -> str:
    """Keep the files under the names they came with, in a folder that only we may open; an archive
    is unpacked. All or nothing.

    Returns:
        What finds the folder again.

    Raises:
        InvalidArgument: no file, a name that comes twice or is refused, an archive that cannot be
            read, or too much of it.
    """
    if not 1 <= len(files) <= MAX_FILES:
        raise InvalidArgument(f"Choose 1 to {MAX_FILES:,} files.", field="files")
    token = uuid4().hex
    folder = folder_of(token)
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.mkdir(mode=0o700)
    try:
        _keep(folder, files)
    except OSError as error:
        throw_away(token)
        raise InvalidArgument(
            f"The files cannot be kept here: {error.strerror or 'the disk refuses'}.", field="files"
        ) from None
    except BaseException:
        throw_away(token)
        raise
    return token


def folder_of(token: str) -> Path:
    """Where the files of an upload lie."""
    return Path(settings.UPLOADS_DIR) / token


def is_there(token: str) -> bool:
    return bool(token) and folder_of(token).is_dir()


def throw_away(token: str) -> None:
    if token:
        shutil.rmtree(folder_of(token), ignore_errors=True)


def called(files: Sequence[Uploaded]) -> str:
    """What was uploaded, for a list."""
    first = _name(files[0])
    return first if len(files) == 1 else f"{first} and {len(files) - 1:,} more"


def without_place(token: str, text: str) -> str:
    """The text with the names that were uploaded, and not where they lie on this machine."""
    folder = str(folder_of(token))
    return text.replace(f"{folder}/", "").replace(folder, "The upload").replace(token, "The upload")


def _name(file: Uploaded) -> str:
    name = PurePosixPath((file.name or "").replace("\\", "/")).name
    return "".join(one for one in name if one.isprintable())


def _keep(folder: Path, files: Iterable[Uploaded]) -> None:
    left = MAX_BYTES
    for file in files:
        name = _name(file)
        if name.startswith(".") or not name.endswith((*ENDINGS, ARCHIVE)):
            raise InvalidArgument(
                f"{name or 'A file'} is none of {', '.join([*ENDINGS, ARCHIVE])}.", field="files"
            )
        if name.endswith(ARCHIVE):
            left -= _unpack(file, folder, left)
            continue
        below = ("sessions", name) if name.endswith(".jsonl") else (name,)
        left -= _write(folder, below, file.chunks(), left)


def _unpack(file: Uploaded, folder: Path, left: int) -> int:
    """The files of an archive that an importer would read, inside the folder; how many bytes.

    Links come out as small files that hold a path, which no importer reads as anything.
    """
    packed = f"{uuid4().hex}{ARCHIVE}"
    _write(folder, (packed,), file.chunks(), left)
    written = 0
    try:
        with zipfile.ZipFile(folder / packed) as archive:
            entries = _wanted(archive)
            top = _wrapping(path for _, path in entries)
            for entry, path in entries:
                below = path.parts[1:] if top else path.parts
                with archive.open(entry) as stream:
                    chunks = iter(lambda: stream.read(1 << 20), b"")
                    written += _write(folder, below, chunks, left - written)
                _date(folder.joinpath(*below), entry)
    except _DAMAGED as error:
        raise InvalidArgument(
            f"{_name(file)} cannot be unpacked: {str(error) or type(error).__name__}.",
            field="files",
        ) from None
    finally:
        (folder / packed).unlink(missing_ok=True)
    return written


def _wanted(archive: zipfile.ZipFile) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    found = []
    for entry in archive.infolist():
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        odd = path.is_absolute() or ".." in path.parts or path.name.startswith(".")
        if entry.is_dir() or odd or _SCRAP in path.parts or not path.name.endswith(ENDINGS):
            continue
        found.append((entry, path))
    if len(found) > MAX_FILES:
        raise InvalidArgument(
            f"The archive has over {MAX_FILES:,} files; use the command on the machine.",
            field="files",
        )
    if not found:
        raise InvalidArgument(
            f"The archive has no file that ends in {', '.join(ENDINGS)}.", field="files"
        )
    return found


def _wrapping(paths: Iterable[PurePosixPath]) -> bool:
    """Whether all lie in one folder more: archives of a workspace have it or not."""
    paths = list(paths)
    firsts = {path.parts[0] for path in paths}
    return (
        len(firsts) == 1
        and firsts.isdisjoint(_OUR_FOLDERS)
        and all(len(path.parts) > 1 for path in paths)
    )


def _date(path: Path, entry: zipfile.ZipInfo) -> None:
    """Give the file its own time: where lines have none, it stands for them."""
    with suppress(ValueError, OverflowError, OSError, struct.error):
        at = _utc_time(entry.extra)
        if at is None:
            at = calendar.timegm((*entry.date_time, 0, 0, 0))
        os.utime(path, (at, at))


def _utc_time(extra: bytes) -> int | None:
    while len(extra) > 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == _TIMES and length >= 5 and extra[4] & 1:
            at: int = struct.unpack_from("<i", extra, 5)[0]
            return at
        extra = extra[4 + length :]
    return None


def _write(folder: Path, below: Sequence[str], chunks: Iterable[bytes], left: int) -> int:
    """Write a new file, with the folders that it lies in; how many bytes it has."""
    target = folder.joinpath(*below)
    written = 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = target.open("xb")
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise InvalidArgument(f"{'/'.join(below)} comes twice.", field="files") from None
    with file:
        for chunk in chunks:
            written += len(chunk)
            if written > left:
                raise InvalidArgument(
                    f"An upload has at most {MAX_BYTES // 1024**3} GB when unpacked; use the"
                    " command on the machine for more.",
                    field="files",
                )
            file.write(chunk)
    return written
