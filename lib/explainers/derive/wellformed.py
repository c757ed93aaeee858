"""First room of a proof: what may be written in a derivation at all."""

from collections.abc import Iterable
from typing import Any, Literal

import sympy as sp
from sympy import Expr, Symbol
from sympy.core.function import AppliedUndef

from explainers.derive.matrices import is_matrix, weights
from explainers.derive.substitution import RefusedError
from explainers.derive.vectors import Inner, has_bare_vector

Relation = Literal["==", "<=", ">="]
RELATIONS: tuple[Relation, ...] = ("==", "<=", ">=")

UNSUPPORTED = sp.Subs, sp.Order, sp.AccumBounds, sp.Piecewise

# Functions that have rules. The first have a value everywhere, `defined` knows where
# the others have none.
TOTAL = (
    sp.exp, sp.sin, sp.cos, sp.sinh, sp.cosh, sp.atan, sp.Abs, sp.sign, sp.re, sp.im,
    sp.conjugate, sp.Max, sp.Min, sp.floor, sp.ceiling, Inner, AppliedUndef,
)  # fmt: skip
PARTIAL = (
    sp.log, sp.tan, sp.sec, sp.cot, sp.csc, sp.tanh, sp.sech, sp.coth, sp.csch,
    sp.atanh, sp.factorial, sp.binomial,
)  # fmt: skip


# what a page says of a letter; the rest must follow from it, or is judged apart
SAID = (
    "complex", "real", "integer", "even", "odd", "positive", "negative", "nonnegative",
    "nonpositive", "nonzero", "finite", "commutative",
)  # fmt: skip
JUDGED = (
    "infinite", "extended_real", "extended_positive", "extended_negative",
    "extended_nonnegative", "extended_nonpositive", "extended_nonzero",
)  # fmt: skip


def expression(name: str, given: object) -> Expr:
    """The argument `given`, called `name`, as an exact SymPy expression.

    A floating-point number stands for a small interval: `10**20 + 1.0 == 10**20` is
    true of the numbers in a computer and false of those in a proof. Raises `TypeError`
    unless `given` is a SymPy expression or an exact number, and `ValueError` if a
    floating-point number is in it.
    """
    try:
        expr = None if isinstance(given, str) else sp.sympify(given)
    except (sp.SympifyError, TypeError, ValueError):
        expr = None
    if not isinstance(expr, Expr):
        raise TypeError(f"{name}: expected a SymPy expression, got {given!r}")
    if reserved := {s for s in expr.atoms(Symbol) if s.name.startswith("#")}:
        raise ValueError(
            f"{name}: {reserved.pop()} in {expr}: names with # are reserved for indices"
        )
    if inexact := expr.atoms(sp.Float):
        raise ValueError(
            f"{name}: {inexact.pop()} in {expr} is a floating-point number; expected "
            "exact numbers, such as Rational(1, 2)"
        )
    return expr


def relation(name: str, given: object) -> tuple[Expr, Relation, Expr]:
    """The argument `given`, called `name`, as two sides and the relation between them.

    Raises `TypeError` unless it is an equation or a relation by "<=" or ">=", of SymPy
    or as `(lhs, "==", rhs)`.
    """
    if isinstance(given, sp.Eq | sp.Ge | sp.Le):
        names: dict[str, Relation] = {"==": "==", ">=": ">=", "<=": "<="}
        given = (given.lhs, names[given.rel_op], given.rhs)
    if isinstance(given, tuple) and len(given) == 3 and given[1] in RELATIONS:
        return expression(name, given[0]), given[1], expression(name, given[2])
    raise TypeError(
        f'{name}: expected a relation of two expressions, or (lhs, "==", rhs), '
        f"got {given!r}"
    )


def require_well_formed(expr: Expr, indices: Iterable[Symbol] = ()) -> None:
    """Raise `RefusedError` if `expr` has a part that no rule is about.

    Such are a vector outside of an inner product, infinity, a matrix that is not the
    argument of a determinant, a relation, a function without rules, and operators that
    bind a symbol, except sums, integrals, derivatives and limits of one symbol; also a
    symbol that may be infinite, unless it is one of `indices`, and one of which
    something is assumed that no page would say.
    """
    if has_bare_vector(expr):
        raise RefusedError(f"{expr} has a vector outside of an inner product")
    for name in names_in(expr) - set(indices):
        _require_finite(name)
    _well_formed(expr)


def _require_finite(name: Any) -> None:
    """Raise `RefusedError` for a symbol or a function that may be infinite: o + 1 is o,
    if o is."""
    says = name._assumptions_orig if isinstance(name, Symbol) else name._kwargs
    extended = any(key.startswith("extended_") for key in says)
    said = {key: True for key in SAID if says.get(key)}
    said |= {"zero": False} if says.get("zero") is False else {}
    implied = Symbol("x", **said).assumptions0
    unsaid = sorted(
        key
        for key, value in says.items()
        if value is not None and implied.get(key) != value and key not in JUDGED
    )
    if unsaid:
        raise RefusedError(f"{name} is declared {unsaid}: no page would say so")
    if says.get("infinite") or (extended and not says.get("finite")):
        raise RefusedError(f"{name} may be infinite by what it is declared to be")


def _well_formed(expr: Expr) -> None:
    if expr.has(sp.nan, sp.zoo) or expr in (sp.oo, -sp.oo):
        raise RefusedError(f"{expr} is not defined, or not a number")
    if expr.has(sp.Float):
        raise RefusedError(f"{expr} has a floating-point number")
    if is_matrix(expr) or isinstance(expr, sp.Trace):
        for weight in weights(expr):
            _well_formed(weight)
        return
    if isinstance(expr, sp.Limit):
        if not isinstance(expr.args[1], Symbol):
            raise RefusedError(f"{expr}: the variable {expr.args[1]} is not a symbol")
        _well_formed(expr.args[0])
        return
    if isinstance(expr, sp.Sum | sp.Integral):
        for limit in expr.limits:
            if len(limit) != 3:
                raise RefusedError(f"{expr}: give both limits of {limit[0]}")
        parts = [expr.function, *(end for limit in expr.limits for end in limit[1:])]
    elif isinstance(expr, sp.Derivative):
        parts = [expr.expr]
    elif expr.is_Function and not isinstance(expr, TOTAL + PARTIAL):
        raise RefusedError(f"{expr}: the function {expr.func} is not supported")
    elif isinstance(expr, UNSUPPORTED) or getattr(expr, "bound_symbols", None):
        raise RefusedError(f"{expr}: {type(expr).__name__} is not supported")
    elif isinstance(expr, sp.Determinant) and isinstance(expr.arg, sp.MatrixBase):
        parts = expr.arg.flat()
    else:
        parts = list(expr.args)
    for part in parts:
        if not isinstance(part, Expr) or isinstance(part, sp.MatrixBase):
            raise RefusedError(f"{expr} has a part that is not a number: {part}")
        _well_formed(part)


def names_in(expr: sp.Basic) -> set[Any]:
    """The symbols of `expr`, free and bound, and its undefined functions."""
    return expr.atoms(Symbol) | {call.func for call in expr.atoms(AppliedUndef)}
