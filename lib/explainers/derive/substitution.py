"""Replacing symbols, with respect to the symbols that sums and integrals bind."""

from collections.abc import Mapping

import sympy as sp
from sympy import Expr, Sum, Symbol

from explainers.derive.vectors import Vector

# An index, or a variable of integration, with its limits. Inner ranges come after outer
# ones.
Range = tuple[Symbol, Expr, Expr]


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
