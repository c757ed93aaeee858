"""The checks of arguments: what passes, what is refused, and the exact sentence."""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from explainers import checks

pytestmark = pytest.mark.usefixtures("unchecked")

NAN, INF = math.nan, math.inf
F32, F64 = torch.float32, torch.float64


@pytest.mark.parametrize(
    ("check", "values"),
    [
        (lambda x: checks.integer("x", x), (0, -3, 10**400, np.int64(2))),
        (lambda x: checks.integer("x", x, least=1), (1, 7)),
        (lambda x: checks.integer("x", x, least=1, most=7), (1, 7)),
        (lambda x: checks.number("x", x), (0, -2.5, np.float32(1), 10**400)),
        (lambda x: checks.number("x", x, least=0, most=1), (0, 0.0, 1)),
        (lambda x: checks.positive("x", x), (1, 1e-300, np.float64(2))),
        (lambda x: checks.function("x", x), (print, str, torch.nn.Linear(1, 1))),
        (lambda x: checks.generator("x", x), (None, torch.Generator())),
        (lambda x: checks.instance("x", x, str | None), ("", None)),
        (lambda x: checks.one_of("x", x, ("a", "b")), ("a", "b")),
        (lambda x: checks.tensor("x", x), (torch.ones(()), torch.zeros(0, dtype=torch.bool))),
        (lambda x: checks.tensor("x", x, ()), (torch.ones(()),)),
        (lambda x: checks.tensor("x", x, ("rows", 2)), (torch.ones(3, 2), torch.ones(0, 2))),
        (lambda x: checks.tensor("x", x, ("...", "rows", 2)), (torch.ones(3, 2), torch.ones(4, 5, 3, 2))),
        (lambda x: checks.tensor("x", x, dtypes=(F32, F64)), (torch.ones(3), torch.ones(3, dtype=F64))),
        (lambda x: checks.floats("x", x), (torch.ones(()), torch.ones(2, dtype=torch.float16))),
        (lambda x: checks.floats("x", x, ("...", 2)), (torch.ones(2), torch.ones(3, 2))),
        (lambda x: checks.not_empty("x", x), (torch.ones(1), torch.ones(2, 3))),
        (
            lambda x: checks.broadcasts("x", x, (2, 3)),
            (torch.ones(()), torch.ones(3), torch.ones(1), torch.ones(2, 1), torch.ones(2, 3)),
        ),
        (lambda x: checks.finite("x", x), (torch.ones(2), torch.zeros(0), torch.arange(3))),
        (lambda x: checks.not_nan("x", x), (torch.tensor([INF, -INF]), torch.zeros(0))),
        (lambda x: checks.within("x", x, 0, 2), (torch.arange(3), torch.zeros(0), torch.tensor(1.5))),
    ],
)
def test_what_passes(check: Callable[[Any], None], values: tuple[Any, ...]) -> None:
    for value in values:
        check(value)


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: checks.integer("n", 2.0), TypeError, "n: expected an integer, got 2.0"),  # type: ignore[arg-type]
        (lambda: checks.integer("n", True), TypeError, "n: expected an integer, got True"),
        (lambda: checks.integer("n", 0, least=1), ValueError, "n: expected an integer from 1 up, got 0"),
        (lambda: checks.integer("n", 8, 1, 7), ValueError, "n: expected an integer from 1 to 7, got 8"),
        (lambda: checks.number("x", "1"), TypeError, "x: expected a number, got '1'"),  # type: ignore[arg-type]
        (lambda: checks.number("x", NAN), ValueError, "x: expected a finite number, got nan"),
        (lambda: checks.number("x", INF, 0), ValueError, "x: expected a finite number from 0 up, got inf"),
        (lambda: checks.number("x", -INF), ValueError, "x: expected a finite number, got -inf"),
        (lambda: checks.number("x", 2, 0, 1), ValueError, "x: expected a finite number from 0 to 1, got 2"),
        (lambda: checks.positive("x", [1]), TypeError, "x: expected a number, got [1]"),  # type: ignore[arg-type]
        *(
            (lambda x=x: checks.positive("x", x), ValueError, f"x: expected a positive number, got {x}")
            for x in (0, -1.5, NAN, INF)
        ),
        (lambda: checks.function("f", 3), TypeError, "f: expected a function, got 3"),
        (lambda: checks.generator("g", 3), TypeError, "g: expected a torch.Generator, got 3"),
        (lambda: checks.instance("s", 3, str), TypeError, "s: expected str, got int"),
        (lambda: checks.instance("s", 3, str | None), TypeError, "s: expected str | None, got int"),
        (lambda: checks.instance("s", torch.ones(2), str), TypeError, "s: expected str, got torch.float32"),
        (lambda: checks.one_of("w", "c", "ab"), ValueError, "w: expected one of ['a', 'b'], got 'c'"),
        (lambda: checks.one_of("w", 3, ["a"]), ValueError, "w: expected one of ['a'], got 3"),
        (lambda: checks.tensor("t", [1]), TypeError, "t: expected a tensor, got list"),
        (
            lambda: checks.tensor("t", torch.ones(2), dtypes=(torch.int32, torch.int64)),
            TypeError,
            "t: expected torch.int32 or torch.int64, got torch.float32",
        ),
        (
            lambda: checks.tensor("t", torch.ones(2, 3), ("rows", 2)),
            ValueError,
            "t: expected the shape (rows, 2), got (2, 3)",
        ),
        (
            lambda: checks.tensor("t", torch.ones(2), ("...", "rows", 2)),
            ValueError,
            "t: expected the shape (..., rows, 2), got (2,)",
        ),
        (
            lambda: checks.tensor("t", torch.ones(2), (3,), fit="a"),
            ValueError,
            "t: expected the shape (3,) to fit a, got (2,)",
        ),
        (
            lambda: checks.floats("t", torch.arange(2)),
            TypeError,
            "t: expected a tensor of floating-point numbers, got torch.int64",
        ),
        (
            lambda: checks.floats("t", 0.5),
            TypeError,
            "t: expected a tensor of floating-point numbers, got float",
        ),
        (
            lambda: checks.floats("t", torch.ones(2), ("a", "b")),
            ValueError,
            "t: expected the shape (a, b), got (2,)",
        ),
        *(
            (
                lambda t=t: checks.not_empty("t", t),
                ValueError,
                f"t: expected at least one axis and one number, got the shape {tuple(t.shape)}",
            )
            for t in (torch.ones(()), torch.ones(2, 0))
        ),
        *(
            (
                lambda t=t: checks.broadcasts("t", t, (1, 3)),
                ValueError,
                f"t: expected a shape that broadcasts to (1, 3), got {tuple(t.shape)}",
            )
            for t in (torch.ones(2), torch.ones(2, 3), torch.ones(1, 1, 3))
        ),
        *(
            (
                lambda x=x: checks.finite("t", torch.tensor([1.0, x])),
                ValueError,
                f"t: expected finite numbers, got {x}",
            )
            for x in (NAN, INF, -INF)
        ),
        (
            lambda: checks.not_nan("t", torch.tensor([1.0, NAN, NAN])),
            ValueError,
            "t: expected no NaN, got 2 in 3 numbers",
        ),
        *(
            (
                lambda t=t: checks.within("t", t, 0, 1),
                ValueError,
                f"t: expected numbers from 0 to 1, got {t.min().item()} to {t.max().item()}",
            )
            for t in (
                torch.tensor([-1, 2]),
                torch.tensor([0.5, 1.5]),
                torch.tensor([-0.5]),
                torch.tensor(NAN),
            )
        ),
    ],
)
def test_what_is_refused_and_in_which_words(
    call: Callable[[], None], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=f"^{re.escape(sentence)}$"):
        call()
