"""Random small statements for the proof kit, judged by exact values of their own.

Half of the statements of each kind are true by construction: telescoping sums, closed forms by exact
interpolation, product rules written out. The others are refuted at a point where both sides have a value
and every declaration and assumption holds. They are true ones with one thing changed, and *traps*: what a
plausible but wrong rule would claim. Neither half uses the rules of the kit; values are those of `exact.py`.
Each statement is tried with all proof objects that could prove it, and none may accept a refuted one.

    python -m tests.derive.fuzz --count 20000 --seed 7
"""

import argparse
import itertools
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial, reduce
from typing import Any

import sympy as sp
from sympy import Abs, Derivative, Expr, Function, I, Integral, Limit, Sum, Symbol, oo
from sympy.core.function import AppliedUndef

from explainers.derive import (
    Antiderivative,
    Certificate,
    Every,
    Identity,
    Induction,
    Limiting,
    Minimum,
    RefusedError,
    Reindex,
    Termwise,
    derive,
)
from tests.derive.exact import (
    NonexistentError,
    NoValueError,
    Number,
    compiled,
    gauss,
    is_germ,
    is_real,
    newton,
    newton_sum,
    real,
)

Proofs = tuple[Callable[[], Any], ...]
Model = Mapping[str, Callable[..., Number]]
Random = random.Random

m = Symbol("m", integer=True, positive=True)
M = Symbol("M", integer=True, nonnegative=True)
L = Symbol("L", integer=True)
k, s, t, u, v = sp.symbols("k s t u v", integer=True)
natural = Symbol("i", integer=True, nonnegative=True)
counted = Symbol("j", integer=True, positive=True)
n = Symbol("n", integer=True, positive=True)
x, y = sp.symbols("x y", real=True)
w = Symbol("w", positive=True)
z = Symbol("z")
a, f = Function("a"), Function("f")
g = Function("g", real=True)

# Free of what is declared: the value of a function at arguments for which its definition says nothing.
FREE = 7

# How many points of a larger grid are looked at.
POINTS = 150

# How many of the statements that should not have been accepted are printed.
SHOWN = 40


@dataclass(frozen=True)
class Statement:
    """`lhs rel rhs`, with the keywords of `derive` that it needs and the proofs that may prove it.

    `judged` and `meant` are the sides and the definitions as a reader would write them, where SymPy has
    rewritten `lhs`, `rhs` or a body on the way to the kit. `models` are values of the undefined functions,
    `name` is the left side that is displayed, `lemma` an equation that is proved before, by induction over m.
    """

    shape: str
    lhs: Expr
    rel: str
    rhs: Expr
    proofs: Proofs = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    judged: tuple[Expr, Expr] | None = None
    meant: Mapping[Expr, Expr] | None = None
    models: tuple[Model, ...] | None = None
    name: Expr | str | None = None
    lemma: tuple[Expr, Expr] | None = None
    kind: str = ""

    @property
    def sides(self) -> tuple[Expr, Expr]:
        """Both sides as they are judged."""
        left, right = self.judged or (self.lhs, self.rhs)
        return sp.sympify(left), sp.sympify(right)

    @property
    def bodies(self) -> Mapping[Expr, Expr]:
        """The definitions as they are judged."""
        meant = self.given.get("define", {}) if self.meant is None else self.meant
        return {head: sp.sympify(body) for head, body in meant.items()}

    def __str__(self) -> str:
        given = "".join(f"; {key} {value}" for key, value in self.given.items() if key != "witness")
        meant = f"; judged as {self.judged} {self.meant or ''}" if self.judged or self.meant else ""
        name = f"; displayed as {self.name}" if self.name is not None else ""
        return f"{self.kind}/{self.shape}: {self.lhs} {self.rel} {self.rhs}{given}{name}{meant}"


# ---- the judge


def values_of(symbol: Symbol) -> list[Number]:
    """Values that `symbol` may have by its declaration, up to 12."""
    if symbol.is_integer:
        candidates: list[Number] = list(range(-6, 13))
    elif symbol.is_real:
        candidates = [0, 1, -1, 2, -2, 3, -3, 12, -12]
        candidates += [Fraction(*p) for p in ((1, 2), (-1, 2), (5, 3), (1, 10), (3, 10))]
    else:
        candidates = [gauss(*p) for p in ((0, 0), (1, 0), (-2, 0), (0, 1), (3, 4), (-3, -4), (0, -12))]
    return [number for number in candidates if is_declared(symbol, number)]


def is_declared(symbol: Symbol, number: Number) -> bool:
    """Whether a number is what `symbol` is declared to be."""
    if is_germ(number):
        return True  # near or far from a point: only where it is exactly would matter
    if not is_real(number):
        return not symbol.is_real
    size = real(number)
    return not (
        (symbol.is_integer and size.denominator != 1)
        or (symbol.is_positive and size <= 0)
        or (symbol.is_nonnegative and size < 0)
        or (symbol.is_negative and size >= 0)
        or (symbol.is_zero is False and size == 0)
        or (symbol.is_even and size % 2)
    )


_FUNCTIONS: dict[str, list[Callable[[Number], Number]]] = {
    "real": [lambda q: q * 2 + 1, lambda q: q * q + -3 * q + 2, lambda q: q * q * q + -1 * q],
    "positive": [lambda q: q * q + 1, lambda q: q * q * 2 + q * 2 + 3, lambda q: 5],
    "complex": [
        lambda q: q * gauss(1, 2) + 1,
        lambda q: q * q + gauss(0, 1) * q + -2,
        lambda q: q + gauss(0, -3),
    ],
}


def models_of(functions: set[Any]) -> list[Model]:
    """Three ways to give values to undefined functions."""
    kinds = {}
    for function in functions:
        example = function(Symbol("q"))
        kind = "positive" if example.is_positive else "real" if example.is_real else "complex"
        kinds[function.__name__] = kind
    return [
        {
            name: _of_all(_FUNCTIONS[kind][(way + i) % 3])
            for i, (name, kind) in enumerate(sorted(kinds.items()))
        }
        for way in range(3 if kinds else 1)
    ]


def _of_all(function: Callable[[Number], Number]) -> Callable[..., Number]:
    return lambda q, *more: function(reduce(lambda a, b: a * 3 + b, more, q))


def scopes(statement: Statement) -> Iterator[dict[Any, Any]]:
    """The points at which a statement is judged, before its assumptions are asked for."""
    bodies, assumed = statement.bodies, statement.given.get("assume", {})
    symbols, functions = set[Symbol](), set[Any]()
    for side in statement.sides:
        symbols |= side.free_symbols
        symbols |= {x for derivative in side.atoms(Derivative) for x in derivative.variables}
        functions |= {call.func for call in side.atoms(AppliedUndef)}
    for head, body in bodies.items():
        symbols |= body.free_symbols - set(head.args)
        functions |= {call.func for call in body.atoms(AppliedUndef)}
    for fact in assumed.values():
        relation, own = (fact.relation, {fact.index}) if isinstance(fact, Every) else (fact, set())
        symbols |= relation.free_symbols - own
        functions |= {call.func for call in relation.atoms(AppliedUndef)}
    symbols -= set(bodies)
    functions -= {head.func for head in bodies}
    ordered = sorted(symbols, key=lambda symbol: (symbol.name, str(sorted(symbol.assumptions0.items()))))
    models = statement.models or models_of(functions)
    grid = list(itertools.product(models, *map(values_of, ordered)))
    for point in random.Random(0).sample(grid, min(POINTS, len(grid))):
        scope = dict(zip(ordered, point[1:], strict=True)) | dict(point[0])
        for head, body in bodies.items():
            _define(scope, head, body)
        yield scope


def _define(scope: dict[Any, Any], head: Expr, body: Expr) -> None:
    if isinstance(head, Symbol):
        scope[head] = compiled(body)(scope)
        return

    def function(*args: Number) -> Number:
        inside = dict(zip(head.args, args, strict=True))
        if not all(itertools.starmap(is_declared, inside.items())):
            return FREE
        return compiled(body)(scope | inside)

    scope[head.func.__name__] = function


