"""Each proof object, with true steps that it proves and false ones that it refuses."""

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Eq, Ge, Integral, Ne, Sum, Symbol, pi, sin

from explainers.derive import (
    Certificate,
    Derivation,
    Every,
    Induction,
    Quoted,
    RefusedError,
    Reindex,
    Termwise,
    derive,
)
from tests.derive.chains import N, T, a, chain, eta, k, n, p, refused, t, w, x, y


def test_induction_starts_at_the_smallest_value_that_the_symbol_admits() -> None:
    d = chain(Sum(2 * t - 1, (t, 1, T))).step("==", T**2, by=Induction(T))
    assert "induction from $T=1$" in d.steps[0].explanation
    d = chain(Sum(2 * t + 1, (t, 1, N))).step("==", N**2 + 2 * N, by=Induction(N))
    assert "induction from $N=0$" in d.steps[0].explanation


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
    with pytest.raises((ValueError, TypeError), match=r"n: expected a symbol declared integer|parameter 'n'"):
        Induction(symbol)


def test_induction_compares_increments() -> None:
    with refused("false", "increment from T to T \\+ 1"):
        chain(Sum(t, (t, 1, T))).step("==", T, by=Induction(T))


def test_a_fact_about_one_value_of_the_symbol_is_no_help_in_an_induction() -> None:
    # with T = 1 assumed, the sum is 1; an induction that used it would prove that for every T
    d = derive("one", assume={"T is one": Eq(T, 1)}, witness=lambda rng: {T: 1}).start(Sum(t, (t, 1, T)))
    with refused("no fact 'T is one'"):
        d.step("==", T, by=Induction(T, step=Certificate((T, "T is one"))))


def test_a_denominator_assumed_away_at_one_value_stays_open_in_an_induction() -> None:
    d = derive("hole", assume={"T is not three": Ne(T, 3)})
    d.start(Sum(1, (t, 1, T)) / (T - 3))
    with refused("denominator T - 3 may be 0"):
        d.step("==", T / (T - 3), by=Induction(T))


@given(st.integers(-5, 5), st.integers(-5, 5), st.integers(-5, 5))
@settings(max_examples=40, deadline=None)
def test_an_identity_is_accepted_exactly_if_the_coefficients_agree(p: int, q: int, r: int) -> None:
    left, right = (x + p) * (x + q), x**2 + (p + q) * x + r
    if p * q == r:
        chain(left).step("==", right)
    else:
        with refused("false"):
            chain(left).step("==", right)


def test_a_certificate_needs_signs() -> None:
    with refused("the sign of x is not known"):
        chain(x * w).step(">=", 0, by=Certificate((x, w)))
    with refused("the sign of -w"):
        chain(x).step(">=", x + w, by=Certificate((1, -w)))
    with refused("says that an expression is not zero"):
        derive("d", assume={"nz": Ne(x, 0)}).start(x).step(">=", 0, by=Certificate((1, "nz")))


def test_a_certificate_of_an_equation_needs_equations() -> None:
    with refused("needs an equation in every term"):
        chain(x + w).step("==", x, by=Certificate((1, w)))
    d = derive("d", assume={"equal": Eq(x, y)}, witness=lambda rng: {x: 2, y: 2}).start(3 * x)
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


def test_what_is_quoted_is_marked_and_not_contradicted_by_numbers() -> None:
    fermat = Quoted("a theorem", "a book")
    d = chain(x**2).step(">=", 0, by=fermat).qed((x**2, ">=", 0))
    assert d.rests_on == ("a theorem (quoted: a book)",)
    assert "quoted, not proved here" in d.steps[0].explanation
    assert "rests on a theorem" in repr(d)
    later = derive("later", lemmas={"square": d}).start(x**2).step(">=", 0, by=Certificate((1, "square")))
    assert later.rests_on == d.rests_on
    with refused("contradicted by numbers"):
        chain(x**2).step(">=", 1, by=fermat)


CLAIM = "the claim at $n$"


def doubling(first: int = 1) -> Derivation:
    """A derivation about the sequence with a(0) = 1 and a(n + 1) = 2 a(n); its witness begins with
    `first`."""
    rule = {"starts at one": Eq(a(0), 1), "doubles": Every(n, Eq(a(n + 1), 2 * a(n)), first=0)}
    return derive("powers", assume=rule, witness=lambda rng: {a: lambda n: first * 2**n})


def test_the_claim_at_n_may_be_used_for_the_claim_after_it() -> None:
    step = Certificate((1, ("doubles", {n: N})), (2, "the claim at $N$"))
    by = Induction(N, base=Certificate((1, "starts at one")), step=step, hypothesis="the claim at $N$")
    d = doubling().start(a(N)).step("==", 2**N, by=by)
    assert "step certificate: doubles, the claim at $N$" in d.steps[0].explanation
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
    d = derive("taken", assume={CLAIM: Ge(x, 1)}, witness=lambda rng: {x: 2}).start(2**p)
    with refused("already the name of another fact"):
        d.step(">=", p + 1, by=Induction(p, step=Certificate((2, CLAIM), (1, p)), hypothesis=CLAIM))


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
    with refused("may lie above"):
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


def test_a_fact_with_the_weight_0_is_not_used() -> None:
    a, b = sp.Symbol("a", positive=True), sp.Symbol("b", real=True)
    d = derive("Idle", assume={"idle": sp.Ge(b, 3)}).start(a)
    for weight in (0, b - b, sp.Integer(0) * a):
        with pytest.raises(RefusedError, match="factor 0"):
            d.step(">=", 0, by=Certificate((1, a), (weight, "idle")))


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


def test_what_cancels_in_a_certificate_is_not_used() -> None:
    d = derive("d", assume={"equal": Eq(x, y)}, witness=lambda rng: {x: 1, y: 1}).start(w)
    with refused("'equal' drops out"):
        d.step("==", w, by=Certificate((1, "equal"), (-1, "equal")))
