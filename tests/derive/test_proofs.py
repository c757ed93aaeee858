"""Each rule of `derive`, with the falsehood that it exists to refuse."""

import json
from collections.abc import Callable

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import (
    Abs,
    Eq,
    Function,
    Ge,
    I,
    Integral,
    Le,
    Limit,
    Ne,
    Rational,
    Sum,
    Symbol,
    conjugate,
    cos,
    exp,
    log,
    oo,
    pi,
    sin,
    sqrt,
)

from explainers.derive import (
    Antiderivative,
    Certificate,
    Derivation,
    Every,
    Induction,
    Limiting,
    Minimum,
    Quoted,
    Refused,
    Reindex,
    Termwise,
    Vector,
    Vectors,
    derive,
    inner,
    norm2,
)
from explainers.derive.sums import is_zero, nonneg, normal, substitute
from explainers.derive.typeset import MIME, latex
from explainers.derive.values import Point, differ, value

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
def test_a_bad_argument_is_named(call: Callable[[], object], error: type[Exception], argument: str) -> None:
    # the type checker of the tests may speak first; it names the argument too
    with pytest.raises((error, TypeError), match=argument.split(":")[0]):
        call()


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
    # its derivative is 0 wherever there is one, but it jumps
    with refused("not seen to be differentiable"):
        chain(-sp.floor(x**2)).step(">=", 0, by=Minimum(x, 0, 0))
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


# ---- induction with the claim as a hypothesis

CLAIM = "the claim at $n$"
p = Symbol("p", integer=True, positive=True)


def doubling(first: int = 1) -> Derivation:
    """A sequence that doubles, and begins with 1."""
    rule = {"starts at one": Eq(a(0), 1), "doubles": Every(n, Eq(a(n + 1), 2 * a(n)), first=0)}
    return derive("powers", assume=rule, model=lambda rng: {a: lambda n: first * 2**n})


def test_the_claim_at_n_may_be_used_for_the_claim_after_it() -> None:
    step = Certificate((1, ("doubles", {n: N})), (2, "the claim at $N$"))
    by = Induction(N, base=Certificate((1, "starts at one")), step=step, hypothesis="the claim at $N$")
    d = doubling().start(a(N)).step("==", 2**N, by=by)
    assert "step certificate: doubles, the claim at $N$" in d.steps[0].how
    with refused("base N = 0"):
        doubling().start(a(N)).step("==", 3 * 2**N, by=by)
    with refused("step from N to N \\+ 1: .*does not add up"):
        doubling().start(a(N)).step("==", 3**N, by=by)


def test_a_hypothesis_proves_inequalities_in_its_own_direction_only() -> None:
    by = Induction(p, step=Certificate((2, CLAIM), (1, p)), hypothesis=CLAIM)
    chain(2**p).step(">=", p + 1, by=by)
    with refused("false"):
        chain(2**p).step("<=", p + 1, by=by)
    with refused("not proved"):
        chain(2**p).step(">=", p, by=by)


def test_a_hypothesis_is_about_n_itself_and_is_gone_after_the_step() -> None:
    later = Induction(p, step=Certificate((1, (CLAIM, {p: p + 1}))), hypothesis=CLAIM)
    with refused("is about p itself, not about p = p \\+ 1"):
        chain(sp.Integer(0)).step(">=", 1 - 1 / p, by=later)
    with refused("no fact 'the claim at"):
        chain(p).step(">=", 1, by=Induction(p, base=Certificate((1, CLAIM)), hypothesis=CLAIM))
    d = chain(2**p).step(">=", p + 1, by=Induction(p, step=Certificate((2, CLAIM), (1, p)), hypothesis=CLAIM))
    with refused("no fact 'the claim at"):
        d.step(">=", p, by=Certificate((1, CLAIM)))


