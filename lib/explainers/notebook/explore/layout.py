"""From panels and a table of results to the data that the front end draws: limits,
ticks and marks."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from explainers.notebook.explore.controls import Control, Play
from explainers.notebook.explore.marks import Mark, Panel, Readout
from explainers.notebook.explore.table import Column, linear_ticks, log_ticks
from explainers.notebook.words import places


def requested_names(
    panels: Sequence[Panel], readouts: Sequence[Readout], texts: Mapping[str, str]
) -> dict[str, str]:
    """The names of results and controls that panels, readouts and `texts`, by argument,
    use, each with what uses it first, as text for messages."""
    users: dict[str, str] = {}
    for mark in (mark for panel in panels for mark in panel.marks):
        for argument, name in mark.names.items():
            users.setdefault(name, f"{mark.kind}({argument}={name!r})")
        for name, _ in places(mark.options["label"]):
            users.setdefault(name, f"label={mark.options['label']!r}")
    for readout in readouts:
        users.setdefault(readout.name, f"readout({readout.name!r})")
    for argument, text in texts.items():
        for name, _ in places(text):
            users.setdefault(name, f"{argument}: {{{name}}}")
    return users


def check_shapes(mark: Mark, columns: Mapping[str, Column]) -> None:
    """Raise `ValueError` unless the shapes of the results of a mark are compatible."""
    shapes = {key: columns[n].shape for key, n in mark.names.items() if n in columns}

    def need(good: bool, expected: str) -> None:
        if not good:
            given = [f"{k}={n!r} {shapes.get(k, ())}" for k, n in mark.names.items()]
            raise ValueError(
                f"{mark.kind}: expected {expected}, got {', '.join(given)}"
            )

    if mark.kind in ("hline", "vline", "text"):
        for key in mark.names:
            need(shapes.get(key, ()) == (), f"{key} to be one number or a string")
        return
    need(len(shapes) == len(mark.names), "arrays, not controls")
    need(len(shapes["x"]) == 1 and shapes["x"][0] >= 1, "x to have one axis")
    length = shapes["x"][0]
    if mark.kind == "heatmap":
        need(
            shapes["x"][0] >= 2 and shapes["y"][0] >= 2, "at least two columns and rows"
        )
        need(
            shapes["z"] == (shapes["y"][0], length), "z to have shape (len(y), len(x))"
        )
        need(length * shapes["y"][0] <= 10_000, "at most 10,000 cells")
    elif mark.kind == "lines":
        need(shapes["y"][-1:] == (length,), "the last axis of y to be as long as x")
    else:
        need(shapes["y"] == (length,), "y to be as long as x")
        need(
            shapes.get("low", ()) in ((), (length,)),
            "low to be one number or as long as x",
        )


def panel_spec(
    panel: Panel,
    columns: dict[str, Column],
    stops: Mapping[str, Sequence[Any]],
    index: int,
) -> dict[str, Any]:
    """The panel as data for the front end.

    Columns with the y limits of each setting are added to `columns` if `panel.free`;
    `index` is the position of the panel, used in their names.
    """
    limits = Limits(panel, columns, stops)
    xlim = panel.xlim or limits.x()
    ylim = panel.ylim or limits.y()
    free = None
    if panel.free:
        lows, over = limits.limits_by_setting()
        free = [f"panel {index} from", f"panel {index} to"]
        for name, values in zip(free, lows, strict=True):
            columns[name] = Column(values, over)
    return {
        "title": panel.title,
        "ratio": panel.ratio,
        "equal": panel.equal,
        "clip": limits.need_clip(xlim, ylim),
        "x": _named(_axis(xlim, "x" in panel.log, panel.xticks, 6), panel.xlabel),
        "y": _axis(ylim, "y" in panel.log, panel.yticks, 3) | {"free": free},
        "marks": [_mark_spec(mark, columns, stops) for mark in panel.marks],
    }


def _axis(
    limits: tuple[float, float], log: bool, ticks: Sequence[float] | None, most: int
) -> dict[str, Any]:
    lo, hi = (float(v) for v in limits)
    if log and min(lo, hi) <= 0:
        raise ValueError(f"log: expected limits above 0, got {lo} and {hi}")
    if ticks is None and log:
        ticks = log_ticks(lo, hi, most)
    elif ticks is None:
        # the y axis marks no zero: the axis line does; and nothing at its very ends
        inset = 0.04 * abs(hi - lo) if most == 3 else 0.0
        low, high = min(lo, hi) + inset, max(lo, hi) - inset
        ticks = linear_ticks(low, high, most)
        if most == 3:
            ticks = [tick for tick in ticks if tick != 0]
    return {"lo": lo, "hi": hi, "log": log, "ticks": [float(t) for t in ticks]}


def _named(axis: dict[str, Any], label: str) -> dict[str, Any]:
    """The x axis with `label` in its middle, and without ticks there if it is not
    empty."""
    ends = [axis["lo"], axis["hi"]]
    lo, hi = np.log(ends) if axis["log"] else ends

    def share(tick: float) -> float:
        return float(((np.log(tick) if axis["log"] else tick) - lo) / (hi - lo))

    free = [t for t in axis["ticks"] if not (label and 0.35 < share(t) < 0.65)]
    return axis | {"label": label, "ticks": free}


def _mark_spec(
    mark: Mark,
    columns: Mapping[str, Column],
    stops: Mapping[str, Sequence[Any]],
) -> dict[str, Any]:
    spec = {"kind": mark.kind, **mark.fields, **mark.options}
    spec.pop("gaps", None)
    if mark.kind == "area":
        spec.setdefault("low", None)
    if mark.kind == "heatmap":
        spec["top"] = (
            float(np.nanmax(np.abs(columns[str(mark.fields["z"])].values))) or 1.0
        )
    if mark.kind == "lines":
        lengths = [len(values) for values in stops.values()]
        along = [c for c in columns[str(mark.fields["y"])].over if lengths[c] > 4]
        spec["along"] = along[0] if along and spec["trail"] else None
    else:
        spec["along"] = None
    spec.setdefault("near", None)
    return spec


class Limits:
    """The limits of the axes of a panel, from the results of all settings."""

    def __init__(
        self,
        panel: Panel,
        columns: Mapping[str, Column],
        stops: Mapping[str, Sequence[Any]],
    ) -> None:
        self.panel, self.columns, self.stops = panel, columns, stops

    def _values(self, axis: str) -> list[Any]:
        """The values of all marks along an axis, at all settings, one array each."""
        arrays: list[Any] = []
        for mark in self.panel.marks:
            fields = dict(mark.fields)
            if mark.kind == f"{ {'x': 'v', 'y': 'h'}[axis] }line":
                fields[axis] = fields["at"]
            keys = [axis, "low"] if axis == "y" else [axis]
            for key in keys:
                if key in fields:
                    arrays.append(self._all(fields[key]))
        return arrays

    def _all(self, field: str | float) -> Any:
        if isinstance(field, int | float):
            return np.array([float(field)])
        if field in self.columns:
            return self.columns[field].values.astype(np.float64)
        return np.array(self.stops[field], dtype=np.float64)

    def x(self) -> tuple[float, float]:
        """The x limits: the range of the data, with half a bar or cell on each side."""
        lo, hi = self._ends("x")
        for mark in self.panel.marks:
            if mark.kind in ("bars", "heatmap"):
                xs = self.columns[str(mark.fields["x"])].values
                half = _half_step(xs)
                lo, hi = (
                    min(lo, float(xs.min()) - half),
                    max(hi, float(xs.max()) + half),
                )
        return lo, hi

    def y(self) -> tuple[float, float]:
        """The y limits: the range of the data, with 0 if a mark is filled down to it,
        and a margin."""
        lo, hi = self._ends("y")
        kinds = {mark.kind for mark in self.panel.marks}
        if "heatmap" in kinds:
            mark = next(m for m in self.panel.marks if m.kind == "heatmap")
            ys = self.columns[str(mark.fields["y"])].values
            half = _half_step(ys)
            return lo - half, hi + half
        return self._padded(lo, hi)

    def _padded(self, lo: float, hi: float) -> tuple[float, float]:
        """Limits with a margin, and with 0 if a mark is filled down to it."""
        if "y" in self.panel.log:
            if lo <= 0:
                raise ValueError(
                    f"log: expected y values above 0 in {self.panel.title!r}, got {lo}"
                )
            air = (hi / lo) ** 0.06 if hi > lo else 2.0
            return lo / air, hi * air
        if self._has_zero_baseline():
            lo, hi = min(lo, 0.0), max(hi, 0.0)
        if lo == hi:
            return lo - 1, hi + 1
        air = 0.08 * (hi - lo)
        return (lo if lo == 0 else lo - air), (hi if hi == 0 else hi + air)

    def _has_zero_baseline(self) -> bool:
        return any(
            mark.kind == "bars" or (mark.kind == "area" and "low" not in mark.fields)
            for mark in self.panel.marks
        )

    def _ends(self, axis: str) -> tuple[float, float]:
        values = [v for v in self._values(axis) if v.size]
        if not values:
            raise ValueError(
                f"{axis}lim: needed, as {self.panel.title!r} has no mark with a {axis}"
            )
        lo = min(float(np.nanmin(v)) for v in values)
        hi = max(float(np.nanmax(v)) for v in values)
        return (lo, hi) if axis == "y" or lo < hi else (lo - 1, hi + 1)

    def limits_by_setting(self) -> tuple[tuple[Any, Any], tuple[int, ...]]:
        """The lower and upper y limits of each setting, and the positions of the
        controls that change them, which are the axes of both arrays."""
        drawn = [mark for mark in self.panel.marks if "y" in mark.names]
        ys = [self.columns[mark.names["y"]] for mark in drawn]
        over = tuple(sorted({control for y in ys for control in y.over}))
        lengths = [len(values) for values in self.stops.values()]
        sizes = [lengths[control] for control in over]
        lows, highs = np.empty(sizes), np.empty(sizes)
        for place in np.ndindex(*sizes):
            at = dict(zip(over, place, strict=True))
            rows = [y.at([at.get(c, 0) for c in range(len(lengths))]) for y in ys]
            lo = min(float(np.nanmin(row)) for row in rows)
            hi = max(float(np.nanmax(row)) for row in rows)
            lows[place], highs[place] = self._padded(lo, hi)
        return (lows, highs), over

    def need_clip(self, xlim: tuple[float, float], ylim: tuple[float, float]) -> bool:
        """Whether some value lies outside of `xlim` or `ylim`."""
        for axis, (a, b) in (("x", xlim), ("y", ylim)):
            values = [v for v in self._values(axis) if v.size]
            lo, hi = min(a, b), max(a, b)
            slack = 1e-9 * (hi - lo)
            if any(
                np.nanmin(v) < lo - slack or np.nanmax(v) > hi + slack for v in values
            ):
                return True
        return False


def _half_step(values: Any) -> float:
    steps = np.abs(np.diff(values, axis=-1))
    return 0.5 * float(steps.min()) if steps.size else 0.5


def num_revealed(controls: Mapping[str, Control], columns: Mapping[str, Column]) -> int:
    """The number of positions of a `Play(reveals=…)` control, or 0 if there is none.

    Raises `ValueError` unless its array has shape (n,) with n >= 2.
    """
    for name, control in controls.items():
        if isinstance(control, Play) and control.reveals:
            shape = columns[control.reveals].shape
            if len(shape) != 1 or shape[0] < 2:
                raise ValueError(
                    f"{name}: reveals={control.reveals!r} has shape {shape}, "
                    "expected (n,) with n >= 2"
                )
            return int(shape[0])
    return 0
