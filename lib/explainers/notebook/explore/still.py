"""A static picture of an explorable at its default setting, for print and for readers
without JavaScript."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from explainers.notebook import style
from explainers.notebook.words import fill, tidy

_TOKENS = ("ink2", "c1", "c2", "c3", "c4", "c5")
_PX = 72 / 100


class Still:
    """Draws the panels in `spec`, the data for the front end, at one setting.

    `get(name)` returns a result or the value of a control, cut to what a `Play` control
    reveals. `earlier(name, control, steps)` returns a result at an earlier stop of the
    control, or None if there is none.
    """

    def __init__(
        self,
        spec: dict[str, Any],
        get: Callable[[Any], Any],
        earlier: Callable[[str, int, int], Any],
    ) -> None:
        self.spec, self.get, self.earlier = spec, get, earlier

    def panels(self) -> list[Callable[[Axes], None]]:
        """One function for each panel, which draws into Matplotlib axes."""
        return [partial(self._panel, panel) for panel in self.spec["panels"]]

    def _panel(self, panel: dict[str, Any], ax: Axes) -> None:
        x, y = panel["x"], panel["y"]
        lo, hi = (
            (self.get(name) for name in y["free"]) if y["free"] else (y["lo"], y["hi"])
        )
        if x["log"]:
            ax.set_xscale("log")
        if y["log"]:
            ax.set_yscale("log")
        ticks = [] if y["free"] else y["ticks"]
        style.panel(
            ax,
            panel["title"],
            xticks=x["ticks"],
            yticks=ticks,
            xlim=(x["lo"], x["hi"]),
            ylim=(float(lo), float(hi)),
            equal=panel["equal"],
        )
        ax.minorticks_off()
        if any(mark["kind"] == "heatmap" for mark in panel["marks"]):
            ax.spines["bottom"].set_visible(False)
            for line in ax.lines:  # cells need no grid
                line.remove()
        elif not (y["log"] or panel["equal"]) and min(lo, hi) < 0 < max(lo, hi):
            ax.spines["bottom"].set_visible(False)
            ax.axhline(0, color=style.COLOURS["track"], linewidth=_PX, zorder=1)
        if x["label"]:
            ax.set_xlabel(x["label"], color=style.COLOURS["ink3"], labelpad=-15 * _PX)
        left = ax.get_window_extent().x0  # where the values of the y axis stand
        levels = [float(ax.transData.transform((x["lo"], t))[1]) for t in ticks]
        boxes = [
            (left, level + 2, 8.0 * len(f"{tick:g}"), 14.0)
            for tick, level in zip(ticks, levels, strict=True)
        ]
        for mark in panel["marks"]:
            self._mark(ax, mark)
        for mark in sorted(
            panel["marks"], key=lambda m: m["kind"] not in ("text", "extreme")
        ):
            self._label(ax, mark, boxes)

    def _mark(self, ax: Axes, mark: dict[str, Any]) -> None:
        colour = style.COLOURS[_TOKENS[mark["colour"]]]
        kind, get = mark["kind"], self.get
        wide: dict[str, Any] = {
            "linewidth": (1 if mark.get("thin") else 2.25) * _PX,
            "color": colour,
        }
        if kind == "lines":
            for steps in range(mark["trail"], 0, -1):
                rows = self.earlier(mark["y"], mark["along"], steps)
                if rows is not None:
                    ax.plot(get(mark["x"]), np.atleast_2d(rows).T, alpha=0.3, **wide)
            rows = np.atleast_2d(get(mark["y"]))
            ax.plot(
                get(mark["x"]), rows.T, linestyle="--" if mark["dash"] else "-", **wide
            )
            if mark["head"]:
                ax.plot(
                    get(mark["x"])[-1:],
                    rows.T[-1:],
                    "o",
                    color=colour,
                    markersize=8 * _PX,
                )
        elif kind == "points":
            ax.plot(
                get(mark["x"]), get(mark["y"]), "o", color=colour, markersize=8 * _PX
            )
        elif kind == "area":
            low = 0.0 if mark["low"] is None else get(mark["low"])
            if mark["colour"] == 0:
                style.reference_area(ax, get(mark["x"]), get(mark["y"]), low)
            else:
                ax.fill_between(
                    get(mark["x"]),
                    get(mark["y"]),
                    low,
                    color=colour,
                    alpha=0.25,
                    linewidth=0,
                )
        elif kind == "bars":
            xs = get(mark["x"])
            gap = float(np.min(np.abs(np.diff(xs)))) if len(xs) > 1 else 1.0
            ax.bar(xs, get(mark["y"]), width=0.65 * gap, color=colour)
        elif kind == "heatmap":
            self._heatmap(ax, mark, colour)
        elif kind == "extreme":
            at = self._extreme(mark)
            ax.plot(*at, "o", color=colour, markersize=8 * _PX)
        elif kind in ("hline", "vline"):
            line = ax.axhline if kind == "hline" else ax.axvline
            line(
                get(mark["at"]),
                color=style.COLOURS["track"] if mark["colour"] == 0 else colour,
                linewidth=_PX,
            )

    def _heatmap(self, ax: Axes, mark: dict[str, Any], colour: str) -> None:
        xs, ys, zs = (self.get(mark[key]) for key in "xyz")
        wide, tall = abs(xs[1] - xs[0]), abs(ys[1] - ys[0])
        for (row, column), value in np.ndenumerate(zs):
            if np.isfinite(value) and abs(value) > 0.004 * mark["top"]:
                place = (xs[column] - wide / 2, ys[row] - tall / 2)
                shade = style.COLOURS["c2"] if value < 0 else colour
                share = min(1.0, abs(value) / mark["top"])
                ax.add_patch(
                    Rectangle(place, wide, tall, color=shade, alpha=share, linewidth=0)
                )

    def _extreme(self, mark: dict[str, Any]) -> tuple[float, float]:
        ys = np.asarray(self.get(mark["y"]))
        place = int(ys.argmin() if mark["lowest"] else ys.argmax())
        return float(self.get(mark["x"])[place]), float(ys[place])

    def label_text(self, mark: dict[str, Any]) -> str:
        """The label of a mark with its values put in."""
        if mark["kind"] == "extreme":
            value = format_value(self._extreme(mark)[1], mark["format"])
            return f"{mark['label']} {value}"
        if mark["kind"] == "text":
            return format_value(self.get(mark["words"]), mark["format"])
        return fill(
            mark["label"],
            lambda name, format: format_value(self.get(name), format or "g"),
        )

    def _label(
        self,
        ax: Axes,
        mark: dict[str, Any],
        boxes: list[tuple[float, float, float, float]],
    ) -> None:
        """Write the label of a mark beside it, where it overlaps least with curves and
        with the labels in `boxes`, and append its box to them."""
        words = self.label_text(mark)
        if not words:
            return
        to_px = ax.transData.transform
        frame = ax.get_window_extent()
        wide, tall = 7.6 * len(words), 17.0
        if mark["kind"] in ("hline", "vline"):
            at = float(self.get(mark["at"]))
            lo, hi = (ax.get_xlim(), ax.get_ylim())[mark["kind"] == "vline"]
            spots = (
                [(at, hi), (at, lo)]
                if mark["kind"] == "vline"
                else [(s, at) for s in np.linspace(lo, hi, 20)]
            )
        elif mark["kind"] == "text":
            spots = [(float(self.get(mark["x"])), float(self.get(mark["y"])))]
        elif mark["kind"] == "extreme":
            spots = [self._extreme(mark)]
        else:
            xs, ys = (
                np.asarray(self.get(mark["x"])),
                np.atleast_2d(self.get(mark["y"]))[-1],
            )
            spots = list(zip(xs, ys, strict=True))
        anchors = np.asarray(to_px(spots))
        if mark["kind"] in ("lines", "area"):
            anchors = _dense(anchors)
            anchors = anchors[:: max(1, len(anchors) // 40)]
        paths = [np.asarray(line.get_xydata()) for line in ax.lines]
        curves = [_dense(np.asarray(to_px(path))) for path in paths if len(path) > 2]
        inked = np.concatenate(curves) if curves else np.empty((0, 2))
        best, least = None, np.inf
        for a, b in anchors:
            for left, low in (
                (a + 8, b + 6),
                (a - 8 - wide, b + 6),
                (a + 8, b - 6 - tall),
                (a - 8 - wide, b - 6 - tall),
                (a - wide / 2, b + 10),
                (a - wide / 2, b - 10 - tall),
                (a - wide / 2, b + 22),
                (a - wide / 2, b - 22 - tall),
            ):
                x = min(max(left, frame.x0), frame.x1 - wide)
                y = min(max(low, frame.y0), frame.y1 + 4 - tall)
                inside = (
                    (inked[:, 0] > x - 3)
                    & (inked[:, 0] < x + wide + 3)
                    & (inked[:, 1] > y - 1)
                    & (inked[:, 1] < y + tall + 1)
                )
                hit = sum(
                    x < p + w and p < x + wide and y < q + h and q < y + tall
                    for p, q, w, h in boxes
                )
                # a twentieth of the label is free, beyond that a curve costs more
                covered, free = int(inside.sum()), wide * tall / 20 / 9
                cost = (
                    5000 * hit
                    + 12 * covered
                    + 48 * max(0.0, covered - free)
                    + 4 * float(np.hypot(x - left, y - low))
                )
                if mark["near"] is not None:
                    wish = to_px((mark["near"], ax.get_ylim()[0]))[0]
                    cost += 0.6 * abs(x + wide / 2 - wish)
                if cost < least:
                    best, least = (x, y), cost
        if best is not None:
            boxes.append((*best, wide, tall))
            place = ax.transData.inverted().transform((best[0], best[1] + 4))
            style.label(
                ax, float(place[0]), float(place[1]), words, _TOKENS[mark["colour"]]
            )


def _dense(path: NDArray[Any]) -> NDArray[Any]:
    """Points four pixels apart on a path; at a gap there are none."""
    pieces = np.split(path, np.flatnonzero(np.isnan(path).any(1)))
    points = [np.empty((0, 2))]
    for piece in pieces:
        there = piece[np.isfinite(piece).all(1)]
        if len(there):
            lengths = np.hypot(*np.diff(there, axis=0).T)
            at = np.concatenate([[0.0], np.cumsum(lengths)])
            where = np.arange(0.0, at[-1] + 1e-9, 4.0)
            points.append(
                np.stack([np.interp(where, at, there[:, k]) for k in (0, 1)], axis=1)
            )
    return np.concatenate(points)


def format_value(value: Any, format: str) -> str:
    """A number in `format` as the page writes it, or a string as it is.

    As Python's own format, but that "d" rounds, nothing is minus zero, an exponent has
    no zeros in front, and what is not finite is a dash.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if not np.isfinite(value):
        return "–"
    if format.endswith("d"):
        return tidy(f"{round(float(value)):{format}}")
    sign, rest = ("+", format[1:]) if format.startswith("+") else ("", format)
    return tidy(f"{float(value):{sign}z{rest}}")
