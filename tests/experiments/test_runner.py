"""Running a sweep, continuing one that was killed, and the provenance in its record."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from explainers import resources
from explainers.experiments import Experiment, Preset, runner
from explainers.experiments.record import read_record
from explainers.experiments.runner import run
from tests.experiments.checkout import LIBRARY, command, commit, executed, git, ok, settings
from tests.experiments.conftest import Called
from tests.test_training import launch


def test_a_run_records_every_cell_and_how_it_was_made(book: Called, tmp_path: Path) -> None:
    assert ok(book("list")) == "toy: cpu (6 cells)\n"
    assert ok(book("status")) == "toy-cpu: not recorded\n"
    ok(book("run", "toy"))
    record = json.loads((tmp_path / "results/toy-cpu.json").read_text())
    assert [(row["seed"], row["size"], row["value"]) for row in record["rows"]] == [
        (0, 1, 10), (1, 1, 11), (2, 1, 12), (0, 2, 20), (1, 2, 21), (2, 2, 22),
    ]  # fmt: skip
    assert {row["word"] for row in record["rows"]} == {"even", "odd"}
    made = {
        "revision", "dirty", "code", "versions", "device", "threads", "date", "seconds", "command", "bars",
    }  # fmt: skip
    assert set(record["made"]) == made
    assert record["config"] == {"seeds": [0, 1, 2], "grid": {"size": [1, 2]}, "fixed": {"scale": 10}}
    assert ok(book("status")) == "toy-cpu: current\n"
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["toy-cpu.json"]


def test_a_killed_sweep_goes_on_where_it_was(book: Called, tmp_path: Path) -> None:
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
    stored = len(json.loads(part.read_text())["rows"])
    assert not (tmp_path / "results/toy-cpu.json").exists()
    assert "with an unfinished run" in ok(book("status"))
    before = len(executed(tmp_path))
    said = ok(book("run", "toy"))
    assert f"{stored} of 6 cells are already stored" in said
    assert len(executed(tmp_path)) - before == 6 - stored
    assert len(json.loads((tmp_path / "results/toy-cpu.json").read_text())["rows"]) == 6
    assert not part.exists()


def test_half_a_sweep_of_other_code_is_not_continued(book: Called, tmp_path: Path) -> None:
    part = tmp_path / "results/.toy-cpu.part"
    rows = [{"seed": 0, "size": 1, "value": -1}]
    config = {"seeds": [0, 1, 2], "grid": {"size": [1, 2]}, "fixed": {"scale": 10}}
    part.write_text(json.dumps({"config": config, "code": "another", "rows": rows, "seconds": 1}))
    ok(book("run", "toy"))
    assert all(
        row["value"] > 0 for row in json.loads((tmp_path / "results/toy-cpu.json").read_text())["rows"]
    )


def test_a_broken_beginning_is_begun_again(book: Called, tmp_path: Path) -> None:
    (tmp_path / "results/.toy-cpu.part").write_text('{"rows": [')
    ok(book("run", "toy"))
    assert len(executed(tmp_path)) == 6


def broken_cell(seed: int) -> dict[str, float]:
    return {"value": float("nan") if seed else 1.0}


def test_a_metric_that_is_not_finite_stops_the_sweep(results: Path) -> None:
    study = Experiment("broken", broken_cell, {"cpu": Preset([0, 1])})
    with pytest.raises(ValueError, match=r"value: nan at \{'seed': 1\}"):
        run(study, "cpu", workers=1, dirty=True)
    assert not (results / "broken-cpu.json").exists()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A committed checkout that the library uses as its own; cells run in this process."""
    (tmp_path / "results").mkdir()
    (tmp_path / "book/claims").mkdir(parents=True)
    monkeypatch.setattr(resources, "checkout", lambda: tmp_path)
    monkeypatch.setattr(runner, "_run_cells", lambda calls, workers: map(runner._call, calls))
    COMPUTED.clear()
    commit(tmp_path)
    return tmp_path


COMPUTED: list[int] = []
GIVEN: dict[str, Any] = {}  # what `given_cell` returns, by size


