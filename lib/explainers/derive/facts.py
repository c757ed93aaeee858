"""What a derivation may rest on: definitions, named assumptions, and theorems proved
before."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import sympy as sp
from sympy import Expr, Symbol
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import BooleanAtom

from explainers.derive.sums import Range, Refused, bound, least, substitute
from explainers.derive.values import Model, NoValue, Point, value
from explainers.derive.vectors import Vector, naked, parts

Relation = Literal["==", "<=", ">="]
Definitions = tuple[tuple[Expr, Expr], ...]


def definitions(define: Mapping[Expr, Expr | int]) -> Definitions:
    """The definitions `{head: body}`, each in terms of earlier ones. Raises `TypeError`
    or `ValueError`; a vector is defined by a vector."""
    done: Definitions = ()
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
        fits = _is_vector(body) if naked(head) else not naked(body)
        if not fits:
            kind = "a vector" if naked(head) else "a number"
            raise TypeError(f"define: {head} is {kind}, but {body} is not")
        done += ((head, body),)
    for i, (_, body) in enumerate(done):
        for head, _ in done[i:]:
            if body.has(_key(head)):
                raise ValueError(f"define: {head} is used before it is defined")
    if len({_key(head) for head, _ in done}) < len(done):
        raise ValueError("define: a name is defined twice")
    return done


def _is_vector(expr: Expr) -> bool:
    try:
        return parts(expr) is not None
    except TypeError:
        return False


def unfold(expr: Expr, define: Definitions) -> Expr:
    """`expr` with all definitions put in."""
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
        own = bound(expr, inside=False) & (body.free_symbols - set(head.args))
        if own:
            raise Refused(f"{head} depends on {own.pop()}, which is bound in {expr}")
    args = [_replace(arg, head, body) for arg in expr.args]
    if isinstance(expr, AppliedUndef) and expr.func == head.func:
        return substitute(body, dict(zip(head.args, args, strict=True)))
    return expr.func(*args)


@dataclass(frozen=True)
class Every:
    """A relation for every whole number `index` from `first` on, or for all of them if
    `first` is None."""

    index: Symbol
    relation: sp.Rel
    first: Expr | int | None = None


@dataclass(frozen=True)
class Fact:
    """`expr` is zero, non-negative or non-zero (`kind`), in a domain.

    An assumption is about the very symbols that it names, except for its `index`. A
    theorem proved before holds for whatever values its `free` symbols admit.
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
        """The symbols that the fact is about, and says nothing about other values
        of."""
        first = set() if self.first is None else self.first.free_symbols
        return (set(self.expr.free_symbols) - self.free - {self.index}) | first

    def at(
        self, instance: Mapping[Symbol, Expr | int], ranges: Iterable[Range]
    ) -> Expr:
        """The fact's expression at an instance. Raises `Refused` outside of its
        domain."""
        ranges = tuple(ranges)
        for symbol, where in instance.items():
            where = sp.sympify(where)
            if symbol == self.index:
                past = where - self.first if self.first is not None else sp.Integer(0)
                if not where.is_integer or not least(past, ranges).is_nonnegative:
                    raise Refused(f"{self.name!r} is not known at {symbol} = {where}")
            elif symbol not in self.free:
                raise Refused(
                    f"{self.name!r} is about {symbol} itself, not about {symbol} = "
                    f"{where}"
                )
            elif not _admits(symbol, where, ranges):
                raise Refused(
                    f"{self.name!r} is not known at {symbol} = {where}, by what "
                    f"{symbol} stands for"
                )
        if self.index is not None and self.index not in instance:
            raise Refused(
                f"{self.name!r} holds for every {self.index}: say at which one"
            )
        return substitute(self.expr, instance)

    def holds(self, point: Point) -> bool:
        """Is the fact true at this point, as far as it has a value there?"""
        start = sp.Integer(0) if self.first is None else self.first
        span = range(-4, 5) if self.first is None else range(6)
        indices: list[dict[Symbol, complex]] = [{}]
        if self.index is not None:
            indices = [{self.index: value(start + i, point)} for i in span]
        for index in indices:
            try:
                found = value(self.expr, point, index)
            except NoValue:
                return False
            size = 1e-9 * max(1.0, abs(found))
            zero = abs(found) <= size
            negative = abs(found.imag) > size or found.real < -size
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


def _admits(symbol: Symbol, where: Expr, ranges: tuple[Range, ...]) -> bool:
    """Does `where` satisfy everything that is declared of `symbol`?"""
    if isinstance(symbol, Vector):
        return _is_vector(where)
    if naked(where):
        return False
    smallest = least(where, ranges)
    return all(
        getattr(where, f"is_{name}", None) is truth
        or (
            name in ("positive", "nonnegative")
            and truth
            and getattr(smallest, f"is_{name}")
        )
        for name, truth in symbol._assumptions_orig.items()
    )


def facts(assume: Mapping[str, object], define: Definitions) -> dict[str, Fact]:
    """The named assumptions, each a SymPy relation or an `Every`. Raises `TypeError` or
    `ValueError`."""
    stated = {name: _fact(name, relation) for name, relation in assume.items()}
    return {
        name: replace(fact, expr=unfold(fact.expr, define))
        for name, fact in stated.items()
    }


def _fact(name: str, stated: object) -> Fact:
    if not isinstance(name, str) or not name.strip():
        raise TypeError(f"assume: expected a name for each assumption, got {name!r}")
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
                f"assume: {name!r} is for every {stated.index}, which is not declared "
                "integer, or not declared to start so early"
            )
        return replace(_fact(name, stated.relation), index=stated.index, first=first)
    if isinstance(stated, bool | BooleanAtom):
        raise ValueError(
            f"assume: {name!r} is {stated} by what its symbols are declared to be"
        )
    if not isinstance(stated, sp.Rel):
        raise TypeError(
            f"assume: {name!r} must be a relation such as sympy.Ne(c, 0), got "
            f"{stated!r}"
        )
    difference = stated.lhs - stated.rhs
    if naked(difference):
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
    known: Iterable[Fact], model: Model | None, wanted: int, tries: int
) -> list[Point]:
    """Points at which every fact holds: instances of the model, or drawn and kept if
    they satisfy the facts.

    Raises `ValueError` if an instance of the model violates a fact.
    """
    known = list(known)
    found: list[Point] = []
    for seed in range(tries):
        if len(found) == wanted:
            break
        point = Point(seed, model(random.Random(seed)) if model else None)
        wrong = next((fact.name for fact in known if not fact.holds(point)), None)
        if wrong is None:
            found.append(point)
        elif model:
            raise ValueError(f"model: it violates the assumption {wrong!r}")
    return found
