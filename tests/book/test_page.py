"""The page's script in browsers and at addresses that lack something: what it can do there, it does."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.book

WITHOUT = {
    "all is there": "",
    "no fonts": "Object.defineProperty(document, 'fonts', { value: undefined });",
    "no observer": "delete window.ResizeObserver;",
    "no history": "History.prototype.replaceState = () => { throw new Error('refused'); };",
    "no clipboard": "Object.defineProperty(navigator, 'clipboard', { value: undefined });",
    "a refused clipboard": "navigator.clipboard.writeText = () => Promise.reject(new Error('refused'));",
    "no storage": "Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused'); } });",
}
HASHES = ["", "#sg-16", "#100%", "#%E0%A4%A", "#nowhere"]


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    tab = context.new_page()
    unhandled: list[str] = []
    tab.on("pageerror", lambda error: unhandled.append(str(error)))
    yield tab
    context.close()
    assert unhandled == []


def check(tab: Page) -> None:
    """The page is seen, its theme can be changed, code can be copied, the place of the reader is marked."""
    assert tab.locator("main h1").is_visible()
    theme = tab.locator("button.theme")
    before = theme.inner_text()
    theme.click()
    assert theme.inner_text() != before
    copy = tab.locator("button.copy:visible").first
    copy.click()
    tab.wait_for_function("(button) => button.textContent === 'Copied'", arg=copy.element_handle())
    tab.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
    tab.wait_for_selector(".contents [aria-current]")


@pytest.mark.parametrize("lacking", WITHOUT)
def test_what_a_browser_lacks_stops_nothing_else(lacking: str, tab: Page, address: str) -> None:
    tab.add_init_script(WITHOUT[lacking])
    tab.goto(f"{address}/notebooks/sgd.html#sg-16")
    check(tab)


@pytest.mark.parametrize("hash", HASHES)
def test_an_address_that_names_no_place_stops_nothing(hash: str, tab: Page, address: str) -> None:
    tab.goto(f"{address}/notebooks/sgd.html{hash}")
    check(tab)


def test_a_filter_works_at_an_address_that_names_no_place(tab: Page, address: str) -> None:
    tab.goto(f"{address}/book/claims.html#100%")
    tab.locator("input[data-filter]").fill("no claim has these words")
    assert tab.locator("#filter-count").inner_text() == "No claim contains this."


def test_a_slash_searches_unless_something_has_the_focus(tab: Page, site: Path) -> None:
    tab.goto((site / "notebooks/sgd.html").as_uri())
    slider = tab.locator(".explorable-live input[type=range]").first
    slider.focus()
    slider.press("/")
    tab.wait_for_timeout(300)
    assert "sgd.html" in tab.url
    tab.evaluate("document.activeElement.blur()")
    tab.keyboard.press("/")
    tab.wait_for_url("**/search.html")


@pytest.mark.parametrize("page", ["search.html", "genindex.html", "index.html"])
def test_a_page_is_as_wide_as_a_telephone(page: str, browser: Browser, site: Path) -> None:
    assert len(re.findall('<meta name="viewport"', (site / page).read_text(encoding="utf-8"))) == 1
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True)
    tab = context.new_page()
    tab.goto((site / page).as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") == 390
    context.close()
