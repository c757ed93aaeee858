"""The record of a sweep: what was to be run, what came out, and whether it is whole.

An `Experiment` is a function of one cell, `cell(seed=..., **setting) -> metrics`, and
presets that say over which seeds and settings it sweeps. A `Record` holds the raw value
of every seed, never averages. Nothing here reads a file.
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
    """A sweep: every seed with every combination of `grid`; `fixed` goes to all."""

    seeds: Sequence[int]
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> dict[str, Any]:
        """What a record keeps of it."""
        return plain(
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

    @property
    def summary(self) -> str:
        """What it is, in the words that stand under a table."""
        seeds = len(self.config["seeds"])
        return (
            f"Recorded run `{self.name}`, preset {self.preset}, {seeds} "
            f"seed{'' if seeds == 1 else 's'}"
        )

    def where(self, **setting: Any) -> list[Row]:
        """The rows of one setting, every seed. Raises `ValueError` if there is none."""
        return matching(self.rows, setting, f"{self.name}-{self.preset}")

    def values(self, metric: str, **setting: Any) -> list[float]:
        """One metric of the rows of one setting, every seed.

        Raises `ValueError` if there is no such setting, or no such metric in its rows.
        """
        rows = self.where(**setting)
        known = [key for key in rows[0] if all(key in row for row in rows)]
        if metric not in known:
            raise ValueError(
                f"metric: {self.name}-{self.preset} has no {metric!r}; there are "
                f"{known}"
            )
        return [row[metric] for row in rows]


def matching(rows: Sequence[Row], setting: Mapping[str, Any], stem: str) -> list[Row]:
    """Those of `rows` that have every value of `setting`; `ValueError`, which names the
    record `stem`, if there is none."""
    found = [
        row
        for row in rows
        if all(row.get(key) == value for key, value in setting.items())
    ]
    if not found:
        raise ValueError(f"setting: {stem} has no row {dict(setting)}")
    return found


def read(content: Mapping[str, Any], stem: str) -> Record:
    """`content` as a record, checked.

    Raises `ValueError`, which names the file `<stem>.json` and the key, if it is not
    the record of `stem`, or if its rows are not those that its own configuration asks
    for.
    """
    where = f"{stem}.json"
    missing = {"name", "preset", "config", "rows", "made"} - set(content)
    if missing:
        raise ValueError(f"{where}: no record, it lacks {sorted(missing)}")
    found = f"{content['name']}-{content['preset']}"
    if found != stem:
        raise ValueError(f"{where}: it holds another record, {found}")
    config, rows, made = content["config"], content["rows"], content["made"]
    for key, kind in (("config", dict), ("rows", list)):
        expect(content[key], (kind,), f"{where}: {key}")
    check_made(made, where)
    check_rows(rows, _sweep(config, where), where)
    return Record(content["name"], content["preset"], config, rows, made)


def expect(value: Any, kinds: tuple[type, ...], where: str) -> None:
    """Raise `ValueError`, which begins with `where`, if `value` is of none of `kinds`.

    Not `isinstance`: a truth value is an int as well.
    """
    if type(value) not in kinds:
        words = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"{where}: expected {words}, got {value!r}")


def check_made(made: Any, where: str) -> None:
    """Raise `ValueError`, which begins with `where` and names the key, if `made` does
    not say how a run came about. `bars` may be absent: older records have none."""
    expect(made, (dict,), f"{where}: made")
    expect(made.get("bars", {}), (dict,), f"{where}: made: bars")
    for key, kinds in _MADE.items():
        if key not in made:
            raise ValueError(f"{where}: made: it lacks {key!r}")
        expect(made[key], kinds, f"{where}: made: {key}")
    for key in ("versions", "bars"):
        for name, value in made.get(key, {}).items():
            expect(value, (str,), f"{where}: made: {key}: {name}")
    expect(made["versions"].get("torch"), (str,), f"{where}: made: versions: torch")
    try:
        datetime.date.fromisoformat(made["date"])
    except ValueError as error:
        raise ValueError(f"{where}: made: date: {error}") from error


def _sweep(config: Row, where: str) -> Preset:
    """The sweep that a record's configuration describes."""
    kinds = {"seeds": list, "grid": dict, "fixed": dict}
    for key, kind in kinds.items():
        expect(config.get(key), (kind,), f"{where}: config: {key}")
    for key, values in config["grid"].items():
        expect(values, (list,), f"{where}: config: grid: {key}")
    return Preset(config["seeds"], config["grid"], config["fixed"])


