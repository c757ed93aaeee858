"""A normal form for expressions with finite sums, and what it decides: is it zero, is
it non-negative.

SymPy does not normalise a `Sum` by itself. Here a sum is split over its addends,
factors free of the index leave it, its index gets one fixed name, and whole-number
offsets in its limits are *peeled* off as explicit terms: equal sums then are equal
objects, and the increment of an induction is the last term by itself.

Nothing here guesses: a `False` means "not decided", unless numbers have shown a
difference.
"""

from collections.abc import Callable, Iterable, Mapping

import sympy as sp
from sympy import Expr, I, Integer, Sum, Symbol, pi

from explainers.derive.vectors import Inner, Vector

# An index, or a variable of integration, with its limits. Inner ranges come after outer
# ones.
Range = tuple[Symbol, Expr, Expr]

# A sum over an explicit range of at most this many terms is written out.
EXPLICIT = 16


class Refused(Exception):
    """A step is not proved, or is false."""


def substitute(expr: Expr, values: Mapping[Symbol, Expr]) -> Expr:
    """`expr` with `values` put in for symbols, at once.

    SymPy lets a value be captured by an index of the same name: `Sum(f(k, n), (k, 0,
    N)).subs(n, k)` would become the sum of `f(k, k)`. Such an index is renamed first,
    and so is one that is itself among the symbols. A derivative by a symbol on either
    side is carried out first. Raises `Refused` if it cannot be.
    """
    clashing = set(values).union(
        *(sp.sympify(value).free_symbols for value in values.values())
    )
    if clashing & bound(expr):
        expr = _rename(expr, clashing)
    for each in expr.atoms(sp.Derivative):
        if clashing & set(each.variables):
            done = sp.diff(each.expr, *each.variables)
            if done.has(sp.Derivative):
                raise Refused(f"{each} is not known, so nothing can be put in for it")
            expr = expr.xreplace({each: done})
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


def bound(expr: sp.Basic, inside: bool = True) -> set[Symbol]:
    """The indices and variables that `expr` binds; without those bound deeper
    `inside`."""
    binders = (
        expr.atoms(Sum, sp.Integral, sp.Limit)
        if inside
        else {expr}
        if isinstance(expr, Sum | sp.Integral | sp.Limit)
        else set()
    )
    return {
        symbol
        for each in binders
        for symbol in (
            [each.args[1]]
            if isinstance(each, sp.Limit)
            else [limit[0] for limit in each.limits]
        )
    }


def _rename(expr: sp.Basic, clashing: set[Symbol]) -> sp.Basic:
    if not expr.args:
        return expr
    own = bound(expr, inside=False)
    fresh = {
        symbol: sp.Dummy(symbol.name, **symbol._assumptions_orig)
        for symbol in own
        if symbol in clashing
    }
    expr = expr.xreplace(fresh)
    return expr.func(*(_rename(arg, clashing) for arg in expr.args))


def normal(expr: Expr) -> Expr:
    """The normal form of `expr`: always equal to it wherever `expr` is defined."""
    for _ in range(6):
        before = expr
        expr = sp.expand(_tidy(expr, ()))
        if expr == before:
            break
    return expr


def _tidy(expr: Expr, ranges: tuple[Range, ...]) -> Expr:
    if not expr.args:
        return expr
    if isinstance(expr, Sum | sp.Integral):
        fold = _sum if isinstance(expr, Sum) else _integral
        inside = expr.function
        outer_first = tuple(
            (u, _tidy(lo, ranges), _tidy(hi, ranges))
            for u, lo, hi in reversed(expr.limits)
        )
        inside = _tidy(inside, ranges + outer_first)
        for depth in reversed(range(len(outer_first))):
            inside = fold(inside, outer_first[depth], ranges + outer_first[:depth])
        return inside
    if isinstance(expr, sp.Derivative):
        done = sp.diff(expr.expr, *expr.variables)
        return done if isinstance(done, sp.Derivative) else _tidy(done, ranges)
    if isinstance(expr, sp.Determinant):
        return expr.doit()
    if isinstance(expr, sp.Limit):
        return _limit(expr)
    args = [_tidy(arg, ranges) for arg in expr.args]
    expr = expr if args == list(expr.args) else expr.func(*args)
    if isinstance(expr, Inner):
        opened = expr.opened()
        return opened if opened.args == expr.args else _tidy(opened, ranges)
    return _atom(expr)