def test_the_claim_at_n_does_not_prove_itself_and_keeps_its_name_to_itself() -> None:
    # the same certificate without the hypothesis, or with an increment in the place of the claim, fails
    with refused("no fact 'the claim at"):
        chain(2**p).step(">=", p + 1, by=Induction(p, step=Certificate((2, CLAIM), (1, p))))
    with refused("false"):
        chain(p).step("==", 2 * p - 1, by=Induction(p, step=Certificate((1, CLAIM)), hypothesis=CLAIM))
    d = derive("taken", assume={CLAIM: Ge(x, 1)}, model=lambda rng: {x: 2}).start(2**p)
    with refused("is the name of another fact already"):
        d.step(">=", p + 1, by=Induction(p, step=Certificate((2, CLAIM), (1, p)), hypothesis=CLAIM))


# ---- limits and integrals


def test_a_limit_of_values_that_are_not_negative_is_not_negative() -> None:
    d = chain(x**2).step("==", Limit(x**2 + 1 / p, p, oo))
    d.step(">=", 0, by=Limiting(p, Certificate((1, x**2), (1, 1 / p)))).qed((x**2, ">=", 0))
    assert d.steps[1].how.startswith("in the limit, certificate")


def test_a_limit_keeps_no_strict_bound_and_no_relation_that_fails_on_the_way() -> None:
    with refused("the right side changes with p"):
        chain(Limit(1 / p, p, oo)).step("<=", 1 / p, by=Limiting(p))
    with refused("not a limit over T to infinity"):
        chain(Limit(1 / p, p, oo)).step(">=", 0, by=Limiting(T, Certificate((1, 1 / T))))
    with refused("not found, or not finite"):
        chain(Limit(p, p, oo)).step(">=", 0, by=Limiting(p, Certificate((1, p))))
    with refused("does not add up"):
        chain(Limit(-1 / p, p, oo)).step(">=", 0, by=Limiting(p, Certificate((1, 1 / p))))
    with pytest.raises(ValueError, match="n: an induction needs"):
        Limiting(t)


def test_the_range_of_an_index_is_no_help_in_a_limit_over_its_name() -> None:
    # T - i is not negative while i runs up to T, but it is for the i that goes to infinity: the limit is -1
    i = Symbol("i", integer=True, positive=True)
    whole = {"whole numbers": Every(n, Ge(n, 0), first=0)}
    by = Termwise(Limiting(i, Certificate((1 / i, ("whole numbers", {n: T - i})))))
    d = derive("room", assume=whole).start(Sum(Limit((T - i) / i, i, oo), (i, 1, T)))
    with refused("false", "'whole numbers' is not known at n = T - i"):
        d.step(">=", 0, by=by)


def test_an_assumption_about_one_n_is_no_help_in_a_limit() -> None:
    d = derive("one", assume={"large": Ge(p, 5)}, model=lambda rng: {p: 6}).start(Limit(x + 5 / p, p, oo))
    with refused("no fact 'large'"):
        d.step("<=", x + 1, by=Limiting(p, Certificate((1 / p, "large"))))


def test_an_integral_is_the_difference_of_its_antiderivative() -> None:
    d = chain(Integral(3 * y**2, (y, 0, T))).step("==", T**3, by=Antiderivative(y**3))
    assert d.steps[0].how == "between the ends of $y^{3}$"
    quarter = Integral((N + 1) * cos(y) * sin(y) ** N, (y, 0, pi / 2))
    chain(quarter).step("==", 1, by=Antiderivative(sin(y) ** (N + 1)))
    for wrong, message in (
        (y**3 + y, "the derivative is not the integrand"),
        (y**3 + 1 / y, "the denominator y may be 0"),
        (Abs(y) ** 3, "not seen to be differentiable"),
    ):
        with refused(message):
            chain(Integral(3 * y**2, (y, 0, T))).step("==", T**3, by=Antiderivative(wrong))
    with refused("false", "difference at the ends"):
        chain(Integral(3 * y**2, (y, 0, T))).step("==", T**3 + 1, by=Antiderivative(y**3))


