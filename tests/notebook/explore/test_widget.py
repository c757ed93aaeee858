"""The calls `explore` and `explorable`: their errors, the MIME bundle of the widget, and the progress
line."""

import json
import re
import time
from typing import Any

import numpy as np
import pytest

from explainers.notebook import show
from explainers.notebook.explore import (
    Explorable,
    Play,
    Slider,
    explore,
    hline,
    lines,
    panel,
    readout,
    widget,
)
from tests.notebook.explore.parabola import SIZE, made, parabola


def wordy(size: int) -> dict[str, Any]:
    word = "$x^2$ is **small**" if size < 9 else "it grows to -1"
    hole = float("nan") if size == 20 else 1.0
    return parabola(size) | {"word": word, "each": f"number {size}", "hole": hole}


@pytest.mark.parametrize(
    ("keywords", "error", "names"),
    [
        ({"alt": " "}, ValueError, "alt"),
        ({"controls": {}}, ValueError, "controls"),
        ({"controls": {"size": 3}}, TypeError, "size'?: .*3"),
        ({"view": []}, ValueError, "view"),
        ({"view": lines("x", "z")}, ValueError, "compute returns no 'z', and there is no such control"),
        ({"view": lines("x", "top")}, ValueError, "the last axis of y to be as long as x"),
        ({"view": hline("y")}, ValueError, "at to be one number or a string"),
        ({"view": lines("x", "y", label="{gone}")}, ValueError, "label='{gone}'"),
        ({"view": panel("", lines("x", "y"), log="y")}, ValueError, "log"),
        ({"readouts": [readout("gone")]}, ValueError, r"readout\('gone'\)"),
        ({"caption": "{gone}"}, ValueError, r"caption: \{gone\}: compute returns no 'gone'"),
        ({"alt": "{gone}"}, ValueError, r"alt: \{gone\}: compute returns no 'gone'"),
        (
            {"caption": "{y}"},
            ValueError,
            r"caption: \{y\} has shape \(30,\), expected one number or a string",
        ),
        ({"caption": "{top:x}"}, ValueError, r"caption: \{top\}: 'x' is not one of"),
        ({"compute": wordy, "caption": "{word:.2f}"}, ValueError, r"caption: \{word\} .* no format"),
        (
            {"compute": wordy, "caption": "{each}", "controls": {"size": Slider(1, 30)}},
            ValueError,
            r"caption: \{each\} is one of 30 strings",
        ),
        ({"compute": wordy, "caption": "{hole}"}, ValueError, "'hole' is NaN at size=20"),
        ({"predict": "Drag it."}, ValueError, "predict: expected a question"),
        ({"controls": {"a": Play(reveals="x"), "b": Play(reveals="y"), "size": SIZE}}, ValueError, "reveals"),
        ({"controls": {"t": Play(reveals="top"), "size": SIZE}}, ValueError, "t: reveals='top' has shape"),
    ],
)
def test_a_careless_call_is_refused(keywords: dict[str, Any], error: type[Exception], names: str) -> None:
    with pytest.raises(error, match=names):
        made(**keywords)


def test_a_notebook_gets_the_widget_and_a_picture() -> None:
    widget = made(caption="**Bold.** Text.")
    bundle = widget._repr_mimebundle_()
    assert bundle is not None
    data, metadata = bundle
    assert data["text/plain"] == "A parabola."
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert data["image/svg+xml"].startswith('<svg role="img" aria-label="A parabola." ')
    assert "<title>Bold.</title>" in data["image/svg+xml"]
    assert "text/html" not in data, "a front end might show the picture in the widget's place"
    shown = data["application/vnd.explainers.explorable+json"]
    assert {"wide", "phone", "alt", "caption", "name", "heights"} <= set(shown)
    assert widget.model_id not in json.dumps(shown), "a random id would change the output at every execution"
    assert metadata["application/vnd.explainers.explorable+json"] == {"model": widget.model_id}


SENTENCE = "**At {top:.1f}, {word}.** With $a_{n}$, {size} of 20."


