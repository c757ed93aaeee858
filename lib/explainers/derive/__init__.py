"""Derivations that are proved while the page is built.

A derivation is a chain of SymPy expressions. Each step names its reason for the reader
and its proof for the machine, and a step that is not proved stops the page::

    T = Symbol("T", integer=True, positive=True)
    t = Symbol("t", integer=True)
    odd = Sum(2 * t - 1, (t, 1, T))
    d = derive("The sum of the first odd numbers")
    d.start(odd)
    d.step("==", T**2, by=Induction(T), because="each completes the next square")
    d.qed((odd, "==", T**2))

An induction starts where its symbol's assumptions say, sums never run backwards, and
every denominator is either known not to be zero or assumed so by name.
"""

from explainers.derive.calculus import Antiderivative, Limiting, Minimum
from explainers.derive.chain import Derivation, Step, derive
from explainers.derive.facts import Every, Fact
from explainers.derive.proofs import (
    Certificate,
    Identity,
    Induction,
    Proof,
    Quoted,
    Reindex,
    Termwise,
)
from explainers.derive.sums import Refused
from explainers.derive.vectors import Vector, Vectors, inner, norm2

__all__ = [
    "Antiderivative",
    "Certificate",
    "Derivation",
    "Every",
    "Fact",
    "Identity",
    "Induction",
    "Limiting",
    "Minimum",
    "Proof",
    "Quoted",
    "Refused",
    "Reindex",
    "Step",
    "Termwise",
    "Vector",
    "Vectors",
    "derive",
    "inner",
    "norm2",
]