@pytest.mark.parametrize(
    ("integrand", "wrong"),
    [
        (I, log(exp(I * y))),
        (I * sqrt(exp(I * y)) / 2, sqrt(exp(I * y))),
        (0, sp.floor(y)),
    ],
)
def test_an_antiderivative_must_not_jump(integrand: sp.Expr, wrong: sp.Expr) -> None:
    ends = (wrong.subs(y, 2 * pi) - wrong.subs(y, 0)).doit()
    with refused("not seen to be differentiable"):
        chain(Integral(integrand, (y, 0, 2 * pi))).step("==", ends, by=Antiderivative(wrong))


def test_integrals_are_compared_point_by_point_over_the_same_upward_range() -> None:
    wave = Certificate((1, sin(y) ** N, (1 - sin(y)) ** 2))
    quarter, half, whole = (
        Integral(sin(y) ** N * (1 - sin(y)) ** 2, (y, 0, end)) for end in (pi / 2, pi, 2 * pi)
    )
    for upward in (quarter, half):
        chain(upward).step(">=", 0, by=Termwise(wave))
    with refused("the sign of sin\\(y\\)\\*\\*N is not known"):
        chain(whole).step(">=", 0, by=Termwise(wave))
    downward = Integral(sin(y) ** N * (1 - sin(y)) ** 2, (y, pi / 2, 0))
    with refused("not seen to run upwards"):
        chain(downward).step(">=", 0, by=Termwise(wave))
    with refused("the same range"):
        chain(Integral(y**2, (y, 0, 2))).step(">=", Integral(y**2, (y, 0, 1)), by=Termwise())
    with refused("two sums or integrals, or one and 0"):
        chain(Integral(1, (y, 1, T + 1))).step("==", Sum(1, (t, 1, T)), by=Termwise())


def test_a_factor_in_front_of_a_sum_belongs_to_its_terms() -> None:
    chain(w * Sum(eta(t) + 1, (t, 1, T))).step(
        ">=", w * Sum(eta(t), (t, 1, T)), by=Termwise(Certificate((1, w)))
    )
    with refused("false"):
        chain(-Sum(eta(t) + 1, (t, 1, T))).step(
            ">=", -Sum(eta(t), (t, 1, T)), by=Termwise(Certificate((1, 1)))
        )
    # a factor that holds another symbol of the name of the index is not mixed up with it
    with refused("needs two sums"):
        chain(t * Sum(t, (t, 1, T))).step("==", Sum(t**2, (t, 1, T)), by=Termwise())


# ---- vectors

phi, psi, c = Vector("varphi"), Vector("psi"), Vector("c")
theta, g = Vectors("theta"), Vectors("g")


def test_a_squared_length_is_multiplied_out() -> None:
    step = norm2(theta(t) - eta(t) * g(t) - phi)
    d = chain(step)
    d.step(
        "==",
        norm2(theta(t) - phi) - 2 * eta(t) * inner(g(t), theta(t) - phi) + eta(t) ** 2 * norm2(g(t)),
    )
    for wrong in (
        norm2(theta(t) - phi) + 2 * eta(t) * inner(g(t), theta(t) - phi) + eta(t) ** 2 * norm2(g(t)),
        norm2(theta(t) - phi) - 2 * eta(t) * inner(g(t), theta(t) - phi) + eta(t) * norm2(g(t)),
        norm2(theta(t + 1) - phi) - 2 * eta(t) * inner(g(t), theta(t) - phi) + eta(t) ** 2 * norm2(g(t)),
    ):
        with refused("step 1: == is false, counterexample"):
            chain(step).step("==", wrong)


