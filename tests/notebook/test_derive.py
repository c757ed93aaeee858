"""Each rule of `derive`, with the falsehood that it exists to refuse."""

import json

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Eq, Function, Ge, I, Integral, Ne, Rational, Sum, Symbol, conjugate, exp, log, pi, sqrt

from explainers.notebook.derive import (
    Certificate,
    Derivation,
    Every,
    Induction,
    Minimum,
    Quoted,
    Refused,
    Reindex,
    Termwise,
    derive,
)
from explainers.notebook.derive.sums import is_zero, nonneg, normal, substitute
from explainers.notebook.derive.typeset import MIME, latex
from explainers.notebook.derive.values import Point, differ, value

T = Symbol("T", integer=True, positive=True)
N = Symbol("N", integer=True, nonnegative=True)
t, k, n = sp.symbols("t k n", integer=True)
x, y, z = sp.symbols("x y z", real=True)
w = Symbol("w", positive=True)
a = Function("a")
eta = Function("eta", positive=True)


def refused(*message: str) -> pytest.RaisesExc[Refused]:
    """Refusal, with a message that holds each of these words in this order."""
    return pytest.raises(Refused, match="(?s)" + ".*".join(message))


def chain(start: sp.Expr, **given: object) -> Derivation:
    return derive("a chain", **given).start(start)  # type: ignore[arg-type]  # wrong ones are tested too


# ---- 1: an induction starts where the symbol's assumptions say


def test_induction_starts_at_the_smallest_value_that_the_symbol_admits() -> None:
    d = chain(Sum(2 * t - 1, (t, 1, T))).step("==", T**2, by=Induction(T))
    assert "induction from $T=1$" in d.steps[0].how
    d = chain(Sum(2 * t + 1, (t, 1, N))).step("==", N**2 + 2 * N, by=Induction(N))
    assert "induction from $N=0$" in d.steps[0].how


def test_the_harmonic_sum_is_not_at_least_two_by_a_late_base() -> None:
    step = Certificate((1, 1 / (T + 1)))
    with refused("step 1", "false", "T = 1", "induction, base T = 1"):
        chain(Sum(1 / t, (t, 1, T))).step(">=", 2, by=Induction(T, base=Certificate((1, w)), step=step))
    with pytest.raises(TypeError):
        Induction(T, n0=4)  # type: ignore[call-arg]  # there is no such argument
    chain(Sum(1 / t, (t, 1, T))).step(">=", 1, by=Induction(T, step=step))


@pytest.mark.parametrize(
    "symbol",
    [
        x,
        t,
        Symbol("r", positive=True),
        Symbol("e", integer=True, positive=True, even=True),
        Symbol("p", integer=True, positive=True, prime=True),
        3,
    ],
)
def test_induction_needs_a_symbol_whose_values_are_counted_from_its_first(symbol: sp.Expr) -> None:
    with pytest.raises((ValueError, TypeError), match=r"n: an induction needs|parameter 'n'"):
        Induction(symbol)


def test_induction_compares_increments() -> None:
    with refused("false", "increment from T to T \\+ 1"):
        chain(Sum(t, (t, 1, T))).step("==", T, by=Induction(T))


def test_a_fact_about_one_value_of_the_symbol_is_no_help_in_an_induction() -> None:
    # with T = 1 assumed, the sum is 1; an induction that used it would prove that for every T
    d = derive("one", assume={"T is one": Eq(T, 1)}, model=lambda rng: {T: 1}).start(Sum(t, (t, 1, T)))
    with refused("no fact 'T is one'"):
        d.step("==", T, by=Induction(T, step=Certificate((T, "T is one"))))


def test_a_denominator_assumed_away_at_one_value_stays_open_in_an_induction() -> None:
    d = derive("hole", assume={"T is not three": Ne(T, 3)})
    d.start(Sum(1, (t, 1, T)) / (T - 3))
    with refused("denominator T - 3 may be 0"):
        d.step("==", T / (T - 3), by=Induction(T))


