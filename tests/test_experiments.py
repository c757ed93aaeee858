"""Recorded runs: a killed sweep goes on, a stale or broken record is called so, the old one stays."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from explainers import experiments, resources
from explainers.experiments import Experiment, Preset, Record, fingerprint, main, read, run
from tests.test_training import launch

STUDY = '''
"""A study for the tests."""
import os, time
from pathlib import Path
from explainers.experiments import Experiment, Preset

def cell(seed, size, scale):
    """What a test counts."""
    Path(os.environ["CELLS"]).open("a").write(f"{seed} {size}\\n")
    time.sleep(float(os.environ.get("SLOW", "0")))
    return {"value": seed + scale * size, "word": "even" if size % 2 == 0 else "odd"}

EXPERIMENTS = [Experiment("toy", cell, {"cpu": Preset(range(3), {"size": [1, 2]}, {"scale": 10})})]
'''


@pytest.fixture
def book(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A checkout with one study of its own; calls `python -m explainers` there."""
    root = Path(experiments.__file__).parent
    (tmp_path / "lib/explainers/studies").mkdir(parents=True)
    (tmp_path / "results").mkdir()
    (tmp_path / "_toc.yml").touch()  # by which the library knows a checkout
    (tmp_path / "book/claims").mkdir(parents=True)
    for name in ("__init__.py", "__main__.py", "experiments.py", "resources.py", "studies/__init__.py"):
        (tmp_path / "lib/explainers" / name).write_text((root / name).read_text(encoding="utf-8"))
    (tmp_path / "lib/explainers/studies/toy.py").write_text(STUDY)

    def call(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command(tmp_path, *words), **settings(tmp_path, **environment))

    return call


def command(root: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "explainers", *words]


def settings(root: Path, **environment: str) -> dict[str, Any]:
    return {
        "cwd": root,
        "env": {**os.environ, "PYTHONPATH": str(root / "lib"), "CELLS": str(root / "cells"), **environment},
        "capture_output": True,
        "text": True,
        "timeout": 120,
    }


def ok(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def executed(root: Path) -> list[str]:
    return (root / "cells").read_text().splitlines()


def test_a_run_records_every_cell_and_how_it_was_made(book: Callable[..., Any], tmp_path: Path) -> None:
    assert ok(book("list")) == "toy: cpu (6 cells)\n"
    assert ok(book("status")) == "toy-cpu: not recorded\n"
    ok(book("run", "toy"))
    record = json.loads((tmp_path / "results/toy-cpu.json").read_text())
    assert [(row["seed"], row["size"], row["value"]) for row in record["rows"]] == [
        (0, 1, 10), (1, 1, 11), (2, 1, 12), (0, 2, 20), (1, 2, 21), (2, 2, 22),
    ]  # fmt: skip
    assert {row["word"] for row in record["rows"]} == {"even", "odd"}
    made = {"revision", "dirty", "code", "versions", "device", "threads", "date", "seconds", "command"}
    assert set(record["made"]) == made
    assert record["config"] == {"seeds": [0, 1, 2], "grid": {"size": [1, 2]}, "fixed": {"scale": 10}}
    assert ok(book("status")) == "toy-cpu: current\n"
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["toy-cpu.json"]


def test_a_killed_sweep_goes_on_where_it_was(book: Callable[..., Any], tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path, "run", "toy", "--workers", "1"),
        cwd=tmp_path,
        env=settings(tmp_path, SLOW="0.5")["env"],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    )
    part = tmp_path / "results/.toy-cpu.part"
    deadline = time.monotonic() + 60
    while not (part.exists() and len(json.loads(part.read_text())["rows"]) >= 2):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = len(json.loads(part.read_text())["rows"])
    assert not (tmp_path / "results/toy-cpu.json").exists()
    assert "begun anew" in ok(book("status"))
    before = len(executed(tmp_path))
    said = ok(book("run", "toy"))
    assert f"{kept} of 6 cells are there" in said
    assert len(executed(tmp_path)) - before == 6 - kept
    assert len(json.loads((tmp_path / "results/toy-cpu.json").read_text())["rows"]) == 6
    assert not part.exists()


def test_code_makes_a_record_stale_and_a_comment_does_not(book: Callable[..., Any], tmp_path: Path) -> None:
    ok(book("run", "toy"))
    study = tmp_path / "lib/explainers/studies/toy.py"
    study.write_text(STUDY.replace('"""What a test counts."""', '"""Other words."""\n    # a comment'))
    assert ok(book("status")) == "toy-cpu: current\n"
    study.write_text(STUDY.replace("seed + scale", "seed - scale"))
    assert ok(book("status")) == "toy-cpu: stale\n"
    study.write_text(STUDY.replace("range(3)", "range(4)"))
    assert ok(book("status")) == "toy-cpu: stale\n"


def test_half_a_sweep_of_other_code_is_not_continued(book: Callable[..., Any], tmp_path: Path) -> None:
    part = tmp_path / "results/.toy-cpu.part"
    rows = [{"seed": 0, "size": 1, "value": -1}]
    config = {"seeds": [0, 1, 2], "grid": {"size": [1, 2]}, "fixed": {"scale": 10}}
    part.write_text(json.dumps({"config": config, "code": "another", "rows": rows, "seconds": 1}))
    ok(book("run", "toy"))
    assert all(
        row["value"] > 0 for row in json.loads((tmp_path / "results/toy-cpu.json").read_text())["rows"]
    )


