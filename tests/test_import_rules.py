"""Who may import whom: each line that breaks a rule is caught by the rule that forbids it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = "A module imports what stands in a layer below it"
DRAWS = "The science draws nothing"
NOTEBOOK = "The notebook kit is for notebooks"
PROOFS = "The proof kit is for notebooks and proofs"
SYMPY = "The proof kit needs SymPy and the standard library alone"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A copy of the package and of its rules."""
    kept = shutil.ignore_patterns("__pycache__", "*.js", "*.css")
    shutil.copytree(ROOT / "lib/explainers", tmp_path / "lib/explainers", ignore=kept)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def broken(root: Path) -> set[str]:
    """The rules that the package at `root` breaks."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "lib")}, capture_output=True, text=True,
    )  # fmt: skip
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    rules = (LAYERS, DRAWS, NOTEBOOK, PROOFS, SYMPY)
    found = {rule for line in done.stdout.splitlines() if " BROKEN" in line for rule in rules if rule in line}
    assert bool(found) == bool(done.returncode)
    return found


def test_the_library_breaks_no_rule(library: Path) -> None:
    assert broken(library) == set()


@pytest.mark.parametrize(
    ("module", "line", "rules"),
    [
        ("stray", "import matplotlib.pyplot", {LAYERS, DRAWS}),  # listed nowhere
        ("sgd", "import ipywidgets", {DRAWS}),
        ("studies/sgd", "import matplotlib", {DRAWS}),
        ("sgd", "from explainers import fourier_density", {LAYERS}),
        ("sgd", "from explainers.studies import byte_lm", {LAYERS}),
        ("decoder", "from explainers import sgd", {LAYERS}),
        ("rope", "from explainers import decoder", {LAYERS}),
        ("experiments", "from explainers import studies", {LAYERS}),
        ("sgd", "from explainers.notebook import show", {NOTEBOOK}),
        ("resources", "from explainers.notebook import words", {LAYERS, NOTEBOOK}),
        ("notebook/words", "from explainers import targets", {LAYERS}),
        ("notebook/words", "from explainers import sgd", {LAYERS}),
        ("sgd", "from explainers.derive import derive", {PROOFS}),
        ("derive/sums", "import torch", {SYMPY}),
        ("derive/sums", "import numpy", {SYMPY}),
        ("derive/sums", "from explainers import rope", {LAYERS, SYMPY}),  # and so torch
    ],
)
def test_a_line_that_breaks_a_rule_is_caught(library: Path, module: str, line: str, rules: set[str]) -> None:
    with (library / f"lib/explainers/{module}.py").open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    assert broken(library) == rules
