"""Run the cells of a sweep and record them.

Several cells run in parallel, with one torch thread each; under `accelerate launch` all
processes work on the same cell. Each finished cell is stored at once, so that a sweep
that was killed continues with the missing cells. The complete record replaces the last
one atomically.
"""

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from explainers import resources
from explainers.experiments.provenance import (
    bar_hashes,
    clean_working_tree,
    fingerprint,
    run_metadata,
)
from explainers.experiments.record import (
    Experiment,
    Preset,
    Record,
    Row,
    as_json,
    cell_key,
    check_metrics,
    metrics,
)
from explainers.experiments.stored import check_writable, write_atomically, write_record


def run(
    study: Experiment,
    preset: str,
    *,
    workers: int | None = None,
    dirty: bool = False,
    log: Callable[[str], None] = lambda words: None,
) -> Record:
    """Run the missing cells of a sweep, write its record, and return it.

    `workers` is the number of processes, by default one for each core. `log` is called
    with one line of text after each cell. `dirty=True` allows a working tree with
    changes that are not committed, which the record then notes. Finished cells are
    stored in `results/.<name>-<preset>.part` until the sweep is complete, and are used
    again only by the same code and configuration. The record has the revision and the
    bars of the time when its first cell began.

    Before any cell runs, `ValueError` is raised for an unknown preset and for changes
    that are not committed, and `OSError` if no file can be written to `results`. Later,
    `ValueError` is raised for a metric that is not finite or whose shape differs
    between cells, and `OSError` if the record cannot be written.
    """
    if preset not in study.presets:
        raise ValueError(f"preset: {preset!r} is not one of {sorted(study.presets)}")
    tree, folder = clean_working_tree(dirty=dirty), resources.folder("results")
    check_writable(folder)
    sweep, module = study.presets[preset], study.cell.__module__
    stem = f"{study.name}-{preset}"
    part = folder / f".{stem}.part"
    initial: dict[str, Any] = {
        "config": sweep.config,
        "code": fingerprint(module),
        "revision": tree.revision,
        "dirty": tree.dirty,
        # a study has the name of its chapter
        "bars": bar_hashes(module.rpartition(".")[2]),
        "rows": [],
        "seconds": 0.0,
    }
    cells = [as_json(cell) for cell in sweep.cells()]
    done = _load_part(part, initial, sweep, allow_dirty=dirty)
    finished = {cell_key(_cell(row, sweep)) for row in done["rows"]}
    missing = [cell for cell in cells if cell_key(cell) not in finished]
    if done["rows"]:
        log(f"{stem}: {len(done['rows'])} of {len(cells)} cells are already stored")
    started, before = time.perf_counter(), done["seconds"]
    calls = [(study.cell, cell, dict(sweep.fixed)) for cell in missing]
    first = is_first_process()
    for cell, result in _run_cells(calls, workers):
        done["rows"].append(_row(cell, result, done["rows"]))
        done["seconds"] = before + time.perf_counter() - started
        if first:
            write_atomically(part, json.dumps(done))
            log(f"{stem}: {len(done['rows'])} of {len(cells)} cells, {cell}")
    order = {cell_key(cell): place for place, cell in enumerate(cells)}
    rows = sorted(done["rows"], key=lambda row: order[cell_key(_cell(row, sweep))])
    metadata = run_metadata(
        done["code"],
        done["revision"],
        done["dirty"] or tree.dirty,
        done["seconds"],
        f"python -m explainers run {study.name} --preset {preset}",
    )
    metadata["bars"] = done["bars"]
    record = Record(study.name, preset, sweep.config, rows, metadata)
    if first:
        write_record(record)
        part.unlink(missing_ok=True)
    return record


def _cell(row: Row, sweep: Preset) -> Row:
    """The seed and setting of a row."""
    return {key: row[key] for key in ("seed", *sweep.grid)}


def _row(cell: Row, result: Mapping[str, Any], others: Sequence[Row]) -> Row:
    """The row of a finished cell, after `check_metrics` against one of the others."""
    values: Row = as_json(result)
    shared = sorted(set(values) & set(cell))
    if shared:
        raise ValueError(
            f"{', '.join(shared)}: expected different names for settings and metrics, "
            f"at {cell}"
        )
    first = metrics(others[0], list(cell)) if others else values
    check_metrics(values, first, cell)
    return {**cell, **values}


def _is_distributed() -> bool:
    """Whether `accelerate launch` has started several processes."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def is_first_process() -> bool:
    """Whether this process is the one that writes files.

    All processes must call it, and it returns when all have done so.
    """
    if not _is_distributed():
        return True
    from accelerate import Accelerator

    processes = Accelerator()
    processes.wait_for_everyone()
    return processes.is_main_process


def _run_cells(calls: Sequence[Any], workers: int | None) -> Iterator[Any]:
    """Setting and metrics of each cell when it ends: cells run in parallel, or one
    after the other if several processes work on the same cell."""
    if _is_distributed():
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
    part: Path, initial: dict[str, Any], sweep: Preset, *, allow_dirty: bool
) -> dict[str, Any]:
    """The content of the file `part` with finished cells, or `initial` if it is absent,
    invalid, of other code or configuration, or dirty without `allow_dirty`."""
    try:
        stored = json.loads(part.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return initial
    same = (
        isinstance(stored, dict)
        and stored.keys() == initial.keys()
        and all(type(stored[key]) is type(initial[key]) for key in initial)
        and all(stored[key] == initial[key] for key in ("config", "code"))
        and (allow_dirty or stored["dirty"] is False)
        and _are_cells(stored["rows"], sweep)
    )
    return stored if same else initial


def _are_cells(rows: Any, sweep: Preset) -> bool:
    """Whether `rows` is a list of different cells of `sweep`."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return False
    if not all(key in row for row in rows for key in ("seed", *sweep.grid)):
        return False
    keys = [cell_key(_cell(row, sweep)) for row in rows]
    allowed = {cell_key(as_json(cell)) for cell in sweep.cells()}
    return len(keys) == len(set(keys)) and allowed.issuperset(keys)
