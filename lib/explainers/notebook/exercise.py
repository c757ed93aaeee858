"""Judge a function that an exercise asks the reader to write.

The cell of an exercise holds the book's answer, a slower way to the right values, and
inputs. On the page it judges the book's answer, and the build stops if that is wrong.
In a running notebook the reader's own function of the given name comes first::

    judge(
        "mirror", globals(), book=book_mirror, truth=by_hand, cases={"a point": (x,)}
    )
"""

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

_SHOWN = 3  # more wrong cases than these are counted only


class Judgement:
    """Whether a function is right in all cases, and that in words: the output of the
    cell.

    `yours` says whether the function was the reader's; `faults` has a sentence for each
    case in which it is wrong.
    """

    def __init__(self, name: str, yours: bool, cases: int, faults: list[str]) -> None:
        self.name, self.yours, self.cases, self.faults = name, yours, cases, faults

    @property
    def right(self) -> bool:
        """Whether it is right in all cases."""
        return not self.faults

    def __repr__(self) -> str:
        return self._repr_markdown_().replace("`", "").replace("\n- ", "\n  ")

    def _repr_markdown_(self) -> str:
        everywhere = f"right in all {self.cases} cases"
        if not self.yours:
            return (
                f"The book's `{self.name}` is {everywhere}. Define your own under this "
                "name in a running notebook, and execute this cell again: it judges "
                "yours."
            )
        if self.right:
            return f"Your `{self.name}` is {everywhere}."
        some = self.cases - len(self.faults)
        lines = [f"Your `{self.name}` is right in {some} of {self.cases} cases.", ""]
        lines += [f"- {fault}" for fault in self.faults[:_SHOWN]]
        if len(self.faults) > _SHOWN:
            lines.append(f"- And so on, {len(self.faults) - _SHOWN} more.")
        return "\n".join(lines)


def judge(
    name: str,
    namespace: Mapping[str, Any],
    *,
    book: Callable[..., Any],
    truth: Callable[..., Any],
    cases: Mapping[str, tuple[Any, ...]],
    tolerance: float = 1e-6,
) -> Judgement:
    """Judge the function `name` in `namespace`, the notebook's `globals()`, or `book`
    if there is none.

    `cases` are tuples of arguments, each with a few words that say what it tries, such
    as "a point inside". `truth(*arguments)` is the right value, computed in another way
    than the book's: a number or an array. Values may differ by `tolerance`, relative to
    the right one if that is above 1.

    Whatever the reader's function does, the answer is a `Judgement`. Raises
    `AssertionError` if the book's own function is wrong, and `ValueError` for no cases.
    """
    if not cases:
        raise ValueError("cases: expected at least one, got none")
    yours = name in namespace
    function = namespace.get(name, book)
    faults = []
    for words, arguments in cases.items():
        right = np.asarray(_plain(truth(*copy.deepcopy(arguments))))
        fault = _fault(function, arguments, right, tolerance)
        if fault:
            call = _call(name, book, arguments)
            faults.append(f"{words}: `{call}` {fault}")
    if faults and not yours:
        raise AssertionError(f"book: {faults[0]}")
    return Judgement(name, yours, len(cases), faults)


def _fault(
    function: Any, arguments: tuple[Any, ...], right: Any, tolerance: float
) -> str:
    """What is wrong with the answer, beginning with a verb; nothing if it is right."""
    should = f"and should give `{_words(right)}`"
    try:
        given = function(*copy.deepcopy(arguments))
    except Exception as error:  # it is the reader's: said, never raised
        return f"raises `{type(error).__name__}: {error}`, {should}"
    if given is None:
        return f"returns nothing, {should}"
    try:
        value = np.asarray(_plain(given))
        numeric = value.dtype.kind in "biufc"
    except Exception:
        numeric = False
    if not numeric:
        return f"gives an object of type `{type(given).__name__}`, {should}"
    if value.shape != right.shape:
        return f"gives shape `{value.shape}`, and should give `{right.shape}`"
    if np.allclose(value, right, rtol=tolerance, atol=tolerance):
        return ""
    return f"gives `{_words(value)}`, {should}"


def _call(name: str, book: Callable[..., Any], arguments: tuple[Any, ...]) -> str:
    """The call as one writes it, with the names of the book's parameters."""
    names = inspect.signature(book).parameters
    given = [f"{key}={_words(a)}" for key, a in zip(names, arguments, strict=True)]
    return f"{name}({', '.join(given)})"


def _plain(value: Any) -> Any:
    """A tensor without its gradient, as an array; anything else as it is."""
    return value.detach().numpy() if hasattr(value, "detach") else value


def _words(value: Any) -> str:
    """A number or an array, short."""
    return np.array2string(
        np.asarray(_plain(value)), precision=4, separator=", ", threshold=12,
        suppress_small=True,
    ).replace("\n", "")  # fmt: skip
