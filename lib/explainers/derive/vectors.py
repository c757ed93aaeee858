"""Symbolic real vectors and their inner products, in any number of dimensions.

`Vector("phi")` is one vector, as `Symbol` is one number, and `Vectors("theta")` a
sequence of vectors, as `Function` is one of numbers. `inner(u, v)` and `norm2(u)` are
real numbers for linear combinations of such vectors. They are expanded by bilinearity
in proofs only, and printed as they were written.
"""

from typing import Any

import sympy as sp
from sympy import Expr, Sum
from sympy.core.function import AppliedUndef, UndefinedFunction


class Vector(sp.Symbol):
    """A vector with a name, without further assumptions."""

    def __new__(cls, name: str) -> "Vector":
        return super().__new__(cls, name)


class Term(AppliedUndef):
    """One vector of a sequence, such as `Vectors("theta")(t)`."""


def Vectors(name: str) -> Any:
    """A sequence of vectors: `Vectors("theta")(t)` is a vector, for an integer `t`."""
    # SymPy compares functions by name and assumptions: the base class keeps this one
    # different from a sequence of numbers with the same name
    return UndefinedFunction(name, bases=(Term,), commutative=True)


class Inner(sp.Function):
    """The inner product of `u` and `v`; see `inner`."""

    nargs = 2
    is_real = True

    @classmethod
    def eval(cls, u: Expr, v: Expr) -> Expr | None:
        return None if linear_terms(u) and linear_terms(v) else sp.Integer(0)

    def _eval_is_nonnegative(self) -> bool | None:
        u, v = self.args
        return True if u == v or sp.expand(u - v) == 0 else None

    def _eval_derivative(self, x: Expr) -> Expr:
        u, v = self.args
        return Inner(sp.diff(u, x), v) + Inner(u, sp.diff(v, x))

    def _sympystr(self, printer: Any) -> str:
        u, v = (printer.doprint(arg) for arg in self.args)
        return f"norm2({u})" if u == v else f"inner({u}, {v})"

    def expanded(self) -> Expr:
        """The inner product expanded by bilinearity, with the two vectors of each term
        in a fixed order."""
        u, v = self.args
        if _is_vector(u) and _is_vector(v):
            return Inner(*sorted((u, v), key=sp.default_sort_key))
        if _is_vector(u):
            u, v = v, u
        return sp.Add(
            *(weight * _inner_with(base, v) for weight, base in linear_terms(u))
        )


def inner(u: Expr | int, v: Expr | int) -> Expr:
    """The inner product of `u` and `v`, a real number.

    Raises `TypeError` unless both are linear combinations of vectors with real
    coefficients; 0 is the zero vector.
    """
    return Inner(u, v)


def norm2(u: Expr | int) -> Expr:
    """The squared Euclidean norm of `u`, `inner(u, u)`.

    Raises `TypeError` unless `u` is a linear combination of vectors with real
    coefficients.
    """
    return Inner(u, u)


def linear_terms(u: Expr) -> list[tuple[Expr, Expr]]:
    """The linear combination `u` as pairs of a real coefficient and a named vector or
    a sum of vectors; the zero vector has no pairs.

    Raises `TypeError` for anything else, such as a number or a product of two vectors.
    """
    pairs: list[tuple[Expr, Expr]] = []
    for term in sp.Add.make_args(sp.expand(u)):
        factors = sp.Mul.make_args(term)
        vectors = [factor for factor in factors if has_bare_vector(factor)]
        if term == 0:
            continue
        if len(vectors) != 1 or not (_is_vector(vectors[0]) or _is_sum(vectors[0])):
            raise TypeError(f"inner: expected a combination of vectors, got {term}")
        weight = sp.Mul(*(factor for factor in factors if factor != vectors[0]))
        if not weight.is_real:
            raise TypeError(f"inner: {weight} is not known to be real, in {term}")
        pairs.append((weight, vectors[0]))
    return pairs


def has_bare_vector(expr: sp.Basic) -> bool:
    """Whether `expr` contains a vector outside of inner products and of the arguments
    of functions."""
    if isinstance(expr, Vector | Term):
        return True
    if isinstance(expr, Inner | AppliedUndef):
        return False
    return any(has_bare_vector(arg) for arg in expr.args)


def _is_vector(expr: sp.Basic) -> bool:
    return isinstance(expr, Vector) or (
        isinstance(expr, Term) and all(arg.is_integer for arg in expr.args)
    )


def _is_sum(expr: sp.Basic) -> bool:
    if not isinstance(expr, Sum) or len(expr.limits) > 1:
        return False
    return not any(map(has_bare_vector, expr.limits[0])) and bool(
        linear_terms(expr.function)
    )


def _inner_with(base: Expr, v: Expr) -> Expr:
    """The inner product of `v` with a named vector, or with a sum of vectors term by
    term."""
    if not isinstance(base, Sum):
        return Inner(base, v)
    u, lo, hi = base.limits[0]
    own = sp.Dummy(u.name, **u._assumptions_orig)  # `v` may hold another `u`
    return Sum(Inner(base.function.xreplace({u: own}), v), (own, lo, hi))