# ---- 2: lemmas and facts


def square_lemma() -> Derivation:
    d = derive("positive part", assume={"x is not y": Ne(x, y)})
    d.start((x**2 - y**2) / (x - y)).step("==", x + y)
    return d.qed(((x**2 - y**2) / (x - y), "==", x + y))


def test_a_lemma_brings_its_assumptions_along() -> None:
    quotient = (x**2 - y**2) / (x - y)
    d = derive("user", lemmas={"quotient": square_lemma()}).start(2 * quotient)
    d.step("==", 2 * x + 2 * y, by=Certificate((2, "quotient")))
    d.qed((2 * quotient, "==", 2 * x + 2 * y))
    assert "x is not y" in d.facts
    assert any(line.startswith("x is not y") for line in d.stated(latex=False))
    later = derive("later", lemmas={"twice": d}).start(2 * quotient)
    assert "x is not y" in later.facts


def test_a_lemma_without_its_assumption_is_not_used_where_it_would_be_false() -> None:
    d = derive("user", lemmas={"quotient": square_lemma()}).start(z)
    with refused("about x itself"):
        d.step("==", z, by=Certificate((1, ("quotient", {x: y}))))


def test_a_lemma_must_be_finished() -> None:
    with pytest.raises(ValueError, match="lemmas: 'open' is not proved"):
        derive("user", lemmas={"open": chain(x)})


def test_a_lemma_holds_only_for_values_that_its_symbols_admit() -> None:
    lemma = chain(log(w)).step("<=", w - 1, by=Minimum(w, 1, 1 / w)).qed((log(w), "<=", w - 1))
    d = derive("use", lemmas={"log": lemma}).start(log(T))
    d.step("<=", T - 1, by=Certificate((1, ("log", {w: T}))))
    with refused("not known at w = x"):
        derive("use", lemmas={"log": lemma}).start(x).step("<=", x, by=Certificate((1, ("log", {w: x}))))


STEPS_SHRINK = {"steps shrink": Every(t, Ge(eta(t), eta(t + 1)), first=1)}


def shrinking(rng: object) -> dict[object, object]:
    return {eta: lambda s: 1 / (1 + abs(s))}


def test_an_indexed_fact_holds_from_its_first_index_on() -> None:
    d = derive("steps", assume=STEPS_SHRINK, model=shrinking).start(eta(T))
    d.step(">=", eta(T + 1), by=Certificate((1, ("steps shrink", {t: T}))))
    for index in (0, T - 1, Rational(3, 2), N):
        d = derive("steps", assume=STEPS_SHRINK, model=shrinking).start(eta(index))
        with refused("'steps shrink' is not known at t ="):
            d.step(">=", eta(index + 1), by=Certificate((1, ("steps shrink", {t: index}))))


def test_an_indexed_fact_at_the_wrong_index_does_not_add_up() -> None:
    for index in (T + 1, T + 2):
        d = derive("steps", assume=STEPS_SHRINK, model=shrinking).start(eta(T))
        with refused("does not add up"):
            d.step(">=", eta(T + 1), by=Certificate((1, ("steps shrink", {t: index}))))


def test_the_index_of_a_sum_may_be_an_instance_within_its_range() -> None:
    proof = Termwise(Certificate((1, ("steps shrink", {t: t}))))
    d = derive("sum", assume=STEPS_SHRINK, model=shrinking).start(Sum(eta(t), (t, 1, T)))
    d.step(">=", Sum(eta(t + 1), (t, 1, T)), by=proof)
    d = derive("sum", assume=STEPS_SHRINK, model=shrinking).start(Sum(eta(t), (t, 0, T)))
    with refused("not known at t = t"):
        d.step(">=", Sum(eta(t + 1), (t, 0, T)), by=proof)


