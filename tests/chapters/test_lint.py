"""The lint refuses verdicts on constants, names bound in two cells, and Markdown that the export does not
support."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book"))

from extension import fingerprint, lint  # noqa: E402  (the path comes first)

HEAD = "---\njupytext:\n  text_representation:\n    extension: .md\n    format_name: myst\n---\n\n"


def complaints(tmp_path: Path, *, code: str = "", prose: str = "") -> list[str]:
    path = tmp_path / "page.md"
    path.write_text(f"{HEAD}{prose}\n\n```{{code-cell}} ipython3\n{code}\n```\n")
    return lint.check(path)


@pytest.mark.parametrize(
    "condition",
    ["True", "1", "1 < 2", "not False", "bool(1)", "np.bool_(True)", "torch.tensor(True)", "len('x') == 1",
     "math.pi > 3",
     "sympy.true", "(lambda: True)()", "condition=True"],
)  # fmt: skip
@pytest.mark.parametrize("verdict", ["holds", "qualified", "refuted"])
def test_a_condition_that_nothing_measured_is_refused(tmp_path: Path, verdict: str, condition: str) -> None:
    assert complaints(tmp_path, code=f'claim("FD-01").{verdict}({condition}, found="x")')


@pytest.mark.parametrize(
    "condition", ["area < 1", "abs(area - 1) < 1e-9", "all(r == 2 for r in ranks)", "condition=area < 1"]
)
def test_a_condition_on_something_measured_passes(tmp_path: Path, condition: str) -> None:
    assert complaints(tmp_path, code=f'claim("FD-01").holds({condition}, found="x")') == []


def test_a_claim_gets_one_verdict(tmp_path: Path) -> None:
    once = 'claim("FD-01").holds(area < 1, "x")'
    assert complaints(tmp_path, code=once) == []
    (said,) = complaints(
        tmp_path, code=f"{once}\n```\n\n```{{code-cell}} ipython3\n{once.replace('holds', 'refuted')}"
    )
    assert "cell 2" in said or "cell 3" in said
    assert "claim FD-01 already has a verdict" in said


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("from . import sgd", "a relative import"),
        ("importlib.import_module('explainers.sgd')", "import_module hides what it imports"),
        ("__import__('explainers.sgd')", "__import__ hides"),
        ("record(f'sgd-{preset}')", "record hides what it reads"),
        ("show.experiment(name)", "experiment hides"),
        ("experiment('sgd', preset=preset)", "experiment hides"),
    ],
)
def test_what_a_page_depends_on_is_written_out(tmp_path: Path, code: str, says: str) -> None:
    (said,) = complaints(tmp_path, code=code)
    assert f"line 1: {says}" in said


def test_names_of_modules_and_records_that_are_written_out_pass(tmp_path: Path) -> None:
    code = "import explainers.sgd\nfrom explainers import sgd\nexperiment('sgd', preset='cpu')"
    assert complaints(tmp_path, code=code) == []


@pytest.mark.parametrize(
    "prose", ["```{note}\nx\n```", ":::{tip}\nx\n:::", "````{grid}\n````", "{ref}`x`", "{doc}`x`"]
)
def test_markdown_that_the_export_does_not_support_is_refused(tmp_path: Path, prose: str) -> None:
    assert complaints(tmp_path, prose=prose)


@pytest.mark.parametrize(
    "prose", ["```{margin}\nx\n```", "{term}`x`, {cite:p}`y`, {eq}`z`", "```{math}\n:label: z\nx\n```"]
)
def test_markdown_that_the_export_supports_passes(tmp_path: Path, prose: str) -> None:
    assert complaints(tmp_path, prose=prose) == []


def of_cells(tmp_path: Path, *cells: str) -> list[str]:
    return complaints(tmp_path, code="\n```\n\n```{code-cell} ipython3\n".join(cells))


@pytest.mark.parametrize(
    ("line", "binding"),
    [
        (1, "x = 1"),
        (1, "x += 1"),
        (1, "x: int = 1"),
        (1, "y, (x, *_) = 1, (2, 3)"),
        (1, "first, *x = 1, 2"),
        (1, "print(x := 1)"),
        (1, "squares = [x := i for i in range(3)]"),
        (1, "for x in range(3): pass"),
        (1, "for i, x in enumerate([1]): pass"),
        (3, "if y:\n    while y:\n        x = 1"),
        (1, "with open(y) as x: pass"),
        (3, "try:\n    pass\nexcept OSError as x:\n    pass"),
        (2, "match y:\n    case [x]:\n        pass"),
        (1, "def x(): pass"),
        (1, "async def x(): pass"),
        (1, "class x: pass"),
        (1, "import x"),
        (1, "import x.y"),
        (1, "import y as x"),
        (1, "from y import x"),
        (1, "from y import z as x"),
        (3, "def f():\n    global x\n    x = 1"),
    ],
)
def test_a_name_that_two_cells_bind_is_refused(tmp_path: Path, line: int, binding: str) -> None:
    assert of_cells(tmp_path, binding) == []
    (said,) = of_cells(tmp_path, "x = 0", "pass", f"pass\n{binding}")
    assert said == f"page.md, cell 3: line {line + 1}: x is already bound in cell 1"


@pytest.mark.parametrize(
    "code",
    [
        "_ = 1",
        "for _ in range(3): pass",
        "y, _ = 1, 2",
        "del x",
        "print(x)",
        "x[0] = 1",
        "x.y = 1",
        "x: int",
        "[x for x in range(3)]",
        "{x: y for x, y in {}.items()}",
        "sum(x for x in range(3))",
        "print(lambda x: x)",
        "def f(x):\n    x = 1\n    for x in range(3):\n        pass",
        "class A:\n    x = 1",
    ],
)
def test_what_binds_nothing_in_the_notebook_is_free(tmp_path: Path, code: str) -> None:
    assert of_cells(tmp_path, "x = [0]\n_ = 0", code) == []


def test_a_cell_may_bind_a_name_twice_itself(tmp_path: Path) -> None:
    assert of_cells(tmp_path, "x = 1\nx = 2\nfor x in range(3): pass") == []


@pytest.mark.parametrize(
    "reading", ["print(x)", "def f():\n    return x", "print([x + i for i in range(3)])"]
)
def test_a_verdict_reads_nothing_that_is_bound_beside_another_verdict(tmp_path: Path, reading: str) -> None:
    first, second = (f'claim("FD-0{n}").holds(area < 1, "x")' for n in (1, 2))
    assert of_cells(tmp_path, "x = 1", first, f"{reading}\n{second}") == []
    assert of_cells(tmp_path, f"x = 1\n{first}", reading) == [], "a cell without a verdict may"
    assert of_cells(tmp_path, f"x = 1\n{first}\nprint(x)") == []
    (said,) = of_cells(tmp_path, f"x = 1\n{first}", f"pass\n{reading}\n{second}")
    words = "a verdict reads x, which cell 1 with another verdict binds"
    assert said == f"page.md, cell 2: line {2 + reading.count(chr(10))}: {words}"


@pytest.mark.parametrize("name", fingerprint.notebooks(ROOT))
def test_no_page_binds_a_name_in_two_cells(name: str) -> None:
    assert lint.check_names(ROOT / name) == []


@pytest.mark.parametrize("name", fingerprint.chapters(ROOT))
def test_the_chapters_pass(name: str) -> None:
    assert lint.check(ROOT / name) == []
