"""Points, a curve, and the point of the curve that is nearest to each."""

import numpy as np

from pictures.pen import curve, dots, path, segments


def draw() -> tuple[str, list[str]]:
    rng = np.random.default_rng(4)

    def data(x: np.ndarray) -> np.ndarray:
        return 96 - 44 * np.sin((x - 38) / 244 * 2 * np.pi * 0.94)

    fine = np.linspace(38, 282, 4881)
    line = np.column_stack([fine, data(fine)])
    points: list[np.ndarray] = []
    feet: list[np.ndarray] = []
    for _ in range(600):  # as many as find room, about a dozen
        z = rng.uniform([22, 16], [298, 174])
        distance = np.hypot(*(line - z).T)
        foot = line[distance.argmin()]
        apart = all(np.hypot(*(foot - f)) > 17 for f in feet)
        clear = all(np.hypot(*(z - p)) > 20 for p in points)
        if apart and clear and 24 < distance.min() < 80 and 0 < distance.argmin() < len(fine) - 1:
            points.append(z)
            feet.append(foot)
    x = np.linspace(38, 282, 17)
    parts = [
        path(segments(np.array(points), np.array(feet)), "s-c2", stroke_width=1.2, opacity=0.8),
        path(curve(x, data(x)), "s-c1", stroke_width=2.6, stroke_linecap="round"),
        path(dots(np.array(feet), 4.2), "p-c2"),
        path(dots(np.array(points), 2.7), "p-ink3"),
    ]
    return (
        "A blue wave, and grey points around it. Each point is tied by a straight line to its nearest point "
        "on the wave, a rust dot, which would stay where it is.",
        parts,
    )
