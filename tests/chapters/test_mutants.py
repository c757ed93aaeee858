"""Every derivation of every notebook is proved, and every wrong version of it is refused."""

from pathlib import Path

import pytest

from explainers.derive import Quoted
from tests.notebooks import mutants

CELLS = [
    pytest.param(path, position, id=f"{path.stem}:{position}")
    for path in sorted(mutants.NOTEBOOKS.glob("*.md"))
    for position, source in mutants.cells(path)
    if ".qed(" in source
]


@pytest.mark.parametrize(("path", "position"), CELLS)
def test_a_cell_proves_what_it_states_and_refuses_what_is_wrong(path: Path, position: int) -> None:
    made = mutants.derivations(path)[position]
    assert made, "the cell makes no derivation"
    for d in made:
        assert d.theorem is not None, f"{d.title}: no qed"
        assert "object at 0x" not in repr(d)
        for step in d.steps:
            tally = mutants.right_sides(d, step)
            assert tally.refused > 0, f"{d.title}: no wrong version of {step.rhs} is refused: vacuous"
        tally = mutants.starts(d) + mutants.definitions(d)
        assert tally.refused > 0, f"{d.title}: no wrong start and no wrong definition is refused: vacuous"
        mutants.lemmas(d)
        mutants.certificates(d)


@pytest.mark.parametrize(("path", "position"), CELLS)
def test_what_is_quoted_says_so(path: Path, position: int) -> None:
    for d in mutants.derivations(path)[position]:
        quoted = [step.by for step in d.steps if isinstance(step.by, Quoted)]
        assert all(each.rests_on in d.rests_on for each in quoted)


def test_the_distribution_function_is_pinned_down_by_its_slope_and_both_ends_together() -> None:
    titles = {f"The distribution function at the {side} end" for side in ("left", "right")}
    titles.add("The slope of the distribution function")
    made = mutants.derivations(mutants.NOTEBOOKS / "fourier_density.md").values()
    group = [d for cell in made for d in cell if d.title in titles]
    assert len(group) == 3
    assert mutants.shared_definitions(group).refused > 50
