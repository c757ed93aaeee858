"""The numerical value of an expression at a point, used to refute steps of a derivation
and never to prove them."""

import cmath
import math
import random
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

import sympy as sp
from sympy import Expr
from sympy.core.function import AppliedUndef

from explainers.derive.sums import normal_form
from explainers.derive.vectors import Inner

TOLERANCE = 1e-8

# Maps a random generator to numbers for symbols and callables for undefined functions.
Witness = Callable[[random.Random], Mapping[Any, Any]]


class NoValueError(Exception):
    """An expression is undefined at a point, or its value there is not implemented."""


class Point:
    """Values for every symbol and every undefined function at every argument.

    `given` maps symbols to numbers and functions to callables; all others are drawn at
    random from `seed`, once each, and satisfy the SymPy assumptions of their symbol.
    """

    def __init__(self, seed: int, given: Mapping[Any, Any] | None = None) -> None:
        self.seed, self.given = seed, dict(given or {})
        self.drawn: dict[str, complex | Fraction] = {}

    def value_of(self, atom: Expr, args: tuple[complex, ...] = ()) -> complex:
        """The value of a symbol, or of an undefined function at `args`."""
        key = atom if isinstance(atom, sp.Symbol) else atom.func
        if key in self.given:
            value = self.given[key]
            value = value(*(_plain(arg) for arg in args)) if args else value
        else:
            shown = ", ".join(_show(arg) for arg in args)
            name = f"{key}({shown})" if args else str(key)
            if name not in self.drawn:
                self.drawn[name] = _draw(random.Random(f"{self.seed} {name}"), atom)
            value = self.drawn[name]
        return complex(value)

    def describe(self) -> str:
        """Up to eight of the given and drawn numbers: "x = 2, y = 1/3"."""
        given = [f"{k} = {v}" for k, v in self.given.items() if not callable(v)]
        drawn = [f"{k} = {_show(v)}" for k, v in sorted(self.drawn.items())]
        return ", ".join((given + drawn)[:8])


def _draw(rng: random.Random, atom: Expr) -> complex | Fraction:
    if atom.is_integer:
        if atom.is_nonnegative:
            return Fraction(rng.randint(1 if atom.is_positive else 0, 4))
        return Fraction(rng.choice([-3, -2, -1, 1, 2, 3]))
    size = Fraction(rng.randint(1, 9), rng.randint(2, 5))
    if atom.is_nonnegative:
        return size
    if atom.is_nonpositive:
        return -size
    if atom.is_real:
        return size * rng.choice([-1, 1])
    return complex(size, Fraction(rng.randint(-9, 9), 4))


def _plain(value: complex) -> complex | float | int:
    if abs(value.imag) > TOLERANCE:
        return value
    return (
        round(value.real)
        if abs(value.real - round(value.real)) < TOLERANCE
        else value.real
    )


def _show(value: complex | Fraction) -> str:
    if isinstance(value, Fraction):
        return str(value)
    plain = _plain(value)
    return str(plain) if isinstance(plain, int) else f"{plain:.6g}"


def value(
    expr: Expr, point: Point, bound: Mapping[sp.Symbol, complex] | None = None
) -> complex:
    """The value of `expr` at `point`, with the values `bound` of indices.

    Raises `NoValueError` if it has none, or if it is infinite.
    """
    try:
        result = _compiled(sp.sympify(expr))(point, dict(bound or {}))
    except (
        ZeroDivisionError,
        OverflowError,
        ValueError,
        TypeError,
        AttributeError,
    ) as error:
        raise NoValueError(str(error)) from error
    if not cmath.isfinite(result):
        raise NoValueError("not finite")
    return result


_FUNCTIONS: dict[Any, Callable[..., complex]] = {
    sp.exp: cmath.exp,
    sp.log: cmath.log,
    sp.sin: cmath.sin,
    sp.cos: cmath.cos,
    sp.tan: cmath.tan,
    sp.sinh: cmath.sinh,
    sp.cosh: cmath.cosh,
    sp.tanh: cmath.tanh,
    sp.sech: lambda z: 1 / cmath.cosh(z),
    sp.atanh: cmath.atanh,
    sp.re: lambda z: complex(z.real),
    sp.im: lambda z: complex(z.imag),
    sp.Abs: lambda z: complex(abs(z)),
    sp.conjugate: lambda z: z.conjugate(),
    # of whole numbers, exactly
    sp.binomial: lambda n, k: complex(sp.binomial(_plain(n), _plain(k))),
    # the value of a vector is a complex number: a vector in the plane
    Inner: lambda u, v: complex((u * v.conjugate()).real),
    sp.Pow: lambda base, power: complex(base ** _plain(power)),
    sp.Add: lambda *terms: sum(terms, 0j),
    sp.Mul: lambda *factors: math.prod(factors, start=1 + 0j),
}


