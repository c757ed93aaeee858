"""Symbols and helper functions of the tests of `derive`."""

import pytest
import sympy as sp
from sympy import Function, Symbol

from explainers.derive import Derivation, RefusedError, Vector, Vectors, derive

T = Symbol("T", integer=True, positive=True)
p = Symbol("p", integer=True, positive=True)
N = Symbol("N", integer=True, nonnegative=True)
t, k, n = sp.symbols("t k n", integer=True)
x, y, z = sp.symbols("x y z", real=True)
w = Symbol("w", positive=True)
a = Function("a")
eta = Function("eta", positive=True)
phi, psi, c = Vector("varphi"), Vector("psi"), Vector("c")
theta, g = Vectors("theta"), Vectors("g")


def refused(*message: str) -> pytest.RaisesExc[RefusedError]:
    """Expect a `RefusedError` whose message contains these patterns in this order."""
    return pytest.raises(RefusedError, match="(?s)" + ".*".join(message))


def chain(start: sp.Expr, **given: object) -> Derivation:
    """A derivation that begins with `start`; `given` are keywords of `derive`."""
    return derive("a chain", **given).start(start)  # type: ignore[arg-type]  # wrong ones are tested too
