"""Proof objects: each shows that one step of a derivation holds, and says how, or
raises `Refused`.

`prove(d, lhs, rel, rhs)` gets both sides with all definitions put in, and the
derivation `d`, whose named facts it may use. `a <= b` between expressions means that `b
- a` is real and non-negative.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

import sympy as sp
from sympy import Expr, Sum, Symbol

from explainers.derive.facts import Relation
from explainers.derive.sums import (
    Range,
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


@runtime_checkable
class Proof(Protocol):
    """What a step needs: a way to show it."""

    def prove(self, d: "Derivation", lhs: Expr, rel: Relation, rhs: Expr) -> str: ...


ALGEBRA = "difference is zero"


@dataclass(frozen=True)
class Identity:
    """Both sides are equal, by algebra alone: their difference has the normal form 0.
    Uses no fact."""

    def prove(self, d: "Derivation", lhs: Expr, rel: Relation, rhs: Expr) -> str:
        if not is_zero(lhs - rhs, nonzero_somewhere):
            raise Refused("the difference of the two sides does not reduce to 0")
        return ALGEBRA


# A factor of a certificate: an expression, or a fact by its name, or a fact at an
# instance of its symbols.
Factor: TypeAlias = "Expr | str | tuple[str, Mapping[Symbol, Expr | int]]"

NOWHERE: Mapping[Symbol, Expr | int] = {}


@dataclass(frozen=True, init=False)
class Certificate:
    """The larger side minus the smaller is the sum of `terms`, each `(weight, factor,
    …)`.

    In an inequality every weight and every factor must be seen to be non-negative: by
    the assumptions of the symbols, as a square or a length, or as a named fact. A term
    with an equation among its facts is 0, so it may have any weight; in `==` every term
    needs one. Raises `Refused` if a term is of unknown sign, if a fact is used outside
    its domain, or if the terms do not add up to the difference.
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

    def prove(self, d: "Derivation", lhs: Expr, rel: Relation, rhs: Expr) -> str:
        total: Expr = sp.Integer(0)
        shares: dict[str, Expr] = {}
        for term in self.terms:
            product, vanishes, unknown = sp.Integer(1), False, None
            names: set[str] = set()
            for factor in term:
                if isinstance(factor, str | tuple):
                    name, instance = (
                        (factor, NOWHERE) if isinstance(factor, str) else factor
                    )
                    fact = d.fact(name)
                    expr = fact.at(
                        {s: d.unfold(sp.sympify(v)) for s, v in instance.items()},
                        d.ranges,
                    )
                    d.require_defined(expr)
                    if fact.kind == "!=":
                        raise Refused(f"{name!r} only says that something is not zero")
                    vanishes |= fact.kind == "=="
                    names.add(name)
                    shares.setdefault(name, sp.Integer(0))
                else:
                    expr = d.unfold(factor)
                    d.require_defined(expr)
                    if is_zero(expr, nonzero_somewhere):
                        raise Refused("a term with the factor 0 says nothing")
                    unknown = unknown if nonneg(expr, d.ranges) else expr
                product *= expr
            if not vanishes and rel == "==":
                raise Refused(
                    "a certificate of an equation needs an equation in every term"
                )
            if not vanishes and unknown is not None:
                raise Refused(f"the sign of {unknown} is not known")
            total += product
            shares |= {name: shares[name] + product for name in names}
        difference = lhs - rhs if rel == "==" or rel == ">=" else rhs - lhs
        if not is_zero(difference - total, nonzero_somewhere):
            raise Refused(
                "the certificate does not add up to the difference of the two sides"
            )
        for name, share in shares.items():
            # a lemma by algebra alone is 0 for the machine, whatever its weight
            idle = is_zero(share, nonzero_somewhere)
            if idle and not is_zero(d.fact(name).expr, nonzero_somewhere):
                raise Refused(f"{name!r} drops out of the certificate: it says nothing")
        return "certificate: " + (", ".join(shares) if shares else self._counted())

    def _counted(self) -> str:
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
                f"terms: a fact at an instance is (name, {{symbol: value}}), got "
                f"{factor!r}"
            )
        return factor[0], factor[1]
    return sp.sympify(factor)


