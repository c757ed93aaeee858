"""The table of an explorable: the results at all settings, computed and compressed.

`tabulate` runs `compute` over the grid of all controls, and stores each result only
over the controls that change it. `pack` encodes the results as bytes. Arrays have 16
bits a number, with an error of at most half of range / 65534 (on a logarithmic axis, of
the range of the logarithm); integers with a range up to 65534 are exact. Scalars have
32 bits, so that a readout shows all its digits.
"""

import itertools
import math
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explainers.notebook.explore.controls import Value

TARGET_BYTES, MAX_BYTES = 60_000, 150_000  # of a table, compressed
_CODES = 65_534  # steps between the smallest and the largest number
Array = NDArray[Any]


@dataclass(frozen=True)
class Column:
    """One result at all settings.

    `over` are the positions, in the list of controls, of those that change the result;
    `values` has one axis for each of them, followed by the axes of the result.
    """

    values: Array
    over: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the result at one setting."""
        return self.values.shape[len(self.over) :]

    def at(self, setting: Sequence[int]) -> Any:
        """The result at `setting`, the position of one stop for each control."""
        return self.values[tuple(setting[control] for control in self.over)]


def tabulate(
    compute: Callable[..., Mapping[str, Any]],
    stops: Mapping[str, Sequence[Value]],
    requested: Mapping[str, str],
    *,
    controls: Collection[str] = (),
    vectorized: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Column]:
    """The results of `compute` at every setting, by name.

    `stops` maps each keyword of `compute` to its values. `requested` maps the names of
    the results to collect to the mark that uses them, as text for messages; a name in
    `controls` may be missing from the results. With `vectorized=True`, `compute` is
    called once: each keyword is an array with one entry for each setting, with the last
    control varying fastest, and the first axis of each result has the same length.
    `progress(done, total)` is called after each setting.

    Raises `TypeError` or `ValueError` that begins with "compute" or with the mark for
    results that are missing, of another type than numbers or strings, infinite, of more
    than two axes, or of a shape that changes with the setting.
    """
    lengths = tuple(len(values) for values in stops.values())
    settings = [
        dict(zip(stops, values, strict=True))
        for values in itertools.product(*stops.values())
    ]
    if vectorized:
        columns = {
            name: np.array([setting[name] for setting in settings]) for name in stops
        }
        result = _results(compute(**columns), requested, controls)
        for name, value in result.items():
            if value.ndim == 0 or len(value) != len(settings):
                raise ValueError(
                    f"compute: {name!r} has shape {value.shape}; with vectorized=True "
                    f"its first axis is the {len(settings)} settings"
                )
        stacked = result
    else:
        collected: dict[str, list[Array]] = {}
        for done, setting in enumerate(settings):
            result = _results(compute(**setting), requested, controls)
            for name, value in result.items():
                rows = collected.setdefault(name, [])
                if rows and rows[0].shape != value.shape:
                    raise ValueError(
                        f"compute: {name!r} has shape {value.shape} at "
                        f"{_describe(setting)} and {rows[0].shape} at "
                        f"{_describe(settings[0])}; pad the shorter one"
                    )
                rows.append(value)
            progress(done + 1, len(settings))
        stacked = {name: np.stack(rows) for name, rows in collected.items()}
    table = {}
    for name, value in stacked.items():
        if value.ndim > 3:
            raise ValueError(
                f"compute: {name!r} has shape {value.shape[1:]}; at most two axes can "
                "be drawn"
            )
        if value.dtype.kind == "f" and np.isinf(value).any():
            where = settings[int(np.argwhere(np.isinf(value))[0][0])]
            raise ValueError(f"compute: {name!r} is infinite at {_describe(where)}")
        table[name] = _column(value.reshape(*lengths, *value.shape[1:]), len(lengths))
    return table


def check_gaps(
    name: str, column: Column, stops: Mapping[str, Sequence[Value]], mark: str
) -> None:
    """Raise `ValueError` if the result `name` is NaN at some setting; the message gives
    the setting and `mark`, the text of the mark that uses it."""
    if column.values.dtype.kind == "f" and np.isnan(column.values).any():
        place = np.argwhere(np.isnan(column.values))[0]
        names = list(stops)
        where = {
            names[c]: stops[names[c]][i]
            for c, i in zip(column.over, place, strict=False)
        }
        raise ValueError(
            f"compute: {name!r} is NaN{' at ' + _describe(where) if where else ''}, "
            f"but {mark} does not allow it; use gaps=True for gaps in the drawing"
        )


def _results(
    result: Any, requested: Mapping[str, str], controls: Collection[str]
) -> dict[str, Array]:
    if not isinstance(result, Mapping):
        raise TypeError(
            f"compute: expected to return a dict, got {type(result).__name__}"
        )
    missing = [
        name for name in requested if name not in result and name not in controls
    ]
    if missing:
        raise ValueError(
            f"{requested[missing[0]]}: compute returns no {missing[0]!r}, and there is "
            f"no such control; it returns {sorted(result)}"
        )
    return {name: _array(name, result[name]) for name in requested if name in result}


def _array(name: str, value: Any) -> Array:
    if hasattr(value, "detach"):  # a torch tensor
        value = value.detach().cpu().numpy()
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(
            f"compute: {name!r} is ragged: its rows differ in length"
        ) from None
    if array.dtype.kind not in "biufU":
        raise TypeError(
            f"compute: {name!r} is {type(value).__name__} of {array.dtype}, expected "
            "real numbers or strings"
        )
    if array.dtype.kind == "f":
        array = array.astype(np.float64)
    return array


def _describe(setting: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in setting.items())


def _column(values: Array, controls: int) -> Column:
    """The result without the axes of controls that do not change it."""
    over = []
    for control in range(controls):
        first = values.take([0], axis=control)
        same = values == first
        if values.dtype.kind == "f":
            same |= np.isnan(values) & np.isnan(first)
        if same.all():
            values = first
        else:
            over.append(control)
    return Column(
        values.reshape([values.shape[c] for c in over] + list(values.shape[controls:])),
        tuple(over),
    )


@dataclass(frozen=True)
class Packed:
    """A packed table: its compressed bytes, the encoding of each array for the front
    end, and the compressed size of each array in bytes."""

    table: bytes
    arrays: dict[str, dict[str, Any]]
    sizes: dict[str, int]


def pack(columns: Mapping[str, Column], logarithmic: set[str]) -> Packed:
    """Encode and compress `columns`; of those named in `logarithmic` the logarithm is
    encoded."""
    arrays, sizes, parts, at = {}, {}, [], 0
    for name, column in columns.items():
        part, encoding = _code(column, name in logarithmic)
        arrays[name] = {
            "at": at,
            "shape": list(column.values.shape),
            "over": list(column.over),
            **encoding,
        }
        sizes[name] = len(_deflate(part))
        parts.append(part)
        at += len(part)
    return Packed(_deflate(b"".join(parts)), arrays, sizes)


def _code(column: Column, log: bool) -> tuple[bytes, dict[str, Any]]:
    values = column.values
    if values.dtype.kind == "U":
        words, codes = np.unique(values, return_inverse=True)
        planes = _planes(codes.astype(">u2").reshape(values.shape))
        return planes, {"code": "words", "words": words.tolist(), "turns": []}
    if column.shape == () and not log:
        return _planes(values.astype(">f4")), {"code": "f32", "turns": []}
    whole = values.dtype.kind in "biu" and not log
    numbers = np.log(values) if log else values.astype(np.float64)
    low, high = float(np.nanmin(numbers)), float(np.nanmax(numbers))
    step = (
        1.0
        if high == low or (whole and high - low <= _CODES)
        else (high - low) / _CODES
    )
    gaps = bool(np.isnan(numbers).any())
    codes = np.where(
        np.isnan(numbers), 0, np.rint((numbers - low) / step) + gaps
    ).astype(np.uint16)
    turns: list[int] = []
    best = _planes(_zigzag(codes))
    while len(turns) < 4:  # differences along the axis that makes it smallest, again
        tries = {
            axis: np.diff(codes, axis=axis, prepend=np.uint16(0))
            for axis in range(codes.ndim)
            if codes.shape[axis] > 2
        }
        sizes = {axis: len(_deflate(_planes(_zigzag(t)))) for axis, t in tries.items()}
        axis = min(sizes, key=sizes.__getitem__, default=None)
        if axis is None or sizes[axis] >= 0.98 * len(_deflate(best)):
            break
        turns.append(axis)
        codes = tries[axis]
        best = _planes(_zigzag(codes))
    encoding = {"code": "u16", "low": low, "step": step, "log": log, "gaps": gaps}
    if not turns:  # nothing was folded
        best = _planes(codes)
    return best, {**encoding, "turns": turns}


def _zigzag(codes: Array) -> NDArray[np.uint16]:
    """The zigzag code, 0, -1, 1, -2, … as 0, 1, 2, 3, …, in which the high byte of a
    small difference is 0."""
    signed = codes.view(np.int16).astype(np.int32)
    return ((signed << 1) ^ (signed >> 15)).astype(np.uint16)


def _planes(values: Array) -> bytes:
    """The highest bytes of all numbers, then the next ones, and so on."""
    big = np.ascontiguousarray(values.astype(values.dtype.newbyteorder(">")))
    size = big.dtype.itemsize
    return big.view(np.uint8).reshape(-1, size).T.tobytes()


def _deflate(raw: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(raw) + packer.flush()


def linear_ticks(lo: float, hi: float, max_count: int) -> list[float]:
    """At most `max_count` multiples of 1, 2 or 5 times 10^k between `lo` and
    `hi`."""
    lo, hi = min(lo, hi), max(lo, hi)
    slack = 1e-9 * (hi - lo)
    for exponent in range(math.floor(math.log10(hi - lo)) - 1, 400):
        for factor in (1, 2, 5):
            step = factor * 10.0**exponent
            first, last = (
                math.ceil((lo - slack) / step),
                math.floor((hi + slack) / step),
            )
            if last - first < max_count:
                return [float(f"{i * step:.12g}") for i in range(first, last + 1)]
    raise AssertionError("unreachable: a step above hi - lo leaves at most one")


def log_ticks(lo: float, hi: float, max_count: int) -> list[float]:
    """At most `max_count` powers of ten between `lo` and `hi`, at equal ratios."""
    lo, hi = min(lo, hi), max(lo, hi)
    first, last = math.ceil(math.log10(lo) - 1e-9), math.floor(math.log10(hi) + 1e-9)
    every = max(1, math.ceil((last - first + 1) / max_count))
    return [10.0**k for k in range(first, last + 1, every)]
