"""`explore` and `explorable`, which make a figure with controls as an anywidget."""

import gzip
import json
import math
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from IPython.display import display

from explainers.notebook import show
from explainers.notebook.explore import layout
from explainers.notebook.explore.controls import Control, Play
from explainers.notebook.explore.marks import Mark, Panel, Readout, panel
from explainers.notebook.explore.sentences import Results, check_sentences
from explainers.notebook.explore.still import Still
from explainers.notebook.explore.table import (
    MAX_BYTES,
    Column,
    check_gaps,
    pack,
    tabulate,
)
from explainers.notebook.words import fill, places, tidy

EXPLORABLE_MIME = "application/vnd.explainers.explorable+json"
_HERE = Path(__file__).parent
_SLOW = 2.0  # seconds before a progress line appears


class Explorable(anywidget.AnyWidget):
    """A figure with controls, drawn in the browser; made by `explorable`.

    `value` is the present setting, {control: value}, or a position for a control with
    `reveals`. Assigning to it moves the controls.
    """

    _ipython_display_ = None  # Colab's ipywidgets 7 would show no other form
    _esm = (_HERE / "explorable.js").read_text(encoding="utf-8")
    _css = (_HERE / "explorable.css").read_text(encoding="utf-8")
    spec = traitlets.Dict().tag(sync=True)
    table = traitlets.Bytes().tag(sync=True)
    value = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        spec: dict[str, Any],
        table: bytes,
        still: show.Drawing,
        caption: str,
        results: Results,
    ) -> None:
        self.still, self.template, self._results = still, caption, results
        value = {
            c["name"]: c["start"] if c["values"] is None else c["values"][c["start"]]
            for c in spec["controls"]
        }
        super().__init__(spec=spec, table=table, value=value)

    @property
    def nbytes(self) -> int:
        """The compressed size of the table and of the data for drawing, in bytes."""
        return len(self.table) + len(gzip.compress(json.dumps(self.spec).encode(), 9))

    @property
    def caption(self) -> str:
        """The caption in Markdown at the present setting. Each result in it stands in
        an element `span` that names it."""
        at = [
            value if control["values"] is None else control["values"].index(value)
            for control in self.spec["controls"]
            for value in [self.value[control["name"]]]
        ]
        return fill(
            self.template,
            lambda name, format: (
                f"<span data-says='{name}' data-format='{format}'>"
                f"{self._results.text(name, format, at)}</span>"
            ),
        )

    @property
    def sentences(self) -> dict[str, list[str]]:
        """All values of each result in the caption that is a string."""
        arrays = self.spec["arrays"]
        return {
            name: [tidy(words) for words in arrays[name]["words"]]
            for name, _ in places(self.template)
            if arrays.get(name, {}).get("code") == "words"
        }

    def __repr__(self) -> str:
        return self.still.alt

    def _repr_mimebundle_(
        self, **keywords: Any
    ) -> tuple[dict[str, Any], dict[str, Any]] | None:
        still = self.still.mime(self.caption)
        extra = {
            "name": self.spec["name"],
            "heights": heights(self.spec),
            "sentences": self.sentences,
        }
        # the model's random id is metadata: the data are the same at every execution
        return show.widget_bundle(
            super()._repr_mimebundle_(**keywords), still, EXPLORABLE_MIME, extra,
            {"model": self.model_id},
        )  # fmt: skip


def explore(compute: Callable[..., Mapping[str, Any]], **keywords: Any) -> None:
    """Display a figure with controls and its caption.

    The keywords are those of `explorable`, which also says what is raised.
    """
    bar = _Progress()
    widget = explorable(compute, progress=bar, **keywords)
    bar.show(widget)
    if not places(widget.template):
        show.show_caption(widget.caption)
        return
    handle = show.show_caption(widget.caption, display_id=True)
    widget.observe(
        lambda _: handle.update(show.caption_output(widget.caption)), "value"
    )


