"""A normal form for expressions with finite sums, and two tests that use it: whether an
expression is zero, and whether it is non-negative.

SymPy does not normalise a `Sum`. Here a sum is split over its addends, factors free of
the index are moved in front of it, its index gets a fixed name, and integer offsets in
its limits are *peeled* off as explicit terms. Equal sums then become equal objects, and
the increment of an induction reduces to the last term.

Both tests are sound: True is proved. False means that nothing was decided.
"""

from collections.abc import Callable, Iterable, Mapping

import sympy as sp
from sympy import Expr, I, Integer, Sum, Symbol, pi

from explainers.derive.vectors import Inner, Vector

# An index, or a variable of integration, with its limits. Inner ranges come after outer
# ones.
Range = tuple[Symbol, Expr, Expr]

# A sum with numbers as limits and at most this many terms is written out.
MAX_EXPLICIT_TERMS = 16


class RefusedError(Exception):
    """A step of a derivation is false, or its proof object does not prove it."""


def substitute(expr: Expr, values: Mapping[Symbol, Expr]) -> Expr:
    """`expr` with every symbol in `values` replaced by its value, all at once.

    SymPy lets a value be captured by an index of the same name: `Sum(f(k, n), (k, 0,
    N)).subs(n, k)` becomes the sum of `f(k, k)`. Here such an index is renamed first,
    and so is an index that is itself among the symbols. Derivatives by a symbol that
    occurs in `values` are carried out first. Raises `RefusedError` if one of them has
    no closed form.
    """
    clashing = set(values).union(
        *(sp.sympify(value).free_symbols for value in values.values())
    )
    if clashing & bound_symbols(expr):
        expr = _rename(expr, clashing)
    for derivative in expr.atoms(sp.Derivative):
        if clashing & set(derivative.variables):
            closed = sp.diff(derivative.expr, *derivative.variables)
            if closed.has(sp.Derivative):
                raise RefusedError(
                    f"{derivative} has no closed form, so its symbols cannot be "
                    "replaced"
                )
            expr = expr.xreplace({derivative: closed})
    # one after another, by way of symbols of the same kind that occur nowhere else
    between = {symbol: _fresh(symbol) for symbol in values} if len(values) > 1 else {}
    for symbol, stand_in in between.items():
        expr = expr.subs(symbol, stand_in)
    for symbol, value in values.items():
        expr = expr.subs(between.get(symbol, symbol), value)
    return expr


def _fresh(symbol: Symbol) -> Symbol:
    name = sp.Dummy(symbol.name, **symbol._assumptions_orig)
    if isinstance(symbol, Vector):
        return Vector(f"{name} {name.dummy_index}")
    return name


def bound_symbols(expr: sp.Basic, deep: bool = True) -> set[Symbol]:
    """The indices and variables that sums, integrals and limits in `expr` bind; with
    `deep=False` only those that `expr` itself binds."""
    binders = (
        expr.atoms(Sum, sp.Integral, sp.Limit)
        if deep
        else {expr}
        if isinstance(expr, Sum | sp.Integral | sp.Limit)
        else set()
    )
    return {
        symbol
        for binder in binders
        for symbol in (
            [binder.args[1]]
            if isinstance(binder, sp.Limit)
            else [limit[0] for limit in binder.limits]
        )
    }


def _rename(expr: sp.Basic, clashing: set[Symbol]) -> sp.Basic:
    if not expr.args:
        return expr
    own = bound_symbols(expr, deep=False)
    fresh = {
        symbol: sp.Dummy(symbol.name, **symbol._assumptions_orig)
        for symbol in own
        if symbol in clashing
    }
    expr = expr.xreplace(fresh)
    return expr.func(*(_rename(arg, clashing) for arg in expr.args))


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
        inside = _normalize(inside, ranges + outer_first)
        for depth in reversed(range(len(outer_first))):
            inside = fold(inside, outer_first[depth], ranges + outer_first[:depth])
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


def _index(inside: Expr, first: Expr) -> Symbol:
    """A symbol for an index, named after the depth of the sums in `inside`, with the
    assumptions on its sign that its first value allows."""
    depth = 1 + max(
        (int(u.name[1:]) for u in bound_symbols(inside) if u.name[:1] == "#"),
        default=-1,
    )
    is_positive = (
        {"positive": True}
        if first.is_positive
        else {"nonnegative": True}
        if first.is_nonnegative
        else {}
    )
    return Symbol(f"#{depth}", integer=True, **is_positive)


