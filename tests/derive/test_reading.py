"""Forms that an author writes: read safely, proved equal, and printed as they stand."""

import re

import pytest
import sympy as sp
from sympy import Abs, Function, Ge, Ne, Sum, binomial, exp, log, pi, sin, sqrt

from explainers.derive import Certificate, Every, Identity, RefusedError, derive, norm2
from explainers.derive.context import Context
from explainers.derive.reading import read, vocabulary
from explainers.derive.typeset import MIME
from tests.derive.chains import N, T, a, chain, eta, g, phi, refused, t, theta, w, x, y

D, G = sp.symbols("D G", positive=True)
NOTHING = Context((), {}, ())
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
        ("9**9**9", "is above"),
        ("(x + 1)**1000", "the exponent 1000"),
        ("(x + 1)**20", "the exponent 20"),
        ("x # = 7", "signs that no formula has"),
        ("x + \u2124", "signs that no formula has"),
        ("log(x, 2)", "takes one argument"),
        ("x + oo - oo", "oo is not a symbol"),
        ("Limit(1/x, x, 0)", "a limit must be one to oo"),
        ("factorial(10**9)", "a number above"),
        ("1" * 20, "digits"),
    ],
)
def test_what_is_no_formula_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="^shown: .*" + re.escape(message)):
        derive("a chain").start(x, shown=text)


def test_a_name_that_two_symbols_have_is_not_read() -> None:
    other = sp.Symbol("x", positive=True)
    with pytest.raises(ValueError, match="x is not a symbol"):
        read("shown", "x + x", vocabulary(NOTHING, x + other), NOTHING)


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        (sp.Symbol("x1"), sp.Symbol("x_1"), "x_{1}"),
        (sp.Symbol("x_n1"), sp.Symbol("x_n_1"), ""),
        (sp.Symbol("alpha"), sp.Symbol(r"\alpha"), r"\alpha"),
        (sp.Symbol("x_1"), sp.Function("x1")(y), "x_{1}"),
        (sp.Symbol("x"), sp.Symbol("x", positive=True), "x"),
        (sp.Symbol("i"), sp.I, "i"),
        (sp.Symbol("e"), exp(y), "e"),
        (sp.Symbol("e"), sp.E, "e"),
    ],
)
def test_no_two_names_are_printed_alike(first: sp.Expr, second: sp.Expr, alike: str) -> None:
    if not alike:  # SymPy prints these two as different
        derive("t").start(first + second).step("==", second + first).qed()
        return
    for start, other in [(first, second), (second, first)]:
        with pytest.raises(ValueError, match="printed a"):
            derive("t").start(start + other)
        with pytest.raises((ValueError, RefusedError), match=r"printed a|is false"):
            derive("t").start(start).step("==", other)
    if alike == "x":  # an assumption about all n may have another n than a sum
        return
    with pytest.raises(ValueError, match="printed a"):
        derive("t", assume={"A": Ne(first, 0)}, witness=lambda _: {first: 1}).start(second)


@pytest.mark.parametrize("name", ["x__2", "x__n", "2", "a + b", "a-b", r"\frac{a}{b}", "x^2", "a b"])
def test_no_name_is_printed_as_a_formula(name: str) -> None:
    with pytest.raises(ValueError, match="printed a"):
        derive("t").start(sp.Symbol(name) + y)


@pytest.mark.parametrize("name", ["x", "x_2", "x_n+1", "theta^*", r"\tilde{\Phi}", r"\bar{x}_k"])
def test_a_letter_with_its_marks_is_a_name(name: str) -> None:
    derive("t").start(sp.Symbol(name) + y).step("==", y + sp.Symbol(name)).qed()


def test_a_form_adds_no_name_that_is_printed_as_another() -> None:
    with pytest.raises(ValueError, match="printed a"):
        derive("t").start(sp.Symbol("i"), shown="i + I - I")


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


# ---- what an auditor got accepted

real = {"real": True}
X, Y = sp.symbols("X Y", **real)
P, Q = sp.symbols("P Q", positive=True)
Z = sp.Symbol("Z")
F, f = Function("F"), Function("f", **real)


