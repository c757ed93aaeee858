"""Conditions are stated once, evaluations are one line, and chains of one argument are one block."""

import pytest
import sympy as sp
from sympy import Function, Ge, Ne

from explainers.derive import Certificate, Derivation, Every, RefusedError, derive, together
from explainers.derive.typeset import MIME
from tests.derive.chains import a, k, n, refused, x, y

f = Function("f", real=True)
INCREASING = {"it increases": Ge(y, x)}


def lemma(title: str = "The lemma", **given: object) -> Derivation:
    d = derive(title, define={f(x): x + 1}, assume=INCREASING, **given)  # type: ignore[arg-type]
    d.start(f(x)).step("<=", y + 1, by=Certificate((1, "it increases")), because="as said")
    return d.qed(says="**So it is.**")


def page(shown: object) -> dict[str, object]:
    return shown._repr_mimebundle_()[MIME]  # type: ignore[attr-defined]


def test_a_derivation_names_the_lemma_whose_conditions_it_has_and_shows_those_it_adds() -> None:
    d = derive(
        "The theorem", define={f(x): x + 1}, assume={"x is not 0": Ne(x, 0)}, lemmas={"before": lemma()}
    )
    d.start(f(x) / x**2).step("<=", (y + 1) / x**2, by=Certificate((1 / x**2, "before")))
    d.qed()
    assert page(d)["under"] == "Under the conditions of *The lemma*."
    assert page(d)["assumptions"] == [r"x is not 0: $x \neq 0$"]
    assert "it increases: y >= x" in repr(d)  # the text has them all
    assert page(lemma())["under"] == ""
    assert page(lemma())["assumptions"] == ["$f(x) = x + 1$", r"it increases: $y \geq x$", "real $x, y$"]


def test_the_conditions_of_another_derivation_can_be_taken_over() -> None:
    d = derive("The same again", under=lemma())
    d.start(f(x)).step("<=", y + 1, by=Certificate((1, "it increases"))).qed()
    assert page(d)["under"] == "Under the conditions of *The lemma*."
    assert page(d)["assumptions"] == []


def test_conditions_are_taken_over_without_the_theorem() -> None:
    d = derive("The same again", under=lemma()).start(f(x))
    with refused("there is no fact 'The lemma'"):
        d.step("<=", y + 1, by=Certificate((1, "The lemma")))


def test_a_condition_that_is_taken_over_is_not_stated_again() -> None:
    with pytest.raises(ValueError, match=r"^under: it increases is among its conditions already"):
        derive("again", under=lemma(), assume=INCREASING)
    with pytest.raises(ValueError, match=r"^under: f"):
        derive("again", under=lemma(), define={f(x): x + 2})
    with pytest.raises(TypeError, match=r"^under: expected a Derivation"):
        derive("again", under="The lemma")  # type: ignore[arg-type]


def test_definitions_alone_are_a_notation() -> None:
    first = derive("The first", define={f(x): x + 1}).start(f(1)).step("==", 2).qed()
    d = derive("The second", under=first).start(f(2)).step("==", 3).qed()
    assert page(d)["under"] == "With the notation of *The first*."


def test_of_several_only_those_are_named_whose_conditions_another_has_not() -> None:
    first = lemma("The first")
    middle = derive("The middle", define={f(x): x + 1}, lemmas={"first": first})
    middle.start(f(x)).step("<=", y + 1, by=Certificate((1, "first"))).qed()
    d = derive("The last", define={f(x): x + 1}, lemmas={"first": first, "middle": middle})
    d.start(2 * f(x)).step("<=", 2 * y + 2, by=Certificate((1, "first"), (1, "middle"))).qed()
    assert page(d)["under"] == "Under the conditions of *The first*."


def test_a_form_of_a_condition_is_printed_and_proved() -> None:
    d = derive(
        "Forms",
        define={f(x): x**2 - 1},
        assume={"order": Every(n, Ge(a(n), 2 * (k - n)), first=1)},
        shown={f(x): "(x - 1)*(x + 1)", "order": "a(n) >= 2*k - 2*n"},
        witness=lambda rng: {a: lambda n: 2 * 5 + n, k: 5},
    )
    d.start(f(1)).step("==", 0)
    assert page(d)["assumptions"] == [
        "$f(x) = (x - 1) (x + 1)$",
        r"order: $a_{n} \ge 2 k - 2 n$ for every $n$ from $1$ on",
        "integer $k$",
    ]


@pytest.mark.parametrize(
    "form", ["y >= 2*x", "y >= -x", "x >= y", "y <= x", "y > x", "y", "y >= x >= x", "y >= x; x"]
)
def test_a_wrong_form_of_a_condition_is_refused(form: str) -> None:
    with pytest.raises(Exception, match="shown: "):
        derive("Forms", assume=INCREASING, shown={"it increases": form})


def test_a_wrong_form_of_a_definition_is_refused() -> None:
    with refused("shown: == is false"):
        derive("Forms", define={f(x): x + 1}, shown={f(x): "x - 1"})
    with pytest.raises(ValueError, match=r"^shown: z is no definition and no assumption here"):
        derive("Forms", define={f(x): x + 1}, shown={"z": "x - 1"})


def test_several_derivations_are_one_block() -> None:
    first = lemma(brief=True)
    second = derive("Another", under=first, brief=True).start(f(1)).step("==", 2, because="1 + 1").qed()
    block = together("Both", first, second)
    shown = page(block)
    assert shown["title"] == "Both"
    parts = shown["parts"]
    assert isinstance(parts, list)
    assert [part["title"] for part in parts] == ["The lemma", "Another"]
    assert [part["brief"] for part in parts] == [True, True]
    assert parts[1]["under"] == ""  # it stands right above
    bundle = block._repr_mimebundle_()
    assert bundle["text/markdown"].startswith("### Both\n\n**The lemma**")
    assert bundle["text/markdown"].count(r"\blacksquare") == 2
    assert "difference is zero" not in bundle["text/markdown"]
    assert bundle["text/plain"].startswith("Both\n\nThe lemma\n")
    assert repr(second) in bundle["text/plain"]


def test_a_block_has_finished_derivations_only() -> None:
    with pytest.raises(ValueError, match=r"^derivations: expected finished ones"):
        together("Both", lemma(), derive("open").start(sp.Integer(1)))
    with pytest.raises(ValueError, match=r"^derivations: "):
        together("None")


@pytest.mark.parametrize(("later", "known"), [(1, True), (0, True), (-1, False)])
def test_an_assumption_from_the_first_index_on_is_known_at_every_later_one(later: int, known: bool) -> None:
    i, m = sp.Symbol("i", integer=True, positive=True), sp.Symbol("m", integer=True, nonnegative=True)
    eta = sp.Function("eta", positive=True)
    d = derive(
        "t",
        assume={"never grows": Every(i, Ge(eta(i), eta(i + 1)), first=1)},
        witness=lambda _: {eta: lambda j: 1 / (j + 9)},
    ).start(eta(i + m + later + 1))
    by = Certificate((1, ("never grows", {i: i + m + later})))
    if known:
        d.step("<=", eta(i + m + later), by=by)
    else:
        with pytest.raises(RefusedError, match="not known at"):
            d.step("<=", eta(i + m + later), by=by)
