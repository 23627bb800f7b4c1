"""Format A: a folder of JSONL files, one conversation each (legacy formats, A)."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

from memory.importers import keys, migrated
from memory.importers.jsonl_lines import Fault, is_blank, lines, message_of
from memory.importers.plain import SourceMessage, SourceSession, UnreadableSource
from memory.importers.problems import ProblemLog
from memory.importers.values import Cleaner, moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from memory.importers.jsonl_lines import Said
    from memory.importers.plain import Problem, SourceExtraction, SourceMemory

ENDING, UNFINISHED = ".jsonl", ".jsonl.importing"
NOTE = (
    "File names hold keys in which every other character became “_”: two conversations may have"
    " become one file, and neither that nor a sender's exact name can be brought back."
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Scan:
    """What one reading of a file found; good for as long as the file's `state` is the same.

    Attributes:
        given: its messages were all given, just these.
    """

    state: tuple[int, ...]
    sha256: str
    messages: int
    given: bool = False


class JsonlSource:
    """A workspace, its folder `sessions`, or one file."""

    format = "jsonl"

    def __init__(self, path: Path) -> None:
        """Raises UnreadableSource: the path is none of those."""
        self.path = path
        self.notes = [NOTE]
        self._log = ProblemLog()
        self._scans: dict[str, _Scan] = {}
        self._renamed: dict[str, str] = {}
        self._files: dict[str, str] = {}  # of names that are not shown as they are
        if path.is_dir():
            self._folder = path / "sessions" if (path / "sessions").is_dir() else path
            self._only = None
        elif path.name.endswith(ENDING) and (path.exists() or migrated.aside(path).exists()):
            self._folder, self._only = path.parent, path.name
        else:
            raise UnreadableSource(f"{path} is neither a folder of sessions nor a .jsonl file.")

    def sessions(self) -> Iterator[SourceSession]:
        """Every file, by name."""
        for name in self._names():
            found = self._session(name)
            if found is not None:
                yield found

    def messages(self, session: SourceSession) -> Iterator[SourceMessage]:
        """The messages of a file, as far as it went when its session was given."""
        place = f"{session.name} again"
        self._log.begin(place)
        digest, cleaner = hashlib.sha256(), Cleaner()
        speaker = keys.identify(session.key).speaker
        name = self._files.get(session.name, session.name)
        try:
            with self._opened(name) as file:
                for _, found in _read(file, session.length, digest, cleaner):
                    if not isinstance(found, Fault):
                        role, parts = found
                        by = speaker if role == "user" else None
                        yield SourceMessage(role=role, parts=parts, speaker=by)
        except OSError as error:
            self._log.add(place, self._where(session.name), _why(error), session.messages)
            return
        if digest.hexdigest() != session.sha256:
            self._log.add(
                place, self._where(session.name), "It changed while it was read.", session.messages
            )
            return
        scan = self._scans.get(name)
        if scan is not None and scan.sha256 == session.sha256:
            self._scans[name] = replace(scan, given=True)

    def memories(self) -> Iterator[SourceMemory]:
        """None: the format has none."""
        return iter(())

    def extractions(self) -> Iterator[SourceExtraction]:
        """None: the format has none."""
        return iter(())

    def problems(self) -> Iterable[Problem]:
        """What could not be read, by file."""
        return list(self._log)

    def default_users(self) -> frozenset[str]:
        """None: the format knows no users."""
        return frozenset()

    def holds(self, session: str) -> bool:
        """Whether the file of that name is still there, or was put aside."""
        path = self._folder / f"{session}{ENDING}"
        return path.exists() or migrated.aside(path).exists()

    def settled(self) -> None:
        """Rename each file that gave its messages to `….jsonl.migrated`, if it is what was read."""
        for name, scan in self._scans.items():
            if not scan.given:  # it came, or grew, after the others were brought in
                why: str | None = "Its messages were not read to the end; it keeps its name."
            else:
                why = migrated.put_aside(self._folder / name, scan.sha256)
            if why is None:
                self._renamed[name] = scan.sha256
            else:
                self._log.add(f"{name} aside", self._where(name), why)

    def brought_back(self, receipts: Mapping[str, str] | None = None) -> None:
        """Rename files back.

        Args:
            receipts: names of files with their SHA-256, those to bring back. Without them it is
                what this object renamed, or else all but what the source itself moved into its
                database.
        """
        wanted = receipts
        if wanted is None:
            wanted = self._renamed or migrated.ours(self._folder, self._only)
        for name, sha256 in dict(wanted).items():
            why = migrated.bring_back(self._folder / name, sha256)
            if why is not None:
                self._log.add(f"{name} back", self._where(name), why)
            self._renamed.pop(name, None)

    def _names(self) -> list[str]:
        if self._only is not None:
            return [self._only] if (self._folder / self._only).exists() else []
        place = str(self._folder)
        self._log.begin(place)
        names = []
        try:
            with os.scandir(self._folder) as entries:
                for one in entries:
                    if one.name.endswith(UNFINISHED):
                        self._log.add(
                            place, self._where(one.name),
                            "Left out: the source's own move to SQLite stopped half-way; let it"
                            " finish, or take “.importing” from the name.", 1,
                        )  # fmt: skip
                    elif one.name.endswith(ENDING):
                        names.append(one.name)
        except OSError as error:
            self._log.add(place, place, _why(error), 1)
        return sorted(names)

    def _session(self, name: str) -> SourceSession | None:
        try:
            with self._opened(name) as file:
                status = os.fstat(file.fileno())
                state = (status.st_ino, status.st_size, status.st_mtime_ns)
                scan = self._scans.get(name)
                if scan is None or scan.state != state:
                    scan = self._scanned(name, file, state)
        except OSError as error:
            self._log.begin(name)
            self._log.add(name, self._where(name), _why(error), 1)
            return None
        if scan is None:
            return None
        shown = _shown(name)
        if shown != name:
            self._files[shown] = name
        key = shown.removesuffix(ENDING)
        found = keys.identify(key)
        return SourceSession(
            key=key,
            name=shown,
            sha256=scan.sha256,
            length=status.st_size,
            messages=scan.messages,
            at=self._modified(name, status),
            sender=found.sender,
            thread=found.thread,
            speakers=(found.speaker,) if found.speaker else (),
            metadata=found.metadata,
        )

    def _scanned(self, name: str, file: BinaryIO, state: tuple[int, ...]) -> _Scan | None:
        """Read it through once; None if it is no conversation at all."""
        self._log.begin(name)
        self._scans.pop(name, None)
        where, digest, cleaner = self._where(name), hashlib.sha256(), Cleaner()
        messages = faults = 0
        for number, found in _read(file, state[1], digest, cleaner):
            if isinstance(found, Fault):
                faults += 1
                self._log.add(name, f"{where}:{number}", found.what, 1)
            else:
                messages += 1
        if faults and not messages:
            self._log.add(name, where, "No line of it is a message; nothing was imported.", 1)
            return None
        for remark in cleaner.remarks():
            self._log.once(name, where, remark)
        self._scans[name] = _Scan(state, digest.hexdigest(), messages)
        return self._scans[name]

    def _opened(self, name: str) -> BinaryIO:
        """The file for reading.

        Raises:
            OSError: it cannot be read; in a folder, it is a link, which may lead anywhere; it is
                no ordinary file.
        """
        flags = os.O_RDONLY | os.O_NONBLOCK  # a pipe must not hold us up
        if self._only is None:
            flags |= os.O_NOFOLLOW
        number = os.open(self._folder / name, flags)
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            raise OSError(0, "it is no ordinary file")
        return os.fdopen(number, "rb")

    def _modified(self, name: str, status: os.stat_result) -> datetime:
        """The file's time: the only one that there is."""
        found = moment(status.st_mtime_ns / 1e9)
        if found is not None and found.timestamp() <= datetime.now(UTC).timestamp() + 86_400:
            return found
        self._log.once(name, self._where(name), "The file's own time cannot be used.")
        return EPOCH

    def _where(self, name: str) -> str:
        return _shown(name) if self._only else f"{self._folder.name}/{_shown(name)}"


def _read(
    file: BinaryIO, length: int, digest: hashlib._Hash, cleaner: Cleaner
) -> Iterator[tuple[int, Said | Fault]]:
    """Each line that is not blank with its number; `digest` takes in all bytes."""
    for number, line in enumerate(lines(file, length, digest), start=1):
        if not is_blank(line):
            yield number, message_of(line, cleaner)


def _why(error: OSError) -> str:
    return f"It cannot be read: {error.strerror}."


def _shown(name: str) -> str:
    """The name as text; bytes of it that are no UTF-8 as \\xff, so that no two become one."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
