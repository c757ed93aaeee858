"""Definitions, assumptions and lemmas, and the values of their symbols for which they hold."""

from dataclasses import FrozenInstanceError

import pytest
import sympy as sp
from sympy import Function, Ge, Ne, Rational, Sum, Symbol, log

from explainers.derive import Certificate, Derivation, Every, Minimum, Termwise, derive
from tests.derive.chains import N, T, chain, eta, k, refused, t, w, x, y, z


def square_lemma() -> Derivation:
    d = derive("positive part", assume={"x is not y": Ne(x, y)})
    d.start((x**2 - y**2) / (x - y)).step("==", x + y)
    return d.qed(((x**2 - y**2) / (x - y), "==", x + y))


def test_a_lemma_brings_its_assumptions_along() -> None:
    quotient = (x**2 - y**2) / (x - y)
    d = derive("user", lemmas={"quotient": square_lemma()}).start(2 * quotient)
    d.step("==", 2 * x + 2 * y, by=Certificate((2, "quotient")))
    d.qed((2 * quotient, "==", 2 * x + 2 * y))
    assert d.assumptions == ("x is not y",)
    assert "where x is not y: Ne(x, y)" in repr(d)
    later = derive("later", lemmas={"twice": d}).start(2 * quotient)
    assert later.assumptions == ("x is not y",)


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
    d = derive("steps", assume=STEPS_SHRINK, witness=shrinking).start(eta(T))
    d.step(">=", eta(T + 1), by=Certificate((1, ("steps shrink", {t: T}))))
    for index in (0, T - 1, Rational(3, 2), N):
        d = derive("steps", assume=STEPS_SHRINK, witness=shrinking).start(eta(index))
        with refused("'steps shrink' is not known at t ="):
            d.step(">=", eta(index + 1), by=Certificate((1, ("steps shrink", {t: index}))))


def test_an_indexed_fact_at_the_wrong_index_does_not_add_up() -> None:
    for index in (T + 1, T + 2):
        d = derive("steps", assume=STEPS_SHRINK, witness=shrinking).start(eta(T))
        with refused("does not add up"):
            d.step(">=", eta(T + 1), by=Certificate((1, ("steps shrink", {t: index}))))


def test_the_index_of_a_sum_may_be_an_instance_within_its_range() -> None:
    proof = Termwise(Certificate((1, ("steps shrink", {t: t}))))
    d = derive("sum", assume=STEPS_SHRINK, witness=shrinking).start(Sum(eta(t), (t, 1, T)))
    d.step(">=", Sum(eta(t + 1), (t, 1, T)), by=proof)
    d = derive("sum", assume=STEPS_SHRINK, witness=shrinking).start(Sum(eta(t), (t, 0, T)))
    with refused("not known at t = t"):
        d.step(">=", Sum(eta(t + 1), (t, 0, T)), by=proof)


def test_facts_are_not_shared_between_chains() -> None:
    shared: dict[str, object] = {"x is large": Ge(x, 5)}
    d = derive("first", assume=shared, witness=lambda rng: {x: 6}).start(x)
    shared["y is large"] = Ge(y, 5)
    with refused("no fact 'y is large'"):
        d.step(">=", 0, by=Certificate((1, "y is large")))
    with pytest.raises(FrozenInstanceError):
        d.context.facts = {}  # type: ignore[misc]
    with refused("no fact 'x is large'"):
        derive("second").start(x).step(">=", 5, by=Certificate((1, "x is large")))


def test_an_assumption_about_a_symbol_says_nothing_about_an_index_of_its_name() -> None:
    d = derive("clash", assume={"large": Ge(t, 5)}, witness=lambda rng: {t: 6}).start(Sum(t, (t, 1, T)))
    with refused("no fact 'large'"):
        d.step(">=", Sum(5, (t, 1, T)), by=Termwise(Certificate((1, "large"))))


def test_assumptions_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="witness: needed, as no random point"):
        derive("absurd", assume={"above": Ge(x, 1), "below": Ge(0, x)})
    with pytest.raises(ValueError, match="witness: the assumption 'below' is false"):
        derive("absurd", assume={"above": Ge(x, 1), "below": Ge(0, x)}, witness=lambda rng: {x: 2})


def test_proofs_see_through_definitions() -> None:
    f, g = Function("f"), Function("g")
    d = chain(g(3), define={f(x): x**2, g(x): f(x + 1) - 1})
    d.step("==", 15).qed((g(3), "==", 15))
    with refused("false"):
        chain(g(3), define={f(x): x**2, g(x): f(x + 1) - 1}).step("==", 16)


def test_a_lemma_does_not_forget_where_its_assumption_begins() -> None:
    f = Function("f", real=True)
    assume = {"late": Every(k, Ge(f(k), 0), first=T)}

    def witness(rng: object) -> dict[object, object]:
        return {T: 3, f: lambda k: k - 3}

    late = derive("late", assume=assume, witness=witness).start(f(T))
    late.step(">=", 0, by=Certificate((1, ("late", {k: T})))).qed((f(T), ">=", 0))
    d = derive("d", lemmas={"l": late}, witness=witness).start(f(1))
    with refused("is about T itself, not about T = 1"):
        d.step(">=", 0, by=Certificate((1, ("l", {T: 1}))))


@pytest.mark.parametrize(("index", "first"), [(T, 0), (T, None), (N, -1), (x, 1)])
def test_an_assumption_for_every_index_is_for_whole_numbers_that_the_index_may_be(
    index: sp.Symbol, first: int | None
) -> None:
    with pytest.raises(ValueError, match="assume: 'f' is for every"):
        derive("d", assume={"f": Every(index, Ge(Function("f")(index), 0), first=first)})


def test_a_definition_does_not_depend_on_an_index_around_it() -> None:
    F, c = Function("F"), Symbol("c")
    for head, body in ((F(y), y + k), (c, k)):
        inside = head.subs(y, x)
        with refused("which is bound in"):
            chain(Sum(inside, (k, 1, T)), define={head: body})
    chain(Sum(F(k), (k, 1, T)), define={F(y): y + x}).step("==", Sum(k + x, (k, 1, T)))
