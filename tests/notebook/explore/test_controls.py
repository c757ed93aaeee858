"""Controls, and the errors for invalid controls and marks."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from explainers.notebook.explore import Choice, Play, Slider, Toggle, hline, lines, panel, readout
from tests.notebook.explore.parabola import SIZE, made, x


def test_a_slider_of_whole_numbers_goes_in_steps_of_one() -> None:
    assert Slider(1, 20).stops == list(range(1, 21))
    assert Slider(0, 30, 2).stops == list(range(0, 31, 2))


def test_stops_are_the_numbers_that_a_reader_sees() -> None:
    assert Slider(-1.0, 1.0, step=0.1).stops[:4] == [-1.0, -0.9, -0.8, -0.7]
    assert 0.0 in Slider(-1.0, 1.0, step=0.1).stops
    assert Slider(0.001, 1, count=16, log=True).stops[:3] == [0.001, 0.00158, 0.00251]


def test_a_slider_says_how_it_is_drawn() -> None:
    assert Slider(-1.0, 1.0, step=0.1).spec("a")["signed"]
    assert not Slider(1, 20).spec("a")["signed"]
    assert Slider(-1.0, 1.0, step=0.05).spec("a")["format"] == ".2f"
    assert Slider(1, 20).spec("a")["format"] == "d"


@pytest.mark.parametrize(
    ("build", "names"),
    [
        (lambda: Slider(1, 10), "step: 10 stops are fewer than 15"),
        (lambda: Slider(0.0, 1.0), "count"),
        (lambda: Slider(2, 1), "last"),
        (lambda: Slider(0.0, 1.0, step=-0.1), "step"),
        (lambda: Slider(0.0, 1.0, count=20, step=0.1), "step"),
        (lambda: Slider(0.0, 1.0, count=20, log=True), "first"),
        (lambda: Slider(1, 20, default=2.5), "default: 2.5"),
        (lambda: Slider(1, 20, format="{}"), "format"),
        (lambda: Choice(["one"]), "options"),
        (lambda: Choice(["one", "one"]), "options"),
        (lambda: Choice(["one", "two"], default="three"), "default"),
        (lambda: Play(0, 20, reveals="t"), "reveals"),
        (lambda: Play(0, 3), "stops"),
        (lambda: lines("x", "y", colour=7), "colour: .* got 7"),
        (lambda: lines("x", "y", trail=-1), "trail"),
        (lambda: lines("x", "y", format="x"), "format"),
        (lambda: panel("Empty"), "marks"),
        (lambda: panel("", hline(0), log="z"), "log"),
        (lambda: panel("", hline(0), ratio=0), "ratio"),
        (lambda: panel("", hline(0), ylim=(1, 1)), "ylim"),
        (lambda: panel("", hline(0), ylim=(0, 1), free=True), "free"),
        (lambda: panel("", hline(0), equal=True, log="x"), "equal"),
        (lambda: readout("y", format="abc"), "format"),
    ],
)
def test_a_careless_control_or_mark_is_refused(build: Callable[[], object], names: str) -> None:
    with pytest.raises(ValueError, match=names):
        build()


def test_an_unknown_field_of_a_mark_is_named() -> None:
    with pytest.raises(TypeError, match="color"):
        lines("x", "y", color=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="y: "):
        lines("x", [1, 2])  # type: ignore[arg-type]


def test_what_is_revealed_costs_no_settings() -> None:
    def compute(size: int) -> dict[str, Any]:
        return {"t": np.arange(30), "path": size * np.sqrt(np.arange(30.0))}

    widget = made(compute, controls={"size": SIZE, "time": Play(reveals="t")}, view=lines("t", "path"))
    assert widget.spec["arrays"]["path"]["shape"] == [20, 30]
    assert widget.spec["controls"][1]["count"] == 30
    assert widget.value == {"size": 3, "time": 29}


def test_what_is_revealed_starts_where_it_is_told() -> None:
    def compute(size: int) -> dict[str, Any]:
        return {"t": np.arange(30), "path": size * np.sqrt(np.arange(30.0))}

    def start(default: Any) -> Any:
        controls = {"size": SIZE, "time": Play(reveals="t", default=default)}
        return made(compute, controls=controls, view=lines("t", "path")).value["time"]

    assert (start(7), start(0), start(None)) == (7, 0, 29)
    with pytest.raises(ValueError, match=r"default: .* got 30"):
        start(30)
    with pytest.raises(ValueError, match=r"default: .* got 1\.5"):
        start(1.5)


def test_a_result_may_have_the_name_of_a_control() -> None:
    def compute(y: str) -> dict[str, Any]:
        return {"x": x, "y": len(y) * x}

    widget = made(compute, controls={"y": Choice(["a", "bb"])})
    assert widget.value == {"y": "a"}
    assert widget.spec["arrays"]["y"]["shape"] == [2, 30]


def test_toggles_are_off_and_on() -> None:
    widget = made(lambda on: {"x": x, "y": x * on}, controls={"on": Toggle(label="On", default=True)})
    assert widget.value == {"on": True}
