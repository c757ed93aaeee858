"""A lab: training with the reader's own settings, in a live kernel.

What a table cannot hold is computed here when it is asked for. The widgets are plain
ipywidgets around a generator of the notebook, which any reader can follow.
"""

import asyncio
import html
import traceback
from collections.abc import Callable, Generator
from typing import Any

import ipywidgets
from IPython.display import display

from explainers.notebook import show
from explainers.notebook.explore.controls import Choice, Control, Slider, Toggle
from explainers.notebook.explore.still import spelled
from explainers.notebook.words import tidy

LAB_MIME = "application/vnd.explainers.lab+json"

Steps = Generator[tuple[int, int, show.Drawing], None, None]
Run = Callable[..., Steps]


class Lab(ipywidgets.VBox):
    """Controls, Run and Stop, a progress bar and the figure; made by `lab`."""

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
        self._bar = ipywidgets.IntProgress(layout={"width": "16em"})
        self._says = ipywidgets.HTML()
        self._go = ipywidgets.Button(description="Run", button_style="primary")
        self._end = ipywidgets.Button(description="Stop", disabled=True)
        self._go.on_click(lambda _: self._pressed())
        self._end.on_click(lambda _: self.stop())
        buttons = ipywidgets.HBox([self._go, self._end, self._bar])
        super().__init__([self._figure, *self._inputs.values(), buttons, self._says])

    def __repr__(self) -> str:
        return self.drawing.alt if self.drawing else "a lab"

    @property
    def settings(self) -> dict[str, Any]:
        """What the controls say now."""
        return {name: widget.value for name, widget in self._inputs.items()}

    def train(self) -> None:
        """Run to the end with the present settings, in the foreground."""
        for _ in self._steps():
            pass

    def stop(self) -> None:
        """Stop after the present step; the last figure stays."""
        self._stopped = True

    def _steps(self) -> Generator[None, None, None]:
        """One step of `run` after the other, each shown."""
        steps = self._run(**self.settings)
        self._says.value = ""
        try:
            for done, total, drawing in steps:
                self.drawing = drawing
                self._bar.max, self._bar.value = total, done
                self._figure.value = drawing.wide(fluid=True)
                yield
        finally:
            steps.close()
        if self.drawing is None:
            raise ValueError("run: it yielded nothing")

    def _pressed(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._in_background())

    async def _in_background(self) -> None:
        self._stopped, self._go.disabled, self._end.disabled = False, True, False
        try:
            steps = self._steps()
            for _ in steps:
                await asyncio.sleep(0.01)  # here the kernel hears Stop, and other cells
                if self._stopped:
                    steps.close()
                    self._says.value = (
                        f"Stopped at {self._bar.value} of {self._bar.max}."
                    )
                    break
        except (
            Exception
        ) as error:  # the reader's own settings: shown, and nothing is lost
            words = "".join(traceback.format_exception_only(error)).strip()
            self._says.value = f"<pre>{html.escape(words)}</pre>"
        finally:
            self._go.disabled, self._end.disabled = False, True

    def _repr_mimebundle_(self, **_: Any) -> Any:
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        widget = {"text/plain": repr(self), show.VIEW_MIME: view}
        if self.drawing is None:
            return widget
        drawn, ours = self.drawing.mime(self.caption), {"controls": self._labels}
        return show.with_widget(widget, drawn, LAB_MIME, ours)


def lab(run: Run, *, caption: str = "", **controls: Control) -> None:
    """Train once with the defaults, show the figure, and let the reader do it again.

    `run(**settings)` is a generator of ``(done, total, drawing)``, the drawing a
    `show.Drawing`; it is drawn at each yield, so yield a few dozen times. In a notebook
    Run starts it with the settings of the controls, in steps between which the kernel
    stays usable, Stop closes it and leaves the last figure, and an error is shown. On
    the static page the figure of the defaults stands, and a line says where to run it.

    Raises what `run` raises with the defaults, and `TypeError` or `ValueError` naming
    a control that is none, or `run` if it yields nothing.
    """
    made = Lab(run, controls, tidy(caption))
    made.train()
    display(made)
    show.show_caption(made.caption)


def _input(name: str, control: Control) -> Any:
    label = getattr(control, "label", "") or name
    wide = {"style": {"description_width": "12em"}, "layout": {"width": "32em"}}
    if isinstance(control, Slider):
        spec = control.spec(name)
        options = [(spelled(v, spec["format"]), v) for v in control.stops]
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
    raise TypeError(f"{name}: {control!r} is not a Slider, Choice or Toggle")
