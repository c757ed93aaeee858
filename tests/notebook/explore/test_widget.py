"""The calls `explore` and `explorable`: their errors, the MIME bundle of the widget, and the progress
line."""

import json
import time
from typing import Any

import pytest

from explainers.notebook import show
from explainers.notebook.explore import Explorable, Play, explore, hline, lines, panel, readout, widget
from tests.notebook.explore.parabola import SIZE, made, parabola


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