def is_admitted(statement: Statement, scope: dict[Any, Any]) -> bool:
    """Whether all assumptions hold at a point; those for every index, at the first 20 of them."""
    for fact in statement.given.get("assume", {}).values():
        if isinstance(fact, Every):
            first = -10 if fact.first is None else compiled(sp.sympify(fact.first))(scope)
            indices = [first + i for i in range(20) if is_declared(fact.index, first + i)]
            at = [scope | {fact.index: i} for i in indices]
            relation = fact.relation
        else:
            at, relation = [scope], fact
        try:
            if not all(_holds(relation.rel_op, *_both(relation.args, point)) for point in at):
                return False
        except (NoValueError, NonexistentError):
            return False
    return True


def _both(sides: tuple[Expr, Expr], scope: dict[Any, Any]) -> tuple[Number, Number]:
    return compiled(sides[0])(scope), compiled(sides[1])(scope)


def _holds(rel: str, left: Number, right: Number) -> bool:
    difference = left + right * -1
    if rel in ("==", "!="):
        return bool(difference) == (rel == "!=")
    if not is_real(difference):
        return False
    size = real(difference) * (1 if rel.startswith(">") else -1)
    return size > 0 or (size == 0 and rel.endswith("="))


@dataclass(frozen=True)
class Verdict:
    """At how many points a statement held, and a point that refutes it."""

    held: int
    refuted_at: Mapping[Any, Any] | None


def judge(statement: Statement) -> Verdict:
    """Evaluate both sides exactly, wherever they are defined and all assumptions hold.

    If no values satisfy the assumptions, anything follows from them, and a derivation that accepts them as
    consistent is asked for the truth of its theorem without them.
    """
    points = list(scopes(statement))
    admitted = [scope for scope in points if is_admitted(statement, scope)]
    held = 0
    for scope in admitted or points:
        try:
            left, right = _both(statement.sides, scope)
        except NoValueError:
            continue
        except NonexistentError:
            return Verdict(held, scope)
        if not _holds(statement.rel, left, right):
            return Verdict(held, scope)
        held += 1
    return Verdict(held if admitted else 0, None)


# ---- the trial


@dataclass(frozen=True)
class Trial:
    """Which proof accepted a statement, if any, and what was raised that should not be."""

    accepted: str = ""
    fault: str = ""


def proofs_of(statement: Statement) -> list[Callable[[], Any]]:
    """The proof objects that are tried, each still to be made: its constructor may refuse it."""
    symbols = statement.lhs.free_symbols | sp.sympify(statement.rhs).free_symbols
    over = [symbol for symbol in (m, M) if symbol in symbols and statement.rel == "=="]
    return [*statement.proofs, Identity, *(partial(Induction, symbol) for symbol in over)]


def in_one_step(statement: Statement, proof: Callable[[], Any]) -> str:
    """Prove a statement by one proof object, with its lemma if it has one; the proof in words."""
    by, given = proof(), dict(statement.given)
    if statement.lemma is not None:
        left, right = statement.lemma
        lemma = derive("lemma").start(left).step("==", right, by=Induction(m))
        given["lemmas"] = {"lemma": lemma.qed((left, "==", right))}
    chain = derive("fuzz", **given).start(statement.lhs, lhs=statement.name)
    chain.step(statement.rel, statement.rhs, by=by)  # type: ignore[arg-type]
    chain.qed((statement.lhs, statement.rel, statement.rhs))
    return str(by)


def in_two_steps(statement: Statement, proof: Callable[[], Any]) -> str:
    """Move the index of a sum by 1 as a lemma, use it, and prove the statement about the moved sum."""
    i, lo, hi = statement.lhs.limits[0]
    moved = Sum(statement.lhs.function.subs(i, i + 1), (i, lo - 1, hi - 1))
    lemma = derive("moved", **statement.given).start(statement.lhs)
    lemma.step("==", moved, by=Reindex(i, i + 1)).qed((statement.lhs, "==", moved))
    chain = derive("fuzz", **statement.given, lemmas={"moved": lemma})
    chain.start(statement.lhs, lhs=statement.name)
    chain.step("==", moved, by=Certificate((1, "moved")))
    chain.step(statement.rel, statement.rhs, by=proof())  # type: ignore[arg-type]
    chain.qed((statement.lhs, statement.rel, statement.rhs))
    return f"a moved sum, {proof()}"


def attempts(statement: Statement) -> Iterator[Callable[[], str]]:
    """All ways in which a statement may be proved."""
    proofs = proofs_of(statement)
    yield from (partial(in_one_step, statement, proof) for proof in proofs)
    if isinstance(statement.lhs, Sum) and len(statement.lhs.limits) == 1 and statement.lemma is None:
        yield partial(in_two_steps, statement, proofs[-1])


def trial(statement: Statement) -> Trial:
    """Try every proof of a statement on the kit."""
    for attempt in attempts(statement):
        try:
            return Trial(attempt())
        except (RefusedError, ValueError, TypeError):
            continue
        except Exception as error:  # what the kit promises to raise is above
            return Trial(fault=f"{type(error).__name__}: {error} in {statement}")
    return Trial()


# ---- parts of statements


def constant(rng: Random, low: int = -3, high: int = 3) -> int:
    return rng.choice([c for c in range(low, high + 1) if c])


def polynomial(rng: Random, at: Expr, degree: int = 2) -> Expr:
    """A polynomial that is not constant, with whole coefficients up to 3."""
    powers = rng.randint(1, degree)
    return (
        sum((rng.randint(-3, 3) * at**i for i in range(powers)), sp.Integer(0)) + constant(rng) * at**powers
    )


def range_from(rng: Random, lo: int) -> tuple[Expr, dict[str, Any]]:
    """An upper limit for a sum from `lo`, and what has to be assumed about it."""
    way = rng.choice("mmM" if lo > 2 else "mmML")
    if way == "L":
        return L, {"assume": {"long enough": sp.Ge(L, rng.randint(max(lo - 1, -3), 3))}}
    symbol, least = (m, 1) if way == "m" else (M, 0)
    return symbol + rng.randint(max(lo - 1 - least, -3), 3), {}


def index(rng: Random, lo: int) -> Symbol:
    """An index that starts at `lo`, declared by its sign or not."""
    allowed = [u, u, natural] if lo >= 0 else [u]
    return rng.choice([*allowed, counted] if lo >= 1 else allowed)


def closed(body: Expr, i: Symbol, lo: Expr | int, hi: Expr) -> Expr:
    """The closed form of the sum of a polynomial, by interpolation of its terms."""
    terms = [sp.expand(body.subs(i, lo + j)) for j in range(7)]
    return sp.expand(newton_sum(map(sp.expand, newton(terms)), hi - lo + 1))


def continued(body: Expr, i: Symbol, lo: int, hi: Expr) -> Expr:
    """What the sum of `body` is for large upper limits, continued as a polynomial."""
    early = sum((body.subs(i, j) for j in range(lo, 8)), sp.Integer(0))
    return sp.expand(early + closed(body, i, 8, hi))


def kink(rng: Random, at: Expr) -> Expr:
    """Something with a kink or a jump, and polynomials around it."""
    inner = rng.choice([Abs(at), Abs(at), Abs(at + constant(rng)), sp.sign(at), sp.sqrt(at**2)])
    return constant(rng) * inner + rng.randint(-3, 3) * at + rng.randint(0, 2)


def perturbed(rng: Random, true: Statement) -> Statement:
    """A true statement with one thing changed."""
    rhs = sp.sympify(true.rhs)
    way, symbols = rng.randrange(5), sorted(rhs.free_symbols, key=str)
    if way == 0 and symbols and not rhs.has(Sum, Derivative, Integral):
        symbol = rng.choice(symbols)
        rhs = rhs.subs(symbol, symbol + 1)
    elif way == 1 and rhs.is_Add:
        rhs -= rng.choice(rhs.args)
    elif way == 2 and rhs != 0:
        rhs *= rng.choice([-1, 2, 3])
    elif way == 3 and isinstance(rhs, Sum):
        i, lo, hi = rhs.limits[0]
        rhs = Sum(rhs.function, (i, lo, hi + 1), *rhs.limits[1:])
    elif rng.random() < 0.5 and symbols:
        rhs += constant(rng) * rng.choice(symbols)
    else:
        rhs += constant(rng) * (1 if true.rel == "==" else 3 if true.rel == ">=" else -3)
    return replace(true, rhs=rhs)


# ---- sums


