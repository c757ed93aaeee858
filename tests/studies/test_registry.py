"""The registry of experiments, and where pages take their records from."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from explainers import studies
from explainers.experiments import Benchmark, Experiment, Preset, Record, runner
from explainers.studies import experiment, experiments, get_experiment

ROOT = Path(__file__).parents[2]


def test_every_study_of_the_package_is_known_by_its_name() -> None:
    by_name = experiments()
    modules = {path.stem for path in (ROOT / "lib/explainers/studies").glob("*.py")} - {"__init__"}
    assert {study.cell.__module__.rpartition(".")[2] for study in by_name.values()} == modules
    assert all(get_experiment(name) is study and study.name == name for name, study in by_name.items())
    with pytest.raises(ValueError, match=r"name: expected one of \['byte_lm'.*, got 'nothing'"):
        get_experiment("nothing")


def test_two_studies_may_not_share_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from explainers.studies import byte_lm as study

    monkeypatch.setattr(
        study, "EXPERIMENTS", (Experiment("sgd", study.train_and_evaluate, {"cpu": Preset([0])}),)
    )
    with pytest.raises(ValueError, match="sgd: the name 'sgd' is not unique"):
        experiments()


def test_a_page_gets_the_recorded_run_and_a_benchmark_as_what_it_is() -> None:
    assert type(experiment("sgd")) is Record
    timed = experiment("bench", "sgd")
    assert type(timed) is Benchmark
    assert timed.chapter == "sgd"
    with pytest.raises(ValueError, match="name: no run is recorded as 'sgd-gpu'"):
        experiment("sgd", "gpu")


def test_with_a_gpu_and_leave_to_use_it_the_run_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    made = Record("sgd", "gpu", {}, [], {})

    def run(study: Experiment, preset: str) -> Record:
        calls.append((study.name, preset))
        return made

    monkeypatch.setattr(runner, "run", run)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(ValueError, match="no run is recorded"):
        experiment("sgd", "gpu")
    monkeypatch.setenv("EXPLAINERS_GPU", "1")
    assert experiment("sgd", "gpu") is made
    assert type(experiment("sgd")) is Record
    assert calls == [("sgd", "gpu")]
    assert studies.experiment is experiment


@pytest.mark.parametrize(
    "path", sorted([*ROOT.glob("notebooks/*.md"), *ROOT.glob("book/template/**/*.md")]), ids=str
)
def test_a_page_takes_records_from_where_they_may_be_run_first(path: Path) -> None:
    """`explainers.experiments.load_record` reads alone: a study's own use of a record."""
    assert "load_record" not in path.read_text(encoding="utf-8")


def test_a_study_needs_nothing_that_runs_or_asks_for_words() -> None:
    """What `Experiment` and `Preset` come with: neither torch nor pools of processes."""
    code = "import sys, explainers.studies; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "explainers.experiments.record" in loaded
    heavy = {"torch", "numpy", "multiprocessing.pool", "argparse", "explainers.experiments.runner"}
    assert not heavy & loaded
