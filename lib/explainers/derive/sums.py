"""A normal form for expressions with finite sums, and a test that uses it: whether an
expression is zero.

SymPy does not normalise a `Sum`. Here a sum is split over its addends, factors free of
the index are moved in front of it, its index gets a fixed name, and integer offsets in
its limits are *peeled* off as explicit terms. Equal sums then become equal objects, and
the increment of an induction reduces to the last term.

The test is sound: True is proved. False means that nothing was decided.
"""

from collections.abc import Callable, Iterable

import sympy as sp
from sympy import Expr, I, Integer, Sum, Symbol, pi
from sympy.core.function import AppliedUndef

from explainers.derive.matrices import is_matrix, trace, words
from explainers.derive.signs import and_forward, is_nonzero, runs_forward
from explainers.derive.substitution import Range, bound_symbols, substitute
from explainers.derive.vectors import Inner

# A sum with numbers as limits and at most this many terms is written out.
MAX_EXPLICIT_TERMS = 16


def normal_form(expr: Expr) -> Expr:
    """The normal form of `expr`, equal to it wherever `expr` is defined."""
    for _ in range(6):
        before = expr
        expr = sp.expand(_normalize(expr, ()))
        if expr == before:
            break
    return expr


def _normalize(expr: Expr, ranges: tuple[Range, ...]) -> Expr:
    if not expr.args:
        return expr
    if isinstance(expr, Sum | sp.Integral):
        fold = _sum if isinstance(expr, Sum) else _integral
        inside = expr.function
        outer_first = tuple(
            (u, _normalize(lo, ranges), _normalize(hi, ranges))
            for u, lo, hi in reversed(expr.limits)
        )
        inside = _normalize(inside, and_forward(ranges, outer_first))
        for depth in reversed(range(len(outer_first))):
            around = and_forward(ranges, outer_first[:depth])
            inside = fold(inside, outer_first[depth], around)
        return inside
    if isinstance(expr, sp.Derivative):
        closed = sp.diff(expr.expr, *expr.variables)
        return (
            closed if isinstance(closed, sp.Derivative) else _normalize(closed, ranges)
        )
    if isinstance(expr, sp.Determinant):
        return expr.doit()
    if isinstance(expr, sp.Limit):
        return _limit(expr)
    if isinstance(expr, sp.Trace):
        return trace(expr.arg)
    args = [_normalize(arg, ranges) for arg in expr.args]
    expr = expr if args == list(expr.args) else expr.func(*args)
    if isinstance(expr, Inner):
        expanded = expr.expanded()
        return expanded if expanded.args == expr.args else _normalize(expanded, ranges)
    return _atom(expr)


def _limit(expr: sp.Limit) -> Expr:
    """The value of a limit at infinity of a sum of terms `c`, `c / n**k` and `c *
    tanh(a * n + b)`, with coefficients free of `n`; any other limit as it is.

    SymPy's own limits hold for generic values of parameters, not for each value.
    """
    inside, n, to = normal_form(expr.args[0]), expr.args[1], expr.args[2]
    declared = {"real", "complex", "finite"}
    if to == sp.oo:
        declared |= {"integer", "rational", "positive", "nonnegative", "nonzero"}
    if not all(n._assumptions_orig.values()) or set(n._assumptions_orig) - declared:
        return expr  # `n` cannot approach `to`
    terms: list[Expr] = []
    for term in sp.Add.make_args(sp.expand(inside)):
        factor, rest = term.as_independent(n, as_Add=False)
        base, power = rest.as_base_exp()
        if rest == 1:
            terms.append(factor)
        elif base == n and power.is_Integer and power < 0:
            continue
        elif isinstance(rest, sp.tanh):
            slope = sp.expand(rest.args[0]).coeff(n)
            linear = not (rest.args[0] - slope * n).expand().has(n)
            if not linear or not (slope.is_positive or slope.is_negative):
                return expr
            terms.append(factor if slope.is_positive == (to == sp.oo) else -factor)
        else:
            return expr
    return sp.Add(*terms) if to in (sp.oo, -sp.oo) else expr


