"""Proofs by minima, limits and antiderivatives, and derivatives in expressions."""

import pytest
import sympy as sp
from sympy import (
    Abs,
    Function,
    Ge,
    I,
    Integral,
    Limit,
    Rational,
    Sum,
    Symbol,
    cos,
    exp,
    log,
    oo,
    pi,
    sin,
    sqrt,
)

from explainers.derive import Antiderivative, Certificate, Every, Limiting, Minimum, Termwise, derive
from tests.derive.chains import N, T, chain, n, p, refused, t, w, x, y


def test_a_minimum_needs_its_place_its_slope_and_an_interval() -> None:
    chain(log(w)).step("<=", w - 1, by=Minimum(w, 1, 1 / w))
    with refused("differ at w = 2"):
        chain(log(w)).step("<=", w - 1, by=Minimum(w, 2, 1 / w))
    with refused("derivative is not"):
        chain(log(w)).step("<=", w - 1, by=Minimum(w, 1, 1 / w**2))
    with refused("sign of -1/w"):
        chain(w - 1).step("<=", log(w), by=Minimum(w, 1, -1 / w))
    with refused("not known to be an interval"):
        chain(T**2).step(">=", 2 * T - 1, by=Minimum(T, 1, 2))
    # its derivative is 0 wherever there is one, but it jumps
    with refused("not known to be differentiable"):
        chain(-sp.floor(x**2)).step(">=", 0, by=Minimum(x, 0, 0))
    with refused("do not allow -1"):
        chain(w**2).step(">=", -2 * w - 1, by=Minimum(w, -1, 2))


def test_a_limit_of_values_that_are_not_negative_is_not_negative() -> None:
    d = chain(x**2).step("==", Limit(x**2 + 1 / p, p, oo))
    d.step(">=", 0, by=Limiting(p, Certificate((1, x**2), (1, 1 / p)))).qed((x**2, ">=", 0))
    assert d.steps[1].explanation.startswith("in the limit, certificate")


def test_a_limit_keeps_no_strict_bound_and_no_relation_that_fails_on_the_way() -> None:
    with refused("the right side changes with p"):
        chain(Limit(1 / p, p, oo)).step("<=", 1 / p, by=Limiting(p))
    with refused("not a limit for T to infinity"):
        chain(Limit(1 / p, p, oo)).step(">=", 0, by=Limiting(T, Certificate((1, 1 / T))))
    with refused("not known, or not finite"):
        chain(Limit(p, p, oo)).step(">=", 0, by=Limiting(p, Certificate((1, p))))
    with refused("does not add up"):
        chain(Limit(-1 / p, p, oo)).step(">=", 0, by=Limiting(p, Certificate((1, 1 / p))))
    with pytest.raises(ValueError, match="n: expected a symbol declared integer"):
        Limiting(t)


def test_the_range_of_an_index_is_no_help_in_a_limit_over_its_name() -> None:
    # T - i is not negative while i runs up to T, but it is for the i that goes to infinity: the limit is -1
    i = Symbol("i", integer=True, positive=True)
    whole = {"whole numbers": Every(n, Ge(n, 0), first=0)}
    by = Termwise(Limiting(i, Certificate((1 / i, ("whole numbers", {n: T - i})))))
    d = derive("room", assume=whole).start(Sum(Limit((T - i) / i, i, oo), (i, 1, T)))
    with refused("false", "'whole numbers' is not known at n = T - i"):
        d.step(">=", 0, by=by)


def test_an_assumption_about_one_n_is_no_help_in_a_limit() -> None:
    d = derive("one", assume={"large": Ge(p, 5)}, witness=lambda rng: {p: 6}).start(Limit(x + 5 / p, p, oo))
    with refused("no fact 'large'"):
        d.step("<=", x + 1, by=Limiting(p, Certificate((1 / p, "large"))))


def test_an_integral_is_the_difference_of_its_antiderivative() -> None:
    d = chain(Integral(3 * y**2, (y, 0, T))).step("==", T**3, by=Antiderivative(y**3))
    assert d.steps[0].explanation == "between the ends of $y^{3}$"
    quarter = Integral((N + 1) * cos(y) * sin(y) ** N, (y, 0, pi / 2))
    chain(quarter).step("==", 1, by=Antiderivative(sin(y) ** (N + 1)))
    for wrong, message in (
        (y**3 + y, "the derivative is not the integrand"),
        (y**3 + 1 / y, "the denominator y may be 0"),
        (Abs(y) ** 3, "not known to be differentiable"),
    ):
        with refused(message):
            chain(Integral(3 * y**2, (y, 0, T))).step("==", T**3, by=Antiderivative(wrong))
    with refused("false", "difference at the ends"):
        chain(Integral(3 * y**2, (y, 0, T))).step("==", T**3 + 1, by=Antiderivative(y**3))


@pytest.mark.parametrize(
    ("integrand", "wrong"),
    [
        (I, log(exp(I * y))),
        (I * sqrt(exp(I * y)) / 2, sqrt(exp(I * y))),
        (0, sp.floor(y)),
    ],
)
def test_an_antiderivative_must_not_jump(integrand: sp.Expr, wrong: sp.Expr) -> None:
    ends = (wrong.subs(y, 2 * pi) - wrong.subs(y, 0)).doit()
    with refused("not known to be differentiable"):
        chain(Integral(integrand, (y, 0, 2 * pi))).step("==", ends, by=Antiderivative(wrong))


def test_a_derivative_captures_nothing_and_is_by_what_varies_continuously() -> None:
    lemma = chain(sp.Derivative(y * x, x)).step("==", y).qed((sp.Derivative(y * x, x), "==", y))
    with refused("does not add up"):
        derive("d", lemmas={"l": lemma}).start(2 * x).step("==", x, by=Certificate((1, ("l", {y: x}))))
    F = Function("F")
    with refused("does not reduce to 0"):
        chain(F(x), define={F(y): sp.Derivative(y * x, x)}).step("==", 2 * x)
    # at a whole number the sine is 0 before it is differentiated
    turn = sp.Derivative(sin(2 * pi * x), x)
    lemma = chain(turn).step("==", 2 * pi * cos(2 * pi * x)).qed((turn, "==", 2 * pi * cos(2 * pi * x)))
    with refused("does not add up"):
        derive("d", lemmas={"l": lemma}).start(0).step("==", 2 * pi, by=Certificate((1, ("l", {x: T}))))
    with refused("not an open set"):
        chain(sp.Derivative(T**2, T))
    with refused("not known to be differentiable"):
        chain(sp.Derivative(Abs(x), x))
    with refused("the denominator x may be 0"):
        chain(sp.Derivative(sp.Pow(x**4, Rational(1, 4), evaluate=False), x))
    unknown = derive("d", define={F(y): sp.Derivative(Function("f")(y), y)})
    with refused("has no closed form, so its symbols"):
        unknown.start(F(2))
