"""Explorables before any browser: controls, the table and its errors, limits, what a page is given."""

import json
import math
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explainers.notebook import show
from explainers.notebook.explore import (
    Choice,
    Explorable,
    Play,
    Slider,
    Toggle,
    area,
    bars,
    explorable,
    explore,
    heatmap,
    highest,
    hline,
    lines,
    panel,
    points,
    readout,
    text,
    vline,
    widget,
)
from explainers.notebook.explore.table import Column, decades, pack, rounded, tabulate
from tests.explorables import unpack

x = np.linspace(0, 1, 30)
SIZE = Slider(1, 20, default=3)


def parabola(size: float) -> dict[str, Any]:
    return {"x": x, "y": size * x**2, "top": float(size)}


def made(compute: Callable[..., Any] = parabola, **keywords: Any) -> Explorable:
    given: dict[str, Any] = {"view": lines("x", "y"), "alt": "A parabola."}
    controls = {} if "controls" in keywords else {"size": SIZE}
    return explorable(compute, **{**given, **controls, **keywords.pop("controls", {}), **keywords})


# controls


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
        (lambda: lines("x", "y", colour=7), "colour: 7"),
        (lambda: lines("x", "y", trail=-1), "trail"),
        (lambda: lines("x", "y", format="x"), "format"),
        (lambda: panel("Empty"), "marks"),
        (lambda: panel("", hline(0), log="z"), "log"),
        (lambda: panel("", hline(0), ratio=0), "ratio"),
        (lambda: panel("", hline(0), ylim=(1, 1)), "ylim"),
        (lambda: panel("", hline(0), ylim=(0, 1), free=True), "free"),
        (lambda: readout("y", format="abc"), "format"),
    ],
)
def test_a_careless_control_or_mark_is_refused(build: Callable[[], object], names: str) -> None:
    with pytest.raises(ValueError, match=names):
        build()


def test_an_unknown_field_of_a_mark_is_named() -> None:
    with pytest.raises(TypeError, match="color"):
        lines("x", "y", color=1)
    with pytest.raises(TypeError, match="y: "):
        lines("x", [1, 2])


# the table


def test_what_depends_on_which_control_is_found_by_comparison() -> None:
    def compute(a: int, b: str, c: bool) -> dict[str, Any]:
        return {"x": x, "one": a * x, "two": a * x + len(b), "three": float(c), "none": 7.0}

    stops = {"a": [1, 2, 3], "b": ["u", "vv"], "c": [False, True]}
    columns = tabulate(compute, stops, dict.fromkeys(["x", "one", "two", "three", "none"], "a test"))
    assert {name: column.over for name, column in columns.items()} == {
        "x": (), "one": (0,), "two": (0, 1), "three": (2,), "none": (),
    }  # fmt: skip
    assert columns["two"].values.shape == (3, 2, 30)
    assert np.array_equal(columns["two"].at([2, 1, 0]), 3 * x + 2)


def test_a_vectorised_compute_makes_the_same_table() -> None:
    def one(a: float, b: str) -> dict[str, Any]:
        return {"x": x, "y": a * x + (b == "up")}

    def all_at_once(a: Any, b: Any) -> dict[str, Any]:
        return {"x": np.broadcast_to(x, (len(a), 30)), "y": a[:, None] * x + (b == "up")[:, None]}

    stops = {"a": [1.0, 2.0, 4.0], "b": ["up", "down"]}
    wanted = {"x": "a test", "y": "a test"}
    slow, fast = tabulate(one, stops, wanted), tabulate(all_at_once, stops, wanted, vectorized=True)
    for name in wanted:
        assert slow[name].over == fast[name].over
        assert np.array_equal(slow[name].values, fast[name].values)


