"""`judge`: whose function is judged, what it says of a wrong one, and that it never raises at the reader."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from explainers.notebook.exercise import Judgement, judge


def book_norm(x: Any) -> Any:
    return x.norm()


CASES = {"a right angle": (torch.tensor([3.0, 4.0]),), "nothing": (torch.zeros(2),)}


def judged(yours: object = None, **keywords: Any) -> Judgement:
    """The judgement of a cell in a notebook in which `norm` is `yours`, if that is given."""
    defined = {} if yours is None else {"norm": yours}
    given = {"book": book_norm, "truth": lambda x: (x**2).sum().sqrt(), "cases": CASES, **keywords}
    return judge("norm", defined, **given)


def test_the_book_s_is_judged_until_the_reader_has_one() -> None:
    assert judged().right
    assert repr(judged()) == (
        "The book's norm is right in all 2 cases. Define your own under this name in a running notebook, and "
        "execute this cell again: it judges yours."
    )
    yours = judged(lambda x: float(x @ x) ** 0.5)
    assert yours.right
    assert yours.yours
    assert repr(yours) == "Your norm is right in all 2 cases."


def test_the_reader_s_own_wins_though_the_book_s_is_right() -> None:
    assert not judged(lambda x: x.abs().sum()).right


def test_it_says_which_input_gives_what_and_what_it_should_give() -> None:
    assert repr(judged(lambda x: x.abs().sum())) == (
        "Your norm is right in 1 of 2 cases.\n\n"
        "  a right angle: norm(x=[3., 4.]) gives 7., and should give 5."
    )


def raises(_: object) -> float:
    raise KeyError("q")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [(raises, "raises `KeyError: 'q'`, and should give `5.`"), (lambda: 5.0, "raises `TypeError: "),
     (7, "raises `TypeError: 'int' object is not callable`, and should give `5.`"),
     (lambda x: None, "returns nothing, and should give `5.`"),
     (lambda x: "5", "gives an object of type `str`, and should give `5.`"),
     (lambda x: {}, "gives an object of type `dict`, and should give `5.`"),
     (lambda x: [[5], [5, 5]], "gives an object of type `list`, and should give `5.`"),
     (lambda x: x, "gives shape `(2,)`, and should give `()`"),
     (lambda x: np.nan, "gives `nan`, and should give `5.`"),
     (lambda x: x.norm() + 1e-4, "gives `5.0001`, and should give `5.`")],
)  # fmt: skip
def test_it_raises_at_no_reader(wrong: Callable[..., Any], says: str) -> None:
    judgement = judged(wrong)
    assert not judgement.right
    assert f"a right angle: `norm(x=[3., 4.])` {says}" in judgement._repr_markdown_()


def test_a_function_that_changes_its_arguments_spoils_none_of_the_later_ones() -> None:
    def in_place(x: Any) -> Any:
        return x.mul_(2).norm() / 2

    assert judged(in_place).right
    assert CASES["a right angle"][0].tolist() == [3, 4]


def test_it_takes_tensors_with_a_gradient_lists_and_complex_numbers() -> None:
    assert judged(lambda x: torch.nn.Parameter(x.norm())).right
    for answer in ([1j, 2], np.array([1j, 2]), torch.tensor([1j, 2])):
        assert judged(lambda x, answer=answer: answer, truth=lambda x: [1j, 2], book=lambda x: [1j, 2]).right


def test_more_than_three_faults_are_counted() -> None:
    cases = {f"number {n}": (torch.tensor([float(n)]),) for n in range(1, 7)}
    words = judged(lambda x: 0.0, cases=cases)._repr_markdown_()
    assert words.count("should give") == 3
    assert words.endswith("And so on, 3 more.")


def test_a_wrong_answer_of_the_book_stops_the_build() -> None:
    with pytest.raises(AssertionError, match="a right angle"):
        judged(book=lambda x: x.sum())
    with pytest.raises(ValueError, match=r"^cases: "):
        judged(cases={})