def test_facts_are_not_shared_between_chains() -> None:
    shared: dict[str, object] = {"x is large": Ge(x, 5)}
    d = derive("first", assume=shared, model=lambda rng: {x: 6}).start(x)
    shared["y is large"] = Ge(y, 5)
    with refused("no fact 'y is large'"):
        d.step(">=", 0, by=Certificate((1, "y is large")))
    d.facts["leak"] = d.facts["x is large"]
    with refused("no fact 'leak'"):
        derive("second", assume={"x is large": Ge(x, 5)}, model=lambda rng: {x: 6}).start(x).step(
            ">=", 5, by=Certificate((1, "leak"))
        )


def test_an_assumption_about_a_symbol_says_nothing_about_an_index_of_its_name() -> None:
    d = derive("clash", assume={"large": Ge(t, 5)}, model=lambda rng: {t: 6}).start(Sum(t, (t, 1, T)))
    with refused("no fact 'large'"):
        d.step(">=", Sum(5, (t, 1, T)), by=Termwise(Certificate((1, "large"))))


# ---- 3: side conditions


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
    d = derive("slack", assume={"enough": Ge(N, T)}, model=lambda rng: {N: 9, T: 3})
    d.start(Sum(a(t), (t, T, N)))


@pytest.mark.parametrize("wrong", [{"positive": True}, {"even": True}, {"zero": False}])
def test_an_index_is_not_more_than_its_limits_make_it(wrong: dict[str, bool]) -> None:
    i = Symbol("i", integer=True, **wrong)
    with refused("i is declared"):
        chain(Sum(sqrt(i**2), (i, -N, N)))


def test_a_square_root_of_a_square_needs_a_sign() -> None:
    with refused("false"):
        chain(sqrt(x**2)).step("==", x)
    with refused("not proved|false"):
        chain(sqrt(x * y)).step("==", sqrt(x) * sqrt(y))
    chain(sqrt(w**2)).step("==", w)


# ---- 4: assumptions have a model, and each is needed


def test_assumptions_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="model: needed, as no random point"):
        derive("absurd", assume={"above": Ge(x, 1), "below": Ge(0, x)})
    with pytest.raises(ValueError, match="model: it violates the assumption 'below'"):
        derive("absurd", assume={"above": Ge(x, 1), "below": Ge(0, x)}, model=lambda rng: {x: 2})


def test_an_assumption_that_is_never_used_is_named() -> None:
    d = derive("spare", assume={"spare": Ne(y, 0)}).start((x + 1) ** 2).step("==", x**2 + 2 * x + 1)
    with pytest.raises(ValueError, match="never used: spare"):
        d.qed(((x + 1) ** 2, "==", x**2 + 2 * x + 1))


# ---- 6: "false" and "not proved"


def test_a_wrong_step_is_false_and_names_a_point() -> None:
    with refused("step 2: == is false, counterexample: x = ", "left:  x\\*\\*2", "right: x\\*\\*2 \\+ x"):
        chain((x + 1) ** 2 - 2 * x - 1).step("==", x**2).step("==", x**2 + x)


def test_a_true_step_with_too_weak_a_proof_is_not_proved() -> None:
    with refused("step 1: >= is not proved by this certificate", "does not add up"):
        chain(x**2 + 1).step(">=", 0, by=Certificate((1, x**2)))
    with refused("not proved", "no|not reduce"):
        chain(x**2 + 1).step(">=", 0)


def test_a_weaker_but_true_bound_is_not_proved_by_the_same_certificate() -> None:
    chain((x - y) ** 2 + 2 * x * y).step(">=", 2 * x * y, by=Certificate((1, (x - y) ** 2)))
    with refused("not proved"):
        chain((x - y) ** 2 + 2 * x * y).step(">=", 2 * x * y - 1, by=Certificate((1, (x - y) ** 2)))


