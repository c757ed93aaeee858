"""Recorded runs: what is too heavy for a page, run once and kept with how it was made.

An `Experiment` is a function of one cell, `cell(seed=..., **setting) -> metrics`, and
presets that say over which seeds and settings it sweeps. `run` executes the cells in
parallel, one torch thread each (under `accelerate launch` all processes share one cell
at a time), keeps every finished one at once, continues after a
kill at the first missing one, and puts the whole record in place of the last in one
step. The record is `results/<experiment>-<preset>.json`: raw values, never averages.
"""

import ast
import hashlib
import importlib
import itertools
import json
import math
import multiprocessing
import os
import pkgutil
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from explainers import resources

Row = dict[str, Any]
_PACKAGE = Path(__file__).parent
_VERSIONS = ("torch", "numpy", "scipy", "scikit-learn")


@dataclass(frozen=True)
class Preset:
    """A sweep: every seed with every combination of `grid`; `fixed` goes to all."""

    seeds: Sequence[int]
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> dict[str, Any]:
        """What a record keeps of it."""
        return _plain(
            {"seeds": list(self.seeds), "grid": self.grid, "fixed": self.fixed}
        )

    def cells(self) -> Iterator[Row]:
        """The seed and setting of each cell, in order."""
        for values in itertools.product(*self.grid.values()):
            for seed in self.seeds:
                yield {"seed": seed, **dict(zip(self.grid, values, strict=True))}


@dataclass(frozen=True)
class Experiment:
    """A function of one cell and the sweeps it is recorded with.

    `cell(seed=..., **setting, **fixed)` returns numbers and words by name; it must be a
    function of a module, since it runs in other processes.
    """

    name: str
    cell: Callable[..., Mapping[str, Any]]
    presets: Mapping[str, Preset]


@dataclass(frozen=True)
class Record:
    """A recorded run: `rows` hold seed, setting and metrics of each cell; `made` says
    by which code, with which versions, on what machine, when, and by what command."""

    name: str
    preset: str
    config: dict[str, Any]
    rows: list[Row]
    made: dict[str, Any]

    def where(self, **setting: Any) -> list[Row]:
        """The rows of one setting, every seed. Raises `ValueError` if there is none."""
        found = [
            row
            for row in self.rows
            if all(row.get(key) == value for key, value in setting.items())
        ]
        if not found:
            raise ValueError(f"setting: {self.name}-{self.preset} has no row {setting}")
        return found

    def values(self, metric: str, **setting: Any) -> list[float]:
        """One metric of the rows of one setting, every seed."""
        return [row[metric] for row in self.where(**setting)]


def experiments() -> dict[str, Experiment]:
    """Every experiment of the book by name, from the modules of `studies`."""
    found: dict[str, Experiment] = {}
    package = importlib.import_module("explainers.studies")
    for module in pkgutil.iter_modules(package.__path__):
        studies = importlib.import_module(f"explainers.studies.{module.name}")
        found.update({study.name: study for study in studies.EXPERIMENTS})
    return found


def experiment(name: str, preset: str = "cpu") -> Record:
    """The recorded run, for a page to show.

    With preset "gpu", a CUDA device and EXPLAINERS_GPU=1 it is run and recorded first.
    Raises `ValueError` when nothing is recorded, and for a file that is no such record.
    """
    if preset == "gpu" and os.environ.get("EXPLAINERS_GPU") == "1":
        import torch

        if torch.cuda.is_available():
            return run(_known(name), preset)
    return read(resources.record(f"{name}-{preset}"), f"{name}-{preset}")


def read(content: Mapping[str, Any], stem: str) -> Record:
    """`content` as a record, checked: `ValueError` if it is not the one of `stem`."""
    missing = {"name", "preset", "config", "rows", "made"} - set(content)
    if missing:
        raise ValueError(f"{stem}.json: no record, it lacks {sorted(missing)}")
    record = Record(**{key: content[key] for key in Record.__dataclass_fields__})
    if f"{record.name}-{record.preset}" != stem:
        raise ValueError(
            f"{stem}.json: it holds another record, {record.name}-{record.preset}"
        )
    return record


