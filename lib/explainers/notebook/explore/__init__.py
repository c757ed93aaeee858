"""Explorables: figures with controls that move on the static page and in any notebook.

`explore` computes everything that the controls can show when the page is built, and
keeps it in one small table; in the browser it is only looked up and drawn, so nothing
runs in a kernel and no mathematics is written twice.
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