def given_cell(seed: int, size: int) -> dict[str, Any]:
    COMPUTED.append(size)
    return dict(GIVEN.get(str(size), {"value": seed + size}))


TOY = Experiment("toy", given_cell, {"cpu": Preset([0, 1], {"size": [1, 2]})})


def record_in(root: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((root / "results/toy-cpu.json").read_text())
    return record


@pytest.mark.parametrize(
    ("one", "two", "says"),
    [
        ({"curve": [0.5]}, {"curve": [0.5, 1]}, "curve: 2 of number at .*, but 1 of number in another cell"),
        ({"value": 1}, {"value": 1, "more": 2}, "'more'.* at .* are not in every cell"),
        ({"value": 1}, {"value": "much"}, "value: string at .*, but number in another cell"),
        ({"value": 1}, {"value": True}, "value: bool at .*, but number in another cell"),
        ({"value": 1}, {"value": None}, "value: None at .* is not a number or a string"),
        ({"value": [1, 2]}, {"value": [1, float("inf")]}, "value: inf at .* is not finite"),
        ({"value": {"a": 1}}, {"value": {"a": float("nan")}}, "value: a: nan at .* is not finite"),
        ({"value": 1}, {"value": 1, "size": 2}, "size: expected different names"),
    ],
)
def test_metrics_that_no_record_may_hold_stop_the_sweep(
    here: Path, monkeypatch: pytest.MonkeyPatch, one: Any, two: Any, says: str
) -> None:
    monkeypatch.setitem(GIVEN, "1", one)
    monkeypatch.setitem(GIVEN, "2", two)
    with pytest.raises(ValueError, match=says):
        run(TOY, "cpu")
    assert not (here / "results/toy-cpu.json").exists()


@pytest.mark.parametrize("kind", ["a file", "absent", "inside a file"])
def test_where_nothing_can_be_written_no_cell_is_computed(
    here: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    folder = here / "results"
    folder.rmdir()
    if kind != "absent":
        folder.write_text("not a folder")
    if kind == "inside a file":
        monkeypatch.setattr(resources, "folder", lambda _: folder / "results")
    with pytest.raises(OSError, match="results: nothing can be recorded in"):
        run(TOY, "cpu")
    assert COMPUTED == []


def test_a_dirty_tree_is_refused_before_a_cell_is_computed(book: Called, tmp_path: Path) -> None:
    commit(tmp_path)
    (tmp_path / "note.txt").write_text("in no commit")
    done = book("run", "toy")
    assert done.returncode == 1
    assert "dirty: nothing is recorded from a working tree" in done.stderr
    assert "note.txt" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "cells").exists()
    assert not list((tmp_path / "results").iterdir())


@pytest.mark.parametrize("change", ["new", "edited", "staged", "deleted"])
def test_every_change_but_of_a_record_is_dirty(here: Path, change: str) -> None:
    (here / "note.txt").write_text("one")
    revision = commit(here)
    (here / "results/other-cpu.json").write_text("{}")
    assert (run(TOY, "cpu").made["revision"], run(TOY, "cpu").made["dirty"]) == (revision, False)
    before = record_in(here)
    if change == "new":
        (here / "more.txt").touch()
    elif change == "deleted":
        (here / "note.txt").unlink()
    else:
        (here / "note.txt").write_text("two")
    if change == "staged":
        git(here, "add", "note.txt")
    COMPUTED.clear()
    with pytest.raises(ValueError, match=r"dirty: .*\.txt"):
        run(TOY, "cpu")
    assert COMPUTED == []
    assert record_in(here) == before
    assert run(TOY, "cpu", dirty=True).made["dirty"] is True
    assert record_in(here)["made"]["dirty"] is True


def test_what_changes_during_a_run_makes_nothing_dirty(here: Path) -> None:
    revision = git(here, "rev-parse", "--short", "HEAD")

    def log(words: str) -> None:
        (here / "late.txt").write_text(words)
        commit(here)
        (here / "later.txt").write_text(words)

    made = run(TOY, "cpu", log=log).made
    assert (here / "later.txt").exists()
    assert (made["revision"], made["dirty"]) == (revision, False)


CLAIMS = """
claims:
- id: TO-01
  text: The value grows.
  bar: >-
    It grows with {what}.
- id: TO-02
  text: Others say so.
  quoted: not ours
"""


def killed(root: Path, kept_rows: int, **edit: Any) -> None:
    """Replace the record of `toy` by the files of a run that was killed after `kept_rows` rows."""
    whole = record_in(root)
    unchanged = {key: whole["made"][key] for key in ("code", "revision", "dirty", "bars", "seconds")}
    part = {**unchanged, "config": whole["config"], "rows": whole["rows"][:kept_rows], **edit}
    (root / "results/.toy-cpu.part").write_text(json.dumps(part))
    (root / "results/toy-cpu.json").unlink()


def test_revision_and_bars_are_those_of_the_beginning(here: Path) -> None:
    claims = here / "book/claims/test_runner.yml"  # a study has the name of its chapter; here it is this file
    claims.write_text(CLAIMS.format(what="size"))
    before = commit(here)
    first = run(TOY, "cpu").made
    assert list(first["bars"]) == ["TO-01"]  # a claim without a bar has no hash
    killed(here, 3)
    claims.write_text(CLAIMS.format(what="whatever"))
    after = commit(here)
    assert after != before
    COMPUTED.clear()
    resumed = run(TOY, "cpu").made
    assert len(COMPUTED) == 1
    assert (resumed["revision"], resumed["bars"]) == (before, first["bars"])
    anew = run(TOY, "cpu").made
    assert anew["revision"] == after
    assert anew["bars"]["TO-01"] != first["bars"]["TO-01"]


def test_cells_of_a_dirty_tree_are_continued_only_where_it_is_allowed(here: Path) -> None:
    for allowed, computed in ((False, 4), (True, 1)):
        run(TOY, "cpu")
        killed(here, 3, dirty=True)
        COMPUTED.clear()
        assert run(TOY, "cpu", dirty=allowed).made["dirty"] is allowed
        assert len(COMPUTED) == computed


@pytest.mark.parametrize(
    "edit",
    [
        {"rows": None}, {"rows": [1]}, {"rows": [{"seed": 0}]}, {"rows": [{"seed": 7, "size": 1}]},
        {"rows": [{"seed": 0, "size": 1, "value": 1}] * 2}, {"seconds": None}, {"bars": None},
        {"revision": 3}, {"dirty": 0}, {"more": 1},
    ],
)  # fmt: skip
def test_a_beginning_that_is_not_one_is_begun_again(here: Path, edit: dict[str, Any]) -> None:
    run(TOY, "cpu")
    killed(here, 2, **edit)
    COMPUTED.clear()
    assert run(TOY, "cpu").rows == [
        {"seed": seed, "size": size, "value": seed + size} for size in (1, 2) for seed in (0, 1)
    ]
    assert len(COMPUTED) == 4


TRAINED = '''
"""A study whose cells train, for several processes."""
import os
from pathlib import Path
import torch
from explainers.experiments import Experiment, Preset, runner
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
def test_two_processes_share_each_cell_and_one_of_them_records(book: Called, tmp_path: Path) -> None:
    for name in ("training.py", "checks.py"):
        shutil.copy(LIBRARY / name, tmp_path / "lib/explainers" / name)
    (tmp_path / "lib/explainers/studies/toy.py").write_text(TRAINED)
    where = {key: settings(tmp_path)["env"][key] for key in ("PYTHONPATH", "CELLS")}
    said = launch(["-m", "explainers", "run", "toy"], tmp_path, **where)
    assert said.count("recorded toy-cpu: 4 rows") == 1
    assert said.count("4 of 4 cells") == 1
    record = read_record(json.loads((tmp_path / "results/toy-cpu.json").read_text()), "toy-cpu")
    seen = sorted(executed(tmp_path))
    assert len(seen) == 8
    for first, second in zip(seen[:4], seen[4:], strict=True):
        rank, *cell = first.split()
        assert (rank, cell) == ("0", second.split()[1:])  # the same loss: one model
        [value] = record.values("loss", seed=int(cell[0]), width=int(cell[1]))
        assert value == float(cell[2])
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["toy-cpu.json"]
