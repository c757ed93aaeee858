"""What a derivation may use: definitions, named assumptions and proved theorems."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import sympy as sp
from sympy import Expr, Symbol
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import BooleanAtom

from explainers.derive.sums import (
    Range,
    RefusedError,
    bound_symbols,
    minimum,
    substitute,
)
from explainers.derive.values import NoValueError, Point, Witness, value
from explainers.derive.vectors import Vector, has_bare_vector, linear_terms

Relation = Literal["==", "<=", ">="]
Definitions = tuple[tuple[Expr, Expr], ...]


def definitions(define: Mapping[Expr, Expr | int]) -> Definitions:
    """The definitions `{head: body}` as pairs; each body may use earlier heads only.

    Raises `TypeError` unless each head is a symbol or a function of symbols, and each
    body a vector if its head is one and a number otherwise; `ValueError` for a head
    that repeats an argument, is defined twice, or is used before its definition.
    """
    pairs: Definitions = ()
    for head, body in define.items():
        if not isinstance(head, AppliedUndef | Symbol) or not all(
            isinstance(arg, Symbol) for arg in head.args
        ):
            raise TypeError(
                f"define: expected a symbol or a function of symbols, got {head!r}"
            )
        if len(set(head.args)) < len(head.args):
            raise ValueError(f"define: {head} has an argument twice")
        body = sp.sympify(body)
        fits = _is_vector(body) if has_bare_vector(head) else not has_bare_vector(body)
        if not fits:
            kind = "a vector" if has_bare_vector(head) else "a number"
            raise TypeError(f"define: {head} is {kind}, but {body} is not")
        pairs += ((head, body),)
    for i, (_, body) in enumerate(pairs):
        for head, _ in pairs[i:]:
            if body.has(_key(head)):
                raise ValueError(f"define: {head} is used before it is defined")
    if len({_key(head) for head, _ in pairs}) < len(pairs):
        raise ValueError("define: a name is defined twice")
    return pairs


def _is_vector(expr: Expr) -> bool:
    try:
        return linear_terms(expr) is not None
    except TypeError:
        return False


def unfold(expr: Expr, define: Definitions) -> Expr:
    """`expr` with every head in `define` replaced by its body.

    Raises `RefusedError` if a body contains a symbol that is bound around its head.
    """
    for head, body in reversed(define):
        expr = _replace(expr, head, body)
    return expr


def _key(head: Expr) -> object:
    return head.func if isinstance(head, AppliedUndef) else head


def _replace(expr: sp.Basic, head: Expr, body: Expr) -> sp.Basic:
    if expr == head and not head.args:
        return body
    if not expr.args or not expr.has(_key(head)):
        return expr
    if isinstance(expr, sp.Sum | sp.Integral | sp.Limit):
        own = bound_symbols(expr, deep=False) & (body.free_symbols - set(head.args))
        if own:
            raise RefusedError(
                f"{head} depends on {own.pop()}, which is bound in {expr}"
            )
    args = [_replace(arg, head, body) for arg in expr.args]
    if isinstance(expr, AppliedUndef) and expr.func == head.func:
        return substitute(body, dict(zip(head.args, args, strict=True)))
    return expr.func(*args)


@dataclass(frozen=True)
class Every:
    """A relation that holds for every integer `index` >= `first`, or for every integer
    `index` if `first` is None."""

    index: Symbol
    relation: sp.Rel
    first: Expr | int | None = None


@dataclass(frozen=True)
class Fact:
    """A relation of `expr` to zero, `kind`: "==", ">=" or "!=".

    `stated` is the relation as it was given; `strict` means that `expr` is not zero,
    too. An assumption holds for the present values of its symbols, and for every value
    of its `index` >= `first`, if it has one. A lemma holds for every value that the
    SymPy assumptions of its `free` symbols allow.
    """

    name: str
    kind: Literal["==", ">=", "!="]
    expr: Expr
    stated: sp.Basic
    strict: bool = False
    index: Symbol | None = None
    first: Expr | None = None
    free: frozenset[Symbol] = frozenset()
    lemma: bool = False

    @property
    def fixed(self) -> set[Symbol]:
        """The symbols for whose present values alone the fact holds."""
        first = set() if self.first is None else self.first.free_symbols
        return (set(self.expr.free_symbols) - self.free - {self.index}) | first

    def at(
        self, instance: Mapping[Symbol, Expr | int], ranges: Iterable[Range]
    ) -> Expr:
        """`expr` with the replacements in `instance`, whose indices lie in `ranges`.

        Raises `RefusedError` unless the fact is known to hold there.
        """
        ranges = tuple(ranges)
        for symbol, expr in instance.items():
            expr = sp.sympify(expr)
            if symbol == self.index:
                offset = expr - self.first if self.first is not None else sp.Integer(0)
                if not expr.is_integer or not minimum(offset, ranges).is_nonnegative:
                    raise RefusedError(
                        f"{self.name!r} is not known at {symbol} = {expr}"
                    )
            elif symbol not in self.free:
                raise RefusedError(
                    f"{self.name!r} is about {symbol} itself, not about {symbol} = "
                    f"{expr}"
                )
            elif not _is_allowed(symbol, expr, ranges):
                raise RefusedError(
                    f"{self.name!r} is not known at {symbol} = {expr}: it does not "
                    f"satisfy the assumptions of {symbol}"
                )
        if self.index is not None and self.index not in instance:
            raise RefusedError(
                f"{self.name!r} holds for every {self.index}: give a value for it"
            )
        return substitute(self.expr, instance)

    def is_true_at(self, point: Point) -> bool:
        """Whether the fact is true at `point`; False where it has no value.

        Of a fact with an index, a few values of the index are tried.
        """
        start = sp.Integer(0) if self.first is None else self.first
        span = range(-4, 5) if self.first is None else range(6)
        indices: list[dict[Symbol, complex]] = [{}]
        if self.index is not None:
            indices = [{self.index: value(start + i, point)} for i in span]
        for index in indices:
            try:
                number = value(self.expr, point, index)
            except NoValueError:
                return False
            tolerance = 1e-9 * max(1.0, abs(number))
            zero = abs(number) <= tolerance
            negative = abs(number.imag) > tolerance or number.real < -tolerance
            if (
                zero
                if self.kind == "!=" or self.strict
                else not zero
                if self.kind == "=="
                else negative
            ):
                return False
            if self.strict and negative:
                return False
        return True


def _is_allowed(symbol: Symbol, expr: Expr, ranges: tuple[Range, ...]) -> bool:
    """Whether `expr` satisfies the SymPy assumptions of `symbol`."""
    if isinstance(symbol, Vector):
        return _is_vector(expr)
    if has_bare_vector(expr):
        return False
    smallest = minimum(expr, ranges)
    return all(
        getattr(expr, f"is_{name}", None) is truth
        or (
            name in ("positive", "nonnegative")
            and truth
            and getattr(smallest, f"is_{name}")
        )
        for name, truth in symbol._assumptions_orig.items()
    )


def facts(assume: Mapping[str, object], define: Definitions) -> dict[str, Fact]:
    """The facts of the named assumptions, with the definitions put in.

    Raises `TypeError` unless each is a SymPy relation or an `Every` without bare
    vectors, and `ValueError` for a relation that is true or false by the SymPy
    assumptions of its symbols, or an `Every` whose index may not start at `first`.
    """
    stated = {name: _fact(name, relation) for name, relation in assume.items()}
    return {
        name: replace(fact, expr=unfold(fact.expr, define))
        for name, fact in stated.items()
    }


def _fact(name: str, stated: object) -> Fact:
    if not isinstance(name, str) or not name.strip():
        raise TypeError(f"assume: expected non-empty strings as names, got {name!r}")
    if isinstance(stated, Every):
        first = None if stated.first is None else sp.sympify(stated.first)
        least_value = -sp.oo if first is None else first
        admitted = (
            not stated.index.is_nonnegative
            or least_value.is_positive
            or (least_value.is_nonnegative and not stated.index.is_positive)
        )
        if not (stated.index.is_integer and admitted):
            raise ValueError(
                f"assume: {name!r} is for every {stated.index} from {least_value} on, "
                "so it must be declared integer and have assumptions that allow these"
            )
        return replace(_fact(name, stated.relation), index=stated.index, first=first)
    if isinstance(stated, bool | BooleanAtom):
        raise ValueError(
            f"assume: {name!r} is {stated} by the assumptions of its symbols"
        )
    if not isinstance(stated, sp.Rel):
        raise TypeError(
            f"assume: {name!r} must be a relation such as sympy.Ne(c, 0), got "
            f"{stated!r}"
        )
    difference = stated.lhs - stated.rhs
    if has_bare_vector(difference):
        raise TypeError(f"assume: {name!r} has a vector outside of an inner product")
    strict = stated.rel_op in ("<", ">")
    if stated.rel_op in ("<", "<="):
        difference = -difference
    kind: Literal["==", ">=", "!="] = (
        "=="
        if isinstance(stated, sp.Eq)
        else "!="
        if isinstance(stated, sp.Ne)
        else ">="
    )
    return Fact(name, kind, difference, stated, strict)


def points(
    known: Iterable[Fact], witness: Witness | None, wanted: int, tries: int
) -> list[Point]:
    """Up to `wanted` points at which every fact of `known` holds, from at most `tries`
    candidates: values of the witness, or random ones without it.

    Raises `ValueError` if values of the witness violate a fact.
    """
    known = list(known)
    accepted: list[Point] = []
    for seed in range(tries):
        if len(accepted) == wanted:
            break
        point = Point(seed, witness(random.Random(seed)) if witness else None)
        wrong = next((fact.name for fact in known if not fact.is_true_at(point)), None)
        if wrong is None:
            accepted.append(point)
        elif witness:
            raise ValueError(f"witness: it violates the assumption {wrong!r}")
    return accepted