def test_a_length_is_no_square() -> None:
    with pytest.raises(RefusedError, match="shown"):
        derive("t").start(sqrt(norm2(phi)), shown="inner(varphi, varphi)")
    started = derive("t").start(sqrt(norm2(phi)), shown="sqrt(inner(varphi, varphi))")
    assert started.shown is not None
    assert r"\sqrt" in started.shown.latex


@pytest.mark.parametrize(
    "lhs",
    ["sqrt(X)", "Abs(X)", "X.real", "__import__(X)", r"\sin X", r"\overline X", r"\dfrac{X}{Y}", r"X\over Y",
     r"\pi", "i", "e", r"X\lt K", "X K", "XY", r"K\\\\ X", r"\href{javascript:alert()}{K}", "K \u2212 X"],
)  # fmt: skip
def test_a_statement_or_a_known_letter_is_no_new_name(lhs: str) -> None:
    with pytest.raises((ValueError, RefusedError), match="lhs"):
        derive("t").start(X**2 - 2 * Y + 1, lhs=lhs)


def test_a_new_name_is_no_letter_of_a_definition_or_of_a_later_step() -> None:
    with pytest.raises((ValueError, RefusedError), match="lhs"):
        derive("t", define={F(X): X + Z}).start(F(X), lhs="Z")
    K = sp.Symbol("K", positive=True)
    with pytest.raises(ValueError, match="K"):
        derive("t").start(X, lhs="K").step("<=", X + K, by=Certificate((1, K)))


def test_a_definition_is_shown_as_it_is_for_every_value() -> None:
    with pytest.raises(RefusedError, match="shown"):
        derive("t", define={F(X): X + 1}, assume={"B": Ne(X, 0)}, shown={F(X): "(X**2 + X)/X"})
    n = sp.Symbol("n", integer=True, nonnegative=True)
    with pytest.raises(RefusedError, match="shown"):
        derive(
            "t",
            assume={"A": Every(n, sp.Ge(a(n), n), first=0), "B": Ne(n, 0)},
            shown={"A": "a(n)*n/n >= n"},
            witness=lambda _: {a: lambda i: i + 1, n: 3},
        )


@pytest.mark.parametrize("text", ["F(X)", "F(X - 1) + 1", "f(X)/2"])
def test_a_definition_is_not_shown_by_itself(text: str) -> None:
    with pytest.raises(ValueError, match="shown"):
        derive("t", define={F(X): X + 1, f(X): 2 * X + 2}, shown={F(X): text})


@pytest.mark.parametrize(
    ("define", "text"),
    [
        ({F(X): 1 / X}, "X + F(X) - F(X)"),
        ({F(X): 1 / X}, "X + 0*F(X)"),
        ({F(X): 1 / X}, "X*F(X)**0"),
        ({Z: 1 / X}, "X*exp(Z - Z)"),
        ({Z: log(X)}, "X + Z - Z"),
        ({F(t): 1 / t}, "X + 0*Sum(F(t), (t, -1, 1))"),
        ({F(Y): 1 / Y}, "X + 0*Integral(F(Y), (Y, -1, 1))"),
    ],
)
def test_a_definition_hides_no_pole(define: dict[sp.Expr, sp.Expr], text: str) -> None:
    with pytest.raises((ValueError, RefusedError), match="shown"):
        derive("t", define=define).start(X, shown=text)


def test_a_limit_stands_for_a_limit() -> None:
    with pytest.raises(RefusedError, match="a limit may only stand for a limit"):
        derive("t").start(N, shown="N + Limit(N, N, oo) - Limit(N, N, oo)")


