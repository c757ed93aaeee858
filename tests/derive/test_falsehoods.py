"""Falsehoods that an earlier kit accepted, others of their kinds, and truths beside them that stay proved."""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import pytest
import sympy as sp
from sympy import Abs, Derivative, Eq, Function, Ge, I, Integral, Le, Limit, Ne, Rational, Sum, Symbol, sqrt

from explainers.derive import (
    Antiderivative,
    Certificate,
    Derivation,
    Every,
    Identity,
    Induction,
    Limiting,
    Minimum,
    Proof,
    RefusedError,
    Reindex,
    Termwise,
    derive,
)
from tests.derive.chains import N, T, a, chain, eta, k, n, t, w, x, y, z

m = Symbol("m", integer=True, nonnegative=True)
r = Symbol("r", positive=True)
u, v = sp.symbols("u v", integer=True)
f = Function("f")
h = Symbol("h", positive=True)
least = Function("least", integer=True, positive=True)


def refuses(call: Callable[[], object]) -> None:
    with pytest.raises((RefusedError, ValueError)):
        call()


def step(lhs: sp.Expr, rel: str, rhs: Any, by: Proof | None = None, **given: Any) -> Callable[[], Derivation]:
    return lambda: chain(lhs, **given).step(rel, rhs, by=by)  # type: ignore[arg-type]


# ---- re-indexings


@pytest.mark.parametrize(
    "image", [I * n, -I * n, 2 * n, n / 2, -2 * n + 1, n**2, (-1) ** n * n, sp.Integer(0), m * n]
)
def test_an_image_that_leaves_integers_out_or_takes_one_twice(image: sp.Expr) -> None:
    refuses(lambda: Reindex(n, image))


@pytest.mark.parametrize("shift", [Rational(1, 2), x, I, sqrt(2), m / 2, n])
def test_a_shift_that_is_no_integer(shift: sp.Expr) -> None:
    refuses(lambda: Reindex(n, n + shift))


def test_an_imaginary_slope_does_not_turn_a_sum_of_squares_round() -> None:
    squares = Sum(n**2, (n, -m, m))
    refuses(lambda: chain(squares).step("==", -squares, by=Reindex(n, I * n)))


j = Symbol("j", integer=True, positive=True)


@pytest.mark.parametrize(
    ("lhs", "rhs", "image"),
    [
        (Sum(j, (j, 1, T)), Sum(Abs(n), (n, -T, -1)) + 1, -j),
        (Sum(a(j), (j, 1, T)), Sum(a(n), (n, 0, T - 1)), j + 1),
        (Sum(a(j), (j, 1, T)), Sum(a(n), (n, 1, T)) + a(0), T + 1 - j),
        (Sum(sqrt(j**2), (j, 1, T)), Sum(n, (n, -T, -1)), -j),
    ],
)
def test_the_new_index_does_not_keep_the_sign_of_the_old_one(
    lhs: sp.Expr, rhs: sp.Expr, image: sp.Expr
) -> None:
    refuses(step(lhs, "==", rhs, Reindex(j, image)))


def test_a_reindexed_sum_compares_with_what_it_is() -> None:
    step(Sum(j * a(j), (j, 1, T)), "==", Sum((T + 1 - n) * a(T + 1 - n), (n, 1, T)), Reindex(j, T + 1 - j))()
    step(Sum(j, (j, 1, T)), "==", Sum(-n, (n, -T, -1)), Reindex(j, -j))()


# ---- sums whose range may be reversed or empty, and the sign of their index

M = Symbol("M", integer=True)
b = Symbol("b", integer=True)
enough = {"M is at least -3": Ge(M, -3)}
some: dict[str, Any] = {"assume": enough, "witness": lambda rng: {M: rng.randint(-3, 4)}}