def first_value(n: Symbol) -> Expr:
    """Where an induction over `n` must start: the smallest value that the assumptions
    of `n` admit."""
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
        "n: an induction needs a symbol declared integer and positive or "
        f"nonnegative, and no more, got {n!r}"
    )


@dataclass(frozen=True)
class Induction:
    """The step holds for every `n`: at its first value (by `base`), and for each
    increment (by `step`).

    The first value follows from the assumptions of `n`: 1 if positive, 0 if
    nonnegative; a later base would prove falsehoods. The increments of both sides are
    compared for a generic `n`; facts about one particular `n` are not available in
    either half. With a `hypothesis`, the step shows the claim itself at `n + 1`
    instead, and the claim at `n` is a fact of that name.
    """

    n: Symbol
    base: Proof = field(default_factory=Identity)
    step: Proof = field(default_factory=Identity)
    hypothesis: str = ""

    def __post_init__(self) -> None:
        first_value(self.n)

    def prove(self, d: "Derivation", lhs: Expr, rel: Relation, rhs: Expr) -> str:
        start, inside = first_value(self.n), d.inside(hide=self.n)
        ends = [substitute(side, {self.n: start}) for side in (lhs, rhs)]
        for side in (lhs, rhs, *ends):
            inside.require_defined(side)
        try:
            base = self.base.prove(inside, ends[0], rel, ends[1])
        except Refused as reason:
            raise Refused(f"induction, base {self.n} = {start}: {reason}") from reason
        grown = [substitute(side, {self.n: self.n + 1}) for side in (lhs, rhs)]
        if self.hypothesis:
            inside = inside.supposing(self.hypothesis, lhs, rel, rhs)
        else:
            grown = [
                normal(next_ - side)
                for next_, side in zip(grown, (lhs, rhs), strict=True)
            ]
        half = "step" if self.hypothesis else "increment"
        try:
            step = self.step.prove(inside, grown[0], rel, grown[1])
        except Refused as reason:
            raise Refused(
                f"induction, {half} from {self.n} to {self.n + 1}: {reason}"
            ) from reason
        # what an identity shows goes without saying
        said = {"base": base, half if self.hypothesis else "increments": step}
        halves = [f"{half} {how}" for half, how in said.items() if how != ALGEBRA]
        return "; ".join([f"induction from ${latex(self.n)}={start}$", *halves])


@dataclass(frozen=True)
class Reindex:
    """In the outer sums of the left side the index runs another way: `index` is
    replaced by `image`.

    `image` must be a shift of `index` or of `-index` by a whole number, so that no term
    is lost or met twice.
    """

    index: Symbol
    image: Expr
    proof: Proof = field(default_factory=Identity)

    def __post_init__(self) -> None:
        shift = sp.expand(self.image)
        slope = shift.coeff(self.index)
        if abs(slope) != 1 or (shift - slope * self.index).has(self.index):
            raise ValueError(
                f"image: expected a shift of {self.index} or of its negative, got "
                f"{self.image}"
            )
        if not (shift - slope * self.index).is_integer:
            raise ValueError(f"image: {self.image} is not seen to be a whole number")

    def prove(self, d: "Derivation", lhs: Expr, rel: Relation, rhs: Expr) -> str:
        words = self.proof.prove(d, _outer_sums(sp.expand(lhs), self._turn), rel, rhs)
        turned = f"re-indexed by ${latex(self.index)}\\mapsto {latex(self.image)}$"
        return turned if words == ALGEBRA else f"{turned}, {words}"

    def _turn(self, each: Sum) -> Expr:
        f, (u, lo, hi) = each.function, each.limits[0]
        shift = self.image - sp.expand(self.image).coeff(self.index) * self.index
        if len(each.limits) > 1 or sp.expand(shift).has(u):
            return each
        image = substitute(self.image, {self.index: u})
        shift = sp.expand(image - image.coeff(u) * u)
        limits = (
            (lo - shift, hi - shift)
            if sp.expand(image).coeff(u) == 1
            else (shift - hi, shift - lo)
        )
        return Sum(substitute(f, {u: image}), (u, *limits))


