"""Derivations that are proved while a page is built.

A derivation is a chain of SymPy expressions. Each step has a reason for the reader and
a proof object for the program, and raises `RefusedError` if it is not proved::

    T = Symbol("T", integer=True, positive=True)
    t = Symbol("t", integer=True)
    odd = Sum(2 * t - 1, (t, 1, T))
    d = derive("The sum of the first odd numbers")
    d.start(odd)
    d.step("==", T**2, by=Induction(T), because="each completes the next square")
    d.qed((odd, "==", T**2))

Sides are printed in the order of a book. Where it would print another form, the author
writes it, `d.step(…, shown="D*G/sqrt(2*pi*(T + 1))")`, and it is proved equal too. With
`under=` a derivation takes over the conditions of another, `brief=True` prints it as
one line, and `together` shows several as one block.

An induction starts at the smallest value that the assumptions of its symbol allow, the
upper limit of a sum is at least the lower one minus 1, and every denominator is nonzero
by the assumptions of its symbols or by a named assumption of the derivation.
"""

from explainers.derive.calculus import Antiderivative, Limiting, Minimum
from explainers.derive.chain import Derivation, derive, together
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
from explainers.derive.substitution import RefusedError
from explainers.derive.typeset import Step
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
    "RefusedError",
    "Reindex",
    "Step",
    "Termwise",
    "Vector",
    "Vectors",
    "derive",
    "inner",
    "norm2",
    "together",
]
