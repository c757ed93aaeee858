"""The files in `results`: writing them atomically, and their state."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from explainers import resources
from explainers.experiments import Benchmark, Experiment, Preset, Record, load_record, stored
from explainers.experiments.provenance import fingerprint
from explainers.experiments.stored import State, benchmark_states, state
from tests.experiments.test_benchmarks import timed
from tests.experiments.test_record import STUDY, whole

CURRENT = json.dumps(whole())


def test_a_full_disk_leaves_the_old_record(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record("toy", "cpu", {}, [{"seed": 0}], {})
    path = stored.write_record(record)
    old = path.read_text()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"toy-cpu.json was not written, the last one is unchanged: No space"):
        stored.write_record(Record("toy", "cpu", {}, [{"seed": 1}], {}))
    assert path.read_text() == old
    assert [p.name for p in results.iterdir()] == ["toy-cpu.json"]


def test_an_interrupted_write_leaves_no_scrap_where_the_folder_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("not a folder")
    with pytest.raises(OSError, match=r"toy-cpu\.json was not written"):
        stored.write_atomically(tmp_path / "results/toy-cpu.json", "{}")
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


CONTENTS: dict[str, str | bytes] = {
    "empty": "", "cut": CURRENT[:200], "a list": "[1, 2]", "a number": "3", "null": "null", "no key": "{}",
    "no text": b"\xff\xfe\x00", "too deep": "[" * 100_000, "made null": json.dumps(whole() | {"made": None}),
    "made a list": json.dumps(whole() | {"made": []}), "rows null": json.dumps(whole() | {"rows": None}),
    "rows cut": json.dumps(whole() | {"rows": whole()["rows"][:3]}),
    "not a number": CURRENT.replace("2.0", "NaN"), "config a list": json.dumps(whole() | {"config": []}),
    "name a list": json.dumps(whole() | {"name": ["toy"]}),
}  # fmt: skip


@pytest.mark.parametrize("kind", CONTENTS)
def test_a_broken_record_is_called_broken_and_never_raises(results: Path, kind: str) -> None:
    content = CONTENTS[kind]
    path = results / "toy-cpu.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    run = state(STUDY, "cpu")
    assert run.broken
    assert run.description.startswith("broken: ")
    with pytest.raises(ValueError, match="toy-cpu"):
        load_record("toy")
    path.rename(results / "bench-toy.json")
    [benchmark] = benchmark_states()
    assert benchmark.broken
    with pytest.raises(ValueError, match="bench-toy"):
        load_record("bench", "toy")


def test_what_is_no_file_is_called_broken(results: Path) -> None:
    for stem in ("toy-cpu", "bench-toy"):
        (results / f"{stem}.json").mkdir()
    assert state(STUDY, "cpu").broken
    assert [benchmark.broken for benchmark in benchmark_states()] == [True]
    (results / "toy-cpu.json").rmdir()
    (results / "toy-cpu.json").symlink_to("nowhere")
    assert state(STUDY, "cpu").broken


def test_a_whole_record_is_called_by_its_state(results: Path) -> None:
    path, content = results / "toy-cpu.json", whole()
    assert state(STUDY, "cpu") == State("toy-cpu", "not recorded")
    path.write_text(CURRENT)
    assert state(STUDY, "cpu") == State("toy-cpu", "current")
    path.write_text(json.dumps(content | {"made": content["made"] | {"dirty": True}}))
    assert state(STUDY, "cpu") == State("toy-cpu", "current, from a dirty tree")
    path.write_text(json.dumps(content | {"made": content["made"] | {"code": "another"}}))
    (results / ".toy-cpu.part").touch()
    assert state(STUDY, "cpu") == State("toy-cpu", "stale, with an unfinished run")
    other = Experiment("toy", STUDY.cell, {"cpu": Preset([0])})
    path.write_text(CURRENT)
    assert state(other, "cpu") == State("toy-cpu", "stale, with an unfinished run")


def test_a_benchmark_is_written_found_and_called_by_its_state(results: Path) -> None:
    benchmark = timed(module="explainers.targets", code=fingerprint("explainers.targets"))
    assert stored.write_record(benchmark) == results / "bench-toy.json"
    assert load_record("bench", "toy") == benchmark
    assert benchmark_states() == [State("bench-toy", "current")]
    stored.write_record(timed(module="explainers.targets", code="another"))
    assert benchmark_states() == [State("bench-toy", "stale")]
    stored.write_record(timed())  # as older ones, it does not say what was timed
    assert benchmark_states() == [State("bench-toy", "recorded")]


RECORDED = sorted(path.stem for path in resources.folder("results").glob("*.json"))


@pytest.mark.parametrize("stem", RECORDED)
def test_every_published_record_is_whole(stem: str) -> None:
    name, _, preset = stem.partition("-") if stem.startswith("bench-") else stem.rpartition("-")
    record: Any = load_record(name, preset)
    assert type(record) is (Benchmark if name == "bench" else Record)
    assert f"`{preset if name == 'bench' else name}`" in record.summary