def _atom(expr: Expr) -> Expr:
    """`expr` with real and imaginary parts written with conjugates, |z|^2 as z times
    its conjugate, and exp(i pi n) as (-1)^n."""
    if isinstance(expr, sp.re):
        return (expr.args[0] + sp.conjugate(expr.args[0])) / 2
    if isinstance(expr, sp.im):
        return (expr.args[0] - sp.conjugate(expr.args[0])) / (2 * I)
    if isinstance(expr, sp.exp):
        turns = sp.expand(expr.args[0] / (I * pi))
        if turns.is_integer:
            return _atom(Integer(-1) ** turns)
    if isinstance(expr, sp.Pow):
        base, power = expr.args
        if isinstance(base, sp.Abs) and power.is_even:
            return (base.args[0] * sp.conjugate(base.args[0])) ** (power / 2)
        if base == -1 and power.is_integer and power.could_extract_minus_sign():
            return Integer(-1) ** (-power)
    return expr


def _without_signs(expr: Expr) -> Expr:
    """`expr` with every bound symbol replaced by one that may have any sign.

    Inside of a sum that may be reversed, an index leaves the range that its declared
    sign was derived from.
    """
    signless = {}
    for u in bound_symbols(expr):
        kept = {name: True for name in ("integer", "real") if getattr(u, f"is_{name}")}
        if set(u._assumptions_orig) - {"integer", "real", "complex", "finite"}:
            kind = Symbol if u.name.startswith("#") else sp.Dummy
            signless[u] = kind(u.name, **kept)
    return expr.xreplace(signless)


def _index(inside: Expr, first: Expr, forward: bool) -> Symbol:
    """A symbol for an index, named after the depth of the sums in `inside`, with the
    assumptions on its sign that its first value allows if its range runs forward."""
    depth = 1 + max(
        (int(u.name[1:]) for u in bound_symbols(inside) if u.name[:1] == "#"),
        default=-1,
    )
    sign = (
        {"positive": True}
        if forward and first.is_positive
        else {"nonnegative": True}
        if forward and first.is_nonnegative
        else {}
    )
    return Symbol(f"#{depth}", integer=True, **sign)


def _sum(inside: Expr, limits: Range, ranges: tuple[Range, ...]) -> Expr:
    """The sum of `inside` in its normal form: split over its terms, constant factors in
    front, integer offsets of its limits peeled off.

    Peeling uses that a sum from a to b and one from b + 1 to c make one from a to c,
    whatever the order of the three, if a reversed sum is minus the terms between its
    limits (Karr 1981). It holds for each formula that has a value at every integer. So
    where the peeled sum may be reversed, a formula with a possible pole is not peeled,
    and nothing is known of the sign of an index.
    """
    u, lo, hi = limits
    span = sp.expand(hi - lo)
    if span.is_Integer and abs(span) < MAX_EXPLICIT_TERMS:
        inside = inside if span >= -1 else _without_signs(inside)
        terms = [substitute(inside, {u: lo + i}) for i in _between(-1, int(span))]
        return sp.Add(*terms) if span >= 0 else -sp.Add(*terms)
    if span.is_number or not span.is_finite:
        return Sum(inside, limits)
    lo, hi = sp.expand(lo), sp.expand(hi)
    first, last, extra = _peel(inside, u, lo, hi)
    forward = runs_forward((u, first, last), ranges)
    if not forward and _may_have_poles(inside, u):
        first, last, extra = lo, hi, []
        forward = runs_forward((u, first, last), ranges)
    if not forward:
        inside = _without_signs(inside)
        if extra:
            first, last, extra = _peel(inside, u, lo, hi)
    for term in sp.Add.make_args(sp.expand(inside)):
        factor, rest = term.as_independent(u, as_Add=False)
        if rest == 1:
            extra.append(factor * (last - first + 1))
        else:
            fixed = _index(rest, first, forward)
            body = substitute(rest, {u: fixed})
            extra.append(factor * Sum(body, (fixed, first, last)))
    return sp.Add(*extra)


def _peel(f: Expr, u: Symbol, lo: Expr, hi: Expr) -> tuple[Expr, Expr, list[Expr]]:
    """The limits of a sum of `f` without small integer offsets, where a lower limit
    that is a number becomes 1, and the terms that compensate for this."""
    extra: list[Expr] = []
    offset, rest = hi.as_coeff_Add()
    if not rest.is_number and offset.is_Integer and abs(offset) < MAX_EXPLICIT_TERMS:
        terms = [substitute(f, {u: rest + i}) for i in _between(0, int(offset))]
        if _finite(terms):
            extra += terms if offset > 0 else [-term for term in terms]
            hi = rest
    offset, rest = (lo - 1, Integer(1)) if lo.is_Integer else lo.as_coeff_Add()
    if offset.is_Integer and abs(offset) < MAX_EXPLICIT_TERMS:
        terms = [substitute(f, {u: rest + i - 1}) for i in _between(0, int(offset))]
        if _finite(terms):
            extra += [-term for term in terms] if offset > 0 else terms
            lo = rest
    return lo, hi, extra


