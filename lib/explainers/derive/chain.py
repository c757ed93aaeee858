"""A derivation: a chain of expressions, with a reason and a proof for each step."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import sympy as sp
from sympy import Expr, Sum, Symbol
from sympy.core.function import AppliedUndef

from explainers.derive import typeset
from explainers.derive.calculus import smooth
from explainers.derive.facts import (
    Fact,
    Relation,
    definitions,
    facts,
    points,
    unfold,
)
from explainers.derive.proofs import Identity, Proof, Quoted
from explainers.derive.sums import Range, Refused, is_zero, least, sign
from explainers.derive.values import Model, NoValue, Point, differ, value
from explainers.derive.vectors import naked

_RELATIONS = ("==", "<=", ">=")

# What a variable of differentiation may be declared to be.
OPEN = {"real", "complex", "finite", "positive", "negative", "nonzero"}

# Functions that are quotients, with what they are divided by.
POLES = {
    sp.tan: sp.cos,
    sp.sec: sp.cos,
    sp.cot: sp.sin,
    sp.csc: sp.sin,
    sp.tanh: sp.cosh,
    sp.sech: sp.cosh,
    sp.coth: sp.sinh,
    sp.csch: sp.sinh,
}

UNKNOWN = sp.Subs, sp.Order, sp.AccumBounds, sp.Piecewise


@dataclass(frozen=True)
class Step:
    """One proved step: its sides as they were written, how it was proved, and why a
    reader believes it."""

    lhs: Expr
    rel: Relation
    rhs: Expr
    by: Proof
    because: str
    how: str


def derive(
    title: str,
    *,
    assume: Mapping[str, object] | None = None,
    define: Mapping[Expr, Expr | int] | None = None,
    lemmas: Mapping[str, "Derivation"] | None = None,
    model: Model | None = None,
) -> "Derivation":
    """Begin a derivation.

    `assume` names what is taken for granted: SymPy relations (`Ne(c, 0)`, `x >= y`) or
    `Every`. `define` gives abbreviations, `{f(x): expression}`; proofs see through
    them, readers see the short form. `lemmas` are finished derivations; each brings
    along what it assumed and what it rests on. `model` returns one instance of
    everything (`{symbol: number, function: callable}`) that satisfies the assumptions,
    so that they are known not to contradict each other; it gets a `random.Random`.
    Without one, random points are tried.

    Raises `TypeError` or `ValueError`, naming the argument, for what is none of these.
    """
    return Derivation(title, assume or {}, define or {}, lemmas or {}, model)


class Derivation:
    """`start`, then `step` by step, then `qed`. As the last expression of a cell it
    shows itself."""

    def __init__(
        self,
        title: str,
        assume: Mapping[str, object],
        define: Mapping[Expr, Expr | int],
        lemmas: Mapping[str, "Derivation"],
        model: Model | None,
    ) -> None:
        if not isinstance(title, str) or not title.strip():
            raise TypeError(f"title: expected some words, got {title!r}")
        if model is not None and not callable(model):
            raise TypeError(
                f"model: expected a function that returns an instance, got {model!r}"
            )
        self.title, self.model = title, model
        self.definitions = definitions(define)
        self.facts = facts(assume, self.definitions)
        self.ranges: tuple[Range, ...] = ()
        self.steps: list[Step] = []
        self.first: Expr = sp.nan
        self.name: str | None = None
        self.because = self.says = ""
        self.theorem: tuple[Expr, Relation, Expr] | None = None
        self.rests_on: tuple[str, ...] = ()
        self._used: set[str] = set()
        self._own = set(self.facts) | set(lemmas)
        for name, lemma in lemmas.items():
            self._inherit(name, lemma)
        self._check_consistent()

    # ---- what it rests on

    def _inherit(self, name: str, lemma: "Derivation") -> None:
        if not isinstance(lemma, Derivation):
            raise TypeError(f"lemmas: {name!r} must be a derivation, got {lemma!r}")
        if lemma.theorem is None:
            raise ValueError(f"lemmas: {name!r} is not proved: it has no qed")
        if name in self.facts:
            raise ValueError(f"lemmas: {name!r} is the name of an assumption already")
        assumed = {key: fact for key, fact in lemma.facts.items() if not fact.lemma}
        for key, fact in assumed.items():
            if self.facts.setdefault(key, fact) != fact:
                raise ValueError(
                    f"lemmas: {name!r} assumes another {key!r} than this derivation "
                    "does"
                )
        lhs, rel, rhs = lemma.theorem
        difference = lemma.unfold(rhs - lhs if rel == "<=" else lhs - rhs)
        fixed = {symbol for fact in assumed.values() for symbol in fact.fixed}
        self.facts[name] = Fact(
            name,
            "==" if rel == "==" else ">=",
            difference,
            lhs,
            free=frozenset(difference.free_symbols - fixed),
            lemma=True,
        )
        self.rests_on += tuple(
            each for each in lemma.rests_on if each not in self.rests_on
        )

    def _check_consistent(self) -> None:
        known = [fact for fact in self.facts.values() if not fact.lemma]
        if known and not points(known, self.model, wanted=1, tries=60):
            raise ValueError(
                "model: needed, as no random point satisfies all assumptions: "
                + ", ".join(self.facts)
            )

    def fact(self, name: str) -> Fact:
        """The fact called `name`. Raises `Refused` if there is none for a generic
        index."""
        if name not in self.facts:
            raise Refused(
                f"there is no fact {name!r} to use here; known are {sorted(self.facts)}"
            )
        self._used.add(name)
        return self.facts[name]

    def inside(self, hide: Symbol, within: Range | None = None) -> "Derivation":
        """This derivation for a generic value of `hide`: without what it knows about
        one particular value, or about the range of another index of that name."""
        generic = copy.copy(self)
        generic.facts = {
            name: fact for name, fact in self.facts.items() if hide not in fact.fixed
        }
        ranges = tuple(
            (u, lo, hi)
            for u, lo, hi in self.ranges
            if not (u == hide or lo.has(hide) or hi.has(hide))
        )
        generic.ranges = (*ranges, within) if within else ranges
        return generic

    def supposing(self, name: str, lhs: Expr, rel: Relation, rhs: Expr) -> "Derivation":
        """This derivation with one more fact, about the very symbols that it names.
        Raises `Refused` if the name is taken."""
        if name in self.facts:
            raise Refused(f"{name!r} is the name of another fact already")
        difference = rhs - lhs if rel == "<=" else lhs - rhs
        fact = Fact(name, "==" if rel == "==" else ">=", difference, lhs)
        richer = copy.copy(self)
        richer.facts = self.facts | {name: fact}
        return richer

    def unfold(self, expr: Expr) -> Expr:
        """`expr` with all definitions put in."""
        return unfold(expr, self.definitions)

    # ---- the chain

    def start(
        self, expr: Expr | int, lhs: Expr | str | None = None, because: str = ""
    ) -> "Derivation":
        """The expression that the chain starts from; `lhs` is the name a reader knows
        it by."""
        if self.first is not sp.nan:
            raise ValueError("start: this derivation has one already")
        expr = _expression("expr", expr)
        self._guard(0, expr)
        self.name = (
            lhs
            if isinstance(lhs, str) or lhs is None
            else typeset.latex(sp.sympify(lhs))
        )
        self.first, self.because = expr, because
        return self

    def step(
        self,
        rel: Relation,
        expr: Expr | int,
        *,
        by: Proof | None = None,
        because: str = "",
    ) -> "Derivation":
        """Prove that the previous expression stands in the relation `rel` to `expr`.

        Raises `Refused`, with the number of the step and both sides, if `by` does not
        prove it: "false" with a counterexample that satisfies all assumptions, or "not
        proved".
        """
        if self.first is sp.nan:
            raise ValueError("step: the derivation needs a start first")
        if self.theorem is not None:
            raise ValueError("step: the derivation is finished")
        if rel not in _RELATIONS:
            raise ValueError(
                f"rel: expected one of {', '.join(_RELATIONS)}, got {rel!r}"
            )
        by = Identity() if by is None else by
        if not callable(getattr(by, "prove", None)):
            raise TypeError(f"by: expected a proof such as Identity(), got {by!r}")
        expr, lhs, number = _expression("expr", expr), self.last, len(self.steps) + 1
        if {rel, self.direction} == {"<=", ">="}:
            raise Refused(
                f"step {number}: {rel} after {self.direction}: the chain would say "
                "nothing"
            )
        self._guard(number, expr)
        try:
            how = self.prove(lhs, rel, expr, by)
        except Refused as reason:
            raise Refused(
                self._refusal(number, lhs, rel, expr, str(reason))
            ) from reason
        self.steps.append(Step(lhs, rel, expr, by, because, how))
        for quoted in _quotations(by):
            if quoted.rests_on not in self.rests_on:
                self.rests_on += (quoted.rests_on,)
        return self

    def qed(self, theorem: object, says: str = "") -> "Derivation":
        """Check that the chain proves `theorem`: a SymPy relation, or `(lhs, "<=",
        rhs)`.

        Raises `Refused` if its ends are not those of the chain or its relation is
        stronger than the chain's, and `ValueError` if an assumption or a lemma was
        never used.
        """
        if not self.steps:
            raise ValueError("qed: the derivation needs a step first")
        lhs, rel, rhs = _theorem(theorem)
        for name, stated, proved in (
            ("left", lhs, self.first),
            ("right", rhs, self.last),
        ):
            if stated != proved:
                self.require_defined(self.unfold(stated))
            if stated != proved and not is_zero(self.unfold(stated - proved)):
                raise Refused(
                    f"qed: the {name} side of the theorem is {stated}, the chain has "
                    f"{proved}"
                )
        if self.direction not in ("==", rel):
            raise Refused(
                f"qed: the theorem says {rel}, the chain proves {self.direction} only"
            )
        if unused := sorted(self._own - self._used):
            raise ValueError(f"assume: never used: {', '.join(unused)}")
        self.theorem, self.says = (lhs, rel, rhs), says
        return self

    @property
    def proved(self) -> bool:
        """Whether `qed` accepted a theorem."""
        return self.theorem is not None

    @property
    def last(self) -> Expr:
        """The expression that the chain has come to."""
        return self.steps[-1].rhs if self.steps else self.first

    @property
    def direction(self) -> Relation:
        """The relation of the first expression to the last."""
        return next((step.rel for step in self.steps if step.rel != "=="), "==")

    def prove(self, lhs: Expr, rel: Relation, rhs: Expr, by: Proof) -> str:
        """How `by` proves one step, which is not added to the chain. Raises
        `Refused`."""
        sides = self.unfold(lhs), self.unfold(rhs)
        for side in sides:
            self.require_defined(side)
        return by.prove(self, sides[0], rel, sides[1])

    # ---- side conditions and counterexamples

    def _guard(self, number: int, expr: Expr) -> None:
        try:
            self.require_defined(self.unfold(expr))
        except Refused as reason:
            raise Refused(f"step {number}: {reason}\n  in {expr}") from reason

    def require_defined(self, expr: Expr) -> None:
        """Raise `Refused` if a denominator or the argument of a logarithm in `expr` may
        be 0.

        What its symbols do not exclude must be assumed away by name. Refused are also a
        sum that may run backwards, an index that is declared to be what its limits do
        not make it, a derivative that may not exist, a pole, an infinite number, a
        vector outside of an inner product, and what binds a symbol in another way than
        a sum, an integral, a derivative or a limit does.
        """
        if naked(expr):
            raise Refused(f"{expr} has a vector outside of an inner product")
        indices = {u for u, _, _ in self.ranges}
        for symbol in expr.free_symbols - indices:
            if symbol.name.startswith("#"):
                raise Refused(f"the name of {symbol} is kept for the indices of sums")
        self._defined(expr, self.ranges)

    def _defined(self, expr: Expr, ranges: tuple[Range, ...]) -> None:
        if isinstance(expr, Sum | sp.Integral):
            generic = self
            for place, (u, lo, hi) in reversed(list(enumerate(expr.limits))):
                own = {limit[0] for limit in expr.limits[: place + 1]}
                if own & (lo.free_symbols | hi.free_symbols):
                    raise Refused(f"a limit of {expr} depends on its own index")
                _check_range(u, lo, hi, isinstance(expr, Sum), ranges, self._not_less)
                ranges = (*ranges, (u, lo, hi)) if isinstance(expr, Sum) else ranges
                generic = generic.inside(hide=u)
            generic._defined(expr.function, ranges)
            return
        if expr.has(sp.nan, sp.zoo) or expr in (sp.oo, -sp.oo):
            raise Refused(f"{expr} is not defined, or not a number")
        if isinstance(expr, sp.Limit):
            if not isinstance(expr.args[1], Symbol):
                raise Refused(f"{expr} is over {expr.args[1]}, which is no symbol")
            generic = self.inside(hide=expr.args[1])
            generic._defined(expr.args[0], ranges)
            return
        if isinstance(expr, sp.Derivative):
            self._differentiable(expr, ranges)
        elif getattr(expr, "bound_symbols", ()) or isinstance(expr, UNKNOWN):
            raise Refused(f"{expr} is of a kind that is not known here")
        for arg in expr.args:
            if isinstance(arg, sp.MatrixBase):
                for entry in arg.flat():
                    self._defined(entry, ranges)
            elif isinstance(arg, Expr):
                self._defined(arg, ranges)
            elif not isinstance(expr, sp.Derivative):
                raise Refused(f"{expr} has a part that is not a number: {arg}")
        if type(expr) in POLES:
            pole = POLES[type(expr)](expr.args[0])
            self._require_nonzero(pole, "the denominator", ranges)
        if isinstance(expr, sp.log):
            self._require_nonzero(expr.args[0], "the argument of a logarithm", ranges)
        if isinstance(expr, sp.Pow) and not expr.exp.is_nonnegative:
            self._require_nonzero(expr.base, "the denominator", ranges)

    def _differentiable(self, expr: sp.Derivative, ranges: tuple[Range, ...]) -> None:
        """Raise `Refused` if a variable is not declared to fill an open set, or if the
        derivative may not exist."""
        for x in expr.variables:
            if set(getattr(x, "_assumptions_orig", {"none": 0})) - OPEN:
                raise Refused(f"{expr} differentiates by {x}, which is not continuous")
            if not expr.expr.atoms(AppliedUndef) and not smooth(expr.expr, x):
                raise Refused(f"{expr.expr} is not seen to be differentiable in {x}")
        done = sp.diff(expr.expr, *expr.variables)
        if not done.has(sp.Derivative):
            self._defined(done, ranges)

    def _require_nonzero(
        self, expr: Expr, what: str, ranges: tuple[Range, ...]
    ) -> None:
        for factor in sp.Mul.make_args(sp.factor(expr)):
            base = factor.as_base_exp()[0]
            if base.is_zero is False or sign(base, ranges) or sign(-base, ranges):
                continue
            if not self._assumed_nonzero(base):
                raise Refused(f"{what} {base} may be 0: assume it away by name")

    def _assumed_nonzero(self, expr: Expr) -> bool:
        for name, fact in self.facts.items():
            if (fact.kind == "!=" or fact.strict) and fact.index is None:
                ratio = sp.cancel(fact.expr / expr)
                if ratio.is_number and ratio.is_nonzero:
                    self._used.add(name)
                    return True
        return False

    def _not_less(self, expr: Expr) -> bool:
        """Is `expr` non-negative by its symbols, or by a fact that says so outright?"""
        if expr.is_nonnegative:
            return True
        for name, fact in self.facts.items():
            if (
                fact.kind == ">="
                and fact.index is None
                and sp.expand(expr - fact.expr).is_nonnegative
            ):
                self._used.add(name)
                return True
        return False

    def counterexample(self, lhs: Expr, rel: Relation, rhs: Expr) -> Point | None:
        """A point that satisfies every assumption, and at which the relation is
        false."""
        lhs, rhs = self.unfold(lhs), self.unfold(rhs)
        known = [fact for fact in self.facts.values() if not fact.lemma]
        for where in points(known, self.model, wanted=12, tries=60):
            point = Point(where.seed, where.given)
            try:
                left, right = value(lhs, point), value(rhs, point)
            except NoValue:
                continue
            above = left.real > right.real if rel == "<=" else left.real < right.real
            if (
                differ(left, right)
                if rel == "=="
                else above and differ(left.real, right.real)
            ):
                return point
        return None

    def _refusal(
        self, number: int, lhs: Expr, rel: Relation, rhs: Expr, reason: str
    ) -> str:
        sides = f"\n  left:  {lhs}\n  right: {rhs}"
        point = self.counterexample(lhs, rel, rhs)
        if point is None:
            why = f"not proved by this certificate: {reason}"
            return f"step {number}: {rel} is {why}{sides}"
        left, right = (value(self.unfold(side), point) for side in (lhs, rhs))
        where = point.where() or "as it stands"
        return (
            f"step {number}: {rel} is false, counterexample: {where} "
            f"gives {left:.6g} and {right:.6g}{sides}\n  {reason}"
        )

    # ---- display

    def stated(self, latex: bool) -> list[str]:
        """The definitions, assumptions and lemmas, as they are printed."""

        def show(expr: sp.Basic) -> str:
            return typeset.latex(expr, self.definitions) if latex else str(expr)

        math = "${}$" if latex else "{}"
        lines = [
            math.format(f"{show(head)} = {show(body)}")
            for head, body in self.definitions
        ]
        for name, fact in self.facts.items():
            domain = (
                f" for every {math.format(show(fact.index))}"
                if fact.index is not None
                else ""
            )
            domain += (
                f" from {math.format(show(fact.first))} on"
                if fact.first is not None
                else ""
            )
            kind = (
                "proved before"
                if fact.lemma
                else math.format(show(fact.stated)) + domain
            )
            lines.append(f"{name}: {kind}")
        return lines

    def shown(self, latex: bool) -> str:
        """The theorem, as it is printed."""
        if self.theorem is None:
            return ""
        lhs, rel, rhs = self.theorem
        if not latex:
            return f"{lhs} {typeset.PLAIN[rel]} {rhs}"
        left, right = (typeset.latex(side, self.definitions) for side in (lhs, rhs))
        return typeset.relation(self.name or left, rel, right)

    def __repr__(self) -> str:
        return typeset.plain(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {
            "text/plain": typeset.plain(self),
            "text/latex": typeset.aligned(self),
            typeset.MIME: typeset.record(self),
        }


def _check_range(
    u: Symbol, lo: Expr, hi: Expr, whole: bool, ranges: tuple[Range, ...], not_less: Any
) -> None:
    """Raise `Refused` if a range runs backwards, or if its index is declared to be what
    the range is not."""
    declared = {name for name, truth in u._assumptions_orig.items() if truth}
    allowed = (
        {"integer", "real", "rational", "complex", "finite"}
        if whole
        else {"real", "complex", "finite"}
    )
    # an integral may run either way, so both of its ends count
    ends = (lo,) if whole else (lo, hi)
    if all(least(end, ranges).is_nonnegative for end in ends):
        allowed |= {"nonnegative"}
    if all(sign(end, ranges) for end in ends):
        allowed |= {"positive", "nonnegative", "nonzero"}
    if declared - allowed or not all(u._assumptions_orig.values()):
        raise Refused(
            f"{u} is declared {', '.join(sorted(declared))}, which its range from "
            f"{lo} to {hi} is not"
        )
    if not whole:
        if not (lo.is_real and hi.is_real):
            raise Refused(
                f"the ends {lo} and {hi} of an integral are not seen to be real"
            )
        return
    if not (lo.is_integer and hi.is_integer and u.is_integer):
        raise Refused(
            f"the sum over {u} from {lo} to {hi} needs whole numbers, declared integer"
        )
    if not not_less(least(hi - lo + 1, ranges)):
        raise Refused(f"the sum over {u} may run backwards, from {lo} to {hi}")


def _expression(name: str, expr: object) -> Expr:
    try:
        expr = sp.sympify(expr)
    except sp.SympifyError as error:
        raise TypeError(f"{name}: expected a SymPy expression, got {expr!r}") from error
    if not isinstance(expr, Expr):
        raise TypeError(f"{name}: expected a SymPy expression, got {expr!r}")
    return expr


def _theorem(theorem: object) -> tuple[Expr, Relation, Expr]:
    if isinstance(theorem, sp.Eq | sp.Ge | sp.Le):
        names: dict[str, Relation] = {"==": "==", ">=": ">=", "<=": "<="}
        return theorem.lhs, names[theorem.rel_op], theorem.rhs
    if isinstance(theorem, tuple) and len(theorem) == 3 and theorem[1] in _RELATIONS:
        return (
            _expression("theorem", theorem[0]),
            theorem[1],
            _expression("theorem", theorem[2]),
        )
    raise TypeError(
        f'theorem: expected a relation of two expressions, or (lhs, "==", rhs), '
        f"got {theorem!r}"
    )


def _quotations(proof: object) -> Iterator[Quoted]:
    if isinstance(proof, Quoted):
        yield proof
    if is_dataclass(proof):
        for each in fields(proof):
            yield from _quotations(getattr(proof, each.name))
