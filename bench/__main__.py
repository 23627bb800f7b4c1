"""`python -m bench NAME …`: each name on a stand of its own, in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from argparse import ArgumentParser, Namespace

from bench import suite
from bench.report import Worthless, publish, surroundings
from bench.stand import BASE, stand
from config.postgres import PostgresProblem
from config.supervisor import ChildProblem, Stopped


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for. 0, or 1 when a figure is worth nothing; a missed bar is no error."""
    asked = _parser().parse_args(arguments)
    if len(asked.names) > 1:
        return _each_alone(asked)
    name = asked.names[0]
    try:
        with stand(quick=asked.quick, sizes=asked.sizes) as made:
            ran_on = surroundings(made.connect().execute("SHOW server_version").fetchall()[0][0])
            report = suite.load(name).run(made)
        publish(name, report, ran_on, keep=not asked.quick)
    except Stopped:
        sys.stderr.write("bench: stopped; nothing was kept.\n")
        return 130
    except (Worthless, PostgresProblem, ChildProblem) as problem:
        sys.stderr.write(f"bench: {name}: {problem}\n")
        return 1
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser("bench", description="Measure against floors taken in the same run.")
    parser.add_argument("names", nargs="+", choices=suite.names(), metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="about 40 s a name; keeps no file")
    parser.add_argument("--sizes", type=_sizes, default=(), help="accounts, for instance 10,100")
    parser.epilog = f"Names: {', '.join(suite.names())}."
    return parser


def _sizes(text: str) -> tuple[int, ...]:
    sizes = tuple(sorted({int(part) for part in text.split(",")}))
    if not 1 <= sizes[0] <= sizes[-1] <= 5000:
        raise ValueError
    return sizes


def _each_alone(asked: Namespace) -> int:
    """One after the other; Ctrl-C reaches the one that runs, and ends the series."""
    options = ["--quick"] * asked.quick
    if asked.sizes:
        options.append(f"--sizes={','.join(map(str, asked.sizes))}")
    worst = 0
    for name in asked.names:
        command = [sys.executable, "-m", "bench", name, *options]
        child = subprocess.Popen(command, cwd=BASE)  # noqa: S603 - our own command
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the child has it from the terminal
        signal.signal(signal.SIGTERM, lambda *_, child=child: child.terminate())
        worst = max(worst, status := child.wait())
        if status not in (0, 1):
            return 130
    return worst


if __name__ == "__main__":
    raise SystemExit(main())
