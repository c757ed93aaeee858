"""Every derivation of every page is proved, and every wrong version of it is refused.

A derivation is attacked wherever it is made: in a cell, or in the function of a side proof that a cell calls.
"""

from functools import cache

import pytest

from explainers.derive import Derivation, Quoted
from explainers.resources import chapters
from tests.cells import ROOT, cells, listening, run
from tests.chapters import mutants, wrong

# with checked types it takes nearly twice as long, and `tests/derive` has them checked
pytestmark = pytest.mark.usefixtures("unchecked")
ALL = [
    pytest.param(name, title, id=f"{name}: {title}")
    for name in chapters()
    for title in dict.fromkeys(wrong.of_chapter(name).derivations)
]


@cache
def derivations(name: str) -> list[Derivation]:
    """The derivations of a chapter. The cells that make one are tagged; no others run."""
    tagged = [cell for cell in cells(ROOT / f"notebooks/{name}.md") if "derivation" in cell.tags]
    with listening() as said:
        return run(said, tagged).derivations


def called(name: str, title: str) -> list[Derivation]:
    """Those of a title: one, or several that a loop made."""
    return [d for d in derivations(name) if d.title == title]


@pytest.mark.parametrize("name", chapters())
def test_the_derivations_are_those_that_are_listed(name: str) -> None:
    titles = [d.title for d in derivations(name)]
    assert sorted(titles) == sorted(wrong.of_chapter(name).derivations)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "title"), ALL)
def test_what_is_stated_is_proved_and_what_is_wrong_is_refused(name: str, title: str) -> None:
    for d in called(name, title):
        assert d.theorem is not None, "no qed"
        assert "object at 0x" not in repr(d)
        for step in d.steps:
            tally = mutants.right_sides(d, step)
            assert tally.refused > 0, f"no wrong version of {step.rhs} is refused: vacuous"
        tally = mutants.starts(d) + mutants.definitions(d)
        assert tally.refused > 0, "no wrong start and no wrong definition is refused: vacuous"
        mutants.lemmas(d)
        mutants.certificates(d)
        assert mutants.shown_forms(d).refused >= len(mutants.forms(d)), "no wrong form is refused"


@pytest.mark.parametrize(("name", "title"), ALL)
def test_what_is_quoted_says_so(name: str, title: str) -> None:
    for d in called(name, title):
        quoted = [step.by for step in d.steps if isinstance(step.by, Quoted)]
        assert all(proof.rests_on in d.rests_on for proof in quoted)


def test_the_distribution_function_is_pinned_down_by_its_slope_and_both_ends_together() -> None:
    titles = [f"The distribution function at the {side} end" for side in ("left", "right")]
    titles.append("The distribution function: its slope and its two ends")
    group = [d for title in titles for d in called("fourier_density", title)]
    assert len(group) == 3
    assert mutants.shared_definitions(group).refused > 50
