"""The average regret of several games of coin tosses, and its bound."""

import numpy as np

from pictures.pen import curve, label, number, numbers, path, polyline


def draw() -> tuple[str, list[str]]:
    rng = np.random.default_rng(1)  # a sample whose luckiest run hardly dips below zero
    d, g, last, runs = 2.0, 1.0, 200, 9
    horizons = np.unique(np.round(np.linspace(1, np.sqrt(last), 44) ** 2).astype(int))
    signs = rng.choice([-1.0, 1.0], size=(runs, last))
    regret = np.empty((runs, len(horizons)))
    for n, horizon in enumerate(horizons):  # each horizon has its own constant step, as the bound asks
        step, place, loss = d / (g * np.sqrt(horizon)), np.zeros(runs), np.zeros(runs)
        for t in range(horizon):
            loss += g * signs[:, t] * place
            place = np.clip(place - step * g * signs[:, t], -d / 2, d / 2)
        best = -d / 2 * np.abs(g * signs[:, :horizon].sum(axis=1))
        regret[:, n] = (loss - best) / horizon
    left, right, floor, high = 28.0, 296.0, 164.0, 146.0

    def across(t: np.ndarray) -> np.ndarray:
        return left + (right - left) * (np.sqrt(t) - 1) / (np.sqrt(last) - 1)

    def up(y: np.ndarray) -> np.ndarray:
        return floor - high * y / (d * g)

    x = np.linspace(left, right, 25)
    t = (1 + (x - left) / (right - left) * (np.sqrt(last) - 1)) ** 2
    parts = [
        path(f"M{numbers([left - 6, floor])}H{number(right + 6)}", "s-track", stroke_width=1.2),
        path(
            "".join(polyline(across(horizons), up(r)) for r in regret),
            "s-ink3",
            stroke_width=1.2,
            opacity=0.6,
        ),
        path(curve(x, up(d * g / np.sqrt(t))), "s-c1", stroke_width=2.6, stroke_linecap="round"),
        label(96, 84, "what the proof allows", "p-c1"),
    ]
    return (
        "A blue curve that falls like one over the square root of time, and below it, always below it, nine "
        "thin grey runs of a game of coin tosses.",
        parts,
    )
