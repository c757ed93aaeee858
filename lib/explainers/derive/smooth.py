"""Which functions are known to be continuous and differentiable."""

import sympy as sp
from sympy import Expr, Sum, Symbol
from sympy.core.function import AppliedUndef

SMOOTH_EVERYWHERE = sp.exp, sp.sin, sp.cos, sp.sinh, sp.cosh, AppliedUndef
SMOOTH_ON_REALS = sp.log, sp.tanh, sp.sech, sp.atan
# Real-linear: of a smooth function of a real variable they are smooth too, of a complex
# variable they are not differentiable.
SMOOTH_ALONG_REALS = sp.re, sp.im, sp.conjugate

# Assumptions that a variable of differentiation may have: each describes an open set.
OPEN_ASSUMPTIONS = {"real", "complex", "finite", "positive", "negative", "nonzero"}


def is_smooth(expr: Expr, x: Symbol) -> bool:
    """Whether `expr` is known to be continuous and differentiable in `x`, wherever it
    and its derivative are defined.

    Functions on the lists above are, and their sums, products, powers and finite sums.
    An absolute value, a sign or a maximum is not, whatever it is multiplied by: their
    derivatives are one-sided at some point. An undefined function is: to write its
    derivative means to assume that it has one. A root is taken of real numbers only,
    where it has no branch cut, and its derivative has the pole at 0.
    """
    if not expr.has(x) or expr == x:
        return True
    if isinstance(expr, Sum):
        limits = [end for limit in expr.limits for end in limit]
        return not any(end.has(x) for end in limits) and is_smooth(expr.function, x)
    if isinstance(expr, sp.Derivative):
        return is_smooth(expr.expr, x)
    real = all(arg.is_extended_real for arg in expr.args)
    if isinstance(expr, sp.Pow):
        real = expr.exp.is_integer or (real and not expr.exp.has(x))
    elif isinstance(expr, SMOOTH_ALONG_REALS):
        real = x.is_real
    elif isinstance(expr, SMOOTH_EVERYWHERE) or expr.is_Add or expr.is_Mul:
        real = True
    elif not isinstance(expr, SMOOTH_ON_REALS):
        return False
    return bool(real) and all(is_smooth(arg, x) for arg in expr.args)


def is_open(x: Symbol) -> bool:
    """Whether the SymPy assumptions of `x` describe an open set, so that every value
    has neighbours on both sides."""
    return (
        isinstance(x, Symbol)
        and all(x._assumptions_orig.values())
        and not set(x._assumptions_orig) - OPEN_ASSUMPTIONS
    )
