"""The methods of `Derivation`, and the conditions under which an expression is defined."""

from collections.abc import Callable

import pytest
import sympy as sp
from sympy import Ge, I, Integral, Limit, Ne, Rational, Sum, Symbol, cos, log, oo, sqrt

from explainers.derive import Certificate, Quoted, RefusedError, Reindex, derive
from tests.derive.chains import N, T, a, chain, k, n, p, refused, t, w, x, y, z


@pytest.mark.parametrize(
    ("expr", "what"),
    [
        ((x**2 - 1) / (x - 1), "denominator x - 1"),
        (x / (x - T), "denominator"),
        (log(x), "argument of a logarithm x"),
        ((x - 1) ** Rational(-1, 2), "denominator x - 1"),
        (Sum(1 / t, (t, 0, N)), "denominator t"),
        (Integral(1 / x, (x, -1, 1)), "denominator x"),
    ],
)
def test_what_may_be_zero_must_be_assumed_away(expr: sp.Expr, what: str) -> None:
    with refused("step 0", what, "may be 0"):
        chain(expr)


def test_a_named_condition_clears_a_denominator_and_is_printed() -> None:
    d = derive("quotient", assume={"x is not one": Ne(x, 1)}).start((x**2 - 1) / (x - 1))
    d.step("==", x + 1).qed(((x**2 - 1) / (x - 1), "==", x + 1))
    assert "x is not one" in repr(d)
    with refused("denominator x \\+ 1 may be 0"):
        derive("other", assume={"x is not one": Ne(x, 1)}).start(1 / (x**2 - 1))


def test_a_denominator_in_a_sum_is_judged_by_the_range_of_its_index() -> None:
    chain(Sum(1 / t, (t, 1, N)))
    chain(Sum(Sum(1 / (N + 1 - t + k), (k, 0, t)), (t, 1, N)))
    with refused("may be 0"):
        chain(Sum(1 / (N - t), (t, 1, N)))


def test_a_condition_on_a_bound_variable_does_not_clear_an_integral() -> None:
    with refused("denominator x"):
        derive("pole", assume={"x is not zero": Ne(x, 0)}).start(Integral(1 / x, (x, -1, 1)))


@pytest.mark.parametrize(
    "expr",
    [
        Sum(t, (t, 2, N)),
        Sum(a(t), (t, 3, T)),
        Sum(Sum(a(k), (k, 0, N - t)), (t, 1, N + 2)),
        Sum(a(t), (t, T, 0)),
    ],
)
def test_sums_that_may_run_backwards_are_refused(expr: sp.Expr) -> None:
    with refused("may run backwards"):
        chain(expr)


def test_a_sum_may_be_empty() -> None:
    chain(Sum(a(t), (t, 1, N))).step("==", Sum(a(t), (t, 2, N + 1)) + a(1) - a(N + 1))
    d = derive("slack", assume={"enough": Ge(N, T)}, witness=lambda rng: {N: 9, T: 3})
    d.start(Sum(a(t), (t, T, N)))


@pytest.mark.parametrize("wrong", [{"positive": True}, {"even": True}, {"zero": False}])
def test_an_index_is_not_more_than_its_limits_make_it(wrong: dict[str, bool]) -> None:
    i = Symbol("i", integer=True, **wrong)
    with refused("i is declared"):
        chain(Sum(sqrt(i**2), (i, -N, N)))


def test_an_assumption_that_is_never_used_is_named() -> None:
    d = derive("spare", assume={"spare": Ne(y, 0)}).start((x + 1) ** 2).step("==", x**2 + 2 * x + 1)
    with pytest.raises(ValueError, match="never used: spare"):
        d.qed(((x + 1) ** 2, "==", x**2 + 2 * x + 1))


def test_a_true_step_with_too_weak_a_proof_is_not_proved() -> None:
    with refused("step 1: >= is not proved by this certificate", "does not add up"):
        chain(x**2 + 1).step(">=", 0, by=Certificate((1, x**2)))
    with refused("not proved", "no|not reduce"):
        chain(x**2 + 1).step(">=", 0)


def test_a_weaker_but_true_bound_is_not_proved_by_the_same_certificate() -> None:
    chain((x - y) ** 2 + 2 * x * y).step(">=", 2 * x * y, by=Certificate((1, (x - y) ** 2)))
    with refused("not proved"):
        chain((x - y) ** 2 + 2 * x * y).step(">=", 2 * x * y - 1, by=Certificate((1, (x - y) ** 2)))


def test_a_chain_goes_one_way() -> None:
    d = chain(x).step("<=", x + w, by=Certificate((1, w)))
    with refused("step 2: >= after <="):
        d.step(">=", x, by=Certificate((1, w)))


