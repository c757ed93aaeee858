"""Chains of matrices with symbolic shapes, and of their traces."""

import pytest
import sympy as sp
from sympy import Identity, MatrixSymbol, Symbol, Trace, ZeroMatrix

from explainers.derive import derive
from explainers.derive.matrices import trace, words
from tests.derive.chains import chain, refused, x

n, d, r = (Symbol(name, integer=True, positive=True) for name in "ndr")
X, C = MatrixSymbol("X", n, d), MatrixSymbol("C", n, r)
Q, K, P = MatrixSymbol("Q", d, d), MatrixSymbol("K", r, d), MatrixSymbol("P", d, d)


def test_a_key_matrix_is_absorbed_into_the_queries() -> None:
    """The step from MHA to MLA: keys that are made of a latent vector need not be made."""
    d_ = derive("absorbed").start((X * Q) * (C * K).T)
    d_.step("==", X * (Q * K.T) * C.T).qed(says="the scores of latent keys")
    assert d_.theorem == ((X * Q) * (C * K).T, "==", X * Q * K.T * C.T)


@pytest.mark.parametrize(
    ("lhs", "rhs"),
    [
        (X * (Q + P) - X * P, X * Q),
        (2 * x * X + x * X, 3 * x * X),
        ((X * Q).T, Q.T * X.T),
        (Q * Identity(d) + ZeroMatrix(d, d), Q),
        ((Q + P) ** 2, Q**2 + Q * P + P * Q + P**2),
        ((X.T * X).T, X.T * X),
        (x * Trace(Q * P) - x * Trace(P * Q), sp.Integer(0)),
        (Trace(Q * P.T), Trace(P * Q.T)),
        (Trace(Q + Identity(d)), Trace(Q.T) + d),
        (Trace(C * K * X.T), Trace(X.T * C * K)),
    ],
)
def test_what_holds_for_all_matrices_is_proved(lhs: sp.Expr, rhs: sp.Expr) -> None:
    chain(lhs).step("==", rhs)


@pytest.mark.parametrize(
    ("lhs", "rhs"),
    [
        (Q * P, P * Q),
        (Q * P, (Q * P).T),
        ((Q + P) ** 2, Q**2 + 2 * Q * P + P**2),
        (Trace(Q * P * Q), Trace(Q * Q)),
        (Trace(Identity(d)), sp.Integer(1)),
        (Trace(Q * P * Q.T * P.T), Trace(Q * Q.T * P * P.T)),
        (Trace(Q) ** 2, Trace(Q**2)),
    ],
)
def test_what_does_not_is_called_false(lhs: sp.Expr, rhs: sp.Expr) -> None:
    with refused("step 1: == is false"):
        chain(lhs).step("==", rhs)


@pytest.mark.parametrize("expr", [X * Q * X, X + C, X.T * C.T])
def test_shapes_that_do_not_fit_are_refused(expr: object) -> None:
    with refused("not known to be equal"):
        chain(expr)


def test_shapes_that_fit_for_some_sizes_only_are_refused() -> None:
    loose = MatrixSymbol("L", d + 1, d)
    with refused("not known to be equal"):
        chain(sp.MatMul(X, loose, evaluate=False))
    with refused("not supported"):
        chain(sp.Inverse(Q))
    with refused("not known to be equal"):
        trace(X)


def test_the_words_of_a_sum_have_no_zeros() -> None:
    assert words(Q + P - P) == {((Q, False),): 1}
    assert trace(Q * P) == trace(P * Q) == trace(P.T * Q.T)
