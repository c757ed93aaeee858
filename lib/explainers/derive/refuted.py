"""Third room of a proof, for a step that its proof object does not prove: is it false?

Numbers refute a step and never prove one. A counterexample satisfies every assumption.
"""

from sympy import Expr

from explainers.derive.context import Context
from explainers.derive.facts import points
from explainers.derive.values import NoValueError, Point, is_close, value
from explainers.derive.wellformed import Relation


def counterexample(
    lhs: Expr, rel: Relation, rhs: Expr, context: Context
) -> Point | None:
    """A point at which every assumption is true and `lhs rel rhs` is false, or None if
    none of a few random points is one."""
    for point in points(context.assumptions, context.witness, wanted=12, tries=60):
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


def verdict(lhs: Expr, rel: Relation, rhs: Expr, reason: str, context: Context) -> str:
    """Why `lhs rel rhs` is refused: it is false, with a counterexample, or it is not
    proved, for this `reason`."""
    point = counterexample(lhs, rel, rhs, context)
    if point is None:
        return f"{rel} is not proved by this certificate: {reason}"
    left, right = value(lhs, point), value(rhs, point)
    where = point.describe() or "no symbol"
    return (
        f"{rel} is false, counterexample: {where} gives {left:.6g} and {right:.6g}; "
        f"{reason}"
    )
