"""Experiments, and the records of their sweeps.

An `Experiment` is a function of one cell, `cell(seed=..., **setting) -> metrics`, with
presets that define sweeps over seeds and settings. A `Record` holds the metrics of
every cell, without averages. Nothing here reads a file.
"""

import datetime
import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]

_MADE: dict[str, tuple[type, ...]] = {
    "revision": (str,),
    "dirty": (bool,),
    "code": (str,),
    "versions": (dict,),
    "device": (str,),
    "threads": (int,),
    "date": (str,),
    "seconds": (int, float),
    "command": (str,),
}


@dataclass(frozen=True)
class Preset:
    """A sweep: a cell for each seed and each combination of the values in `grid`.

    `fixed` are arguments that all cells share.
    """

    seeds: Sequence[int]
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> dict[str, Any]:
        """The sweep as JSON data, the entry `config` of a record."""
        return as_json(
            {"seeds": list(self.seeds), "grid": self.grid, "fixed": self.fixed}
        )

    def cells(self) -> Iterator[Row]:
        """The seed and setting of each cell as a dict, in order."""
        for values in itertools.product(*self.grid.values()):
            for seed in self.seeds:
                yield {"seed": seed, **dict(zip(self.grid, values, strict=True))}


@dataclass(frozen=True)
class Experiment:
    """A function of one cell, and its sweeps by the name of the preset.

    `cell(seed=..., **setting, **fixed)` returns metrics by name: numbers, strings, or
    lists and dicts of these. It runs in other processes, so it must be defined at the
    top level of a module.
    """

    name: str
    cell: Callable[..., Mapping[str, Any]]
    presets: Mapping[str, Preset]


@dataclass(frozen=True)
class Record:
    """A recorded run of an experiment.

    `rows` has one dict for each cell, with seed, setting and metrics. `config` is the
    sweep. `made` describes the run: code, git revision, versions, device, date,
    seconds and command.
    """

    name: str
    preset: str
    config: dict[str, Any]
    rows: list[Row]
    made: dict[str, Any]

    @property
    def summary(self) -> str:
        """One line about the run, printed below a table."""
        seeds = len(self.config["seeds"])
        return (
            f"Recorded run `{self.name}`, preset {self.preset}, {seeds} "
            f"seed{'' if seeds == 1 else 's'}"
        )

    def where(self, **setting: Any) -> list[Row]:
        """The rows that have all values of `setting`, of every seed.

        Raises `ValueError` if there is none.
        """
        return select_rows(self.rows, setting, f"{self.name}-{self.preset}")

    def values(self, metric: str, **setting: Any) -> list[float]:
        """One metric of the rows that have all values of `setting`, of every seed.

        Raises `ValueError` if there is no such row, or no such metric in these rows.
        """
        rows = self.where(**setting)
        known = [key for key in rows[0] if all(key in row for row in rows)]
        if metric not in known:
            raise ValueError(
                f"metric: {self.name}-{self.preset} has no {metric!r}; there are "
                f"{known}"
            )
        return [row[metric] for row in rows]


def select_rows(
    rows: Sequence[Row], setting: Mapping[str, Any], stem: str
) -> list[Row]:
    """The rows that have all values of `setting`.

    Raises `ValueError` that names the record `stem` if there is none.
    """
    selected = [
        row
        for row in rows
        if all(row.get(key) == value for key, value in setting.items())
    ]
    if not selected:
        raise ValueError(f"setting: {stem} has no row {dict(setting)}")
    return selected


def read_record(content: Mapping[str, Any], stem: str) -> Record:
    """The record in `content`, the parsed file `<stem>.json`.

    Raises `ValueError` that names the file and the key for missing keys, for values of
    the wrong type, for a `stem` that is not `<name>-<preset>`, and for rows that are
    not the cells of its own `config`.
    """
    where = f"{stem}.json"
    missing = {"name", "preset", "config", "rows", "made"} - set(content)
    if missing:
        raise ValueError(f"{where}: missing keys: {sorted(missing)}")
    own_stem = f"{content['name']}-{content['preset']}"
    if own_stem != stem:
        raise ValueError(f"{where}: this is the record of {own_stem}")
    config, rows, made = content["config"], content["rows"], content["made"]
    for key, kind in (("config", dict), ("rows", list)):
        check_type(content[key], (kind,), f"{where}: {key}")
    check_made(made, where)
    check_rows(rows, _sweep(config, where), where)
    return Record(content["name"], content["preset"], config, rows, made)


def check_type(value: Any, types: tuple[type, ...], where: str) -> None:
    """Raise `ValueError` that begins with `where` unless `type(value)` is one of
    `types`; subclasses do not count, so a bool is not an int."""
    if type(value) not in types:
        words = " or ".join(kind.__name__ for kind in types)
        raise ValueError(f"{where}: expected {words}, got {value!r}")


