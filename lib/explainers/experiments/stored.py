"""What lies in `results`: found by its name, judged against today's code, replaced in
one step."""

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, overload

from explainers import resources
from explainers.experiments.benchmarks import PREFIX, Benchmark, read_benchmark
from explainers.experiments.provenance import fingerprint
from explainers.experiments.record import (
    Experiment,
    Preset,
    Record,
    check_rows,
    read,
)


@dataclass(frozen=True)
class State:
    """A record by the stem of its file, what is to be said of it, and whether it is
    broken: there, and not to be used."""

    stem: str
    words: str
    broken: bool = False


@overload
def experiment(name: Literal["bench"], preset: str) -> Benchmark: ...  # type: ignore[overload-overlap]
@overload
def experiment(name: str, preset: str = "cpu") -> Record: ...
def experiment(name: str, preset: str = "cpu") -> Record | Benchmark:
    """The run that is recorded as `name` with `preset`; of the name "bench" it is the
    benchmark of the chapter `preset`.

    Raises `ValueError` when nothing is recorded, and for a file that is no such record.
    """
    stem = f"{name}-{preset}"
    content = resources.record(stem)
    return (read_benchmark if stem.startswith(PREFIX) else read)(content, stem)


def fresh(record: Record, study: Experiment, sweep: Preset) -> bool:
    """Whether a record was made by today's code and configuration, and is whole: each
    cell of `sweep` once, the same metrics in each, and every number finite."""
    code = fingerprint(study.cell.__module__)
    if record.made.get("code") != code or record.config != sweep.config:
        return False
    try:
        check_rows(record.rows, sweep, record.name)
    except ValueError:
        return False
    return True


def state(study: Experiment, preset: str) -> State:
    """What is to be said of the record of one preset. It never raises for what lies in
    `results`."""
    stem, folder = f"{study.name}-{preset}", resources.folder("results")
    begun = ", begun anew" if (folder / f".{stem}.part").exists() else ""
    path = folder / f"{stem}.json"
    if not os.path.lexists(path):
        return State(stem, f"not recorded{begun}")
    try:
        record = read(resources.record(stem), stem)
    except (ValueError, OSError) as error:
        return State(stem, f"broken: {error}{begun}", broken=True)
    words = "current" if fresh(record, study, study.presets[preset]) else "stale"
    return State(stem, f"{words}{_tried_out(record)}{begun}")


def benchmark_states() -> list[State]:
    """What is to be said of each recorded benchmark. It never raises for what lies in
    `results`."""
    found = []
    for path in sorted(resources.folder("results").glob(f"{PREFIX}*.json")):
        try:
            timed = read_benchmark(resources.record(path.stem), path.stem)
        except (ValueError, OSError) as error:
            found.append(State(path.stem, f"broken: {error}", broken=True))
            continue
        # what was written before benchmarks named their module cannot be compared
        words = "recorded"
        if timed.module:
            same = timed.made["code"] == fingerprint(timed.module)
            words = "current" if same else "stale"
        found.append(State(path.stem, f"{words}{_tried_out(timed)}"))
    return found


def _tried_out(record: Record | Benchmark) -> str:
    return ", from a dirty tree" if record.made["dirty"] else ""


def write(record: Record | Benchmark) -> Path:
    """Write a record in the place of the last one, in one step."""
    stem = (
        f"{PREFIX}{record.chapter}"
        if isinstance(record, Benchmark)
        else f"{record.name}-{record.preset}"
    )
    path = resources.folder("results") / f"{stem}.json"
    lines = json.dumps(asdict(record), indent=1, ensure_ascii=False)
    replace(path, lines + "\n")
    return path


def replace(path: Path, text: str) -> None:
    """Write a file whole or not at all; `OSError` naming it if it cannot be written."""
    fresh_file = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with fresh_file.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh_file.replace(path)
    except OSError as error:
        _discard(fresh_file)
        raise OSError(
            error.errno,
            f"{path.name} was not written, the last one stands: {error.strerror}",
        ) from error


def check_writable(folder: Path) -> None:
    """Raise `OSError`, which names `folder`, unless a file can be written there."""
    probe = folder / f".{os.getpid()}.probe"
    try:
        probe.write_text("", encoding="utf-8")
    except OSError as error:
        raise OSError(
            error.errno,
            f"{folder.name}: nothing can be recorded in {folder}: {error.strerror}",
        ) from error
    finally:
        _discard(probe)


def _discard(path: Path) -> None:
    # where it cannot be, the caller raises a better error
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
