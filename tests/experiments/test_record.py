"""Reading a record, and the errors for missing, duplicate, non-finite and wrongly typed values."""

import copy
import json
import math
import re
from collections.abc import Callable
from typing import Any

import pytest

from explainers.experiments import Experiment, Preset, Record
from explainers.experiments.provenance import fingerprint
from explainers.experiments.record import check_rows, read_record
from explainers.experiments.stored import is_current

MADE: dict[str, Any] = {
    "revision": "abc1234", "dirty": False, "code": "x", "versions": {"python": "3.11.7", "torch": "2.13.0"},
    "device": "2 cores, x86_64", "threads": 1, "date": "2026-11-24", "seconds": 1.5, "command": "python",
}  # fmt: skip
SWEEP = Preset([0, 1], {"size": [1, 2], "word": ["a", "b"]}, {"scale": 10})


def value(seed: int, size: int, word: str, scale: int) -> dict[str, Any]:
    return {"kl": float(seed + size), "curve": [1.0, 2.0], "best": "yes"}


STUDY = Experiment("toy", value, {"cpu": SWEEP})


def whole() -> dict[str, Any]:
    """The content of a valid record."""
    rows = [{**cell, **value(**cell, scale=10)} for cell in SWEEP.cells()]
    made = {**MADE, "code": fingerprint(value.__module__), "bars": {"TO-01": "0123"}}
    content = {"name": "toy", "preset": "cpu", "config": SWEEP.config, "rows": rows, "made": made}
    return copy.deepcopy(content)


def test_rows_are_found_by_their_setting() -> None:
    rows = [{"seed": s, "size": n, "kl": s + n} for n in (1, 2) for s in (0, 1)]
    record = Record("toy", "cpu", {}, rows, {})
    assert record.values("kl", size=2) == [2, 3]
    with pytest.raises(ValueError, match="setting: toy-cpu has no row"):
        record.where(size=3)


def test_an_unknown_metric_is_named_with_those_there_are() -> None:
    record = Record("toy", "cpu", {}, [{"seed": 0, "kl": 1.0, "nats": 2.0}], {})
    with pytest.raises(
        ValueError, match=r"metric: toy-cpu has no 'typo'; there are \['seed', 'kl', 'nats'\]"
    ):
        record.values("typo")


def test_a_record_is_read_back_as_it_was() -> None:
    content = whole()
    record = Record("toy", "cpu", content["config"], content["rows"], content["made"])
    assert read_record(json.loads(json.dumps(content)), "toy-cpu") == record
    assert is_current(record, STUDY, SWEEP)


def test_a_record_from_before_bars_were_kept_is_read() -> None:
    content = whole()
    del content["made"]["bars"]
    assert is_current(read_record(content, "toy-cpu"), STUDY, SWEEP)


OTHERS: list[Any] = [None, True, 3, 0.5, "", "x", [], [1], {}, {"a": 1}]
PLACES = {
    "config": dict, "config.seeds": list, "config.grid": dict, "config.grid.size": list, "config.fixed": dict,
    "rows": list, "rows.0": dict, "made": dict, "made.revision": str, "made.dirty": bool, "made.code": str,
    "made.versions": dict,
    "made.versions.torch": str, "made.device": str, "made.threads": int, "made.date": str,
    "made.seconds": float, "made.command": str, "made.bars": dict, "made.bars.TO-01": str,
}  # fmt: skip


def at(content: dict[str, Any], place: str) -> tuple[Any, Any]:
    """The dict or list that contains the value at `place`, a path with dots, and the last key of the path."""
    *outer, last = [int(part) if part.isdigit() else part for part in place.split(".")]
    holder: Any = content
    for key in outer:
        holder = holder[key]
    return holder, last


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("other", OTHERS, ids=repr)
def test_a_value_of_another_kind_is_named_with_its_file(place: str, other: Any) -> None:
    content = whole()
    holder, key = at(content, place)
    if type(other) is PLACES[place] or (place == "made.seconds" and type(other) is int):
        return
    holder[key] = other
    named = [part for part in place.split(".") if not part.isdigit()]
    with pytest.raises(ValueError, match=rf"^toy-cpu\.json: {': '.join(named)}"):
        read_record(content, "toy-cpu")


