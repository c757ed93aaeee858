"""A page says what SymPy assumes of the letters of a derivation."""

from typing import Any

import pytest
import sympy as sp
from sympy import Function, Ge, Symbol, symbols

from explainers.derive import (
    Certificate,
    Derivation,
    Every,
    RefusedError,
    Vector,
    Vectors,
    derive,
    inner,
    norm2,
    together,
)
from explainers.derive.typeset import MIME

x, y = symbols("x y", real=True)
a, b = symbols("a b", positive=True)
m, n = symbols("m n", integer=True, positive=True)
k = Symbol("k", integer=True, nonnegative=True)
eta, f = Function("eta", positive=True), Function("f", real=True)


def given(derivation: object) -> str:
    return "; ".join(derivation._repr_mimebundle_()[MIME]["assumptions"])  # type: ignore[attr-defined]


def trivial(expr: sp.Expr, **settings: Any) -> Derivation:
    return derive("t", **settings).start(expr).step("==", expr).qed()


@pytest.mark.parametrize(
    ("expr", "said"),
    [
        (x + y, "real $x, y$"),
        (Symbol("z") + 1, ""),
        (Symbol("z") * sp.I, "complex $z$"),
        (f(x), "real $x$"),
        (f(x) * sp.I, "real $x$; real $f(x)$ for every $x$"),
        (a + b + x, r"$a, b > 0$; real $x$"),
        (a * m + n, r"$a > 0$; integer $m, n \ge 1$"),
        (k + 1, r"integer $k \ge 0$"),
        (Symbol("j", integer=True) + 1, "integer $j$"),
        (Symbol("j", even=True, positive=True) + 1, r"even $j \ge 1$"),
        (1 / Symbol("z", nonzero=True), r"real $z \ne 0$"),
        (Symbol("j", integer=True, negative=True) + 1, r"integer $j \le -1$"),
        (Symbol("j", integer=True, nonpositive=True) + 1, r"integer $j \le 0$"),
        (1 / Symbol("j", integer=True, nonzero=True), r"integer $j \ne 0$"),
        (1 / Symbol("z", zero=False), r"complex $z \ne 0$"),
        (eta(1) + eta(2), r"$\eta_{j} > 0$ for every $j$"),
        (eta(m - 1) + eta(m + 1), r"integer $m \ge 1$; $\eta_{j} > 0$ for every $j$"),
        (
            Function("A", positive=True)(m, -x),
            r"integer $m \ge 1$; real $x$; $A_{j}(k) > 0$ for every $j$ and $k$",
        ),
        (Symbol("z", nonpositive=True) + 1, r"$z \le 0$"),
        (x * sp.I + Symbol("c"), "complex $c$; real $x$"),
        (sp.Sum(eta(n), (n, 1, m)), r"integer $m \ge 1$; $\eta_{n} > 0$ for every $n$"),
        (eta(m) + eta(2) * x, r"integer $m \ge 1$; real $x$; $\eta_{m} > 0$ for every $m$"),
        (sp.Integral(a * x, (x, 0, 1)), "$a > 0$"),
        (norm2(Vector("g")) + inner(Vectors("h")(n), Vector("g")), r"integer $n \ge 1$"),
    ],
)
def test_what_is_assumed_of_a_letter_is_said(expr: sp.Expr, said: str) -> None:
    assert given(trivial(expr)) == said
    for phrase in filter(None, said.replace("$", "").replace(r"\ge", ">=").split("; ")):
        if "\\" not in phrase and "_" not in phrase:
            assert f"  where {phrase}\n" in str(trivial(expr))


def test_what_is_bound_or_defined_has_no_domain_of_its_own() -> None:
    c = Symbol("c", positive=True)
    assert given(trivial(c + x, define={c: 2 + x**2})) == "$c = x^{2} + 2$; real $x$"
    positive = trivial(eta(m) + 1, define={eta(n): n + 1})
    assert given(positive) == r"$\eta_{n} = n + 1$; integer $m \ge 1$"
    every = derive(
        "t", assume={"f grows": Every(n, Ge(f(n), n), first=1)}, witness=lambda _: {f: lambda i: i + 1}
    )
    every.start(f(m)).step(">=", m, by=Certificate((1, ("f grows", {n: m})))).qed()
    assert given(every).endswith("for every $n$ from $1$ on; integer $m \\ge 1$")


def test_what_a_source_says_is_not_said_again() -> None:
    first = derive("The first", define={y: a * x}).start(y).step("==", a * x).qed()
    second = derive("The second", under=first).start(y + b).step("==", a * x + b).qed()
    assert given(second) == "$b > 0$"
    assert second._repr_mimebundle_()[MIME]["under"] == "With the notation of *The first*."
    third = derive("The third").start(a + b).step("==", b + a).qed()
    parts = together("All", first, third)._repr_mimebundle_()[MIME]["parts"]
    assert [part["assumptions"][-1:] for part in parts] == [["real $x$"], ["$b > 0$"]]


@pytest.mark.parametrize(
    "declared",
    [
        {"prime": True}, {"irrational": True}, {"imaginary": True}, {"zero": True}, {"integer": False},
        {"real": True, "integer": False}, {"transcendental": True}, {"composite": True}, {"real": False},
    ],
)  # fmt: skip
def test_what_no_page_would_say_of_a_letter_is_refused(declared: dict[str, bool]) -> None:
    for letter in (Symbol("q", **declared), Function("q", **declared)(n)):
        if letter.is_zero and not letter.is_Symbol:  # this is said: it follows from two signs
            assert given(trivial(letter + n)) == r"integer $n \ge 1$; even $q_{n} = 0$ for every $n$"
            continue
        with pytest.raises(RefusedError, match="no page would say so"):
            derive("t").start(letter + 1)


def test_a_block_leaves_out_conditions_only_where_they_stand_above() -> None:
    source = derive("A", assume={"it is large": Ge(x, 5)}, witness=lambda _: {x: 7}).start(x)
    source.step(">=", 5, by=Certificate((1, "it is large"))).qed()
    user = derive("B", under=source).start(x + 1)
    user.step(">=", 6, by=Certificate((1, "it is large"))).qed()
    other = derive("A").start(y).step("==", y).qed()
    for block in [(other, user), (user, source), (user,)]:
        parts = together("All", *block)._repr_mimebundle_()[MIME]["parts"]
        (said,) = (part["under"] for part in parts if part["title"] == "B")
        assert said == "Under the conditions of *A*."
    parts = together("All", source, user)._repr_mimebundle_()[MIME]["parts"]
    assert parts[1]["under"] == ""