def test_a_caption_says_what_the_figure_shows_at_its_setting() -> None:
    widget = made(wordy, caption=SENTENCE, alt="A parabola, {top:.1f} high.")
    assert re.sub("<[^>]*>", "", widget.caption) == ("**At 3.0, $x^2$ is **small**.** With $a_{n}$, 3 of 20.")
    assert "<span data-says='word' data-format=''>$x^2$ is **small**</span>" in widget.caption
    widget.value = {"size": 12}
    assert re.sub("<[^>]*>", "", widget.caption) == "**At 12.0, it grows to −1.** With $a_{n}$, 12 of 20."
    assert repr(widget) == "A parabola, 3.0 high.", "pictures and text show the default setting"


def test_the_page_gets_every_sentence_once() -> None:
    def compute(size: int) -> dict[str, Any]:
        return wordy(min(size, 19))

    widget = made(compute, controls={"size": Slider(1, 24)}, caption=SENTENCE)
    assert widget.sentences == {"word": ["$x^2$ is **small**", "it grows to −1"]}
    bundle = widget._repr_mimebundle_()
    assert bundle is not None
    assert bundle[0]["application/vnd.explainers.explorable+json"]["sentences"] == widget.sentences


def test_a_caption_says_the_last_value_that_is_revealed() -> None:
    def compute(size: int) -> dict[str, Any]:
        t = np.arange(30)
        return {"t": t, "path": size * t, "side": np.where(t < 5, "near", "far")}

    widget = made(
        compute, controls={"size": SIZE, "time": Play(reveals="t")}, view=lines("t", "path"),
        caption="{side} at {time}: {path}", alt="{path}",
    )  # fmt: skip
    assert re.sub("<[^>]*>", "", widget.caption) == "far at 29: 87"
    widget.value = {"size": 2, "time": 4}
    assert re.sub("<[^>]*>", "", widget.caption) == "near at 4: 8"


def test_in_a_running_notebook_the_caption_follows_the_controls(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    updates: list[str] = []

    class Handle:
        def update(self, what: Any) -> None:
            updates.append(what.data["text/markdown"])

    def display(what: Any, **keywords: Any) -> Handle | None:
        shown.append(what)
        return Handle() if keywords.get("display_id") else None

    monkeypatch.setattr(widget, "display", display)
    monkeypatch.setattr(show, "display", display)
    explore(wordy, size=SIZE, view=lines("x", "y"), alt="A parabola.", caption="Now {word}.")
    assert shown[1].data["text/markdown"] == "Now $x^2$ is **small**."
    shown[0].value = {"size": 15}
    assert updates == ["Now it grows to −1."]


def test_a_question_stands_above_the_controls_and_has_its_room() -> None:
    plain, asked = made(), made(predict="Where is it 1?")
    assert asked.spec["predict"] == "Where is it 1?"
    for size, height in widget.heights(plain.spec).items():
        assert widget.heights(asked.spec)[size] == height + 33


def test_explore_displays_the_widget_and_then_its_caption(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr(widget, "display", shown.append)
    monkeypatch.setattr(show, "display", lambda bundle: shown.append(bundle.data))
    explore(parabola, size=SIZE, view=lines("x", "y"), alt="A parabola.", caption="**Bold.** 1 - -2")
    assert isinstance(shown[0], Explorable)
    assert shown[1]["text/markdown"] == "**Bold.** 1 - −2"


def test_a_slow_grid_shows_its_progress_and_gives_its_place_to_the_figure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    updates: list[Any] = []

    class Handle:
        def update(self, what: Any, raw: bool = False) -> None:
            updates.append(what)

    def display(what: Any, **_: Any) -> Handle:
        updates.append(what)
        return Handle()

    monkeypatch.setenv("JPY_SESSION_NAME", "somebody watches")
    clock = iter(range(10_000))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(widget, "display", display)
    explore(parabola, size=SIZE, view=lines("x", "y"), alt="A parabola.")
    assert "of 20 settings" in updates[0]["text/plain"]
    assert isinstance(updates[-1], Explorable)