def run(
    study: Experiment,
    preset: str,
    *,
    workers: int | None = None,
    say: Callable[[str], None] = lambda words: None,
) -> Record:
    """Run what is missing of a sweep, and record it.

    Finished cells lie in `results/.<name>-<preset>.part` until the sweep is whole; they
    count only for the code and configuration that made them. The last record stays
    until the new one is complete. Raises `ValueError` for an unknown preset and for a
    metric that is not finite, `OSError` naming the file when it cannot be written.
    """
    if preset not in study.presets:
        raise ValueError(f"preset: {preset!r} is not one of {sorted(study.presets)}")
    sweep = study.presets[preset]
    config = sweep.config
    stem, code = f"{study.name}-{preset}", fingerprint(study.cell.__module__)
    part = resources.folder("results") / f".{stem}.part"
    begun: dict[str, Any] = {"config": config, "code": code, "rows": [], "seconds": 0.0}
    done = _load_part(part, begun)
    cells = [_plain(cell) for cell in sweep.cells()]
    known = [{key: row[key] for key in cells[0]} for row in done["rows"]]
    missing = [cell for cell in cells if cell not in known]
    if done["rows"]:
        say(f"{stem}: {len(done['rows'])} of {len(cells)} cells are there")
    started, before = time.perf_counter(), done["seconds"]
    calls = [(study.cell, cell, dict(sweep.fixed)) for cell in missing]
    first = _first_process()
    for cell, metrics in _finished(calls, workers):
        done["rows"].append({**cell, **_checked(metrics, cell)})
        done["seconds"] = before + time.perf_counter() - started
        if first:
            _write(part, json.dumps(done))
            say(f"{stem}: {len(done['rows'])} of {len(cells)} cells, {cell}")
    rows = sorted(
        done["rows"], key=lambda row: cells.index({k: row[k] for k in cells[0]})
    )
    how = made(
        code,
        done["seconds"],
        f"python -m explainers run {study.name} --preset {preset}",
    )
    record = Record(study.name, preset, config, rows, how)
    if first:
        write(record)
        part.unlink(missing_ok=True)
    return record


def write(record: Record) -> Path:
    """Write a record in the place of the last one, in one step."""
    path = resources.folder("results") / f"{record.name}-{record.preset}.json"
    lines = json.dumps(asdict(record), indent=1, ensure_ascii=False)
    _write(path, lines + "\n")
    return path


def status() -> list[tuple[str, str]]:
    """Every preset of every experiment, and the state of its record."""
    found = []
    for study in experiments().values():
        for preset, sweep in study.presets.items():
            stem, folder = f"{study.name}-{preset}", resources.folder("results")
            state = "not recorded"
            if (folder / f"{stem}.json").is_file():
                try:
                    record = read(resources.record(stem), stem)
                    state = "current" if fresh(record, study, sweep) else "stale"
                except ValueError as error:
                    state = str(error)
            begun = ", begun anew" if (folder / f".{stem}.part").exists() else ""
            found.append((stem, state + begun))
    return found


def fresh(record: Record, study: Experiment, sweep: Preset) -> bool:
    """Whether a record was made by today's code and configuration."""
    code = fingerprint(study.cell.__module__)
    return record.made.get("code") == code and record.config == sweep.config


@cache
def fingerprint(module: str) -> str:
    """A hash of the code of a module of this package and of all that it imports here.

    Of the syntax trees without docstrings: neither a comment nor a docstring makes a
    record stale. The machinery that only keeps records does not count.
    """
    waiting, trees = [module], {}
    while waiting:
        name = waiting.pop()
        path = _PACKAGE.joinpath(*name.split(".")[1:])
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if (
            name in trees
            or not path.is_file()
            or name.endswith((".experiments", ".resources"))
        ):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        waiting += _imports(tree)
        trees[name] = ast.dump(_bare(tree))
    words = "\n".join(f"{name} {trees[name]}" for name in sorted(trees))
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def _imports(tree: ast.Module) -> list[str]:
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [
                node.module,
                *(f"{node.module}.{alias.name}" for alias in node.names),
            ]
    return [name for name in names if name.startswith("explainers.")]


