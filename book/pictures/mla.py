"""A sketch of attention heads that are compressed into one latent and expanded again."""

import numpy as np

from pictures.pen import WIDTH, box, label, numbers, path


def draw() -> tuple[str, list[str]]:
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
