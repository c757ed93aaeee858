"""Links to places land there, on slow machines and with late fonts, and nothing moves meanwhile."""

import contextlib
import functools
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlparse

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, BrowserContext, Page

from tests.book.conftest import SITE, SilentHandler, pages

pytestmark = pytest.mark.book

WIDTHS = (1440, 390)
REFERENCE = "book/reference.html"  # hundreds of names, all alike: every twentieth is opened afresh
LATE = 0.6  # seconds until a font comes; a page waits for one
TOO_LATE = 1.3
SLOW = 2  # times slower than this machine
TOGETHER = 6  # pages that load at the same time, so each as if on a processor that is as many times slower
SHIFT = 0.02

# Waits until fonts and figures are there and two frames later; then says where the target is.
QUIET = """async () => {
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const figures = "[data-explorable]";
  while (document.readyState !== "complete") await pause(20);
  await document.fonts.ready;
  const live = (figure) => figure.querySelector("[data-ready]");
  const ready = () => [...document.querySelectorAll(figures)].every(live);
  while (!ready()) await pause(20);
  await pause(100);
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const fonts = performance.getEntriesByType("resource").filter((file) => file.name.endsWith(".woff2"));
  const late = fonts.map((file) => file.duration);
  return {
    tops: window.tops, shift: window.shift, height: innerHeight, late: Math.min(...late),
    top: target ? target.getBoundingClientRect().top : null, seen: target ? target.checkVisibility() : null,
  };
}"""
# Records what is painted while a page loads: where the target of the address is, and how the layout moves.
WATCH = """(() => {
  window.quiet = QUIET;
  window.tops = [];
  window.shift = 0;
  const target = () => document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const look = () => {
    tops.push(target() ? Math.round(target().getBoundingClientRect().top) : null);
  };
  const frame = () => {  // what waits unseen is not painted
    if (document.body && getComputedStyle(document.body).visibility === "visible") setTimeout(look);
    requestAnimationFrame(frame);
  };
  if (location.hash) requestAnimationFrame(frame);
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
})();""".replace("QUIET", QUIET)
# Opens pages in frames at the same time, and waits for each.
FRAMES = """async ([urls, width]) => {
  const frames = urls.map((url) => {
    const frame = document.createElement("iframe");
    frame.style.cssText = `position: absolute; inset: 0; border: 0; width: ${width}px; height: 900px`;
    frame.src = url;
    return frame;
  });
  document.body.replaceChildren(...frames);
  const loaded = (frame) => new Promise((done) => { frame.addEventListener("load", done); });
  await Promise.all(frames.map(loaded));
  const states = await Promise.all(frames.map((frame) => frame.contentWindow.quiet()));
  document.body.replaceChildren();
  return states;
}"""
EMPTY = "<!doctype html><body>"
# Clicks the first link to each place of the page itself, and goes back.
CLICKS = """async (wanted) => {
  const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const found = [];
  for (const id of wanted) {
    const link = document.querySelector(`a[href="#${CSS.escape(id)}"], a[href="#${id}"]`);
    const target = document.getElementById(id);
    link.scrollIntoView({ block: "center" });
    await frames();
    const before = scrollY;
    link.click();
    await frames();
    const top = target.getBoundingClientRect().top, seen = target.checkVisibility();
    const gone = new Promise((done) => addEventListener("popstate", done, { once: true }));
    history.back();
    await gone;
    await frames();
    found.push({ id, top, seen, height: innerHeight, away: scrollY - before });
  }
  return found;
}"""


class LateFonts(SilentHandler):
    """Serves the site, and its fonts late, each time anew."""

    late = LATE

    def do_GET(self) -> None:
        if self.is_font():
            time.sleep(self.late)
        super().do_GET()

    def end_headers(self) -> None:
        if self.is_font():
            self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def translate_path(self, path: str) -> str:
        """The file of a path; a number as its first folder is nothing."""
        return super().translate_path(re.sub(r"^/\d+(?=/)", "", path))

    def is_font(self) -> bool:
        return self.path.split("?")[0].endswith(".woff2")


class TooLateFonts(LateFonts):
    """Serves fonts later than a page waits for them."""

    late = TOO_LATE