def test_an_inequality_is_not_an_equation_at_the_end() -> None:
    d = chain(x).step("<=", x + w, by=Certificate((1, w)))
    for wrong in ("==", ">="):
        with refused(f"the theorem says {wrong}, the chain proves <= only"):
            d.qed((x, wrong, x + w))
    d.qed((x, "<=", x + w))
    chain(x).step("==", x + y - y).qed((x, "<=", x))


def test_the_theorem_has_the_ends_of_the_chain() -> None:
    d = chain(x).step("<=", x + w, by=Certificate((1, w)))
    with refused("qed: the right side of the theorem is x"):
        d.qed((x, "<=", x))
    with refused("qed: the left side of the theorem is y"):
        d.qed((y, "<=", x + w))
    d.qed(sp.Le(x, x + w, evaluate=False))


def test_a_finished_or_unstarted_chain_takes_no_step() -> None:
    with pytest.raises(ValueError, match="call start first"):
        derive("empty").step("==", x)
    with pytest.raises(ValueError, match="call step first"):
        chain(x).qed((x, "==", x))
    with pytest.raises(ValueError, match="already has a start"):
        chain(x).start(x)
    with pytest.raises(ValueError, match="finished"):
        chain(x).step("==", x).qed((x, "==", x)).step("==", x)


@pytest.mark.parametrize(
    ("call", "error", "argument"),
    [
        (lambda: derive(""), TypeError, "title"),
        (lambda: derive("d", witness=3), TypeError, "witness"),  # type: ignore[arg-type]
        (lambda: derive("d", assume={"": Ne(x, 0)}), TypeError, "assume"),
        (lambda: derive("d", assume={"f": x}), TypeError, "assume: 'f'"),
        (lambda: derive("d", assume={"f": Ge(w, 0)}), ValueError, "assume: 'f' is True"),
        (lambda: derive("d", lemmas={"l": x}), TypeError, "lemmas: 'l'"),
        (lambda: derive("d", define={x + 1: y}), TypeError, "define"),
        (lambda: derive("d", define={a(n): a(n + 1)}), ValueError, "define: a\\(n\\) is used before"),
        (lambda: chain(x).step("<", y), ValueError, "rel"),  # type: ignore[arg-type]
        (lambda: chain(x).step("==", "x +"), TypeError, "expr"),
        (lambda: chain(x).step("==", x, by="magic"), TypeError, "by"),  # type: ignore[arg-type]
        (lambda: chain(x).step("==", x).qed(x), TypeError, "theorem"),
        (lambda: Certificate(), TypeError, "terms"),
        (lambda: Certificate((1,)), TypeError, "terms"),
        (lambda: Reindex(n, 2 * n), ValueError, "image"),
        (lambda: Reindex(n, n + x), ValueError, "image"),
        (lambda: Quoted("Fejér-Riesz", " "), ValueError, "source"),
    ],
)
def test_a_bad_argument_is_named(call: Callable[[], object], error: type[Exception], argument: str) -> None:
    # the type checker of the tests may speak first; it names the argument too
    with pytest.raises((error, TypeError), match=argument.split(":")[0]):
        call()


def test_an_integral_needs_both_of_its_ends_where_its_variable_is_declared_to_be() -> None:
    x, b = sp.Symbol("x", positive=True), sp.Symbol("b", real=True, nonzero=True)
    for integrand, hi in ((1 / x**2, -1), (1 / x, b), (sp.sqrt(x**2), b)):
        with pytest.raises(RefusedError, match="x is declared positive"):
            derive("Backwards over a pole").start(sp.Integral(integrand, (x, 1, hi)))
    z = sp.Symbol("z")
    with pytest.raises(RefusedError, match="not known to be real"):
        derive("A complex end").start(
            sp.Integral(sp.Symbol("y", real=True), (sp.Symbol("y", real=True), 0, z))
        )


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        (Sum(T, (T, 1, T)), "depends on its own index"),
        (Sum(a(t), (t, 1, N), (k, 1, t)), "depends on its own index"),
        (Integral(x, (x, 0, oo)), "not a number"),
        (oo, "not a number"),
        (x * sp.Determinant(sp.ImmutableMatrix([[1 / x]])), "the denominator x may be 0"),
        (sp.tan(x) * cos(x), "the denominator cos\\(x\\) may be 0"),
        (sp.tanh(z + I * w), "the denominator cosh"),
        (sp.Product(w, (k, 1, 3)), "is not supported"),
        (sp.Subs(x * y, x, 2), "is not supported"),
        (x + sp.Order(x), "is not supported"),
        (sp.Piecewise((1, x > 0), (2, True)), "is not supported"),
        (Limit(1 / p, p, oo).func(1 / p, p + 1, oo), "is not a symbol"),
    ],
)
def test_what_the_rules_do_not_cover_is_refused(expr: sp.Expr, message: str) -> None:
    with refused(message):
        chain(expr)
