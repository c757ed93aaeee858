"""Once a chapter has run, its cells can be run again in any order, as a reader in Colab does."""

import io
from contextlib import redirect_stdout
from typing import Any

import pytest

from explainers.resources import chapters
from tests.cells import ROOT, Cell, Said, Verdict, cells, listening, run

pytestmark = pytest.mark.slow
Words = tuple[dict[str, Verdict], str]


def words(said: Said, cell: Cell, namespace: dict[str, Any]) -> Words:
    """The verdicts that a cell gives, and what it prints."""
    said.verdicts.clear()
    with redirect_stdout(io.StringIO()) as printed:
        run(said, [cell], namespace)
    return {**said.verdicts}, printed.getvalue()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group(f"wrong {name}")) for name in chapters()]
)
def test_cells_say_the_same_when_they_run_again_in_reverse_order(name: str) -> None:
    namespace: dict[str, Any] = {}
    with listening() as said:
        first = [(cell, words(said, cell, namespace)) for cell in cells(ROOT / f"notebooks/{name}.md")]
        speaking = [(cell, before) for cell, before in first if any(before)]
        assert {id for _, (verdicts, _) in speaking for id in verdicts} == {
            id for cell, _ in first for id in cell.claims
        }
        for cell, before in reversed(speaking):
            try:
                again = words(said, cell, namespace)
            except Exception as error:
                raise AssertionError(f"cell {cell.index} of {name} cannot be run again") from error
            assert again == before, f"cell {cell.index} of {name} says something else when it is run again"
