"""One file for each bench: its name is the file's name (with `_` behind a word of Python), its work
the function `run` in it."""

from __future__ import annotations

from importlib import import_module
from keyword import iskeyword
from pkgutil import iter_modules
from typing import Protocol, cast

from bench.report import Report
from bench.stand import Stand


class Bench(Protocol):
    """What a file of this package holds: a docstring whose first line `--help` shows, and run."""

    __doc__: str

    @staticmethod
    def run(stand: Stand) -> Report:
        """Measure, and return the table; raises Worthless when the figures would say nothing."""
        ...


def names() -> list[str]:
    """All benches there are."""
    return sorted(module.name.rstrip("_") for module in iter_modules(__path__))


def load(name: str) -> Bench:
    """The bench of that name; imported only now, since it may need Django."""
    file = f"{name}_" if iskeyword(name) else name
    return cast("Bench", import_module(f"bench.suite.{file}"))
