"""The exported notebooks in an environment like Colab's: its versions, and the library from a wheel."""

import ast
import json
import re
import shutil
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest

from explainers import resources
from tests.book import colab

pytestmark = pytest.mark.book

NAMES = [path.stem for path in colab.notebooks()]
# those that are meant to run
SNIPPETS = re.findall(
    r"^```python\n(.*?)^```", (colab.ROOT / "README.md").read_text(encoding="utf-8"), flags=re.M | re.S
)

# nbval compares what a reader sees: not the forms that only the site knows, nor the HTML image that repeats a
# drawing, and of the drawing its words, since another Matplotlib may draw a line in other strokes
CONFTEST = """
class Skipped(tuple):
    def __contains__(self, kind):
        ours = kind == "text/html" or kind.startswith("application/vnd.explainers.")
        return ours or super().__contains__(kind)


def pytest_collection_modifyitems(items):
    for item in items:
        item.parent.skip_compare = Skipped(item.parent.skip_compare)
"""
SANITIZE = r"""
[tags, and so the strokes of a drawing]
regex: <[/!?]?[A-Za-z][^<>]*>
replace: -
"""


@pytest.fixture(scope="session")
def installed() -> dict[str, Any]:
    """The output of the first cell, and the versions before and after it."""
    record = colab.FOLDER / "installed.json"
    assert record.exists(), "the environment is not there: run `make colab`"
    return json.loads(record.read_text())


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(colab.ROOT / f"_build/html/notebooks/{name}.ipynb", as_version=4)


def test_every_chapter_is_exported() -> None:
    assert tuple(NAMES) == resources.chapters()


def test_the_first_cell_installs_the_library_and_leaves_the_rest_alone(installed: dict[str, Any]) -> None:
    before, after = installed["before"], installed["after"]
    assert "explainers" not in before
    assert {name for name in before if before[name] != after.get(name)} == set()
    assert before["torch"] == after["torch"]
    for name in set(after) - set(before):
        assert re.search(rf"\b{re.escape(name)} {re.escape(after[name])}", installed["said"], flags=re.I)
    assert f"PyTorch is {after['torch']}." in installed["said"]


def test_the_first_cell_is_quick_where_the_library_is(installed: dict[str, Any]) -> None:
    def seconds(code: str) -> float:
        started = time.perf_counter()
        done = colab.run(code)
        assert done.returncode == 0, done.stderr
        assert code == "pass" or "is here already" in done.stdout
        return time.perf_counter() - started

    extra = [seconds(colab.install_cell()) - seconds("pass") for _ in range(5)]
    assert statistics.median(extra) < 1.0


def test_a_first_cell_that_cannot_install_says_why(installed: dict[str, Any], tmp_path: Path) -> None:
    hide = (
        "import importlib.metadata as m\n"
        "every = m.distributions\n"
        "m.distributions = lambda: (d for d in every() if d.name != 'explainers')\n"
    )
    done = colab.run(hide + colab.install_cell(), EXPLAINERS_SOURCE=str(tmp_path / "missing.whl"))
    assert done.returncode != 0
    assert "RuntimeError: pip could not install" in done.stderr
    assert "missing.whl" in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_an_exported_notebook_gives_its_outputs_again(
    name: str, installed: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "sanitize.cfg").write_text(SANITIZE)
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(colab.ROOT / f"_build/html/notebooks/{name}.ipynb", alone)
    command = [str(colab.PYTHON), "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider"]
    command += ["--nbval", "--nbval-sanitize-with", "sanitize.cfg", "--rootdir", ".", "alone"]
    done = subprocess.run(
        command, cwd=tmp_path, env=colab.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-20_000:]
    cells = [cell for cell in read(name).cells if cell.cell_type == "code"]
    assert f"{len(cells)} passed" in done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_few_outputs_are_ignored_each_for_a_reason_and_none_of_a_claim(name: str) -> None:
    ignored = [
        cell
        for cell in read(name).cells
        if any(tag.startswith("nbval-") for tag in cell.metadata.get("tags", []))
    ]
    assert len(ignored) <= 3
    for cell in ignored:
        assert re.search(r"^# nbval \w+ .*: .+", cell.source, flags=re.M), cell.source
        calls = [node.func for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)]
        assert not [call for call in calls if isinstance(call, ast.Name) and call.id == "claim"]


WHEEL_ALONE = """
import pathlib
import explainers, torch
from explainers import resources
from explainers.fourier_density import FourierDensity
from explainers.notebook.explore import Explorable
from explainers.studies import experiment

assert "site-packages" in explainers.__file__, explainers.__file__
assert "site-packages" in str(resources.folder("claims"))
assert "DecompressionStream" in Explorable._esm
assert pathlib.Path(explainers.__file__).with_name("py.typed").exists()
for chapter in resources.chapters():
    assert resources.chapter_claims(chapter)
    assert resources.chapter(chapter).article.url
print(FourierDensity(3).log_prob(torch.zeros(1)).item(), len(experiment("fourier_density").rows))
"""


def test_the_library_works_from_the_wheel_alone(installed: dict[str, Any], tmp_path: Path) -> None:
    done = colab.run(WHEEL_ALONE, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(" 400\n")


def test_the_command_lists_the_recorded_runs_from_the_wheel_alone(
    installed: dict[str, Any], tmp_path: Path
) -> None:
    listed = subprocess.run(
        [str(colab.PYTHON), "-m", "explainers", "list"], cwd=tmp_path, env=colab.environment(),
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    here = sorted(path.stem for path in (colab.ROOT / "results").glob("*-cpu.json"))
    assert here
    for record in here:
        assert record.removesuffix("-cpu") in listed


def test_the_readme_has_snippets() -> None:
    assert len(SNIPPETS) >= 3


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: re.findall(r"explainers\.?\w*", snippet)[0])
def test_a_snippet_of_the_readme_runs_from_the_wheel_alone(
    snippet: str, installed: dict[str, Any], tmp_path: Path
) -> None:
    done = colab.run(snippet, tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"tensor\(|^b['\"]", done.stdout, flags=re.M)  # it prints what the library computed
