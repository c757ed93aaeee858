"""What a derivation may use: definitions, named assumptions and proved theorems."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import sympy as sp
from sympy import Expr, Symbol
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import BooleanAtom

from explainers.derive.signs import and_forward, minimum, without
from explainers.derive.substitution import (
    Range,
    RefusedError,
    bound_symbols,
    substitute,
)
from explainers.derive.values import (
    NoValueError,
    Point,
    Witness,
    declared,
    exact_value,
    value,
    words,
)
from explainers.derive.vectors import Vector, has_bare_vector, linear_terms
from explainers.derive.wellformed import Relation, expression

Definitions = tuple[tuple[Expr, Expr], ...]


def definitions(define: Mapping[Expr, Expr | int]) -> Definitions:
    """The definitions `{head: body}` as pairs; each body may use earlier heads only.

    SymPy simplifies an expression by what a head is declared to be, before the
    definition is put in: a head declared positive makes its absolute value itself. So
    a body has to be known to be what its head is declared to be.

    Raises `TypeError` unless each head is a symbol or a function of symbols, and each
    body a vector if its head is one and a number otherwise; `ValueError` for a head
    that repeats an argument, is defined twice, is used before its definition, or is
    declared to be what its body is not known to be.
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
        body = expression("define", body)
        fits = _is_vector(body) if has_bare_vector(head) else not has_bare_vector(body)
        if not fits:
            kind = "a vector" if has_bare_vector(head) else "a number"
            raise TypeError(f"define: {head} is {kind}, but {body} is not")
        if not has_bare_vector(head) and not is_known(body, declared(_key(head))):
            raise ValueError(
                f"define: {head} is declared {words(declared(_key(head)))}, and its "
                f"definition {body} is not known to be"
            )
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


def unfold(expr: Expr, define: Definitions, ranges: tuple[Range, ...] = ()) -> Expr:
    """`expr`, whose indices lie in `ranges`, with every head in `define` replaced by
    its body.

    A definition holds for the arguments that its own symbols are declared to be. Raises
    `RefusedError` for any other argument, and if a body contains a symbol that is bound
    around its head.
    """
    for head, body in reversed(define):
        expr = _replace(expr, head, body, ranges)
    return expr


def _key(head: Expr) -> Any:
    return head.func if isinstance(head, AppliedUndef) else head