@contextlib.contextmanager
def served(site: Path, handler: type[LateFonts]) -> Iterator[str]:
    """Serve the site; the value is its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def late(site: Path) -> Iterator[str]:
    """The address of the site with late fonts."""
    with served(site, LateFonts) as address:
        yield address


@pytest.fixture(scope="module")
def too_late(site: Path) -> Iterator[str]:
    """The address of the site with fonts that are later than a page waits for them."""
    with served(site, TooLateFonts) as address:
        yield address


@functools.cache
def links() -> dict[tuple[str, str], set[str]]:
    """Each place that a page links to, as a page and an id, with the pages that link to it."""
    found: dict[tuple[str, str], set[str]] = {}
    for page in pages():
        for link in BeautifulSoup((SITE / page).read_text(encoding="utf-8"), "html.parser").select("a[href]"):
            url = urlparse(urljoin(page, str(link["href"])))
            if url.fragment and not url.netloc and not url.scheme:
                found.setdefault((url.path or page, unquote(url.fragment)), set()).add(page)
    return found


PLACES: dict[str, list[str]] = {}
if SITE.exists():
    for place_page, place_id in sorted(links()):
        PLACES.setdefault(place_page, []).append(place_id)


def inside(top: float | None, height: float) -> bool:
    """Whether the top of a target is in the window, with a line of it."""
    return top is not None and -1 <= top <= height - 20


def quiet(tab: Page) -> dict[str, Any]:
    return tab.evaluate(QUIET)


def slow_tab(context: BrowserContext) -> Page:
    tab = context.new_page()
    context.new_cdp_session(tab).send("Emulation.setCPUThrottlingRate", {"rate": SLOW})
    return tab


def test_there_are_links_to_all_kinds_of_places() -> None:
    assert {"sg-16", "fd-17"} <= {
        id for page in PLACES for id in PLACES[page]
    }  # claims, in the text or the ledger
    kinds = ("equation-", "term-", "id", "all-claims-of-the-article", "exercises")
    for kind in kinds:
        assert any(id.startswith(kind) for ids in PLACES.values() for id in ids), kind


def opened(browser: Browser, address: str, places: list[str], width: int) -> list[dict[str, Any]]:
    """Open each of the `places` afresh, pages with or without an id, and say what was seen meanwhile."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.add_init_script(WATCH)
    tab = context.new_page()
    tab.route("**/frames.html", lambda route: route.fulfill(body=EMPTY, content_type="text/html"))
    tab.goto(f"{address}/frames.html")
    # each under a folder of its own, so that none finds in memory what another has loaded
    urls = [f"{address}/{number}/{place}" for number, place in enumerate(places)]
    states = []
    for start in range(0, len(urls), TOGETHER):
        states += tab.evaluate(FRAMES, [urls[start : start + TOGETHER], width])
    context.close()
    return states


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", [page for page in PLACES if len(PLACES[page]) > 1])
def test_a_link_from_elsewhere_lands_and_the_page_stands_still(
    page: str, width: int, browser: Browser, late: str, record_property: Callable[[str, str], None]
) -> None:
    """Each place at one of the widths; by clicks, below, all are opened at both."""
    ids = PLACES[page][WIDTHS.index(width) :: 2 if page != REFERENCE else 20]
    states = opened(browser, late, [f"{page}#{id}" for id in ids], width)
    assert min(state["late"] for state in states) > 1000 * LATE, "the fonts were not late"
    assert all(state["tops"] for state in states), "nothing was seen while a page loaded"
    shift = max(state["shift"] for state in states)
    record_property("measured", f"{page} at {width} px: {len(states)} places, layout shift {shift:.4f}")
    wrong = [
        (id, state)
        for id, state in zip(ids, states, strict=True)
        if not (state["seen"] and all(inside(top, state["height"]) for top in [*state["tops"], state["top"]]))
    ]
    assert wrong == []
    assert shift <= SHIFT


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_moves_when_fonts_come_too_late(
    width: int, browser: Browser, too_late: str, record_property: Callable[[str, str], None]
) -> None:
    places = [place for page, ids in PLACES.items() for place in (page, f"{page}#{ids[len(ids) // 2]}")]
    states = opened(browser, too_late, ["index.html", *places], width)
    assert min(state["late"] for state in states) > 1000 * TOO_LATE, "the fonts were not late"
    shift = max(state["shift"] for state in states)
    record_property("measured", f"{len(states)} pages at {width} px, late fonts: layout shift {shift:.4f}")
    assert shift <= SHIFT


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", PLACES)
def test_a_link_inside_a_page_lands_by_a_click_and_back_returns(
    page: str, width: int, browser: Browser, address: str
) -> None:
    own = [id for id in PLACES[page] if page in links()[page, id]]
    context = browser.new_context(viewport={"width": width, "height": 900})
    tab = context.new_page()
    tab.goto(f"{address}/{page}")
    quiet(tab)
    landed = tab.evaluate(CLICKS, own)
    context.close()
    assert len(landed) == len(own)
    assert [place for place in landed if not (place["seen"] and inside(place["top"], place["height"]))] == []
    assert [place for place in landed if abs(place["away"]) > 1] == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("book/claims.html", "notebooks/sgd.html#sg-16"),
        ("book/claims.html", "notebooks/fourier_density.html#fd-17"),
        ("notebooks/sgd.html", "book/glossary.html#"),
        ("notebooks/fourier_density.html", "book/bibliography.html#"),
    ],
)
def test_back_from_another_page_returns_to_where_the_reader_was(
    page: str, link: str, width: int, browser: Browser, late: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.add_init_script(WATCH)
    tab = slow_tab(context)
    tab.goto(f"{late}/{page}")
    quiet(tab)
    place = tab.locator(
        f"a[href*='{link.removeprefix('notebooks/') if page.startswith('notebooks') else link}']"
    ).last
    # a reader who has opened the folds around the last such link, and goes on from there
    place.evaluate("""(link) => {
      for (let up = link; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
    }""")
    tab.wait_for_function(
        "history.state.open.length === document.querySelectorAll('main details[open]').length"
    )
    place.evaluate("(link) => link.scrollIntoView({ block: 'center' })")
    tab.wait_for_timeout(100)
    before = place.evaluate("(link) => link.getBoundingClientRect().top")
    place.click()
    tab.wait_for_url(f"**/{link}*")
    state = quiet(tab)
    assert state["seen"]
    assert all(inside(top, state["height"]) for top in [*state["tops"], state["top"]])
    tab.go_back()
    quiet(tab)
    after = place.evaluate("(link) => link.getBoundingClientRect().top")
    assert abs(after - before) <= 2
    context.close()