def _bare(tree: ast.Module) -> ast.Module:
    """The tree without docstrings."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            first = body[0].value
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                del body[0]
    return tree


def _known(name: str) -> Experiment:
    known = experiments()
    if name not in known:
        raise ValueError(
            f"name: {name!r} is not an experiment; there are {sorted(known)}"
        )
    return known[name]


def _launched() -> bool:
    """Whether `accelerate launch` has started this process beside others."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def _first_process() -> bool:
    """Whether this process writes; asked of all, when all have read what is there."""
    if not _launched():
        return True
    from accelerate import Accelerator

    processes = Accelerator()
    processes.wait_for_everyone()
    return processes.is_main_process


def _finished(calls: Sequence[Any], workers: int | None) -> Iterator[Any]:
    """Settings and metrics of cells as they end: several at a time, or one after the
    other where several processes share each."""
    if _launched():
        _one_thread()
        yield from map(_call, calls)
        return
    count = min(workers or os.cpu_count() or 1, max(len(calls), 1))
    # spawn: a forked process would inherit torch's thread pool in an unknown state
    with multiprocessing.get_context("spawn").Pool(count, _one_thread) as pool:
        yield from pool.imap_unordered(_call, calls)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _call(call: tuple[Callable[..., Any], Row, Row]) -> tuple[Row, Mapping[str, Any]]:
    cell, setting, fixed = call
    return setting, cell(**setting, **fixed)


def _checked(metrics: Mapping[str, Any], cell: Row) -> Row:
    plain: Row = _plain(metrics)
    for key, value in plain.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{key}: {value} at {cell} is not finite")
    return plain


def _plain(value: Any) -> Any:
    """`value` as JSON has it: what was written then equals what is read."""
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _load_part(part: Path, begun: dict[str, Any]) -> dict[str, Any]:
    """The finished cells, if they are of this code and configuration."""
    try:
        found = json.loads(part.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return begun
    same = isinstance(found, dict) and all(
        found.get(k) == begun[k] for k in ("config", "code")
    )
    return found if same else begun


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    fresh_file = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with fresh_file.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh_file.replace(path)
    except OSError as error:
        fresh_file.unlink(missing_ok=True)
        raise OSError(
            error.errno,
            f"{path.name} was not written, the last one stands: {error.strerror}",
        ) from error


def made(code: str, seconds: float, command: str) -> dict[str, Any]:
    """What a record says of how it came about."""
    revision, dirty = _revision()
    return {
        "revision": revision,
        "dirty": dirty,
        "code": code,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in _VERSIONS},
        },
        "device": _device(),
        "threads": 1,
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(seconds, 1),
        "command": command,
    }


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return f"{os.cpu_count()} cores, {platform.machine()}"


def _revision() -> tuple[str, bool]:
    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=_PACKAGE, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    return git("rev-parse", "--short", "HEAD") or "unknown", bool(
        git("status", "--porcelain", "--", ":/", ":!/results")
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m explainers list | run NAME --preset PRESET | status`."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="python -m explainers", description="Recorded runs of the book."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every experiment, its presets and their cells")
    commands.add_parser("status", help="which records are current, stale or missing")
    runner = commands.add_parser(
        "run", help="run what is missing of a sweep, and record it"
    )
    runner.add_argument("name")
    runner.add_argument("--preset", default="cpu")
    runner.add_argument("--workers", type=int, default=None)
    given = parser.parse_args(arguments)
    try:
        if given.command == "list":
            for study in experiments().values():
                sizes = ", ".join(
                    f"{name} ({sum(1 for _ in p.cells())} cells)"
                    for name, p in study.presets.items()
                )
                print(f"{study.name}: {sizes}")
        elif given.command == "status":
            for stem, state in status():
                print(f"{stem}: {state}")
        else:
            record = run(
                _known(given.name), given.preset, workers=given.workers, say=print
            )
            words = f"recorded {record.name}-{record.preset}: {len(record.rows)} rows"
            if _first_process():
                print(words)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