def explorable(
    compute: Callable[..., Mapping[str, Any]],
    *,
    view: Mark | Panel | Sequence[Mark | Panel],
    alt: str,
    caption: str = "",
    predict: str = "",
    readouts: Sequence[Readout] = (),
    vectorized: bool = False,
    share_y: bool = False,
    name: str = "",
    width: int = 896,
    height: int = 280,
    phone_height: int = 220,
    progress: Callable[[int, int], None] = lambda done, total: None,
    **controls: Control,
) -> Explorable:
    """A figure with controls, as a widget; `explore` displays it with its caption.

    `compute(**setting)` takes one value for each control, and returns a dict of arrays,
    numbers and strings. It is called now, for every setting; with `vectorized=True`
    once for all settings, see `tabulate`. `view` is a panel or a list of panels from
    left to right; a mark alone is a panel of its own. `alt` describes the figure for
    those who do not see it. `caption` is Markdown, its first sentence bold. Both may
    contain results and values of controls in braces, ``{verdict}`` or ``{kl:.3f}``,
    which follow the controls; a result that is a string is a part of a sentence, in a
    caption in Markdown with formulas.
    `predict` is a question above the controls, to be answered before they are moved.
    `name` is the anchor of the figure and the key of a setting in links, by default
    from the names of the controls. `share_y=True` gives all panels the same y limits.
    In pixels, `width` is the total width, and `height` and `phone_height` are the
    height of one plotting area. `progress(done, total)` is called after each setting.

    Raises `ValueError` or `TypeError` that begins with the argument or the mark: for a
    name that is neither a result nor a control, for shapes that change with the setting
    or do not fit the mark, for NaN without `gaps=True`, for infinity, and for a table
    of more than 150 kB.
    """
    if not alt.strip():
        raise ValueError("alt: expected a description of the figure, got none")
    if predict and not predict.endswith("?"):
        raise ValueError(f"predict: expected a question, got {predict!r}")
    if not controls:
        raise ValueError(
            "controls: expected at least one, got none; show.figure needs none"
        )
    for key, control in controls.items():
        if not isinstance(control, Control):
            raise TypeError(
                f"{key}: expected a Slider, Choice, Toggle or Play, got {control!r}"
            )
    if sum(bool(getattr(c, "reveals", "")) for c in controls.values()) > 1:
        raise ValueError("reveals: expected at most one control with it, got several")
    panels = [
        p if isinstance(p, Panel) else panel("", p)
        for p in ([view] if isinstance(view, Mark | Panel) else view)
    ]
    if not panels:
        raise ValueError("view: expected at least one mark or panel, got none")
    texts = {"caption": tidy(caption), "alt": tidy(alt)}
    columns = _columns(compute, panels, readouts, texts, controls, vectorized, progress)
    stops = {key: control.stops or [0] for key, control in controls.items()}
    shown = layout.num_revealed(controls, columns)
    for mark in (mark for p in panels for mark in p.marks):
        layout.check_shapes(mark, columns)
        for key, field in mark.names.items():
            if field in columns and not mark.options.get("gaps"):
                check_gaps(
                    field, columns[field], stops, f"{mark.kind}({key}={field!r})"
                )
    for readout in readouts:
        if readout.name in columns:
            check_gaps(
                readout.name, columns[readout.name], stops, f"readout({readout.name!r})"
            )
    for argument, text in texts.items():
        check_sentences(argument, text, columns, shown)
        for key, _ in places(text):
            if key in columns:
                check_gaps(key, columns[key], stops, f"{argument}: {{{key}}}")
    if share_y:
        ends = [layout.Limits(p, columns, stops).y() for p in panels]
        shared = (min(e[0] for e in ends), max(e[1] for e in ends))
        panels = [replace(p, ylim=shared) for p in panels]
    drawn = [layout.panel_spec(p, columns, stops, i) for i, p in enumerate(panels)]
    logarithmic = {
        str(mark.fields[axis])
        for p in panels
        for mark in p.marks
        for axis in p.log
        if axis in mark.names and mark.fields[axis] in columns
    }
    packed = pack(columns, logarithmic)
    spec = {
        "name": name or "-".join(controls),
        "alt": texts["alt"],
        "predict": predict,
        "width": width,
        "height": height,
        "phone": phone_height,
        "controls": [
            _control(control.spec(key), shown) for key, control in controls.items()
        ],
        "panels": drawn,
        "readouts": [vars(readout) for readout in readouts],
        "arrays": packed.arrays,
    }
    results = Results(columns, controls, shown)
    widget = Explorable(
        spec, packed.table, _still(spec, results), texts["caption"], results
    )
    if widget.nbytes > MAX_BYTES:
        raise ValueError(_too_large(widget.nbytes, packed.sizes, columns, stops))
    return widget


def heights(spec: dict[str, Any]) -> dict[str, int]:
    """The height in pixels in four layouts: "wide", "middle", a narrower column,
    "phone" and "small", a phone of 320 pixels.

    The page reserves this height, so that nothing moves when the widget replaces the
    still picture, and who comes back is where they were. It is the sum of the panels
    with titles and ticks, the lines of readouts, the question, and the controls in as
    many rows as they need.
    """
    widths = [_width(control) for control in spec["controls"]]
    # a title above, ticks below
    frames = [
        (36 if panel["title"] else 12)
        + (28 if panel["x"]["ticks"] or panel["x"]["label"] else 4)
        for panel in spec["panels"]
    ]
    side_by_side = max(frames) + spec["height"]
    stacked = sum(frame + spec["phone"] + 8 for frame in frames) - 8

    def question(room: int) -> int:
        # a line of the prediction holds a sign in about 7 pixels
        asked = spec["predict"]
        return 12 + 21 * math.ceil(7 * len(asked) / room) if asked else 0

    def beside(room: int) -> int:
        rows = _lines(widths, 40, room)
        readouts = 30 if spec["readouts"] else 27
        return side_by_side + readouts + 14 + question(room) + 65 * rows - 12

    def below(room: int) -> int:
        # a number is taken for five signs; what the pointer reads has its own line
        readouts = [6.5 * (len(each["label"]) + 6) for each in spec["readouts"]]
        controls = sum(
            21
            + 32 * _lines([6.6 * len(words) for words in control["values"]], 18, room)
            if control["kind"] == "choice"
            else 53
            for control in spec["controls"]
        )
        return (
            stacked + 20 + 21 * (_lines(readouts, 24, room) + 1) + question(room)
            + controls + 8 * (len(widths) - 1)
        )  # fmt: skip

    wide = spec["width"]
    return {
        "wide": beside(wide),
        "middle": beside(min(608, wide)),
        "phone": below(354),
        "small": below(284),
    }


