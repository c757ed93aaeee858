"""The runner: executes the cells of a sweep and records them.

It runs several cells in parallel, one torch thread each (under `accelerate launch` all
processes share one cell at a time), keeps every finished one at once, continues after a
kill at the first missing one, and puts the whole record in place of the last in one
step.
"""

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from explainers import resources
from explainers.experiments.provenance import bars, clean_tree, fingerprint, made
from explainers.experiments.record import (
    Experiment,
    Preset,
    Record,
    Row,
    cell_key,
    check_metrics,
    metrics,
    plain,
)
from explainers.experiments.stored import check_writable, replace, write


def run(
    study: Experiment,
    preset: str,
    *,
    workers: int | None = None,
    dirty: bool = False,
    say: Callable[[str], None] = lambda words: None,
) -> Record:
    """Run what is missing of a sweep, and record it.

    Finished cells lie in `results/.<name>-<preset>.part` until the sweep is whole; they
    count only for the code and configuration that made them. The record keeps the
    revision and the bars from when the first of them was begun. The last record stays
    until the new one is complete.

    Before a cell is computed it raises `ValueError` for an unknown preset and for a
    working tree with changes that are not committed, which `dirty` allows for trying
    out and which the record then says, and `OSError` naming the folder when nothing can
    be written there. Later it raises `ValueError` for a metric that is not finite or
    not of the same shape in every cell, and `OSError` naming the file when it cannot be
    written.
    """
    if preset not in study.presets:
        raise ValueError(f"preset: {preset!r} is not one of {sorted(study.presets)}")
    tree, folder = clean_tree(dirty=dirty), resources.folder("results")
    check_writable(folder)
    sweep, module = study.presets[preset], study.cell.__module__
    stem = f"{study.name}-{preset}"
    part = folder / f".{stem}.part"
    begun: dict[str, Any] = {
        "config": sweep.config,
        "code": fingerprint(module),
        "revision": tree.revision,
        "dirty": tree.dirty,
        # a study is called like its chapter
        "bars": bars(module.rpartition(".")[2]),
        "rows": [],
        "seconds": 0.0,
    }
    cells = [plain(cell) for cell in sweep.cells()]
    done = _load_part(part, begun, sweep, allow_dirty=dirty)
    known = {cell_key(_cell(row, sweep)) for row in done["rows"]}
    missing = [cell for cell in cells if cell_key(cell) not in known]
    if done["rows"]:
        say(f"{stem}: {len(done['rows'])} of {len(cells)} cells are there")
    started, before = time.perf_counter(), done["seconds"]
    calls = [(study.cell, cell, dict(sweep.fixed)) for cell in missing]
    first = is_first_process()
    for cell, found in _finished(calls, workers):
        done["rows"].append(_row(cell, found, sweep, done["rows"]))
        done["seconds"] = before + time.perf_counter() - started
        if first:
            replace(part, json.dumps(done))
            say(f"{stem}: {len(done['rows'])} of {len(cells)} cells, {cell}")
    order = {cell_key(cell): place for place, cell in enumerate(cells)}
    rows = sorted(done["rows"], key=lambda row: order[cell_key(_cell(row, sweep))])
    how = made(
        done["code"],
        done["revision"],
        done["dirty"] or tree.dirty,
        done["seconds"],
        f"python -m explainers run {study.name} --preset {preset}",
    )
    how["bars"] = done["bars"]
    record = Record(study.name, preset, sweep.config, rows, how)
    if first:
        write(record)
        part.unlink(missing_ok=True)
    return record


def _cell(row: Row, sweep: Preset) -> Row:
    """Seed and setting of a row."""
    return {key: row[key] for key in ("seed", *sweep.grid)}


def _row(
    cell: Row, found: Mapping[str, Any], sweep: Preset, others: Sequence[Row]
) -> Row:
    """The row of a finished cell, checked for itself and against one of the others."""
    kept: Row = plain(found)
    twice = sorted(set(kept) & set(cell))
    if twice:
        raise ValueError(f"{', '.join(twice)}: names a setting and a metric at {cell}")
    first = metrics(others[0], list(cell)) if others else kept
    check_metrics(kept, first, cell)
    return {**cell, **kept}


def _launched() -> bool:
    """Whether `accelerate launch` has started this process beside others."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def is_first_process() -> bool:
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


def _load_part(
    part: Path, begun: dict[str, Any], sweep: Preset, *, allow_dirty: bool
) -> dict[str, Any]:
    """The finished cells, if they are of this code and configuration; those of a dirty
    tree count only where it is allowed."""
    try:
        found = json.loads(part.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return begun
    same = (
        isinstance(found, dict)
        and found.keys() == begun.keys()
        and all(type(found[key]) is type(begun[key]) for key in begun)
        and all(found[key] == begun[key] for key in ("config", "code"))
        and (allow_dirty or found["dirty"] is False)
        and _are_cells(found["rows"], sweep)
    )
    return found if same else begun


def _are_cells(rows: Any, sweep: Preset) -> bool:
    """Whether `rows` are some of the cells of `sweep`, none of them twice."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return False
    if not all(key in row for row in rows for key in ("seed", *sweep.grid)):
        return False
    found = [cell_key(_cell(row, sweep)) for row in rows]
    known = {cell_key(plain(cell)) for cell in sweep.cells()}
    return len(found) == len(set(found)) and known.issuperset(found)
