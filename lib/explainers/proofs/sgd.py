"""Side proofs of the chapter on SGD."""

from collections.abc import Callable

from sympy import Eq, Function, Rational, Sum, sqrt, symbols

from explainers.derive import Certificate, Derivation, Every, Induction, derive

T, t = symbols("T t", integer=True, positive=True)
D, G = symbols("D G", positive=True)
eta = Function("eta", positive=True)


def zinkevich(total: Derivation, root_sum: Derivation, run: Callable) -> Derivation:
    """The bound of 2003: the total regret with steps 1/sqrt(t) (Zinkevich, theorem 1).

    `total` bounds the sum of the gaps by the steps, and `root_sum` the sum of 1/sqrt(t)
    up to T by 2 sqrt(T) - 1. `run` is a run with these steps.
    """
    gaps, steps = total.first, "the steps are $1/\\sqrt t$"
    d = derive(
        "Zinkevich's theorem",
        assume={steps: Every(t, Eq(eta(t), 1 / sqrt(t)), first=1)},
        lemmas={"The total gap": total, "The root sum": root_sum},
        under=total,
        witness=run,
    )
    d.start(gaps)
    d.step(
        "<=",
        D**2 / (2 * eta(T)) + G**2 / 2 * Sum(eta(t), (t, 1, T)),
        by=Certificate((1, "The total gap")),
        because="*The total gap* holds for all steps that never grow",
    )
    d.step(
        "==",
        D**2 / 2 * sqrt(T) + G**2 / 2 * Sum(eta(t), (t, 1, T)),
        by=Certificate((-(D**2) * sqrt(T) / (2 * eta(T)), (steps, {t: T}))),
        because="the last step is $1/\\sqrt T$",
        shown="D**2/2*sqrt(T) + G**2/2*Sum(eta(t), (t, 1, T))",
    )
    d.step(
        "==",
        D**2 / 2 * sqrt(T) + G**2 / 2 * Sum(1 / sqrt(t), (t, 1, T)),
        by=Induction(
            T,
            base=Certificate((G**2 / 2, (steps, {t: 1}))),
            step=Certificate((G**2 / 2, (steps, {t: T + 1}))),
        ),
        because="each step is $1/\\sqrt t$",
        shown="D**2/2*sqrt(T) + G**2/2*Sum(1/sqrt(t), (t, 1, T))",
    )
    d.step(
        "<=",
        D**2 / 2 * sqrt(T) + G**2 * (sqrt(T) - Rational(1, 2)),
        by=Certificate((G**2 / 2, "The root sum")),
        because="*The root sum* is at most $2\\sqrt T-1$",
        shown="D**2/2*sqrt(T) + G**2*(sqrt(T) - 1/2)",
    )
    d.qed(
        (gaps, "<=", d.last),
        says="This is **the bound of 2003**: with $D$ and $G$ fixed, the total gap "
        "grows no faster than $\\sqrt T$.",
    )
    return d
