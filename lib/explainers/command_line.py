"""The command line `python -m explainers`: list, run and inspect recorded runs."""

import argparse
import sys
from collections.abc import Sequence

from explainers.experiments.runner import is_first_process, run
from explainers.experiments.stored import State, benchmark_states, state
from explainers.studies import experiments, get_experiment


def status() -> list[State]:
    """The state of the record of every preset of every experiment, and of every
    benchmark."""
    return [
        *(
            state(study, name)
            for study in experiments().values()
            for name in study.presets
        ),
        *benchmark_states(),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `python -m explainers list | run NAME --preset PRESET | status`.

    `arguments` are by default those of the process. Returns the exit status: 0, or 1
    after an error and if a record is broken.
    """
    options = _parser().parse_args(arguments)
    try:
        if options.command == "list":
            return _list()
        if options.command == "status":
            return _status()
        return _run(options)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m explainers", description="Recorded runs of the book."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="list all experiments with their presets")
    commands.add_parser(
        "status", help="list which records are current, stale, missing or broken"
    )
    runner = commands.add_parser(
        "run", help="run the missing cells of a sweep, and record it"
    )
    runner.add_argument("name")
    runner.add_argument("--preset", default="cpu")
    runner.add_argument("--workers", type=int, default=None)
    runner.add_argument(
        "--dirty",
        action="store_true",
        help="allow changes that are not committed; the record notes it",
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
    states = status()
    for record in states:
        print(f"{record.stem}: {record.description}")
    return int(any(record.broken for record in states))


def _run(options: argparse.Namespace) -> int:
    record = run(
        get_experiment(options.name),
        options.preset,
        workers=options.workers,
        dirty=options.dirty,
        log=print,
    )
    if is_first_process():
        print(f"recorded {record.name}-{record.preset}: {len(record.rows)} rows")
    return 0