def sum_closed(rng: Random) -> Statement:
    lo = rng.randint(-3, 3)
    i, (hi, given) = index(rng, lo), range_from(rng, lo)
    body = polynomial(rng, i) * rng.choice([1, 1, x])
    return Statement("closed form", Sum(body, (i, lo, hi)), "==", closed(body, i, lo, hi), given=given)


def sum_telescoping(rng: Random) -> Statement:
    lo = rng.randint(-3, 3)
    i, (hi, given) = index(rng, lo), range_from(rng, lo)
    of = rng.choice(
        [a, lambda q: 2**q, lambda q: x * q**3, lambda q: sp.Integer(1) / (q + 4), lambda q: q * a(q)]
    )
    return Statement(
        "telescoping", Sum(of(i + 1) - of(i), (i, lo, hi)), "==", of(hi + 1) - of(lo), given=given
    )


def sum_split(rng: Random) -> Statement:
    lo = rng.randint(-3, 1)
    middle = rng.randint(lo, 2)
    hi, body = m + rng.randint(max(middle - 1, 0), 3), rng.choice([a(u), kink(rng, u), a(u) * Abs(u)])
    parts = Sum(body, (u, lo, middle)) + Sum(body, (u, middle + 1, hi))
    return Statement("split", Sum(body, (u, lo, hi)), "==", parts)


def sum_nested(rng: Random) -> Statement:
    first, lo = rng.randint(-2, 2), rng.randint(-2, 2)
    shift = rng.randint(max(first - 1 - lo, -3), 3)
    hi, given = range_from(rng, lo)
    body = polynomial(rng, u) + rng.choice([0, v])
    inner = closed(body, u, first, v + shift)
    outer = closed(inner, v, lo, hi)
    return Statement("nested", Sum(body, (u, first, v + shift), (v, lo, hi)), "==", outer, given=given)


def sum_shifting(rng: Random) -> Statement:
    c, length = rng.randint(-3, 3), rng.choice([m, M]) + rng.randint(0, 3)
    body, lo = polynomial(rng, u), L + c
    return Statement("both limits", Sum(body, (u, lo, lo + length)), "==", closed(body, u, lo, lo + length))


def sum_of_kinks(rng: Random) -> Statement:
    lo, body = rng.randint(-3, -1), kink(rng, u)
    hi = m + rng.randint(2, 3)
    early = sum((body.subs(u, j) for j in range(lo, 4)), sp.Integer(0))
    return Statement("kinks", Sum(body, (u, lo, hi)), "==", sp.expand(early + closed(body, u, 4, hi)))


def sum_geometric(rng: Random) -> Statement:
    lo = rng.randint(0, 3)
    i, (hi, given) = index(rng, lo), range_from(rng, lo)
    q = rng.choice([x, w, sp.Integer(2), sp.Integer(3), sp.Integer(-1)])
    return Statement("geometric", (1 - q) * Sum(q**i, (i, lo, hi)), "==", q**lo - q ** (hi + 1), given=given)


def sum_by_lemma(rng: Random) -> Statement:
    lo, at = rng.randint(-3, 3), rng.choice([M + 1, 2 * m, m + M, m + 3])
    hi = m + rng.randint(max(lo - 2, -3), 3)
    body = polynomial(rng, u)
    left, right = Sum(body, (u, lo, hi)), closed(body, u, lo, hi)
    return _at(at, left, right)


def _at(at: Expr, left: Expr, right: Expr) -> Statement:
    proof = lambda: Certificate((1, ("lemma", {m: at})))  # noqa: E731
    return Statement("lemma", left.subs(m, at), "==", right.subs(m, at), (proof,), lemma=(left, right))


def trap_lemma_elsewhere(rng: Random) -> Statement:
    """A lemma at values that its symbol may not have."""
    at, lo, body = rng.choice([M, L, -m, M - 1, 2 - m, m - 2]), rng.randint(-3, -1), kink(rng, u)
    left = Sum(body, (u, lo, m)) + rng.choice([0, 1]) * Abs(m)
    return _at(at, left, continued(body, u, lo, m) + left - Sum(body, (u, lo, m)))


def trap_early_range(rng: Random) -> Statement:
    """The closed form for large limits, claimed from the first on."""
    lo, body = rng.randint(-3, 1), kink(rng, u)
    hi, given = rng.choice(
        [
            (L, {"assume": {"long enough": sp.Ge(L, rng.randint(lo - 1, 1))}}),
            (m + rng.randint(max(lo - 2, -3), 0), {}),
            (M + rng.randint(max(lo - 1, -3), 0), {}),
        ]
    )
    return Statement("early range", Sum(body, (u, lo, hi)), "==", continued(body, u, lo, hi), given=given)


def trap_early_inner_range(rng: Random) -> Statement:
    """The closed form of an inner sum for large limits, summed up from the first on."""
    first = rng.randint(-3, 0)
    lo = rng.randint(first - 1, 0)
    body, (hi, given) = kink(rng, u), range_from(rng, lo)
    claim = closed(continued(body, u, first, v), v, lo, hi)
    return Statement("early inner range", Sum(body, (u, first, v), (v, lo, hi)), "==", claim, given=given)


def trap_as_if_positive(rng: Random) -> Statement:
    """A sum with a kink, as the sum of what its terms are from 1 on and a correction for the earlier ones."""
    lo = rng.randint(-3, 0)
    body = kink(rng, u)
    hi, given = rng.choice(
        [range_from(rng, lo), (L, {"assume": {"long enough": sp.Ge(L, rng.randint(max(lo - 1, -3), 1))}})]
    )
    later = body.subs(u, counted).subs(counted, u)
    correction = sum((body.subs(u, j) - later.subs(u, j) for j in range(lo, 1)), sp.Integer(0))
    return Statement(
        "as if positive", Sum(body, (u, lo, hi)), "==", Sum(later, (u, lo, hi)) + correction, given=given
    )


def trap_as_if_natural(rng: Random) -> Statement:
    """The same, with a symbol in the lower limit."""
    lo, c = M - rng.randint(1, 3), constant(rng)
    given = {"assume": {"long enough": sp.Ge(L, lo - 1)}}
    correction = sum((c * (Abs(lo + i) - lo - i) for i in range(int(M - lo))), sp.Integer(0))
    lhs, rhs = Sum(c * Abs(u), (u, lo, L)), Sum(c * u, (u, lo, L)) + correction
    return Statement("as if natural", lhs, "==", rhs, given=given)


def trap_reserved_name(rng: Random) -> Statement:
    """An index of the name that a normal form may give to another one."""
    outer = Symbol(f"#{rng.randint(0, 1)}", integer=True, positive=True)
    b = Function("b")
    ways: list[Callable[[Expr, Expr], Expr]] = [lambda p, q: Abs(p - q), b, lambda p, q: 2 ** (p * q)]
    between = rng.choice(ways)
    lhs = Sum(Sum(between(u, outer), (u, 1, m)), (outer, 1, m))
    return Statement("reserved name", lhs, "==", m * Sum(between(v, v), (v, 1, m)))


def trap_zero_to_the_zero(rng: Random) -> Statement:
    """0**0 is 1, and only in a sum that has this term."""
    body, hi = sp.Integer(0) ** u, rng.choice([L, M - 1, m - 2])
    given = {"assume": {"long enough": sp.Ge(L, -1)}} if hi == L else {}
    return Statement("0**0", Sum(body, (u, 0, hi)), "==", sp.Integer(1), given=given)


# ---- re-indexings


def _image_shift(rng: Random) -> Expr:
    return rng.choice([sp.Integer(rng.randint(-3, 3)), m, m + constant(rng)])


def reindexed(rng: Random) -> Statement:
    lo = rng.randint(-3, 3)
    i, (hi, given) = index(rng, lo), range_from(rng, lo)
    body = rng.choice([a(i), polynomial(rng, i), a(i) * i, kink(rng, i), x * a(i + 1)])
    shift = _image_shift(rng)
    turned = rng.random() < 0.6
    image = shift - u if turned else u + shift
    limits = (u, shift - hi, shift - lo) if turned else (u, lo - shift, hi - shift)
    plain = body.subs(i, s)  # where SymPy has used the sign of the index, it may: both sums have these terms
    image_of_i = image.subs(u, i)
    proofs: Proofs = (lambda: Reindex(i, image_of_i), lambda: Reindex(u, image), lambda: Reindex(n, k - n))
    return Statement("moved", Sum(body, (i, lo, hi)), "==", Sum(plain.subs(s, image), limits), proofs, given)


