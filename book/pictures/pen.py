"""SVG elements for the pictures on the cards, in the coordinates of one card, 320 by 190.

A picture is part of the page, so it has no styles or ids of its own. Colours are classes of the stylesheet,
p-NAME for fill and s-NAME for stroke.
"""

from collections.abc import Iterable

import numpy as np

WIDTH, HEIGHT = 320, 190


def number(value: float) -> str:
    """`value` with at most one decimal, and without redundant zeros: ".5", "2", "-3.1"."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def numbers(values: Iterable[float]) -> str:
    """The numbers separated by a space, or by the minus sign of the next one."""
    return " ".join(number(v) for v in values).replace(" -", "-")


def path(d: str, name: str, **attributes: float | str) -> str:
    """A path with the data `d` and the class `name`; `attributes` are written with - for _."""
    more = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in attributes.items())
    return f'<path class="{name}"{more} d="{d}"/>'


def label(x: float, y: float, text: str, name: str, anchor: str = "") -> str:
    """Text at (`x`, `y`) with the class `name`; `anchor` is the SVG attribute text-anchor."""
    where = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text class="label {name}" x="{number(x)}" y="{number(y)}"{where}>{text}</text>'


def polyline(x: np.ndarray, y: np.ndarray) -> str:
    """The path data of a line through the points, as steps between rounded points: errors do not add up."""
    points = np.round(np.column_stack([x, y]), 1)
    return f"M{numbers(points[0])}l{numbers(np.diff(points, axis=0).ravel())}"


def curve(x: np.ndarray, y: np.ndarray, slope: np.ndarray | None = None) -> str:
    """The path data of a smooth curve through points at equal distances in `x`.

    `slope` is the derivative at each point, by default estimated from `y`.
    """
    slope = np.gradient(y, x, edge_order=2) if slope is None else slope
    third = (x[1] - x[0]) / 3
    back = np.column_stack([x - third, y - slope * third, x, y])
    first = [x[0] + third, y[0] + slope[0] * third]
    return f"M{numbers([x[0], y[0]])}C{numbers([*first, *back[1]])}S{numbers(back[2:].ravel())}"


def dots(points: np.ndarray, radius: float) -> str:
    """The path data of a disc at each of `points`, of shape (n, 2)."""
    r, d = number(radius), number(2 * radius)
    return "".join(f"M{numbers([x - radius, y])}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0-{d} 0" for x, y in points)


def segments(start: np.ndarray, end: np.ndarray) -> str:
    """The path data of a line from each point of `start` to that of `end`, both of shape (n, 2)."""
    return "".join(f"M{numbers(a)}L{numbers(b)}" for a, b in zip(start, end, strict=True))


def box(x: float, y: float, width: float, height: float) -> str:
    """The path data of a rectangle with its upper left corner at (`x`, `y`)."""
    return f"M{numbers([x, y])}h{number(width)}v{number(height)}h-{number(width)}z"
