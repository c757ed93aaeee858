"""Explorables: figures with controls that work on a static page and in any notebook.

`explore` computes the results for every setting of the controls when the page is built,
and packs them into one small table. In the browser they are only looked up and drawn,
so no kernel is needed.
"""

from explainers.notebook.explore.controls import Choice, Play, Slider, Toggle
from explainers.notebook.explore.marks import (
    area,
    bars,
    heatmap,
    highest,
    hline,
    lines,
    lowest,
    panel,
    points,
    readout,
    text,
    vline,
)
from explainers.notebook.explore.widget import Explorable, explorable, explore

__all__ = [
    "Choice", "Explorable", "Play", "Slider", "Toggle", "area", "bars", "explorable",
    "explore", "heatmap", "highest", "hline", "lines", "lowest", "panel", "points",
    "readout", "text", "vline",
]  # fmt: skip
