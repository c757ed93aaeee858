"""Proof objects, each of which proves one step of a derivation.

`prove(context, lhs, rel, rhs)` may use the facts of the context by name, and takes
both sides with all definitions put in. It returns the proof in words, or raises
`RefusedError` if the step is not proved. `a <= b` means that `b - a` is real and
non-negative.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import sympy as sp
from sympy import Expr, Sum, Symbol

from explainers.derive.context import Context
from explainers.derive.defined import require_defined
from explainers.derive.latex import latex
from explainers.derive.refuted import counterexample
from explainers.derive.signs import is_nonnegative
from explainers.derive.substitution import Range, RefusedError, substitute
from explainers.derive.sums import is_zero, normal_form
from explainers.derive.values import is_nonzero_somewhere
from explainers.derive.wellformed import Relation, expression


@runtime_checkable
class Proof(Protocol):
    """The interface of all proof objects."""

    def prove(self, context: Context, lhs: Expr, rel: Relation, rhs: Expr) -> str: ...


ALGEBRA = "difference is zero"


@dataclass(frozen=True)
class Identity:
    """Both sides are equal by algebra: their difference simplifies to 0.

    It uses no fact. What it shows is an equation, which proves "<=" and ">=" as well.
    Sound, as both sides are defined, and every rewriting that is tried keeps the value
    of an expression wherever that is defined.
    """

    def prove(self, context: Context, lhs: Expr, rel: Relation, rhs: Expr) -> str:
        if not is_zero(lhs - rhs, is_nonzero_somewhere):
            raise RefusedError("the difference of the two sides does not reduce to 0")
        return ALGEBRA


# A factor of a certificate: an expression, the name of a fact, or a pair of a name and
# replacements for the symbols of that fact.
Factor: TypeAlias = "Expr | str | tuple[str, Mapping[Symbol, Expr | int]]"

NO_INSTANCE: Mapping[Symbol, Expr | int] = {}


@dataclass(frozen=True, init=False)
class Certificate:
    """The larger side minus the smaller is a sum of products: each of `terms` is a
    tuple `(weight, factor, …)` of at least two factors.

    A factor is an expression, the name of a fact, or `(name, {symbol: value})` for a
    fact at other values of its symbols. In an inequality every factor must be known to
    be non-negative: by the SymPy assumptions of its symbols, as a square or a squared
    length, or as a fact. A term with an equation among its facts is 0, so its other
    factors may have any sign; in an equation every term needs one. Sound, as a sum of
    products of non-negative numbers is non-negative wherever the facts hold, and a fact
    is taken only at values that it holds for. `prove` raises
    `RefusedError` if the sign of a factor is unknown, if a fact does not hold at the
    given values, or if the terms do not add up to the difference of the two sides.
    """

    terms: tuple[tuple[Factor, ...], ...]

    def __init__(self, *terms: tuple[object, ...]) -> None:
        if not terms or not all(
            isinstance(term, tuple) and len(term) >= 2 for term in terms
        ):
            raise TypeError(
                f"terms: expected tuples (weight, factor, …), got {terms!r}"
            )
        object.__setattr__(
            self, "terms", tuple(tuple(map(_factor, term)) for term in terms)
        )

    def prove(self, context: Context, lhs: Expr, rel: Relation, rhs: Expr) -> str:
        total: Expr = sp.Integer(0)
        shares: dict[str, Expr] = {}
        for term in self.terms:
            product, vanishes, unknown = sp.Integer(1), False, None
            names: set[str] = set()
            for factor in term:
                if isinstance(factor, str | tuple):
                    name, instance = (
                        (factor, NO_INSTANCE) if isinstance(factor, str) else factor
                    )
                    fact = context.fact(name)
                    values = {
                        symbol: context.unfold(expression("terms", given))
                        for symbol, given in instance.items()
                    }
                    expr = fact.at(values, context.ranges)
                    require_defined(expr, context)
                    if fact.kind == "!=":
                        raise RefusedError(
                            f"{name!r} says that an expression is not zero: "
                            "that gives no sign"
                        )
                    vanishes |= fact.kind == "=="
                    names.add(name)
                    shares.setdefault(name, sp.Integer(0))
                else:
                    expr = context.unfold(factor)
                    require_defined(expr, context)
                    if is_zero(expr, is_nonzero_somewhere):
                        raise RefusedError("a term has the factor 0: leave it out")
                    unknown = unknown if is_nonnegative(expr, context.ranges) else expr
                product *= expr
            if not vanishes and rel == "==":
                raise RefusedError(
                    "a certificate of an equation needs an equation in every term"
                )
            if not vanishes and unknown is not None:
                raise RefusedError(f"the sign of {unknown} is not known")
            total += product
            shares |= {name: shares[name] + product for name in names}
        difference = lhs - rhs if rel == "==" or rel == ">=" else rhs - lhs
        if not is_zero(difference - total, is_nonzero_somewhere):
            raise RefusedError(
                "the certificate does not add up to the difference of the two sides"
            )
        for name, share in shares.items():
            # an identity that was used as a lemma is 0, so any weight of it is allowed
            idle = is_zero(share, is_nonzero_somewhere)
            if idle and not is_zero(context.fact(name).expr, is_nonzero_somewhere):
                raise RefusedError(
                    f"{name!r} drops out: its terms in the certificate add up to 0"
                )
        return "certificate: " + (", ".join(shares) if shares else self._summary())

    def _summary(self) -> str:
        factors = [
            sp.factor(factor)
            for term in self.terms
            for factor in term
            if isinstance(factor, Expr)
        ]
        powers = [factor.as_coeff_Mul()[1] for factor in factors]
        squares = [
            power for power in powers if isinstance(power, sp.Pow) and power.exp.is_even
        ]
        what = "square" if len(squares) >= len(self.terms) else "non-negative term"
        return f"one {what}" if len(self.terms) == 1 else f"{len(self.terms)} {what}s"


def _factor(factor: object) -> Factor:
    if isinstance(factor, str):
        return factor
    if isinstance(factor, tuple):
        if (
            len(factor) != 2
            or not isinstance(factor[0], str)
            or not isinstance(factor[1], Mapping)
        ):
            raise TypeError(
                f"terms: expected a pair (name, {{symbol: value}}), got {factor!r}"
            )
        return factor[0], factor[1]
    return expression("terms", factor)


def first_value(n: Symbol) -> Expr:
    """The smallest value that the SymPy assumptions of `n` allow: 1 if it is positive,
    0 if it is nonnegative.

    Raises `ValueError` unless `n` is declared integer and one of these.
    """
    if isinstance(n, Symbol) and set(n._assumptions_orig) <= {
        "integer",
        "positive",
        "nonnegative",
        "real",
    }:
        if n.is_integer and n.is_positive:
            return sp.Integer(1)
        if n.is_integer and n.is_nonnegative:
            return sp.Integer(0)
    raise ValueError(
        "n: expected a symbol declared integer and positive or nonnegative, and "
        f"nothing else, got {n!r}"
    )


@dataclass(frozen=True)
class Induction:
    """Induction over `n`: `base` proves the relation at its first value, and `step`
    proves it for the increments of both sides from `n` to `n + 1`.

    The first value follows from the SymPy assumptions of `n`: 1 if it is positive, 0 if
    it is nonnegative; it is no argument, so that no value below the base is left out.
    From there the step reaches every value. If `hypothesis` is not empty, `step` proves
    the relation itself at `n + 1`, and the relation at `n` is a fact with that name.
    Facts about one particular value of `n` are not available in `base` and `step`.
    Raises `ValueError` if `n` has no first value.
    """

    n: Symbol
    base: Proof = field(default_factory=Identity)
    step: Proof = field(default_factory=Identity)
    hypothesis: str = ""

    def __post_init__(self) -> None:
        first_value(self.n)

    def prove(self, context: Context, lhs: Expr, rel: Relation, rhs: Expr) -> str:
        start, inside = first_value(self.n), context.generic_in(self.n)
        ends = [substitute(side, {self.n: start}) for side in (lhs, rhs)]
        for side in (lhs, rhs, *ends):
            require_defined(side, inside)
        try:
            base = self.base.prove(inside, ends[0], rel, ends[1])
        except RefusedError as reason:
            raise RefusedError(
                f"induction, base {self.n} = {start}: {reason}"
            ) from reason
        grown = [substitute(side, {self.n: self.n + 1}) for side in (lhs, rhs)]
        if self.hypothesis:
            inside = inside.with_hypothesis(self.hypothesis, lhs, rel, rhs)
        else:
            grown = [
                normal_form(next_ - side)
                for next_, side in zip(grown, (lhs, rhs), strict=True)
            ]
        half = "step" if self.hypothesis else "increment"
        try:
            step = self.step.prove(inside, grown[0], rel, grown[1])
        except RefusedError as reason:
            raise RefusedError(
                f"induction, {half} from {self.n} to {self.n + 1}: {reason}"
            ) from reason
        # an identity needs no words
        parts = {"base": base, half if self.hypothesis else "increments": step}
        halves = [f"{half} {how}" for half, how in parts.items() if how != ALGEBRA]
        return "; ".join([f"induction from ${latex(self.n)}={start}$", *halves])


@dataclass(frozen=True)
class Reindex:
    """In the outer sums of the left side the index is substituted: `index` becomes
    `image`. `proof` then shows the relation.

    `image` must be `index` or `-index` plus an integer; `ValueError` otherwise. Such a
    map takes the integers between two limits to those between their images, each once,
    so that a sum keeps its terms. The new index takes other values than the old one, so
    that no more is known of it than that it is an integer.
    """

    index: Symbol
    image: Expr
    proof: Proof = field(default_factory=Identity)

    def __post_init__(self) -> None:
        slope, shift = self._slope_and_shift()
        if slope not in (1, -1) or shift.has(self.index):
            raise ValueError(
                f"image: expected {self.index} or -{self.index} plus an integer, got "
                f"{self.image}"
            )
        if not shift.is_integer:
            raise ValueError(f"image: {self.image} is not known to be an integer")

    def _slope_and_shift(self) -> tuple[Expr, Expr]:
        image = sp.expand(expression("image", self.image))
        slope = image.coeff(self.index)
        return slope, sp.expand(image - slope * self.index)

    def prove(self, context: Context, lhs: Expr, rel: Relation, rhs: Expr) -> str:
        turned = _outer_sums(sp.expand(lhs), self._reindexed)
        require_defined(turned, context)
        words = self.proof.prove(context, turned, rel, rhs)
        said = f"re-indexed by ${latex(self.index)}\\mapsto {latex(self.image)}$"
        return said if words == ALGEBRA else f"{said}, {words}"

    def _reindexed(self, old: Sum) -> Expr:
        u, lo, hi = old.limits[0]
        slope, shift = self._slope_and_shift()
        if len(old.limits) > 1 or shift.has(u):
            return old
        signs = set(u._assumptions_orig) - {"integer", "real"}
        new = sp.Dummy(u.name, integer=True) if signs else u
        ends = (lo - shift, hi - shift) if slope == 1 else (shift - hi, shift - lo)
        return Sum(substitute(old.function, {u: slope * new + shift}), (new, *ends))


def _outer_sums(expr: sp.Basic, reindex: Callable[[Sum], Expr]) -> sp.Basic:
    if isinstance(expr, Sum):
        return reindex(expr)
    return (
        expr.func(*(_outer_sums(arg, reindex) for arg in expr.args))
        if expr.has(Sum)
        else expr
    )


@dataclass(frozen=True)
class Termwise:
    """Two sums over the same range, or a sum and 0, are compared term by term: `proof`
    shows the relation of the summands. The same for integrals.

    Sound, as both run forward: a sum of larger terms is larger, and two empty ones are
    equal. A factor in front of a sum counts as a factor of each summand. An assumption
    about a symbol with the name of the index is not available in `proof`.
    """

    proof: Proof = field(default_factory=Identity)

    def prove(self, context: Context, lhs: Expr, rel: Relation, rhs: Expr) -> str:
        lhs, rhs = map(_factors_inside, (lhs, rhs))
        sums = [side for side in (lhs, rhs) if side != 0]
        if not any(
            sums
            and all(isinstance(side, kind) and len(side.limits) == 1 for side in sums)
            for kind in (Sum, sp.Integral)
        ):
            raise RefusedError("term by term needs two sums or integrals, or one and 0")
        for side in sums:
            require_defined(side, context)
        u, lo, hi = sums[0].limits[0]
        terms = [sp.Integer(0) if side == 0 else side.function for side in (lhs, rhs)]
        if len(sums) == 2:
            other = sums[1].limits[0]
            if not (is_zero(other[1] - lo) and is_zero(other[2] - hi)):
                raise RefusedError("term by term needs sums over the same range")
            if u in sums[1].free_symbols:
                raise RefusedError(
                    f"the right side has another {u}, outside of the left"
                )
            terms[1] = substitute(terms[1], {other[0]: u})
        if isinstance(sums[0], sp.Integral) and not (hi - lo).is_nonnegative:
            raise RefusedError(
                f"the integral from {lo} to {hi}: {lo} may lie above {hi}"
            )
        bound: Range = (u, lo, hi)
        inside = context.generic_in(u, within=bound)
        words = self.proof.prove(inside, terms[0], rel, terms[1])
        return f"term by term: {words}"


def _factors_inside(expr: Expr) -> Expr:
    """`c * Sum(f, …)` as `Sum(c * f, …)`, and any other expression as it is."""
    factors = sp.Mul.make_args(expr)
    sums = [factor for factor in factors if isinstance(factor, Sum)]
    if len(sums) != 1 or sp.Mul(*sums) == expr:
        return expr
    outside = sp.Mul(*(factor for factor in factors if factor != sums[0]))
    captured = any(outside.has(limit[0]) for limit in sums[0].limits)
    return expr if captured else Sum(outside * sums[0].function, *sums[0].limits)


@dataclass(frozen=True)
class Quoted:
    """The step is a theorem that is proved elsewhere, in `source`. It is not proved
    here, and the page says so.

    Raises `ValueError` if one of the two strings is blank. `prove` raises
    `RefusedError` if the step is false at a random point.
    """

    theorem: str
    source: str

    def __post_init__(self) -> None:
        for name in ("theorem", "source"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name}: expected a non-empty string")

    @property
    def rests_on(self) -> str:
        """Theorem and source as one line."""
        return f"{self.theorem} (quoted: {self.source})"

    def prove(self, context: Context, lhs: Expr, rel: Relation, rhs: Expr) -> str:
        if counterexample(lhs, rel, rhs, context) is not None:
            raise RefusedError("the quoted theorem is contradicted by numbers")
        return f"quoted, not proved here: {self.theorem} ({self.source})"


def quotations(proof: object) -> Iterator[Quoted]:
    """The quoted theorems in a proof object and in those that it is made of."""
    if isinstance(proof, Quoted):
        yield proof
    if is_dataclass(proof):
        for part in fields(proof):
            yield from quotations(getattr(proof, part.name))