def reindexed_twice(rng: Random) -> Statement:
    shift, hi, c = rng.randint(-3, 3), m + rng.randint(0, 3), constant(rng)
    image = shift - u
    lhs = Sum(a(u) * u, (u, 0, hi)) + c * Sum(a(u), (u, 1, hi))
    first = Sum(a(image) * image, (u, shift - hi, shift))
    rhs = first + c * Sum(a(image), (u, shift - hi, shift - 1))
    return Statement("moved twice", lhs, "==", rhs, (lambda: Reindex(u, image),))


def trap_slope(rng: Random) -> Statement:
    """A slope of size 1 that is neither 1 nor -1, or another slope, used as if it were -1 or 1."""
    lo, hi = rng.choice([(-m, m), (1, m), (0, M), (-M, M), (-m, 0)])
    slope = rng.choice(
        [
            I, -I, (-1) ** u, sp.Integer(2), sp.Integer(-2), sp.Rational(1, 2), (-1) ** k, sp.Float(1),
            sp.Float(-1), sp.Rational(3, 5) + 4 * I / 5, sp.sign(Symbol("q", real=True, nonzero=True)),
        ]
    )  # fmt: skip
    body = rng.choice([u**2, u, u**3 + u, polynomial(rng, u), x * u])
    image = slope * u
    limits = rng.choice([(u, -hi, -lo), (u, lo, hi)])
    claim = Sum(sp.expand(body.subs(u, image)), limits)
    proofs: Proofs = (lambda: Reindex(u, image), lambda: Reindex(u, -image))
    return Statement("slope", Sum(body, (u, lo, hi)), "==", claim, proofs)


def trap_sign_of_index(rng: Random) -> Statement:
    """An index that is declared by its sign is replaced by what has another sign."""
    i = rng.choice([natural, counted])
    lo = 1 if i == counted else rng.randint(0, 1)
    body, hi = kink(rng, i - rng.randint(0, 3)), m + rng.randint(0, 3)
    shift = rng.randint(-3, 3)
    image, limits = rng.choice(
        [(shift - i, (u, shift - hi, shift - lo)), (i + shift, (u, lo - shift, hi - shift))]
    )
    claim = Sum(body.subs(i, image).subs(i, u), limits)
    return Statement("sign of the index", Sum(body, (i, lo, hi)), "==", claim, (lambda: Reindex(i, image),))


# ---- derivatives

_POWERS = range(4)


def _coefficients(rng: Random) -> list[int]:
    return [rng.randint(-3, 3) for _ in _POWERS]


def _from(coefficients: list[Any], at: Expr) -> Expr:
    return sum((c * at**i for i, c in zip(_POWERS, coefficients, strict=True)), sp.Integer(0))


def _slope(coefficients: list[Any], at: Expr) -> Expr:
    """The derivative of a polynomial, by its coefficients."""
    return sum((i * c * at ** (i - 1) for i, c in enumerate(coefficients) if i), sp.Integer(0))


def derivative_of_product(rng: Random) -> Statement:
    p, at = _coefficients(rng), rng.choice([x, w])
    of = rng.choice([f, g])
    rule = _slope(p, at) * of(at) + _from(p, at) * Derivative(of(at), at)
    return Statement("product", Derivative(_from(p, at) * of(at), at), "==", rule)


def derivative_of_polynomials(rng: Random) -> Statement:
    p, q, at = _coefficients(rng), _coefficients(rng), rng.choice([x, w])
    rule = sp.expand(_slope(p, at) * _from(q, at) + _from(p, at) * _slope(q, at))
    return Statement("polynomials", Derivative(_from(p, at) * _from(q, at), at), "==", rule)


def derivative_of_sum(rng: Random) -> Statement:
    p, c = _coefficients(rng), constant(rng)
    weight, (hi, given) = rng.choice([u, c * u + 1, a(u)]), range_from(rng, 1)
    inside, rule = Sum(weight * _from(p, x), (u, 1, hi)), Sum(weight * _slope(p, x), (u, 1, hi))
    return Statement("sum", Derivative(inside, x), "==", rule, given=given)


def derivative_of_quotient(rng: Random) -> Statement:
    p, below = _coefficients(rng), x**2 + rng.randint(1, 3)
    rule = (_slope(p, x) * below - 2 * x * _from(p, x)) / below**2
    return Statement("quotient", Derivative(_from(p, x) / below, x), "==", rule)


def derivative_of_parts(rng: Random) -> Statement:
    p, part = _coefficients(rng), rng.choice([sp.re, sp.im, sp.conjugate, Abs])
    inside = part(z) * _from(p, x)
    return Statement("real and imaginary parts", Derivative(inside, x), "==", part(z) * _slope(p, x))


def derivative_with_sign(rng: Random) -> Statement:
    p = _coefficients(rng)
    flat = rng.choice([Abs(y), sp.sign(y), sp.floor(y), Abs(g(y))])
    rule = flat * (_slope(p, x) * f(x) + _from(p, x) * Derivative(f(x), x))
    return Statement("kinks elsewhere", Derivative(flat * _from(p, x) * f(x), x), "==", rule)


def least(rng: Random) -> Statement:
    at, c, weight = rng.randint(-3, 3), rng.randint(0, 3), rng.choice([sp.Integer(1), w, M])
    bowl = Sum(weight * (x - at) ** 2, (u, 1, m))
    rhs = -c * at**2 + 2 * c * at * x - c * x**2
    proof = lambda: Minimum(x, at, 2 * m * weight + 2 * c)  # noqa: E731
    return Statement("minimum", bowl, ">=", sp.expand(rhs), (proof,))


def antiderivative(rng: Random) -> Statement:
    p, lo, hi = _coefficients(rng), rng.randint(-3, 3), rng.choice([sp.Integer(3), m, M, x])
    value = _from(p, hi) - _from(p, lo)
    proof = lambda: Antiderivative(_from(p, y))  # noqa: E731
    return Statement("antiderivative", Integral(_slope(p, y), (y, lo, hi)), "==", value, (proof,))


def trap_kink(rng: Random) -> Statement:
    """The rule for smooth functions, at a kink or a jump."""
    at = rng.choice([x, z, x])
    sharp = rng.choice(
        [
            Abs(at), at * sp.sign(at), sp.conjugate(at), sp.re(at), sp.im(at), Abs(at) ** 2, sp.sign(at),
            Abs(at + constant(rng)), sp.floor(at), sp.sqrt(at**2), sp.floor(at) * at, at * Abs(at),
        ]
    )  # fmt: skip
    of = rng.choice([f, g])
    inside = rng.choice([sharp * of(at), sharp + of(at), of(at) * (sharp + 1), sharp, sharp * at])
    rule = sp.diff(inside, at)
    return Statement("kink", Derivative(inside, at), "==", rule)


def trap_kink_of_unknown(rng: Random) -> Statement:
    """A kink in the value of an undefined function."""
    at, of = rng.choice([(x, g), (x, f), (z, f), (w, g)])
    inside = rng.choice([Abs(of(at)), sp.conjugate(of(at)), sp.re(of(at)), sp.sign(of(at)) * of(at)])
    inside = inside * rng.choice([sp.Integer(1), at, constant(rng) * at**2])
    return Statement("kink of an unknown", Derivative(inside, at), "==", sp.diff(inside, at))


def trap_minimum(rng: Random) -> Statement:
    """A minimum of what jumps, at a place that is not allowed, or with a slope that is negative."""
    at, c = rng.randint(-3, 3), constant(rng)
    variable = rng.choice([x, w, m])
    sharp = rng.choice([sp.Integer(0), sp.floor(variable), sp.sign(variable), -Abs(variable - at)])
    lhs = c * (variable - at) ** 2 + sharp + Sum(0 * u, (u, 1, 2))
    rhs = sharp.subs(variable, at) + rng.choice([0, 1])
    proofs: Proofs = (lambda: Minimum(variable, at, 2 * c), lambda: Minimum(variable, at, 2 * abs(c)))
    return Statement("no minimum", lhs, ">=", rhs, proofs)