def test_inner_products_are_symmetric_linear_and_not_multiplicative() -> None:
    chain(inner(phi, psi)).step("==", inner(psi, phi))
    chain(inner(2 * phi - x * c, psi)).step("==", 2 * inner(phi, psi) - x * inner(c, psi))
    chain(norm2(phi + psi) - norm2(phi - psi)).step("==", 4 * inner(phi, psi))
    for wrong in (norm2(phi) * norm2(psi), sqrt(norm2(phi)) * sqrt(norm2(psi)), 0, 1):
        with refused("false"):
            chain(inner(phi, psi) if wrong != norm2(phi) * norm2(psi) else inner(phi, psi) ** 2).step(
                "==", wrong
            )


def test_what_holds_in_the_plane_only_is_not_proved() -> None:
    # three vectors in the plane have a Gram determinant of 0, and no number can refute it there
    u, v = psi, c
    gram = sp.Matrix(3, 3, lambda i, j: inner((phi, u, v)[i], (phi, u, v)[j])).det()
    with refused("not proved"):
        chain(gram).step("==", 0)


def test_an_average_of_vectors_is_a_vector() -> None:
    mean = Sum(theta(t), (t, 1, T)) / T
    chain(inner(mean, phi)).step("==", Sum(inner(theta(t), phi), (t, 1, T)) / T)
    chain(Sum(inner(theta(t) - mean, phi), (t, 1, T))).step("==", 0)
    spread = Sum(norm2(theta(t) - mean), (t, 1, T))
    chain(spread).step("==", Sum(norm2(theta(t)), (t, 1, T)) - T * norm2(mean))
    with refused("false"):
        chain(spread).step("==", Sum(norm2(theta(t)), (t, 1, T)) - norm2(mean))


def test_the_index_of_a_sum_of_vectors_captures_nothing() -> None:
    total = Sum(theta(t), (t, 1, T))
    chain(inner(total, theta(t))).step("==", Sum(inner(theta(k), theta(t)), (k, 1, T)))
    with refused("false"):
        chain(inner(total, theta(t))).step("==", Sum(norm2(theta(t)), (t, 1, T)))
    chain(norm2(total)).step("==", Sum(Sum(inner(theta(t), theta(k)), (t, 1, T)), (k, 1, T)))


def test_squared_lengths_are_not_negative_and_inner_products_may_be() -> None:
    chain(norm2(phi - x * psi)).step(">=", 0, by=Certificate((1, norm2(phi - x * psi))))
    assert nonneg(norm2(Sum(theta(t), (t, 1, T))))
    with refused("the sign of inner\\(varphi, psi\\) is not known"):
        chain(inner(phi, psi)).step(">=", 0, by=Certificate((1, inner(phi, psi))))
    chain(2 * inner(phi, psi)).step("<=", norm2(phi) + norm2(psi), by=Certificate((1, norm2(phi - psi))))
    with refused("the denominator norm2\\(varphi\\) may be 0"):
        chain(1 / norm2(phi))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: inner(phi, 1),
        lambda: inner(phi + 1, psi),
        lambda: norm2(phi * psi),
        lambda: norm2(phi**2),
        lambda: norm2(I * phi),
        lambda: norm2(Symbol("z") * phi),
        lambda: norm2(exp(phi)),
        lambda: norm2(inner(phi, psi)),
        lambda: norm2(theta(Rational(1, 2))),
        lambda: norm2(theta(x)),
        lambda: norm2(Sum(t, (t, 1, T))),
    ],
)
def test_only_combinations_of_vectors_with_real_coefficients_have_a_length(
    wrong: Callable[[], object],
) -> None:
    with pytest.raises(TypeError, match="inner: "):
        wrong()


@pytest.mark.parametrize(
    "expr", [phi, phi * inner(phi, psi), x + theta(t), phi * psi, phi**2, Sum(theta(t), (t, 1, T))]
)
def test_a_vector_outside_of_an_inner_product_is_refused(expr: sp.Expr) -> None:
    with refused("step 0: .* has a vector outside of an inner product"):
        chain(expr)
    with pytest.raises(TypeError, match="assume: 'f' has a vector outside"):
        derive("d", assume={"f": Eq(expr, 0)})


