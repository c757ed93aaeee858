"""Forms that an author writes: read safely, proved equal, and printed as they stand."""

import re

import pytest
import sympy as sp
from sympy import Abs, Function, Ne, Sum, binomial, exp, log, pi, sin, sqrt

from explainers.derive import Identity, derive, norm2
from explainers.derive.typeset import MIME
from tests.derive.chains import N, T, a, chain, eta, g, phi, refused, t, theta, w, x, y

D, G = sp.symbols("D G", positive=True)
CONSTANT = sqrt(2) * D * G / (2 * sqrt(pi) * sqrt(2 * N + 1))


@pytest.mark.parametrize(
    ("side", "text", "expected"),
    [
        (CONSTANT, "D*G/sqrt(2*pi*(2*N + 1))", r"\frac{D G}{\sqrt{2 \pi (2 N + 1)}}"),
        (x**2 - y**2, "(x - y)*(x + y)", "(x - y) (x + y)"),
        (x - y, "-y + x", "- y + x"),
        (x - y - 1, "x - (y + 1)", "x - (y + 1)"),
        (-x * y / 2, "-x*y/2", r"- \frac{x y}{2}"),
        (-x * y / 2, "-1/2*(x*y)", r"- \frac{1}{2} x y"),
        (6 * x, "2*3*x", r"2 \cdot 3 x"),
        (x**4, "(x**2)**2", "(x^{2})^{2}"),
        (w**2 / 4, "(w/2)**2", r"\left(\frac{w}{2}\right)^{2}"),
        (exp(-2 * x / 3), "exp(-2*x/3)", "e^{- 2 x/3}"),
        (exp(-2 * (x - y) / w), "exp(-2*(x - y)/w)", "e^{- 2 (x - y)/w}"),
        (sin(x) ** 2 + log(w), "sin(x)**2 + log(w)", r"\sin^{2} x + \ln w"),
        (1 / sp.exp(sin(x)), "exp(sin(x))**(-1)", r"(e^{\sin x})^{-1}"),
        (Abs(x), "sqrt(x**2)", r"\sqrt{x^{2}}"),
        (binomial(2 * N, N) * 4 ** (-N), "4**(-N)*binomial(2*N, N)", r"4^{- N} \binom{2 N}{N}"),
        (
            D**2 / (2 * T * eta(T)) + G**2 * Sum(eta(t), (t, 1, T)) / (2 * T),
            "D**2/(2*T*eta(T)) + G**2/(2*T)*Sum(eta(t), (t, 1, T))",
            r"\frac{D^{2}}{2 T \eta_{T}} + \frac{G^{2}}{2 T} \sum_{t=1}^{T} \eta_{t}",
        ),
        (Sum(eta(t), (t, 1, T)) * x, "Sum(eta(t), (t, 1, T))*x", r"\left(\sum_{t=1}^{T} \eta_{t}\right) x"),
        (
            norm2(theta(t) - phi) - 2 * norm2(g(t)),
            "norm2(theta(t) - varphi) - 2*norm2(g(t))",
            r"\lVert \theta_{t} - \varphi \rVert^{2} - 2 \lVert g_{t} \rVert^{2}",
        ),
        (sqrt(norm2(phi)), "sqrt(norm2(varphi))", r"\lVert \varphi \rVert"),
        (sp.conjugate(a(t)), "conjugate(a(t))", r"\overline{a_{t}}"),
    ],
)
def test_a_form_is_printed_as_it_is_written(side: sp.Expr, text: str, expected: str) -> None:
    d = derive("a chain").start(side, shown=text)
    assert d.shown is not None
    assert d.shown.latex == expected


def test_the_page_the_theorem_and_the_text_have_the_form() -> None:
    d = derive("Squares").start(x**2 - y**2, shown="(x - y)*(x + y)")
    d.step("==", -(y**2) + x**2 + w - w, by=Identity(), shown="-(y**2 - x**2)").qed()
    page = d._repr_mimebundle_()[MIME]
    assert [row["lhs"] + "=" + row["rhs"] for row in page["rows"]] == ["(x - y) (x + y)=- (y^{2} - x^{2})"]
    assert page["theorem"] == "(x - y) (x + y) = - (y^{2} - x^{2})"
    assert "(x - y)*(x + y)" in repr(d)
    assert "-(y**2 - x**2)" in repr(d)