def trap_antiderivative(rng: Random) -> Statement:
    """An antiderivative that jumps or has a kink between the limits."""
    lo, hi, p = rng.randint(-3, 0), rng.randint(1, 3), _coefficients(rng)
    jump = constant(rng) * rng.choice([sp.sign(y), sp.floor(y), sp.sign(y - 1), Abs(y)])
    value = (_from(p, y) + jump).subs(y, hi) - (_from(p, y) + jump).subs(y, lo)
    proof = lambda: Antiderivative(_from(p, y) + jump)  # noqa: E731
    return Statement("jump", Integral(_slope(p, y), (y, lo, hi)), "==", value, (proof,))


def trap_float_in_proof(rng: Random) -> Statement:
    """A number in the proof that is rounded, for a statement that is off by less than that."""
    tenth, off = rng.choice([1, 3]), sp.Rational(1, 10 ** rng.choice([20, 30]))
    rounded, c = sp.Float(tenth / 10), rng.randint(1, 3)
    if rng.random() < 0.5:
        bowl = sp.expand((x - sp.Rational(tenth, 10)) ** 2) + Sum(0 * u, (u, 1, c))
        proof: Any = lambda: Minimum(x, rounded, 2)  # noqa: E731
        return Statement("float in the proof", bowl, ">=", off, (proof,))
    area, value = Integral(sp.Rational(tenth, 5) * y, (y, 0, c)), sp.Rational(tenth * c**2, 10) + off
    proof = lambda: Antiderivative(rounded * y**2)  # noqa: E731
    return Statement("float in the proof", area, "==", value, (proof,))


# ---- definitions

F, G = Function("F"), Function("G")


def definition_in_sum(rng: Random) -> Statement:
    lo = rng.randint(0, 3)
    argument, (hi, given) = (
        rng.choice([s, s, natural, counted] if lo else [s, s, natural]),
        range_from(rng, lo),
    )
    body = polynomial(rng, argument)
    plain = body.subs(argument, u)
    given = {**given, "define": {F(argument): body}}
    return Statement("sum", Sum(F(u), (u, lo, hi)), "==", closed(plain, u, lo, hi), given=given)


def definition_of_constant(rng: Random) -> Statement:
    c = Symbol("c", **rng.choice([{}, {"positive": True}, {"integer": True}, {"real": True}]))
    size, hi = rng.randint(1, 3), m + rng.randint(0, 3)
    body = polynomial(rng, u, 1)
    define: dict[str, Any] = {"define": {c: size}}
    return Statement("constant", c * Sum(body, (u, 1, hi)), "==", size * closed(body, u, 1, hi), given=define)


def definition_of_difference(rng: Random) -> Statement:
    p, lo = polynomial(rng, s, 3), rng.randint(-3, 3)
    hi, given = range_from(rng, lo)
    given = {**given, "define": {F(s): p, G(s): F(s + 1) - F(s)}}
    return Statement("differences", Sum(G(u), (u, lo, hi)), "==", F(hi + 1) - F(lo), given=given)


def definition_by_sum(rng: Random) -> Statement:
    body, at = polynomial(rng, u), rng.choice([m, m + 1, 2 * m])
    given = {"define": {F(counted): Sum(body, (u, 1, counted))}}
    return Statement("partial sums", F(at), "==", closed(body, u, 1, at), given=given)


def definition_of_declared(rng: Random) -> Statement:
    H = Function("H", **rng.choice([{"positive": True}, {"real": True}, {"nonnegative": True}]))
    c = rng.randint(1, 3)
    body, lo = s**2 + c, rng.randint(-3, 3)
    hi, given = range_from(rng, lo)
    given = {**given, "define": {H(s): body}}
    inside, plain = H(u) + 2, body.subs(s, u) + 2
    return Statement("declared", Sum(inside, (u, lo, hi)), "==", closed(plain, u, lo, hi), given=given)


def definition_with_other_names(rng: Random) -> Statement:
    weight = polynomial(rng, t, 1)
    given = {"define": {F(x): Sum(x * weight, (t, 1, m))}}
    return Statement("capture", F(k), "==", k * Sum(weight, (t, 1, m)), given=given)


def displayed(rng: Random) -> Statement:
    body, hi = polynomial(rng, u), m + rng.randint(0, 3)
    lhs = Sum(body, (u, 1, hi))
    return Statement("name", lhs, "==", closed(body, u, 1, hi), name="S_m")


_CONTRADICTIONS: list[tuple[dict[str, bool], list[Any], Callable[[Symbol], Expr]]] = [
    ({"positive": True}, [-1, -2, -3], lambda h: Abs(h, evaluate=False)),
    ({"positive": True}, [0], lambda h: sp.Add(1, sp.sign(h, evaluate=False), evaluate=False)),
    ({"nonnegative": True}, [-1, -2], lambda h: Abs(h, evaluate=False)),
    ({"negative": True}, [1, 2], lambda h: Abs(h, evaluate=False)),
    ({"integer": True}, [sp.Rational(1, 2), sp.Rational(-3, 2)], lambda h: sp.floor(h, evaluate=False)),
    ({"real": True}, [I, 1 + 2 * I], lambda h: sp.conjugate(h, evaluate=False)),
    ({"real": True}, [I, -3 * I], lambda h: sp.re(h, evaluate=False)),
    ({"imaginary": True}, [1, 2], lambda h: sp.re(h, evaluate=False)),
    ({"even": True, "integer": True}, [1, 3], lambda h: sp.Pow(-1, h, evaluate=False)),
    ({"zero": True}, [1, 2], lambda h: sp.sign(h, evaluate=False)),
]


def trap_contradiction(rng: Random) -> Statement:
    """A definition that contradicts the declaration of its head; SymPy has used the declaration already."""
    declared, bodies, raw = rng.choice(_CONTRADICTIONS)
    body, hi = sp.sympify(rng.choice(bodies)), m + rng.randint(0, 2)
    if rng.random() < 0.5:
        head: Expr = Symbol("h", **declared)
    else:
        head = Function("H", **declared)(s)
    h = head if isinstance(head, Symbol) else head.subs(s, u)
    meant = raw(h)
    total = sp.expand(meant.doit().subs(h, body)) * hi
    return Statement(
        "contradiction",
        Sum(meant.doit(), (u, 1, hi)),
        "==",
        total,
        given={"define": {head: body}},
        judged=(Sum(meant, (u, 1, hi)), total),
    )


def trap_contradiction_somewhere(rng: Random) -> Statement:
    """A definition that contradicts the declaration of its head at some arguments only."""
    kind = rng.choice([{"positive": True}, {"nonnegative": True}])
    H, lo = Function("H", **kind), rng.randint(-3, 2)
    body = rng.choice([s, s - 1, s**2 - 2, x + s, (-1) ** s])
    hi, given = range_from(rng, lo)
    total = Sum(body.subs(s, u), (u, lo, hi))
    meant = Sum(Abs(H(u), evaluate=False), (u, lo, hi))
    given = {**given, "define": {H(s): body}}
    return Statement(
        "contradiction somewhere", Sum(H(u), (u, lo, hi)), "==", total, given=given, judged=(meant, total)
    )


def trap_argument(rng: Random) -> Statement:
    """A definition for arguments that are declared by their sign, used at others."""
    argument = rng.choice([natural, counted, Symbol("r", positive=True)])
    c = rng.randint(0, 3)
    raw = c + Abs(argument, evaluate=False)
    lo = rng.randint(-3, -1)
    hi, given = range_from(rng, lo)
    claim = Sum(c + u, (u, lo, hi))
    return Statement(
        "argument",
        Sum(F(u), (u, lo, hi)),
        "==",
        claim,
        given={**given, "define": {F(argument): c + argument}},
        meant={F(argument): raw},
    )


def trap_kind_of_argument(rng: Random) -> Statement:
    """A definition for whole or real arguments, used at others."""
    argument, raw, at = rng.choice(
        [
            (k, sp.floor(k, evaluate=False), x),
            (k, sp.Pow(-1, 2 * k, evaluate=False), x),
            (y, sp.conjugate(y, evaluate=False), z),
            (y, sp.re(y, evaluate=False), z),
        ]
    )
    body = raw.doit()
    given, meant = {"define": {F(argument): body}}, {F(argument): raw}
    lhs = Sum(F(at), (u, 1, m))
    return Statement("kind of argument", lhs, "==", body.subs(argument, at) * m, given=given, meant=meant)


def trap_capture(rng: Random) -> Statement:
    """A value that an index of its name would capture."""
    given = {"define": {F(x): Sum(x * t, (t, 1, m))}}
    return Statement("capture", F(t), "==", Sum(t**2, (t, 1, m)), given=given)


