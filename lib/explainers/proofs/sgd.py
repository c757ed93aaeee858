"""Side proofs of the chapter on SGD."""

from sympy import Function, Rational, Sum, sqrt, symbols

from explainers.derive import Certificate, Derivation, derive

T, t = symbols("T t", integer=True, positive=True)
D, G = symbols("D G", positive=True)
eta = Function("eta", positive=True)


def zinkevich(root_sum: Derivation) -> Derivation:
    """The bound of 2003: the total regret with steps 1/sqrt(t) (Zinkevich, theorem 1).

    `root_sum` bounds the sum of 1/sqrt(t) up to T by 2 sqrt(T) - 1.
    """
    total = D**2 / (2 * eta(T)) + G**2 / 2 * Sum(eta(t), (t, 1, T))
    d = derive(
        "Zinkevich's theorem",
        define={eta(t): 1 / sqrt(t)},
        lemmas={"root sum": root_sum},
    )
    d.start(total)
    d.step(
        "<=",
        D**2 * sqrt(T) / 2 + G**2 * (sqrt(T) - Rational(1, 2)),
        by=Certificate((G**2 / 2, "root sum")),
        because="steps $1/\\sqrt t$, and the root sum",
        shown="D**2/2*sqrt(T) + G**2*(sqrt(T) - 1/2)",
    )
    d.qed(
        (total, "<=", d.last),
        says="For the total and $\\alpha=1$, **the bound of 2003**.",
    )
    return d
