"""A sum of waves that is negative in places, and its square."""

import numpy as np

from pictures.pen import curve, number, numbers, path


def draw() -> tuple[str, list[str]]:
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