def test_a_vector_may_be_the_argument_of_a_function() -> None:
    loss = Function("ell", real=True)
    chain(loss(t, theta(t)) - loss(t, phi)).step("==", loss(t, theta(t)) - loss(t, phi + psi - psi))
    with refused("false"):
        chain(loss(t, theta(t))).step("==", loss(t, phi))


def test_a_definition_keeps_its_kind() -> None:
    d = chain(norm2(c), define={c: phi - psi}).step("==", norm2(phi) - 2 * inner(phi, psi) + norm2(psi))
    d.qed((norm2(c), "==", norm2(phi) - 2 * inner(phi, psi) + norm2(psi)))
    with pytest.raises(TypeError, match="define: varphi is a vector, but x is not"):
        derive("d", define={phi: x})
    with pytest.raises(TypeError, match="define: x is a number, but varphi is not"):
        derive("d", define={x: phi})


def test_a_lemma_about_vectors_holds_for_vectors_only() -> None:
    lemma = chain(2 * inner(phi, psi)).step(
        "<=", norm2(phi) + norm2(psi), by=Certificate((1, norm2(phi - psi)))
    )
    lemma.qed((2 * inner(phi, psi), "<=", norm2(phi) + norm2(psi)))
    given = {"lemmas": {"mixed": lemma}}
    d = chain(2 * inner(theta(t) - c, g(t)), **given)
    by = Certificate((1, ("mixed", {phi: theta(t) - c, psi: g(t)})))
    d.step("<=", norm2(theta(t) - c) + norm2(g(t)), by=by)
    for wrong in (x, 1, c * phi, I * c):
        with refused("'mixed' is not known at varphi ="):
            chain(x, **given).step("<=", x, by=Certificate((1, ("mixed", {phi: wrong}))))
    number = chain(x**2).step(">=", 0, by=Certificate((1, x**2))).qed((x**2, ">=", 0))
    with refused("'square' is not known at x = varphi"):
        chain(y, lemmas={"square": number}).step(">=", y, by=Certificate((1, ("square", {x: phi}))))


def test_symbols_and_vectors_of_one_name_are_two_things() -> None:
    assert Vector("x") != Symbol("x")
    assert Vectors("a")(t) != a(t)
    assert Vectors("a")(t) == Vectors("a")(t)


def test_a_model_gives_vectors_as_points_of_the_plane() -> None:
    facts = {"steps are short": Every(t, Le(norm2(theta(t)), 1), first=1)}
    d = derive("short", assume=facts, model=lambda rng: {theta: lambda t: 1j**t}).start(norm2(theta(T)))
    d.step("<=", 1, by=Certificate((1, ("steps are short", {t: T}))))
    with pytest.raises(ValueError, match="model: it violates the assumption 'steps are short'"):
        derive("long", assume=facts, model=lambda rng: {theta: lambda t: 1 + 1j})
    assert value(inner(phi, psi), Point(0, {phi: 3 + 4j, psi: 2 - 1j})) == 2


@given(st.integers(0, 10**6), st.integers(-2, 2), st.integers(-2, 2))
@settings(max_examples=10, deadline=None)
def test_opening_an_inner_product_keeps_its_value(seed: int, p: int, q: int) -> None:
    left = p * theta(t) + x * phi - Sum(g(k + t) / T, (k, 1, T))
    right = q * theta(t + p) - inner(phi, psi) * Sum(k * g(k), (k, q, N + 2))
    expr = inner(left, right)
    assert not differ(value(expr, Point(seed)), value(normal(expr), Point(seed)))


def test_symbols_are_replaced_at_once_and_vectors_by_vectors() -> None:
    assert substitute(x - y, {x: y, y: x}) == y - x
    swapped = substitute(inner(phi - 2 * psi, c), {phi: psi, psi: phi})
    assert is_zero(swapped - inner(psi - 2 * phi, c))


# ---- the normal form


