"""Read the drawing of a live explorable, and compare it with the results of `compute`."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from playwright.sync_api import Page

from explainers.notebook.words import tidy

PX = 0.0051  # a drawing is rounded to two decimals of a pixel

READ = """(root) => [...root.querySelectorAll('.panel')].map(panel => ({
  x: panel.querySelector('svg').dataset.x, y: panel.querySelector('svg').dataset.y,
  marks: [...panel.querySelectorAll('.mark')].map(mark => [...mark.children].map(shape => ({
    tag: shape.tagName, class: shape.getAttribute('class'), d: shape.getAttribute('d'),
    opacity: shape.getAttribute('fill-opacity')}))),
  labels: [...panel.querySelectorAll('.label:not([hidden]):not([visibility])')].map(label => {
    const box = label.getBBox();
    return {words: label.textContent, x: box.x, y: box.y, w: box.width, h: box.height};
  }),
  width: panel.querySelector('svg').getBoundingClientRect().width,
}))"""


# with the LaTeX of its formulas between dollar signs
CAPTION = """(root) => {
  const caption = root.querySelector(".figure-caption").cloneNode(true);
  for (const formula of caption.querySelectorAll("math")) {
    formula.replaceWith(`$${formula.querySelector("annotation").textContent}$`);
  }
  return caption.textContent;
}"""


class Axis:
    """An axis of a drawing, which converts pixels to values."""

    def __init__(self, text: str) -> None:
        lo, hi, log, start, end = text.split(",")
        self.log = log == "true"
        self.lo, self.hi = (math.log(float(v)) if self.log else float(v) for v in (lo, hi))
        self.start, self.end = float(start), float(end)

    def coordinate(self, values: Any) -> Any:
        """The quantity that is linear in pixels: the value, or its logarithm."""
        return np.log(values) if self.log else np.asarray(values, dtype=float)

    def back(self, px: Any) -> Any:
        return self.lo + (np.asarray(px, dtype=float) - self.start) / (self.end - self.start) * (
            self.hi - self.lo
        )

    @property
    def rounding(self) -> float:
        return PX * abs((self.hi - self.lo) / (self.end - self.start))


class Live:
    """One explorable on an open page."""

    def __init__(self, tab: Page, name: str) -> None:
        self.tab = tab
        tab.wait_for_selector(f"#{name} [data-ready]", state="attached")
        self.root = tab.locator(f"#{name}")
        state = tab.eval_on_selector('script[type$="widget-state+json"]', "(script) => script.textContent")
        models = json.loads(state)["state"].values()
        self.model = next(m for m in models if m["state"].get("spec", {}).get("name") == name)
        self.spec = self.model["state"]["spec"]

    @property
    def controls(self) -> list[dict[str, Any]]:
        return self.spec["controls"]

    def element(self, index: int) -> Any:
        return self.root.locator(".control").nth(index)

    def read(self) -> list[dict[str, Any]]:
        """The marks and axes of all panels, read from the page."""
        return self.root.evaluate(READ)

    def attributes(self) -> list[Any]:
        """Every drawn attribute of the marks."""
        return [panel["marks"] for panel in self.read()]

    def stops(self) -> list[int]:
        """The present stop of each control."""
        positions = []
        for index, control in enumerate(self.controls):
            element = self.element(index)
            if control["kind"] == "choice":
                positions.append(int(element.locator("input:checked").get_attribute("value")))
            elif control["kind"] == "toggle":
                positions.append(int(element.locator("input").is_checked()))
            else:
                positions.append(int(element.locator("input").input_value()))
        return positions

    def keys(self, index: int, stop: int) -> None:
        """Move one control to a stop by keyboard alone."""
        control, element = self.controls[index], self.element(index)
        if control["kind"] == "toggle":
            box = element.locator("input")
            if box.is_checked() != bool(stop):
                box.press(" ")
        elif control["kind"] == "choice":
            at = self.stops()[index]
            for _ in range(abs(stop - at)):
                element.locator("input:checked").press("ArrowRight" if stop > at else "ArrowLeft")
        else:
            near_end = stop > control["count"] / 2
            slider = element.locator("input[type=range]")
            slider.press("End" if near_end else "Home")
            for _ in range(control["count"] - 1 - stop if near_end else stop):
                slider.press("ArrowLeft" if near_end else "ArrowRight")

    def set(self, stops: Sequence[int]) -> None:
        for index, stop in enumerate(stops):
            if self.stops()[index] != stop:
                self.keys(index, stop)
        assert self.stops() == list(stops)

    def setting(self, stops: Sequence[int]) -> dict[str, Any]:
        """The keywords of `compute` at these stops."""
        return {
            control["name"]: control["values"][stop]
            for control, stop in zip(self.controls, stops, strict=True)
            if control["values"] is not None
        }

    def check(
        self, compute: Callable[..., Mapping[str, Any]], stops: Sequence[int], keywords: Mapping[str, Any]
    ) -> int:
        """Assert that drawing, caption and description show the results of `compute`; return the number of
        compared values. `keywords` are those of `explore`."""
        result = {key: _plain(value) for key, value in compute(**self.setting(stops)).items()}
        check = Check(self, result, stops)
        check.sentence(keywords["alt"], self.root.locator(".unseen").text_content() or "")
        if keywords.get("caption"):
            check.sentence(keywords["caption"], self.root.evaluate(CAPTION))
        return check.all()


def _plain(value: Any) -> Any:
    if hasattr(value, "detach"):
        value = value.detach().numpy()
    return value if isinstance(value, str) else np.asarray(value)


class Check:
    """The comparison at one setting."""

    def __init__(self, live: Live, result: dict[str, Any], stops: Sequence[int]) -> None:
        self.live, self.result, self.stops = live, result, stops
        self.arrays = live.spec["arrays"]
        self.revealed = next(
            (
                (live.spec["controls"][i]["count"], stop + 1)
                for i, stop in enumerate(stops)
                if live.spec["controls"][i].get("reveals")
            ),
            None,
        )

    def all(self) -> int:
        compared = 0
        for spec, drawn in zip(self.live.spec["panels"], self.live.read(), strict=True):
            x, y = Axis(drawn["x"]), Axis(drawn["y"])
            for mark, shapes in zip(spec["marks"], drawn["marks"], strict=True):
                compared += self.mark(mark, shapes, x, y)
            self.labels(drawn)
        return compared + self.readouts()

    def value(self, name: Any) -> Any:
        if not isinstance(name, str):
            return np.asarray(float(name))
        if name in self.result:
            value = self.result[name]
            if self.revealed and not isinstance(value, str) and value.shape[-1:] == (self.revealed[0],):
                value = value[..., : self.revealed[1]]
            return value
        index = next(i for i, c in enumerate(self.live.controls) if c["name"] == name)
        control = self.live.controls[index]
        if control["values"] is None:
            return self.result[control["reveals"]][self.stops[index]]
        return np.asarray(control["values"][self.stops[index]])

    def slack(self, name: Any, axis: Axis) -> float:
        """The allowed difference: the error of the table, and the rounding of the drawing."""
        array = self.arrays.get(name) if isinstance(name, str) else None
        step = array.get("step", 0.0) if array and array["code"] == "u16" else 0.0
        single = 0.0
        if array and array["code"] == "f32":
            single = 2e-7 * max(1.0, abs(float(np.max(np.abs(axis.coordinate(self.value(name)))))))
        return 0.5 * step * (1 + 1e-9) + single + axis.rounding

    def near(self, drawn: Any, name: Any, axis: Axis, what: str) -> int:
        expected = axis.coordinate(self.value(name))
        assert np.shape(drawn) == np.shape(expected), what
        miss = np.abs(axis.back(drawn) - expected)
        assert np.nanmax(miss, initial=0.0) <= self.slack(name, axis), (what, float(np.nanmax(miss)))
        return int(np.size(drawn))

    def mark(self, mark: dict[str, Any], shapes: list[dict[str, Any]], x: Axis, y: Axis) -> int:
        kind = mark["kind"]
        what = f"{self.live.spec['name']} {self.stops} {kind} {mark.get('y', '')}"
        if kind == "heatmap":
            shades = np.array([float(shape["opacity"]) for shape in shapes])
            cells = np.nan_to_num(self.value(mark["z"]).ravel())
            slack = 0.5 * self.arrays[mark["z"]]["step"] / mark["top"] + 1e-4
            assert np.abs(shades - np.abs(cells) / mark["top"]).max() <= slack, what
            below = np.array(["below" in shape["class"] for shape in shapes])
            sure = np.abs(cells) > slack * mark["top"]
            assert np.array_equal(below[sure], (cells < 0)[sure]), what
            return cells.size
        if kind == "text":
            return 0  # its place is a label's, its words are read with the labels
        if kind in ("hline", "vline"):
            across, down = _numbers(shapes[0]["d"])[:2]
            axis, place = (y, down) if kind == "hline" else (x, across)
            return self.near(place, mark["at"], axis, what)
        if kind == "extreme":
            ys = self.value(mark["y"])
            drawn = y.back(_numbers(shapes[0]["d"])[1])
            best = ys.min() if mark["lowest"] else ys.max()
            assert abs(drawn - y.coordinate(best)) <= 2 * self.slack(mark["y"], y), what
            return 1
        if kind == "bars":
            rows = np.array([_numbers(bar) for bar in re.findall(r"M[^M]*", shapes[0]["d"])])
            # a bar's middle is the sum of two rounded numbers
            middle = x.back(rows[:, 0] + rows[:, 3] / 2) - x.coordinate(self.value(mark["x"]))
            assert np.abs(middle).max() <= 2 * self.slack(mark["x"], x), what
            return self.near(rows[:, 2], mark["y"], y, what)
        main = next(s for s in shapes if s["class"] in ("line", "edge") or (kind == "points"))
        xs, ys = self.value(mark["x"]), np.atleast_2d(self.value(mark["y"]))
        there = ~np.isnan(ys)
        pairs = np.reshape(
            re.findall(r"(?:M|L)(-?[\d.]+(?:e-?\d+)?) (-?[\d.]+(?:e-?\d+)?)", main["d"]), (-1, 2)
        ).astype(float)
        assert len(pairs) == there.sum(), what
        grid = np.broadcast_to(xs, ys.shape)[there]
        aside = np.abs(x.back(pairs[:, 0]) - x.coordinate(grid)).max(initial=0)
        assert aside <= self.slack(mark["x"], x), what
        miss = np.abs(y.back(pairs[:, 1]) - y.coordinate(ys[there])).max(initial=0)
        assert miss <= self.slack(mark["y"], y), (what, miss)
        return int(there.sum())

    def last(self, name: str) -> Any:
        """A number or a string: of what a control reveals the last entry."""
        value = self.value(name)
        return value if isinstance(value, str) or np.ndim(value) == 0 else value[-1]

    def sentence(self, template: str, shown: str) -> None:
        """Assert that `shown` is the template with the results in it."""
        pattern, numbers = "", []
        for index, part in enumerate(re.split(r"(\$[^$]*\$)", template)):
            if index % 2:  # a formula, whose braces are its own
                pattern += re.escape(_bare(part))
                continue
            pieces = re.split(r"\{(\w+)(?::([^}]+))?\}", part)
            pattern += re.escape(_bare(pieces[0]))
            for name, format, text in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
                value = self.last(name)
                if isinstance(value, str) or value.dtype.kind == "U":
                    pattern += re.escape(_bare(str(value)))
                else:
                    pattern += r"(\S+?)"
                    numbers.append((value, format or "g"))
                pattern += re.escape(_bare(text))
        shown = _spaced(shown.replace("’", "'").replace("“", '"').replace("”", '"'))
        found = re.fullmatch(_spaced(pattern.replace(r"\ ", " ")), shown)
        assert found, (self.live.spec["name"], self.stops, pattern, shown)
        for words, (value, format) in zip(found.groups(), numbers, strict=True):
            assert _says(words, float(value), format), (words, value, shown)

    def readouts(self) -> int:
        spec = self.live.spec["readouts"]
        drawn = self.live.root.locator(".numbers b").all_inner_texts()
        for readout, words in zip(spec, drawn, strict=True):
            value = self.last(readout["name"])
            if isinstance(value, str) or value.dtype.kind in "Ub":
                assert words == ({"True": "yes", "False": "no"}.get(str(value), str(value)))
                continue
            assert _says(words, float(value), readout["format"]), (readout, words, value)
        return len(spec)

    @staticmethod
    def labels(drawn: dict[str, Any]) -> None:
        """Assert that labels do not overlap and lie inside their panels."""
        for i, one in enumerate(drawn["labels"]):
            assert one["x"] >= -1, one
            assert one["x"] + one["w"] <= drawn["width"] + 1, one
            for other in drawn["labels"][i + 1 :]:
                wide = min(one["x"] + one["w"], other["x"] + other["w"]) - max(one["x"], other["x"])
                tall = min(one["y"] + one["h"], other["y"] + other["h"]) - max(one["y"], other["y"])
                assert wide <= 0.5 or tall <= 0.5, (one, other)


def _says(words: str, value: float, format: str) -> bool:
    """Whether `words` are the number in this format, but for the error of the table."""
    digits = re.search(r"\.(\d+)([fge%])", format)
    unit = 0.01 * abs(value) + 1e-12
    if digits and digits[2] in "f%":
        unit = 10.0 ** -(int(digits[1]) + 2 * (digits[2] == "%"))
    elif digits and value:
        figures = max(int(digits[1]), 1) if digits[2] == "g" else int(digits[1]) + 1
        unit = 10.0 ** (math.floor(math.log10(abs(value))) + 1 - figures)
    number = float(words.replace("−", "-").replace(",", "").rstrip("%"))
    number = number / 100 if words.endswith("%") else number
    return abs(number - value) <= 0.51 * unit + 2e-7 * abs(value)


def _bare(markdown: str) -> str:
    """The text of some Markdown, as a page shows it."""
    return tidy(re.sub(r"</?span[^>]*>|\*\*", "", markdown))


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _numbers(d: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?[\d.]+(?:e-?\d+)?", d)]
