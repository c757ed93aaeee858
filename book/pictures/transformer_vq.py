"""An attention matrix whose keys are quantized to four codes: columns with the same code are equal."""

import numpy as np

from pictures.pen import box, label, path


def draw() -> tuple[str, list[str]]:
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
