"""`derive` and `Derivation`: a chain of expressions, each step with its proof."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import sympy as sp
from sympy import Expr, Sum, Symbol
from sympy.core.function import AppliedUndef

from explainers.derive import typeset
from explainers.derive.calculus import is_smooth
from explainers.derive.facts import (
    Fact,
    Relation,
    definitions,
    facts,
    points,
    unfold,
)
from explainers.derive.proofs import Identity, Proof, Quoted
from explainers.derive.sums import Range, RefusedError, is_positive, is_zero, minimum
from explainers.derive.values import NoValueError, Point, Witness, is_close, value
from explainers.derive.vectors import has_bare_vector

_RELATIONS = ("==", "<=", ">=")

# Assumptions that a variable of differentiation may have: each describes an open set.
OPEN_ASSUMPTIONS = {"real", "complex", "finite", "positive", "negative", "nonzero"}

# Functions that are quotients, each with the function in its denominator.
DENOMINATORS = {
    sp.tan: sp.cos,
    sp.sec: sp.cos,
    sp.cot: sp.sin,
    sp.csc: sp.sin,
    sp.tanh: sp.cosh,
    sp.sech: sp.cosh,
    sp.coth: sp.sinh,
    sp.csch: sp.sinh,
}

UNSUPPORTED = sp.Subs, sp.Order, sp.AccumBounds, sp.Piecewise


@dataclass(frozen=True)
class Step:
    """One proved step: both sides as written, the proof object `by`, the reason for
    readers `because`, and the proof in words, `explanation`."""

    lhs: Expr
    rel: Relation
    rhs: Expr
    by: Proof
    because: str
    explanation: str


def derive(
    title: str,
    *,
    assume: Mapping[str, object] | None = None,
    define: Mapping[Expr, Expr | int] | None = None,
    lemmas: Mapping[str, "Derivation"] | None = None,
    witness: Witness | None = None,
) -> "Derivation":
    """Begin a derivation.

    `assume` maps the name of each assumption to a SymPy relation (`Ne(c, 0)`, `x >= y`)
    or an `Every`. `define` gives abbreviations, `{f(x): expression}`: proofs use the
    expression, the page prints `f(x)`. `lemmas` maps names to finished derivations;
    their assumptions become assumptions of this derivation too. `witness` takes a
    `random.Random` and returns values that satisfy all assumptions, `{symbol: number,
    function: callable}`: this shows that the assumptions are consistent, and the values
    serve as counterexamples to false steps. Without a witness, random values are tried.

    Raises `TypeError` or `ValueError` that begins with the name of the argument.
    """
    return Derivation(title, assume or {}, define or {}, lemmas or {}, witness)


class Derivation:
    """A chain that is built by `start`, then `step` for each step, then `qed`.

    As the last expression of a notebook cell it is displayed with all its steps.
    """

    def __init__(
        self,
        title: str,
        assume: Mapping[str, object],
        define: Mapping[Expr, Expr | int],
        lemmas: Mapping[str, "Derivation"],
        witness: Witness | None,
    ) -> None:
        if not isinstance(title, str) or not title.strip():
            raise TypeError(f"title: expected a non-empty string, got {title!r}")
        if witness is not None and not callable(witness):
            raise TypeError(
                f"witness: expected a function that returns values, got {witness!r}"
            )
        self.title, self.witness = title, witness
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
            raise TypeError(f"lemmas: {name!r} must be a Derivation, got {lemma!r}")
        if lemma.theorem is None:
            raise ValueError(f"lemmas: {name!r} is not proved: qed was not called")
        if name in self.facts:
            raise ValueError(f"lemmas: {name!r} is already the name of an assumption")
        assumed = {key: fact for key, fact in lemma.facts.items() if not fact.lemma}
        for key, fact in assumed.items():
            if self.facts.setdefault(key, fact) != fact:
                raise ValueError(
                    f"lemmas: the assumption {key!r} of {name!r} differs from the one "
                    "of this derivation"
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
            theorem for theorem in lemma.rests_on if theorem not in self.rests_on
        )

    def _check_consistent(self) -> None:
        known = [fact for fact in self.facts.values() if not fact.lemma]
        if known and not points(known, self.witness, wanted=1, tries=60):
            raise ValueError(
                "witness: needed, as no random point satisfies all assumptions: "
                + ", ".join(self.facts)
            )

    def fact(self, name: str) -> Fact:
        """The assumption, lemma or hypothesis called `name`.

        Raises `RefusedError` if there is none, or if it is about one particular value
        of an index that is generic here.
        """
        if name not in self.facts:
            raise RefusedError(
                f"there is no fact {name!r} to use here; known are {sorted(self.facts)}"
            )
        self._used.add(name)
        return self.facts[name]

    def generic_in(self, symbol: Symbol, within: Range | None = None) -> "Derivation":
        """A copy of this derivation in which `symbol` may have any value, or any in the
        range `within`.

        It lacks the facts about one particular value of `symbol`, and the ranges of
        other indices with the same name.
        """
        generic = copy.copy(self)
        generic.facts = {
            name: fact for name, fact in self.facts.items() if symbol not in fact.fixed
        }
        ranges = tuple(
            (u, lo, hi)
            for u, lo, hi in self.ranges
            if not (u == symbol or lo.has(symbol) or hi.has(symbol))
        )
        generic.ranges = (*ranges, within) if within else ranges
        return generic

    def with_hypothesis(
        self, name: str, lhs: Expr, rel: Relation, rhs: Expr
    ) -> "Derivation":
        """A copy of this derivation with the fact `lhs rel rhs`, called `name`.

        The fact holds for the present values of its symbols only. Raises `RefusedError`
        if another fact has the name.
        """
        if name in self.facts:
            raise RefusedError(f"{name!r} is already the name of another fact")
        difference = rhs - lhs if rel == "<=" else lhs - rhs
        fact = Fact(name, "==" if rel == "==" else ">=", difference, lhs)
        richer = copy.copy(self)
        richer.facts = self.facts | {name: fact}
        return richer

    def unfold(self, expr: Expr) -> Expr:
        """`expr` with every defined symbol or function replaced by its definition."""
        return unfold(expr, self.definitions)

    # ---- the chain

    def start(
        self, expr: Expr | int, lhs: Expr | str | None = None, because: str = ""
    ) -> "Derivation":
        """Set the first expression of the chain, and return the derivation.

        `lhs` is printed on its left, an expression or a string of LaTeX; `because` is
        the reason printed beside it. Raises `ValueError` if the chain has a start, and
        `RefusedError` if `expr` may be undefined.
        """
        if self.first is not sp.nan:
            raise ValueError("start: this derivation already has a start")
        expr = _expression("expr", expr)
        self._check_defined(0, expr)
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
        """Prove `last rel expr`, with `rel` one of "==", "<=" and ">=", append `expr`
        to the chain, and return the derivation.

        `by` is the proof object, by default `Identity()`; `because` is the reason
        printed beside the step, in Markdown. Raises `RefusedError` if `by` does not
        prove the step. The message gives the number of the step and both sides, and
        says either "false", with a counterexample that satisfies all assumptions, or
        "not proved". Raises `TypeError` or `ValueError` for wrong arguments, and
        `ValueError` before `start` and after `qed`.
        """
        if self.first is sp.nan:
            raise ValueError("step: call start first")
        if self.theorem is not None:
            raise ValueError("step: the derivation is finished, qed was called")
        if rel not in _RELATIONS:
            raise ValueError(
                f"rel: expected one of {', '.join(_RELATIONS)}, got {rel!r}"
            )
        by = Identity() if by is None else by
        if not callable(getattr(by, "prove", None)):
            raise TypeError(f"by: expected a proof such as Identity(), got {by!r}")
        expr, lhs, number = _expression("expr", expr), self.last, len(self.steps) + 1
        if {rel, self.direction} == {"<=", ">="}:
            raise RefusedError(
                f"step {number}: {rel} after {self.direction}: the chain would prove "
                "no relation between its ends"
            )
        self._check_defined(number, expr)
        try:
            explanation = self.prove(lhs, rel, expr, by)
        except RefusedError as reason:
            raise RefusedError(
                self._refusal(number, lhs, rel, expr, str(reason))
            ) from reason
        self.steps.append(Step(lhs, rel, expr, by, because, explanation))
        for quoted in _quotations(by):
            if quoted.rests_on not in self.rests_on:
                self.rests_on += (quoted.rests_on,)
        return self

    def qed(self, theorem: object, says: str = "") -> "Derivation":
        """Finish the derivation: check that the chain proves `theorem`, a SymPy
        relation or `(lhs, "<=", rhs)`, and return the derivation.

        `says` is the theorem in words, in Markdown. Raises `RefusedError` if the sides
        of the theorem differ from the ends of the chain, or if its relation is stronger
        than the one that the chain proves; `ValueError` if no step was made, or if an
        assumption or a lemma was never used.
        """
        if not self.steps:
            raise ValueError("qed: call step first")
        lhs, rel, rhs = _theorem(theorem)
        for name, stated, proved in (
            ("left", lhs, self.first),
            ("right", rhs, self.last),
        ):
            if stated != proved:
                self.require_defined(self.unfold(stated))
            if stated != proved and not is_zero(self.unfold(stated - proved)):
                raise RefusedError(
                    f"qed: the {name} side of the theorem is {stated}, the chain has "
                    f"{proved}"
                )
        if self.direction not in ("==", rel):
            raise RefusedError(
                f"qed: the theorem says {rel}, the chain proves {self.direction} only"
            )
        if unused := sorted(self._own - self._used):
            raise ValueError(f"assume, lemmas: never used: {', '.join(unused)}")
        self.theorem, self.says = (lhs, rel, rhs), says
        return self

    @property
    def proved(self) -> bool:
        """Whether `qed` has accepted a theorem."""
        return self.theorem is not None

    @property
    def last(self) -> Expr:
        """The last expression of the chain so far."""
        return self.steps[-1].rhs if self.steps else self.first

    @property
    def direction(self) -> Relation:
        """The relation of the first expression to the last: "==", "<=" or ">="."""
        return next((step.rel for step in self.steps if step.rel != "=="), "==")

    def prove(self, lhs: Expr, rel: Relation, rhs: Expr, by: Proof) -> str:
        """Check that `by` proves `lhs rel rhs`, and return its proof in words.

        Nothing is added to the chain. Raises `RefusedError` if it is not proved.
        """
        sides = self.unfold(lhs), self.unfold(rhs)
        for side in sides:
            self.require_defined(side)
        return by.prove(self, sides[0], rel, sides[1])

    # ---- side conditions and counterexamples

    def _check_defined(self, number: int, expr: Expr) -> None:
        try:
            self.require_defined(self.unfold(expr))
        except RefusedError as reason:
            raise RefusedError(f"step {number}: {reason}\n  in {expr}") from reason

    def require_defined(self, expr: Expr) -> None:
        """Raise `RefusedError` if `expr` may be undefined.

        Every denominator and every argument of a logarithm must be nonzero, by the
        SymPy assumptions of its symbols or by a named assumption of the derivation.
        Refused are also: a sum that may run backwards (its upper limit is less than the
        lower one minus 1), an index whose SymPy assumptions its range does not satisfy,
        a derivative that may not exist, infinity, a vector outside of an inner product,
        and operators that bind a symbol, except sums, integrals, derivatives and
        limits.
        """
        if has_bare_vector(expr):
            raise RefusedError(f"{expr} has a vector outside of an inner product")
        indices = {u for u, _, _ in self.ranges}
        for symbol in expr.free_symbols - indices:
            if symbol.name.startswith("#"):
                raise RefusedError(
                    f"{symbol}: names with # are reserved for indices of sums"
                )
        self._defined(expr, self.ranges)

    def _defined(self, expr: Expr, ranges: tuple[Range, ...]) -> None:
        if isinstance(expr, Sum | sp.Integral):
            generic = self
            for place, (u, lo, hi) in reversed(list(enumerate(expr.limits))):
                own = {limit[0] for limit in expr.limits[: place + 1]}
                if own & (lo.free_symbols | hi.free_symbols):
                    raise RefusedError(f"a limit of {expr} depends on its own index")
                _check_range(
                    u, lo, hi, isinstance(expr, Sum), ranges, self._is_nonnegative
                )
                ranges = (*ranges, (u, lo, hi)) if isinstance(expr, Sum) else ranges
                generic = generic.generic_in(u)
            generic._defined(expr.function, ranges)
            return
        if expr.has(sp.nan, sp.zoo) or expr in (sp.oo, -sp.oo):
            raise RefusedError(f"{expr} is not defined, or not a number")
        if isinstance(expr, sp.Limit):
            if not isinstance(expr.args[1], Symbol):
                raise RefusedError(
                    f"{expr}: the variable {expr.args[1]} is not a symbol"
                )
            generic = self.generic_in(expr.args[1])
            generic._defined(expr.args[0], ranges)
            return
        if isinstance(expr, sp.Derivative):
            self._differentiable(expr, ranges)
        elif getattr(expr, "bound_symbols", ()) or isinstance(expr, UNSUPPORTED):
            raise RefusedError(f"{expr}: {type(expr).__name__} is not supported")
        for arg in expr.args:
            if isinstance(arg, sp.MatrixBase):
                for entry in arg.flat():
                    self._defined(entry, ranges)
            elif isinstance(arg, Expr):
                self._defined(arg, ranges)
            elif not isinstance(expr, sp.Derivative):
                raise RefusedError(f"{expr} has a part that is not a number: {arg}")
        if type(expr) in DENOMINATORS:
            denominator = DENOMINATORS[type(expr)](expr.args[0])
            self._require_nonzero(denominator, "the denominator", ranges)
        if isinstance(expr, sp.log):
            self._require_nonzero(expr.args[0], "the argument of a logarithm", ranges)
        if isinstance(expr, sp.Pow) and not expr.exp.is_nonnegative:
            self._require_nonzero(expr.base, "the denominator", ranges)

    def _differentiable(self, expr: sp.Derivative, ranges: tuple[Range, ...]) -> None:
        """Raise `RefusedError` if the assumptions of a variable do not describe an open
        set, or if the derivative may not exist."""
        for x in expr.variables:
            if set(getattr(x, "_assumptions_orig", {"none": 0})) - OPEN_ASSUMPTIONS:
                raise RefusedError(
                    f"{expr} differentiates by {x}, whose values are not an open set"
                )
            if not expr.expr.atoms(AppliedUndef) and not is_smooth(expr.expr, x):
                raise RefusedError(
                    f"{expr.expr} is not known to be differentiable in {x}"
                )
        derivative = sp.diff(expr.expr, *expr.variables)
        if not derivative.has(sp.Derivative):
            self._defined(derivative, ranges)

    def _require_nonzero(
        self, expr: Expr, what: str, ranges: tuple[Range, ...]
    ) -> None:
        for factor in sp.Mul.make_args(sp.factor(expr)):
            base = factor.as_base_exp()[0]
            if (
                base.is_zero is False
                or is_positive(base, ranges)
                or is_positive(-base, ranges)
            ):
                continue
            if not self._is_assumed_nonzero(base):
                raise RefusedError(f"{what} {base} may be 0: assume that it is not")

    def _is_assumed_nonzero(self, expr: Expr) -> bool:
        for name, fact in self.facts.items():
            if (fact.kind == "!=" or fact.strict) and fact.index is None:
                ratio = sp.cancel(fact.expr / expr)
                if ratio.is_number and ratio.is_nonzero:
                    self._used.add(name)
                    return True
        return False

    def _is_nonnegative(self, expr: Expr) -> bool:
        """Whether `expr` is non-negative, by the SymPy assumptions of its symbols or
        because an assumption of the derivation says so."""
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
        """A point at which every assumption is true and `lhs rel rhs` is false, or None
        if none of a few random points is one."""
        lhs, rhs = self.unfold(lhs), self.unfold(rhs)
        known = [fact for fact in self.facts.values() if not fact.lemma]
        for candidate in points(known, self.witness, wanted=12, tries=60):
            point = Point(candidate.seed, candidate.given)
            try:
                left, right = value(lhs, point), value(rhs, point)
            except NoValueError:
                continue
            above = left.real > right.real if rel == "<=" else left.real < right.real
            if (
                not is_close(left, right)
                if rel == "=="
                else above and not is_close(left.real, right.real)
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
        where = point.describe() or "no symbol"
        return (
            f"step {number}: {rel} is false, counterexample: {where} "
            f"gives {left:.6g} and {right:.6g}{sides}\n  {reason}"
        )

    # ---- display

    def assumption_lines(self, latex: bool) -> list[str]:
        """The definitions, assumptions and lemmas, one string each, in LaTeX or as
        plain text."""

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

    def theorem_text(self, latex: bool) -> str:
        """The theorem in LaTeX or as plain text; empty before `qed`."""
        if self.theorem is None:
            return ""
        lhs, rel, rhs = self.theorem
        if not latex:
            return f"{lhs} {typeset.PLAIN_RELATIONS[rel]} {rhs}"
        left, right = (typeset.latex(side, self.definitions) for side in (lhs, rhs))
        return typeset.relation(self.name or left, rel, right)

    def __repr__(self) -> str:
        return typeset.to_text(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {
            "text/plain": typeset.to_text(self),
            "text/latex": typeset.to_latex(self),
            typeset.MIME: typeset.to_dict(self),
        }


def _check_range(
    u: Symbol,
    lo: Expr,
    hi: Expr,
    whole: bool,
    ranges: tuple[Range, ...],
    is_nonnegative: Any,
) -> None:
    """Raise `RefusedError` if the upper limit may lie below the lower one, or if the
    index has SymPy assumptions that its range does not satisfy.

    `whole` is True for a sum and False for an integral.
    """
    declared = {name for name, truth in u._assumptions_orig.items() if truth}
    allowed = (
        {"integer", "real", "rational", "complex", "finite"}
        if whole
        else {"real", "complex", "finite"}
    )
    # an integral may run either way, so both of its ends count
    ends = (lo,) if whole else (lo, hi)
    if all(minimum(end, ranges).is_nonnegative for end in ends):
        allowed |= {"nonnegative"}
    if all(is_positive(end, ranges) for end in ends):
        allowed |= {"positive", "nonnegative", "nonzero"}
    if declared - allowed or not all(u._assumptions_orig.values()):
        raise RefusedError(
            f"{u} is declared {', '.join(sorted(declared))}, but its range is from "
            f"{lo} to {hi}"
        )
    if not whole:
        if not (lo.is_real and hi.is_real):
            raise RefusedError(
                f"the limits {lo} and {hi} of an integral are not known to be real"
            )
        return
    if not (lo.is_integer and hi.is_integer and u.is_integer):
        raise RefusedError(
            f"the sum over {u} from {lo} to {hi}: index and limits must be integers"
        )
    if not is_nonnegative(minimum(hi - lo + 1, ranges)):
        raise RefusedError(
            f"the sum over {u} may run backwards: its limits are {lo} and {hi}"
        )


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
        for part in fields(proof):
            yield from _quotations(getattr(proof, part.name))