@pytest.mark.parametrize("place", [place for place in PLACES if not re.search(r"bars|rows\.0|grid\.", place)])
def test_a_missing_key_is_named_with_its_file(place: str) -> None:
    content = whole()
    holder, key = at(content, place)
    del holder[key]
    with pytest.raises(ValueError, match=r"^toy-cpu\.json: .*") as raised:
        read_record(content, "toy-cpu")
    assert str(key) in str(raised.value)


def cut(rows: list[Any]) -> None:
    del rows[3:]


def doubled(rows: list[Any]) -> None:
    rows.append(dict(rows[2]))


def doubled_in_place(rows: list[Any]) -> None:
    rows[1] = dict(rows[2])


def stranger(rows: list[Any]) -> None:
    rows[2]["size"] = 7


def without_setting(rows: list[Any]) -> None:
    del rows[2]["size"]


def setting(key: str, value: Any) -> Callable[[list[Any]], None]:
    def change(rows: list[Any]) -> None:
        rows[2][key] = value

    return change


def without_metric(rows: list[Any]) -> None:
    del rows[2]["kl"]


def empty(rows: list[Any]) -> None:
    rows.clear()


BROKEN: list[tuple[Callable[[list[Any]], None], str]] = [
    (cut, "5 of 8 cells are missing, the first is {'seed': 1, 'size': 1, 'word': 'b'}"),
    (empty, "8 of 8 cells are missing"),
    (doubled, "occurs twice"),
    (doubled_in_place, "occurs twice"),
    (stranger, "{'seed': 0, 'size': 7, 'word': 'b'} is not a cell of the sweep"),
    (without_setting, "{'seed': 0, 'word': 'b'} is not a cell of the sweep"),
    (without_metric, "['kl'] at {'seed': 0, 'size': 1, 'word': 'b'} are not in every cell"),
    (setting("more", 1), "['more'] at"),
    (setting("kl", math.nan), "kl: nan at {'seed': 0, 'size': 1, 'word': 'b'} is not finite"),
    (setting("kl", -math.inf), "kl: -inf at"),
    (setting("kl", None), "kl: None at"),
    (setting("kl", "1.0"), "kl: string at"),
    (setting("kl", [1.0]), "kl: 1 of number at"),
    (setting("curve", [1.0, math.nan]), "curve: nan at"),
    (setting("curve", [1.0]), "curve: 1 of number at"),
    (setting("curve", [[1.0], [2.0]]), "curve: 2 of 1 of number at"),
    (setting("curve", []), "curve: [] at"),
    (setting("best", 1), "best: number at"),
]


@pytest.mark.parametrize(("change", "says"), BROKEN, ids=[says for _, says in BROKEN])
def test_rows_that_are_not_the_sweep_are_neither_read_nor_fresh(
    change: Callable[[list[Any]], None], says: str
) -> None:
    content = whole()
    change(content["rows"])
    for refused in (
        lambda: read_record(json.loads(json.dumps(content)), "toy-cpu"),
        lambda: check_rows(content["rows"], SWEEP, "toy-cpu.json"),
    ):
        with pytest.raises(ValueError, match=r"^toy-cpu\.json: rows: ") as raised:
            refused()
        assert says in str(raised.value)
    assert not is_current(Record(**content), STUDY, SWEEP)


@pytest.mark.parametrize(
    "other",
    [
        Preset([0, 1, 2], SWEEP.grid, SWEEP.fixed), Preset([0, 1], {"size": [1, 2]}, SWEEP.fixed),
        Preset([0, 1], SWEEP.grid, {"scale": 11}),
    ],
)  # fmt: skip
def test_a_whole_record_of_another_sweep_or_code_is_not_fresh(other: Preset) -> None:
    content = whole()
    assert not is_current(read_record(content, "toy-cpu"), STUDY, other)
    content["made"]["code"] = "another"
    assert not is_current(read_record(content, "toy-cpu"), STUDY, SWEEP)


def test_whole_numbers_and_fractions_are_one_kind_and_rows_have_no_order() -> None:
    content = whole()
    content["rows"][2]["kl"] = 3
    content["rows"].reverse()
    assert is_current(read_record(content, "toy-cpu"), STUDY, SWEEP)