@pytest.mark.parametrize(
    ("side", "text", "expected"),
    [
        (sp.re(Z) * X, "re(Z)*X", r"\left(\operatorname{Re} Z\right) X"),
        (sin(X) * Y, "sin(X)*Y", r"\left(\sin X\right) Y"),
        (sin(X) ** 2 * Y, "sin(X)**2*Y", r"\left(\sin^{2} X\right) Y"),
        (log(P) * Y, "Y*log(P)", r"Y \ln P"),
        (exp(X / P * Y), "exp(X/P*Y)", r"e^{\left(X/P\right) Y}"),
        (
            exp(Sum(a(t), (t, 1, T)) / P),
            "exp(Sum(a(t), (t, 1, T))/P)",
            r"e^{\left(\sum_{t=1}^{T} a_{t}\right)/P}",
        ),
        (exp(log(P) / Q), "exp(log(P)/Q)", r"e^{\left(\ln P\right)/Q}"),
        (sp.Rational(3, 2), "2*(3/4)", r"2 \cdot \frac{3}{4}"),
        (sp.Derivative(f(X) * X, X), "Derivative(f(X)*X, X)", r"\frac{d}{d X} \left(f(X) X\right)"),
    ],
)
def test_what_is_printed_groups_as_the_expression_does(side: sp.Expr, text: str, expected: str) -> None:
    started = derive("t").start(side, shown=text)
    assert started.shown is not None
    plain = re.sub(r"\\(left|right)(?=[()])", "", started.shown.latex)
    assert plain == re.sub(r"\\(left|right)(?=[()])", "", expected)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("X + 0*Sum(a(t), (t, 1, 10**8))", "too large|a number above"),
        ("X + 0*Sum(a(t), (t, 1, 99999))", "a number above"),
        ("X + 0*binomial(T, 10**9)", "too large|a number above"),
        ("((X + Y)**9)**9", "degree"),
        ("Abs(X*Abs(Y)*X)", "inside one another"),
        ("X + 0*varphi", "is a vector"),
    ],
)
def test_what_never_ends_or_says_nothing_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=f"shown: .*({says})"):
        derive("t").start(X + Y + norm2(phi) + Sum(a(t), (t, 1, T)), shown=text)


k, kr = sp.Symbol("k", integer=True), sp.Symbol("k", real=True)


@pytest.mark.parametrize(
    "side",
    [
        Sum(kr, (k, 1, N)),
        sp.Integral(sp.Symbol("x", positive=True), (sp.Symbol("x", real=True), 0, 1)),
        sp.Limit(sp.Symbol("x", positive=True) + 1 / x, x, sp.oo),
        sp.Symbol("pi", positive=True) + 1,
        sp.Symbol("G", real=True) + sp.Catalan,
        sp.Symbol("gamma", real=True) * sp.EulerGamma,
    ],
)
def test_a_free_letter_is_not_printed_as_a_bound_one_or_as_a_constant(side: sp.Expr) -> None:
    with pytest.raises((ValueError, RefusedError)):
        derive("t").start(side)


def test_a_letter_of_a_condition_is_not_printed_as_what_the_condition_is_for() -> None:
    with pytest.raises(ValueError, match="printed alike"):
        derive("t", define={F(X): 2 * sp.Symbol(X.name, positive=True)})
    with pytest.raises(ValueError, match="printed alike"):
        derive("t", assume={"A": Every(k, Ge(a(k), kr))}, witness=lambda _: {a: lambda _: 9, kr: 1})


def test_a_start_that_was_refused_leaves_nothing_behind() -> None:
    for lhs in ("(x - 1)*(x + 1)", "K", (x - 1) * (x + 1)):
        d = derive("t")
        with pytest.raises(RefusedError):
            d.start(x**2 - 1, lhs=lhs, shown="x")
        d.start(x).step("==", x).qed()
        rows = d._repr_mimebundle_()[MIME]["rows"]
        assert rows[0]["lhs"] == "x"


def test_a_theorem_has_no_letter_that_is_printed_as_another() -> None:
    with pytest.raises(ValueError, match="printed"):
        derive("t").start(N * kr).step("==", kr * N).qed((Sum(kr, (k, 1, N)), "==", N * kr))
    named, K = derive("t").start(x**2, lhs="K").step("==", x**2), sp.Symbol("K")
    with pytest.raises(ValueError, match="K"):
        named.qed((x**2 + sin(K) ** 2 + sp.cos(K) ** 2 - 1, "==", x**2))


def test_an_assumption_begins_at_a_number_that_it_does_not_define() -> None:
    h = sp.Symbol("h", integer=True)
    for define, first in (({h: -5}, h), ({}, k - 5)):
        with pytest.raises(ValueError, match="begins at"):
            derive(
                "t",
                define=define,
                assume={"A": Every(k, Ge(a(k), 0), first=first)},
                witness=lambda _: {a: lambda _: 1},
            )
