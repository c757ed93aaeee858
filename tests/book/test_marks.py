"""All marks and controls in one figure, on a page with the module and the host only, without the book."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from explainers.notebook.explore import (
    Choice,
    Explorable,
    Play,
    Slider,
    Toggle,
    area,
    bars,
    explorable,
    heatmap,
    highest,
    hline,
    lines,
    lowest,
    panel,
    points,
    readout,
    text,
    vline,
)
from tests.book.drawing import Live

pytestmark = pytest.mark.slow
HOST = Path(__file__).parents[2] / "book/theme/static/afm-host.js"
t = np.arange(40)
x = np.linspace(-2, 2, 41)
grid = np.linspace(-1, 1, 8)


def everything(rate: float, shift: float, kind: str, noisy: bool) -> dict[str, Any]:
    wave = (np.sin if kind == "sine" else np.cos)(2 * x + shift)
    path = np.exp(-rate * t) * (1 + 0.1 * noisy * np.sin(t))
    return {
        "x": x,
        "wave": wave,
        "both": np.stack([wave, -wave]),
        "holes": np.where(np.abs(x) < 0.5, np.nan, wave),
        "low": wave - 0.3,
        "t": t,
        "path": path,
        "walk": np.cumsum(np.cos(t * rate)),
        "grid": grid,
        "cells": np.outer(np.sin(3 * grid + shift), grid),
        "mean": float(wave.mean()),
        "big": 12345.678 * rate,
        "word": "rough" if noisy else "smooth",
        "few": np.arange(5),
        "heights": np.array([1, -2, 3, -1, 2]) * rate,
    }


ALT = (
    "Every mark of the kit in six panels, {word}, with the mean {mean:.2f} and {path:.1e} at {time}, of the "
    "rate {rate:.3g}; {kind}."
)
VIEW = [
    panel(
        "Curves",
        area("x", "wave", low="low", colour=3, read=False),
        lines("x", "both", colour=4, thin=True, label="both ways"),
        lines("x", "holes", label="rate {rate:.2e}", gaps=True, trail=3),
        points("x", "low", colour=5, label="points"),
        hline("mean", label="mean"),
        vline("shift", label="shift"),
        highest("x", "wave", colour=2),
        lowest("x", "wave", colour=2, format=".1e"),
        text(0, 1.6, "word"),
        ratio=2,
        xlabel="place",
    ),
    panel("In time", lines("t", "path", head=True, dash=True), log="y", free=True),
    panel("A walk", lines("walk", "path", colour=2)),
    panel("A map", lines("walk", "path", colour=3), equal=True),
    panel("Cells", heatmap("grid", "grid", "cells"), ylim=(1.2, -1.2)),
    panel("Bars", bars("few", "heights")),
]


@pytest.fixture(scope="module")
def widget() -> Explorable:
    return explorable(
        everything,
        rate=Slider(0.01, 1.0, count=16, log=True, default=0.0858, label="Rate", unit="per step"),
        shift=Slider(-1.5, 1.5, step=0.2, default=0.1, label="Shift"),
        kind=Choice(["sine", "cosine, or so"], label="Kind"),
        noisy=Toggle("Noisy"),
        time=Play(reveals="t", label="Time"),
        view=VIEW,
        readouts=[
            readout("big", "big", "units", ",.1f"),
            readout("path", "path", "", ".2e"),
            readout("word"),
            readout("mean", "mean", "", "+.2f"),
            readout("rate", "share", "", ".1%"),
        ],
        name="everything",
        alt=ALT,
    )


def page_of(widget: Explorable, views: int = 1) -> str:
    """A page with the widget as myst-nb embeds it, with the module inside the state."""
    state = widget.get_state()
    buffers = [
        {"path": ["table"], "encoding": "base64", "data": base64.b64encode(state.pop("table")).decode()}
    ]
    state = {key: value for key, value in state.items() if isinstance(value, str | dict) and key != "layout"}
    kind = "application/vnd.jupyter.widget"
    place = "".join(
        f'<div id="{"everything" if not i else f"again{i}"}" {"data-explorable" if not i else ""}><div>'
        f'<p>still</p><script type="{kind}-view+json">{{"model_id": "one"}}</script></div></div>'
        for i in range(views)
    )
    models = {"one": {"state": state, "buffers": buffers}, "two": {"state": {"_model_name": "LayoutModel"}}}
    body = json.dumps({"state": models}).replace("</", r"<\/")
    return (
        f'<!DOCTYPE html><html lang="en"><head><title>Marks</title><style>{widget._css}</style></head>'
        f'<body><main><h1>Marks</h1>{place}</main><script type="{kind}-state+json">{body}</script>'
        f"<script>{HOST.read_text(encoding='utf-8')}</script></body></html>"
    )


@pytest.fixture
def tab(browser: Browser, widget: Explorable, tmp_path: Path) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1600, "height": 900})
    page = context.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    (tmp_path / "marks.html").write_text(page_of(widget, views=2), encoding="utf-8")
    page.goto((tmp_path / "marks.html").as_uri())
    yield page
    assert trouble == []
    context.close()


def test_every_mark_draws_what_compute_says(tab: Page) -> None:
    rng = np.random.default_rng(1)
    live = Live(tab, "everything")
    last = [control["count"] - 1 for control in live.controls]
    start = live.stops()
    assert start == [control["start"] for control in live.controls] == [7, 8, 0, 0, 39]
    settings = [start, [0] * 5, last, [3, 0, 1, 1, 1]]
    settings += [[int(rng.integers(0, most + 1)) for most in last] for _ in range(8)]
    compared = 0
    for stops in settings:
        live.set(stops)
        compared += live.check(everything, stops, {"alt": ALT})
    assert compared > 3000


def test_every_control_changes_something(tab: Page) -> None:
    live = Live(tab, "everything")
    for index, control in enumerate(live.controls):
        before, stop = live.attributes(), live.stops()[index]
        other = stop + 1 if stop + 1 < control["count"] else stop - 1
        live.keys(index, other)
        assert live.attributes() != before, control["name"]
        live.keys(index, stop)
        assert live.attributes() == before, control["name"]


def test_two_views_of_one_widget_stay_in_step(tab: Page) -> None:
    live = Live(tab, "everything")
    tab.wait_for_selector("#again1 [data-ready]", state="attached")
    live.set([0, 0, 1, 1, 5])
    again = tab.locator("#again1")
    assert again.locator("input[type=range]").first.input_value() == "0"
    assert again.locator("input[type=checkbox]").is_checked()
    mine = live.root.locator(".mark path.line").first.get_attribute("d")
    assert again.locator(".mark path.line").first.get_attribute("d") == mine


def test_numbers_are_written_as_python_writes_them(tab: Page) -> None:
    live = Live(tab, "everything")
    words = live.root.locator(".numbers > span").all_inner_texts()
    result = everything(0.0858, 0.1, "sine", False)
    assert words[0] == f"big {result['big']:,.1f} units"
    assert words[1] == f"path {result['path'][-1]:.2e}".replace("e-0", "e−")
    assert words[2] == "smooth"
    assert words[3] == f"mean {result['mean']:+.2f}".replace("-", "−")
    assert words[4] == "share 8.6%"
    labels = live.root.locator(".label:not([visibility])").all_text_contents()
    assert "rate 8.58e−2" in labels


def test_the_keys_of_a_control_are_its_own(tab: Page) -> None:
    live = Live(tab, "everything")
    for control in live.root.locator("input").all():
        assert (
            control.get_attribute("data-lm-suppress-shortcuts") == "true"
        )  # else JupyterLab takes arrow keys
    slider = live.element(0).locator("input")
    assert slider.get_attribute("aria-valuetext") == "0.0858 per step"
    assert live.root.locator("label[for]").first.get_attribute("for") == slider.get_attribute("id")


@pytest.mark.parametrize("width", [1600, 390])
def test_a_figure_is_accessible(tab: Page, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 900})
    Live(tab, "everything")
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    result = Axe().run(tab, options={"runOnly": {"type": "tag", "values": rules}})
    assert [(v["id"], [n["target"] for n in v["nodes"]][:3]) for v in result.response["violations"]] == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_a_widget_that_fails_leaves_the_picture(browser: Browser, widget: Explorable, tmp_path: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    broken = page_of(widget).replace("DecompressionStream", "NoSuchStream")
    (tmp_path / "broken.html").write_text(broken, encoding="utf-8")
    page.goto((tmp_path / "broken.html").as_uri())
    page.wait_for_timeout(300)
    assert page.locator("text=still").is_visible()
    assert not page.locator("input").count()
    context.close()
