"""Formulas: every one of the book becomes MathML when it is built, and is shown, read and copied as one."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
WRITTEN = re.compile(
    r"\$\$(.+?)\$\$|\$([^$\n]+)\$|^`{3}\{math\}\n(?::label:[^\n]*\n)?(.+?)^`{3}$", re.S | re.M
)


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
    assert formulas.signs('<math><mi mathvariant="normal">x</mi><mtext>a b</mtext></math>') == set("xab")


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


@pytest.fixture(scope="module")
def tab(browser: Browser, site: Path) -> Iterator[Page]:
    """The chapter with the numbered equation, with all folds open, without animation."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto((site / "notebooks/sgd.html").as_uri())
    page.evaluate("document.querySelectorAll('main details').forEach((fold) => { fold.open = true; })")
    page.evaluate("() => document.fonts.ready.then(() => undefined)")
    yield page
    context.close()


@pytest.mark.book
def test_a_page_shows_its_formulas_without_a_script(browser: Browser, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "notebooks/sgd.html").as_uri())
    assert page.locator("math[display=block]").first.is_visible()
    assert page.locator("p math").first.is_visible()
    assert not page.locator("annotation").first.is_visible()
    context.close()


@pytest.mark.book
def test_formulas_are_set_in_their_font_and_in_the_colour_of_their_text(tab: Page) -> None:
    seen = """(math) => {
      const style = getComputedStyle(math), around = getComputedStyle(math.parentElement);
      const box = math.getBoundingClientRect();
      return [style.fontFamily.split(",")[0], style.color === around.color, box.height > 0]; }"""
    media: dict[str, Any]
    for media in ({}, {"color_scheme": "dark"}, {"forced_colors": "active"}, {"media": "print"}):
        usual: dict[str, Any] = {"media": "screen", "color_scheme": "light", "forced_colors": "none"}
        tab.emulate_media(**usual | media)
        for math in (tab.locator("p math").first, tab.locator("div.math math").first):
            assert math.evaluate(seen) == ['"Ideas Math"', True, True], media
    tab.emulate_media(media="screen", color_scheme="light", forced_colors="none")
    # `fonts.ready` of the fixture may be over before folds just opened ask for their fonts
    loaded = "(face) => face.family.includes('Ideas Math') && face.status === 'loaded'"
    tab.wait_for_function(f"[...document.fonts].some({loaded})")


@pytest.mark.book
def test_the_number_of_an_equation_stands_on_its_line(tab: Page) -> None:
    boxes = """(number) => [number, number.parentElement.querySelector("math")].map((element) => {
      const box = element.getBoundingClientRect();
      return [box.left, box.right, box.top, box.bottom]; })"""
    for width in (1440, 390):
        tab.set_viewport_size({"width": width, "height": 900})
        numbers = tab.locator(".eqno")
        assert numbers.count() > 0
        for number in numbers.all():
            (left, right, top, bottom), (_, _, above, below) = number.evaluate(boxes)
            assert above < top < bottom < below
            assert 0 < left < right < width
    tab.set_viewport_size({"width": 1440, "height": 900})


@pytest.mark.book
def test_punctuation_stays_on_the_line_of_its_formula(tab: Page) -> None:
    """Of every formula in a paragraph: the sign that follows it without a space begins no line."""
    apart = """() => [...document.querySelectorAll("p math, li math, td math")].flatMap((math) => {
      const walker = document.createTreeWalker(math.closest("p, li, td"), NodeFilter.SHOW_TEXT);
      walker.currentNode = math;
      let next = walker.nextNode();
      while (next && math.contains(next)) next = walker.nextNode();
      if (!next || !/^[^\\s]/.test(next.data)) return [];
      const range = document.createRange();
      range.setStart(next, 0);
      range.setEnd(next, 1);
      const sign = range.getBoundingClientRect(), box = math.getBoundingClientRect();
      if (!sign.width) return [];
      const latex = math.querySelector("annotation").textContent;
      return [{ latex, sign: next.data[0], apart: sign.left < box.right - 3 }];
    })"""
    checked = 0
    for width in (1440, 768, 390, 320):
        tab.set_viewport_size({"width": width, "height": 900})
        found = tab.evaluate(apart)
        checked += len(found)
        assert [formula for formula in found if formula["apart"]] == [], f"{width} px"
    assert checked > 200
    tab.set_viewport_size({"width": 1440, "height": 900})


@pytest.mark.book
@pytest.mark.parametrize("page", CHAPTERS)
def test_a_wide_formula_scrolls_in_a_region_of_its_own(page: str, browser: Browser, site: Path) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 900})
    small = context.new_page()
    small.goto((site / page).as_uri())
    small.evaluate("document.querySelectorAll('main details').forEach((fold) => { fold.open = true; })")
    small.wait_for_timeout(500)
    wide = """() => [...document.querySelectorAll("main math")].flatMap((math) => {
      const wider = (box) => box.scrollWidth > box.clientWidth;
      const scrolls = (box) => getComputedStyle(box).overflowX === "auto" && wider(box);
      let box = math.parentElement;
      while (box && !scrolls(box)) box = box.parentElement;
      const right = math.getBoundingClientRect().right;
      return right > innerWidth || box?.matches(".display, .long, .lhs, .rhs")
        ? [{ latex: math.querySelector("annotation").textContent, focusable: box?.tabIndex === 0 }] : [];
    })"""
    found = small.evaluate(wide)
    assert found
    assert [formula["latex"] for formula in found if not formula["focusable"]] == []
    context.close()


@pytest.mark.book
def test_a_selected_formula_is_copied_as_latex(browser: Browser, address: str) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{address}/notebooks/sgd.html")
    select = """([from, to]) => {
      const [first, last] = [document.querySelector(from), document.querySelector(to)];
      getSelection().setBaseAndExtent(first, 0, last, last.childNodes.length); }"""
    copied = {}
    for name, ends in {
        "in part": ["div.math mfrac", "div.math mfrac"],
        "a paragraph": ["#text p:has(math)"] * 2,
    }.items():
        page.evaluate(select, ends)
        page.keyboard.press("Control+c")
        copied[name] = page.evaluate("navigator.clipboard.readText()")
    context.close()
    assert copied["in part"].strip() == (
        r"$$\frac1T\sum_{t=1}^{T}\ell_t(\theta_t)-\frac1T\sum_{t=1}^{T}\ell_t(\varphi).$$"
    )
    assert re.search(r"\$[^$]+\$", copied["a paragraph"])
    assert "  " not in copied["a paragraph"]
