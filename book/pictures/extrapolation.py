"""A sketch of the loss against position, within the trained length and beyond it."""

import numpy as np

from pictures.pen import curve, label, number, numbers, path, polyline


def draw() -> tuple[str, list[str]]:
    rng = np.random.default_rng(3)
    left, split, right, floor = 24.0, 150.0, 302.0, 158.0
    x = np.linspace(left, right - 4, 27)
    calm = 92 + (131 - 92) * (1 - np.exp(-(x - left) / 24)) + 1.2 * np.sin(x / 9)
    x2 = np.arange(split, right - 3, 2.0)
    rise = 1 - np.exp(-(x2 - split) / 34)
    wild = np.interp(split, x, calm) - 100 * rise - rise * rng.normal(scale=1.7, size=len(x2))
    parts = [
        path(f"M{numbers([left, 18])}H{number(split)}V{number(floor)}H{number(left)}z", "p-area"),
        path(
            f"M{numbers([split, 18])}V{number(floor)}M{numbers([left, floor])}H{number(right)}",
            "s-track",
            stroke_width=1.2,
        ),
        path(polyline(x2, wild), "s-c2", stroke_width=2, stroke_linejoin="round"),
        path(curve(x, calm), "s-c1", stroke_width=2.6, stroke_linecap="round"),
        label(split - 7, 176, "trained", "p-ink2", "end"),
        label(split + 7, 176, "beyond", "p-ink2"),
    ]
    return (
        "Loss against position. It falls and settles within the trained length; beyond it one curve, "
        "in rust, shoots up and the other, in blue, stays flat.",
        parts,
    )
