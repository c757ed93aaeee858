"""Second room of a proof: where an expression has a value.

A rule of algebra holds wherever both sides are defined. So each side is asked for its
denominators, the ranges of its sums and the smoothness of what it differentiates,
before a proof looks at it.
"""

import sympy as sp
from sympy import Expr, Sum, Symbol

from explainers.derive.context import Context
from explainers.derive.matrices import is_matrix, weights
from explainers.derive.signs import is_nonzero, is_positive, minimum
from explainers.derive.smooth import is_open, is_smooth
from explainers.derive.substitution import Range, RefusedError
from explainers.derive.wellformed import require_well_formed

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


def enter(expr: Expr, context: Context) -> Expr:
    """`expr` with its definitions put in, as proof objects take it.

    Raises `RefusedError` unless it is well-formed and defined.
    """
    entered = context.unfold(expr)
    require_defined(entered, context)
    return entered


def require_defined(expr: Expr, context: Context) -> None:
    """Raise `RefusedError` if `expr` may be undefined, or has a part without a rule.

    Every denominator and every argument of a logarithm must be nonzero, by the SymPy
    assumptions of its symbols or by a named assumption of the context. Refused are
    also: a sum that may run backwards (its upper limit is less than the lower one minus
    1), an index whose SymPy assumptions its range does not satisfy, and a derivative
    that may not exist.
    """
    require_well_formed(expr, {u for u, _, _ in context.ranges})
    _defined(expr, context)


def _defined(expr: Expr, context: Context) -> None:
    if isinstance(expr, Sum | sp.Integral):
        _folded(expr, context)
        return
    if isinstance(expr, sp.Limit):
        _defined(expr.args[0], context.generic_in(expr.args[1]))
        return
    if isinstance(expr, sp.Derivative):
        _differentiable(expr, context)
        _defined(expr.expr, context)
        return
    if isinstance(expr, sp.Determinant):
        for entry in expr.arg.flat():
            _defined(entry, context)
        return
    if is_matrix(expr) or isinstance(expr, sp.Trace):
        for weight in weights(expr):
            _defined(weight, context)
        return
    for arg in expr.args:
        _defined(arg, context)
    if type(expr) in DENOMINATORS:
        denominator = DENOMINATORS[type(expr)](expr.args[0])
        _require_nonzero(denominator, "the denominator", context)
    if isinstance(expr, sp.log):
        _require_nonzero(expr.args[0], "the argument of a logarithm", context)
    if isinstance(expr, sp.atanh):
        for pole in (1, -1):
            what = f"the distance to the pole {pole} of atanh,"
            _require_nonzero(expr.args[0] - pole, what, context)
    if isinstance(expr, sp.factorial | sp.binomial):
        natural = minimum(expr.args[0], context.ranges)
        whole = all(arg.is_integer for arg in expr.args)
        if not (whole and natural.is_nonnegative):
            raise RefusedError(f"{expr}: {expr.args[0]} is not known to be 0, 1, 2, …")
    if isinstance(expr, sp.Pow) and not expr.exp.is_nonnegative:
        _require_nonzero(expr.base, "the denominator", context)


def _folded(expr: Expr, context: Context) -> None:
    """The same for a sum or an integral, from its outermost index inwards.

    The facts about a symbol with the name of an index say nothing about the index; the
    ranges of sums around it do.
    """
    inside = context
    for place, (u, lo, hi) in reversed(list(enumerate(expr.limits))):
        own = {limit[0] for limit in expr.limits[: place + 1]}
        if own & (lo.free_symbols | hi.free_symbols):
            raise RefusedError(f"a limit of {expr} depends on its own index")
        for end in (lo, hi):
            _defined(end, inside)
        _require_declared(u, lo, hi, isinstance(expr, Sum), inside.ranges)
        if isinstance(expr, Sum):
            _require_forward(u, lo, hi, inside)
        elif not (lo.is_real and hi.is_real):
            raise RefusedError(
                f"the limits {lo} and {hi} of an integral are not known to be real"
            )
        inside = inside.generic_in(u, (u, lo, hi) if isinstance(expr, Sum) else None)
    _defined(expr.function, inside)


def _require_declared(
    u: Symbol, lo: Expr, hi: Expr, whole: bool, ranges: tuple[Range, ...]
) -> None:
    """Raise `RefusedError` if the index of a sum (`whole`) or an integral has SymPy
    assumptions that its range does not satisfy: SymPy simplifies by them."""
    declared = {name for name, truth in u._assumptions_orig.items() if truth}
    allowed = {"real", "complex", "finite"}
    allowed |= {"integer", "rational"} if whole else set()
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


def _require_forward(u: Symbol, lo: Expr, hi: Expr, context: Context) -> None:
    if not (lo.is_integer and hi.is_integer and u.is_integer):
        raise RefusedError(
            f"the sum over {u} from {lo} to {hi}: index and limits must be integers"
        )
    if not _is_nonnegative(minimum(hi - lo + 1, context.ranges), context):
        raise RefusedError(
            f"the sum over {u} may run backwards: its limits are {lo} and {hi}"
        )


def _differentiable(expr: sp.Derivative, context: Context) -> None:
    """Raise `RefusedError` if the assumptions of a variable do not describe an open
    set, or if the derivative may not exist."""
    for x in expr.variables:
        if not is_open(x):
            raise RefusedError(
                f"{expr} differentiates by {x}, whose values are not an open set"
            )
        if not is_smooth(expr.expr, x):
            raise RefusedError(f"{expr.expr} is not known to be differentiable in {x}")
    derivative = sp.diff(expr.expr, *expr.variables)
    # the derivatives of undefined functions are assumed to exist; the rest, such as the
    # 1/x in front of one, has to have a value
    assumed = derivative.atoms(sp.Derivative, sp.Subs)
    _defined(derivative.xreplace({part: sp.Dummy() for part in assumed}), context)


def _require_nonzero(expr: Expr, what: str, context: Context) -> None:
    for factor in sp.Mul.make_args(sp.factor(expr)):
        base = factor.as_base_exp()[0]
        if not (is_nonzero(base, context.ranges) or _is_assumed_nonzero(base, context)):
            raise RefusedError(f"{what} {base} may be 0: assume that it is not")


def _is_assumed_nonzero(expr: Expr, context: Context) -> bool:
    for name, fact in context.facts.items():
        if (fact.kind == "!=" or fact.strict) and fact.index is None:
            ratio = sp.cancel(fact.expr / expr)
            if ratio.is_number and ratio.is_nonzero:
                context.fact(name)
                return True
    return False


def _is_nonnegative(expr: Expr, context: Context) -> bool:
    """Whether `expr` is non-negative, by the SymPy assumptions of its symbols or
    because an assumption says so."""
    if expr.is_nonnegative:
        return True
    for name, fact in context.facts.items():
        if (
            fact.kind == ">="
            and fact.index is None
            and sp.expand(expr - fact.expr).is_nonnegative
        ):
            context.fact(name)
            return True
    return False