def test_a_counterexample_satisfies_the_facts() -> None:
    # false at x = 1, true wherever x >= 5: without a point that satisfies the fact nothing is called false
    d = derive("facts", assume={"x is large": Ge(x, 5)}, model=lambda rng: {x: 5 + rng.random()}).start(x)
    with refused("not proved", "does not add up"):
        d.step(">=", 4, by=Certificate((1, "x is large")))
    with refused("is false, counterexample: x = 5"):
        d.step(">=", 7, by=Certificate((1, "x is large")))


@given(st.integers(-5, 5), st.integers(-5, 5), st.integers(-5, 5))
@settings(max_examples=40, deadline=None)
def test_an_identity_is_accepted_exactly_if_the_coefficients_agree(p: int, q: int, r: int) -> None:
    left, right = (x + p) * (x + q), x**2 + (p + q) * x + r
    if p * q == r:
        chain(left).step("==", right)
    else:
        with refused("false"):
            chain(left).step("==", right)


# ---- the chain


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
    with pytest.raises(ValueError, match="start first"):
        derive("empty").step("==", x)
    with pytest.raises(ValueError, match="a step first"):
        chain(x).qed((x, "==", x))
    with pytest.raises(ValueError, match="one already"):
        chain(x).start(x)
    with pytest.raises(ValueError, match="finished"):
        chain(x).step("==", x).qed((x, "==", x)).step("==", x)


@pytest.mark.parametrize(
    ("call", "error", "argument"),
    [
        (lambda: derive(""), TypeError, "title"),
        (lambda: derive("d", model=3), TypeError, "model"),
        (lambda: derive("d", assume={"": Ne(x, 0)}), TypeError, "assume"),
        (lambda: derive("d", assume={"f": x}), TypeError, "assume: 'f'"),
        (lambda: derive("d", assume={"f": Ge(w, 0)}), ValueError, "assume: 'f' is True"),
        (lambda: derive("d", lemmas={"l": x}), TypeError, "lemmas: 'l'"),
        (lambda: derive("d", define={x + 1: y}), TypeError, "define"),
        (lambda: derive("d", define={a(n): a(n + 1)}), ValueError, "define: a\\(n\\) is used before"),
        (lambda: chain(x).step("<", y), ValueError, "rel"),
        (lambda: chain(x).step("==", "x +"), TypeError, "expr"),
        (lambda: chain(x).step("==", x, by="magic"), TypeError, "by"),
        (lambda: chain(x).step("==", x).qed(x), TypeError, "theorem"),
        (lambda: Certificate(), TypeError, "terms"),
        (lambda: Certificate((1,)), TypeError, "terms"),
        (lambda: Reindex(n, 2 * n), ValueError, "image"),
        (lambda: Reindex(n, n + x), ValueError, "image"),
        (lambda: Quoted("Fejér-Riesz", " "), ValueError, "source"),
    ],
)
def test_a_bad_argument_is_named(call: object, error: type[Exception], argument: str) -> None:
    # the type checker of the tests may speak first; it names the argument too
    with pytest.raises((error, TypeError), match=argument.split(":")[0]):
        call()  # type: ignore[operator]  # a lambda


# ---- definitions


def test_proofs_see_through_definitions() -> None:
    f, g = Function("f"), Function("g")
    d = chain(g(3), define={f(x): x**2, g(x): f(x + 1) - 1})
    d.step("==", 15).qed((g(3), "==", 15))
    with refused("false"):
        chain(g(3), define={f(x): x**2, g(x): f(x + 1) - 1}).step("==", 16)


def test_an_index_does_not_capture_a_value_of_its_name() -> None:
    s = Sum(a(k) * n, (k, 1, T))
    assert is_zero(substitute(s, {n: k}) - k * Sum(a(t), (t, 1, T)))
    f = Function("f")
    d = chain(f(k), define={f(n): s})
    d.step("==", k * Sum(a(t), (t, 1, T)))


# ---- proofs


