"""Three failed attempts with waiting times that double, and a successful one."""

from itertools import pairwise

import numpy as np

from pictures.pen import dots, label, number, numbers, path, polyline


def draw() -> tuple[str, list[str]]:
    second, start, level, radius = 33.0, 40.0, 132.0, 9.0
    times = np.array([0, 1, 3, 7])  # tries take no time here; the waits are 1, 2 and 4 seconds
    x = start + second * times
    ends = [*x, 301.0]
    gaps = "".join(
        f"M{numbers([a + radius, level])}H{number(b - radius if b != ends[-1] else b)}"
        for a, b in pairwise(ends)
    )
    parts = [path(f"M18 {number(level)}H{number(x[0] - radius)}{gaps}", "s-track", stroke_width=1.2)]
    arcs = []
    for a, b in pairwise(x):  # a half circle, cut where it meets the discs
        r = (b - a) / 2
        inset = (radius + 2) ** 2 / (2 * r)
        rise = np.sqrt(r**2 - (r - inset) ** 2)
        arcs.append(
            f"M{numbers([a + inset, level - rise])}A{numbers([r, r])} 0 0 1 "
            f"{numbers([b - inset, level - rise])}"
        )
        parts.append(label((a + b) / 2, level - r - 8, f"{number((b - a) / second)} s", "p-ink2", "middle"))
    parts.append(path("".join(arcs), "s-ink3", stroke_width=1.2, stroke_dasharray="4 3"))
    failed = np.column_stack([x[:3], np.full(3, level)])
    crosses = "".join(f"M{numbers(c - 3.4)}l6.8 6.8m0-6.8l-6.8 6.8" for c in failed)
    parts.append(path(dots(failed, radius - 1) + crosses, "s-c2", stroke_width=2, stroke_linecap="round"))
    parts.append(path(dots(np.array([[x[3], level]]), radius + 1), "p-c1"))
    tick = np.array([[-3.8, -0.5], [-1.3, 1.9], [3.9, -4.1], [5.5, -2.7], [-1.3, 4.9], [-5.2, 0.9]])
    parts.append(path(polyline(x[3] + tick[:, 0], level + tick[:, 1]) + "z", "p-paper"))
    return (
        "A time line with three failed tries, rust crosses, and waits of one, two and four seconds between "
        "them, arcs that double; the fourth try succeeds, a blue disc with a tick.",
        parts,
    )
