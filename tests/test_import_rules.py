"""The import contracts: each forbidden import is reported by the contract that forbids it."""

import ast
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
    """A copy of the package and of its contracts."""
    ignored = shutil.ignore_patterns("__pycache__", "*.js", "*.css")
    shutil.copytree(ROOT / "lib/explainers", tmp_path / "lib/explainers", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def broken(root: Path) -> set[str]:
    """The contracts that the package at `root` breaks."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "lib")}, capture_output=True, text=True,
    )  # fmt: skip
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    rules = (LAYERS, DRAWS, NOTEBOOK, PROOFS, SYMPY)
    lines = [line for line in done.stdout.splitlines() if " BROKEN" in line]
    violated = {rule for line in lines for rule in rules if rule in line}
    assert bool(violated) == bool(done.returncode)
    return violated


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
        ("experiments/record", "from explainers import studies", {LAYERS}),
        ("experiments/runner", "from explainers.studies import get_experiment", {LAYERS}),
        ("studies/byte_lm", "from explainers import command_line", {LAYERS}),
        ("imports", "from explainers import resources", {LAYERS}),
        ("checks", "from explainers import resources", {LAYERS}),
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


BY_NAME = {"import_module", "__import__", "run_module"}


def by_name(path: Path) -> set[str]:
    """The functions for importing by name, such as import_module, that the code at `path` mentions."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    words = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    words |= {node.id for node in nodes if isinstance(node, ast.Name)}
    words |= {node.name for node in nodes if isinstance(node, ast.alias)}
    return words & BY_NAME


def test_no_arrow_runs_upward_by_name() -> None:
    """The contracts do not detect imports by name; only the registry may use them, for its own modules."""
    library = ROOT / "lib/explainers"
    paths = {path.relative_to(library).as_posix() for path in library.rglob("*.py") if by_name(path)}
    assert paths == {"studies/__init__.py"}


@pytest.mark.parametrize(
    "code", ["import importlib\nimportlib.import_module('a')", "from importlib import import_module as f",
             "__import__('a')", "from runpy import run_module"],
)  # fmt: skip
def test_an_import_by_name_is_noticed(tmp_path: Path, code: str) -> None:
    (tmp_path / "code.py").write_text(code)
    assert by_name(tmp_path / "code.py")