def _sum(inside: Expr, limits: Range, ranges: tuple[Range, ...]) -> Expr:
    u, lo, hi = limits
    span = sp.expand(hi - lo)
    if span.is_Integer and abs(span) < MAX_EXPLICIT_TERMS:
        # peeling can leave limits that are reversed: minus the terms between them, as
        # in an integral
        terms = [substitute(inside, {u: lo + i}) for i in _between(-1, int(span))]
        return sp.Add(*terms) if span >= 0 else -sp.Add(*terms)
    if span.is_number or not span.is_finite:
        return Sum(inside, limits)
    extra: list[Expr] = []
    lo, hi = _peel(inside, u, sp.expand(lo), sp.expand(hi), extra)
    for term in sp.Add.make_args(sp.expand(inside)):
        factor, rest = term.as_independent(u, as_Add=False)
        if rest == 1:
            extra.append(factor * (hi - lo + 1))
        else:
            fixed = _index(rest, lo)
            extra.append(factor * Sum(substitute(rest, {u: fixed}), (fixed, lo, hi)))
    return sp.Add(*extra)


def _peel(
    f: Expr, u: Symbol, lo: Expr, hi: Expr, extra: list[Expr]
) -> tuple[Expr, Expr]:
    """The limits of a sum of `f` without integer offsets; the terms that compensate for
    this are appended to `extra`."""
    offset, rest = hi.as_coeff_Add()
    if not rest.is_number and offset.is_Integer and abs(offset) < MAX_EXPLICIT_TERMS:
        terms = [substitute(f, {u: rest + i}) for i in _between(0, int(offset))]
        if _finite(terms):
            extra.extend(term if offset > 0 else -term for term in terms)
            hi = rest
    offset, rest = (lo - 1, Integer(1)) if lo.is_Integer else lo.as_coeff_Add()
    if offset.is_Integer and abs(offset) < MAX_EXPLICIT_TERMS:
        terms = [substitute(f, {u: rest + i - 1}) for i in _between(0, int(offset))]
        if _finite(terms):
            extra.extend(-term if offset > 0 else term for term in terms)
            lo = rest
    return lo, hi


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
                sums[0].function * sp.Mul(*waves), limits, (*ranges, index)
            )
            return _sum(inside, index, ranges)
        exponent = sp.expand(sp.Add(*(wave.args[0] for wave in waves)))
        rate = exponent.diff(x)
        if (
            not sums
            and not rate.has(x)
            and sp.expand(exponent - rate * x) == 0
            and _is_nonzero(rate, ranges)
        ):
            return (_atom(sp.exp(rate * hi)) - _atom(sp.exp(rate * lo))) / rate
    return sp.Integral(f, limits)


def _is_nonzero(expr: Expr, ranges: tuple[Range, ...]) -> bool:
    return all(
        factor.is_zero is False
        or is_positive(factor, ranges)
        or is_positive(-factor, ranges)
        for factor in sp.Mul.make_args(sp.factor(expr))
    )


def is_positive(expr: Expr, ranges: Iterable[Range]) -> bool:
    """Whether `expr`, linear in each index, is positive over all of `ranges`."""
    return bool(minimum(expr, ranges).is_positive)


def minimum(expr: Expr, ranges: Iterable[Range]) -> Expr:
    """The least value of `expr` over `ranges`, or `nan` unless it is linear in each
    index with a slope of known sign."""
    for u, lo, hi in reversed(list(ranges)):
        slope = sp.expand(expr).coeff(u)
        if not expr.has(u):
            continue
        if sp.expand(expr - slope * u).has(u) or slope.has(u):
            return sp.nan
        if slope.is_nonnegative:
            expr = substitute(expr, {u: lo})
        elif slope.is_nonpositive:
            expr = substitute(expr, {u: hi})
        else:
            return sp.nan
    return sp.expand(expr)


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
    for stage, apply in enumerate(STAGES):
        if stage == 1 and differs(expr):
            return False
        expr = apply(expr)
        if expr == 0:
            return True
    return False


def is_nonnegative(expr: Expr, ranges: Iterable[Range] = ()) -> bool:
    """Whether `expr` is non-negative wherever it is defined: by the SymPy assumptions
    of its symbols, as a square, as a squared length, or as a sine over a range within
    [0, pi]."""
    for u, lo, hi in ranges:
        if u in bound_symbols(expr):
            continue
        if lo.is_nonnegative and (pi - hi).is_nonnegative:
            expr = expr.subs(sp.sin(u), sp.Dummy("sine", nonnegative=True))
    if expr.is_extended_nonnegative:
        return True
    left = list(sp.Mul.make_args(sp.factor(expr)))
    for factor in tuple(left):
        base, power = factor.as_base_exp()
        mirror = sp.conjugate(base) ** power
        square = base.is_extended_real and power.is_even
        if (
            factor.is_extended_nonnegative
            or square
            or (base.is_extended_nonnegative and power.is_real)
        ):
            left.remove(factor)
        elif (
            factor in left and mirror != factor and mirror in left and power.is_integer
        ):
            left.remove(factor)
            left.remove(mirror)
    return len(left) % 2 == 0 and all(factor.is_extended_nonpositive for factor in left)
