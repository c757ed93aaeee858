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
from sympy.integrals.quadrature import gauss_legendre

from explainers.derive.matrices import fingerprint, is_matrix, numbers
from explainers.derive.sums import normal_form
from explainers.derive.vectors import Inner, Vector

TOLERANCE = 1e-8

# Maps a random generator to numbers for symbols and callables for undefined functions.
Witness = Callable[[random.Random], Mapping[Any, Any]]


class NoValueError(Exception):
    """An expression is undefined at a point, or its value there is not implemented."""


class WitnessError(ValueError):
    """A witness gives a value that the SymPy assumptions of its symbol exclude."""


class Point:
    """Values for every symbol and every undefined function at every argument.

    `given` maps symbols to numbers and functions to callables; all others are drawn at
    random from `seed`, once each. A value outside of what its symbol or function is
    declared to be raises `WitnessError` if it was given, and is no value if it was
    drawn.
    """

    def __init__(self, seed: int, given: Mapping[Any, Any] | None = None) -> None:
        self.seed, self.given = seed, dict(given or {})
        self.drawn: dict[Any, complex | Fraction] = {}

    def value_of(self, atom: Expr, args: tuple[complex, ...] = ()) -> complex:
        """The value of a symbol, or of an undefined function at `args`."""
        return complex(self.exact_value_of(atom, args))

    def exact_value_of(self, atom: Expr, args: tuple[complex, ...] = ()) -> Any:
        """The same as it was given or drawn: a fraction stays one."""
        key = atom if isinstance(atom, sp.Symbol) else atom.func
        shown = f"({', '.join(map(_show, args))})" if args else ""
        if key in self.given:
            value = self._given(key, args, shown)
            if not is_admitted(complex(value), declared(key)):
                raise WitnessError(
                    f"witness: {key}{shown} = {_show(complex(value))}, but {key} is "
                    f"declared {words(declared(key))}"
                )
            return value
        if (key, shown) not in self.drawn:
            rng = random.Random(f"{self.seed} {key}{shown}")
            self.drawn[key, shown] = _draw(rng, atom)
        return self.drawn[key, shown]

    def _given(self, key: Any, args: tuple[complex, ...], shown: str) -> Any:
        value = self.given[key]
        if not args:
            return value
        try:
            return value(*map(_plain, args))
        except (IndexError, KeyError) as error:
            raise NoValueError(f"the witness has no {key}{shown}") from error

    def entry_of(self, matrix: Expr, row: int, column: int) -> complex:
        """One entry of a named matrix, of which `given` may hold the rows."""
        if matrix in self.given:
            return complex(self.given[matrix][row][column])
        key = matrix, f"[{row},{column}]"
        if key not in self.drawn:
            rng = random.Random(f"{self.seed} {matrix}{key[1]}")
            self.drawn[key] = Fraction(rng.randint(-9, 9), rng.randint(1, 5))
        return complex(self.drawn[key])

    def describe(self) -> str:
        """Up to eight of the given and drawn numbers: "x = 2, y = 1/3"."""
        given = [f"{k} = {v}" for k, v in self.given.items() if not callable(v)]
        drawn = sorted(f"{key}{at} = {_show(v)}" for (key, at), v in self.drawn.items())
        return ", ".join((given + drawn)[:8])


def declared(key: Any) -> Mapping[str, bool]:
    """The SymPy assumptions that a symbol or an undefined function was made with."""
    return key._assumptions_orig if isinstance(key, sp.Symbol) else key._kwargs


# Whether a value is what an assumption says; SymPy decides all others.
_MEANINGS: dict[str, Callable[[complex], bool]] = {
    "commutative": lambda v: True,
    "complex": lambda v: True,
    "finite": lambda v: True,
    "infinite": lambda v: False,
    "real": lambda v: v.imag == 0,
    "hermitian": lambda v: v.imag == 0,
    "imaginary": lambda v: v.real == 0 and v != 0,
    "integer": lambda v: v.imag == 0 and v.real.is_integer(),
    "positive": lambda v: v.imag == 0 and v.real > 0,
    "nonnegative": lambda v: v.imag == 0 and v.real >= 0,
    "negative": lambda v: v.imag == 0 and v.real < 0,
    "nonpositive": lambda v: v.imag == 0 and v.real <= 0,
    "nonzero": lambda v: v.imag == 0 and v != 0,
    "zero": lambda v: v == 0,
}


