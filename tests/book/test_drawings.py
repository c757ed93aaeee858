"""All figures of all pages, as they are seen: labels that can be read, maps with equal units, and a phone's
screen that holds the first panel with its controls."""

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

from tests.book.conftest import SITE, pages
from tests.book.drawing import Live
from tests.book.test_explorables import ALL, MOVING

pytestmark = pytest.mark.book

DRAWN = [p for p in pages() if "<svg" in (SITE / p).read_text(encoding="utf-8")] if SITE.exists() else []
WIDTHS = (1440, 390)
PHONE = 844  # pixels, the height of a common phone's screen

# the words of a drawing and its curves, without the lines of the grid, in pixels of the screen
READ = """(svg) => {
  const rule = getComputedStyle(document.documentElement).getPropertyValue("--rule").trim();
  const probe = document.createElement("i");
  probe.style.color = rule;
  document.body.append(probe);
  const grid = getComputedStyle(probe).color;
  probe.remove();
  const seen = (node) => node.getClientRects().length && getComputedStyle(node).visibility !== "hidden";
  const matrix = (node) => { const m = node.getScreenCTM(); return [m.a, m.b, m.c, m.d, m.e, m.f]; };
  return {
    words: [...svg.querySelectorAll("text")].filter(seen).map((text) => {
      const box = text.getBBox();
      return {words: text.textContent, bold: Number(getComputedStyle(text).fontWeight) >= 600,
              box: [box.x, box.y, box.width, box.height], matrix: matrix(text)};
    }),
    curves: [...svg.querySelectorAll("path[d]")].filter((path) => seen(path) && path.getAttribute("d"))
        .map((path) => {
      const style = getComputedStyle(path);
      return {d: path.getAttribute("d"), width: parseFloat(style.strokeWidth), stroke: style.stroke,
              matrix: matrix(path), defined: Boolean(path.closest("defs, clipPath"))};
    }).filter(({stroke, defined, width}) => stroke !== "none" && stroke !== grid && !defined && width > 0),
  };
}"""


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """A function that opens a page of the site, which is closed when the test ends."""
    contexts = []

    def opened(page: str, width: int, height: int = 900, **settings: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **settings)
        contexts.append(context)
        tab = context.new_page()
        tab.goto(f"{address}/{page}")
        tab.evaluate("() => document.fonts.ready.then(() => undefined)")
        return tab

    yield opened
    for context in contexts:
        context.close()


