"""The forms in which an author has sides and conditions printed, each proved to be
equal to what it stands for."""

import re

from sympy import Expr

from explainers.derive.context import Context
from explainers.derive.defined import enter, require_defined
from explainers.derive.latex import latex, relation
from explainers.derive.proofs import Identity
from explainers.derive.reading import Formula, evaluated, read, uncancelled, vocabulary
from explainers.derive.refuted import verdict
from explainers.derive.substitution import RefusedError


def read_equal(argument: str, text: str, side: Expr, context: Context) -> Formula:
    """The formula `text`, proved to be equal to `side` wherever `side` is defined, and
    to have a value there itself.

    Raises `ValueError` that begins with the name `argument` if it cannot be read, and
    `RefusedError` if it is not proved.
    """
    formula, left, right = read_defined(argument, text, side, context)
    try:
        Identity().prove(context, left, "==", right)
    except RefusedError as reason:
        why = verdict(left, "==", right, str(reason), context)
        sides = f"  written: {text}\n  proved:  {side}"
        raise RefusedError(f"{argument}: {why}\n{sides}") from reason
    return formula


def read_defined(
    argument: str, text: str, side: Expr, context: Context
) -> tuple[Formula, Expr, Expr]:
    """The formula `text`, which has a value, and it and `side` as proofs take them.

    Raises `ValueError` and `RefusedError` as `read_equal` does.
    """
    formula = read(argument, text, vocabulary(context, side), context)
    try:
        value = evaluated(formula.expr)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{argument}: {error}, in {text!r}") from error
    try:
        # what it says is defined before SymPy simplifies it: x/x is not 1 at 0
        written = uncancelled(formula.expr)
        for form in (written, context.unfold(written)):
            require_defined(form, context)
        return formula, enter(value, context), enter(side, context)
    except RefusedError as reason:
        raise RefusedError(f"{argument}: {reason}\n  in {text}") from reason


def condition_shown(key: Expr | str, text: str, context: Context) -> str:
    """The form `text` of the definition of `key`, or of the assumption called `key`, in
    LaTeX, with each side proved equal to its own."""
    sides = condition_sides(key, text, context)
    forms = [read_equal("shown", form, side, context).latex for form, side in sides]
    if len(forms) == 1:
        return f"{latex(key, context.definitions)} = {forms[0]}"
    return relation(forms[0], context.facts[str(key)].stated.rel_op, forms[1])


def condition_sides(
    key: Expr | str, text: str, context: Context
) -> list[tuple[str, Expr]]:
    """The form `text` of a definition, or of both sides of an assumption, each with the
    expression that it has to be equal to."""
    bodies = dict(context.definitions)
    if key in bodies:
        return [(text, bodies[key])]
    if key not in context.facts:
        raise ValueError(f"shown: {key} is no definition and no assumption here")
    stated = context.facts[key].stated
    sides = re.split("(<=|>=|==|!=)", text)
    if len(sides) != 3 or sides[1] != stated.rel_op:
        raise ValueError(f"shown: expected two sides and {stated.rel_op}, got {text!r}")
    return [(sides[0], stated.lhs), (sides[2], stated.rhs)]
