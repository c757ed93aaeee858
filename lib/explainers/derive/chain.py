"""`derive` and `Derivation`: a chain of expressions, each step with its proof.

A step goes through the house once: what is written is well-formed (`wellformed`), has a
value (`defined`), is proved by its proof object (`proofs`, `calculus`), or else is
refuted by numbers (`refuted`); then it is printed (`typeset`), in the form that its
author wrote if there is one (`forms`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

import sympy as sp
from sympy import Expr

from explainers.derive import typeset
from explainers.derive.context import Context
from explainers.derive.defined import enter
from explainers.derive.facts import (
    Fact,
    definitions,
    facts,
    points,
    theorem_fact,
    with_lemma,
)
from explainers.derive.forms import condition_shown, read_equal
from explainers.derive.latex import (
    is_new_name,
    latex,
    require_distinct,
    require_one_each,
)
from explainers.derive.proofs import Identity, Proof, quotations
from explainers.derive.reading import Formula
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
    under: "Derivation | None" = None,
    brief: bool = False,
    shown: Mapping[Expr | str, str] | None = None,
) -> "Derivation":
    """Begin a derivation.

    `assume` maps the name of each assumption to a SymPy relation (`Ne(c, 0)`, `x >= y`)
    or an `Every`. `define` gives abbreviations, `{f(x): expression}`: proofs use the
    expression, the page prints `f(x)`. `lemmas` maps names to finished derivations;
    their assumptions become assumptions of this derivation too. `witness` takes a
    `random.Random` and returns values that satisfy all assumptions, `{symbol: number,
    function: callable}`: this shows that the assumptions are consistent, and the values
    serve as counterexamples to false steps. Without a witness, random values are tried.
    `under` is another derivation, whose definitions, assumptions and witness hold here
    too: the page then says "Under the conditions of" its title, as it does for lemmas.
    `brief` has an evaluation or an end point printed as one line, without its title.
    `shown` maps heads of `define`, and names of `assume`, to the forms in which their
    definitions and relations ("x**2 >= 2*x*y") are printed.

    Raises `TypeError` or `ValueError` that begins with the name of the argument.
    """
    return Derivation(
        title,
        assume or {},
        define or {},
        lemmas or {},
        witness,
        under,
        brief,
        shown or {},
    )


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
        under: "Derivation | None" = None,
        brief: bool = False,
        shown: Mapping[Expr | str, str] | None = None,
    ) -> None:
        if not isinstance(title, str) or not title.strip():
            raise TypeError(f"title: expected a non-empty string, got {title!r}")
        if witness is not None and not callable(witness):
            raise TypeError(
                f"witness: expected a function that returns values, got {witness!r}"
            )
        known: dict[str, Fact] = {}
        if under is not None:
            if not isinstance(under, Derivation):
                raise TypeError(f"under: expected a Derivation, got {under!r}")
            shared = dict(under.context.definitions)
            known = {fact.name: fact for fact in under.context.assumptions}
            if twice := [*(shared.keys() & define), *(known.keys() & assume)]:
                raise ValueError(f"under: {twice[0]} is among its conditions already")
            define, witness = {**shared, **define}, witness or under.context.witness
        own = definitions(define)
        known |= facts(assume, own)
        self.own = frozenset(assume) | frozenset(lemmas)
        self.rests_on: tuple[str, ...] = ()
        for name, lemma in lemmas.items():
            known = _with_lemma(known, name, lemma)
            self._rest_on(lemma.rests_on)
        self.title, self.brief = title, brief
        self.sources: list[Derivation] = [] if under is None else [under]
        self.sources += [lemma for lemma in lemmas.values() if lemma.assumptions]
        self.context: Context = Context(own, known, (), witness)
        self.first: Expr = sp.nan
        self.last: Expr = sp.nan
        self.steps: list[Step] = []
        self.name = self.new_name = self.because = self.says = ""
        self.shown: Formula | None = None
        self.theorem: Theorem | None = None
        self._require_own_letters()
        if not isinstance(shown, Mapping | None):
            raise TypeError(f"shown: expected a dict of formulas, got {shown!r}")
        self.shown_conditions = dict(shown or {})
        self.forms = {
            key: condition_shown(key, text, self.context)
            for key, text in self.shown_conditions.items()
        }
        assumptions = self.context.assumptions
        if assumptions and not points(assumptions, witness, wanted=1, tries=60):
            raise ValueError(
                "witness: needed, as no random point satisfies all assumptions: "
                + ", ".join(known)
            )

    def start(
        self,
        expr: Expr | int,
        lhs: Expr | str | None = None,
        because: str = "",
        shown: str = "",
    ) -> "Derivation":
        """Set the first expression of the chain, and return the derivation.

        `lhs` is printed on its left: an expression, or a formula as a string, which
        must be equal to `expr` by algebra, or a new name in LaTeX, such as "K", that
        `expr` gets. `because` is the reason printed beside it, `shown` the form in
        which `expr` is printed, as in `step`. Raises `ValueError` if the chain has a
        start, or if `lhs` is neither a formula nor a new name, and `RefusedError` if
        `expr` may be undefined or differs from `lhs` or `shown`.
        """
        if self.first is not sp.nan:
            raise ValueError("start: this derivation already has a start")
        expr = expression("expr", expr)
        entered = self._entered(expr, 0)
        name, new_name = "", ""
        if isinstance(lhs, str):
            known = names_in(expr).union(*map(names_in, self.context.stated))
            new_name = lhs if is_new_name(lhs, known) else ""
            plain = not lhs or new_name
            name = lhs if plain else self._read("lhs", lhs, expr, 0).latex
        elif lhs is not None:
            lhs = expression("lhs", lhs)
            self._prove(0, lhs, self._entered(lhs, 0), "==", expr, entered, Identity())
            name = latex(lhs, self.context.definitions)
        form = None if shown == "" else self._read("shown", shown, expr, 0)
        # only now, so that a start that was refused leaves nothing behind
        self.name, self.new_name, self.shown = name, new_name, form
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
        shown: str = "",
    ) -> "Derivation":
        """Prove `last rel expr`, with `rel` one of "==", "<=" and ">=", append `expr`
        to the chain, and return the derivation.

        `by` is the proof object, by default `Identity()`; `because` is the reason
        printed beside the step, in Markdown. `shown` is the form in which a book would
        print `expr`: a formula in SymPy's syntax, such as "D*G/sqrt(2*pi*(T + 1))",
        which is printed in the order and with the grouping in which it is written, and
        must be equal to `expr` by algebra. Without it the page prints `expr`.

        Raises `RefusedError` if `by` does not prove the step, or if the shown form is
        not proved. The message gives the number of the step and both sides, and says
        either "false", with a counterexample that satisfies all assumptions, or "not
        proved". Raises `TypeError` or `ValueError` for wrong arguments, and
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
        if self.new_name and not is_new_name(self.new_name, names_in(expr)):
            raise ValueError(f"expr: {expr} has the name of the start, {self.new_name}")
        if {rel, self.direction} == {"<=", ">="}:
            raise RefusedError(
                f"step {number}: {rel} after {self.direction}: the chain would prove "
                "no relation between its ends"
            )
        entered = self._entered(expr, number)
        words = self._prove(
            number, self.last, self._entered_last, rel, expr, entered, by
        )
        form = None if shown == "" else self._read("shown", shown, expr, number)
        self.steps.append(Step(self.last, rel, expr, by, because, words, form))
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
            require_distinct([*self.context.stated, self.first, proved, stated])
            if self.new_name and not is_new_name(self.new_name, names_in(stated)):
                raise ValueError(f"theorem: {stated} has the name {self.new_name}")
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
        ends = (end for end in (self.first, self.last) if end is not sp.nan)
        require_distinct([*self.context.stated, *ends, expr])
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

    def _read(self, argument: str, text: str, side: Expr, number: int) -> Formula:
        """The form `text` in which `side` is printed."""
        try:
            return read_equal(argument, text, side, self.context)
        except RefusedError as reason:
            raise RefusedError(f"step {number}: {reason}") from reason

    def _require_own_letters(self) -> None:
        """Raise `ValueError` for a free letter of a condition that has the name of what
        the condition is for, but is another."""
        for head, body in self.context.definitions:
            bound = [arg for arg in head.args if isinstance(arg, sp.Symbol)]
            require_one_each(body.free_symbols, bound, f"{head} = {body}")
        for fact in self.context.facts.values():
            if fact.index is not None:
                require_one_each(fact.stated.free_symbols, [fact.index], fact.stated)

    def _rest_on(self, theorems: Iterable[str]) -> None:
        self.rests_on = tuple(dict.fromkeys((*self.rests_on, *theorems)))

    @property
    def _argument(self) -> Argument:
        return Argument(
            self.title,
            self.context,
            self.first,
            self.shown,
            self.name,
            self.because,
            tuple(self.steps),
            self.theorem,
            self.says,
            self.rests_on,
            tuple(source._argument for source in self.sources),
            self.brief,
            self.forms,
        )

    def __repr__(self) -> str:
        return typeset.to_text(self._argument)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {
            "text/plain": typeset.to_text(self._argument),
            "text/markdown": typeset.to_markdown(self._argument),
            typeset.MIME: typeset.to_dict(self._argument),
        }


class Together:
    """Derivations of one argument, displayed as one block under the title `title`."""

    def __init__(self, title: str, *derivations: Derivation) -> None:
        if not derivations or not all(d.proved for d in derivations):
            raise ValueError("derivations: expected finished ones, call qed first")
        self.title, self.derivations = title, derivations

    def __repr__(self) -> str:
        return "\n\n".join([self.title, *map(repr, self.derivations)])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        arguments = [d._argument for d in self.derivations]
        return {
            "text/plain": repr(self),
            "text/markdown": typeset.together_to_markdown(self.title, arguments),
            typeset.MIME: typeset.together_to_dict(self.title, arguments),
        }


def together(title: str, *derivations: Derivation) -> Together:
    """One block of several finished derivations, which is displayed under `title`.

    Raises `ValueError` if one of them is not finished.
    """
    return Together(title, *derivations)


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