def check_made(made: Any, where: str) -> None:
    """Raise `ValueError` that begins with `where` and names the key unless `made` has
    all entries of `run_metadata`, of the right types. `bars` is optional: older records
    have none."""
    check_type(made, (dict,), f"{where}: made")
    check_type(made.get("bars", {}), (dict,), f"{where}: made: bars")
    for key, types in _MADE.items():
        if key not in made:
            raise ValueError(f"{where}: made: missing key: {key!r}")
        check_type(made[key], types, f"{where}: made: {key}")
    for key in ("versions", "bars"):
        for name, value in made.get(key, {}).items():
            check_type(value, (str,), f"{where}: made: {key}: {name}")
    check_type(made["versions"].get("torch"), (str,), f"{where}: made: versions: torch")
    try:
        datetime.date.fromisoformat(made["date"])
    except ValueError as error:
        raise ValueError(f"{where}: made: date: {error}") from error


def _sweep(config: Row, where: str) -> Preset:
    """The sweep that a record's configuration describes."""
    types = {"seeds": list, "grid": dict, "fixed": dict}
    for key, kind in types.items():
        check_type(config.get(key), (kind,), f"{where}: config: {key}")
    for key, values in config["grid"].items():
        check_type(values, (list,), f"{where}: config: grid: {key}")
    return Preset(config["seeds"], config["grid"], config["fixed"])


def check_rows(rows: Sequence[Any], sweep: Preset, where: str) -> None:
    """Raise `ValueError` that begins with `where` and names the cell unless `rows` has
    each cell of `sweep` once, all with the same metrics of the same shapes, and all
    numbers are finite."""
    cells = {cell_key(cell): cell for cell in map(as_json, sweep.cells())}
    names = ["seed", *sweep.grid]
    seen: set[str] = set()
    for row in rows:
        check_type(row, (dict,), f"{where}: rows")
        cell = {name: row[name] for name in names if name in row}
        key = cell_key(cell)
        if key not in cells:
            raise ValueError(f"{where}: rows: {cell} is not a cell of the sweep")
        if key in seen:
            raise ValueError(f"{where}: rows: {cell} occurs twice")
        seen.add(key)
        check_metrics(metrics(row, names), metrics(rows[0], names), cell, where)
    missing = [cell for key, cell in cells.items() if key not in seen]
    if missing:
        raise ValueError(
            f"{where}: rows: {len(missing)} of {len(cells)} cells are missing, the "
            f"first is {missing[0]}"
        )


def metrics(row: Row, names: Sequence[str]) -> Row:
    """The entries of a row without those in `names`, its seed and setting."""
    return {key: value for key, value in row.items() if key not in names}


def check_metrics(values: Row, first: Row, cell: Row, where: str = "") -> None:
    """Raise `ValueError` that names metric and cell unless all numbers in `values` are
    finite and it has the names and shapes of `first`, the metrics of another cell."""
    prefix = f"{where}: rows: " if where else ""
    if set(values) != set(first):
        different = sorted(set(values) ^ set(first))
        raise ValueError(f"{prefix}{different} at {cell} are not in every cell")
    for name, value in values.items():
        shape = _shape(value, f"{prefix}{name}", cell)
        expected = _shape(first[name], f"{prefix}{name}", cell)
        if shape != expected:
            raise ValueError(
                f"{prefix}{name}: {shape} at {cell}, but {expected} in another cell"
            )


def check_finite(row: Row, where: str, cell: Row) -> None:
    """Raise `ValueError` that begins with `where` and names key and cell unless all
    values of `row` are strings, bools, finite numbers, or lists and dicts of these."""
    for key, value in row.items():
        _shape(value, f"{where}: {key}", cell)


def _shape(value: Any, where: str, cell: Row) -> Any:
    """The type of `value`, "number", "string" or "bool", or for a list or dict the
    types of its parts."""
    if isinstance(value, dict):
        return {key: _shape(value[key], f"{where}: {key}", cell) for key in value}
    if isinstance(value, list):
        parts = [_shape(part, where, cell) for part in value]
        same = all(part == parts[0] for part in parts)
        return f"{len(parts)} of {parts[0]}" if parts and same else parts
    if isinstance(value, bool | str):
        return "bool" if isinstance(value, bool) else "string"
    if not isinstance(value, int | float):
        raise ValueError(f"{where}: {value!r} at {cell} is not a number or a string")
    if not math.isfinite(value):
        raise ValueError(f"{where}: {value} at {cell} is not finite")
    return "number"


def cell_key(cell: Row) -> str:
    """The seed and setting of a cell as one string, equal for equal cells."""
    return json.dumps(cell, sort_keys=True)


def as_json(value: Any) -> Any:
    """`value` with scalars of NumPy and PyTorch as Python numbers, tuples as lists, and
    strings as keys, so that it is equal after writing and reading it as JSON."""
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, Mapping):
        return {str(key): as_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(inner) for inner in value]
    return value
