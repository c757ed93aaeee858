"""Random statements: no refuted one is accepted, and enough of the true ones are."""

from fractions import Fraction

import pytest
import sympy as sp
from sympy import Abs, Derivative, Function, I, Integral, Limit, Sum, Symbol, oo

from tests.derive.exact import NonexistentError, NoValueError, compiled, gauss
from tests.derive.fuzz import KINDS, Report, fuzz, m, n, u, v, x, y, z

COUNT, SEED = 500, 15


@pytest.fixture(scope="module")
def report() -> Report:
    return fuzz(COUNT, SEED)


def test_no_refuted_statement_is_accepted(report: Report) -> None:
    assert not report.wrong, "\n".join(report.wrong)


def test_nothing_but_what_is_promised_is_raised(report: Report) -> None:
    assert not report.faults, "\n".join(report.faults)


def test_a_third_of_the_true_statements_of_each_kind_is_accepted(report: Report) -> None:
    for kind in KINDS:
        assert 3 * report.accepted[kind, True] >= report.tried[kind, True], report.table()


def test_every_kind_is_tried_and_half_of_it_is_true(report: Report) -> None:
    assert sum(report.tried.values()) == COUNT
    for kind in KINDS:
        true, false = report.tried[kind, True], report.tried[kind, False]
        assert true >= COUNT // len(KINDS) // 2
        assert 0 <= true - false <= 1


h = Symbol("h", positive=True)
f = Function("f")


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (Sum(Abs(u) - u, (u, -3, v), (v, -4, m)), 40 + 12),
        (Sum(u, (u, 1, m - 1)), 0),
        (Abs(h, evaluate=False), 1),
        (sp.conjugate(h + I, evaluate=False), gauss(-1, -1)),
        (Derivative(x**3 * f(x), x), 3 * 4 * 5 + 8 * 4),
        (Derivative(Abs(x - 2) ** 2 * sp.sign(x - 2), x), 0),
        (Derivative(Abs(x - 3) * x, x), -1),
        (Integral(Abs(y) + y**3, (y, -1, 3)), Fraction(1, 2) + Fraction(9, 2) + 20),
        (Limit(Sum(u, (u, 1, n)) / n**2 + x / n, n, oo), Fraction(1, 2)),
        (Limit(x * sp.tanh(-n * x + 3) + 2 ** (-n), n, oo), -2),
        (sp.Float(0.5) + sp.sqrt(sp.Rational(9, 4)), 2),
    ],
)
def test_exact_values(expr: sp.Expr, expected: object) -> None:
    scope = {m: 1, h: -1, x: 2, z: gauss(3, 4), "f": lambda q: q * q + 1}
    assert compiled(expr)(scope) == expected


@pytest.mark.parametrize(
    ("expr", "error"),
    [
        (Sum(u, (u, 3, m)), NoValueError),  # it runs backwards
        (Sum(h, (h, -1, m)), NoValueError),  # an index that is not what it is declared to be
        (1 / (x - 2), NoValueError),
        (sp.sqrt(x), NoValueError),  # irrational
        (Derivative(Abs(x - 2) * f(x), x), NonexistentError),
        (Derivative(sp.floor(x), x), NonexistentError),
        (Derivative(sp.conjugate(z) * f(z), z), NonexistentError),
        (Limit(n * x, n, oo), NonexistentError),
    ],
)
def test_what_has_no_exact_value(expr: sp.Expr, error: type[Exception]) -> None:
    scope = {m: 1, h: -1, x: 2, z: gauss(3, 4), "f": lambda q: q * q + 1}
    with pytest.raises(error):
        compiled(expr)(scope)
