"""The Matplotlib style of all static figures, and functions for parts that they share.

Colours are for quantities, ink for everything else. `COLOURS` holds the values of the
light theme. On the site each is replaced by the CSS custom property of the same name,
so that a figure follows the reader's theme.
"""

from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes

from explainers.notebook.words import tidy

COLOURS = {
    "paper": "#ffffff",
    "ink": "#15181c",
    "ink2": "#4a525c",
    "ink3": "#646d78",
    "rule": "#d8dce1",
    "track": "#8a929c",
    "area": "#e3e6ea",
    "c1": "#0064e9",
    "c2": "#b8520d",
    "c3": "#008152",
    "c4": "#730986",
    "c5": "#543600",
}
"""The colour of each token; `c1` is our subject, `c2` the rival or what fails, `ink2`
the reference."""

_PX = 72 / 100  # one CSS pixel in points, as figures are drawn at 100 pixels an inch


def use() -> None:
    """Set Matplotlib's defaults in this process to the style of the book."""
    mpl.rcParams.update(
        {
            "figure.dpi": 100,
            "figure.facecolor": COLOURS["paper"],
            "svg.fonttype": "none",
            "font.size": 13 * _PX,
            "text.color": COLOURS["ink2"],
            "axes.facecolor": "none",
            "axes.edgecolor": COLOURS["track"],
            "axes.labelcolor": COLOURS["ink3"],
            "axes.linewidth": _PX,
            "axes.prop_cycle": cycler(color=[COLOURS[f"c{i}"] for i in range(1, 6)]),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.spines.left": False,
            "axes.grid": False,
            "axes.titlesize": 13 * _PX,
            "axes.titlecolor": COLOURS["ink2"],
            "axes.titlelocation": "left",
            "axes.titlepad": 14 * _PX,
            "lines.linewidth": 2.25 * _PX,
            "lines.solid_capstyle": "round",
            "xtick.color": COLOURS["ink3"],
            "xtick.major.size": 0,
            "xtick.minor.size": 0,
            "xtick.major.pad": 6 * _PX,
            "ytick.major.size": 0,
            "ytick.minor.size": 0,
            "legend.frameon": False,
        }
    )


def panel(
    ax: Axes,
    title: str,
    *,
    xticks: list[float],
    yticks: list[float] | None = None,
    xlim: tuple[float, float] | None = None,
    ylim: tuple[float, float] | None = None,
    log: str = "",
    equal: bool = False,
) -> Axes:
    """Set up `ax` in the style of the book, and return it.

    The title is at the top left. `xticks` are labelled below the axis; `xlim` is by
    default from the first to the last of them. `yticks` are grid lines with their
    values at the left end. `log` names the logarithmic axes, "x", "y" or "xy". With
    `equal=True` the limits of one axis are widened, so that one unit is as long on
    both, and there is no axis line.
    """
    ax.set_title(title)
    for name in log:
        # before the ticks, as a scale brings its own
        getattr(ax, f"set_{name}scale")("log")
        getattr(ax, f"{name}axis").minorticks_off()
    ax.set_xlim(*(xlim or (xticks[0], xticks[-1])))
    if ylim is not None:
        ax.set_ylim(*ylim)
    if equal:
        _widen(ax)
        ax.spines["bottom"].set_visible(False)
    ax.set_xticks(xticks, [_number(tick) for tick in xticks])
    for text, tick in zip(ax.get_xticklabels(), xticks, strict=True):
        at = ax.transAxes.inverted().transform(ax.transData.transform((tick, 1)))[0]
        text.set_horizontalalignment(
            "left" if at < 0.02 else "right" if at > 0.98 else "center"
        )
    ax.set_yticks([])
    for tick in yticks or []:
        ax.axhline(tick, color=COLOURS["rule"], linewidth=_PX, zorder=0)
        ax.annotate(
            _number(tick), (0, tick), xycoords=("axes fraction", "data"),
            xytext=(0, 3 * _PX),
            textcoords="offset points", color=COLOURS["ink3"],
        )  # fmt: skip
    return ax


def _widen(ax: Axes) -> None:
    """Widen the limits of one axis about their middle until units are equal."""
    box = ax.get_window_extent()
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    across, down = (right - left) / box.width, (high - low) / box.height
    unit = max(across, down)
    aside, above = (unit - across) * box.width / 2, (unit - down) * box.height / 2
    ax.set_xlim(left - aside, right + aside)
    ax.set_ylim(low - above, high + above)


def label(
    ax: Axes, x: float, y: float, text: str, token: str = "ink2", **keywords: Any
) -> None:
    """Write `text` at data coordinates (`x`, `y`), in the colour `COLOURS[token]` of
    the line that it labels; `keywords` are those of `Axes.annotate`."""
    ax.annotate(
        text, (x, y), xytext=keywords.pop("offset", (0, 0)), textcoords="offset points",
        color=COLOURS[token], fontsize=14 * _PX, fontweight="bold", **keywords,
    )  # fmt: skip


def reference_area(ax: Axes, x: Any, y: Any, low: Any = 0.0) -> None:
    """Fill the area from `low` to `y` in grey, with an edge along `y`: the style of a
    reference."""
    ax.fill_between(x, y, low, color=COLOURS["area"], linewidth=0, zorder=1)
    ax.plot(x, y, color=COLOURS["track"], linewidth=1.1 * _PX, zorder=1.5)


def _number(value: float) -> str:
    return tidy(f"{value:g}")