def check_rows(rows: Sequence[Any], sweep: Preset, where: str) -> None:
    """Raise `ValueError`, which begins with `where` and names the cell, unless `rows`
    hold each cell of `sweep` once, with the same metrics of the same shapes in each,
    and every number finite."""
    cells = {cell_key(cell): cell for cell in map(plain, sweep.cells())}
    names = ["seed", *sweep.grid]
    seen: set[str] = set()
    for row in rows:
        expect(row, (dict,), f"{where}: rows")
        cell = {name: row[name] for name in names if name in row}
        key = cell_key(cell)
        if key not in cells:
            raise ValueError(f"{where}: rows: {cell} is not a cell of the sweep")
        if key in seen:
            raise ValueError(f"{where}: rows: {cell} stands there twice")
        seen.add(key)
        check_metrics(metrics(row, names), metrics(rows[0], names), cell, where)
    missing = [cell for key, cell in cells.items() if key not in seen]
    if missing:
        raise ValueError(
            f"{where}: rows: {len(missing)} of {len(cells)} cells are missing, the "
            f"first is {missing[0]}"
        )


def metrics(row: Row, names: Sequence[str]) -> Row:
    """What a row holds besides seed and setting, which are called `names`."""
    return {key: value for key, value in row.items() if key not in names}


def check_metrics(found: Row, first: Row, cell: Row, where: str = "") -> None:
    """Raise `ValueError`, which names metric and cell, if a number of `found` is not
    finite, or if it has not the metrics and shapes of `first`, those of another
    cell."""
    prefix = f"{where}: rows: " if where else ""
    if set(found) != set(first):
        different = sorted(set(found) ^ set(first))
        raise ValueError(f"{prefix}{different} at {cell} are not in every cell")
    for name, value in found.items():
        shape = _shape(value, f"{prefix}{name}", cell)
        expected = _shape(first[name], f"{prefix}{name}", cell)
        if shape != expected:
            raise ValueError(
                f"{prefix}{name}: {shape} at {cell}, and {expected} in another cell"
            )


def check_finite(row: Row, where: str, cell: Row) -> None:
    """Raise `ValueError`, which begins with `where` and names key and cell, if a value
    of `row` is no word and no finite number."""
    for key, value in row.items():
        _shape(value, f"{where}: {key}", cell)


def _shape(value: Any, where: str, cell: Row) -> Any:
    """What kind of value it is: "number", "word" or "truth value", and for lists and
    mappings that of each of their parts."""
    if isinstance(value, dict):
        return {key: _shape(value[key], f"{where}: {key}", cell) for key in value}
    if isinstance(value, list):
        parts = [_shape(part, where, cell) for part in value]
        same = all(part == parts[0] for part in parts)
        return f"{len(parts)} of {parts[0]}" if parts and same else parts
    if isinstance(value, bool | str):
        return "truth value" if isinstance(value, bool) else "word"
    if not isinstance(value, int | float):
        raise ValueError(f"{where}: {value!r} at {cell} is neither number nor word")
    if not math.isfinite(value):
        raise ValueError(f"{where}: {value} at {cell} is not finite")
    return "number"


def cell_key(cell: Row) -> str:
    """Seed and setting of a cell as one string, equal for equal cells."""
    return json.dumps(cell, sort_keys=True)


def plain(value: Any) -> Any:
    """`value` as JSON has it: what was written then equals what is read."""
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value