def _limit(expr: sp.Limit) -> Expr:
    """A limit at infinity of a sum of terms `c`, `c / n**k` and `c * tanh(a * n + b)`,
    with coefficients free of `n`; any other stays undone.

    SymPy's own limits hold for a generic parameter, and not for each of its values.
    """
    inside, n, to = normal(expr.args[0]), expr.args[1], expr.args[2]
    declared = {"real", "complex", "finite"}
    if to == sp.oo:
        declared |= {"integer", "rational", "positive", "nonnegative", "nonzero"}
    if not all(n._assumptions_orig.values()) or set(n._assumptions_orig) - declared:
        return expr  # it does not go there
    found: list[Expr] = []
    for term in sp.Add.make_args(sp.expand(inside)):
        factor, rest = term.as_independent(n, as_Add=False)
        base, power = rest.as_base_exp()
        if rest == 1:
            found.append(factor)
        elif base == n and power.is_Integer and power < 0:
            continue
        elif isinstance(rest, sp.tanh):
            slope = sp.expand(rest.args[0]).coeff(n)
            linear = not (rest.args[0] - slope * n).expand().has(n)
            if not linear or not (slope.is_positive or slope.is_negative):
                return expr
            found.append(factor if slope.is_positive == (to == sp.oo) else -factor)
        else:
            return expr
    return sp.Add(*found) if to in (sp.oo, -sp.oo) else expr


def _atom(expr: Expr) -> Expr:
    """One way to write real parts, squared lengths and whole half-turns."""
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
    """The fixed name of an index: by how deep the sums inside nest, with the sign of
    its first value."""
    depth = 1 + max(
        (int(u.name[1:]) for u in bound(inside) if u.name[:1] == "#"), default=-1
    )
    sign = (
        {"positive": True}
        if first.is_positive
        else {"nonnegative": True}
        if first.is_nonnegative
        else {}
    )
    return Symbol(f"#{depth}", integer=True, **sign)


def _sum(inside: Expr, limits: Range, ranges: tuple[Range, ...]) -> Expr:
    u, lo, hi = limits
    span = sp.expand(hi - lo)
    if span.is_Integer and abs(span) < EXPLICIT:
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
    """Move both limits to their standard place; the terms that this adds or takes away
    go to `extra`."""
    offset, rest = hi.as_coeff_Add()
    if not rest.is_number and offset.is_Integer and abs(offset) < EXPLICIT:
        terms = [substitute(f, {u: rest + i}) for i in _between(0, int(offset))]
        if _finite(terms):
            extra.extend(term if offset > 0 else -term for term in terms)
            hi = rest
    offset, rest = (lo - 1, Integer(1)) if lo.is_Integer else lo.as_coeff_Add()
    if offset.is_Integer and abs(offset) < EXPLICIT:
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
    """Exponentials are integrated one by one, sums of them term by term; the rest stays
    as it is."""
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
            and _nonzero(rate, ranges)
        ):
            return (_atom(sp.exp(rate * hi)) - _atom(sp.exp(rate * lo))) / rate
    return sp.Integral(f, limits)


def _nonzero(expr: Expr, ranges: tuple[Range, ...]) -> bool:
    return all(
        factor.is_zero is False or sign(factor, ranges) or sign(-factor, ranges)
        for factor in sp.Mul.make_args(sp.factor(expr))
    )


def sign(expr: Expr, ranges: Iterable[Range]) -> bool:
    """Is `expr` positive for every index in its range? Decided at the ends, if it is
    linear in each."""
    return bool(least(expr, ranges).is_positive)


def least(expr: Expr, ranges: Iterable[Range]) -> Expr:
    """The least value of `expr` over the ranges, or `nan` if it is not seen to be
    monotone in each index."""
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
    """Binomials by gamma functions, where none of those has a pole above a fraction
    bar."""
    if all(
        each.args[0].is_nonnegative and all(arg.is_integer for arg in each.args)
        for each in expr.atoms(sp.binomial, sp.factorial)
    ) and not expr.has(sp.gamma):
        return sp.expand(sp.gammasimp(expr.rewrite(sp.gamma)))
    return expr


# Each stage equals its argument, or a multiple of it by something that the side
# conditions keep from 0.
CHAIN: tuple[Callable[[Expr], Expr], ...] = (
    normal,
    lambda e: normal(sp.fraction(sp.together(e))[0]),
    lambda e: normal(
        sp.fraction(sp.together(sp.expand(e.rewrite(sp.exp), power_exp=True)))[0]
    ),
    _factorials,
)


def is_zero(expr: Expr, differs: Callable[[Expr], bool] = lambda e: False) -> bool:
    """Is `expr` zero wherever it is defined? `False` means that no stage of `CHAIN`
    shows it.

    `differs(expr)` may show by numbers that it is not: asked before the slow stages, it
    can only refuse.
    """
    for stage, apply in enumerate(CHAIN):
        if stage == 1 and differs(expr):
            return False
        expr = apply(expr)
        if expr == 0:
            return True
    return False


def nonneg(expr: Expr, ranges: Iterable[Range] = ()) -> bool:
    """Is `expr`, where defined, non-negative by its symbols' assumptions, as a square,
    as a length, or as a sine over a range within a half-turn?"""
    for u, lo, hi in ranges:
        if u in bound(expr):
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