@given(
    st.integers(0, 10_000),
    st.sampled_from(["smooth", "noise", "constant", "gaps", "steep"]),
    st.sampled_from([(), (4,), (3, 5)]),
)
def test_a_packed_table_is_off_by_at_most_half_a_step(seed: int, kind: str, over: tuple[int, ...]) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(*over, 40)) * 10.0 ** rng.integers(-3, 4)
    if kind == "smooth":
        values = np.sin(np.linspace(0, 6, 40) + rng.random((*over, 1)))
    elif kind == "constant":
        values = np.full((*over, 40), rng.normal())
    elif kind == "gaps":
        values[..., ::7] = np.nan
    elif kind == "steep":
        values = np.exp(values / np.abs(values).max() * 20)
    columns = {
        "v": Column(values, tuple(range(len(over)))),
        "w": Column(values[..., 0], tuple(range(len(over)))),
    }
    for log in (False, True) if kind == "steep" else (False,):
        packed = pack(columns, {"v"} if log else set())
        back = unpack(packed.table, packed.arrays)
        assert np.array_equal(np.isnan(back["v"]), np.isnan(values))
        step = packed.arrays["v"]["step"]
        miss = np.abs(np.log(back["v"]) - np.log(values)) if log else np.abs(back["v"] - values)
        assert np.nanmax(miss) <= 0.5 * step * (1 + 1e-6) + 1e-12 * np.nanmax(np.abs(values))
        if kind != "constant":
            spread = np.log(values) if log else values
            reach = np.nanmax(spread) - np.nanmin(spread)
            assert math.isclose(step, reach / 65_534, rel_tol=1e-9)
        assert np.allclose(back["w"], values[..., 0], rtol=1e-6, equal_nan=True)


def test_whole_numbers_and_words_come_back_exactly() -> None:
    numbers = np.arange(0, 600, 7).reshape(2, -1)
    words = np.array(["b", "a", "b"])
    packed = pack({"n": Column(numbers, (0,)), "w": Column(words, (1,))}, set())
    back = unpack(packed.table, packed.arrays)
    assert np.array_equal(back["n"], numbers)
    assert back["w"].tolist() == ["b", "a", "b"]


def test_smooth_curves_take_less_than_half_of_plain_codes() -> None:
    rows = np.sin(np.linspace(0, 9, 200) + np.linspace(0, 2, 50)[:, None])
    packed = pack({"y": Column(rows, (0,))}, set())
    codes = np.rint((rows - rows.min()) / (np.ptp(rows) / 65_534)).astype(">u2").tobytes()
    assert len(packed.table) < 0.5 * len(zlib.compress(codes, 9))


def test_the_same_grid_twice_is_the_same_bytes() -> None:
    one, two = made(), made()
    assert one.table == two.table
    assert json.dumps(one.spec) == json.dumps(two.spec)


