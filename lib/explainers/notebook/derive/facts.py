"""What a derivation may rest on: named assumptions, and theorems proved before, each with its domain."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import sympy as sp
from sympy import Expr, Symbol

from explainers.notebook.derive.sums import Range, Refused, least, substitute
from explainers.notebook.derive.values import Model, NoValue, Point, value

Relation = Literal["==", "<=", ">="]


@dataclass(frozen=True)
class Every:
    """A relation for every whole number `index` from `first` on, or for every one at all if `first` is None."""

    index: Symbol
    relation: sp.Rel
    first: Expr | None = None


@dataclass(frozen=True)
class Fact:
    """`expr` is zero, non-negative or non-zero (`kind`), in a domain.

    An assumption is about the very symbols that it names, except for its `index`. A theorem proved before
    holds for whatever values its `free` symbols admit.
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
        """The symbols that the fact is about, and says nothing about other values of."""
        return set(self.expr.free_symbols) - self.free - {self.index}

    def at(self, instance: Mapping[Symbol, Expr], ranges: Iterable[Range]) -> Expr:
        """The fact's expression at an instance. Raises `Refused` outside of its domain."""
        ranges = tuple(ranges)
        for symbol, where in instance.items():
            where = sp.sympify(where)
            if symbol == self.index:
                past = where - self.first if self.first is not None else sp.Integer(0)
                if not where.is_integer or not least(past, ranges).is_nonnegative:
                    raise Refused(f"{self.name!r} is not known at {symbol} = {where}")
            elif symbol not in self.free:
                raise Refused(f"{self.name!r} is about {symbol} itself, not about {symbol} = {where}")
            elif not _admits(symbol, where):
                raise Refused(f"{self.name!r} is not known at {symbol} = {where}, by what {symbol} stands for")
        if self.index is not None and self.index not in instance:
            raise Refused(f"{self.name!r} holds for every {self.index}: say at which one")
        return substitute(self.expr, instance)

    def holds(self, point: Point) -> bool:
        """Is the fact true at this point, as far as it has a value there?"""
        start = 0 if self.first is None else self.first
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
            if zero if self.kind == "!=" or self.strict else not zero if self.kind == "==" else negative:
                return False
            if self.strict and negative:
                return False
        return True


def _admits(symbol: Symbol, where: Expr) -> bool:
    """Does `where` satisfy everything that is declared of `symbol`?"""
    declared = symbol._assumptions_orig
    return all(getattr(where, f"is_{name}", None) is truth for name, truth in declared.items())


def facts(assume: Mapping[str, object]) -> dict[str, Fact]:
    """The named assumptions, each a SymPy relation or an `Every`. Raises `TypeError` or `ValueError`."""
    return {name: _fact(name, stated) for name, stated in assume.items()}


def _fact(name: str, stated: object) -> Fact:
    if not isinstance(name, str) or not name.strip():
        raise TypeError(f"assume: expected a name for each assumption, got {name!r}")
    if isinstance(stated, Every):
        first = None if stated.first is None else sp.sympify(stated.first)
        return replace(_fact(name, stated.relation), index=stated.index, first=first)
    if stated in (True, False):
        raise ValueError(f"assume: {name!r} is {stated} by what its symbols are declared to be")
    if not isinstance(stated, sp.Rel):
        raise TypeError(f"assume: {name!r} must be a relation such as sympy.Ne(c, 0), got {stated!r}")
    difference = stated.lhs - stated.rhs
    strict = stated.rel_op in ("<", ">")
    if stated.rel_op in ("<", "<="):
        difference = -difference
    kind: Literal["==", ">=", "!="] = (
        "==" if isinstance(stated, sp.Eq) else "!=" if isinstance(stated, sp.Ne) else ">="
    )
    return Fact(name, kind, difference, stated, strict)


def points(known: Iterable[Fact], model: Model | None, wanted: int, tries: int) -> list[Point]:
    """Points at which every fact holds: instances of the model, or drawn and kept if they satisfy the facts.

    Raises `ValueError` if an instance of the model violates a fact.
    """
    import random

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