def trap_bound_head(rng: Random) -> Statement:
    """A head of the name of an index, which is bound and has nothing to do with the definition."""
    c, other = constant(rng), Symbol("q", integer=True, positive=True)
    head, body, lhs, claim = rng.choice(
        [
            (u, k, Sum(c * u * k, (u, 1, m)), closed(c * k**2, k, 1, m)),
            (u, k, Sum(a(u - k), (u, 1, m)), m * a(0)),
            (n, other, Limit(Sum(c * other, (u, 1, m)) / n, n, oo), c * m),
            (y, x, Integral(c * x * y, (y, 0, 1)), sp.Rational(c, 3)),
        ]
    )
    proof = lambda: Antiderivative(c * x**3 / 3)  # noqa: E731
    return Statement("bound head", lhs, "==", claim, (proof,), given={"define": {head: body}})


def trap_displayed(rng: Random) -> Statement:
    """A left side that is displayed, and is not what the chain begins with."""
    body, hi = polynomial(rng, u), m + rng.randint(0, 3)
    lhs, shown = Sum(body, (u, 1, hi)), rng.choice([m, m**2, x**2, m + 1, Sum(u, (u, 1, m))])
    value = closed(body, u, 1, hi)
    name = shown if rng.random() < 0.5 else sp.latex(shown)
    return Statement("displayed", lhs, "==", value, name=name, judged=(shown, value))


# ---- limits


def limit_of_quotients(rng: Random) -> Statement:
    total = Sum(polynomial(rng, u), (u, 1, m)) * rng.choice([1, x])
    rest = sum((rng.randint(-3, 3) * rng.choice([1, x, w]) / n**i for i in (1, 2)), sp.Integer(0))
    return Statement("quotients", Limit(total + rest, n, oo), "==", total)


def limit_of_sum(rng: Random) -> Statement:
    c, shift = constant(rng), rng.randint(0, 3)
    lhs = Limit(Sum(c * x, (u, 1, n + shift)) / n + rng.randint(-3, 3) / n, n, oo)
    return Statement("sum", lhs, "==", c * x)


def limit_of_means(rng: Random) -> Statement:
    c, d = constant(rng), rng.randint(-3, 3)
    return Statement("mean", Limit(Sum(c * u + d, (u, 1, n)) / n**2, n, oo), "==", sp.Rational(c, 2))


def limit_of_tanh(rng: Random) -> Statement:
    slope, sign = rng.choice([(w, 1), (-w, -1), (2 * w + 1, 1), (m, 1), (-m, -1), (sp.Integer(3), 1)])
    total = Sum(polynomial(rng, u), (u, 1, m))
    inside = total * sp.tanh(slope * n + rng.randint(-3, 3)) + rng.randint(-3, 3) / n
    return Statement("tanh", Limit(inside, n, oo), "==", sign * total)


def limit_of_shrinking(rng: Random) -> Statement:
    total = Sum(polynomial(rng, u), (u, 1, m))
    inside = total * (1 + sp.Rational(constant(rng, 1), rng.randint(4, 7)) ** n)
    return Statement("powers", Limit(inside, n, oo), "==", total)


def limit_from_above(rng: Random) -> Statement:
    total, c = Sum(polynomial(rng, u), (u, 1, m)), constant(rng, 1)
    proof = lambda: Limiting(n, Certificate((1, c / n)))  # noqa: E731
    return Statement("from above", Limit(total + c / n, n, oo), ">=", total, (proof,))


def limit_of_definition(rng: Random) -> Statement:
    c, d = rng.randint(-3, 3), constant(rng)
    given = {"define": {F(counted): x + sp.Integer(d) / counted}}
    return Statement("definition", Limit(c * F(n) + d, n, oo), "==", c * x + d, given=given)


def trap_generic(rng: Random) -> Statement:
    """A limit that holds for most values of a parameter only."""
    c, d, b = constant(rng), rng.randint(0, 3), rng.choice([x, Symbol("r", nonnegative=True), L, M])
    inside, claim = rng.choice(
        [
            (c * sp.tanh(b * n), c),
            (c * sp.tanh(b**2 * n), c),
            (c * n * b**2 / (1 + n * b**2), c),
            (c / (1 + n * b**2), 0),
            (c * b / (b + n) + c, c),
            (c * sp.Rational(1, 2) ** (b * n), 0),
            (c * b**n, 0),
            (c * b**2 * n / n + c / n**2, 0),
            (c * sp.tanh(b * n - d * n), c),
            (c * n ** (-b), 0),
            (c / n ** (d * M), 0),
        ]
    )
    total = Sum(u, (u, 1, m))
    return Statement("generic parameter", Limit(inside * total, n, oo), "==", claim * total)


def trap_interchanged(rng: Random) -> Statement:
    """The limit of the terms for the limit of the sum."""
    c, d = constant(rng), rng.randint(-3, 3)
    body, claim = rng.choice(
        [
            (c / n, sp.Integer(0)),
            (c / n + d / n**2, sp.Integer(0)),
            (u / n**2, sp.Integer(0)),
            (c * u / n**2 + d / n, sp.Integer(d)),
        ]
    )
    hi = rng.choice([n, n + 1, 2 * n])
    return Statement("interchanged", Limit(Sum(body, (u, 1, hi)), n, oo), "==", claim)


def trap_infinite(rng: Random) -> Statement:
    """A limit that does not exist."""
    c, d = constant(rng), rng.randint(-3, 3)
    inside = rng.choice([c * n, Sum(c, (u, 1, n)), c * n**2 + d, n * x**2 + d, Sum(c * u, (u, 1, n)) / n])
    return Statement("infinite", Limit(inside, n, oo), "==", sp.Integer(d))


def trap_name_of_an_index(rng: Random) -> Statement:
    """A sum that runs backwards far out, in a limit over the name of an index that does not go so far."""
    c, d = constant(rng), rng.randint(0, 3)
    backwards, claim = rng.choice(
        [
            (Sum(c / n, (u, 1, m + d - n)), -c),
            (Sum(c * (Abs(u) - u), (u, -d, m - n)), c * d * (d + 1)),
        ]
    )
    return Statement("name of an index", Sum(Limit(backwards, n, oo), (n, 1, m)), "==", claim * m)


def trap_strict(rng: Random) -> Statement:
    """A bound of the terms on the other side of the limit, or one that changes with them."""
    total, c = Sum(polynomial(rng, u), (u, 1, m)), constant(rng, 1)
    proof = lambda: Limiting(n, Certificate((1, c / n)))  # noqa: E731
    rhs = total + rng.choice([1, -1]) * sp.Rational(1, rng.randint(1, 3))
    return Statement("strict", Limit(total + c / n, n, oo), rng.choice([">=", "<="]), rhs, (proof,))


# ---- assumptions and witnesses

eta = Function("eta", real=True)


def assumption_of_bound(rng: Random) -> Statement:
    c, hi = rng.randint(-3, 3), m + rng.randint(0, 3)
    given = {"assume": {"low": sp.Ge(x, c)}, "witness": lambda rng: {x: c + rng.randint(0, 3)}}
    weight = rng.choice([sp.Integer(1), w, counted])
    proof = lambda: Termwise(Certificate((weight, "low")))  # noqa: E731
    return Statement("bound", Sum(weight * (x - c), (counted, 1, hi)), ">=", 0, (proof,), given)


def assumption_of_equality(rng: Random) -> Statement:
    c = rng.randint(-3, 3)
    given = {"assume": {"equal": sp.Eq(x, y + c)}, "witness": lambda rng: {x: c + 2, y: 2}}
    body = rng.choice([u, u**2 + 1])
    proof = lambda: Termwise(Certificate((body, "equal")))  # noqa: E731
    return Statement(
        "equality", Sum(body * x, (u, 1, m)), "==", Sum(body * (y + c), (u, 1, m)), (proof,), given
    )


def assumption_of_difference(rng: Random) -> Statement:
    c, hi = constant(rng), m + rng.randint(0, 3)
    given = {"assume": {"apart": sp.Ne(x, c)}, "witness": lambda rng: {x: c + 1}}
    quotient = (x**2 - c**2) / (x - c)
    return Statement("difference", Sum(quotient, (u, 1, hi)), "==", hi * (x + c), given=given)