def is_admitted(value: complex, assumptions: Mapping[str, bool]) -> bool:
    """Whether SymPy assumptions, such as `{"positive": True}`, allow a value."""
    if not cmath.isfinite(value):
        return False
    return all(_is(value, name) is truth for name, truth in assumptions.items())


def _is(value: complex, name: str) -> bool | None:
    says = _MEANINGS.get(name.removeprefix("extended_"))
    return says(value) if says else getattr(_exact(_plain(value)), f"is_{name}", None)


def _exact(value: Any) -> Expr:
    """A number without rounding; a floating-point number is the fraction it is."""
    if isinstance(value, complex):
        return _exact(value.real) + sp.I * _exact(value.imag)
    return sp.Rational(value) if isinstance(value, float) else sp.sympify(value)


def words(assumptions: Mapping[str, bool]) -> str:
    return ", ".join(
        name if truth else f"not {name}" for name, truth in assumptions.items()
    )


def _draw(rng: random.Random, atom: Expr) -> complex | Fraction:
    """A random value that the assumptions of `atom` allow."""
    assumptions = declared(atom if isinstance(atom, sp.Symbol) else atom.func)
    for _ in range(20):
        number = _guess(rng, atom)
        if is_admitted(complex(number), assumptions):
            return number
    raise NoValueError(f"no random value of {atom} is {words(assumptions)}")


def _guess(rng: random.Random, atom: Expr) -> complex | Fraction:
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
    if abs(value.imag) > TOLERANCE or not cmath.isfinite(value):
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
    except WitnessError:
        raise
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


def exact_value(
    expr: Expr, point: Point, index: Mapping[sp.Symbol, complex], rounded: bool
) -> Fraction | None:
    """The value of `expr` without rounding, if it is a rational function of rational
    values of symbols and undefined functions; None for any other.

    A floating-point number is the fraction that it is, if numbers that are `rounded`
    will do, and else no value unless it is whole.
    """
    if expr.atoms(Vector, Inner):
        return None

    def exact(value: Any) -> Expr:
        whole = not isinstance(value, float) or value.is_integer()
        return _exact(value) if rounded or whole else sp.nan

    def called(call: Expr) -> Expr:
        if not all(arg.is_Rational for arg in call.args):
            return sp.nan
        return exact(point.exact_value_of(call, tuple(map(complex, call.args))))

    known = {symbol: _exact(_plain(number)) for symbol, number in index.items()}
    for symbol in expr.free_symbols - set(known):
        known[symbol] = exact(point.exact_value_of(symbol))
    number = expr.xreplace(known).replace(lambda e: isinstance(e, AppliedUndef), called)
    return Fraction(number.p, number.q) if number.is_Rational else None


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
    if is_matrix(expr):
        return lambda point, bound: fingerprint(_entries(expr, point, bound))
    if isinstance(expr, sp.Trace):
        return lambda point, bound: sum(
            row[i] for i, row in enumerate(_entries(expr.arg, point, bound))
        )
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


def _entries(
    matrix: Expr, point: Point, bound: dict[sp.Symbol, complex]
) -> list[list[complex]]:
    return numbers(
        matrix,
        lambda scalar: _compiled(scalar)(point, bound),
        point.entry_of,
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


PANELS, NODES = 2, 24


@cache
def _quadrature() -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Nodes and weights on [-1, 1] of Gauss-Legendre quadrature in each of a few equal
    panels."""
    within, weights = gauss_legendre(NODES, 15)
    middles = [(2 * i + 1) / PANELS - 1 for i in range(PANELS)]
    return (
        tuple(middle + float(x) / PANELS for middle in middles for x in within),
        tuple(float(w) / PANELS for _ in middles for w in weights),
    )


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
