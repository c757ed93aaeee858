"""Points that are rounded to a grid, with unused grid points."""

import numpy as np

from pictures.pen import HEIGHT, WIDTH, dots, numbers, path, segments


def draw() -> tuple[str, list[str]]:
    rng = np.random.default_rng(21)
    pitch, columns, rows = 38.0, 7, 4
    corner = np.array([WIDTH - (columns - 1) * pitch, HEIGHT - (rows - 1) * pitch]) / 2
    limit = np.array([columns, rows])
    samples: list[np.ndarray] = []
    while len(samples) < 27:
        z = rng.uniform(-0.45, limit - 0.55)
        clear = all(np.hypot(*(z - other)) > 0.34 for other in samples)
        if clear and 0.24 < np.hypot(*(z - np.round(z))) < 0.6:
            samples.append(z)
    points = np.array(samples)
    codes = np.round(points)
    used = np.unique(codes, axis=0)
    every = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
    unused = np.array([c for c in every if not (used == c).all(axis=1).any()])
    crosses = "".join(f"M{numbers(corner + c * pitch - [4, 0])}h8m-4-4v8" for c in unused)
    parts = [
        path(crosses, "s-track", stroke_width=1.2),
        path(segments(corner + points * pitch, corner + codes * pitch), "s-c1", stroke_width=1.2),
        path(dots(corner + used * pitch, 5), "p-c1"),
        path(dots(corner + points * pitch, 2.7), "p-ink3"),
    ]
    return (
        "Scattered grey points, each tied by a short line to the nearest point of a square grid. Grid points "
        "in use are blue discs, the others small crosses.",
        parts,
    )
