"""The marks of an explorable and the panels that hold them.

The fields of a mark are names in the result of `compute`, or of a control; where one
number stands for a place, it may be a number too. A label follows its mark and may
hold values in braces: ``label="{waves} waves"``; `name` is what it is called where
values are read, by default its label. Colours are the book's: 0 the
reference, 1 our subject, 2 the rival or what fails, 3 to 5 others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from explainers.notebook.explore.controls import check_format

Field = str | float


@dataclass(frozen=True)
class Mark:
    """Something drawn; made by `lines`, `points`, `bars` and the other functions."""

    kind: str
    fields: dict[str, Field]
    options: dict[str, Any]

    @property
    def names(self) -> dict[str, str]:
        """The fields that are names, by the argument that gave them."""
        return {key: name for key, name in self.fields.items() if isinstance(name, str)}


def _mark(kind: str, fields: dict[str, Any], **options: Any) -> Mark:
    colour = options["colour"]
    if isinstance(colour, bool) or colour not in range(6):
        raise ValueError(f"colour: {colour!r} is not one of the book's, 0 to 5")
    for key, value in fields.items():
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise TypeError(f"{key}: {value!r} is not a name or a number")
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
    """A line through (`x`, `y`), shapes (n,) and (n,), or (k, n) for k lines at once.

    `trail` shows fainter lines at so many earlier stops of the first slider; `head` a
    dot at the end; `near` is where, on the x axis, the label had best stand.
    """
    if trail < 0:
        raise ValueError(f"trail: {trail} is not a number of earlier stops")
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
    """A dot at each (`x`, `y`), shapes (n,)."""
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
    """A bar from zero to `y` at each `x`, shapes (n,)."""
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
    """The area between `y` and `low`, shapes (n,); without `low`, down to zero.

    In colour 0 it is the reference: grey with an edge. `read=False` keeps it out of
    the values under the pointer.
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
    """A cell for each entry of `z`, shape (len(y), len(x)), as strong as its size.

    `x` and `y` are the cells' centres at equal distances. Negative cells are rust.
    """
    return _mark(
        "heatmap", {"x": x, "y": y, "z": z}, colour=colour, gaps=gaps, label="",
        format=".3g", read=False,
    )  # fmt: skip


def hline(at: Field, *, colour: int = 0, label: str = "") -> Mark:
    """A horizontal line at a number, a result or a control."""
    return _mark("hline", {"at": at}, colour=colour, label=label, format="g")


def vline(at: Field, *, colour: int = 0, label: str = "") -> Mark:
    """A vertical line at a number, a result or a control."""
    return _mark("vline", {"at": at}, colour=colour, label=label, format="g")


def lowest(
    x: str, y: str, *, colour: int = 1, label: str = "lowest", format: str = ".2f"
) -> Mark:
    """A dot at the lowest point of (`x`, `y`), with its value."""
    return _mark(
        "extreme", {"x": x, "y": y}, lowest=True, colour=colour, label=label,
        format=format,
    )  # fmt: skip


def highest(
    x: str, y: str, *, colour: int = 1, label: str = "highest", format: str = ".2f"
) -> Mark:
    """A dot at the highest point of (`x`, `y`), with its value."""
    return _mark(
        "extreme", {"x": x, "y": y}, lowest=False, colour=colour, label=label,
        format=format,
    )  # fmt: skip


def text(
    x: Field, y: Field, words: str, *, colour: int = 0, format: str = ".3g"
) -> Mark:
    """A result, words or a number, written at (`x`, `y`)."""
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
    xlabel: str = "",
    xlim: tuple[float, float] | None = None,
    ylim: tuple[float, float] | None = None,
    xticks: Sequence[float] | None = None,
    yticks: Sequence[float] | None = None,
) -> Panel:
    """A panel of an explorable: a title that says what is measured, and its marks.

    `ratio` is its width beside the other panels. `log` names the logarithmic axes, "x",
    "y" or "xy". The axes hold all settings unless `xlim` or `ylim` say otherwise;
    `free=True` fits y to each setting. Ticks are chosen if not given.
    """
    if not marks:
        raise ValueError("marks: a panel without marks shows nothing")
    if log not in ("", "x", "y", "xy"):
        raise ValueError(f"log: {log!r} is not 'x', 'y' or 'xy'")
    if not ratio > 0:
        raise ValueError(f"ratio: {ratio} is not above 0")
    if free and ylim is not None:
        raise ValueError("free: the y axis cannot be fixed by ylim and free as well")
    for name, limits in (("xlim", xlim), ("ylim", ylim)):
        if limits is not None and (len(limits) != 2 or limits[0] == limits[1]):
            raise ValueError(f"{name}: {limits!r} is not a pair of different numbers")
    return Panel(title, marks, ratio, log, free, xlabel, xlim, ylim, xticks, yticks)


@dataclass(frozen=True)
class Readout:
    """A number in the line below the panels; made by `readout`."""

    name: str
    label: str
    unit: str
    format: str = field(default=".3g")


def readout(name: str, label: str = "", unit: str = "", format: str = ".3g") -> Readout:
    """The result or control `name` as "label **value** unit"; words are shown as is."""
    return Readout(name, label, unit, check_format("format", format))