# An expression as a function of a point and of the values of its indices, so that a sum
# reads its body once.
Compiled = Callable[[Point, dict[sp.Symbol, complex]], complex]


@cache
def _compiled(expr: Expr) -> Compiled:
    if isinstance(expr, sp.Symbol):
        return lambda point, bound: (
            bound[expr] if expr in bound else point.value_of(expr)
        )
    if isinstance(expr, sp.Derivative):
        return _compiled(_differentiated(expr))
    if isinstance(expr, sp.Sum | sp.Integral):
        folded = _compiled(expr.function)
        for u, lo, hi in expr.limits:
            folded = _fold(
                isinstance(expr, sp.Sum), folded, u, _compiled(lo), _compiled(hi)
            )
        return folded
    if isinstance(expr, sp.Limit | sp.Determinant):
        closed = normal_form(expr)
        if closed.has(expr.func):
            raise NoValueError(f"{expr} has no closed form")
        return _compiled(closed)
    if (
        not isinstance(expr, AppliedUndef)
        and expr.func not in _FUNCTIONS
        and (expr.is_number or not expr.args)
    ):
        return _constant(expr)
    args = [_compiled(arg) for arg in expr.args]
    if isinstance(expr, AppliedUndef):
        return lambda point, bound: point.value_of(
            expr, tuple([arg(point, bound) for arg in args])
        )
    if expr.func in _FUNCTIONS:
        function = _FUNCTIONS[expr.func]
        return lambda point, bound: function(*[arg(point, bound) for arg in args])
    return lambda point, bound: complex(
        expr.func(*[sp.Float(arg(point, bound).real) for arg in args])
    )


def _constant(expr: Expr) -> Compiled:
    number = complex(expr)
    return lambda point, bound: number


def _differentiated(expr: Expr) -> Expr:
    closed = sp.diff(expr.expr, *expr.variables)
    if isinstance(closed, sp.Derivative):
        raise NoValueError(f"{expr} is the derivative of an undefined function")
    return closed


def _fold(
    is_sum: bool, body: Compiled, u: sp.Symbol, lo: Compiled, hi: Compiled
) -> Compiled:
    if is_sum:
        return lambda point, bound: sum(
            [
                body(point, {**bound, u: i})
                for i in _steps(lo(point, bound), hi(point, bound))
            ],
            0j,
        )
    return lambda point, bound: sum(
        [
            w * body(point, {**bound, u: at})
            for at, w in _nodes(lo(point, bound), hi(point, bound))
        ],
        0j,
    )


def _steps(lo: complex, hi: complex) -> list[complex]:
    first, last = _plain(lo), _plain(hi)
    if not isinstance(first, int) or not isinstance(last, int) or last < first - 1:
        raise NoValueError(f"a sum runs from {first} to {last}")
    return [complex(i) for i in range(first, last + 1)]


def _nodes(lo: complex, hi: complex) -> list[tuple[complex, complex]]:
    half, middle = (hi - lo) / 2, (lo + hi) / 2
    return [
        (middle + half * node, half * weight)
        for node, weight in zip(*_quadrature(), strict=True)
    ]


@cache
def _quadrature() -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The 40 nodes and weights of Gauss-Legendre quadrature on [-1, 1]."""
    size = 40
    nodes, weights = [], []
    for i in range(size):
        t = math.cos(math.pi * (i + 0.75) / (size + 0.5))
        for _ in range(8):
            p = [1.0, t]
            for k in range(2, size + 1):
                p.append(((2 * k - 1) * t * p[-1] - (k - 1) * p[-2]) / k)
            slope = size * (t * p[-1] - p[-2]) / (t * t - 1)
            t -= p[-1] / slope
        nodes.append(t)
        weights.append(2 / ((1 - t * t) * slope**2))
    return tuple(nodes), tuple(weights)


def is_close(left: complex | float, right: complex | float) -> bool:
    """Whether two values are equal up to rounding errors, 1e-8 relative to the larger
    one or to 1."""
    return abs(left - right) <= TOLERANCE * max(1.0, abs(left), abs(right))


def is_nonzero_somewhere(expr: Expr, tries: int = 3) -> bool:
    """Whether `expr` is non-zero at one of `tries` random points at which it has a
    value."""
    evaluated = 0
    for seed in range(4 * tries):
        point = Point(seed)
        try:
            terms = [value(term, point) for term in sp.Add.make_args(expr)]
        except NoValueError:
            continue
        if abs(sum(terms)) > TOLERANCE * max(1.0, *(abs(term) for term in terms)):
            return True
        evaluated += 1
        if evaluated == tries:
            break
    return False