def _outer_sums(expr: sp.Basic, turn: Callable[[Sum], Expr]) -> sp.Basic:
    if isinstance(expr, Sum):
        return turn(expr)
    return (
        expr.func(*(_outer_sums(arg, turn) for arg in expr.args))
        if expr.has(Sum)
        else expr
    )


@dataclass(frozen=True)
class Termwise:
    """A sum against a sum over the same range, or against 0: `proof` shows the relation
    of the summands. The same for integrals.

    A factor in front of a sum belongs to each of its summands. The index is generic in
    `proof`: an assumption about a symbol of the same name is not available there.
    """

    proof: Proof = field(default_factory=Identity)

    def prove(self, d: "Derivation", lhs: Expr, rel: Relation, rhs: Expr) -> str:
        lhs, rhs = map(_factors_inside, (lhs, rhs))
        sums = [side for side in (lhs, rhs) if side != 0]
        if not any(
            sums
            and all(isinstance(each, kind) and len(each.limits) == 1 for each in sums)
            for kind in (Sum, sp.Integral)
        ):
            raise Refused("term by term needs two sums or integrals, or one and 0")
        for each in sums:
            d.require_defined(each)
        u, lo, hi = sums[0].limits[0]
        terms = [sp.Integer(0) if side == 0 else side.function for side in (lhs, rhs)]
        if len(sums) == 2:
            other = sums[1].limits[0]
            if not (is_zero(other[1] - lo) and is_zero(other[2] - hi)):
                raise Refused("term by term needs sums over the same range")
            if u in sums[1].free_symbols:
                raise Refused(f"the right side has another {u}, outside of the left")
            terms[1] = substitute(terms[1], {other[0]: u})
        if isinstance(sums[0], sp.Integral) and not (hi - lo).is_nonnegative:
            raise Refused(f"the integral is not seen to run upwards from {lo} to {hi}")
        bound: Range = (u, lo, hi)
        words = self.proof.prove(
            d.inside(hide=u, within=bound), terms[0], rel, terms[1]
        )
        return f"term by term: {words}"


def _factors_inside(expr: Expr) -> Expr:
    """`c * Sum(f, …)` as `Sum(c * f, …)`, and anything else as it is."""
    factors = sp.Mul.make_args(expr)
    sums = [factor for factor in factors if isinstance(factor, Sum)]
    if len(sums) != 1 or sp.Mul(*sums) == expr:
        return expr
    outside = sp.Mul(*(factor for factor in factors if factor != sums[0]))
    captured = any(outside.has(limit[0]) for limit in sums[0].limits)
    return expr if captured else Sum(outside * sums[0].function, *sums[0].limits)


@dataclass(frozen=True)
class Quoted:
    """The step is a theorem proved elsewhere, with its `source`. Nothing is proved; the
    page says so.

    Raises `Refused` if numbers contradict it.
    """

    theorem: str
    source: str

    def __post_init__(self) -> None:
        for name in ("theorem", "source"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name}: a quotation needs it")

    @property
    def rests_on(self) -> str:
        return f"{self.theorem} (quoted: {self.source})"

    def prove(self, d: "Derivation", lhs: Expr, rel: Relation, rhs: Expr) -> str:
        if d.counterexample(lhs, rel, rhs) is not None:
            raise Refused("it is quoted, but numbers contradict it")
        return f"quoted, not proved here: {self.theorem} ({self.source})"
