"""`python -m explainers`: list, run and inspect the recorded runs."""

import argparse
import sys
from collections.abc import Sequence

from explainers.experiments.runner import is_first_process, run
from explainers.experiments.stored import State, benchmark_states, state
from explainers.studies import experiments, get_experiment


def status() -> list[State]:
    """What is to be said of the record of every preset of every experiment, and of
    every benchmark."""
    return [
        *(
            state(study, name)
            for study in experiments().values()
            for name in study.presets
        ),
        *benchmark_states(),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m explainers list | run NAME --preset PRESET | status`.

    Returns 0, or 1 after an error and where a record is broken.
    """
    given = _parser().parse_args(arguments)
    try:
        if given.command == "list":
            return _list()
        if given.command == "status":
            return _status()
        return _run(given)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m explainers", description="Recorded runs of the book."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every experiment, its presets and their cells")
    commands.add_parser(
        "status", help="which records are current, stale, missing or broken"
    )
    runner = commands.add_parser(
        "run", help="run what is missing of a sweep, and record it"
    )
    runner.add_argument("name")
    runner.add_argument("--preset", default="cpu")
    runner.add_argument("--workers", type=int, default=None)
    runner.add_argument(
        "--dirty",
        action="store_true",
        help="try out a working tree that is not committed; the record says so",
    )
    return parser


def _list() -> int:
    for study in experiments().values():
        sizes = ", ".join(
            f"{name} ({sum(1 for _ in preset.cells())} cells)"
            for name, preset in study.presets.items()
        )
        print(f"{study.name}: {sizes}")
    return 0


def _status() -> int:
    found = status()
    for each in found:
        print(f"{each.stem}: {each.words}")
    return int(any(each.broken for each in found))


def _run(given: argparse.Namespace) -> int:
    record = run(
        get_experiment(given.name),
        given.preset,
        workers=given.workers,
        dirty=given.dirty,
        say=print,
    )
    if is_first_process():
        print(f"recorded {record.name}-{record.preset}: {len(record.rows)} rows")
    return 0
