"""`derive` and `Derivation`: a chain of expressions, each step with its proof.

A step goes through the house once: what is written is well-formed (`wellformed`), has a
value (`defined`), is proved by its proof object (`proofs`, `calculus`), or else is
refuted by numbers (`refuted`); then it is printed (`typeset`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

import sympy as sp
from sympy import Expr

from explainers.derive import typeset
from explainers.derive.context import Context
from explainers.derive.defined import require_defined
from explainers.derive.facts import (
    Fact,
    definitions,
    facts,
    points,
    theorem_fact,
    with_lemma,
)
from explainers.derive.latex import is_new_name, latex
from explainers.derive.proofs import Identity, Proof, quotations
from explainers.derive.refuted import verdict
from explainers.derive.substitution import RefusedError
from explainers.derive.sums import is_zero
from explainers.derive.typeset import Argument, Step, Theorem
from explainers.derive.values import Witness
from explainers.derive.wellformed import (
    RELATIONS,
    Relation,
    expression,
    names_in,
    relation,
)


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
        own = definitions(define)
        known = facts(assume, own)
        self.own = frozenset(known) | frozenset(lemmas)
        self.rests_on: tuple[str, ...] = ()
        for name, lemma in lemmas.items():
            known = _with_lemma(known, name, lemma)
            self._rest_on(lemma.rests_on)
        self.title = title
        self.context = Context(own, known, (), witness)
        self.first: Expr = sp.nan
        self.last: Expr = sp.nan
        self.steps: list[Step] = []
        self.name = self.because = self.says = ""
        self.theorem: Theorem | None = None
        assumptions = self.context.assumptions
        if assumptions and not points(assumptions, witness, wanted=1, tries=60):
            raise ValueError(
                "witness: needed, as no random point satisfies all assumptions: "
                + ", ".join(known)
            )

    def start(
        self, expr: Expr | int, lhs: Expr | str | None = None, because: str = ""
    ) -> "Derivation":
        """Set the first expression of the chain, and return the derivation.

        `lhs` is printed on its left: an expression, which must be equal to `expr` by
        algebra, or a new name in LaTeX, such as "K", that `expr` gets. `because` is the
        reason printed beside it. Raises `ValueError` if the chain has a start, or if
        `lhs` is a string that says something about symbols of the derivation, and
        `RefusedError` if `expr` may be undefined or differs from `lhs`.
        """
        if self.first is not sp.nan:
            raise ValueError("start: this derivation already has a start")
        expr = expression("expr", expr)
        entered = self._entered(expr, 0)
        if isinstance(lhs, str):
            known = names_in(expr).union(
                *(names_in(fact.stated) for fact in self.context.facts.values()),
                *(names_in(head) for head, _ in self.context.definitions),
            )
            if lhs and not is_new_name(lhs, known):
                raise ValueError(
                    f"lhs: expected an expression, which is proved, or a new name in "
                    f"LaTeX, got {lhs!r}"
                )
            self.name = lhs
        elif lhs is not None:
            lhs = expression("lhs", lhs)
            self._prove(0, lhs, self._entered(lhs, 0), "==", expr, entered, Identity())
            self.name = latex(lhs, self.context.definitions)
        self.first = self.last = expr
        self._entered_last, self.because = entered, because
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
        if self.proved:
            raise ValueError("step: the derivation is finished, qed was called")
        if rel not in RELATIONS:
            raise ValueError(
                f"rel: expected one of {', '.join(RELATIONS)}, got {rel!r}"
            )
        by = Identity() if by is None else by
        if not callable(getattr(by, "prove", None)):
            raise TypeError(f"by: expected a proof such as Identity(), got {by!r}")
        expr, number = expression("expr", expr), len(self.steps) + 1
        if {rel, self.direction} == {"<=", ">="}:
            raise RefusedError(
                f"step {number}: {rel} after {self.direction}: the chain would prove "
                "no relation between its ends"
            )
        entered = self._entered(expr, number)
        words = self._prove(
            number, self.last, self._entered_last, rel, expr, entered, by
        )
        self.steps.append(Step(self.last, rel, expr, by, because, words))
        self.last, self._entered_last = expr, entered
        self._rest_on(quoted.rests_on for quoted in quotations(by))
        return self

    def qed(self, theorem: object = None, says: str = "") -> "Derivation":
        """Finish the derivation: check that the chain proves `theorem`, a SymPy
        relation or `(lhs, "<=", rhs)`, and return the derivation.

        Without `theorem` it is the relation between the two ends of the chain. `says`
        is the theorem in words, in Markdown. Raises `RefusedError` if the sides of the
        theorem differ from the ends of the chain, or if its relation is stronger than
        the one that the chain proves; `ValueError` if no step was made, or if an
        assumption or a lemma was never used.
        """
        if not self.steps:
            raise ValueError("qed: call step first")
        ends = self.first, self.direction, self.last
        lhs, rel, rhs = ends if theorem is None else relation("theorem", theorem)
        for side, stated, proved in (
            ("left", lhs, self.first),
            ("right", rhs, self.last),
        ):
            if stated == proved:
                continue
            entered = enter(stated, self.context)
            if not is_zero(entered - self.context.unfold(proved)):
                raise RefusedError(
                    f"qed: the {side} side of the theorem is {stated}, the chain has "
                    f"{proved}"
                )
        if self.direction not in ("==", rel):
            raise RefusedError(
                f"qed: the theorem says {rel}, the chain proves {self.direction} only"
            )
        if unused := sorted(self.own - self.context.used):
            raise ValueError(f"assume, lemmas: never used: {', '.join(unused)}")
        self.theorem, self.says = (lhs, rel, rhs), says
        return self

    @property
    def proved(self) -> bool:
        """Whether `qed` has accepted a theorem."""
        return self.theorem is not None

    @property
    def assumptions(self) -> tuple[str, ...]:
        """The names of its assumptions, with those of its lemmas."""
        return tuple(fact.name for fact in self.context.assumptions)

    @property
    def direction(self) -> Relation:
        """The relation of the first expression to the last: "==", "<=" or ">="."""
        return next((step.rel for step in self.steps if step.rel != "=="), "==")

    def _entered(self, expr: Expr, number: int) -> Expr:
        try:
            return enter(expr, self.context)
        except RefusedError as reason:
            raise RefusedError(f"step {number}: {reason}\n  in {expr}") from reason

    def _prove(
        self,
        number: int,
        lhs: Expr,
        left: Expr,
        rel: Relation,
        rhs: Expr,
        right: Expr,
        by: Proof,
    ) -> str:
        """The words of a proof of `left rel right`, written as `lhs` and `rhs`."""
        try:
            return by.prove(self.context, left, rel, right)
        except RefusedError as reason:
            why = verdict(left, rel, right, str(reason), self.context)
            raise RefusedError(
                f"step {number}: {why}\n  left:  {lhs}\n  right: {rhs}"
            ) from reason

    def _rest_on(self, theorems: Iterable[str]) -> None:
        self.rests_on = tuple(dict.fromkeys((*self.rests_on, *theorems)))

    @property
    def _argument(self) -> Argument:
        return Argument(
            self.title,
            self.context,
            self.first,
            self.name,
            self.because,
            tuple(self.steps),
            self.theorem,
            self.says,
            self.rests_on,
        )

    def __repr__(self) -> str:
        return typeset.to_text(self._argument)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {
            "text/plain": typeset.to_text(self._argument),
            "text/markdown": typeset.to_markdown(self._argument),
            typeset.MIME: typeset.to_dict(self._argument),
        }


def enter(expr: Expr, context: Context) -> Expr:
    """`expr` with its definitions put in, as proof objects take it.

    Raises `RefusedError` unless it is well-formed and defined.
    """
    entered = context.unfold(expr)
    require_defined(entered, context)
    return entered


def prove(context: Context, lhs: Expr, rel: Relation, rhs: Expr, by: Proof) -> str:
    """The words of a proof of `lhs rel rhs` by `by`, outside of any chain.

    Raises `RefusedError` if it is not proved.
    """
    return by.prove(context, enter(lhs, context), rel, enter(rhs, context))


def _with_lemma(known: dict[str, Fact], name: str, lemma: object) -> dict[str, Fact]:
    """The facts `known` with the theorem of `lemma`, called `name`, and with what it
    assumes."""
    if not isinstance(lemma, Derivation):
        raise TypeError(f"lemmas: {name!r} must be a Derivation, got {lemma!r}")
    if lemma.theorem is None:
        raise ValueError(f"lemmas: {name!r} is not proved: qed was not called")
    lhs, rel, rhs = lemma.theorem
    left, right = lemma.context.unfold(lhs), lemma.context.unfold(rhs)
    fact = theorem_fact(name, left, rel, right, lemma.context.assumptions)
    return with_lemma(known, fact, lemma.context.assumptions)