def box_of(word: dict[str, Any]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a word on the screen."""
    (x, y, w, h), (a, _, _, d, e, f) = word["box"], word["matrix"]
    return a * x + e, d * y + f, a * (x + w) + e, d * (y + h) + f


def segments(curve: dict[str, Any]) -> NDArray[Any]:
    """The straight pieces of a curve on the screen, with shape (pieces, 2, 2)."""
    a, _, _, d, e, f = curve["matrix"]
    pieces: list[Any] = []
    x = y = 0.0
    for command, text in re.findall(r"([MLHVChz])([^MLHVChz]*)", curve["d"]):
        numbers = [float(n) for n in re.findall(r"-?[\d.]+(?:e-?\d+)?", text)]
        before = (x, y)
        if command in "MLC":
            x, y = numbers[-2:]
        elif command == "H":
            x = numbers[0]
        elif command == "h":
            x += numbers[0]
        elif command == "V":
            y = numbers[0]
        if command not in "Mz":
            pieces.append((before, (x, y)))
    return np.array(pieces, dtype=float).reshape(-1, 2, 2) * [a, d] + [e, f]


def covered(box: tuple[float, float, float, float], curves: list[dict[str, Any]]) -> float:
    """The part of a box that lies under the curves, by a grid of points one pixel apart."""
    left, top, right, bottom = box
    xs, ys = np.meshgrid(np.arange(left + 0.5, right), np.arange(top + 0.5, bottom))
    under = np.zeros(xs.shape, dtype=bool)
    for curve in curves:
        half = curve["width"] * abs(curve["matrix"][0]) / 2
        pieces = segments(curve)
        low, high = pieces.min(1) - half, pieces.max(1) + half
        near = (low < [right, bottom]).all(1) & (high > [left, top]).all(1)
        for start, end in pieces[near]:
            along = end - start
            share = ((xs - start[0]) * along[0] + (ys - start[1]) * along[1]) / max(along @ along, 1e-9)
            share = np.clip(share, 0, 1)
            under |= np.hypot(xs - start[0] - share * along[0], ys - start[1] - share * along[1]) <= half
    return float(under.mean())


def complaints(drawn: dict[str, Any], where: str) -> list[str]:
    """What makes labels of a drawing hard to read."""
    found = []
    boxes = [box_of(word) for word in drawn["words"]]
    for i, (word, box) in enumerate(zip(drawn["words"], boxes, strict=True)):
        if not word["bold"]:
            continue
        for j, (other, that) in enumerate(zip(drawn["words"], boxes, strict=True)):
            wide = min(box[2], that[2]) - max(box[0], that[0])
            tall = min(box[3], that[3]) - max(box[1], that[1])
            shared = max(wide, 0) * max(tall, 0)
            twentieth = 0.05 * (box[2] - box[0]) * (box[3] - box[1])
            if (other["bold"] and i < j and min(wide, tall) > 0.5) or (
                not other["bold"] and shared > twentieth
            ):
                found.append(f"{where}: {word['words']!r} meets {other['words']!r}")
        part = covered(box, drawn["curves"])
        if part > 0.05:
            found.append(f"{where}: curves cover {part:.0%} of {word['words']!r}")
    return found


def extremes(controls: list[dict[str, Any]]) -> list[list[int]]:
    """The default setting, each control at its ends, and all combinations of ends if they are few."""
    start = [control["start"] for control in controls]
    ends = [(0, control["count"] - 1) for control in controls]
    found = [start]
    for i, both in enumerate(ends):
        found += [[*start[:i], end, *start[i + 1 :]] for end in both]
    if len(ends) <= 4:
        found += [list(setting) for setting in itertools.product(*ends)]
    return found


def go(live: Live, stops: list[int]) -> None:
    """Set the controls by the address, all at once."""
    values = [
        stop if control["values"] is None else control["values"][stop]
        for control, stop in zip(live.controls, stops, strict=True)
    ]
    query = ",".join(quote(str(value), safe="") for value in values)
    live.tab.evaluate(
        """(query) => {
          history.replaceState(null, "", `?${query}`);
          dispatchEvent(new PopStateEvent("popstate"));
        }""",
        f"{live.spec['name']}={query}",
    )


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", MOVING)
def test_labels_can_be_read_at_every_extreme(
    page: str, width: int, visit: Callable[..., Page], record_property: Callable[[str, str], None]
) -> None:
    tab = visit(page, width)
    found, looked = [], 0
    for name in MOVING[page]:
        live = Live(tab, name)
        for stops in extremes(live.controls):
            go(live, stops)
            assert live.stops() == stops
            for number, svg in enumerate(live.root.locator(".panel > svg").all()):
                found += complaints(svg.evaluate(READ), f"#{name} {stops}, panel {number}")
                looked += 1
    record_property("measured", f"{page}, {width} px: labels of {looked} drawings meet nothing")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", DRAWN)
def test_labels_of_still_figures_can_be_read(page: str, width: int, visit: Callable[..., Page]) -> None:
    tab = visit(page, width, java_script_enabled=False)  # with the pictures of explorables
    found = []
    for number, svg in enumerate(tab.locator(".figure-drawing > svg:visible").all()):
        found += complaints(svg.evaluate(READ), f"still figure {number}")
    assert not found, "\n".join(found)


def test_the_measure_of_labels_sees_what_is_wrong() -> None:
    word = {"words": "fit", "bold": True, "box": [10, 10, 40, 20], "matrix": [1, 0, 0, 1, 0, 0]}
    line = {"d": "M0 20L100 20", "width": 2.0, "matrix": [1, 0, 0, 1, 0, 0]}
    assert covered(box_of(word), [line]) == pytest.approx(0.1)
    assert covered(box_of(word), [{**line, "d": "M0 40H100"}]) == 0
    assert covered(box_of(word), [{**line, "d": "M30 20h0", "width": 8.0}]) == pytest.approx(0.065, abs=0.01)
    other = {**word, "words": "target", "box": [45, 25, 40, 20]}
    assert complaints({"words": [word, other], "curves": []}, "here") == ["here: 'fit' meets 'target'"]
    assert complaints({"words": [word], "curves": [line]}, "here") == ["here: curves cover 10% of 'fit'"]


# the words of all drawings, with their colour and that of what lies behind them
COLOURS = """() => [...document.querySelectorAll("svg text:not([visibility])")]
  .filter((text) => text.getClientRects().length)
  .map((text) => {
  let behind = text.closest("svg").parentElement;
  const clear = (node) => getComputedStyle(node).backgroundColor === "rgba(0, 0, 0, 0)";
  while (behind.parentElement && clear(behind)) behind = behind.parentElement;
  return [text.textContent, getComputedStyle(text).fill, getComputedStyle(behind).backgroundColor];
})"""


def luminance(colour: str) -> float:
    """The relative luminance of a colour, as in the rules for accessibility."""
    parts = [int(n) / 255 for n in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", DRAWN)
def test_words_in_drawings_stand_out_in_both_themes(
    page: str, theme: str, visit: Callable[..., Page]
) -> None:
    tab = visit(page, 1440, color_scheme=theme)
    if page in MOVING:
        tab.wait_for_selector("[data-ready]", state="attached")
    for words, colour, behind in tab.evaluate(COLOURS):
        bright, dim = sorted((luminance(colour), luminance(behind)), reverse=True)
        assert (bright + 0.05) / (dim + 0.05) >= 4.5, (words, colour, behind)


@pytest.mark.parametrize("width", WIDTHS)
def test_one_unit_of_a_map_is_as_long_on_both_axes(width: int, visit: Callable[..., Page]) -> None:
    for page, name in ALL:
        live = Live(visit(page, width), name)
        for spec, drawn in zip(live.spec["panels"], live.read(), strict=True):
            if spec["equal"]:
                (lo, hi, _, left, right), (low, high, _, bottom, top) = (
                    [float(v) if v not in ("true", "false") else 0.0 for v in drawn[axis].split(",")]
                    for axis in "xy"
                )
                assert (right - left) / (hi - lo) == pytest.approx((bottom - top) / (high - low), rel=1e-6)
                assert lo <= spec["x"]["lo"] < spec["x"]["hi"] <= hi
                assert low <= spec["y"]["lo"] < spec["y"]["hi"] <= high
    disc = Live(visit("notebooks/sgd.html", width), "path")
    edge = disc.root.locator(".panel").first.locator(".mark.dash .line").evaluate(
        "(path) => { const box = path.getBBox(); return [box.width, box.height]; }"
    )  # fmt: skip
    assert edge[0] == pytest.approx(edge[1], abs=1), "the disc is drawn as an ellipse"


@pytest.mark.parametrize(("page", "name"), ALL)
def test_on_a_phone_the_first_panel_and_its_controls_fit_one_screen(
    page: str, name: str, visit: Callable[..., Page], record_property: Callable[[str, str], None]
) -> None:
    live = Live(visit(page, 390, PHONE), name)
    panel = live.root.locator(".panel").first
    start = panel.bounding_box()
    assert start is not None
    top, bottom = start["y"], 0.0
    for index, control in enumerate(live.controls):
        before, stops = live.read()[0]["marks"], live.stops()
        go(live, [*stops[:index], 0 if stops[index] else control["count"] - 1, *stops[index + 1 :]])
        if live.read()[0]["marks"] != before:
            box = live.element(index).bounding_box()
            assert box is not None
            bottom = max(bottom, box["y"] + box["height"])
        go(live, stops)
    assert bottom, "no control moves the first panel"
    record_property("measured", f"{page} #{name}: first panel and its controls take {bottom - top:.0f} px")
    assert bottom - top <= PHONE
