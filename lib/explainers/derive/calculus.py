"""Proof objects that use calculus: a minimum, an antiderivative, a limit.

The first two require a function that is known to be differentiable (`smooth`).
"""

from dataclasses import dataclass, field

import sympy as sp
from sympy import Expr, Symbol

from explainers.derive.context import Context
from explainers.derive.defined import require_defined
from explainers.derive.latex import latex
from explainers.derive.proofs import Identity, Proof, first_value
from explainers.derive.signs import is_nonnegative
from explainers.derive.smooth import is_smooth
from explainers.derive.substitution import RefusedError, substitute
from explainers.derive.sums import is_zero, normal_form
from explainers.derive.values import is_nonzero_somewhere
from explainers.derive.wellformed import Relation, expression


@dataclass(frozen=True)
class Minimum:
    """The difference of the two sides is 0 at `x = at`, and least there: its derivative
    in `x` is `(x - at) * slope` with `slope >= 0`.

    Proves ">=" with the difference `lhs - rhs`, and "<=" with `rhs - lhs`, for every
    value of `x` that its SymPy assumptions allow. These must be an interval, so `x` may
    be declared real, positive or nonnegative only. Sound by the mean value theorem: a
    smooth function with such a derivative falls up to `at` and rises from there.
    `prove` raises `RefusedError` if one of these conditions is not shown.
    """

    x: Symbol
    at: Expr | int
    slope: Expr | int

    def prove(self, context: Context, lhs: Expr, rel: Relation, rhs: Expr) -> str:
        if rel == "==":
            raise RefusedError("a minimum proves <= and >=, not ==")
        declared = self.x._assumptions_orig
        interval = set(declared) <= {"real", "positive", "nonnegative"}
        if not (self.x.is_real and interval and all(declared.values())):
            raise RefusedError(
                f"the values that the assumptions of {self.x} allow are not known to "
                "be an interval"
            )
        f, inside = lhs - rhs if rel == ">=" else rhs - lhs, context.generic_in(self.x)
        if not is_smooth(f, self.x):
            raise RefusedError(f"{f} is not known to be differentiable in {self.x}")
        at, slope = expression("at", self.at), expression("slope", self.slope)
        for expr in (f, slope):
            require_defined(expr, inside)
        admitted = (
            at.is_positive
            if self.x.is_positive
            else at.is_nonnegative or not self.x.is_nonnegative
        )
        if not (at.is_real and admitted):
            raise RefusedError(f"the assumptions of {self.x} do not allow {at}")
        if not is_zero(substitute(f, {self.x: at})):
            raise RefusedError(f"the two sides differ at {self.x} = {at}")
        if not is_nonnegative(slope):
            raise RefusedError(f"the sign of {self.slope} is not known")
        if not is_zero(
            sp.diff(f, self.x) - (self.x - at) * slope, is_nonzero_somewhere
        ):
            raise RefusedError("the derivative is not (x - at) * slope")
        return f"least at ${latex(self.x)}={latex(at)}$, where both sides agree"


@dataclass(frozen=True)
class Antiderivative:
    """The left side is an integral, the right side the difference of `antiderivative`
    at its limits: the fundamental theorem of calculus, for a function that is smooth at
    every point between them.

    `prove` raises `RefusedError` if the derivative of `antiderivative` is not the
    integrand, or if it is not known to be differentiable between the limits.
    """

    antiderivative: Expr

    def prove(self, context: Context, lhs: Expr, rel: Relation, rhs: Expr) -> str:
        if not isinstance(lhs, sp.Integral) or len(lhs.limits) > 1:
            raise RefusedError("the left side is not an integral")
        require_defined(lhs, context)
        x, lo, hi = lhs.limits[0]
        within = context.unfold(expression("antiderivative", self.antiderivative))
        inside = context.generic_in(x)
        if not is_smooth(within, x):
            raise RefusedError(f"{within} is not known to be differentiable in {x}")
        slope = sp.powsimp(sp.diff(within, x))
        for expr in (within, slope):
            require_defined(expr, inside)
        if not is_zero(slope - lhs.function, is_nonzero_somewhere):
            raise RefusedError("the derivative is not the integrand")
        ends = substitute(within, {x: hi}) - substitute(within, {x: lo})
        if not is_zero(ends - rhs, is_nonzero_somewhere):
            raise RefusedError("the right side is not the difference at the ends")
        return f"between the ends of ${latex(self.antiderivative)}$"


@dataclass(frozen=True)
class Limiting:
    """The left side is a limit for an integer `n` to infinity, and the right side is
    free of `n`: `proof` shows the relation for every `n`. Sound, as "==", "<=" and ">="
    between the terms and a constant pass to a limit that exists.

    `n` must be declared integer, and positive or nonnegative; `ValueError` otherwise.
    `prove` raises `RefusedError` if the limit has no known finite value.
    """

    n: Symbol
    proof: Proof = field(default_factory=Identity)

    def __post_init__(self) -> None:
        first_value(self.n)

    def prove(self, context: Context, lhs: Expr, rel: Relation, rhs: Expr) -> str:
        if not isinstance(lhs, sp.Limit) or lhs.args[1:3] != (self.n, sp.oo):
            raise RefusedError(f"the left side is not a limit for {self.n} to infinity")
        if rhs.has(self.n):
            raise RefusedError(f"the right side changes with {self.n}")
        limit = normal_form(lhs)
        if limit.has(sp.Limit, sp.AccumBounds, self.n) or not limit.is_finite:
            raise RefusedError("the limit is not known, or not finite")
        words = self.proof.prove(context.generic_in(self.n), lhs.args[0], rel, rhs)
        return f"in the limit, {words}"
