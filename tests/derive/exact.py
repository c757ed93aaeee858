"""Exact values of expressions, on their own: nothing here uses the proof kit.

A number is an `int`, a `Fraction`, a `Gauss` (complex), a `OneSided` germ (inside of
derivatives) or an element of `FAR` (inside of limits). Expressions are
read by their structure alone, so an unevaluated `Abs(h)` of a positive `h` is the
absolute value of whatever number `h` has.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, reduce
from itertools import pairwise
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

Number = Any
Scope = Mapping[Any, Any]  # symbols to numbers, names of functions to callables

# Rational functions of a variable that goes to infinity.
FAR = sp.QQ.frac_field(sp.Symbol("far"))

# Above this degree (or for what is no polynomial) a sum in a limit and an integral have no value here.
DEGREE = 7


class NoValueError(Exception):
    """An expression has no value at a point, or none that can be computed exactly."""


class NonexistentError(Exception):
    """An expression holds a derivative or a limit that does not exist at a point."""


@dataclass(frozen=True, slots=True)
class Gauss:
    """A complex number that is not real, with rational parts."""

    re: Number
    im: Number

    def __add__(self, other: Number) -> Number:
        if isinstance(other, Gauss):
            return gauss(self.re + other.re, self.im + other.im)
        return Gauss(self.re + other, self.im) if isinstance(other, int | Fraction) else NotImplemented

    def __mul__(self, other: Number) -> Number:
        if isinstance(other, Gauss):
            return gauss(self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re)
        return (
            gauss(self.re * other, self.im * other) if isinstance(other, int | Fraction) else NotImplemented
        )

    __radd__, __rmul__ = __add__, __mul__

    def __pow__(self, power: int) -> Number:
        if power < 0:
            size = self.re * self.re + self.im * self.im
            return gauss(Fraction(self.re) / size, Fraction(-self.im) / size) ** -power
        return reduce(lambda product, _: product * self, range(power), 1)


def gauss(re: Number, im: Number) -> Number:
    """The number `re + im * I`."""
    return Gauss(re, im) if im else re


@dataclass(frozen=True)
class OneSided:
    """A function near a point, seen along one direction: its value `at` the point, its `limit` on the way
    there, and the `slope` with which it leaves that limit."""

    at: Number
    limit: Number
    slope: Number

    def __add__(self, other: Number) -> "OneSided":
        o = _germ(other)
        return OneSided(self.at + o.at, self.limit + o.limit, self.slope + o.slope)

    def __mul__(self, other: Number) -> "OneSided":
        o = _germ(other)
        return OneSided(self.at * o.at, self.limit * o.limit, self.slope * o.limit + self.limit * o.slope)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> "OneSided":
        return self * -1

    def __sub__(self, other: Number) -> "OneSided":
        return self + -_germ(other)

    def __pow__(self, power: int) -> "OneSided":
        if power < 0:
            return self.inverse() ** -power
        return reduce(lambda product, _: product * self, range(power), _germ(1))

    def inverse(self) -> "OneSided":
        """The germ of 1 divided by this function."""
        if not self.limit:
            raise NoValueError("a pole on the way to the point")
        square = divide(1, self.limit * self.limit)
        return OneSided(divide(1, self.at), divide(1, self.limit), -self.slope * square)

    def mapped(self, function: Callable[[Number], Number]) -> "OneSided":
        """A function that is linear over the real numbers, applied to the values."""
        return OneSided(function(self.at), function(self.limit), function(self.slope))


def _germ(number: Number) -> OneSided:
    return number if isinstance(number, OneSided) else OneSided(number, number, 0)


# ---- arithmetic


def divide(a: Number, b: Number) -> Number:
    """The quotient, exactly."""
    if isinstance(b, OneSided):
        return a * b.inverse()
    if not b:
        raise NoValueError("a division by 0")
    return a * (Fraction(1, b) if isinstance(b, int) else b**-1)


def _far(number: Number) -> bool:
    return isinstance(number, type(FAR.gens[0]))


def is_germ(number: Number) -> bool:
    """Whether a number is not a number, but what is near a point or far out."""
    return isinstance(number, OneSided) or _far(number)


def is_real(number: Number) -> bool:
    """Whether a number (not a germ) is real."""
    return not isinstance(number, Gauss)


def real(number: Number) -> Fraction:
    """A real number as a `Fraction`."""
    return Fraction(number)


def _leading(number: Number) -> Fraction:
    """What a rational function is far out, without its power of `far`."""
    parts = (number.numer.LC, number.denom.LC) if number else (0, 1)
    return Fraction(str(parts[0])) / Fraction(str(parts[1]))


def sign_of(number: Number) -> int:
    """The sign of a real number, or of a rational function far out."""
    if _far(number):
        return sign_of(_leading(number))
    if not is_real(number) or isinstance(number, OneSided):
        raise NoValueError("the sign of what is not a real number")
    return (number > 0) - (number < 0)


def _leaving(germ: OneSided) -> int:
    """The sign of a germ on the way to its point."""
    if isinstance(germ.limit, OneSided):
        raise NoValueError("the sign of a second derivative's germ")
    signs = sign_of(germ.limit), sign_of(germ.slope)
    if not any(signs):
        raise NoValueError("a sign that terms of higher order decide")
    return signs[0] or signs[1]


def _sign(z: Number) -> Number:
    return OneSided(_sign(z.at), _leaving(z), 0) if isinstance(z, OneSided) else sign_of(z)


def _abs(z: Number) -> Number:
    if isinstance(z, OneSided):
        if all(map(is_real, (z.at, z.limit, z.slope))):
            if not z.limit and not z.slope:
                return OneSided(_abs(z.at), 0, 0)
            return OneSided(_abs(z.at), *(part * _leaving(z) for part in (z.limit, z.slope)))
        size = _abs(z.limit)
        if not size:
            return OneSided(_abs(z.at), 0, _abs(z.slope))
        return OneSided(_abs(z.at), size, divide(_re(_conjugate(z.limit) * z.slope), size))
    return z * sign_of(z) if is_real(z) else _root(z * _conjugate(z))


def _floor(z: Number) -> Number:
    if isinstance(z, OneSided):
        if isinstance(z.limit, OneSided | Gauss):
            raise NoValueError("the floor of what is not a real number")
        whole = real(z.limit).denominator == 1
        return OneSided(_floor(z.at), _floor(z.limit) - (whole and sign_of(z.slope) < 0), 0)
    if not is_real(z) or _far(z):
        raise NoValueError("the floor of what is not a real number")
    return math.floor(real(z))


def _conjugate(z: Number) -> Number:
    if isinstance(z, OneSided):
        return z.mapped(_conjugate)
    return z if is_real(z) else Gauss(z.re, -z.im)


def _re(z: Number) -> Number:
    return (z + _conjugate(z)) * Fraction(1, 2)


def _im(z: Number) -> Number:
    return (z + _conjugate(z) * -1) * gauss(0, Fraction(-1, 2))


def _root(z: Number) -> Number:
    """The square root of a rational square; of a germ, where it has a slope."""
    if isinstance(z, OneSided):
        if not z.limit:
            raise NoValueError("the root of a germ at 0")
        limit = _root(z.limit)
        return OneSided(_root(z.at), limit, divide(z.slope, 2 * limit))
    if _far(z) or not is_real(z):
        raise NoValueError("the root of what is not a real number")
    if real(z) < 0:
        return gauss(0, 1) * _root(-real(z))
    root = Fraction(math.isqrt(real(z).numerator), math.isqrt(real(z).denominator))
    if root * root != real(z):
        raise NoValueError("an irrational root")
    return root


def _power(base: Number, power: Number) -> Number:
    if _far(power):
        return _power_far_out(base, power)
    if isinstance(power, OneSided) or not is_real(power):
        raise NoValueError("an exponent that varies, or is not real")
    exponent = real(power)
    if exponent.denominator == 2:
        return _power(_root(base), 2 * exponent)
    if exponent.denominator != 1:
        raise NoValueError("an exponent that is not whole")
    whole = int(exponent)
    if whole >= 0:
        return 1 if whole == 0 else base**whole
    return divide(1, _power(base, -whole))


def _power_far_out(base: Number, power: Number) -> Number:
    """`base**power` up to terms that vanish faster than every power of `far`."""
    if _far(base) or not is_real(base) or power.denom.degree() > 0:
        raise NoValueError("an exponential that is not known far out")
    if power.numer.degree() <= 0:
        return _power(base, _leading(power))
    size, way = abs(real(base)), sign_of(power)
    if real(base) == 1:
        return 1
    if (size < 1 and way > 0 and power.numer.degree()) or (size > 1 and way < 0):
        return 0
    raise NoValueError("an exponential that does not converge")


def _tanh(z: Number) -> Number:
    """0 at 0, and far out the sign, up to terms that vanish faster than every power."""
    if _far(z) and z.numer.degree() > z.denom.degree():
        return sign_of(z)
    if not z:
        return 0
    raise NoValueError("an irrational hyperbolic tangent")


# ---- sums, integrals, derivatives, limits


def newton(terms: list[Number]) -> list[Number]:
    """The forward differences of a sequence at its first term, without trailing zeros."""
    differences = []
    while terms:
        differences.append(terms[0])
        terms = [b + a * -1 for a, b in pairwise(terms)]
    while differences and not differences[-1]:
        differences.pop()
    return differences


def newton_sum(differences: Iterable[Number], length: Number) -> Number:
    """The sum of the first `length` terms of a polynomial sequence with these forward differences: the sum
    of `difference[j]` times `length` choose `j + 1`."""
    total, choose = 0, 1
    for j, difference in enumerate(differences):
        choose = choose * (length + -j) * Fraction(1, j + 1)
        total = total + difference * choose
    return total


def _sum(body: Callable[[Number], Number], lo: Number, hi: Number) -> Number:
    if _far(hi):
        if sign_of(hi + (1 - lo)) < 0:
            raise NonexistentError
        differences = newton([body(lo + i) for i in range(DEGREE + 3)])
        if len(differences) > DEGREE + 1:
            raise NoValueError("a sum of what is no polynomial")
        return newton_sum(differences, hi + (1 - lo))
    if not all(is_real(end) and real(end).denominator == 1 for end in (lo, hi)) or hi < lo - 1:
        raise NoValueError(f"a sum from {lo} to {hi}")
    return sum((body(i) for i in range(int(lo), int(hi) + 1)), 0)


def _integral(body: Callable[[Number], Number], lo: Number, hi: Number) -> Number:
    """By the closed formula of seven nodes, exact up to degree 7, on both sides of 0."""
    if lo < 0 < hi or hi < 0 < lo:
        return _integral(body, lo, 0) + _integral(body, 0, hi)
    middle = Fraction(lo + hi, 2)
    whole = _seven_nodes(body, lo, hi)
    if whole + _seven_nodes(body, lo, middle) * -1 + _seven_nodes(body, middle, hi) * -1:
        raise NoValueError("the integral of what is no polynomial")
    return whole


def _seven_nodes(body: Callable[[Number], Number], lo: Number, hi: Number) -> Number:
    weights, h = (41, 216, 27, 272, 27, 216, 41), Fraction(hi - lo, 6)
    return sum((w * body(lo + i * h) for i, w in enumerate(weights)), 0) * h * Fraction(1, 140)


def _derivative(body: Callable[[Number], Number], x: Number, directions: Iterable[Number]) -> Number:
    """The derivative, if it is the same along all directions."""
    slopes = []
    for direction in directions:
        germ = _germ(body(OneSided(x, x, direction)))
        if not _same(germ.at, germ.limit):
            raise NonexistentError
        slopes.append(divide(germ.slope, direction))
    if not all(_same(slope, slopes[0]) for slope in slopes):
        raise NonexistentError
    return slopes[0]


def _same(a: Number, b: Number) -> bool:
    if isinstance(a, OneSided) or isinstance(b, OneSided):
        a, b = _germ(a), _germ(b)
        return all(map(_same, (a.at, a.limit, a.slope), (b.at, b.limit, b.slope)))
    return not a + b * -1


def _limit(body: Callable[[Number], Number]) -> Number:
    far = body(FAR.gens[0])
    if not _far(far):
        return far
    growth = far.numer.degree() - far.denom.degree() if far else -1
    if growth > 0:
        raise NonexistentError
    return _leading(far) if growth == 0 else 0


# ---- expressions

_FUNCTIONS: dict[Any, Callable[..., Number]] = {
    sp.Add: lambda *terms: reduce(lambda a, b: a + b, terms),
    sp.Mul: lambda *factors: reduce(lambda a, b: a * b, factors),
    sp.Pow: _power,
    sp.Abs: _abs,
    sp.sign: _sign,
    sp.floor: _floor,
    sp.conjugate: _conjugate,
    sp.re: _re,
    sp.im: _im,
    sp.tanh: _tanh,
}

Compiled = Callable[[Scope], Number]


@cache
def compiled(expr: sp.Expr) -> Compiled:
    """`expr` as a function of a scope."""
    if isinstance(expr, sp.Symbol):
        return lambda scope: scope[expr]
    if expr == sp.I:
        return lambda scope: gauss(0, 1)
    if isinstance(expr, sp.Integer):
        return _constant(int(expr))
    if isinstance(expr, sp.Rational):
        return _constant(Fraction(expr.p, expr.q))
    if isinstance(expr, sp.Float):
        exact = sp.Rational(expr)  # the value of its bits
        return _constant(Fraction(exact.p, exact.q))
    if isinstance(expr, sp.Sum | sp.Integral):
        return _over_ranges(expr)
    if isinstance(expr, sp.Derivative):
        return _over_derivatives(expr)
    if isinstance(expr, sp.Limit):
        inside, n = compiled(expr.args[0]), expr.args[1]
        if expr.args[2] != sp.oo:
            return _unknown
        return lambda scope: _limit(lambda far: inside({**scope, n: far}))
    if isinstance(expr, AppliedUndef):
        args = [compiled(arg) for arg in expr.args]
        return lambda scope: scope[expr.func.__name__](*[arg(scope) for arg in args])
    if type(expr) in _FUNCTIONS:
        function, args = _FUNCTIONS[type(expr)], [compiled(arg) for arg in expr.args]
        return lambda scope: function(*[arg(scope) for arg in args])
    return _unknown


def _constant(number: Number) -> Compiled:
    return lambda scope: number


def _unknown(scope: Scope) -> Number:
    raise NoValueError("an expression that is not known here")


def _over_ranges(expr: sp.Expr) -> Compiled:
    fold = _sum if isinstance(expr, sp.Sum) else _integral
    inside = compiled(expr.function)
    for u, lo, hi in expr.limits:
        inside = _over_range(fold, inside, u, compiled(lo), compiled(hi))
    return inside


def _over_range(fold: Any, body: Compiled, u: sp.Symbol, lo: Compiled, hi: Compiled) -> Compiled:
    def bound(scope: Scope, number: Number) -> Number:
        # what the index is declared to be, it is
        if (u.is_positive and number <= 0) or (u.is_nonnegative and number < 0):
            raise NoValueError(f"{u} = {number} is not what it is declared to be")
        return body({**scope, u: number})

    return lambda scope: fold(lambda number: bound(scope, number), lo(scope), hi(scope))


def _over_derivatives(expr: sp.Expr) -> Compiled:
    inside = compiled(expr.expr)
    for x in expr.variables:
        directions = (1, -1) if x.is_real else (1, -1, gauss(0, 1), gauss(0, -1))
        inside = _over_derivative(inside, x, directions)
    return inside


def _over_derivative(body: Compiled, x: sp.Symbol, directions: Iterable[Number]) -> Compiled:
    return lambda scope: _derivative(lambda germ: body({**scope, x: germ}), scope[x], directions)
