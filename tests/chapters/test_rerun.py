"""Once a chapter has run, its cells can be run again in any order, as a reader in Colab does."""

import pytest

from explainers.resources import chapters
from tests.chapters.slices import right_run

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group(f"wrong {name}")) for name in chapters()]
)
def test_cells_say_the_same_when_they_run_again_in_reverse_order(name: str) -> None:
    ran = set[str]()
    for trace, verdicts, printed in right_run(name).in_reverse():
        assert verdicts == trace.said, f"cell {trace.cell.index} decides otherwise"
        assert printed == trace.printed, f"cell {trace.cell.index} prints something else"
        ran |= verdicts.keys()
    assert ran == {id for trace in right_run(name).traces for id in trace.cell.claims}
