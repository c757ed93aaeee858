"""Formulas: every one of the book becomes MathML when it is built, and is shown, read and copied as one."""

import json
import re
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page

from tests.book.conftest import SITE, pages

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book"))

from extension import formulas  # noqa: E402  (the path comes first)

STORED = Path(__file__).with_name("formulas.json")  # LaTeX and the MathML that was looked at
CHAPTERS = [page for page in pages() if page.startswith("notebooks/")] if SITE.exists() else []
# code, in which a dollar is a dollar; formulas between two dollars or one; and in a directive
CODE = re.compile(r"^(`{3,})\{code-cell\}.*?^\1$|`[^`\n]+`", re.S | re.M)
WRITTEN = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$|^`{3}\{math\}\n(?::label:.*\n)?(.+?)^`{3}$", re.S | re.M)


def of_source(path: Path) -> list[str]:
    """The LaTeX of every formula in the prose of a page."""
    prose = CODE.sub("", path.read_text(encoding="utf-8"))
    return [" ".join(next(filter(None, found)).split()) for found in WRITTEN.findall(prose)]


def soup(page: str) -> BeautifulSoup:
    return BeautifulSoup((SITE / page).read_text(encoding="utf-8"), "html.parser")


@pytest.mark.parametrize("latex", json.loads(STORED.read_text(encoding="utf-8")))
def test_a_tricky_formula_becomes_the_stored_mathml(latex: str) -> None:
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    assert formulas.mathml(latex, block=True) == stored[latex]


@pytest.mark.parametrize(
    ("latex", "says"),
    [
        (r"\frac{1}{", "is not understood"),
        (r"\nosuchcommand x", "nosuchcommand"),
        (r"a \hookleftarrow b", r"needs ↩ (U+21A9), which the font lacks"),
    ],
)
def test_a_formula_that_cannot_be_shown_is_named(latex: str, says: str) -> None:
    with pytest.raises(formulas.FormulaError, match=re.escape(says)):
        formulas.mathml(latex)


def test_every_sign_of_a_formula_is_looked_for_in_the_font() -> None:
    assert formulas.signs("<math><mi>x</mi><mo>&lt;</mo><mi>sin</mi></math>") == set("𝑥<sin")
    assert formulas.signs('<math><mi mathvariant="normal">x</mi><mtext>a b</mtext></math>') == set("xa b")


@pytest.mark.book
@pytest.mark.parametrize("page", CHAPTERS)
def test_every_formula_of_a_chapter_is_mathml_and_keeps_its_latex(page: str) -> None:
    html = soup(page)
    shown = {note.get_text() for note in html.select("math annotation")}
    written = of_source(ROOT / page.replace(".html", ".md"))
    assert len(written) > 50
    assert [latex for latex in written if latex not in shown] == []
    for math in html.select("math"):
        latex = math.select_one("annotation").get_text()  # type: ignore[union-attr]  # each has one
        made = formulas.mathml(latex, block=math.get("display") == "block")
        assert str(BeautifulSoup(made, "html.parser")) == str(math)
    for left in html.select("pre, code, annotation, script, svg"):
        left.decompose()
    assert re.findall(r"\\[(\[a-zA-Z].{,20}|\$[^ ].{,20}", html.get_text()) == [], "LaTeX as text"
