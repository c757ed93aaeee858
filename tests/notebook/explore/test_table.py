"""The table of results: the controls that change each, packing, and the errors for invalid results."""

import json
import math
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explainers.notebook.explore import lines
from explainers.notebook.explore.controls import Value
from explainers.notebook.explore.table import Column, pack, tabulate
from tests.explorables import unpack
from tests.notebook.explore.parabola import made, x


def test_what_depends_on_which_control_is_found_by_comparison() -> None:
    def compute(a: int, b: str, c: bool) -> dict[str, Any]:
        return {"x": x, "one": a * x, "two": a * x + len(b), "three": float(c), "none": 7.0}

    stops: dict[str, Sequence[Value]] = {"a": [1, 2, 3], "b": ["u", "vv"], "c": [False, True]}
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

    stops: dict[str, Sequence[Value]] = {"a": [1.0, 2.0, 4.0], "b": ["up", "down"]}
    requested = {"x": "a test", "y": "a test"}
    slow, fast = tabulate(one, stops, requested), tabulate(all_at_once, stops, requested, vectorized=True)
    for name in requested:
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
        (lambda size: [1, 2], TypeError, "compute: .*got list"),
        (lambda size: {"x": x}, ValueError, r"lines\(y='y'\): compute returns no 'y'"),
        (
            lambda size: {"x": x, "y": x[: 10 + size]},
            ValueError,
            r"'y' has shape \(12,\) at size=2 and \(11,\)",
        ),
        (lambda size: {"x": x, "y": [[1, 2], [3]]}, ValueError, "'y' is ragged"),
        (lambda size: {"x": x, "y": x[:-1]}, ValueError, "the last axis of y to be as long as x"),
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
