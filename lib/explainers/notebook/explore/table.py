"""Everything an explorable can show, computed once and packed small.

`tabulate` runs `compute` over the whole grid of controls and keeps each result only
over the controls that change it. `pack` writes the results as one table: 16 bits a
number over the range of its array, so off by at most half of range / 65534 (on a
logarithmic axis: of the range of the logarithm); whole numbers exactly; what is one
number a setting in 32 bits, so that a readout shows all its digits.
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

WISHED, ALLOWED = 60_000, 150_000  # bytes of a table, compressed
_CODES = 65_534  # steps between the least and the greatest number
Array = NDArray[Any]


@dataclass(frozen=True)
class Column:
    """One result over the controls that change it.

    `values` has one axis for each control of `over` (positions in the list of
    controls), then those of the result itself.
    """

    values: Array
    over: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the result itself."""
        return self.values.shape[len(self.over) :]

    def at(self, setting: Sequence[int]) -> Any:
        """The result at one stop for each control."""
        return self.values[tuple(setting[control] for control in self.over)]


def tabulate(
    compute: Callable[..., Mapping[str, Any]],
    stops: Mapping[str, Sequence[Value]],
    wanted: Mapping[str, str],
    *,
    controls: Collection[str] = (),
    vectorized: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Column]:
    """Run `compute` at every setting and collect the results that are `wanted`.

    `stops` are the values of each control that compute takes; `wanted` maps the name
    of a result to who asks for it, and one that is of `controls` may be missing. With
    `vectorized`, compute is called once, every keyword an array with one entry a
    setting (the last control varies fastest), and every result has a first axis of
    that length.
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
        result = _results(compute(**columns), wanted, controls)
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
            result = _results(compute(**setting), wanted, controls)
            for name, value in result.items():
                rows = collected.setdefault(name, [])
                if rows and rows[0].shape != value.shape:
                    raise ValueError(
                        f"compute: {name!r} has shape {value.shape} at "
                        f"{_words(setting)} and {rows[0].shape} at "
                        f"{_words(settings[0])}; pad the shorter one"
                    )
                rows.append(value)
            progress(done + 1, len(settings))
        stacked = {name: np.stack(rows) for name, rows in collected.items()}
    found = {}
    for name, value in stacked.items():
        if value.ndim > 3:
            raise ValueError(
                f"compute: {name!r} has shape {value.shape[1:]}; at most two axes can "
                "be drawn"
            )
        if value.dtype.kind == "f" and np.isinf(value).any():
            where = settings[int(np.argwhere(np.isinf(value))[0][0])]
            raise ValueError(f"compute: {name!r} is infinite at {_words(where)}")
        found[name] = _column(value.reshape(*lengths, *value.shape[1:]), len(lengths))
    return found


def check_gaps(
    name: str, column: Column, stops: Mapping[str, Sequence[Value]], who: str
) -> None:
    """Raise `ValueError` if the results of `name` hold NaN, saying where and who."""
    if column.values.dtype.kind == "f" and np.isnan(column.values).any():
        place = np.argwhere(np.isnan(column.values))[0]
        names = list(stops)
        where = {
            names[c]: stops[names[c]][i]
            for c, i in zip(column.over, place, strict=False)
        }
        raise ValueError(
            f"compute: {name!r} is NaN{' at ' + _words(where) if where else ''}, and "
            f"{who} shows no gaps; say gaps=True if they are meant"
        )


def _results(
    result: Any, wanted: Mapping[str, str], controls: Collection[str]
) -> dict[str, Array]:
    if not isinstance(result, Mapping):
        raise TypeError(f"compute: returned {type(result).__name__}, not a dict")
    missing = [name for name in wanted if name not in result and name not in controls]
    if missing:
        raise ValueError(
            f"{wanted[missing[0]]}: compute returns no {missing[0]!r}, and no control "
            f"is called so; it returns {sorted(result)}"
        )
    return {name: _array(name, result[name]) for name in wanted if name in result}


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
            f"compute: {name!r} is {type(value).__name__} of {array.dtype}, neither "
            "real numbers nor words"
        )
    if array.dtype.kind == "f":
        array = array.astype(np.float64)
    return array


def _words(setting: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in setting.items())


def _column(values: Array, controls: int) -> Column:
    """Drop the axes of the controls along which nothing changes."""
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
    """A packed table: its bytes, how each array lies in them, and each one's size."""

    table: bytes
    arrays: dict[str, dict[str, Any]]
    sizes: dict[str, int]


def pack(columns: Mapping[str, Column], logarithmic: set[str]) -> Packed:
    """Pack `columns`; those named in `logarithmic` are coded by their logarithm."""
    arrays, sizes, parts, at = {}, {}, [], 0
    for name, column in columns.items():
        part, how = _code(column, name in logarithmic)
        arrays[name] = {
            "at": at,
            "shape": list(column.values.shape),
            "over": list(column.over),
            **how,
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
    best = _planes(_folded(codes))
    while len(turns) < 4:  # differences along the axis that makes it smallest, again
        tries = {
            axis: np.diff(codes, axis=axis, prepend=np.uint16(0))
            for axis in range(codes.ndim)
            if codes.shape[axis] > 2
        }
        sizes = {axis: len(_deflate(_planes(_folded(t)))) for axis, t in tries.items()}
        axis = min(sizes, key=sizes.__getitem__, default=None)
        if axis is None or sizes[axis] >= 0.98 * len(_deflate(best)):
            break
        turns.append(axis)
        codes = tries[axis]
        best = _planes(_folded(codes))
    how = {"code": "u16", "low": low, "step": step, "log": log, "gaps": gaps}
    if not turns:  # nothing was folded
        best = _planes(codes)
    return best, {**how, "turns": turns}


def _folded(codes: Array) -> NDArray[np.uint16]:
    """0, -1, 1, -2, … as 0, 1, 2, 3, …: small differences have an empty high byte."""
    signed = codes.view(np.int16).astype(np.int32)
    return ((signed << 1) ^ (signed >> 15)).astype(np.uint16)


def _planes(values: Array) -> bytes:
    """The high bytes of all numbers, then the next lower ones."""
    big = np.ascontiguousarray(values.astype(values.dtype.newbyteorder(">")))
    size = big.dtype.itemsize
    return big.view(np.uint8).reshape(-1, size).T.tobytes()


def _deflate(raw: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(raw) + packer.flush()


def rounded(lo: float, hi: float, most: int) -> list[float]:
    """Up to `most` round numbers from lo to hi, in steps of 1, 2 or 5 times 10^k."""
    lo, hi = min(lo, hi), max(lo, hi)
    slack = 1e-9 * (hi - lo)
    for exponent in range(math.floor(math.log10(hi - lo)) - 1, 400):
        for factor in (1, 2, 5):
            step = factor * 10.0**exponent
            first, last = (
                math.ceil((lo - slack) / step),
                math.floor((hi + slack) / step),
            )
            if last - first < most:
                return [float(f"{i * step:.12g}") for i in range(first, last + 1)]
    raise AssertionError("unreachable: a step above hi - lo leaves at most one")


def decades(lo: float, hi: float, most: int) -> list[float]:
    """Powers of ten from lo to hi, thinned to at most `most`."""
    lo, hi = min(lo, hi), max(lo, hi)
    first, last = math.ceil(math.log10(lo) - 1e-9), math.floor(math.log10(hi) + 1e-9)
    every = max(1, math.ceil((last - first + 1) / most))
    return [10.0**k for k in range(first, last + 1, every)]
