"""Inner products of vectors in any number of dimensions."""

from collections.abc import Callable

import pytest
import sympy as sp
from sympy import Eq, Function, I, Rational, Sum, Symbol, exp, sqrt

from explainers.derive import Certificate, Vector, Vectors, derive, inner, norm2
from explainers.derive.signs import is_nonnegative
from tests.derive.chains import T, a, c, chain, eta, g, k, phi, psi, refused, t, theta, x, y


def test_a_squared_length_is_multiplied_out() -> None:
    step = norm2(theta(t) - eta(t) * g(t) - phi)
    d = chain(step)
    d.step(
        "==",
        norm2(theta(t) - phi) - 2 * eta(t) * inner(g(t), theta(t) - phi) + eta(t) ** 2 * norm2(g(t)),
    )
    for wrong in (
        norm2(theta(t) - phi) + 2 * eta(t) * inner(g(t), theta(t) - phi) + eta(t) ** 2 * norm2(g(t)),
        norm2(theta(t) - phi) - 2 * eta(t) * inner(g(t), theta(t) - phi) + eta(t) * norm2(g(t)),
        norm2(theta(t + 1) - phi) - 2 * eta(t) * inner(g(t), theta(t) - phi) + eta(t) ** 2 * norm2(g(t)),
    ):
        with refused("step 1: == is false, counterexample"):
            chain(step).step("==", wrong)


def test_inner_products_are_symmetric_linear_and_not_multiplicative() -> None:
    chain(inner(phi, psi)).step("==", inner(psi, phi))
    chain(inner(2 * phi - x * c, psi)).step("==", 2 * inner(phi, psi) - x * inner(c, psi))
    chain(norm2(phi + psi) - norm2(phi - psi)).step("==", 4 * inner(phi, psi))
    for wrong in (norm2(phi) * norm2(psi), sqrt(norm2(phi)) * sqrt(norm2(psi)), 0, 1):
        with refused("false"):
            chain(inner(phi, psi) if wrong != norm2(phi) * norm2(psi) else inner(phi, psi) ** 2).step(
                "==", wrong
            )


def test_what_holds_in_the_plane_only_is_not_proved() -> None:
    # three vectors in the plane have a Gram determinant of 0, and no number can refute it there
    u, v = psi, c
    gram = sp.Matrix(3, 3, lambda i, j: inner((phi, u, v)[i], (phi, u, v)[j])).det()
    with refused("not proved"):
        chain(gram).step("==", 0)


def test_an_average_of_vectors_is_a_vector() -> None:
    mean = Sum(theta(t), (t, 1, T)) / T
    chain(inner(mean, phi)).step("==", Sum(inner(theta(t), phi), (t, 1, T)) / T)
    chain(Sum(inner(theta(t) - mean, phi), (t, 1, T))).step("==", 0)
    spread = Sum(norm2(theta(t) - mean), (t, 1, T))
    chain(spread).step("==", Sum(norm2(theta(t)), (t, 1, T)) - T * norm2(mean))
    with refused("false"):
        chain(spread).step("==", Sum(norm2(theta(t)), (t, 1, T)) - norm2(mean))


def test_the_index_of_a_sum_of_vectors_captures_nothing() -> None:
    total = Sum(theta(t), (t, 1, T))
    chain(inner(total, theta(t))).step("==", Sum(inner(theta(k), theta(t)), (k, 1, T)))
    with refused("false"):
        chain(inner(total, theta(t))).step("==", Sum(norm2(theta(t)), (t, 1, T)))
    chain(norm2(total)).step("==", Sum(Sum(inner(theta(t), theta(k)), (t, 1, T)), (k, 1, T)))


