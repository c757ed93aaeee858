"""Proof objects that use calculus: a minimum, an antiderivative, a limit.

The first two require a function that is continuous and differentiable. Only functions
on the lists below count as such; any other is refused.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sympy as sp
from sympy import Expr, Sum, Symbol

from explainers.derive.facts import Relation
from explainers.derive.proofs import Identity, Proof, first_value
from explainers.derive.sums import (
    RefusedError,
    is_nonnegative,
    is_zero,
    normal_form,
    substitute,
)
from explainers.derive.typeset import latex
from explainers.derive.values import is_nonzero_somewhere

if TYPE_CHECKING:
    from explainers.derive.chain import Derivation

SMOOTH_EVERYWHERE = sp.exp, sp.sin, sp.cos, sp.sinh, sp.cosh
SMOOTH_ON_REALS = sp.log, sp.tanh, sp.sech, sp.atan


def is_smooth(expr: Expr, x: Symbol) -> bool:
    """Whether `expr` is known to be continuous and differentiable in a real `x`,
    wherever it and its derivative are defined."""
    if not expr.has(x) or expr == x:
        return True
    if isinstance(expr, Sum):
        limits = [end for limit in expr.limits for end in limit]
        return not any(end.has(x) for end in limits) and is_smooth(expr.function, x)
    real = all(arg.is_extended_real for arg in expr.args)
    if isinstance(expr, sp.Pow):
        real = expr.exp.is_integer or (real and not expr.exp.has(x))
    elif isinstance(expr, SMOOTH_EVERYWHERE) or expr.is_Add or expr.is_Mul:
        real = True
    elif not isinstance(expr, SMOOTH_ON_REALS):
        return False
    return bool(real) and all(is_smooth(arg, x) for arg in expr.args)


@dataclass(frozen=True)
class Minimum:
    """The difference of the two sides is 0 at `x = at`, and least there: its derivative
    in `x` is `(x - at) * slope` with `slope >= 0`.

    Proves ">=" with the difference `lhs - rhs`, and "<=" with `rhs - lhs`, for every
    value of `x` that its SymPy assumptions allow. These must be an interval, so `x` may
    be declared real, positive or nonnegative only. `prove` raises `RefusedError`
    otherwise, and if one of these conditions is not shown.
    """

    x: Symbol
    at: Expr | int
    slope: Expr | int

    def prove(self, d: "Derivation", lhs: Expr, rel: Relation, rhs: Expr) -> str:
        if rel == "==":
            raise RefusedError("a minimum proves <= and >=, not ==")
        declared = {name for name, truth in self.x._assumptions_orig.items() if truth}
        if not self.x.is_real or not declared <= {"real", "positive", "nonnegative"}:
            raise RefusedError(
                f"the values that the assumptions of {self.x} allow are not known to "
                "be an interval"
            )
        f, inside = lhs - rhs if rel == ">=" else rhs - lhs, d.generic_in(self.x)
        if not is_smooth(f, self.x):
            raise RefusedError(f"{f} is not known to be differentiable in {self.x}")
        for expr in (f, sp.sympify(self.slope)):
            inside.require_defined(expr)
        at = sp.sympify(self.at)
        admitted = (
            at.is_positive
            if self.x.is_positive
            else at.is_nonnegative or not self.x.is_nonnegative
        )
        if not (at.is_real and admitted):
            raise RefusedError(f"the assumptions of {self.x} do not allow {at}")
        if not is_zero(substitute(f, {self.x: at})):
            raise RefusedError(f"the two sides differ at {self.x} = {at}")
        if not is_nonnegative(sp.sympify(self.slope)):
            raise RefusedError(f"the sign of {self.slope} is not known")
        if not is_zero(
            sp.diff(f, self.x) - (self.x - at) * self.slope, is_nonzero_somewhere
        ):
            raise RefusedError("the derivative is not (x - at) * slope")
        return f"least at ${latex(self.x)}={latex(at)}$, where both sides agree"


@dataclass(frozen=True)
class Antiderivative:
    """The left side is an integral, the right side the difference of `antiderivative`
    at its limits.

    `prove` raises `RefusedError` if the derivative of `antiderivative` is not the
    integrand, or if it is not known to be differentiable between the limits.
    """

    antiderivative: Expr

    def prove(self, d: "Derivation", lhs: Expr, rel: Relation, rhs: Expr) -> str:
        if not isinstance(lhs, sp.Integral) or len(lhs.limits) > 1:
            raise RefusedError("the left side is not an integral")
        d.require_defined(lhs)
        x, lo, hi = lhs.limits[0]
        within, inside = d.unfold(self.antiderivative), d.generic_in(x)
        if not is_smooth(within, x):
            raise RefusedError(f"{within} is not known to be differentiable in {x}")
        slope = sp.powsimp(sp.diff(within, x))
        for expr in (within, slope):
            inside.require_defined(expr)
        if not is_zero(slope - lhs.function, is_nonzero_somewhere):
            raise RefusedError("the derivative is not the integrand")
        ends = substitute(within, {x: hi}) - substitute(within, {x: lo})
        if not is_zero(ends - rhs, is_nonzero_somewhere):
            raise RefusedError("the right side is not the difference at the ends")
        return f"between the ends of ${latex(self.antiderivative)}$"


@dataclass(frozen=True)
class Limiting:
    """The left side is a limit for an integer `n` to infinity, and the right side is
    free of `n`: `proof` shows the relation for every `n`, so it holds in the limit.

    `n` must be declared integer, and positive or nonnegative; `ValueError` otherwise.
    `prove` raises `RefusedError` if the limit has no known finite value.
    """

    n: Symbol
    proof: Proof = field(default_factory=Identity)

    def __post_init__(self) -> None:
        first_value(self.n)

    def prove(self, d: "Derivation", lhs: Expr, rel: Relation, rhs: Expr) -> str:
        if not isinstance(lhs, sp.Limit) or lhs.args[1:3] != (self.n, sp.oo):
            raise RefusedError(f"the left side is not a limit for {self.n} to infinity")
        if rhs.has(self.n):
            raise RefusedError(f"the right side changes with {self.n}")
        limit = normal_form(lhs)
        if limit.has(sp.Limit, sp.AccumBounds, self.n) or not limit.is_finite:
            raise RefusedError("the limit is not known, or not finite")
        words = self.proof.prove(d.generic_in(self.n), lhs.args[0], rel, rhs)
        return f"in the limit, {words}"