@given(st.integers(-2, 2), st.integers(-2, 2), st.integers(0, 2), st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_the_normal_form_has_the_value_of_the_expression(low: int, shift: int, size: int, seed: int) -> None:
    inner = Sum(a(k) * exp(I * pi * k * x) * conjugate(a(k + t)), (k, low, N + 2 + shift))
    expr = Sum(t * inner + eta(t + shift), (t, low - N, low + size)) + Abs(inner.subs(t, shift)) ** 2
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
        (Abs(Function("A")(N, x)) ** 2, r"|A_{N}(x)|^{2}"),
        ((x + 1) * (y + 1), "(x + 1) (y + 1)"),
        (exp(-I * pi * n * x) * conjugate(a(n)), r"\overline{a_{n}} e^{- i \pi n x}"),
        ((x / y) ** 2 + (Rational(1, 2) + 1 / y) * x, None),
        (norm2(theta(t + 1) - phi), r"\lVert \theta_{t + 1} - \varphi \rVert^{2}"),
        (norm2(Vector("theta^*")), r"\lVert \theta^{*} \rVert^{2}"),
        (norm2(theta(t) - eta(t) * g(t)), r"\lVert \theta_{t} - \eta_{t} g_{t} \rVert^{2}"),
        (inner(phi, g(t)) / (2 * eta(t)), r"\frac{\langle \varphi, g_{t} \rangle}{2 \eta_{t}}"),
        (sqrt(norm2(phi)) + norm2(phi) ** 2, r"\lVert \varphi \rVert + \lVert \varphi \rVert^{4}"),
        (norm2(-phi / 2), r"\left\lVert - \frac{1}{2} \varphi \right\rVert^{2}"),
        (Sum(eta(t), (t, 1, T)) / (2 * T), r"\frac{1}{2 T} \sum_{t=1}^{T} \eta_{t}"),
    ],
)
def test_formulas_are_set_plainly(expr: sp.Expr, expected: str | None) -> None:
    if expected is not None:
        assert latex(expr) == expected
    assert latex(expr).count("{") == latex(expr).count("}")
    assert latex(expr).count(r"\left") == latex(expr).count(r"\right")


def _vanishing(a: sp.Symbol, k: sp.Symbol) -> Derivation:
    d = derive("A vanishing share")
    d.start(sp.Limit(a / k, k, sp.oo))
    d.step("==", 0)
    return d.qed((sp.Limit(a / k, k, sp.oo), "==", 0))


def test_a_limit_does_not_capture_a_value_of_its_name() -> None:
    a, k = sp.Symbol("a", positive=True), sp.Symbol("k", integer=True, positive=True)
    d = derive("Capture", lemmas={"small": _vanishing(a, k)}).start(1)
    with pytest.raises(Refused):
        d.step("==", 0, by=Certificate((1, ("small", {a: k}))))
    F = sp.Function("F")
    d = derive("Capture by a definition", define={F(a): sp.Limit(a / k, k, sp.oo)}).start(F(k))
    with pytest.raises(Refused):
        d.step("==", 1)
    d.step("==", 0)


@pytest.mark.parametrize(
    "share",
    [
        lambda k, b: 1 / (1 + k * b**2),  # 1 at b = 0
        lambda k, b: k * b**2 / (1 + k * b**2),  # 0 at b = 0
        lambda k, b: sp.exp(-k * b**2),
        lambda k, b: b**k,
    ],
)
def test_a_limit_that_holds_for_a_generic_parameter_only_is_not_found(share: Callable[..., sp.Expr]) -> None:
    b, k = sp.Symbol("b", real=True), sp.Symbol("k", integer=True, positive=True)
    for end in (0, 1):
        d = derive("Generic").start(sp.Limit(share(k, b), k, sp.oo))
        with pytest.raises(Refused):
            d.step("==", end)


