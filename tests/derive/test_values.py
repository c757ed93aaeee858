"""Counterexamples to false steps, and that the normal form has the value of the expression."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Abs, Ge, I, Le, Sum, conjugate, exp, pi

from explainers.derive import Certificate, Every, derive, inner, norm2
from explainers.derive.sums import normal_form
from explainers.derive.values import Point, is_close, value
from tests.derive.chains import N, T, a, chain, eta, g, k, phi, psi, refused, t, theta, x


def test_a_wrong_step_is_false_and_names_a_point() -> None:
    with refused("step 2: == is false, counterexample: x = ", "left:  x\\*\\*2", "right: x\\*\\*2 \\+ x"):
        chain((x + 1) ** 2 - 2 * x - 1).step("==", x**2).step("==", x**2 + x)


def test_a_counterexample_satisfies_the_facts() -> None:
    # false at x = 1, true wherever x >= 5: without a point that satisfies the fact nothing is called false
    d = derive("facts", assume={"x is large": Ge(x, 5)}, witness=lambda rng: {x: 5 + rng.random()}).start(x)
    with refused("not proved", "does not add up"):
        d.step(">=", 4, by=Certificate((1, "x is large")))
    with refused("is false, counterexample: x = 5"):
        d.step(">=", 7, by=Certificate((1, "x is large")))


def test_a_witness_gives_vectors_as_points_of_the_plane() -> None:
    facts = {"steps are short": Every(t, Le(norm2(theta(t)), 1), first=1)}
    d = derive("short", assume=facts, witness=lambda rng: {theta: lambda t: 1j**t}).start(norm2(theta(T)))
    d.step("<=", 1, by=Certificate((1, ("steps are short", {t: T}))))
    with pytest.raises(ValueError, match="witness: the assumption 'steps are short' is false"):
        derive("long", assume=facts, witness=lambda rng: {theta: lambda t: 1 + 1j})
    assert value(inner(phi, psi), Point(0, {phi: 3 + 4j, psi: 2 - 1j})) == 2


@given(st.integers(0, 10**6), st.integers(-2, 2), st.integers(-2, 2))
@settings(max_examples=10, deadline=None)
def test_opening_an_inner_product_keeps_its_value(seed: int, p: int, q: int) -> None:
    left = p * theta(t) + x * phi - Sum(g(k + t) / T, (k, 1, T))
    right = q * theta(t + p) - inner(phi, psi) * Sum(k * g(k), (k, q, N + 2))
    expr = inner(left, right)
    assert is_close(value(expr, Point(seed)), value(normal_form(expr), Point(seed)))


@given(st.integers(-2, 2), st.integers(-2, 2), st.integers(0, 2), st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_the_normal_form_has_the_value_of_the_expression(low: int, shift: int, size: int, seed: int) -> None:
    inner = Sum(a(k) * exp(I * pi * k * x) * conjugate(a(k + t)), (k, low, N + 2 + shift))
    expr = Sum(t * inner + eta(t + shift), (t, low - N, low + size)) + Abs(inner.subs(t, shift)) ** 2
    assert is_close(value(expr, Point(seed)), value(normal_form(expr), Point(seed)))