def test_a_certificate_needs_signs() -> None:
    with refused("the sign of x is not known"):
        chain(x * w).step(">=", 0, by=Certificate((x, w)))
    with refused("the sign of -w"):
        chain(x).step(">=", x + w, by=Certificate((1, -w)))
    with refused("only says that something is not zero"):
        derive("d", assume={"nz": Ne(x, 0)}).start(x).step(">=", 0, by=Certificate((1, "nz")))


def test_a_certificate_of_an_equation_needs_equations() -> None:
    with refused("needs an equation in every term"):
        chain(x + w).step("==", x, by=Certificate((1, w)))
    d = derive("d", assume={"equal": Eq(x, y)}, model=lambda rng: {x: 2, y: 2}).start(3 * x)
    d.step("==", 3 * y, by=Certificate((3, "equal")))
    with refused("does not add up"):
        d.step("==", x, by=Certificate((3, "equal")))


def test_terms_of_two_facts_may_be_multiplied() -> None:
    facts = {"x": Ge(x, 1), "y": Ge(y, 1)}
    d = derive("box", assume=facts).start(x * y + 1)
    d.step(">=", x + y, by=Certificate((1, "x", "y")))


def test_term_by_term_needs_equal_ranges() -> None:
    with refused("the same range"):
        chain(Sum(eta(t), (t, 1, T))).step("==", Sum(eta(t), (t, 1, T + 1)), by=Termwise())
    chain(Sum(eta(t), (t, 1, T))).step(">=", 0, by=Termwise(Certificate((1, eta(t)))))
    with refused("the sign of -eta"):
        chain(Sum(-eta(t), (t, 1, T))).step(">=", 0, by=Termwise(Certificate((1, -eta(t)))))


def test_a_sum_is_reindexed_without_losing_a_term() -> None:
    left = Sum(a(N - t), (t, 0, N))
    chain(left).step("==", Sum(a(t), (t, 0, N)), by=Reindex(t, N - t))
    with refused("false"):
        chain(left).step("==", Sum(a(t), (t, 0, N)) + a(0), by=Reindex(t, N - t))


def test_a_minimum_needs_its_place_its_slope_and_an_interval() -> None:
    chain(log(w)).step("<=", w - 1, by=Minimum(w, 1, 1 / w))
    with refused("differ at w = 2"):
        chain(log(w)).step("<=", w - 1, by=Minimum(w, 2, 1 / w))
    with refused("derivative is not"):
        chain(log(w)).step("<=", w - 1, by=Minimum(w, 1, 1 / w**2))
    with refused("sign of -1/w"):
        chain(w - 1).step("<=", log(w), by=Minimum(w, 1, -1 / w))
    with refused("not seen to be an interval"):
        chain(T**2).step(">=", 2 * T - 1, by=Minimum(T, 1, 2))
    with refused("does not admit -1"):
        chain(w**2).step(">=", -2 * w - 1, by=Minimum(w, -1, 2))


def test_what_is_quoted_is_marked_and_not_contradicted_by_numbers() -> None:
    fermat = Quoted("a theorem", "a book")
    d = chain(x**2).step(">=", 0, by=fermat).qed((x**2, ">=", 0))
    assert d.rests_on == ("a theorem (quoted: a book)",)
    assert "quoted, not proved here" in d.steps[0].how
    assert "rests on a theorem" in repr(d)
    later = derive("later", lemmas={"square": d}).start(x**2).step(">=", 0, by=Certificate((1, "square")))
    assert later.rests_on == d.rests_on
    with refused("numbers contradict it"):
        chain(x**2).step(">=", 1, by=fermat)


# ---- the normal form