def test_an_integral_needs_both_of_its_ends_where_its_variable_is_declared_to_be() -> None:
    x, b = sp.Symbol("x", positive=True), sp.Symbol("b", real=True, nonzero=True)
    for integrand, hi in ((1 / x**2, -1), (1 / x, b), (sp.sqrt(x**2), b)):
        with pytest.raises(Refused, match="x is declared positive"):
            derive("Backwards over a pole").start(sp.Integral(integrand, (x, 1, hi)))
    z = sp.Symbol("z")
    with pytest.raises(Refused, match="not seen to be real"):
        derive("A complex end").start(
            sp.Integral(sp.Symbol("y", real=True), (sp.Symbol("y", real=True), 0, z))
        )


def test_a_fact_with_the_weight_0_is_not_used() -> None:
    a, b = sp.Symbol("a", positive=True), sp.Symbol("b", real=True)
    d = derive("Idle", assume={"idle": sp.Ge(b, 3)}).start(a)
    for weight in (0, b - b, sp.Integer(0) * a):
        with pytest.raises(Refused, match="factor 0"):
            d.step(">=", 0, by=Certificate((1, a), (weight, "idle")))


def test_a_symbol_that_a_limit_binds_takes_no_value() -> None:
    share = w * Limit(w / p, p, oo) * p
    lemma = chain(share).step("==", 0).qed((share, "==", 0))
    with refused("does not add up"):
        derive("d", lemmas={"l": lemma}).start(w**2).step("==", 0, by=Certificate((1, ("l", {p: 1}))))
    F = Function("F")
    d = chain(F(1), define={F(p): Limit(w / p, p, oo)})
    with refused("does not reduce to 0"):
        d.step("==", w)
    d.step("==", 0)


@pytest.mark.parametrize(
    ("start", "wrong"),
    [
        (Limit(sp.tanh(sqrt(w**2)), w, -oo), -1),  # a positive w does not go there, and its root is |w|
        (Limit(sqrt(z**2) / z, z, oo).subs(z, Symbol("z", negative=True)), -1),
        (Limit(sp.cos(2 * pi * p), p, -oo), 1),
    ],
)
def test_a_limit_is_one_that_its_variable_can_reach(start: sp.Expr, wrong: int) -> None:
    with refused("does not reduce to 0"):
        chain(start).step("==", wrong)


def test_a_derivative_captures_nothing_and_is_by_what_varies_continuously() -> None:
    lemma = chain(sp.Derivative(y * x, x)).step("==", y).qed((sp.Derivative(y * x, x), "==", y))
    with refused("does not add up"):
        derive("d", lemmas={"l": lemma}).start(2 * x).step("==", x, by=Certificate((1, ("l", {y: x}))))
    F = Function("F")
    with refused("does not reduce to 0"):
        chain(F(x), define={F(y): sp.Derivative(y * x, x)}).step("==", 2 * x)
    # at a whole number the sine is 0 before it is differentiated
    turn = sp.Derivative(sin(2 * pi * x), x)
    lemma = chain(turn).step("==", 2 * pi * cos(2 * pi * x)).qed((turn, "==", 2 * pi * cos(2 * pi * x)))
    with refused("does not add up"):
        derive("d", lemmas={"l": lemma}).start(0).step("==", 2 * pi, by=Certificate((1, ("l", {x: T}))))
    with refused("which is not continuous"):
        chain(sp.Derivative(T**2, T))
    with refused("not seen to be differentiable"):
        chain(sp.Derivative(Abs(x), x))
    with refused("the denominator x may be 0"):
        chain(sp.Derivative(sp.Pow(x**4, Rational(1, 4), evaluate=False), x))
    unknown = derive("d", define={F(y): sp.Derivative(Function("f")(y), y)})
    with refused("is not known, so nothing can be put in"):
        unknown.start(F(2))