@pytest.mark.parametrize(
    ("side", "text"),
    [
        (CONSTANT, "-D*G/sqrt(2*pi*(2*N + 1))"),  # a sign
        (CONSTANT, "D*G/sqrt(pi*(2*N + 1))"),  # a factor
        (CONSTANT, "D*G/sqrt(2*pi*2*N + 1)"),  # a bracket
        (CONSTANT, "D*G/(2*pi*(2*N + 1))"),  # a root
        (Sum(eta(t), (t, 1, T)), "Sum(eta(t), (t, 0, T))"),  # a range
        (Sum(eta(t), (t, 1, T)), "Sum(eta(t + 1), (t, 1, T))"),  # an index
        (Sum(eta(t), (t, 1, T)), "Sum(eta(T), (t, 1, T))"),
        (x, "sqrt(x**2)"),  # true of positive numbers only
        (Abs(x), "x"),
        (eta(T), "eta(t)"),
    ],
)
def test_a_wrong_form_is_refused_as_false(side: sp.Expr, text: str) -> None:
    names = {"t": Ne(t, T)} if text == "eta(t)" else {}
    with refused("step 0: shown: == is false, counterexample", "written", "proved"):
        derive("a chain", assume=names).start(side, shown=text)


def test_a_wrong_form_of_a_step_names_the_step() -> None:
    d = chain(x**2 - 1)
    with refused("step 1: shown: == is false"):
        d.step("==", (x - 1) * (x + 1), shown="(x - 1)*(x - 1)")
    assert d.steps == []


@pytest.mark.parametrize("text", ["x*x/x", "x + log(x) - log(x)", "x + 0/x", "x + 0*x**(-1)", "x + 1/0"])
def test_a_form_has_a_value_wherever_the_side_has_one(text: str) -> None:
    with refused("shown: .*(may be 0|not defined)"):
        derive("a chain").start(x, shown=text)


def test_a_form_may_use_an_assumption_that_a_denominator_is_not_zero() -> None:
    d = derive("a chain", assume={"x is not zero": Ne(x, 0)}).start(x, shown="x*x/x")
    assert d.shown is not None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x.real", "'x.real' is not allowed"),
        ("__import__('os').system('true')", "is not allowed"),
        ("eval('x')", "eval is not a function that may be called"),
        ("x if x else x", "is not allowed"),
        ("(lambda: x)()", "is not allowed"),
        ("[x][0]", "is not allowed"),
        ("x < x", "is not allowed"),
        ("x and x", "is not allowed"),
        ("1.0*x", "'1.0' is not allowed"),
        ("True*x", "'True' is not allowed"),
        ("'x'", "is not allowed"),
        ("x % 2", "is not allowed"),
        ("z", "z is not a symbol of this derivation"),
        ("oops(x)", "oops is not a function"),
        ("sin", "sin is not a symbol"),
        ("sin(x, x)", "sin"),
        ("sqrt(x, evaluate=False)", "is not allowed"),
        ("sqrt(*x)", "is not allowed"),
        ("Sum(x, x)", "limits must be written as"),
        ("Sum(x)", "give the limits"),
        ("x +", "is not a formula"),
        ("x = x", "is not a formula"),
        (" ", "expected a formula"),
        ("(" * 250 + "x" + ")" * 250, "is not a formula"),
        ("x + " * 300 + "x", "longer than"),
        ("9**9**9", "too large"),
        ("(x + 1)**1000", "too large"),
        ("factorial(10**9)", "too large"),
        ("1" * 20, "digits"),
    ],
)
def test_what_is_no_formula_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="^shown: .*" + re.escape(message)):
        derive("a chain").start(x, shown=text)


def test_a_name_that_two_symbols_have_is_not_read() -> None:
    other = sp.Symbol("x", positive=True)
    with pytest.raises(ValueError, match="x is not a symbol"):
        derive("a chain").start(x + other, shown="x + x")


def test_a_left_side_is_a_new_name_or_a_formula_that_is_proved() -> None:
    assert derive("a chain").start(x**2 - 1, lhs="K").name == "K"
    assert derive("a chain").start(x**2 - 1, lhs="(x - 1)*(x + 1)").name == "(x - 1) (x + 1)"
    with refused("step 0: lhs: == is false"):
        derive("a chain").start(x**2 - 1, lhs="(x - 1)*(x - 1)")
    with pytest.raises(ValueError, match=r"^lhs: "):
        derive("a chain").start(x**2 - 1, lhs="x < 2")


def test_definitions_are_put_in() -> None:
    f = Function("f", real=True)
    d = derive("a chain", define={f(x): x + 1}).start(f(x) ** 2 - 1, shown="x*(f(x) + 1)")
    assert d.shown is not None
    assert d.shown.latex == r"x (f(x) + 1)"