def _replace(
    expr: sp.Basic, head: Expr, body: Expr, ranges: tuple[Range, ...]
) -> sp.Basic:
    if expr == head and not head.args:
        return body
    if not expr.args or not expr.has(_key(head)):
        return expr
    own = bound_symbols(expr, deep=False)
    own |= set(expr.variables) if isinstance(expr, sp.Derivative) else set()
    if head in own:
        raise RefusedError(f"{head} is defined, so {expr} cannot bind it")
    if captured := own & (body.free_symbols - set(head.args)):
        raise RefusedError(
            f"{head} depends on {captured.pop()}, which is bound in {expr}"
        )
    inner = ranges
    for symbol in own:
        inner = without(inner, symbol)
    if isinstance(expr, sp.Sum | sp.Integral):
        inner = and_forward(inner, [tuple(limit) for limit in reversed(expr.limits)])
    first, *others = expr.args
    args = [
        _replace(first, head, body, inner),
        *(_replace(arg, head, body, ranges) for arg in others),
    ]
    if isinstance(expr, AppliedUndef) and expr.func == head.func:
        for symbol, arg in zip(head.args, args, strict=True):
            if not _is_allowed(symbol, arg, ranges):
                raise RefusedError(
                    f"{head} is not defined at {symbol} = {arg}: {symbol} is declared "
                    f"{words(declared(symbol))}"
                )
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

    @property
    def index_range(self) -> tuple[Range, ...]:
        """The range of its index, if it has one with a first value."""
        if self.index is None or self.first is None:
            return ()
        return ((self.index, self.first, sp.oo),)

    def at(
        self, instance: Mapping[Symbol, Expr | int], ranges: Iterable[Range]
    ) -> Expr:
        """`expr` with the replacements in `instance`, whose indices lie in `ranges`.

        Raises `RefusedError` unless the fact is known to hold there.
        """
        ranges = tuple(ranges)
        for symbol, expr in instance.items():
            expr = expression("terms", expr)
            if symbol == self.index:
                offset = expr - self.first if self.first is not None else sp.Integer(0)
                least = minimum(offset, ranges)
                # SymPy knows of k + m > 0 where it does not know of k + m - 1 >= 0
                from_first_on = least.is_nonnegative or (least + 1).is_positive
                if not (expr.is_integer and least.is_integer and from_first_on):
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

        Of a fact with an index, the first 40 values of the index are tried, and larger
        ones: up to 500 where undefined functions of it have a value, up to 2^60 where
        there are none.
        """
        if self.index is None:
            return self._is_true_at(self.expr, point, {})
        start = 0 if self.first is None else value(self.first, point)
        signs = (1,) if self.first is not None else (1, -1)
        expr, far = self._far()
        return all(
            self._is_true_at(form, point, {self.index: start + sign * i}, untold)
            for form, indices, untold in (
                (self.expr, range(40), False),
                # a model may end somewhere
                (expr, far, bool(self.expr.atoms(AppliedUndef))),
            )
            for i in indices
            for sign in signs
        )

    def _far(self) -> tuple[Expr, list[int]]:
        """Large indices, and a form of the expression that has values there."""
        powers = [2**power for power in range(6, 61)]
        if self.expr.atoms(AppliedUndef):
            return self.expr, [64, 100, 150, 250, 500]
        if not self.expr.has(sp.Sum):
            return self.expr, powers
        closed = self.expr.doit()
        return (
            (self.expr, powers[:7])
            if closed.has(sp.Sum, sp.Piecewise)
            else (closed, powers)
        )

    def _is_true_at(
        self,
        expr: Expr,
        point: Point,
        index: dict[Symbol, complex],
        untold: bool = False,
    ) -> bool:
        """Whether `expr` has the right relation to 0; `untold` where it has no
        value."""
        try:
            terms = [value(t, point, index) for t in sp.Add.make_args(expr)]
        except NoValueError:
            return untold
        number: Any = sum(terms)
        tolerance = 1e-9 * max(map(abs, terms))
        if abs(number) <= tolerance:
            # an equation holds for rounded numbers up to rounding only
            exact = exact_value(expr, point, index, rounded=self.kind != "==")
            if exact is not None:
                number, tolerance = exact, 0.0
        zero = abs(number) <= tolerance
        negative = abs(number.imag) > tolerance or number.real < -tolerance
        if self.kind == "!=":
            return not zero
        if self.kind == "==":
            return zero
        return not negative and not (self.strict and zero)


# What the index of an `Every` may be declared to be.
COUNTED = {"integer", "real", "nonnegative", "positive"}


def _is_allowed(symbol: Symbol, expr: Expr, ranges: tuple[Range, ...]) -> bool:
    """Whether `expr` satisfies the SymPy assumptions of `symbol`."""
    if isinstance(symbol, Vector):
        return _is_vector(expr)
    return not has_bare_vector(expr) and is_known(expr, declared(symbol), ranges)


def is_known(
    expr: Expr, assumptions: Mapping[str, bool], ranges: tuple[Range, ...] = ()
) -> bool:
    """Whether `expr` is known to be what SymPy assumptions, such as `{"positive":
    True}`, say, for all values of its symbols and for all indices in `ranges`."""
    smallest = minimum(expr, ranges)
    return all(
        getattr(expr, f"is_{name}", None) is truth
        or (truth and name in SIGNS and getattr(smallest, f"is_{SIGNS[name]}"))
        for name, truth in assumptions.items()
        if name != "commutative"
    )


# What the least value of an expression has to be, so that the expression is this.
SIGNS = {
    "positive": "positive",
    "nonnegative": "nonnegative",
    "nonzero": "positive",
    "extended_positive": "positive",
    "extended_nonnegative": "nonnegative",
    "extended_nonzero": "positive",
}


def facts(assume: Mapping[str, object], define: Definitions) -> dict[str, Fact]:
    """The facts of the named assumptions, with the definitions put in.

    Raises `TypeError` unless each is a SymPy relation or an `Every` without bare
    vectors, and `ValueError` for a relation that is true or false by the SymPy
    assumptions of its symbols, or an `Every` whose index may not start at `first`.
    """
    known = {}
    for name, relation in assume.items():
        fact = _fact(name, relation)
        heads = {head for head, _ in define}
        if fact.first is not None and fact.first.free_symbols & {fact.index, *heads}:
            raise ValueError(
                f"assume: {name!r} begins at {fact.first}, which has the index or a "
                "letter that is defined"
            )
        for head, body in define:
            about = fact.index in {head, *body.free_symbols} - set(head.args)
            if about and fact.expr.has(_key(head)):
                raise ValueError(
                    f"assume: {name!r} is for every {fact.index}, on which the "
                    f"definition of {head} depends"
                )
        expr = unfold(fact.expr, define, fact.index_range)
        known[name] = replace(fact, expr=expr)
    return known


def _fact(name: str, stated: object) -> Fact:
    if not isinstance(name, str) or not name.strip():
        raise TypeError(f"assume: expected non-empty strings as names, got {name!r}")
    if isinstance(stated, Every):
        first = None if stated.first is None else expression("assume", stated.first)
        least_value = -sp.oo if first is None else first
        admitted = (
            not stated.index.is_nonnegative
            or least_value.is_positive
            or (least_value.is_nonnegative and not stated.index.is_positive)
        )
        counted = set(stated.index._assumptions_orig) <= COUNTED
        if not (stated.index.is_integer and admitted and counted):
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
    difference = expression("assume", stated.lhs) - expression("assume", stated.rhs)
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


def theorem_fact(
    name: str, lhs: Expr, rel: Relation, rhs: Expr, assumed: Iterable[Fact]
) -> Fact:
    """The theorem `lhs rel rhs`, proved under the assumptions `assumed`, as a lemma.

    Its symbols may be replaced by other values, but for those that an assumption is
    about.
    """
    difference = rhs - lhs if rel == "<=" else lhs - rhs
    fixed = {symbol for fact in assumed for symbol in fact.fixed}
    kind: Literal["==", ">="] = "==" if rel == "==" else ">="
    free = frozenset(difference.free_symbols - fixed)
    return Fact(name, kind, difference, lhs, free=free, lemma=True)


def with_lemma(
    known: Mapping[str, Fact], lemma: Fact, assumed: Iterable[Fact]
) -> dict[str, Fact]:
    """The facts `known` with a lemma and with the assumptions that it was proved under.

    Raises `ValueError` if its name is taken, or if one of the assumptions differs from
    a known one of the same name.
    """
    if lemma.name in known:
        raise ValueError(f"lemmas: {lemma.name!r} is already the name of an assumption")
    together = dict(known)
    for fact in assumed:
        if together.setdefault(fact.name, fact) != fact:
            raise ValueError(
                f"lemmas: the assumption {fact.name!r} of {lemma.name!r} differs from "
                "the one of this derivation"
            )
    return {**together, lemma.name: lemma}


def points(
    known: Iterable[Fact], witness: Witness | None, wanted: int, tries: int
) -> list[Point]:
    """Up to `wanted` points at which every fact of `known` holds, from at most `tries`
    candidates: values of the witness, or random ones without it.

    Raises `ValueError` if values of the witness violate a fact.
    """
    models = _models(tuple(known), witness, wanted, tries)
    return [Point(seed, given) for seed, given in models]


# each mutant of a step, and each refused one, asks for the same points again
@lru_cache(maxsize=256)
def _models(
    known: tuple[Fact, ...], witness: Witness | None, wanted: int, tries: int
) -> list[tuple[int, Mapping[Any, Any] | None]]:
    accepted: list[tuple[int, Mapping[Any, Any] | None]] = []
    for seed in range(tries):
        if len(accepted) == wanted:
            break
        given = witness(random.Random(seed)) if witness else None
        point = Point(seed, given)
        wrong = next((fact.name for fact in known if not fact.is_true_at(point)), None)
        if wrong is None:
            accepted.append((seed, given))
        elif witness:
            raise ValueError(
                f"witness: the assumption {wrong!r} is false or has no value there, at "
                "one index if it holds for every index"
            )
    return accepted