@pytest.mark.parametrize(
    ("lhs", "rhs", "given"),
    [
        (Sum(Abs(u) - u, (u, -3, v), (v, -4, m)), 12 * (m + 5), {}),
        (Sum(Abs(u), (u, -3, M)), Sum(u, (u, -3, M)) + 12, some),
        (Sum(sqrt(u**2), (u, -3, M)), Sum(u, (u, -3, M)) + 12, some),
        (Sum(Abs(u + 1), (u, -3, M)), Sum(u + 1, (u, -3, M)) + 6, some),
        (Sum(sp.sign(u), (u, -3, M)), M - 3, some),
        (Sum(Abs(u), (u, -3, m - 4)), Sum(u, (u, -3, m - 4)) + 12, {}),
        (Sum(Abs(u) - u, (u, -2, v), (v, -3, m - 4)), 6 * m, {}),
        (Sum(sp.conjugate(sqrt(u)) - sqrt(u), (u, -2, m - 3)), -2 * I * (1 + sqrt(2)), {}),
        (Sum(Sum(Abs(u), (u, v, 2)) - Sum(u, (u, v, 2)), (v, -m, 3)), m * (m + 1), {}),
    ],
)
@pytest.mark.parametrize("by", [None, Reindex(u, u), Reindex(u, u + 1), Reindex(v, -v)])
def test_the_terms_outside_of_a_range_are_not_those_inside(
    lhs: sp.Expr, rhs: sp.Expr, given: dict[str, Any], by: Proof | None
) -> None:
    refuses(step(lhs, "==", rhs, by, **given))


def test_sums_over_ranges_that_may_be_empty_stay_proved() -> None:
    step(Sum(a(u), (u, -3, M)), "==", Sum(a(u), (u, -2, M + 1)) + a(-3) - a(M + 1), **some)()
    step(Sum(a(u), (u, -3, v), (v, -4, m)), "==", Sum(a(u), (u, -4, v), (v, -4, m)) - (m + 5) * a(-4))()
    step(Sum(Abs(u), (u, 0, m)), "==", Sum(u, (u, 0, m)))()
    step(Sum(1 / u, (u, 1, m + 1)), "==", Sum(1 / u, (u, 1, m)) + 1 / (m + 1))()


@pytest.mark.parametrize(
    "expr",
    [
        Sum(Sum(a(k), (k, 0, t - 5)), (t, 0, N)),
        Sum(Sum(1, (k, 1, t - 2)), (t, 0, N)),
    ],
)
def test_a_fact_about_a_symbol_says_nothing_about_an_index_of_its_name(expr: sp.Expr) -> None:
    far = {"t is far": Ge(t, 5)}
    refuses(lambda: derive("far", assume=far, witness=lambda rng: {t: 7}).start(expr))


# ---- values outside of what a symbol or a function is declared to be

imaginary = {"small": Le(r**2 - r + 1, 0)}
even = Symbol("e", integer=True, even=True)
prime = Symbol("q", integer=True, positive=True, prime=True)
negative = Symbol("s", negative=True)
nonzero = Symbol("nz", nonzero=True)
unsigned = Symbol("o", real=True, positive=False)


@pytest.mark.parametrize(
    ("assume", "values"),
    [
        (imaginary, {r: complex(0.5, 0.8660254)}),
        ({"below": Le(r, 1)}, {r: -1}),
        ({"small": Le(n**2, 1)}, {n: 0.5}),
        ({"below": Le(x**2, y)}, {x: 1j, y: 1}),
        ({"large": Ge(even, 3)}, {even: 3}),
        ({"composite": Eq(prime, 4)}, {prime: 4}),
        ({"up": Ge(negative, -1)}, {negative: 1}),
        ({"up": Ge(unsigned, -1)}, {unsigned: 1}),
        ({"small": Le(eta(t), 1)}, {eta: lambda i: -1, t: 0}),
        ({"small": Every(n, Le(least(n), 1), first=0)}, {least: lambda i: 0.5}),
        ({"small": Le(nonzero, 1)}, {nonzero: 0}),
        ({"not a number": Eq(x, y)}, {x: float("nan"), y: float("nan")}),
    ],
)
def test_a_witness_has_values_that_are_declared(assume: dict[str, Any], values: dict[Any, Any]) -> None:
    with pytest.raises(ValueError, match="witness"):
        derive("no model", assume=assume, witness=lambda rng: values)


