"""The marks of an explorable and the panels that hold them.

The arguments `x`, `y` and the like are names of results of `compute` or of controls;
the position of a line or text may be a number, too. `label` is written beside the mark
and may contain values in braces: ``label="{waves} waves"``. `name` is used where values
are listed, by default it is the label. `colour` is 0 for a reference, 1 for the
subject, 2 for a rival or a failure, 3 to 5 for others. `gaps=True` allows NaN. `format`
is a Python number format. All functions raise `ValueError` or `TypeError` that begins
with the name of the argument.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from explainers.notebook.explore.controls import check_format

Field = str | float


@dataclass(frozen=True)
class Mark:
    """One mark; made by `lines`, `points`, `bars` and the other functions below."""

    kind: str
    fields: dict[str, Field]
    options: dict[str, Any]

    @property
    def names(self) -> dict[str, str]:
        """The names of results or controls, by argument."""
        return {key: name for key, name in self.fields.items() if isinstance(name, str)}


def _mark(kind: str, fields: dict[str, Any], **options: Any) -> Mark:
    colour = options["colour"]
    if isinstance(colour, bool) or colour not in range(6):
        raise ValueError(f"colour: expected an int from 0 to 5, got {colour!r}")
    for key, value in fields.items():
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise TypeError(f"{key}: expected a name or a number, got {value!r}")
    check_format("format", options["format"])
    return Mark(kind, fields, options)


def lines(
    x: str,
    y: str,
    *,
    colour: int = 1,
    label: str = "",
    name: str = "",
    near: float | None = None,
    trail: int = 0,
    head: bool = False,
    dash: bool = False,
    thin: bool = False,
    gaps: bool = False,
    format: str = ".3g",
) -> Mark:
    """A line through (`x`, `y`), of shapes (n,) and (n,), or (n,) and (k, n) for k
    lines.

    `trail` is the number of earlier stops of the first slider whose lines are drawn
    fainter; `head` draws a dot at the end, `dash` a dashed and `thin` a thin line;
    `near` is the x coordinate near which the label is placed if possible.
    """
    if trail < 0:
        raise ValueError(f"trail: expected at least 0, got {trail}")
    return _mark(
        "lines",
        {"x": x, "y": y},
        colour=colour,
        label=label,
        name=name,
        near=near,
        trail=trail,
        head=head,
        dash=dash,
        thin=thin,
        gaps=gaps,
        format=format,
        read=True,
    )


def points(
    x: str,
    y: str,
    *,
    colour: int = 1,
    label: str = "",
    name: str = "",
    near: float | None = None,
    gaps: bool = False,
    format: str = ".3g",
) -> Mark:
    """A dot at each (`x`, `y`), both of shape (n,)."""
    return _mark(
        "points",
        {"x": x, "y": y},
        colour=colour,
        label=label,
        name=name,
        near=near,
        gaps=gaps,
        format=format,
        read=True,
    )


def bars(
    x: str,
    y: str,
    *,
    colour: int = 1,
    label: str = "",
    name: str = "",
    near: float | None = None,
    gaps: bool = False,
    format: str = ".3g",
) -> Mark:
    """A bar from 0 to `y` at each `x`, both of shape (n,)."""
    return _mark(
        "bars",
        {"x": x, "y": y},
        colour=colour,
        label=label,
        name=name,
        near=near,
        gaps=gaps,
        format=format,
        read=True,
    )


def area(
    x: str,
    y: str,
    *,
    low: Field | None = None,
    colour: int = 0,
    label: str = "",
    name: str = "",
    near: float | None = None,
    gaps: bool = False,
    read: bool = True,
    format: str = ".3g",
) -> Mark:
    """The area between `y` and `low`, by default 0; `x`, `y` and `low` of shape (n,).

    In colour 0 it is grey with an edge, the style of a reference. With `read=False` its
    values are not listed under the pointer.
    """
    fields: dict[str, Field] = {"x": x, "y": y}
    if low is not None:
        fields["low"] = low
    return _mark(
        "area",
        fields,
        colour=colour,
        label=label,
        name=name,
        near=near,
        gaps=gaps,
        read=read,
        format=format,
    )


def heatmap(x: str, y: str, z: str, *, colour: int = 1, gaps: bool = False) -> Mark:
    """A cell for each entry of `z`, of shape (len(y), len(x)), with opacity
    proportional to its absolute value.

    `x` and `y` are the centres of the cells, at equal distances. Negative entries have
    colour 2.
    """
    return _mark(
        "heatmap", {"x": x, "y": y, "z": z}, colour=colour, gaps=gaps, label="",
        format=".3g", read=False,
    )  # fmt: skip


def hline(at: Field, *, colour: int = 0, label: str = "") -> Mark:
    """A horizontal line at `at`: a number, a scalar result or a control."""
    return _mark("hline", {"at": at}, colour=colour, label=label, format="g")


def vline(at: Field, *, colour: int = 0, label: str = "") -> Mark:
    """A vertical line at `at`: a number, a scalar result or a control."""
    return _mark("vline", {"at": at}, colour=colour, label=label, format="g")


def lowest(
    x: str, y: str, *, colour: int = 1, label: str = "lowest", format: str = ".2f"
) -> Mark:
    """A dot at the smallest `y`, labelled with its value; `x` and `y` of shape (n,)."""
    return _mark(
        "extreme", {"x": x, "y": y}, lowest=True, colour=colour, label=label,
        format=format,
    )  # fmt: skip


def highest(
    x: str, y: str, *, colour: int = 1, label: str = "highest", format: str = ".2f"
) -> Mark:
    """A dot at the largest `y`, labelled with its value; `x` and `y` of shape (n,)."""
    return _mark(
        "extreme", {"x": x, "y": y}, lowest=False, colour=colour, label=label,
        format=format,
    )  # fmt: skip


def text(
    x: Field, y: Field, words: str, *, colour: int = 0, format: str = ".3g"
) -> Mark:
    """The result `words`, a string or a number, written at (`x`, `y`)."""
    return _mark(
        "text", {"x": x, "y": y, "words": words}, colour=colour, label="", format=format
    )


@dataclass(frozen=True)
class Panel:
    """Marks on one pair of axes; made by `panel`."""

    title: str
    marks: tuple[Mark, ...]
    ratio: float
    log: str
    free: bool
    equal: bool
    xlabel: str
    xlim: tuple[float, float] | None
    ylim: tuple[float, float] | None
    xticks: Sequence[float] | None
    yticks: Sequence[float] | None


def panel(
    title: str,
    *marks: Mark,
    ratio: float = 1,
    log: str = "",
    free: bool = False,
    equal: bool = False,
    xlabel: str = "",
    xlim: tuple[float, float] | None = None,
    ylim: tuple[float, float] | None = None,
    xticks: Sequence[float] | None = None,
    yticks: Sequence[float] | None = None,
) -> Panel:
    """A panel of an explorable: a title that says what is measured, and marks.

    `ratio` is the width relative to the other panels. `log` names the logarithmic axes,
    "x", "y" or "xy". By default the limits contain the results of all settings; `xlim`
    and `ylim` fix them, and `free=True` adapts y to each setting. With `equal=True` the
    limits of one axis are widened, so that one unit is as long on both; such a map has
    no axis line and no grid. Ticks are chosen automatically unless given.
    """
    if not marks:
        raise ValueError("marks: expected at least one, got none")
    if log not in ("", "x", "y", "xy"):
        raise ValueError(f"log: expected '', 'x', 'y' or 'xy', got {log!r}")
    if not ratio > 0:
        raise ValueError(f"ratio: expected above 0, got {ratio}")
    if free and ylim is not None:
        raise ValueError("free: expected either free=True or ylim, got both")
    if equal and (log or free):
        raise ValueError("equal: expected neither log nor free with it")
    for name, limits in (("xlim", xlim), ("ylim", ylim)):
        if limits is not None and (len(limits) != 2 or limits[0] == limits[1]):
            raise ValueError(f"{name}: expected two different numbers, got {limits!r}")
    return Panel(
        title, marks, ratio, log, free, equal, xlabel, xlim, ylim, xticks, yticks
    )


@dataclass(frozen=True)
class Readout:
    """A value in the line below the panels; made by `readout`."""

    name: str
    label: str
    unit: str
    format: str = field(default=".3g")


def readout(name: str, label: str = "", unit: str = "", format: str = ".3g") -> Readout:
    """The scalar result or control `name`, shown as "label **value** unit".

    A number is printed in `format`, a string as it is.
    """
    return Readout(name, label, unit, check_format("format", format))
