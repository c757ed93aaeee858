"""A slice misses no reader: a sliced run of a small notebook says what a whole one says, with one mistake."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.cells import Cell, cells
from tests.chapters.slices import Chapter
from tests.chapters.wrong import Wrong

LIBRARY = """
from functools import cache
import random
import torch

def length(x):
    return float(x.norm())

def twice(x):
    return 2 * length(x)          # reaches it through the library

def measure():
    return lambda x: length(x)    # and through a closure

@cache
def study(size):
    return length(torch.ones(size))

STUDIES = {"by name": study}

def noise(x):
    return torch.rand(max(1, int(length(x))))

class Scale:
    def __init__(self, by):
        self.by = by
    def of(self, x):
        return self.by * x
"""

# A claim for each way by which what the function gives can reach a cell that does not call it
NOTEBOOK = [
    "import torch\nimport functools\nimport library\nfrom library import length, study\none = torch.ones(4)",
    'claim("AA-01").holds(True, library.twice(one))',
    "apply = library.measure()",
    'claim("AA-02").holds(True, apply(one))',
    'first = study(9)\nclaim("AA-03").holds(True, "nothing of it")',
    'claim("AA-04").holds(True, study(9))  # from the cache',
    'claim("AA-05").holds(True, library.STUDIES["by name"](9))  # the same cache by another way',
    "size = length(one)",
    "def grown():\n    return size + 1",
    'claim("AA-06").holds(True, grown())  # a global that a function reads',
    'pieces = []\nclaim("AA-07").holds(True, pieces)',
    "pieces.append(size)",
    'claim("AA-08").holds(True, pieces)  # changed in place by another cell',
    "other = pieces",
    'claim("AA-09").holds(True, len(other))  # by another name',
    "torch.manual_seed(0)\ndrawn = library.noise(one)",
    'claim("AA-10").holds(True, torch.rand(1).item())  # the random numbers that are left',
    'torch.manual_seed(1)\nclaim("AA-11").holds(True, torch.rand(1).item())',
    "torch.set_default_dtype(torch.float64 if size == 2 else torch.float32)",
    'claim("AA-12").holds(True, torch.zeros(1).dtype)',
    "@functools.cache\ndef remembered():\n    return length(one)\n\n\nremembered()",
    'claim("AA-13").holds(True, remembered())  # from a cache of the notebook',
    "class Box:\n    side = size\n    def area(self):\n        return self.side ** 2",
    'claim("AA-14").holds(True, Box().area())  # through the body of a class',
    "size = 5.0",
    'claim("AA-15").holds(True, size)  # bound anew, to what is right',
    "scale = library.Scale(3.0)",
    'claim("AA-16").holds(True, scale.of(2.0))',
    'length(one)\nclaim("AA-17").holds(True, [n for n in range(3)])',
    "picture = library.length(one)  # for no verdict",
    "more = length(one)",
    'claim("AA-18").holds(True, more if size > 6 or length(one) > 6 else 0.0)  # only with a wrong version',
]
UNTOUCHED = {"AA-07", "AA-11", "AA-15", "AA-17"}


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("explainers.toy")
    exec(LIBRARY, module.__dict__)
    monkeypatch.setitem(sys.modules, "explainers.toy", module)
    monkeypatch.setitem(sys.modules, "library", module)
    return module


@pytest.fixture
def notebook(tmp_path: Path) -> list[Cell]:
    head = "---\njupytext:\n  text_representation:\n    extension: .md\n    format_name: myst\n---\n\n"
    prelude = "from explainers.notebook.claim import Claim, claim as listed\nclaim = lambda id: Claim(id, {})"
    blocks = [f"```{{code-cell}} ipython3\n{source}\n```\n" for source in [prelude, *NOTEBOOK]]
    path = tmp_path / "page.md"
    path.write_text(head + "\n".join(blocks))
    return cells(path)


def test_a_slice_says_what_the_whole_says(library: ModuleType, notebook: list[Cell]) -> None:
    length = Wrong(library, "length", lambda x: float(x.norm()) + 7, set())
    chapter = Chapter(notebook, [length.place])
    sliced, whole = chapter.wrong(length), chapter.wrong(length, everything=True)
    assert sliced.verdicts == whole.verdicts
    differ = {id for id, verdict in sliced.verdicts.items() if verdict != chapter.verdicts[id]}
    assert differ == {f"AA-{n:02d}" for n in range(1, 19)} - UNTOUCHED - {"AA-03", "AA-09", "AA-16"}
    assert len(sliced.ran) < len(whole.ran) == len(notebook)
    assert chapter.right(sliced.ran).verdicts == chapter.verdicts
    # and what a wrong version left behind does not reach the next one
    assert chapter.wrong(length).verdicts == sliced.verdicts
    assert chapter.right(whole.ran).verdicts == chapter.verdicts


def test_a_method_may_be_wrong(library: ModuleType, notebook: list[Cell]) -> None:
    method = Wrong(library, "Scale.of", lambda self, x: 0.0, set())
    chapter = Chapter(notebook, [method.place])
    sliced = chapter.wrong(method)
    assert sliced.verdicts == chapter.wrong(method, everything=True).verdicts
    assert {id for id in sliced.verdicts if sliced.verdicts[id] != chapter.verdicts[id]} == {"AA-16"}


def test_a_cell_that_fails_leaves_its_names_unbound(library: ModuleType, notebook: list[Cell]) -> None:
    def broken(x: object) -> float:
        raise ValueError

    wrong = Wrong(library, "length", broken, set())
    chapter = Chapter(notebook, [wrong.place])
    sliced = chapter.wrong(wrong)
    assert sliced.verdicts == chapter.wrong(wrong, everything=True).verdicts
    assert UNTOUCHED - {"AA-17"} <= set(sliced.verdicts)
    assert not {"AA-01", "AA-06", "AA-17"} & set(sliced.verdicts)


def test_state_that_the_library_keeps_is_refused(library: ModuleType, notebook: list[Cell]) -> None:
    exec("LAST = []\ndef remember(x):\n    LAST.append(length(x))", library.__dict__)
    hidden = Cell(99, "library.remember(one)", frozenset(), "page.md")
    with pytest.raises(AssertionError, match=r"explainers\.toy\.LAST"):
        Chapter([*notebook, hidden], [(library, "length")])
