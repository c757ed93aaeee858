"""The displayed forms of a derivation, and LaTeX of expressions."""

import json

import pytest
import sympy as sp
from sympy import Abs, Function, I, Ne, Rational, Sum, conjugate, exp, pi, sqrt

from explainers.derive import Vector, derive, inner, norm2
from explainers.derive.latex import latex
from explainers.derive.typeset import MIME
from tests.derive.chains import N, T, a, eta, g, k, n, phi, t, theta, x, y


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
        "under": "",
        "assumptions": ["x is not one: $x \\neq 1$", "real $x$"],
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
        "brief": False,
    }
    assert bundle["text/markdown"] == (
        "**Odd numbers**\n\n"
        "Given: x is not one: $x \\neq 1$; real $x$.\n\n"
        "$$\n\\begin{aligned}\n"
        "q &= \\frac{x^{2} - 1}{x - 1} && \\\\\n &= x + 1 && (1)\n"
        "\\end{aligned}\n$$\n\n"
        "- by definition\n- (1) $x-1$ cancels; difference is zero\n\n"
        "**It is a line.**"
    )
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


D, G, alpha = sp.symbols("D G alpha", positive=True)
S, B = Function("S", positive=True), Function("B")


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (Rational(31, 175) * x**2 + Rational(6, 5) * x * y, r"\frac{31}{175} x^{2} + \frac{6}{5} x y"),
        (Rational(16, 25) * (x + 3 * y / 5) ** 2, r"\frac{16}{25} \left(x + \frac{3}{5} y\right)^{2}"),
        (x / 2, r"\frac{x}{2}"),
        (pi * a(n) / 2, r"\frac{\pi}{2} a_{n}"),
        (2 * a(n) * a(k) / pi, r"\frac{2}{\pi} a_{k} a_{n}"),
        (D * G / 2, r"\frac{D G}{2}"),
        (sqrt(2) * D * G / (2 * sqrt(pi) * sqrt(2 * N + 1)), r"\frac{D G}{\sqrt{2 \pi (2 N + 1)}}"),
        (sqrt(2) * D / (2 * sqrt(S(t))), r"\frac{D}{\sqrt{2 S_{t}}}"),
        (sqrt(2) * D * sqrt(S(T)), r"D \sqrt{2 S_{T}}"),
        (sqrt(2) / 3 * D, r"\frac{\sqrt{2}}{3} D"),
        (sqrt(x) * sqrt(y), r"\sqrt{x} \sqrt{y}"),  # not of numbers that may be negative
        (D**2 / (2 * sqrt(T) * alpha), r"\frac{D^{2}}{2 \alpha \sqrt{T}}"),
        (sp.log(T) + 1, r"1 + \ln T"),
        (Rational(1, 2) + D * sp.cos(pi * x), r"\frac{1}{2} + D \cos(\pi x)"),
        (1 - sp.tanh(x) ** 2, r"1 - \tanh^{2} x"),
        (x**2 - 2 * x + 1, "x^{2} - 2 x + 1"),
        (y - x - 1, "y - x - 1"),
        (-(x + 1), "- x - 1"),
        (sp.Mul(-2, y, x + 1, evaluate=False), "- 2 y (x + 1)"),
        (sp.Mul(-1, x + 1, evaluate=False), "- (x + 1)"),
        (sp.Mul(Rational(1, 2), x + 1, evaluate=False), r"\frac{x + 1}{2}"),
        (
            G**2 * Sum(eta(t), (t, 1, T)) / 2 + D**2 / (2 * eta(T)) - a(T),
            r"\frac{D^{2}}{2 \eta_{T}} - a_{T} + \frac{G^{2}}{2} \sum_{t=1}^{T} \eta_{t}",
        ),
        (Sum(eta(t), (t, 1, T)) - a(T), r"\sum_{t=1}^{T} \eta_{t} - a_{T}"),
        (B(D / G), r"B\left(\frac{D}{G}\right)"),
        (2 / (sqrt(T) + sqrt(T + 1)), r"\frac{2}{\sqrt{T} + \sqrt{T + 1}}"),
        (4 * exp(-2 * x) / (1 + exp(-2 * x)) ** 2, r"\frac{4 e^{- 2 x}}{(1 + e^{- 2 x})^{2}}"),
        (a(n) * exp(I * pi * n * x) / D, r"\frac{a_{n}}{D} e^{i \pi n x}"),
    ],
)
def test_terms_and_factors_have_the_order_of_a_book(expr: sp.Expr, expected: str) -> None:
    assert latex(expr) == expected