def assumption_of_every(rng: Random) -> Statement:
    first, c = rng.randint(-3, 3), rng.randint(0, 3)
    lo = min(first + rng.randint(0, 2), 3)
    hi, given = range_from(rng, lo)
    every = {"steps": Every(t, sp.Ge(eta(t), eta(t + 1) + c), first=first)}
    given = {"assume": {**given.get("assume", {}), **every}, "witness": _falling}
    proof = lambda: Termwise(Certificate((1, ("steps", {t: u}))))  # noqa: E731
    models: tuple[Model, ...] = ({"eta": lambda q: -3 * q}, {"eta": lambda q: -4 * q + 1})
    sides = Sum(eta(u) - eta(u + 1), (u, lo, hi)), Sum(c, (u, lo, hi))
    return Statement("every index", sides[0], ">=", sides[1], (proof,), given, models=models)


def _falling(rng: Random) -> dict[Any, Any]:
    return {eta: lambda q: -3 * q, L: 5}


def assumption_of_recursion(rng: Random) -> Statement:
    c = constant(rng)
    rule = {"begins": sp.Eq(eta(0), c), "grows": Every(t, sp.Eq(eta(t + 1), eta(t) + c), first=0)}
    given = {"assume": rule, "witness": lambda rng: {eta: lambda q: c * (q + 1)}}
    step, base = Certificate((1, ("grows", {t: M}))), Certificate((1, "begins"))
    proof = lambda: Induction(M, base=base, step=step)  # noqa: E731
    models: tuple[Model, ...] = ({"eta": lambda q: c * (q + 1)},)
    return Statement("recursion", eta(M), "==", Sum(c, (u, 0, M)), (proof,), given, models=models)


def assumption_of_squares(rng: Random) -> Statement:
    c = rng.randint(1, 3)
    r = Symbol("r", positive=True)
    given = {
        "assume": {"short": sp.Le(r**2, c * r)},
        "witness": lambda rng: {r: Fraction(1, rng.randint(1, 4))},
    }
    proof = lambda: Termwise(Certificate((counted, "short")))  # noqa: E731
    total = Sum(counted * (c * r - r**2), (counted, 1, m))
    return Statement("declared", total, ">=", 0, (proof,), given)


_ABSURD: list[tuple[dict[str, bool], Callable[[Symbol], Expr], list[Any]]] = [
    ({"positive": True}, lambda r: r**2 - r + 1, [0.5 + 3**0.5 / 2 * 1j, 0.5 - 3**0.5 / 2 * 1j]),
    ({"positive": True}, lambda r: r**2 - 2 * r + 2, [1 + 1j, 1 - 1j]),
    ({"real": True}, lambda r: r**2 - 2 * r + 2, [1 + 1j]),
    ({"real": True}, lambda r: r**2 + r + 1, [-0.5 + 3**0.5 / 2 * 1j]),
    ({"positive": True}, lambda r: r**3 - r**2 + r, [-1, -2, 0, Fraction(-1, 2)]),
    ({"positive": True}, lambda r: r**3 + 2 * r**2 - 2 * r + 3, [-3, -4]),
    ({"nonnegative": True}, lambda r: r**3 - r + 1, [-2, -3]),
    ({"integer": True}, lambda r: 4 * r**2 - 4 * r + 1, [Fraction(1, 2), 0.5]),
    ({"integer": True, "positive": True}, lambda r: 3 * r**2 - 10 * r + 8, [Fraction(3, 2), 1.5]),
    ({"negative": True}, lambda r: -(r**3) - r**2 - r, [1, 2]),
    ({"nonzero": True, "real": True}, lambda r: r**4 - r**3 + r**2, [0]),
    ({"positive": True}, lambda r: r**3 - r**2 + r, [1e-12, Fraction(1, 10**12)]),
    ({"nonzero": True, "real": True}, lambda r: r**4 - r**3 + r**2, [1e-8]),
    ({"real": True}, lambda r: (r + 1) ** 2 - r**2 - 2 * r, [1e20, 10**20]),
    ({"real": True}, lambda r: r**2 - 2 * r + 1 + sp.Rational(1, 10**12), [1]),
    ({"negative": True, "integer": True}, lambda r: -(r**3) - r**2 - r, [None]),
    ({"even": True, "integer": True}, lambda r: r**2 - 2 * r + 1, [1, None]),
]


def trap_no_model(rng: Random) -> Statement:
    """An assumption that no number of the declared kind satisfies, with a witness that is of another kind, or
    satisfies it up to rounding."""
    declared, absurd, witnesses = rng.choice(_ABSURD)
    number = rng.choice(witnesses)
    if rng.random() < 0.7:
        r = Symbol("r", **declared)
        witness = None if number is None else lambda rng: {r: number}
        given = {"assume": {"odd": sp.Le(absurd(r), 0)}, "witness": witness}
        proofs: Proofs = (lambda: Termwise(Certificate((1, "odd"))), lambda: Certificate((m, "odd")))
        return Statement("no model", Sum(absurd(r), (u, 1, m)), "<=", 0, proofs, given)
    H = Function("H", **declared)
    witness = None if number is None else lambda rng: {H: lambda q: number}
    given = {"assume": {"odd": Every(t, sp.Le(absurd(H(t)), 0), first=1)}, "witness": witness}
    proofs = (lambda: Termwise(Certificate((1, ("odd", {t: u})))),)
    values = [number for number in values_of(Symbol("r", **declared)) if number]
    models: tuple[Model, ...] = tuple({"H": lambda q, number=number: number} for number in values)
    return Statement("no model", Sum(absurd(H(u)), (u, 1, m)), "<=", 0, proofs, given, models=models)


def trap_same_name(rng: Random) -> Statement:
    """Two symbols of one name, of which one has the values of the other."""
    r, other = Symbol("r", positive=True), Symbol("r", real=True)
    absurd, c = r**3 - r**2 + r, rng.randint(0, 2)
    given = {"assume": {"negative": sp.Le(other, -c), "odd": sp.Le(absurd, 0)}}
    proofs: Proofs = (lambda: Termwise(Certificate((1, "negative"), (1, "odd"))),)
    return Statement("same name", Sum(absurd + other + c, (u, 1, m)), "<=", 0, proofs, given)


def trap_every(rng: Random) -> Statement:
    """An assumption for every index that is false from some index on."""
    first = rng.randint(-3, 3)
    bound, last = rng.choice(
        [
            (sp.Le(t, first + 5 + rng.randint(0, 3)), 9),
            (sp.Le((t - first) * (t - first - 5), 0), 6),
            (sp.Ge(3 * first, t - 5 + 2 * first), 9),
        ]
    )
    late = rng.randint(first + last, first + last + 3) if rng.random() < 0.8 else m + first + last
    given = {"assume": {"small": Every(t, bound, first=first)}}
    sides = bound.lhs.subs(t, late), bound.rhs
    proofs: Proofs = (
        lambda: Certificate((m, ("small", {t: late}))),
        lambda: Termwise(Certificate((1, ("small", {t: late})))),
    )
    return Statement("every", Sum(sides[0], (u, 1, m)), "<=", Sum(sides[1], (u, 1, m)), proofs, given)


def trap_every_everywhere(rng: Random) -> Statement:
    """An assumption for every index, without a first one, that is false far out."""
    far, c = rng.choice([-1, 1]), rng.randint(0, 3)
    bound = rng.choice([sp.Le(far * t, 4 + c), sp.Le(t**2, 16 + c), sp.Le(Abs(t), 4 + c)])
    late = far * (5 + c + rng.randint(0, 3))
    given = {"assume": {"small": Every(t, bound)}}
    sides = bound.lhs.subs(t, late), bound.rhs
    proofs: Proofs = (lambda: Certificate((m, ("small", {t: late}))),)
    return Statement("every", m * sides[0] + Sum(0 * u, (u, 1, 2)), "<=", m * sides[1], proofs, given)


def trap_before_first(rng: Random) -> Statement:
    """An assumption used at an index before its first."""
    first = rng.randint(0, 3)
    lo = first - rng.randint(1, 3)
    hi, given = range_from(rng, lo)
    every = {"steps": Every(t, sp.Ge(eta(t), eta(t + 1)), first=first)}
    given = {"assume": {**given.get("assume", {}), **every}, "witness": _falling}
    proof = lambda: Termwise(Certificate((1, ("steps", {t: u}))))  # noqa: E731
    models: tuple[Model, ...] = ({"eta": lambda q: -abs(q - first)},)
    return Statement(
        "before first", Sum(eta(u) - eta(u + 1), (u, lo, hi)), ">=", 0, (proof,), given, models=models
    )


