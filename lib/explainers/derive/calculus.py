"""Proof objects that rest on calculus: a minimum, an antiderivative, a limit.

Each needs to know that a function is smooth where it is used; that is decided by a list
of functions that are, so that whatever is not on the list is refused.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sympy as sp
from sympy import Expr, Sum, Symbol

from explainers.derive.facts import Relation
from explainers.derive.proofs import Identity, Proof, first_value
from explainers.derive.sums import (
    Refused,
    is_zero,
    nonneg,
    normal,
    substitute,
)
from explainers.derive.typeset import latex
from explainers.derive.values import nonzero_somewhere

if TYPE_CHECKING:
    from explainers.derive.chain import Derivation

ENTIRE = sp.exp, sp.sin, sp.cos, sp.sinh, sp.cosh
ON_THE_LINE = sp.log, sp.tanh, sp.sech, sp.atan


def smooth(expr: Expr, x: Symbol) -> bool:
    """Is `expr` seen to be continuous in a real `x`, and differentiable, wherever it
    and its derivative are defined?"""
    if not expr.has(x) or expr == x:
        return True
    if isinstance(expr, Sum):
        limits = [end for limit in expr.limits for end in limit]
        return not any(end.has(x) for end in limits) and smooth(expr.function, x)
    real = all(arg.is_extended_real for arg in expr.args)
    if isinstance(expr, sp.Pow):
        real = expr.exp.is_integer or (real and not expr.exp.has(x))
    elif isinstance(expr, ENTIRE) or expr.is_Add or expr.is_Mul:
        real = True
    elif not isinstance(expr, ON_THE_LINE):
        return False
    return bool(real) and all(smooth(arg, x) for arg in expr.args)


@dataclass(frozen=True)
class Minimum:
    """`lhs - rhs` is least at `x = at`: it is 0 there, and its derivative `(x - at) *
    slope`, `slope >= 0`.

    Proves `>=` (and `<=` with the sides exchanged) for every `x` that its assumptions
    admit; those must be an interval, so `x` must be declared real, positive or
    nonnegative, and no more.
    """

    x: Symbol
    at: Expr | int
    slope: Expr | int

    def prove(self, d: "Derivation", lhs: Expr, rel: Relation, rhs: Expr) -> str:
        if rel == "==":
            raise Refused("a minimum proves an inequality")
        declared = {name for name, truth in self.x._assumptions_orig.items() if truth}
        if not self.x.is_real or not declared <= {"real", "positive", "nonnegative"}:
            raise Refused(
                f"the values that {self.x} admits are not seen to be an interval"
            )
        f, inside = lhs - rhs if rel == ">=" else rhs - lhs, d.inside(hide=self.x)
        if not smooth(f, self.x):
            raise Refused("it is not seen to be differentiable everywhere")
        for expr in (f, sp.sympify(self.slope)):
            inside.require_defined(expr)
        at = sp.sympify(self.at)
        admitted = (
            at.is_positive
            if self.x.is_positive
            else at.is_nonnegative or not self.x.is_nonnegative
        )
        if not (at.is_real and admitted):
            raise Refused(f"{self.x} does not admit {at}")
        if not is_zero(substitute(f, {self.x: at})):
            raise Refused(f"the two sides differ at {self.x} = {at}")
        if not nonneg(sp.sympify(self.slope)):
            raise Refused(f"the sign of {self.slope} is not known")
        if not is_zero(
            sp.diff(f, self.x) - (self.x - at) * self.slope, nonzero_somewhere
        ):
            raise Refused("the derivative is not the one stated")
        return f"least at ${latex(self.x)}={latex(at)}$, where both sides agree"


@dataclass(frozen=True)
class Antiderivative:
    """An integral equals the difference of `antiderivative` at its ends.

    Raises `Refused` if its derivative is not the integrand, or if it is not seen to be
    differentiable from end to end.
    """

    antiderivative: Expr

    def prove(self, d: "Derivation", lhs: Expr, rel: Relation, rhs: Expr) -> str:
        if not isinstance(lhs, sp.Integral) or len(lhs.limits) > 1:
            raise Refused("the left side is not an integral")
        d.require_defined(lhs)
        x, lo, hi = lhs.limits[0]
        within, inside = d.unfold(self.antiderivative), d.inside(hide=x)
        if not smooth(within, x):
            raise Refused("it is not seen to be differentiable everywhere")
        slope = sp.powsimp(sp.diff(within, x))
        for expr in (within, slope):
            inside.require_defined(expr)
        if not is_zero(slope - lhs.function, nonzero_somewhere):
            raise Refused("the derivative is not the integrand")
        ends = substitute(within, {x: hi}) - substitute(within, {x: lo})
        if not is_zero(ends - rhs, nonzero_somewhere):
            raise Refused("the right side is not the difference at the ends")
        return f"between the ends of ${latex(self.antiderivative)}$"


@dataclass(frozen=True)
class Limiting:
    """The left side is a limit over a whole number `n`, the right side is free of it:
    `proof` shows their relation for every `n`, and in a limit it stays.

    `n` must be declared integer, and positive or nonnegative. Raises `Refused` if the
    limit is not found, or is not finite.
    """

    n: Symbol
    proof: Proof = field(default_factory=Identity)

    def __post_init__(self) -> None:
        first_value(self.n)

    def prove(self, d: "Derivation", lhs: Expr, rel: Relation, rhs: Expr) -> str:
        if not isinstance(lhs, sp.Limit) or lhs.args[1:3] != (self.n, sp.oo):
            raise Refused(f"the left side is not a limit over {self.n} to infinity")
        if rhs.has(self.n):
            raise Refused(f"the right side changes with {self.n}")
        found = normal(lhs)
        if found.has(sp.Limit, sp.AccumBounds, self.n) or not found.is_finite:
            raise Refused("the limit is not found, or not finite")
        words = self.proof.prove(d.inside(hide=self.n), lhs.args[0], rel, rhs)
        return f"in the limit, {words}"