@pytest.mark.parametrize(
    "relation",
    [Eq(even, 1), Eq(even, 3), Eq(prime, 1), Eq(prime, 4), Ge(unsigned, 1), Le(negative, 0) & Ge(x, x)],
)
def test_random_values_are_declared_too(relation: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        derive("no model", assume={"wrong": relation})


def test_a_definition_holds_for_the_arguments_that_it_declares() -> None:
    square = {f(h): sqrt(h**2)}
    refuses(lambda: chain(f(sp.Integer(-2)), define=square).step("==", -2))
    refuses(lambda: chain(f(x), define=square).step("==", x))
    refuses(lambda: chain(Sum(f(u), (u, -m, m)), define=square).step("==", 0, by=Reindex(u, -u)))
    refuses(lambda: chain(Sum(f(u), (u, 0, m)), define=square))
    chain(f(w), define=square).step("==", w)
    chain(Sum(f(u), (u, 1, m)), define=square).step("==", Sum(u, (u, 1, m)))


def test_a_lemma_holds_where_its_symbols_are_declared() -> None:
    root = derive("root").start(sqrt(w**2)).step("==", w).qed((sqrt(w**2), "==", w))
    d = derive("later", lemmas={"root": root}).start(sqrt(x**2))
    refuses(lambda: d.step("==", x, by=Certificate((1, ("root", {w: x})))))
    positive = derive("positive").start(w).step(">=", 0, by=Certificate((1, w))).qed((w, ">=", 0))
    refuses(
        lambda: derive("l", lemmas={"p": positive}).start(x).step(">=", 0, by=Certificate((1, ("p", {w: x}))))
    )


# ---- assumptions for every index


@pytest.mark.parametrize(
    "expr",
    [
        sp.Mul(*(n - i for i in range(6))),
        sp.Mul(*(n - i for i in range(30))),
        n * (n - 1),
    ],
)
def test_six_indices_are_not_every_index(expr: sp.Expr) -> None:
    with pytest.raises(ValueError, match="witness"):
        derive("six", assume={"zero": Every(n, Eq(expr, 0), first=0)})


@pytest.mark.parametrize("bound", [50, 10**3, 10**12, T + 40])
def test_a_bound_that_holds_for_many_indices_is_not_one_for_all(bound: Any) -> None:
    with pytest.raises(ValueError, match="witness"):
        derive("bounded", assume={"bounded": Every(n, Le(n, bound), first=0)})


def test_a_model_is_asked_beyond_the_first_few_indices() -> None:
    late = {"never": Every(n, Eq(a(n), 0), first=0)}
    with pytest.raises(ValueError, match="witness"):
        derive("late", assume=late, witness=lambda rng: {a: lambda i: float(i == 20)})
    derive("zero", assume=late, witness=lambda rng: {a: lambda i: 0})
    derive(
        "falling",
        assume={"falls": Every(n, Le(eta(n + 1), eta(n)), first=1)},
        witness=lambda rng: {eta: lambda i: 1 / i},
    )


# ---- numbers that are not exact


@pytest.mark.parametrize(
    "inexact",
    [1.0, 1.5, 1e-30, 1 + 0j, sp.Float(1), sp.Float("0.1", 50), sp.pi.evalf(), sp.sqrt(2.0), sp.I * 2.0],
)
def test_floating_point_numbers_are_refused_wherever_they_are_written(inexact: Any) -> None:
    for call in (
        lambda: chain(x + inexact),
        lambda: chain(x).step("==", x + inexact - inexact + inexact),
        lambda: chain(Sum(a(t), (t, 1, T)) * inexact),
        lambda: derive("d", define={h: inexact}),
        lambda: derive("d", define={f(x): x * inexact}),
        lambda: derive("d", assume={"f": Ne(x, inexact)}),
        lambda: derive("d", assume={"f": Every(n, Ge(a(n), inexact))}),
        lambda: Certificate((1, x + inexact)),
        lambda: Certificate((inexact, x)),
        lambda: chain(x**2).step(">=", 0, by=Minimum(x, sp.Float(0), 2)),
        lambda: chain(Integral(1, (x, 0, 1))).step("==", 1, by=Antiderivative(x + inexact)),
        lambda: chain(x).start(x, lhs=x + inexact),
        lambda: chain(x).step("==", x).qed((x + inexact, "==", x)),
        lambda: Reindex(n, n + inexact),
    ):
        # a Python number is refused by the type checker of the tests first
        with pytest.raises((RefusedError, ValueError, TypeError)):
            call()


def test_what_is_lost_in_rounding_is_not_proved() -> None:
    refuses(lambda: chain(x + 10**20).step("==", x + 10**20 + sp.Float("0.5")))
    refuses(lambda: derive("d", define={h: sp.Float(1e-30)}).start(h + 1).step("==", 1))


@pytest.mark.parametrize("text", ["x + 1", "1", "oo"])
def test_an_expression_is_not_a_string(text: str) -> None:
    with pytest.raises(TypeError):
        chain(x).step("==", text)


# ---- one-sided derivatives


@pytest.mark.parametrize(
    "inside",
    [
        Abs(x) * f(x),
        Abs(x),
        f(Abs(x)),
        sp.sign(x) * f(x),
        sp.Max(x, 0) * f(x),
        sp.Max(x, y),
        sqrt(x**2) * f(x),
        sqrt(x) * f(x),
        (x**2) ** Rational(1, 2) + f(y),
        sp.floor(x) * f(x),
        sp.Heaviside(x) + f(x),
        Sum(Abs(x - t) * a(t), (t, 1, N)),
        f(x) / x,
        sp.log(x) + f(x),
        Abs(f(x)),
        sp.conjugate(z + I * Abs(x)),
    ],
)
def test_a_derivative_that_may_not_exist(inside: sp.Expr) -> None:
    refuses(lambda: chain(Derivative(inside, x)))


complex_ = Symbol("c")


@pytest.mark.parametrize(
    "inside", [sp.conjugate(complex_), sp.re(complex_), Abs(complex_) ** 2, sp.im(f(complex_))]
)
def test_what_has_no_complex_derivative(inside: sp.Expr) -> None:
    refuses(lambda: chain(Derivative(inside, complex_)))


@pytest.mark.parametrize(
    "of",
    [
        Symbol("l", nonnegative=True),
        Symbol("l", real=True, positive=False),
        Symbol("l", real=True, negative=False),
        n,
    ],
)
def test_the_variable_has_values_on_both_sides(of: Symbol) -> None:
    refuses(lambda: chain(Derivative(of**2, of)))


def test_a_minimum_needs_an_interval_and_a_smooth_function() -> None:
    punctured = Symbol("p", real=True, zero=False)
    refuses(step(punctured**2, ">=", 0, Minimum(punctured, 1, 2)))
    refuses(step(Abs(x), ">=", 0, Minimum(x, 0, 1)))
    # least at 1 on one side of the pole of its derivative, and lower on the other
    refuses(step(x + 1 / x, ">=", 2, Minimum(x, 1, (x + 1) / x**2)))
    step(x**2, ">=", 2 * x - 1, Minimum(x, 1, 2))()


def test_a_derivative_that_exists_stays_proved() -> None:
    step(Derivative(x**2 * f(x), x), "==", 2 * x * f(x) + x**2 * Derivative(f(x), x))()
    step(Derivative(sp.conjugate(f(x)), x), "==", sp.conjugate(Derivative(f(x), x)))()
    step(Derivative(sqrt(w) * f(w), w), "==", f(w) / (2 * sqrt(w)) + sqrt(w) * Derivative(f(w), w))()


def test_an_antiderivative_has_no_jump() -> None:
    refuses(step(Integral(0, (x, -1, 1)), "==", 2, Antiderivative(sp.sign(x))))
    refuses(step(Integral(x * f(x), (x, -1, 1)), "==", 2, Antiderivative(Abs(x) * f(x))))


# ---- definitions that contradict their head

below = Symbol("below", negative=True)
whole = Symbol("whole", integer=True)
real = Function("real", real=True)


@pytest.mark.parametrize(
    "define",
    [
        {h: -1},
        {h: 0},
        {h: x},
        {h: x**2},
        {h: I},
        {h: -w},
        {below: w},
        {whole: Rational(1, 2)},
        {whole: n / 2},
        {x: I},
        {x: complex_},
        {even: 3},
        {eta(n): -1},
        {eta(n): n},
        {eta(x): x},
        {real(n): I * n},
        {least(n): n},
        {least(n): Rational(1, 2)},
        {nonzero: x},
        {Symbol("nz", zero=False): x},
    ],
)
def test_a_definition_is_known_to_be_what_its_head_is_declared_to_be(define: dict[Any, Any]) -> None:
    with pytest.raises(ValueError, match="define"):
        derive("contradiction", define=define)


def test_a_definition_may_use_what_its_symbols_are_declared_to_be() -> None:
    chain(sqrt(h**2) + x, define={h: w + 1}).step("==", x + w + 1)
    chain(eta(p := Symbol("p", positive=True)), define={eta(p): 1 / p, h: eta(p) + 1})
    chain(least(T), define={least(T): T + 1}).step("==", T + 1)


def test_a_limit_in_the_middle_is_not_passed() -> None:
    refuses(step(Limit(1 / T, T, sp.oo), ">=", 1, Limiting(T, Certificate((1, 1 / T)))))
    refuses(step(Limit((-1) ** T, T, sp.oo), "==", 1))


# ---- names that a sum, an integral, a limit or an `Every` binds

q = Symbol("q", integer=True)
cube = T * (T + 1) * (2 * T + 1) / 6


@pytest.mark.parametrize(
    ("expr", "define"),
    [
        (Sum(u * k, (u, 1, T)), {u: k}),
        (Integral(x * y, (y, 0, 1)), {y: x}),
        (Limit(q / T, T, sp.oo), {T: q}),
        (Derivative(y**2, y), {y: x}),
        (Derivative(y * x, x), {y: x}),
        (Sum(u * k, (u, 1, T)), {k: u}),
    ],
)
def test_a_defined_name_is_not_bound(expr: sp.Expr, define: dict[Any, Any]) -> None:
    refuses(lambda: chain(expr, define=define))


def test_a_definition_is_not_captured_by_every_index() -> None:
    high = {"high": Every(t, Ge(eta(t), x), first=0)}
    refuses(
        lambda: derive("captured", assume=high, define={x: t}, witness=lambda rng: {eta: lambda i: i + 1})
    )


@pytest.mark.parametrize("name", ["#0", "#1", "#"])
def test_the_names_of_the_kits_own_indices_are_reserved(name: str) -> None:
    own = Symbol(name, integer=True, positive=True)
    for expr in (own, Sum(own, (own, 1, T)), Sum(Sum(Abs(u - own), (u, 1, T)), (own, 1, T))):
        refuses(partial(chain, expr))


@pytest.mark.parametrize("index", [even, Symbol("o", odd=True), Symbol("nz", integer=True, zero=False)])
def test_every_index_is_every_integer_from_the_first_on(index: Symbol) -> None:
    with pytest.raises(ValueError, match="assume"):
        derive("some", assume={"up": Every(index, Ge(a(index), x))}, witness=lambda rng: {a: abs, x: 0})


def test_a_pole_is_not_hidden_by_the_range_of_another_index_of_its_name() -> None:
    refuses(lambda: chain(Sum(Integral(1 / u, (u, -1, 1)), (u, 1, T))))
    refuses(lambda: chain(Sum(Limit(Sum(Abs(u) - u, (u, -2, T - n)), n, sp.oo), (n, 1, T))))


def test_a_reversed_integral_and_a_limit_leave_the_domain_of_a_definition() -> None:
    size = {f(h): sqrt(h**2)}
    refuses(lambda: chain(Integral(f(x), (x, 1, -1)), define=size))
    refuses(lambda: chain(Sum(Limit(f(n), n, -sp.oo), (n, 1, T)), define=size))
    chain(Integral(f(w), (w, 1, 2)), define=size)


@pytest.mark.parametrize(
    ("expr", "bound"), [(Sum(1, (u, 1, t)), 50), (Sum(u, (u, 1, t)), 10**7), (t * Sum(1, (u, 1, t)), 10**9)]
)
def test_a_growing_sum_has_no_bound(expr: sp.Expr, bound: int) -> None:
    with pytest.raises(ValueError, match="witness"):
        derive("bounded", assume={"bounded": Every(t, Le(expr, bound), first=1)})


@pytest.mark.parametrize("bound", [50, 90, 400])
def test_a_sequence_that_grows_has_no_bound(bound: int) -> None:
    grows, stays = Every(t, Ge(a(t + 1), a(t) + 1), first=0), Every(t, Le(a(t), bound), first=0)
    with pytest.raises(ValueError, match="witness"):
        derive("both", assume={"grows": grows, "stays": stays}, witness=lambda rng: {a: lambda i: i})


# ---- models that are true up to rounding only


@pytest.mark.parametrize(
    ("relation", "number"),
    [
        (r**3 - r**2 + r, 1e-12),
        ((r + 1) ** 2 - r**2 - 2 * r, 1e20),
        (r**2 - 2 * r + 1 + Rational(1, 10**12), 1),
    ],
)
def test_a_model_is_exact(relation: sp.Expr, number: float) -> None:
    with pytest.raises(ValueError, match="witness"):
        derive("rounded", assume={"none": Le(relation, 0)}, witness=lambda rng: {r: number})


def test_two_symbols_of_one_name_have_two_values() -> None:
    other = Symbol("r", real=True)
    with pytest.raises(ValueError, match="witness"):
        derive("twins", assume={"below": Le(other, -1), "none": Le(r**3 - r**2 + r, 0)})


# ---- functions and symbols that no rule is about


@pytest.mark.parametrize(
    "expr",
    [
        sp.DiracDelta(x),
        sp.Heaviside(x),
        sp.gamma(x),
        sp.loggamma(w),
        sp.zeta(w),
        sp.beta(x, y),
        sp.Mod(t, 3),
        sp.factorial(t),
        sp.binomial(x, 2),
        sp.atanh(x),
        Symbol("o", infinite=True),
        Symbol("e", extended_real=True),
        Function("e", extended_real=True)(x),
    ],
)
def test_what_has_no_rule_or_may_have_no_value(expr: sp.Expr) -> None:
    refuses(lambda: chain(expr + 1))


# ---- what is printed on the left of a chain


@pytest.mark.parametrize(
    "lhs", ["x^2", "x", "1", "0", "x = 1", "x + q", "q < x", r"\frac{q}{2}", r"x \le q", "2x", r"-q"]
)
def test_a_statement_is_not_a_name(lhs: str) -> None:
    with pytest.raises(
        (ValueError, RefusedError), match="lhs"
    ):  # what can be read is proved, and is false here
        derive("printed").start(x**2 + 1, lhs=lhs)


@pytest.mark.parametrize("lhs", [x**2, x, sp.Integer(2), y])
def test_an_expression_on_the_left_is_proved(lhs: sp.Expr) -> None:
    with pytest.raises(RefusedError, match="step 0"):
        derive("printed").start(x**2 + 1 - x**2 + x - x, lhs=lhs)


@pytest.mark.parametrize("lhs", ["K", r"\mathrm{KL}", r"\mathbb{E}|S_{2x}|", "R_T", r"\bar{q}"])
def test_a_new_name_is_printed(lhs: str) -> None:
    d = derive("printed").start(x**2 + 1, lhs=lhs).step("==", 1 + x**2)
    assert d._repr_mimebundle_()["application/vnd.explainers.derivation+json"]["rows"][0]["lhs"] == lhs


def test_a_definition_is_printed_on_the_left() -> None:
    q = Symbol("q")
    derive("printed", define={q: x + 1}).start((x + 1) ** 2 / (x**2 + 1), lhs=q**2 / (x**2 + 1))


@pytest.mark.parametrize("by", [Identity(), Induction(T), Termwise()])
def test_numbers_that_differ_are_called_false(by: Proof) -> None:
    with pytest.raises(RefusedError, match="false"):
        chain(Sum(t, (t, 1, T))).step("==", Sum(t, (t, 1, T)) + 1, by=by)


def test_a_witness_draws_from_its_generator() -> None:
    seen: set[int] = set()

    def model(rng: Random) -> dict[Any, Any]:
        seen.add(value := rng.randint(2, 9))
        return {x: value}

    d = derive("above one", assume={"above": Ge(x, 1)}, witness=model).start(x)
    with pytest.raises(RefusedError, match="false"):
        d.step(">=", 3, by=Certificate((1, "above")))
    assert len(seen) > 1