def test_squared_lengths_are_not_negative_and_inner_products_may_be() -> None:
    chain(norm2(phi - x * psi)).step(">=", 0, by=Certificate((1, norm2(phi - x * psi))))
    assert is_nonnegative(norm2(Sum(theta(t), (t, 1, T))))
    with refused("the sign of inner\\(varphi, psi\\) is not known"):
        chain(inner(phi, psi)).step(">=", 0, by=Certificate((1, inner(phi, psi))))
    chain(2 * inner(phi, psi)).step("<=", norm2(phi) + norm2(psi), by=Certificate((1, norm2(phi - psi))))
    with refused("the denominator norm2\\(varphi\\) may be 0"):
        chain(1 / norm2(phi))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: inner(phi, 1),
        lambda: inner(phi + 1, psi),
        lambda: norm2(phi * psi),
        lambda: norm2(phi**2),
        lambda: norm2(I * phi),
        lambda: norm2(Symbol("z") * phi),
        lambda: norm2(exp(phi)),
        lambda: norm2(inner(phi, psi)),
        lambda: norm2(theta(Rational(1, 2))),
        lambda: norm2(theta(x)),
        lambda: norm2(Sum(t, (t, 1, T))),
    ],
)
def test_only_combinations_of_vectors_with_real_coefficients_have_a_length(
    wrong: Callable[[], object],
) -> None:
    with pytest.raises(TypeError, match="inner: "):
        wrong()


@pytest.mark.parametrize(
    "expr", [phi, phi * inner(phi, psi), x + theta(t), phi * psi, phi**2, Sum(theta(t), (t, 1, T))]
)
def test_a_vector_outside_of_an_inner_product_is_refused(expr: sp.Expr) -> None:
    with refused("step 0: .* has a vector outside of an inner product"):
        chain(expr)
    with pytest.raises(TypeError, match="assume: 'f' has a vector outside"):
        derive("d", assume={"f": Eq(expr, 0)})


def test_a_vector_may_be_the_argument_of_a_function() -> None:
    loss = Function("ell", real=True)
    chain(loss(t, theta(t)) - loss(t, phi)).step("==", loss(t, theta(t)) - loss(t, phi + psi - psi))
    with refused("false"):
        chain(loss(t, theta(t))).step("==", loss(t, phi))


def test_a_definition_keeps_its_kind() -> None:
    d = chain(norm2(c), define={c: phi - psi}).step("==", norm2(phi) - 2 * inner(phi, psi) + norm2(psi))
    d.qed((norm2(c), "==", norm2(phi) - 2 * inner(phi, psi) + norm2(psi)))
    with pytest.raises(TypeError, match="define: varphi is a vector, but x is not"):
        derive("d", define={phi: x})
    with pytest.raises(TypeError, match="define: x is a number, but varphi is not"):
        derive("d", define={x: phi})


def test_a_lemma_about_vectors_holds_for_vectors_only() -> None:
    lemma = chain(2 * inner(phi, psi)).step(
        "<=", norm2(phi) + norm2(psi), by=Certificate((1, norm2(phi - psi)))
    )
    lemma.qed((2 * inner(phi, psi), "<=", norm2(phi) + norm2(psi)))
    given = {"lemmas": {"mixed": lemma}}
    d = chain(2 * inner(theta(t) - c, g(t)), **given)
    by = Certificate((1, ("mixed", {phi: theta(t) - c, psi: g(t)})))
    d.step("<=", norm2(theta(t) - c) + norm2(g(t)), by=by)
    for wrong in (x, 1, c * phi, I * c):
        with refused("'mixed' is not known at varphi ="):
            chain(x, **given).step("<=", x, by=Certificate((1, ("mixed", {phi: wrong}))))
    number = chain(x**2).step(">=", 0, by=Certificate((1, x**2))).qed((x**2, ">=", 0))
    with refused("'square' is not known at x = varphi"):
        chain(y, lemmas={"square": number}).step(">=", y, by=Certificate((1, ("square", {x: phi}))))


def test_symbols_and_vectors_of_one_name_are_two_things() -> None:
    assert Vector("x") != Symbol("x")
    assert Vectors("a")(t) != a(t)
    assert Vectors("a")(t) == Vectors("a")(t)