def trap_captured_by_every(rng: Random) -> Statement:
    """A definition that depends on a symbol with the name of the index of an assumption."""
    c, late = Symbol("c", integer=True), rng.randint(1, 3)
    shift = rng.randint(0, 3)
    given = {
        "define": {c: t + shift},
        "assume": {"low": Every(t, sp.Ge(eta(t), c), first=0)},
        "witness": lambda rng: {eta: lambda q: q + shift},
    }
    proofs: Proofs = (lambda: Termwise(Certificate((1, ("low", {t: late})))),)
    models: tuple[Model, ...] = ({"eta": lambda q: 0},)
    claim = Sum(eta(late), (u, 1, m)), Sum(late + shift, (u, 1, m))
    return Statement("captured by every", claim[0], ">=", claim[1], proofs, given, models=models)


def trap_declared_index(rng: Random) -> Statement:
    """An assumption for every even index, used at an odd one."""
    even, late = Symbol("e", integer=True, even=True), rng.choice([1, 3, 5])
    given = {
        "assume": {"low": Every(even, sp.Ge(eta(even), (-1) ** even), first=0)},
        "witness": lambda rng: {eta: lambda q: 1},
    }
    proofs: Proofs = (lambda: Termwise(Certificate((1, ("low", {even: late})))),)
    models: tuple[Model, ...] = ({"eta": lambda q: (-1) ** int(q)},)
    claim = Sum(eta(late), (u, 1, m)), Sum(1, (u, 1, m))
    return Statement("declared index", claim[0], ">=", claim[1], proofs, given, models=models)


_FLOATS = [sp.Float(1e20), sp.Float(-1e20), sp.Float(1e17), sp.Float(0.1), sp.Float(0.7), sp.Float(1e300)]


def trap_float(rng: Random) -> Statement:
    """Numbers that are rounded."""
    rounded, c, hi = rng.choice(_FLOATS), constant(rng), m + rng.randint(0, 3)
    h = Symbol("h", real=True)
    if rng.random() < 0.4:
        lhs = rng.choice([Sum(h + c, (u, 1, hi)), Sum(h, (u, 1, hi)) + c])
        return Statement(
            "float", lhs, "==", rng.choice([Sum(h, (u, 1, hi)), rounded * hi]), given={"define": {h: rounded}}
        )
    if rng.random() < 0.5:
        total = Sum(rounded * x, (u, 1, hi))
        return Statement("float", total + c * Sum(x, (u, 1, hi)), "==", total)
    tenth = rng.choice([sp.Float(0.1), sp.Float(0.2), sp.Float(0.7)])
    exact = sp.Rational(str(round(float(tenth), 1)))
    return Statement("float", Sum(tenth * x, (u, 1, hi)), "==", Sum(exact * x, (u, 1, hi)))


# ---- all of them

Shape = Callable[[Random], Statement]

TRUE: dict[str, list[Shape]] = {
    "sums": [
        sum_closed, sum_telescoping, sum_split, sum_nested, sum_shifting, sum_of_kinks, sum_geometric,
        sum_by_lemma,
    ],
    "re-indexings": [reindexed, reindexed_twice],
    "derivatives": [
        derivative_of_product, derivative_of_polynomials, derivative_of_sum, derivative_of_quotient,
        derivative_of_parts, derivative_with_sign, least, antiderivative,
    ],
    "definitions": [
        definition_in_sum, definition_of_constant, definition_of_difference, definition_by_sum,
        definition_of_declared, definition_with_other_names, displayed,
    ],
    "limits": [
        limit_of_quotients, limit_of_sum, limit_of_means, limit_of_tanh, limit_of_shrinking, limit_from_above,
        limit_of_definition,
    ],
    "assumptions": [
        assumption_of_bound, assumption_of_equality, assumption_of_difference, assumption_of_every,
        assumption_of_recursion, assumption_of_squares,
    ],
}  # fmt: skip

TRAPS: dict[str, list[Shape]] = {
    "sums": [
        trap_early_range, trap_early_inner_range, trap_as_if_positive, trap_as_if_natural,
        trap_reserved_name, trap_zero_to_the_zero, trap_lemma_elsewhere,
    ],
    "re-indexings": [trap_slope, trap_sign_of_index],
    "derivatives": [trap_kink, trap_kink_of_unknown, trap_minimum, trap_antiderivative, trap_float_in_proof],
    "definitions": [
        trap_contradiction, trap_contradiction_somewhere, trap_argument, trap_kind_of_argument,
        trap_capture, trap_bound_head, trap_displayed,
    ],
    "limits": [trap_generic, trap_interchanged, trap_infinite, trap_strict, trap_name_of_an_index],
    "assumptions": [
        trap_no_model, trap_same_name, trap_every, trap_every_everywhere, trap_before_first,
        trap_captured_by_every, trap_declared_index, trap_float,
    ],
}  # fmt: skip

KINDS = tuple(TRUE)


def statement(rng: Random, kind: str, true: bool) -> Statement:
    """A random statement of a kind that is true by construction, or one that is refuted."""
    while True:
        trap = not true and rng.random() < 0.6
        made = replace(rng.choice((TRAPS if trap else TRUE)[kind])(rng), kind=kind)
        if not true and not trap:
            made = perturbed(rng, made)
        verdict = judge(made)
        if true and verdict.refuted_at is not None:
            raise AssertionError(f"not true as constructed: {made} at {verdict.refuted_at}")
        if verdict.held if true else verdict.refuted_at is not None:
            return made


def statements(count: int, seed: int) -> Iterator[tuple[bool, Statement]]:
    """`count` statements, of every kind in turn, each second one of a kind true."""
    rng = random.Random(seed)
    for i in range(count):
        true = i // len(KINDS) % 2 == 0
        yield true, statement(rng, KINDS[i % len(KINDS)], true)


@dataclass
class Report:
    """What was tried, by kind and truth, and what was accepted of it."""

    tried: Counter[tuple[str, bool]] = field(default_factory=Counter)
    accepted: Counter[tuple[str, bool]] = field(default_factory=Counter)
    shapes: Counter[tuple[str, bool, str, bool]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def table(self) -> str:
        """One line for each kind."""
        lines = [f"{'kind':14}{'statements':>12}{'true':>7}{'accepted':>10}{'refuted':>9}{'accepted':>10}"]
        for kind in KINDS:
            true, false = self.tried[kind, True], self.tried[kind, False]
            yes, wrong = self.accepted[kind, True], self.accepted[kind, False]
            lines.append(f"{kind:14}{true + false:12}{true:7}{yes:10}{false:9}{wrong:10}")
        return "\n".join(lines)


def fuzz(count: int, seed: int) -> Report:
    """Try `count` statements on the kit."""
    report = Report()
    for true, made in statements(count, seed):
        outcome = trial(made)
        report.tried[made.kind, true] += 1
        report.accepted[made.kind, true] += bool(outcome.accepted)
        report.shapes[made.kind, true, made.shape, bool(outcome.accepted)] += 1
        if outcome.accepted and not true:
            report.wrong.append(f"{made}\n    by {outcome.accepted}, refuted at {judge(made).refuted_at}")
        if outcome.fault:
            report.faults.append(outcome.fault)
    return report


def main() -> int:
    """Print what was tried and accepted; 1 if a refuted statement was accepted."""
    parser = argparse.ArgumentParser(description="Random statements for the proof kit, half of them false.")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=None, help="a fresh one if not given")
    parser.add_argument("--shapes", action="store_true", help="print the counts of each shape, too")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(10**9) if given.seed is None else given.seed
    print(f"{given.count} statements, seed {seed}", flush=True)
    begun = time.process_time()
    report = fuzz(given.count, seed)
    for line in report.wrong[:SHOWN] + report.faults[:SHOWN]:
        print(line)
    if given.shapes:
        for key, number in sorted(report.shapes.items()):
            print(*key, number)
    print(report.table())
    print(f"refuted and accepted: {len(report.wrong)}, other exceptions: {len(report.faults)}")
    print(f"{time.process_time() - begun:.0f} s of CPU")
    return 1 if report.wrong or report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
