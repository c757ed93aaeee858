"""Limits and ticks of axes, and the data and the still picture of marks."""

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from explainers.notebook.explore import (
    Choice,
    area,
    bars,
    heatmap,
    highest,
    hline,
    lines,
    panel,
    points,
    text,
    vline,
)
from explainers.notebook.explore.table import linear_ticks, log_ticks
from tests.explorables import unpack
from tests.notebook.explore.parabola import SIZE, made, x


def test_the_y_axis_holds_every_setting() -> None:
    y = made().spec["panels"][0]["y"]
    assert y["lo"] == 0
    assert 20 < y["hi"] < 23
    assert made(view=bars("x", "y")).spec["panels"][0]["y"]["lo"] == 0


def test_a_shared_axis_holds_both_panels() -> None:
    def compute(size: int) -> dict[str, Any]:
        return {"x": x, "low": -size * x, "high": 2 * size * x}

    view = [panel("Down", lines("x", "low")), panel("Up", lines("x", "high"))]
    ends = [(p["y"]["lo"], p["y"]["hi"]) for p in made(compute, view=view, share_y=True).spec["panels"]]
    assert ends[0] == ends[1]
    assert ends[0][0] < -20
    assert ends[0][1] > 40


def test_a_free_axis_follows_each_setting() -> None:
    widget = made(view=panel("", lines("x", "y"), free=True))
    low, high = widget.spec["panels"][0]["y"]["free"]
    back = unpack(widget.table, widget.spec["arrays"])
    assert np.allclose(back[high], 1.08 * np.arange(1, 21))
    assert np.allclose(back[low], 0)


@pytest.mark.parametrize(
    ("lo", "hi", "most", "ticks"),
    [
        (-1, 1, 6, [-1, -0.5, 0, 0.5, 1]),
        (0, 24, 6, [0, 5, 10, 15, 20]),
        (0.1, 2.1, 3, [1, 2]),
        (0, 1e-3, 3, [0, 5e-4, 1e-3]),
        (3, -3, 3, [-2, 0, 2]),
    ],
)
def test_ticks_are_round_and_few(lo: float, hi: float, most: int, ticks: list[float]) -> None:
    assert linear_ticks(lo, hi, most) == ticks


def test_ticks_of_a_logarithmic_axis_are_powers_of_ten() -> None:
    assert log_ticks(0.01, 1000, 6) == [0.01, 0.1, 1, 10, 100, 1000]
    assert log_ticks(1e-9, 1, 3) == [1e-9, 1e-5, 1e-1]


def test_a_mark_that_leaves_its_axes_is_cut_off() -> None:
    assert not made().spec["panels"][0]["clip"]
    assert made(view=panel("", lines("x", "y"), ylim=(0, 5))).spec["panels"][0]["clip"]


def test_the_trail_runs_along_the_first_slider_that_changes_the_curve() -> None:
    def compute(pick: str, size: int) -> dict[str, Any]:
        return {"x": x, "y": size * x + len(pick)}

    widget = made(
        compute, controls={"pick": Choice(["a", "bb"]), "size": SIZE}, view=lines("x", "y", trail=2)
    )
    assert widget.spec["panels"][0]["marks"][0]["along"] == 1


def test_one_unit_of_a_map_is_as_long_on_both_axes_of_the_still_picture() -> None:
    def measured(**keywords: Any) -> list[float]:
        view = panel("", lines("x", "y"), xlim=(0, 1), ylim=(0, 1), **keywords)
        axes = Figure(figsize=(6, 2)).add_axes((0, 0, 1, 1))
        made(view=view).still.panels[0](axes)
        origin, one = axes.transData.transform([(0, 0), (1, 1)])
        return list(one - origin)

    across, down = measured(equal=True)
    assert across == pytest.approx(down)
    across, down = measured()
    assert across == pytest.approx(3 * down)


def test_every_mark_has_a_still_picture() -> None:
    def compute(size: int) -> dict[str, Any]:
        grid = np.linspace(-1, 1, 6)
        return {
            "x": x, "y": size * x**2, "low": -x, "many": np.stack([x, 2 * x]),
            "cut": np.where(x > 0.5, np.nan, x), "grid": grid, "z": np.outer(grid, grid) * size,
            "mean": size / 3, "word": "few" if size < 9 else "many",
        }  # fmt: skip

    view = [
        panel(
            "All", area("x", "y", label="area"), area("x", "y", low="low", colour=3),
            lines("x", "many", label="two of {size}", trail=2, head=True, dash=True),
            lines("x", "cut", gaps=True, thin=True), points("x", "y", colour=2), hline("mean", label="mean"),
            vline(0.5, label="half"), highest("x", "y"), text(0.2, 10, "word"),
        ),
        panel("Cells", heatmap("grid", "grid", "z")),
        panel("Bars", bars("x", "y"), log="", xlabel="place"),
        panel("Log", lines("x", "y", gaps=True), log="", free=True),
    ]  # fmt: skip
    svg = made(compute, view=view).still.wide()
    for words in ("area", "two of 3", "mean", "half", "highest 3.00", "few", "Cells", "place"):
        assert f">{words}<" in svg, words
