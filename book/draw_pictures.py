"""Draw the eight card pictures of the home page: `python book/draw_pictures.py` writes book/pictures/*.svg.

The pictures are inlined in the page, so they carry no styles or ids of their own: colour comes from classes
that the stylesheet defines, p-NAME for fill and s-NAME for stroke. `extrapolation` and `mla` are sketches;
the others are computed from the thing they show.
"""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np

OUT = Path(__file__).parent / "pictures"
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


def transformer_vq() -> tuple[str, list[str]]:
    rng = np.random.default_rng(5)
    size, pitch, codes, left, top = 15, 10.6, 4, 80.5, 21.0
    code = np.array([0, 1, 1, 2, 0, 3, 1, 2, 3, 0, 1, 2, 2, 0, 1])
    scores = rng.normal(size=(size, 3)) @ rng.normal(size=(3, codes))
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    shade = np.digitize(scores, [0.08, 0.25, 0.6])  # the shades depend on the row and on the code only
    opacity = [0.15, 0.35, 0.6, 1.0]
    cell = pitch - 1.2
    parts = []
    for name, chosen in (("p-ink3", False), ("p-c1", True)):
        columns = [j for j in range(size) if (code[j] == 1) == chosen]
        heads = "".join(box(left + j * pitch, top - 9, cell, 4) for j in columns)
        parts.append(path(heads, name))
        for level, alpha in enumerate(opacity):
            d = "".join(
                box(left + j * pitch, top + i * pitch, cell, cell)
                for i in range(size)
                for j in columns
                if j <= i and shade[i, code[j]] == level
            )
            weight = alpha if chosen else 0.75 * alpha
            parts.append(path(d, name, opacity=f"{weight:.2g}"))
    parts.append(label(186, 55, "same code,", "p-c1"))
    parts.append(label(186, 72, "same column", "p-c1"))
    return (
        "A causal attention matrix, a triangle of shaded cells. Five columns share one code, in blue, and "
        "have the same shades row by row.",
        parts,
    )


def extrapolation() -> tuple[str, list[str]]:
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


def mla() -> tuple[str, list[str]]:
    rng = np.random.default_rng(8)
    heads, pitch, bar, width = 16, 9.8, 6.6, 30.0
    shade = rng.permutation(np.resize([0.4, 0.6, 0.8, 1.0], heads))
    outer = 95 + pitch * (np.arange(heads) - (heads - 1) / 2)
    inner = 95 + 3.0 * (np.arange(heads) - (heads - 1) / 2)
    left, right, middle, half = 36.0, WIDTH - 36.0, WIDTH / 2, 8.0
    fans = "".join(
        f"M{numbers([left + width, a])}C{numbers([left + width + 46, a, middle - 50, b, middle - half, b])}"
        f"M{numbers([right - width, a])}C{numbers([right - width - 46, a, middle + 50, b, middle + half, b])}"
        for a, b in zip(outer, inner, strict=True)
    )
    parts = [path(fans, "s-ink3", stroke_width=1.2, opacity=0.6)]
    for alpha in np.unique(shade):
        rows = outer[shade == alpha] - bar / 2
        for x, name in ((left, "p-ink3"), (right - width, "p-c1")):
            d = "".join(box(x, y, width, bar) for y in rows)
            parts.append(path(d, name, opacity=f"{alpha:.2g}"))
    parts.append(path(box(middle - half, 68, 2 * half, 54), "p-c1"))
    parts.append(label(middle, 142, "latent", "p-ink2", "middle"))
    return (
        "Sixteen grey bars, one for each head, run together into one small blue block in the middle, and "
        "sixteen blue bars of the same shades fan out of it again.",
        parts,
    )


def fsq() -> tuple[str, list[str]]:
    rng = np.random.default_rng(21)
    pitch, columns, rows = 38.0, 7, 4
    corner = np.array([WIDTH - (columns - 1) * pitch, HEIGHT - (rows - 1) * pitch]) / 2
    limit = np.array([columns, rows])
    found: list[np.ndarray] = []
    while len(found) < 27:
        z = rng.uniform(-0.45, limit - 0.55)
        clear = all(np.hypot(*(z - other)) > 0.34 for other in found)
        if clear and 0.24 < np.hypot(*(z - np.round(z))) < 0.6:
            found.append(z)
    points = np.array(found)
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


def ign() -> tuple[str, list[str]]:
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


def fourier_density() -> tuple[str, list[str]]:
    theta = np.linspace(-np.pi, np.pi, 4097)[:-1]
    bumps = [(-1.55, 0.42, 0.95), (0.45, 0.3, -1.2), (1.6, 0.45, 0.8)]
    wanted = sum(h * np.exp(-0.5 * ((theta - m) / s) ** 2) for m, s, h in bumps)
    top = 6
    a = np.array([np.mean(wanted * np.exp(-1j * k * theta)) for k in range(top + 1)])
    t = np.linspace(-np.pi, np.pi, 33)
    waves = np.array([(2 if k else 1) * np.real(a[k] * np.exp(1j * k * t)) for k in range(top + 1)])
    amplitude = waves.sum(axis=0)  # a real sum of waves
    turn = sum(-2 * k * np.imag(a[k] * np.exp(1j * k * t)) for k in range(top + 1))  # its derivative
    density = amplitude**2
    x = 160 + t / np.pi * 134
    base, zero = 108.0, 150.0
    unit = 88 / density.max()
    line = curve(x, base - unit * density, -unit * 2 * amplitude * turn * np.pi / 134)
    scale = 30 / np.abs(amplitude).max()
    parts = [
        path(f"{line}V{number(base)}H{number(x[0])}z", "p-c1", opacity=0.1),
        path(
            f"M{numbers([x[0], zero])}H{number(x[-1])}M{numbers([x[0], base])}H{number(x[-1])}",
            "s-track",
            stroke_width=1.2,
        ),
        path(
            "".join(curve(x, zero - scale * w) for w in waves[1:5]), "s-ink3", stroke_width=1.2, opacity=0.45
        ),
        path(
            curve(x, zero - scale * amplitude, -scale * turn * np.pi / 134),
            "s-c2",
            stroke_width=2,
            stroke_linecap="round",
        ),
        path(line, "s-c1", stroke_width=2.6, stroke_linecap="round"),
    ]
    return (
        "Below, some waves in grey and the sum of all in rust, which goes under zero. Above, its square, "
        "in blue, a density with three peaks that never does.",
        parts,
    )


def sgd() -> tuple[str, list[str]]:
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


def retry() -> tuple[str, list[str]]:
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


PICTURES = [transformer_vq, extrapolation, mla, fsq, ign, fourier_density, sgd, retry]


def main() -> None:
    OUT.mkdir(exist_ok=True)
    for picture in PICTURES:
        seen, parts = picture()
        svg = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{seen}">{"".join(parts)}</svg>\n'
        (OUT / f"{picture.__name__}.svg").write_text(svg, encoding="utf-8")
        print(f"{picture.__name__:16} {len(svg):6,} bytes")


if __name__ == "__main__":
    main()
