"""Substitution, the normal form of expressions, and the tests for zero and for signs."""

from collections.abc import Callable

import pytest
import sympy as sp
from sympy import Function, I, Integral, Limit, Sum, Symbol, conjugate, exp, oo, pi, sqrt

from explainers.derive import Certificate, Derivation, RefusedError, derive, inner
from explainers.derive.signs import is_nonnegative
from explainers.derive.substitution import substitute
from explainers.derive.sums import is_zero
from tests.derive.chains import N, T, a, c, chain, eta, k, n, p, phi, psi, refused, t, w, x, y, z


def test_a_square_root_of_a_square_needs_a_sign() -> None:
    with refused("false"):
        chain(sqrt(x**2)).step("==", x)
    with refused("not proved|false"):
        chain(sqrt(x * y)).step("==", sqrt(x) * sqrt(y))
    chain(sqrt(w**2)).step("==", w)


def test_an_index_does_not_capture_a_value_of_its_name() -> None:
    s = Sum(a(k) * n, (k, 1, T))
    assert is_zero(substitute(s, {n: k}) - k * Sum(a(t), (t, 1, T)))
    f = Function("f")
    d = chain(f(k), define={f(n): s})
    d.step("==", k * Sum(a(t), (t, 1, T)))


def test_symbols_are_replaced_at_once_and_vectors_by_vectors() -> None:
    assert substitute(x - y, {x: y, y: x}) == y - x
    swapped = substitute(inner(phi - 2 * psi, c), {phi: psi, psi: phi})
    assert is_zero(swapped - inner(psi - 2 * phi, c))


def test_waves_average_to_nothing() -> None:
    wave = exp(I * pi * T * x)
    assert is_zero(Integral(wave, (x, -1, 1)))
    assert not is_zero(Integral(exp(I * pi * N * x), (x, -1, 1)))
    assert is_zero(Integral(exp(I * pi * 0 * x), (x, -1, 1)) - 2)
    assert is_zero(exp(I * pi * n) - (-1) ** n)
    assert not is_zero(exp(I * pi * x) - (-1) ** n)


def test_the_zero_test_reaches_binomials() -> None:
    ratio = sp.binomial(2 * T + 2, T + 1) - 2 * (2 * T + 1) * sp.binomial(2 * T, T) / (T + 1)
    assert is_zero(ratio)
    assert not is_zero(ratio + 1)


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (x**2, True),
        (x, False),
        (x**3, False),
        (w * x**2, True),
        (-w, False),
        (x**2 - 2 * x * y + y**2, True),
        (a(n) * conjugate(a(n)), True),
        (sqrt(a(n)) * conjugate(sqrt(a(n))), True),
        (a(n) ** 2, False),
        (Sum(eta(t), (t, 1, T)), True),
    ],
)
def test_is_nonnegative(expr: sp.Expr, expected: bool) -> None:
    assert is_nonnegative(expr) is expected


def _vanishing(a: sp.Symbol, k: sp.Symbol) -> Derivation:
    d = derive("A vanishing share")
    d.start(sp.Limit(a / k, k, sp.oo))
    d.step("==", 0)
    return d.qed((sp.Limit(a / k, k, sp.oo), "==", 0))


def test_a_limit_does_not_capture_a_value_of_its_name() -> None:
    a, k = sp.Symbol("a", positive=True), sp.Symbol("k", integer=True, positive=True)
    d = derive("Capture", lemmas={"small": _vanishing(a, k)}).start(1)
    with pytest.raises(RefusedError):
        d.step("==", 0, by=Certificate((1, ("small", {a: k}))))
    F = sp.Function("F")
    d = derive("Capture by a definition", define={F(a): sp.Limit(a / k, k, sp.oo)}).start(F(k))
    with pytest.raises(RefusedError):
        d.step("==", 1)
    d.step("==", 0)


@pytest.mark.parametrize(
    "share",
    [
        lambda k, b: 1 / (1 + k * b**2),  # 1 at b = 0
        lambda k, b: k * b**2 / (1 + k * b**2),  # 0 at b = 0
        lambda k, b: sp.exp(-k * b**2),
        lambda k, b: b**k,
    ],
)
def test_a_limit_that_holds_for_a_generic_parameter_only_is_not_found(share: Callable[..., sp.Expr]) -> None:
    b, k = sp.Symbol("b", real=True), sp.Symbol("k", integer=True, positive=True)
    for end in (0, 1):
        d = derive("Generic").start(sp.Limit(share(k, b), k, sp.oo))
        with pytest.raises(RefusedError):
            d.step("==", end)


def test_a_symbol_that_a_limit_binds_takes_no_value() -> None:
    share = w * Limit(w / p, p, oo) * p
    lemma = chain(share).step("==", 0).qed((share, "==", 0))
    with refused("does not add up"):
        derive("d", lemmas={"l": lemma}).start(w**2).step("==", 0, by=Certificate((1, ("l", {p: 1}))))
    F = Function("F")
    d = chain(F(1), define={F(p): Limit(w / p, p, oo)})
    with refused("does not reduce to 0"):
        d.step("==", w)
    d.step("==", 0)


@pytest.mark.parametrize(
    ("start", "wrong"),
    [
        (Limit(sp.tanh(sqrt(w**2)), w, -oo), -1),  # a positive w does not go there, and its root is |w|
        (Limit(sqrt(z**2) / z, z, oo).subs(z, Symbol("z", negative=True)), -1),
        (Limit(sp.cos(2 * pi * p), p, -oo), 1),
    ],
)
def test_a_limit_is_one_that_its_variable_can_reach(start: sp.Expr, wrong: int) -> None:
    with refused("does not reduce to 0"):
        chain(start).step("==", wrong)


def test_binomials_are_symmetric_for_natural_numbers_only() -> None:
    chain(sp.binomial(N, k)).step("==", sp.binomial(N, N - k))
    assert not is_zero(sp.binomial(n, k) - sp.binomial(n, n - k))  # 1 and 0 at n = -1, k = 0
