"""The lint refuses verdicts on constants, and Markdown that would not survive the export."""

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
    assert complaints(tmp_path, code=f'claim("FD-01").{verdict}({condition}, measured="x")')


@pytest.mark.parametrize(
    "condition", ["area < 1", "abs(area - 1) < 1e-9", "all(r == 2 for r in ranks)", "condition=area < 1"]
)
def test_a_condition_on_something_measured_passes(tmp_path: Path, condition: str) -> None:
    assert complaints(tmp_path, code=f'claim("FD-01").holds({condition}, measured="x")') == []


def test_a_claim_gets_one_verdict(tmp_path: Path) -> None:
    once = 'claim("FD-01").holds(area < 1, "x")'
    assert complaints(tmp_path, code=once) == []
    (said,) = complaints(
        tmp_path, code=f"{once}\n```\n\n```{{code-cell}} ipython3\n{once.replace('holds', 'refuted')}"
    )
    assert "cell 2" in said or "cell 3" in said
    assert "claim FD-01 has its verdict already" in said


@pytest.mark.parametrize(
    "prose", ["```{note}\nx\n```", ":::{tip}\nx\n:::", "````{grid}\n````", "{ref}`x`", "{doc}`x`"]
)
def test_markdown_that_would_not_survive_is_refused(tmp_path: Path, prose: str) -> None:
    assert complaints(tmp_path, prose=prose)


@pytest.mark.parametrize(
    "prose", ["```{margin}\nx\n```", "{term}`x`, {cite:p}`y`, {eq}`z`", "```{math}\n:label: z\nx\n```"]
)
def test_markdown_that_survives_passes(tmp_path: Path, prose: str) -> None:
    assert complaints(tmp_path, prose=prose) == []


@pytest.mark.parametrize("name", fingerprint.chapters(ROOT))
def test_the_chapters_pass(name: str) -> None:
    assert lint.check(ROOT / name) == []