@pytest.mark.parametrize(
    ("compute", "error", "names"),
    [
        (lambda size: [1, 2], TypeError, "compute: returned list"),
        (lambda size: {"x": x}, ValueError, r"lines\(y='y'\): compute returns no 'y'"),
        (
            lambda size: {"x": x, "y": x[: 10 + size]},
            ValueError,
            r"'y' has shape \(12,\) at size=2 and \(11,\)",
        ),
        (lambda size: {"x": x, "y": [[1, 2], [3]]}, ValueError, "'y' is ragged"),
        (lambda size: {"x": x, "y": x[:-1]}, ValueError, "the last axis of y is as long as x"),
        (lambda size: {"x": x, "y": np.where(x > size / 9, np.nan, x)}, ValueError, "'y' is NaN at size=1"),
        (lambda size: {"x": x, "y": x / (size - 4)}, ValueError, "'y' is (infinite|NaN) at size=4"),
        (lambda size: {"x": x, "y": x * 1j}, TypeError, "'y' is ndarray of complex128"),
        (lambda size: {"x": x, "y": np.zeros((2, 2, 2))}, ValueError, "at most two axes"),
        (lambda size: {"x": x, "y": None}, TypeError, "'y' is NoneType"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_a_result_that_cannot_be_drawn_is_named(compute: Any, error: type[Exception], names: str) -> None:
    with pytest.raises(error, match=names):
        made(compute)


@pytest.mark.parametrize(
    ("keywords", "error", "names"),
    [
        ({"alt": " "}, ValueError, "alt"),
        ({"controls": {}}, ValueError, "controls"),
        ({"controls": {"size": 3}}, TypeError, "size'?: 3"),
        ({"view": []}, ValueError, "view"),
        ({"view": lines("x", "z")}, ValueError, "compute returns no 'z', and no control is called so"),
        ({"view": lines("x", "top")}, ValueError, "the last axis of y is as long as x"),
        ({"view": hline("y")}, ValueError, "at is one number, or words"),
        ({"view": lines("x", "y", label="{gone}")}, ValueError, "label='{gone}'"),
        ({"view": panel("", lines("x", "y"), log="y")}, ValueError, "log"),
        ({"readouts": [readout("gone")]}, ValueError, r"readout\('gone'\)"),
        ({"controls": {"a": Play(reveals="x"), "b": Play(reveals="y"), "size": SIZE}}, ValueError, "reveals"),
        ({"controls": {"t": Play(reveals="top"), "size": SIZE}}, ValueError, "t: reveals='top' has shape"),
    ],
)
def test_a_careless_call_is_refused(keywords: dict[str, Any], error: type[Exception], names: str) -> None:
    with pytest.raises(error, match=names):
        made(**keywords)


def test_a_table_over_budget_says_what_to_shrink() -> None:
    rng = np.random.default_rng(0)
    noise = {size: rng.random(8000) for size in range(1, 21)}
    wide = np.linspace(0, 1, 8000)
    with pytest.raises(ValueError, match=r"compute: its table is \d+ kB where 150.*'y' takes .*size 20"):
        made(lambda size: {"x": wide, "y": noise[size]})


def test_gaps_are_drawn_where_they_are_meant() -> None:
    made(lambda size: {"x": x, "y": np.where(x > size / 9, np.nan, x)}, view=lines("x", "y", gaps=True))


def test_tensors_need_no_conversion() -> None:
    weight = torch.ones(30, requires_grad=True)
    made(lambda size: {"x": torch.tensor(x), "y": size * weight})


# what is drawn


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
    assert rounded(lo, hi, most) == ticks


def test_ticks_of_a_logarithmic_axis_are_powers_of_ten() -> None:
    assert decades(0.01, 1000, 6) == [0.01, 0.1, 1, 10, 100, 1000]
    assert decades(1e-9, 1, 3) == [1e-9, 1e-5, 1e-1]


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
    with pytest.raises(ValueError, match="default: 30"):
        start(30)
    with pytest.raises(ValueError, match=r"default: 1\.5"):
        start(1.5)


def test_a_result_may_have_the_name_of_a_control() -> None:
    def compute(y: str) -> dict[str, Any]:
        return {"x": x, "y": len(y) * x}

    widget = made(compute, controls={"y": Choice(["a", "bb"])})
    assert widget.value == {"y": "a"}
    assert widget.spec["arrays"]["y"]["shape"] == [2, 30]


# what a page and a notebook are given


def test_a_notebook_gets_the_widget_and_a_picture() -> None:
    widget = made(caption="**Bold.** Text.")
    bundle = widget._repr_mimebundle_()
    assert bundle is not None
    data, metadata = bundle
    assert data["text/plain"] == "A parabola."
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert data["image/svg+xml"].startswith("<svg")
    ours = data["application/vnd.explainers.explorable+json"]
    assert {"wide", "phone", "alt", "caption", "name", "heights"} <= set(ours)
    assert widget.model_id not in json.dumps(ours), "a random id would change the output at every execution"
    assert metadata["application/vnd.explainers.explorable+json"] == {"model": widget.model_id}


def test_explore_displays_the_widget_and_then_its_caption(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr(widget, "display", shown.append)
    monkeypatch.setattr(show, "display", lambda bundle: shown.append(bundle.data))
    explore(parabola, size=SIZE, view=lines("x", "y"), alt="A parabola.", caption="**Bold.** 1 - -2")
    assert isinstance(shown[0], Explorable)
    assert shown[1]["text/markdown"] == "**Bold.** 1 - −2"


def test_a_slow_grid_shows_its_progress_and_gives_its_place_to_the_figure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    updates: list[Any] = []

    class Handle:
        def update(self, what: Any, raw: bool = False) -> None:
            updates.append(what)

    monkeypatch.setenv("JPY_SESSION_NAME", "somebody watches")
    clock = iter(range(10_000))
    monkeypatch.setattr(widget.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(widget, "display", lambda what, **_: updates.append(what) or Handle())
    explore(parabola, size=SIZE, view=lines("x", "y"), alt="A parabola.")
    assert "of 20 settings" in updates[0]["text/plain"]
    assert isinstance(updates[-1], Explorable)


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


def test_toggles_are_off_and_on() -> None:
    widget = made(lambda on: {"x": x, "y": x * on}, controls={"on": Toggle(label="On", default=True)})
    assert widget.value == {"on": True}
