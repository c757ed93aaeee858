"""The forms in which an author has sides and conditions printed, each proved to be
equal to what it stands for."""

import re
from collections.abc import Mapping
from functools import reduce
from typing import Any

import sympy as sp
from sympy import Expr
from sympy.core.function import AppliedUndef

from explainers.derive.context import Context
from explainers.derive.defined import enter, require_defined
from explainers.derive.latex import latex, relation, require_distinct
from explainers.derive.proofs import Identity
from explainers.derive.reading import Formula, evaluated, read, uncancelled, vocabulary
from explainers.derive.refuted import verdict
from explainers.derive.substitution import RefusedError


def read_equal(
    argument: str,
    text: str,
    side: Expr,
    context: Context,
    names: Mapping[str, Any] | None = None,
) -> Formula:
    """The formula `text`, proved to be equal to `side` wherever `side` is defined, and
    to have a value there itself. It is made of `names`, by default of those of `side`
    and of the context.

    Raises `ValueError` that begins with the name `argument` if it cannot be read, and
    `RefusedError` if it is not proved.
    """
    formula, left, right = read_defined(argument, text, side, context, names)
    require_distinct([*context.stated, side, formula.expr])
    try:
        Identity().prove(context, left, "==", right)
    except RefusedError as reason:
        why = verdict(left, "==", right, str(reason), context)
        sides = f"  written: {text}\n  proved:  {side}"
        raise RefusedError(f"{argument}: {why}\n{sides}") from reason
    return formula


def read_defined(
    argument: str,
    text: str,
    side: Expr,
    context: Context,
    names: Mapping[str, Any] | None = None,
) -> tuple[Formula, Expr, Expr]:
    """The formula `text`, which has a value, and it and `side` as proofs take them.

    Raises `ValueError` and `RefusedError` as `read_equal` does.
    """
    names = vocabulary(context, side) if names is None else names
    formula = read(argument, text, names, context)
    try:
        value = evaluated(formula.expr)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{argument}: {error}, in {text!r}") from error
    try:
        if formula.expr.has(sp.Limit) and not (
            isinstance(formula.expr, sp.Limit) and isinstance(side, sp.Limit)
        ):
            # nobody has said that a limit exists which the side does not have
            raise RefusedError("a limit may only stand for a limit")
        # what it says is defined before SymPy simplifies it: x/x is not 1 at 0
        written = uncancelled(formula.expr)
        for call in _defined_in(written, formula.expr, context):
            if not side.has(call):
                require_defined(context.unfold(call), context)
        for form in (written, context.unfold(written)):
            require_defined(form, context)
        return formula, enter(value, context), enter(side, context)
    except RefusedError as reason:
        raise RefusedError(f"{argument}: {reason}\n  in {text}") from reason


def _defined_in(written: Expr, raw: Expr, context: Context) -> set[Any]:
    """What the context defines: calls of functions in `written`, and symbols in `raw`,
    where none has been cancelled."""
    heads = {head for head, _ in context.definitions}
    functions = {head.func for head in heads if isinstance(head, AppliedUndef)}
    calls = {call for call in written.atoms(AppliedUndef) if call.func in functions}
    return calls | (heads & raw.atoms(sp.Symbol))


def condition_shown(key: Expr | str, text: str, context: Context) -> str:
    """The form `text` of the definition of `key`, or of the assumption called `key`, in
    LaTeX, with each side proved equal to its own."""
    sides = condition_sides(key, text, context)
    general = _general(key, context)
    forms = [
        # of its own names only: a definition by itself would define nothing
        read_equal("shown", form, side, general, vocabulary(_NOTHING, side)).latex
        for form, side in sides
    ]
    if len(forms) == 1:
        return f"{latex(key, context.definitions)} = {forms[0]}"
    return relation(forms[0], context.facts[str(key)].stated.rel_op, forms[1])


_NOTHING = Context((), {}, ())


def _general(key: Expr | str, context: Context) -> Context:
    """The context for every value of what a definition or an assumption is for."""
    if not isinstance(key, str):
        symbols = [arg for arg in key.args if isinstance(arg, sp.Symbol)]
        return reduce(Context.generic_in, symbols, context)
    fact = context.facts[key]
    if fact.index is None:
        return context
    return context.generic_in(fact.index, next(iter(fact.index_range), None))


def condition_sides(
    key: Expr | str, text: str, context: Context
) -> list[tuple[str, Expr]]:
    """The form `text` of a definition, or of both sides of an assumption, each with the
    expression that it has to be equal to."""
    if not isinstance(text, str):
        raise ValueError(f"shown: expected a formula for {key}, got {text!r}")
    bodies = dict(context.definitions)
    if key in bodies:
        return [(text, bodies[key])]
    if key not in context.facts or context.facts[str(key)].lemma:
        raise ValueError(f"shown: {key} is no definition and no assumption here")
    stated = context.facts[key].stated
    sides = re.split("(<=|>=|==|!=)", text)
    if len(sides) != 3 or sides[1] != stated.rel_op:
        raise ValueError(f"shown: expected two sides and {stated.rel_op}, got {text!r}")
    return [(sides[0], stated.lhs), (sides[2], stated.rhs)]
