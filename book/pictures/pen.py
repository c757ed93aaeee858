"""The pen of the cards' drawings: paths and labels in the coordinates of one card.

A drawing is inlined in the page, so it carries no styles or ids of its own: colour comes from classes that
the stylesheet defines, p-NAME for fill and s-NAME for stroke.
"""

from collections.abc import Iterable

import numpy as np

WIDTH, HEIGHT = 320, 190


def number(value: float) -> str:
    """One decimal, without zeros that say nothing."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def numbers(values: Iterable[float]) -> str:
    """Numbers in a row; a minus sign parts them as well as a space does."""
    return " ".join(number(v) for v in values).replace(" -", "-")


def path(d: str, name: str, **attributes: float | str) -> str:
    more = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in attributes.items())
    return f'<path class="{name}"{more} d="{d}"/>'


def label(x: float, y: float, text: str, name: str, anchor: str = "") -> str:
    where = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text class="label {name}" x="{number(x)}" y="{number(y)}"{where}>{text}</text>'


def polyline(x: np.ndarray, y: np.ndarray) -> str:
    """Steps between rounded points, so that rounding does not add up."""
    points = np.round(np.column_stack([x, y]), 1)
    return f"M{numbers(points[0])}l{numbers(np.diff(points, axis=0).ravel())}"


def curve(x: np.ndarray, y: np.ndarray, slope: np.ndarray | None = None) -> str:
    """A smooth path through points at equal distances in x."""
    slope = np.gradient(y, x, edge_order=2) if slope is None else slope
    third = (x[1] - x[0]) / 3
    back = np.column_stack([x - third, y - slope * third, x, y])
    first = [x[0] + third, y[0] + slope[0] * third]
    return f"M{numbers([x[0], y[0]])}C{numbers([*first, *back[1]])}S{numbers(back[2:].ravel())}"


def dots(points: np.ndarray, radius: float) -> str:
    """Discs as one path."""
    r, d = number(radius), number(2 * radius)
    return "".join(f"M{numbers([x - radius, y])}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0-{d} 0" for x, y in points)


def segments(start: np.ndarray, end: np.ndarray) -> str:
    return "".join(f"M{numbers(a)}L{numbers(b)}" for a, b in zip(start, end, strict=True))


def box(x: float, y: float, width: float, height: float) -> str:
    return f"M{numbers([x, y])}h{number(width)}v{number(height)}h-{number(width)}z"
