"""The files in `results`: read a record, compare it with the present code, write
one."""

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
    read_record,
)


@dataclass(frozen=True)
class State:
    """The state of a record: the stem of its file, a description such as "current" or
    "stale", and whether the file is broken, that is exists but is not valid."""

    stem: str
    description: str
    broken: bool = False


@overload
def load_record(name: Literal["bench"], preset: str) -> Benchmark: ...  # type: ignore[overload-overlap]
@overload
def load_record(name: str, preset: str = "cpu") -> Record: ...
def load_record(name: str, preset: str = "cpu") -> Record | Benchmark:
    """The record of the experiment `name` with `preset`; if `name` is "bench", the
    benchmark of the chapter `preset`.

    Raises `ValueError` if there is no such file, or if it is not a valid record.
    """
    stem = f"{name}-{preset}"
    content = resources.record(stem)
    return (read_benchmark if stem.startswith(PREFIX) else read_record)(content, stem)


def is_current(record: Record, study: Experiment, sweep: Preset) -> bool:
    """Whether `record` was made by the present code of `study` with the configuration
    `sweep`, and is complete; see `check_rows`."""
    code = fingerprint(study.cell.__module__)
    if record.made.get("code") != code or record.config != sweep.config:
        return False
    try:
        check_rows(record.rows, sweep, record.name)
    except ValueError:
        return False
    return True


def state(study: Experiment, preset: str) -> State:
    """The state of the record of one preset. An invalid file raises no exception: it is
    described as broken."""
    stem, folder = f"{study.name}-{preset}", resources.folder("results")
    unfinished = (
        ", with an unfinished run" if (folder / f".{stem}.part").exists() else ""
    )
    path = folder / f"{stem}.json"
    if not os.path.lexists(path):
        return State(stem, f"not recorded{unfinished}")
    try:
        record = read_record(resources.record(stem), stem)
    except (ValueError, OSError) as error:
        return State(stem, f"broken: {error}{unfinished}", broken=True)
    description = (
        "current" if is_current(record, study, study.presets[preset]) else "stale"
    )
    return State(stem, f"{description}{_dirty_note(record)}{unfinished}")


def benchmark_states() -> list[State]:
    """The state of each recorded benchmark. An invalid file raises no exception: it is
    described as broken."""
    states = []
    for path in sorted(resources.folder("results").glob(f"{PREFIX}*.json")):
        try:
            timed = read_benchmark(resources.record(path.stem), path.stem)
        except (ValueError, OSError) as error:
            states.append(State(path.stem, f"broken: {error}", broken=True))
            continue
        # older benchmarks do not name their module and cannot be compared
        description = "recorded"
        if timed.module:
            same = timed.made["code"] == fingerprint(timed.module)
            description = "current" if same else "stale"
        states.append(State(path.stem, f"{description}{_dirty_note(timed)}"))
    return states


def _dirty_note(record: Record | Benchmark) -> str:
    return ", from a dirty tree" if record.made["dirty"] else ""


def write_record(record: Record | Benchmark) -> Path:
    """Write a record to `results`, replacing the last one atomically; return the path.

    Raises `OSError` that names the file if it cannot be written.
    """
    stem = (
        f"{PREFIX}{record.chapter}"
        if isinstance(record, Benchmark)
        else f"{record.name}-{record.preset}"
    )
    path = resources.folder("results") / f"{stem}.json"
    lines = json.dumps(asdict(record), indent=1, ensure_ascii=False)
    write_atomically(path, lines + "\n")
    return path


def write_atomically(path: Path, text: str) -> None:
    """Write a file, through a temporary one that then replaces it.

    Raises `OSError` that names the file if it cannot be written; an existing file is
    then unchanged.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        _discard(temporary)
        raise OSError(
            error.errno,
            f"{path.name} was not written, the last one is unchanged: {error.strerror}",
        ) from error


def check_writable(folder: Path) -> None:
    """Raise `OSError` that names `folder` unless a file can be written there."""
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
    # an error here would hide the one that the caller raises
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
