"""The search finds the section, with a line of context, once."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book"))
from extension import formulas, search  # noqa: E402  (the path comes first)

QUERIES = yaml.safe_load((Path(__file__).parent / "queries.yml").read_text(encoding="utf-8"))
RESULTS = """() => [...document.querySelectorAll("#search-results li")].map((item) => [
  decodeURIComponent(item.querySelector("a").getAttribute("href")), item.querySelector("a").textContent,
  item.querySelector("p")?.textContent ?? "", item.querySelector("mark")?.textContent ?? ""])"""


@pytest.fixture(scope="module")
def tab(browser: Browser, site: Path) -> Iterator[Page]:
    page = browser.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto((site / "search.html").as_uri())
    yield page
    assert troubles == []
    page.close()


def results(tab: Page, query: str) -> list[list[str]]:
    tab.fill("main input[name=q]", query)
    found: list[list[str]] = tab.evaluate(RESULTS)
    return found


def texts(site: Path) -> list[list[str]]:
    written = (site / search.TEXTS).read_text(encoding="utf-8")
    found: list[list[str]] = json.loads(written.removeprefix("const TEXTS = ").rstrip().rstrip(";"))
    return found


@pytest.mark.book
def test_who_asks_finds_the_section_among_the_first_three(tab: Page) -> None:
    assert len(QUERIES) == 30
    missed = [
        query["query"]
        for query in QUERIES
        if not {address for address, *_ in results(tab, query["query"])[:3]} & set(query["answers"])
    ]
    assert len(missed) <= 3, missed


@pytest.mark.book
def test_each_place_is_found_once_and_with_a_line_that_shows_why(tab: Page) -> None:
    for query in QUERIES:
        found = results(tab, query["query"])
        assert 0 < len(found) <= 20
        addresses = [address for address, *_ in found]
        assert len(set(addresses)) == len(addresses)
        for _, title, context, _ in found:
            assert title
            assert len(context) <= 220
        assert any(mark or context == "" for *_, context, mark in found[:3]), query["query"]


@pytest.mark.book
def test_every_place_exists_and_has_no_latex(site: Path) -> None:
    pages: dict[str, set[str]] = {}
    seen = set()
    for page, place, title, name, text in texts(site):
        if page not in pages:
            soup = BeautifulSoup((site / f"{page}.html").read_text(encoding="utf-8"), "html.parser")
            pages[page] = {str(tag["id"]) for tag in soup.select("[id]")}
        assert place in pages[page]
        assert (page, place) not in seen
        seen.add((page, place))
        assert title
        assert name
        assert re.findall(r"\\[a-zA-Z]+\{|\\(?:frac|sum|eta|lVert|le)\b", title + text) == []
    for address in [answer for query in QUERIES for answer in query["answers"]]:
        page, _, place = address.partition(".html#")
        assert (page, place) in seen


@pytest.mark.book
@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("sg-16", "notebooks/sgd.html#sg-16"),
        ("SG16", "notebooks/sgd.html#sg-16"),
        ("KeyValueCache", "book/reference.html#explainers.decoder.KeyValueCache"),
        ("projectsimplex", "book/reference.html#explainers.sgd.project_simplex"),
        ("toepl", "book/glossary.html#term-Toeplitz-matrix"),
        ("  AUTOCORRELATION ", "book/glossary.html#term-autocorrelation"),
        ("Fernández", "book/bibliography.html"),
    ],
)
def test_ids_names_halves_and_accents(query: str, first: str, tab: Page) -> None:
    assert results(tab, query)[0][0].startswith(first)


@pytest.mark.book
def test_a_symbol_and_its_name_find_the_same(tab: Page) -> None:
    for name, letter in [("eta", "η"), ("mu", "μ"), (r"\eta", "η"), ("mu", "µ")]:
        by_name, by_letter = results(tab, name), results(tab, letter)
        assert by_letter
        assert {address for address, *_ in by_letter} <= {address for address, *_ in by_name}
    assert results(tab, "‖")[0][3] == "‖"


@pytest.mark.book
def test_what_is_not_there_is_said(tab: Page) -> None:
    said = "#search-count"
    for query in ("zzzz", "(((", "<img src=x onerror=alert(1)>", "constructor zzzz", "__proto__"):
        found = results(tab, query)
        assert tab.locator("#search-results img").count() == 0
        assert found or tab.inner_text(said) == "Nothing found."
    assert results(tab, "regret zzzz")
    assert tab.inner_text(said).startswith("No place has all of these words.")
    assert results(tab, "  ") == []
    assert tab.inner_text(said) == ""


@pytest.mark.book
def test_a_query_travels_in_the_address(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}/search.html?q=wallis+product")
    assert page.input_value("main input[name=q]") == "wallis product"
    assert page.evaluate(RESULTS)[0][0] == "notebooks/sgd.html#nobody-does-better"
    page.fill("main input[name=q]", "regret & gap")
    assert page.url.endswith("?q=regret+%26+gap")
    page.keyboard.press("Enter")
    assert page.url.endswith("?q=regret+%26+gap")
    page.reload()
    assert page.input_value("main input[name=q]") == "regret & gap"
    page.locator("#search-results a").first.click()
    page.wait_for_load_state("load")
    assert "search" not in page.url
    page.close()


@pytest.mark.parametrize(
    ("latex", "line"),
    [
        (r"\eta_t \le 1/\sqrt T", "η_t ≤ 1/√T"),
        (r"\frac{D^2}{2T\eta_T}", "(D^2)/2Tη_T"),
        (r"\sum_{t=1}^{T} \ell_t(\theta_t)", "∑_(t = 1)^Tℓ_t(θ_t)"),
        (r"\|g\|^2", "‖g‖^2"),
        (r"\bar{x} + \hat{y}", "x\u0304 + y\u0302"),
        (r"\alpha^*", "α*"),
    ],
)
def test_a_formula_is_a_line_that_can_be_read(latex: str, line: str) -> None:
    math: Any = BeautifulSoup(formulas.mathml(latex, block=False), "html.parser").math
    shown = search.text_of(math).replace("∗", "*").replace("∥", "‖")
    assert re.sub(r"\s+", " ", shown).strip() == line


def test_the_text_of_a_place_is_not_that_of_the_places_inside_it() -> None:
    html = """<main><section id="a"><h1>A<a class="headerlink">#</a></h1><p>one</p><pre>code</pre>
      <section id="b"><h2>B</h2><p>two</p><div class="claim" id="x-1"><p>three</p></div></section>
      <dl class="glossary"><dt id="t">term</dt><dd><p>four</p></dd></dl></section></main>"""
    found = [(place["id"], place["title"], place["text"]) for place in search.places(html, "page")]
    assert found == [
        ("a", "A", "one"),
        ("b", "B", "two"),
        ("x-1", "X-1", "three"),
        ("t", "term", "four"),
    ]
    assert list(search.places("<body>no main</body>", "page")) == []