# Of these functions none has a pole at a real or complex number, and all others may.
WITHOUT_POLES = (
    sp.exp, sp.sin, sp.cos, sp.sinh, sp.cosh, sp.Abs, sp.sign, sp.re, sp.im,
    sp.conjugate, AppliedUndef, Inner,
)  # fmt: skip


def _may_have_poles(f: Expr, u: Symbol) -> bool:
    """Whether `f` may have no value at some integer `u`."""
    if not f.has(u):
        return False
    if (
        isinstance(f, sp.Pow)
        and not f.exp.is_nonnegative
        and f.base.is_zero is not False
    ):
        return True
    if f.is_Function and not isinstance(f, WITHOUT_POLES):
        return True
    if isinstance(f, Sum):
        indices = [u, *(limit[0] for limit in f.limits)]
        return any(_may_have_poles(f.function, index) for index in indices)
    if not (f.is_Function or f.is_Add or f.is_Mul or f.is_Pow or f.is_Symbol):
        return True
    return any(_may_have_poles(arg, u) for arg in f.args)


def _between(a: int, b: int) -> range:
    return range(min(a, b) + 1, max(a, b) + 1)


def _finite(terms: Iterable[Expr]) -> bool:
    return not any(term.has(sp.zoo, sp.nan, sp.oo) for term in terms)


def _integral(inside: Expr, limits: Range, ranges: tuple[Range, ...]) -> Expr:
    """The integral with its exponentials, and sums of them, integrated; other terms
    remain integrals."""
    x, lo, hi = limits
    total: list[Expr] = []
    for term in sp.Add.make_args(sp.expand(inside)):
        factor, rest = term.as_independent(x, as_Add=False)
        total.append(factor * _one_integral(rest, (x, lo, hi), ranges))
    return sp.Add(*total)


def _one_integral(f: Expr, limits: Range, ranges: tuple[Range, ...]) -> Expr:
    x, lo, hi = limits
    if f == 1:
        return hi - lo
    factors = sp.Mul.make_args(f)
    sums = [factor for factor in factors if isinstance(factor, Sum)]
    waves = [factor for factor in factors if isinstance(factor, sp.exp)]
    if len(sums) + len(waves) == len(factors) and len(sums) <= 1:
        if sums and len(sums[0].limits) == 1:
            index: Range = tuple(sums[0].limits[0])
            inside = _integral(
                sums[0].function * sp.Mul(*waves),
                limits,
                and_forward(ranges, [index]),
            )
            return _sum(inside, index, ranges)
        exponent = sp.expand(sp.Add(*(wave.args[0] for wave in waves)))
        rate = exponent.diff(x)
        if (
            not sums
            and not rate.has(x)
            and sp.expand(exponent - rate * x) == 0
            and all(is_nonzero(f, ranges) for f in sp.Mul.make_args(sp.factor(rate)))
        ):
            return (_atom(sp.exp(rate * hi)) - _atom(sp.exp(rate * lo))) / rate
    return sp.Integral(f, limits)


def _factorials(expr: Expr) -> Expr:
    """`expr` with binomials and factorials of natural numbers cancelled; unchanged with
    other arguments, for which gamma functions may have a pole in a numerator."""
    if all(
        function.args[0].is_nonnegative and all(arg.is_integer for arg in function.args)
        for function in expr.atoms(sp.binomial, sp.factorial)
    ) and not expr.has(sp.gamma):
        return sp.expand(sp.gammasimp(expr.rewrite(sp.gamma)))
    return expr


# Each stage returns its argument, or the argument times a factor that the side
# conditions of a derivation exclude from being 0.
STAGES: tuple[Callable[[Expr], Expr], ...] = (
    normal_form,
    lambda e: normal_form(sp.fraction(sp.together(e))[0]),
    lambda e: normal_form(
        sp.fraction(sp.together(sp.expand(e.rewrite(sp.exp), power_exp=True)))[0]
    ),
    _factorials,
)


def is_zero(expr: Expr, differs: Callable[[Expr], bool] = lambda e: False) -> bool:
    """Whether some stage of `STAGES` shows that `expr` is zero wherever it is defined.

    `differs(expr)` returns True if numbers show that `expr` is not zero; it is called
    before the slow stages, which are then skipped.
    """
    if is_matrix(expr):
        return not words(expr)
    for stage, apply in enumerate(STAGES):
        if stage == 1 and differs(expr):
            return False
        expr = apply(expr)
        if expr == 0:
            return True
    return False