@given(st.integers(-2, 2), st.integers(-2, 2), st.integers(0, 2), st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_the_normal_form_has_the_value_of_the_expression(low: int, shift: int, size: int, seed: int) -> None:
    inner = Sum(a(k) * exp(I * pi * k * x) * conjugate(a(k + t)), (k, low, N + 2 + shift))
    expr = Sum(t * inner + eta(t + shift), (t, low - N, low + size)) + sp.Abs(inner.subs(t, shift)) ** 2
    assert not differ(value(expr, Point(seed)), value(normal(expr), Point(seed)))


def test_waves_average_to_nothing() -> None:
    wave = exp(I * pi * T * x)
    assert is_zero(Integral(wave, (x, -1, 1)))
    assert not is_zero(Integral(exp(I * pi * N * x), (x, -1, 1)))
    assert is_zero(Integral(exp(I * pi * 0 * x), (x, -1, 1)) - 2)
    assert is_zero(exp(I * pi * n) - (-1) ** n)
    assert not is_zero(exp(I * pi * x) - (-1) ** n)


def test_the_zero_test_reaches_binomials() -> None:
    ratio = sp.binomial(2 * T + 2, T + 1) - 2 * (2 * T + 1) * sp.binomial(2 * T, T) / (T + 1)
    assert is_zero(ratio)
    assert not is_zero(ratio + 1)


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (x**2, True),
        (x, False),
        (x**3, False),
        (w * x**2, True),
        (-w, False),
        (x**2 - 2 * x * y + y**2, True),
        (a(n) * conjugate(a(n)), True),
        (sqrt(a(n)) * conjugate(sqrt(a(n))), True),
        (a(n) ** 2, False),
        (Sum(eta(t), (t, 1, T)), True),
    ],
)
def test_nonneg(expr: sp.Expr, expected: bool) -> None:
    assert nonneg(expr) is expected


# ---- display


def test_a_derivation_shows_itself() -> None:
    d = derive("Odd numbers", assume={"x is not one": Ne(x, 1)})
    d.start((x**2 - 1) / (x - 1), lhs="q", because="by definition")
    d.step("==", x + 1, because="$x-1$ cancels").qed(
        ((x**2 - 1) / (x - 1), "==", x + 1), says="**It is a line.**"
    )
    bundle = d._repr_mimebundle_()
    page = json.loads(json.dumps(bundle[MIME]))
    assert page == {
        "title": "Odd numbers",
        "assumptions": ["x is not one: $x \\neq 1$"],
        "rows": [
            {
                "lhs": "q",
                "rel": "=",
                "rhs": r"\frac{x^{2} - 1}{x - 1}",
                "number": None,
                "because": "by definition",
                "proof": "",
            },
            {
                "lhs": "",
                "rel": "=",
                "rhs": "x + 1",
                "number": 1,
                "because": "$x-1$ cancels",
                "proof": "difference is zero",
            },
        ],
        "says": "**It is a line.**",
        "theorem": "q = x + 1",
        "rests_on": [],
    }
    assert bundle["text/latex"].startswith("$$\\begin{aligned}")
    assert "Odd numbers" in bundle["text/plain"]
    assert "object at" not in bundle["text/plain"]
    assert bundle["text/plain"] == repr(d)


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (a(k) * exp(I * pi * k * x), r"a_{k} e^{i \pi k x}"),
        (conjugate(a(k + n)), r"\overline{a_{k + n}}"),
        (sp.Abs(Function("A")(N, x)) ** 2, r"|A_{N}(x)|^{2}"),
        ((x + 1) * (y + 1), "(x + 1) (y + 1)"),
        (exp(-I * pi * n * x) * conjugate(a(n)), r"\overline{a_{n}} e^{- i \pi n x}"),
        ((x / y) ** 2 + (Rational(1, 2) + 1 / y) * x, None),
    ],
)
def test_formulas_are_set_plainly(expr: sp.Expr, expected: str | None) -> None:
    if expected is not None:
        assert latex(expr) == expected
    assert latex(expr).count("{") == latex(expr).count("}")
    assert latex(expr).count(r"\left") == latex(expr).count(r"\right")
