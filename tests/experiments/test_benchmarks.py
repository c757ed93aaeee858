"""The record of a benchmark, and the errors for invalid files."""

import copy
import json
from typing import Any

import pytest

from explainers.experiments import Benchmark
from explainers.experiments.benchmarks import read_benchmark

MADE: dict[str, Any] = {
    "revision": "abc1234", "dirty": False, "code": "x",
    "versions": {"python": "3.11.7", "torch": "2.13.0+cpu"},
    "device": "2 cores, x86_64", "threads": 2, "date": "2026-11-24", "seconds": 61.2,
    "command": "python benchmarks/toy.py",
}  # fmt: skip


def row(group: str, case: str, ms: float, rounds: int) -> dict[str, Any]:
    return {
        "group": group,
        "case": case,
        "ms": ms,
        "least": ms / 2,
        "most": 2 * ms,
        "ratio": ms,
        "rounds": rounds,
    }


def timed(module: str = "", code: str = "x") -> Benchmark:
    cases = [
        row("fit", "ours", 3.0, 9),
        row("fit", "theirs", 1.0, 5),
        row("draw", "ours", 2.0, 9),
        {"group": "KL", "case": "ours", "seed": 0, "kl": 0.1},
        {"group": "KL", "case": "ours", "seed": 1, "kl": 0.2},
    ]
    return Benchmark("toy", cases, {**MADE, "code": code}, module)


def content() -> dict[str, Any]:
    benchmark = timed()
    return copy.deepcopy({"chapter": "toy", "cases": benchmark.cases, "made": benchmark.made, "module": ""})


def test_a_benchmark_says_what_was_measured_and_on_what() -> None:
    benchmark = timed()
    assert benchmark.medians("fit") == {"ours": 3.0, "theirs": 1.0}
    assert benchmark.medians("KL") == {}
    assert benchmark.rounds == (5, 9)
    assert benchmark.where(group="fit", case="ours")[0]["ms"] == 3.0
    assert (benchmark.machine, benchmark.date, benchmark.command) == (
        "2 cores, x86_64", "2026-11-24", "python benchmarks/toy.py",
    )  # fmt: skip
    assert benchmark.versions["torch"] == "2.13.0+cpu"
    assert benchmark.summary == "Benchmark `toy`, medians of 5 to 9 rounds, the cases in turn, 2 threads"
    with pytest.raises(ValueError, match="setting: bench-toy has no row"):
        benchmark.medians("typo")


def test_it_is_read_as_it_is_written_and_as_it_was_written_before() -> None:
    assert read_benchmark(json.loads(json.dumps(content())), "bench-toy") == timed()
    older = {"name": "bench", "preset": "toy", "config": {"seeds": [0], "grid": {}, "fixed": {}},
             "rows": content()["cases"], "made": content()["made"]}  # fmt: skip
    assert read_benchmark(older, "bench-toy") == timed()
    with pytest.raises(ValueError, match=r"bench-other\.json: this is the benchmark of toy"):
        read_benchmark(older, "bench-other")


@pytest.mark.parametrize("key", ["chapter", "cases", "made"])
def test_a_missing_key_is_named(key: str) -> None:
    broken = content()
    del broken[key]
    with pytest.raises(ValueError, match=rf"bench-toy\.json: .*{key}"):
        read_benchmark(broken, "bench-toy")


@pytest.mark.parametrize("key", ["cases", "made", "module"])
@pytest.mark.parametrize("other", [None, True, 3, [1], [None], {}, {"a": 1}], ids=repr)
def test_a_value_of_another_kind_is_named(key: str, other: Any) -> None:
    with pytest.raises(ValueError, match=rf"^bench-toy\.json: {key}"):
        read_benchmark(content() | {key: other}, "bench-toy")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ms": float("nan")}, "cases: ms: nan at .* is not finite"),
        ({"ms": 7.0}, "ms: expected 0 < least <= ms <= most"),
        ({"least": 0.0, "ms": 0.0}, "ms: expected 0 < least"),
        ({"least": -1.0}, "expected 0 < least"),
        ({"ms": "3"}, "ms: expected int or float, got '3'"),
        ({"rounds": 0}, "rounds and ratio: expected above 0"),
        ({"rounds": 2.5}, "rounds and ratio: expected above 0"),
        ({"ratio": 0.0}, "rounds and ratio: expected above 0"),
        ({"group": None}, "cases: group: expected str"),
        ({"case": 1}, "cases: case: expected str"),
        ({"case": "theirs"}, "occurs twice"),
    ],
)
def test_a_case_that_cannot_be_is_named(change: dict[str, Any], says: str) -> None:
    broken = content()
    broken["cases"][0] |= change
    with pytest.raises(ValueError, match=rf"^bench-toy\.json: cases: .*{says}|^bench-toy\.json: {says}"):
        read_benchmark(broken, "bench-toy")


@pytest.mark.parametrize("key", ["ms", "least", "most", "ratio", "rounds"])
def test_a_timed_case_has_all_its_numbers(key: str) -> None:
    broken = content()
    del broken["cases"][0][key]
    with pytest.raises(ValueError, match=rf"^bench-toy\.json: cases: .*{key}"):
        read_benchmark(broken, "bench-toy")


def test_a_benchmark_times_something() -> None:
    with pytest.raises(ValueError, match="expected at least one with times"):
        read_benchmark(content() | {"cases": content()["cases"][3:]}, "bench-toy")
