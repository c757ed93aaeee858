"""The exercises of every chapter: their form, and functions that their cells judge."""

import ast
import re
from functools import cache
from typing import Any

import jupytext
import pytest

from explainers.notebook.exercise import Judgement
from explainers.resources import chapters
from tests.cells import ROOT, Cell, cells, listening
from tests.chapters.answers import of_chapter


@cache
def judges(chapter: str) -> dict[str, Cell]:
    """The cells that judge a function, by its name."""
    found = {}
    for cell in cells(ROOT / f"notebooks/{chapter}.md"):
        if "judge" in cell.tags:
            (name,) = re.findall(r'^judge\(\s*"(\w+)",\s*globals\(\)', cell.source, flags=re.M)
            found[name] = cell
    return found


def judged(chapter: str, name: str, **defined: Any) -> Judgement:
    """The judgement of a cell in a notebook in which a reader has defined something.

    Of the other cells those run that it needs: imports, and what binds a name that it reads.
    """
    chosen = judges(chapter)[name]
    namespace: dict[str, Any] = {"__name__": "cells"}
    with listening():
        for statement in _needed(chapter, chosen):
            exec(statement, namespace)
        namespace.update(defined)
        *before, last = ast.parse(chosen.source).body
        assert isinstance(last, ast.Expr), "the judgement is the last expression, which the notebook shows"
        exec(ast.unparse(ast.Module(before, [])), namespace)
        judgement = eval(ast.unparse(last), namespace)
    assert isinstance(judgement, Judgement)
    return judgement


def _needed(chapter: str, chosen: Cell) -> list[str]:
    """The statements of earlier cells that bind what a cell reads, and what these read in turn."""
    earlier = [
        statement
        for cell in cells(ROOT / f"notebooks/{chapter}.md")
        if cell.index < chosen.index
        for statement in ast.parse(cell.source).body
    ]
    wanted, needed = _names(ast.parse(chosen.source), ast.Load), []
    for statement in reversed(earlier):
        dtype = "set_default_dtype" in ast.unparse(statement)
        if dtype or wanted & _bound(statement):
            needed.append(ast.unparse(statement))
            wanted |= _names(statement, ast.Load)
    return needed[::-1]


def _names(tree: ast.AST, context: type[ast.expr_context]) -> set[str]:
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, context)}


def _bound(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in statement.names}
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    return _names(statement, ast.Store)


EACH = [
    pytest.param(chapter, name, id=f"{chapter}-{name}") for chapter in chapters() for name in judges(chapter)
]


@pytest.mark.parametrize("chapter", chapters())
def test_a_chapter_asks_for_a_function(chapter: str) -> None:
    assert judges(chapter)
    assert of_chapter(chapter).keys() == judges(chapter).keys()


@pytest.mark.parametrize(("chapter", "name"), EACH)
def test_the_book_s_answer_is_accepted(chapter: str, name: str) -> None:
    judgement = judged(chapter, name)
    assert judgement.right
    assert not judgement.yours


@pytest.mark.parametrize(("chapter", "name"), EACH)
def test_another_right_answer_is_accepted_as_the_reader_s(chapter: str, name: str) -> None:
    judgement = judged(chapter, name, **{name: of_chapter(chapter)[name].right})
    assert judgement.right, repr(judgement)
    assert judgement.yours


@pytest.mark.parametrize(("chapter", "name"), EACH)
def test_wrong_answers_are_refused_though_the_book_s_is_there(chapter: str, name: str) -> None:
    wrong = of_chapter(chapter)[name].wrong
    assert len(set(wrong)) >= 3
    for answer in wrong:
        judgement = judged(chapter, name, **{name: answer})
        assert judgement.yours
        assert not judgement.right, f"{answer.__name__} is accepted"
        assert "should give" in repr(judgement)


@pytest.mark.parametrize("chapter", chapters())
def test_a_solution_opens_on_prose_and_is_the_last_of_its_exercise(chapter: str) -> None:
    text = "\n\n".join(
        "CODE" if cell.cell_type == "code" else cell.source
        for cell in jupytext.read(ROOT / f"notebooks/{chapter}.md").cells
    )
    section = re.search(r"^## Exercises$(.*?)^## ", text, flags=re.M | re.S)
    assert section
    first, *exercises = re.split(r"^### ", section[1], flags=re.M)
    assert not first.strip()
    for number, exercise in enumerate(exercises, 1):
        assert exercise.startswith(f"{number}. ")
        question, solution = exercise.split("#### Solution\n")
        assert len(question.split()) > 10
        assert "CODE" not in solution.strip().splitlines()[0]