def test_term_by_term_does_not_mix_up_an_index_with_a_symbol_of_its_name() -> None:
    j = Symbol("j", integer=True)
    for other in (Sum(k, (j, 1, T)), k * Sum(1, (j, 1, T)), T * Sum(k / T, (j, 1, T))):
        with refused("the right side has another k"):
            chain(Sum(k, (k, 1, T))).step("==", other, by=Termwise())
    with refused("the right side has another x"):
        chain(Integral(x, (x, 0, 1))).step("==", Integral(x, (y, 0, 1)), by=Termwise())


def test_reindexing_does_not_shift_by_the_index_itself() -> None:
    with refused("does not reduce to 0"):
        chain(Sum(a(k), (k, 0, N))).step("==", (N + 1) * a(0), by=Reindex(n, k - n))


def test_a_lemma_does_not_forget_where_its_assumption_begins() -> None:
    f = Function("f", real=True)
    assume = {"late": Every(k, Ge(f(k), 0), first=T)}

    def model(rng: object) -> dict[object, object]:
        return {T: 3, f: lambda k: k - 3}

    late = derive("late", assume=assume, model=model).start(f(T))
    late.step(">=", 0, by=Certificate((1, ("late", {k: T})))).qed((f(T), ">=", 0))
    d = derive("d", lemmas={"l": late}, model=model).start(f(1))
    with refused("is about T itself, not about T = 1"):
        d.step(">=", 0, by=Certificate((1, ("l", {T: 1}))))


@pytest.mark.parametrize(("index", "first"), [(T, 0), (T, None), (N, -1), (x, 1)])
def test_an_assumption_for_every_index_is_for_whole_numbers_that_the_index_may_be(
    index: sp.Symbol, first: int | None
) -> None:
    with pytest.raises(ValueError, match="assume: 'f' is for every"):
        derive("d", assume={"f": Every(index, Ge(Function("f")(index), 0), first=first)})


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        (Sum(T, (T, 1, T)), "depends on its own index"),
        (Sum(a(t), (t, 1, N), (k, 1, t)), "depends on its own index"),
        (Integral(x, (x, 0, oo)), "not seen to be real"),
        (oo, "not a number"),
        (x * sp.Determinant(sp.ImmutableMatrix([[1 / x]])), "the denominator x may be 0"),
        (sp.tan(x) * cos(x), "the denominator cos\\(x\\) may be 0"),
        (sp.tanh(z + I * w), "the denominator cosh"),
        (sp.Product(w, (k, 1, 3)), "a kind that is not known"),
        (sp.Subs(x * y, x, 2), "a kind that is not known"),
        (x + sp.Order(x), "a kind that is not known"),
        (sp.Piecewise((1, x > 0), (2, True)), "a kind that is not known"),
        (Limit(1 / p, p, oo).func(1 / p, p + 1, oo), "which is no symbol"),
        (Sum(a(k + Symbol("#0", integer=True)), (k, 1, T)), "the name of #0 is kept"),
    ],
)
def test_what_the_rules_do_not_cover_is_refused(expr: sp.Expr, message: str) -> None:
    with refused(message):
        chain(expr)


def test_a_definition_does_not_depend_on_an_index_around_it() -> None:
    F, c = Function("F"), Symbol("c")
    for head, body in ((F(y), y + k), (c, k)):
        inside = head.subs(y, x)
        with refused("which is bound in"):
            chain(Sum(inside, (k, 1, T)), define={head: body})
    chain(Sum(F(k), (k, 1, T)), define={F(y): y + x}).step("==", Sum(k + x, (k, 1, T)))


def test_what_cancels_in_a_certificate_is_not_used() -> None:
    d = derive("d", assume={"equal": Eq(x, y)}, model=lambda rng: {x: 1, y: 1}).start(w)
    with refused("'equal' drops out"):
        d.step("==", w, by=Certificate((1, "equal"), (-1, "equal")))


def test_binomials_are_symmetric_for_natural_numbers_only() -> None:
    chain(sp.binomial(N, k)).step("==", sp.binomial(N, N - k))
    assert not is_zero(sp.binomial(n, k) - sp.binomial(n, n - k))  # 1 and 0 at n = -1, k = 0
