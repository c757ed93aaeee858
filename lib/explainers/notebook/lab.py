"""A lab: a figure that a generator of the notebook draws while it runs, with controls
for its settings.

In contrast to an explorable it needs a running kernel. The controls are ipywidgets.
"""

import asyncio
import html
import traceback
from collections.abc import Callable, Generator
from typing import Any

import ipywidgets
from IPython.display import display

from explainers.notebook import picture, show
from explainers.notebook.explore.controls import Choice, Control, Slider, Toggle
from explainers.notebook.explore.still import format_value
from explainers.notebook.words import tidy

LAB_MIME = "application/vnd.explainers.lab+json"

Steps = Generator[tuple[int, int, show.Drawing], None, None]
Run = Callable[..., Steps]


class Lab(ipywidgets.VBox):
    """Controls, buttons to run and stop, a progress bar and the figure; made by
    `lab`."""

    _ipython_display_ = None  # Colab's ipywidgets 7 would show no other form

    def __init__(self, run: Run, controls: dict[str, Control], caption: str) -> None:
        self._run = run
        self.caption = caption
        self._labels = [getattr(c, "label", "") or n for n, c in controls.items()]
        self._inputs = {name: _input(name, c) for name, c in controls.items()}
        self._task: asyncio.Task[None] | None = None
        self._stopped = False
        self.drawing: show.Drawing | None = None
        self._figure = ipywidgets.HTML()
        self._progress = ipywidgets.IntProgress(layout={"width": "16em"})
        self._message = ipywidgets.HTML()
        self._run_button = ipywidgets.Button(description="Run", button_style="primary")
        self._stop_button = ipywidgets.Button(description="Stop", disabled=True)
        self._run_button.on_click(lambda _: self._pressed())
        self._stop_button.on_click(lambda _: self.stop())
        buttons = ipywidgets.HBox([self._run_button, self._stop_button, self._progress])
        super().__init__([self._figure, *self._inputs.values(), buttons, self._message])

    def __repr__(self) -> str:
        return self.drawing.alt if self.drawing else "a lab"

    @property
    def settings(self) -> dict[str, Any]:
        """The present value of each control, by name."""
        return {name: widget.value for name, widget in self._inputs.items()}

    def train(self) -> None:
        """Run to the end with the present settings; the call returns when it is
        done."""
        for _ in self._steps():
            pass

    def stop(self) -> None:
        """Stop after the present step and keep the last figure."""
        self._stopped = True

    def _steps(self) -> Generator[None, None, None]:
        """Advance `run` one step at a time, and show the figure of each."""
        steps = self._run(**self.settings)
        self._message.value = ""
        try:
            for done, total, drawing in steps:
                self.drawing = drawing
                self._progress.max, self._progress.value = total, done
                svg = drawing.wide(fluid=True)
                title = picture.title_of(self.caption, drawing.alt)
                self._figure.value = picture.with_words(svg, title, drawing.alt)
                yield
        finally:
            steps.close()
        if self.drawing is None:
            raise ValueError(
                "run: expected a generator that yields, it yielded nothing"
            )

    def _pressed(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._in_background())

    async def _in_background(self) -> None:
        self._stopped, self._run_button.disabled, self._stop_button.disabled = (
            False,
            True,
            False,
        )
        try:
            steps = self._steps()
            for _ in steps:
                await asyncio.sleep(0.01)  # here the kernel hears Stop, and other cells
                if self._stopped:
                    steps.close()
                    self._message.value = (
                        f"Stopped at {self._progress.value} of {self._progress.max}."
                    )
                    break
        except (
            Exception
        ) as error:  # the reader's own settings: shown, and nothing is lost
            words = "".join(traceback.format_exception_only(error)).strip()
            self._message.value = f"<pre>{html.escape(words)}</pre>"
        finally:
            self._run_button.disabled, self._stop_button.disabled = False, True

    def _repr_mimebundle_(self, **_: Any) -> Any:
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        widget = {"text/plain": repr(self), show.VIEW_MIME: view}
        if self.drawing is None:
            return widget
        still = self.drawing.mime(self.caption)
        return show.widget_bundle(widget, still, LAB_MIME, {"controls": self._labels})


def lab(run: Run, *, caption: str = "", **controls: Control) -> None:
    """Run once with the default settings and display the figure, with controls to run
    it again.

    `run(**settings)` is a generator of ``(done, total, drawing)``: steps done, steps in
    all, and a `show.Drawing`. The figure is drawn at each yield, so yield a few dozen
    times. In a notebook the button Run starts it with the settings of the controls;
    other cells can be executed meanwhile. Stop closes the generator and keeps the last
    figure. An exception is shown below. The static page has the figure of the default
    settings, and a link to where it can be run. `caption` is Markdown.

    Raises `TypeError` for a control of the wrong type, `ValueError` if `run` yields
    nothing, and any exception that `run` raises with the default settings.
    """
    widget = Lab(run, controls, tidy(caption))
    widget.train()
    display(widget)
    show.show_caption(widget.caption)


def _input(name: str, control: Control) -> Any:
    label = getattr(control, "label", "") or name
    wide = {"style": {"description_width": "12em"}, "layout": {"width": "32em"}}
    if isinstance(control, Slider):
        spec = control.spec(name)
        options = [(format_value(v, spec["format"]), v) for v in control.stops]
        value = control.stops[control.start]
        return ipywidgets.SelectionSlider(
            options=options, value=value, description=label, continuous_update=False,
            **wide,
        )  # fmt: skip
    if isinstance(control, Choice):
        value = control.stops[control.start]
        # in one row with their label, as the sliders are
        narrow = {"description_width": "12em", "button_width": "auto"}
        buttons = ipywidgets.ToggleButtons(
            options=control.stops, value=value, description=label, style=narrow,
            layout={"width": "auto"},
        )  # fmt: skip
        return buttons.add_class("widget-inline-hbox")
    if isinstance(control, Toggle):
        return ipywidgets.Checkbox(value=control.default, description=label, **wide)
    raise TypeError(f"{name}: expected a Slider, Choice or Toggle, got {control!r}")