def _lines(widths: Sequence[float], gap: float, room: float) -> int:
    """The number of lines that boxes side by side fill, as many in each as fit."""
    lines, left = 0, 0.0
    for width in widths:
        if lines == 0 or left < gap + width:
            lines, left = lines + 1, room - width
        else:
            left -= gap + width
    return lines


def _width(control: dict[str, Any]) -> int:
    """The minimal width of a control in pixels, as in the stylesheet."""
    if control["kind"] == "choice":
        return sum(8 * len(words) + 18 for words in control["values"])
    return {"slider": 220, "play": 320, "toggle": 40 + 8 * len(control["label"])}[
        control["kind"]
    ]


def _columns(
    compute: Callable[..., Mapping[str, Any]],
    panels: Sequence[Panel],
    readouts: Sequence[Readout],
    texts: Mapping[str, str],
    controls: Mapping[str, Control],
    vectorized: bool,
    progress: Callable[[int, int], None],
) -> dict[str, Column]:
    requested = layout.requested_names(panels, readouts, texts)
    for key, control in controls.items():
        if isinstance(control, Play) and control.reveals:
            requested.setdefault(control.reveals, f"{key}: reveals")
    grid = {
        key: control.stops
        for key, control in controls.items()
        if not getattr(control, "reveals", "")
    }
    columns = tabulate(
        compute, grid, requested, controls=set(controls), vectorized=vectorized,
        progress=progress,
    )  # fmt: skip
    place = [list(controls).index(key) for key in grid]
    return {
        key: Column(column.values, tuple(place[c] for c in column.over))
        for key, column in columns.items()
    }


def _control(spec: dict[str, Any], shown: int) -> dict[str, Any]:
    """The data of a control for the front end, with its `shown` positions if it has
    `reveals`."""
    if spec["values"] is None:
        if not -shown <= spec["start"] < shown:
            raise ValueError(
                f"default: expected a position among {shown}, got {spec['start']}"
            )
        spec |= {"count": shown, "start": spec["start"] % shown}
    return spec


def _still(spec: dict[str, Any], results: Results) -> show.Drawing:
    start = [c["start"] for c in spec["controls"]]

    def earlier(name: str, along: int | None, steps: int) -> Any:
        if along is None or start[along] < steps:
            return None
        return results.get(
            name, [s - steps * (i == along) for i, s in enumerate(start)]
        )

    return show.Drawing(
        *Still(spec, lambda name: results.get(name, start), earlier).panels(),
        alt=fill(spec["alt"], lambda name, format: results.text(name, format, start)),
        ratios=[p["ratio"] for p in spec["panels"]],
        width=spec["width"],
        height=spec["height"],
        phone_height=spec["phone"],
    )


def _too_large(
    total: int,
    sizes: Mapping[str, int],
    columns: Mapping[str, Column],
    stops: Mapping[str, Sequence[Any]],
) -> str:
    names, lines = list(stops), []
    for key, size in sorted(sizes.items(), key=lambda item: -item[1])[:3]:
        column = columns[key]
        over = " × ".join(f"{names[c]} {len(stops[names[c]])}" for c in column.over)
        lines.append(
            f"{key!r} takes {size / 1000:.0f} kB "
            f"({over or 'one setting'}, shape {column.shape})"
        )
    return (
        f"compute: its table is {total / 1000:.0f} kB where {MAX_BYTES / 1000:.0f} are "
        f"allowed; {'; '.join(lines)}. Use fewer stops in these controls or fewer "
        "entries in these arrays"
    )


class _Progress:
    """A line of progress that appears if a grid takes more than two seconds, and that
    the figure replaces.

    It is shown in interactive sessions only: in a build the output would depend on the
    speed of the machine.
    """

    def __init__(self) -> None:
        # a Jupyter server names the session, VS Code itself; Colab is a module
        names = ("JPY_SESSION_NAME", "VSCODE_PID")
        self.watched = any(map(os.environ.get, names)) or "google.colab" in sys.modules
        self.started = self.said = time.monotonic()
        self.handle: Any = None

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self.watched and now - self.started > _SLOW and now - self.said > 0.5:
            self.said = now
            full = round(30 * done / total)
            words = (
                f"computing {'█' * full}{'░' * (30 - full)} {done} of {total} settings"
            )
            if self.handle is None:
                self.handle = display({"text/plain": words}, raw=True, display_id=True)
            else:
                self.handle.update({"text/plain": words}, raw=True)

    def show(self, widget: Explorable) -> None:
        if self.handle is None:
            display(widget)
        else:
            self.handle.update(widget)