def test_a_broken_beginning_is_begun_again(book: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "results/.toy-cpu.part").write_text('{"rows": [')
    ok(book("run", "toy"))
    assert len(executed(tmp_path)) == 6


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"rows": [', "no JSON"),
        ("[1, 2]", "no JSON object"),
        ('{"rows": []}', "it lacks"),
        (
            json.dumps({"name": "x", "preset": "y", "config": {}, "rows": [], "made": {}}),
            "another record, x-y",
        ),
    ],
)
def test_a_broken_or_foreign_record_is_called_so(
    book: Callable[..., Any], tmp_path: Path, content: str, says: str
) -> None:
    path = tmp_path / "results/toy-cpu.json"
    path.write_text(content)
    assert says in ok(book("status"))
    assert path.read_text() == content


def test_unknown_names_and_presets_are_named(book: Callable[..., Any]) -> None:
    for words, says in (
        (("run", "nothing"), "name: 'nothing' is not an experiment; there are ['toy']"),
        (("run", "toy", "--preset", "gpu"), "preset: 'gpu' is not one of ['cpu']"),
    ):
        done = book(*words)
        assert done.returncode == 1
        assert says in done.stderr
        assert "Traceback" not in done.stderr


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(resources, "folder", lambda _: tmp_path)
    return tmp_path


def broken_cell(seed: int) -> dict[str, float]:
    return {"value": float("nan") if seed else 1.0}


def test_a_metric_that_is_not_finite_stops_the_sweep(results: Path) -> None:
    study = Experiment("broken", broken_cell, {"cpu": Preset([0, 1])})
    with pytest.raises(ValueError, match=r"value: nan at \{'seed': 1\}"):
        run(study, "cpu", workers=1)
    assert not (results / "broken-cpu.json").exists()


def test_a_full_disk_leaves_the_old_record(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record("toy", "cpu", {}, [{"seed": 0}], {})
    path = experiments.write(record)
    old = path.read_text()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"toy-cpu.json was not written, the last one stands: No space"):
        experiments.write(Record("toy", "cpu", {}, [{"seed": 1}], {}))
    assert path.read_text() == old
    assert [p.name for p in results.iterdir()] == ["toy-cpu.json"]


def test_rows_are_found_by_their_setting() -> None:
    rows = [{"seed": s, "size": n, "kl": s + n} for n in (1, 2) for s in (0, 1)]
    record = Record("toy", "cpu", {}, rows, {})
    assert record.values("kl", size=2) == [2, 3]
    with pytest.raises(ValueError, match="setting: toy-cpu has no row"):
        record.where(size=3)


def test_a_record_is_read_back_as_it_was() -> None:
    record = Record("toy", "cpu", {"a": 1}, [{"seed": 0}], {"code": "x"})
    content = {
        "name": "toy",
        "preset": "cpu",
        "config": {"a": 1},
        "rows": [{"seed": 0}],
        "made": {"code": "x"},
    }
    assert read(content, "toy-cpu") == record


def test_the_fingerprint_reaches_through_imports() -> None:
    code = textwrap.dedent("""
        from explainers import experiments
        print(experiments.fingerprint("explainers.targets"))
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == fingerprint("explainers.targets")
    assert fingerprint("explainers.targets") != fingerprint("explainers.fourier_density")


def test_the_command_line_without_a_command_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([])
    assert "usage" in capsys.readouterr().err


TRAINED = '''
"""A study whose cells train, for several processes."""
import os
from pathlib import Path
import torch
from explainers.experiments import Experiment, Preset
from explainers.training import Plan, train

def cell(seed, width):
    """The last loss, and where it was seen."""
    torch.manual_seed(seed)
    model = torch.nn.Linear(width, 1)
    draw = lambda generator: torch.randn(8, width, generator=generator)
    loss = lambda model, x: (model(x) - x.sum(-1, keepdim=True)).square().mean()
    losses = train(model, draw, loss, Plan(steps=20, lr=0.1, warmup_steps=0, seed=seed))
    with Path(os.environ["CELLS"]).open("a") as file:
        file.write(f"{os.environ.get('RANK')} {seed} {width} {losses[-1]}\\n")
    return {"loss": losses[-1]}

EXPERIMENTS = [Experiment("toy", cell, {"cpu": Preset(range(2), {"width": [2, 3]})})]
'''


@pytest.mark.slow
def test_two_processes_share_each_cell_and_one_of_them_records(
    book: Callable[..., Any], tmp_path: Path
) -> None:
    source = Path(experiments.__file__).with_name("training.py")
    (tmp_path / "lib/explainers/training.py").write_text(source.read_text(encoding="utf-8"))
    (tmp_path / "lib/explainers/studies/toy.py").write_text(TRAINED)
    where = {key: settings(tmp_path)["env"][key] for key in ("PYTHONPATH", "CELLS")}
    said = launch(["-m", "explainers", "run", "toy"], tmp_path, **where)
    assert said.count("recorded toy-cpu: 4 rows") == 1
    assert said.count("4 of 4 cells") == 1
    record = read(json.loads((tmp_path / "results/toy-cpu.json").read_text()), "toy-cpu")
    seen = sorted(executed(tmp_path))
    assert len(seen) == 8
    for first, second in zip(seen[:4], seen[4:], strict=True):
        rank, *cell = first.split()
        assert (rank, cell) == ("0", second.split()[1:])  # the same loss: one model
        [value] = record.values("loss", seed=int(cell[0]), width=int(cell[1]))
        assert value == float(cell[2])
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["toy-cpu.json"]
