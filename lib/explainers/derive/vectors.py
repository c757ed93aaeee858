"""Inner products of formal real vectors, in any number of dimensions.

`Vector("phi")` is one vector, as `Symbol` is one number, and `Vectors("theta")` a
sequence of them, as `Function` is one of numbers. `inner(u, v)` and `norm2(u)` are real
numbers for linear combinations of such vectors; they stay as they are written, until a
proof opens them by bilinearity.
"""

from typing import Any

import sympy as sp
from sympy import Expr, Sum
from sympy.core.function import AppliedUndef, UndefinedFunction


class Vector(sp.Symbol):
    """A vector with a name; it takes no assumptions."""

    def __new__(cls, name: str) -> "Vector":
        return super().__new__(cls, name)


class Term(AppliedUndef):
    """A vector of a sequence, at a whole number."""


def Vectors(name: str) -> Any:
    """A sequence of vectors: `Vectors("theta")(t)` is a vector, for a whole number
    `t`."""
    # SymPy compares functions by name and assumptions; this one is never a sequence of
    # numbers
    return UndefinedFunction(name, bases=(Term,), commutative=True)


class Inner(sp.Function):
    """`inner(u, v)`. Raises `TypeError` unless both are linear combinations of vectors
    with real coefficients."""

    nargs = 2
    is_real = True

    @classmethod
    def eval(cls, u: Expr, v: Expr) -> Expr | None:
        return None if parts(u) and parts(v) else sp.Integer(0)

    def _eval_is_nonnegative(self) -> bool | None:
        u, v = self.args
        return True if u == v or sp.expand(u - v) == 0 else None

    def _eval_derivative(self, x: Expr) -> Expr:
        u, v = self.args
        return Inner(sp.diff(u, x), v) + Inner(u, sp.diff(v, x))

    def _sympystr(self, printer: Any) -> str:
        u, v = (printer.doprint(arg) for arg in self.args)
        return f"norm2({u})" if u == v else f"inner({u}, {v})"

    def opened(self) -> Expr:
        """The same number as a combination of inner products of two vectors, which come
        in one order."""
        u, v = self.args
        if _is_vector(u) and _is_vector(v):
            return Inner(*sorted((u, v), key=sp.default_sort_key))
        if _is_vector(u):
            u, v = v, u
        return sp.Add(*(weight * _taken(base, v) for weight, base in parts(u)))


def inner(u: Expr | int, v: Expr | int) -> Expr:
    """The inner product of two vectors. Raises `TypeError` for what is no vector."""
    return Inner(u, v)


def norm2(u: Expr | int) -> Expr:
    """The squared length of a vector. Raises `TypeError` for what is no vector."""
    return Inner(u, u)


def parts(u: Expr) -> list[tuple[Expr, Expr]]:
    """A vector as pairs of a real number and a vector with a name, or a sum over an
    index; the zero vector has none.

    Raises `TypeError` for what is no vector: a number, or a product of two vectors.
    """
    found: list[tuple[Expr, Expr]] = []
    for term in sp.Add.make_args(sp.expand(u)):
        factors = sp.Mul.make_args(term)
        vectors = [factor for factor in factors if naked(factor)]
        if term == 0:
            continue
        if len(vectors) != 1 or not (_is_vector(vectors[0]) or _is_sum(vectors[0])):
            raise TypeError(f"inner: expected a combination of vectors, got {term}")
        weight = sp.Mul(*(factor for factor in factors if factor != vectors[0]))
        if not weight.is_real:
            raise TypeError(f"inner: {weight} is not seen to be real, in {term}")
        found.append((weight, vectors[0]))
    return found


def naked(expr: sp.Basic) -> bool:
    """Is there a vector that is neither in an inner product nor the argument of a
    function?"""
    if isinstance(expr, Vector | Term):
        return True
    if isinstance(expr, Inner | AppliedUndef):
        return False
    return any(naked(arg) for arg in expr.args)


def _is_vector(expr: sp.Basic) -> bool:
    return isinstance(expr, Vector) or (
        isinstance(expr, Term) and all(arg.is_integer for arg in expr.args)
    )


def _is_sum(expr: sp.Basic) -> bool:
    if not isinstance(expr, Sum) or len(expr.limits) > 1:
        return False
    return not any(map(naked, expr.limits[0])) and bool(parts(expr.function))


def _taken(base: Expr, v: Expr) -> Expr:
    """The inner product of a named vector or a sum with `v`, one level opened."""
    if not isinstance(base, Sum):
        return Inner(base, v)
    u, lo, hi = base.limits[0]
    own = sp.Dummy(u.name, **u._assumptions_orig)  # `v` may hold another `u`
    return Sum(Inner(base.function.xreplace({u: own}), v), (own, lo, hi))
