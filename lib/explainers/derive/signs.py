"""The least value of an expression over ranges of indices, and its sign."""

from collections.abc import Iterable

import sympy as sp
from sympy import Expr, Symbol, pi

from explainers.derive.substitution import Range, bound_symbols, substitute


def without(ranges: Iterable[Range], u: Symbol) -> tuple[Range, ...]:
    """`ranges` without those of an index `u` and those whose limits depend on it.

    Inside of a sum over another `u` they say nothing.
    """
    return tuple(
        limits
        for limits in ranges
        if limits[0] != u and not limits[1].has(u) and not limits[2].has(u)
    )


def runs_forward(limits: Range, ranges: tuple[Range, ...]) -> bool:
    """Whether the upper limit of a sum is at least the lower one minus 1, and that of
    an integral at least the lower one, for all values of the outer indices."""
    u, lo, hi = limits
    return bool(minimum(hi - lo + int(bool(u.is_integer)), ranges).is_nonnegative)


def and_forward(ranges: tuple[Range, ...], more: Iterable[Range]) -> tuple[Range, ...]:
    """`ranges` and those of `more`, from outside in, that run forward.

    An index takes the values between its limits in a range that runs forward. In a
    reversed one it takes the values outside of them, so that the limits say nothing.
    """
    for limits in more:
        forward = runs_forward(limits, ranges)
        ranges = without(ranges, limits[0])
        ranges = (*ranges, limits) if forward else ranges
    return ranges


def is_nonzero(expr: Expr, ranges: Iterable[Range]) -> bool:
    """Whether `expr` is not 0: by the SymPy assumptions of its symbols, or because it
    has one sign over all of `ranges`."""
    ranges = tuple(ranges)
    return (
        expr.is_zero is False or is_positive(expr, ranges) or is_positive(-expr, ranges)
    )


def is_positive(expr: Expr, ranges: Iterable[Range]) -> bool:
    """Whether `expr`, linear in each index, is positive over all of `ranges`."""
    return bool(minimum(expr, ranges).is_positive)


def minimum(expr: Expr, ranges: Iterable[Range]) -> Expr:
    """The least value of `expr` over `ranges`, or `nan` unless it is linear in each
    index with a slope of known sign."""
    for u, lo, hi in reversed(list(ranges)):
        slope = sp.expand(expr).coeff(u)
        if not expr.has(u):
            continue
        if sp.expand(expr - slope * u).has(u) or slope.has(u):
            return sp.nan
        if slope.is_nonnegative:
            expr = substitute(expr, {u: lo})
        elif slope.is_nonpositive:
            expr = substitute(expr, {u: hi})
        else:
            return sp.nan
    return sp.expand(expr)


def is_nonnegative(expr: Expr, ranges: Iterable[Range] = ()) -> bool:
    """Whether `expr` is non-negative wherever it is defined: by the SymPy assumptions
    of its symbols, as a square, as a squared length, or as a sine over a range within
    [0, pi]."""
    for u, lo, hi in ranges:
        if u in bound_symbols(expr):
            continue
        if lo.is_nonnegative and (pi - hi).is_nonnegative:
            expr = expr.subs(sp.sin(u), sp.Dummy("sine", nonnegative=True))
    if expr.is_extended_nonnegative:
        return True
    left = list(sp.Mul.make_args(sp.factor(expr)))
    for factor in tuple(left):
        base, power = factor.as_base_exp()
        mirror = sp.conjugate(base) ** power
        square = base.is_extended_real and power.is_even
        if (
            factor.is_extended_nonnegative
            or square
            or (base.is_extended_nonnegative and power.is_real)
        ):
            left.remove(factor)
        elif (
            factor in left and mirror != factor and mirror in left and power.is_integer
        ):
            left.remove(factor)
            left.remove(mirror)
    return len(left) % 2 == 0 and all(factor.is_extended_nonpositive for factor in left)
