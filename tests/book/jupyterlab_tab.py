"""JupyterLab and a notebook in the tab of a browser, operated by mouse and keyboard."""

import json
import re
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

SLOWEST = 60_000  # milliseconds that two busy cores may need for what takes a few seconds

OPEN = """async (path) => {
    const panel = await jupyterapp.commands.execute("docmanager:open", { path });
    await panel.sessionContext.ready;
}"""

# A kernel for a notebook that is still closed, up and answering
KERNEL = """async (path) => {
    const settings = { path, name: path, type: "notebook" }, kernel = { name: "python3" };
    const session = await jupyterapp.serviceManager.sessions.startNew({ ...settings, kernel });
    await session.kernel.info;
}"""

# One more cell at the end of the notebook, run to its end, and its outputs
RUN = """async (source) => {
    const { content } = jupyterapp.shell.currentWidget, { sharedModel } = content.model;
    sharedModel.insertCell(sharedModel.cells.length, { cell_type: "code", source });
    content.activeCellIndex = sharedModel.cells.length - 1;
    await jupyterapp.commands.execute("notebook:run-cell");
    return sharedModel.cells.at(-1).toJSON().outputs;
}"""

# A cell that is there, run to its end, and its outputs
RUN_CELL = """async (number) => {
    const { content } = jupyterapp.shell.currentWidget;
    content.activeCellIndex = number;
    await jupyterapp.commands.execute("notebook:run-cell");
    return content.model.sharedModel.cells[number].toJSON().outputs;
}"""


def until(true: Callable[[], Any], what: str, seconds: float = SLOWEST / 1000) -> None:
    """Wait until a condition is true that Playwright cannot wait for."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


class Lab:
    """JupyterLab in a browser, with its requests and the errors that it logged."""

    def __init__(self, tab: Page, address: str, folder: Path) -> None:
        self.tab, self.address, self.folder = tab, address, folder
        self.asked: list[str] = []
        self.trouble: list[str] = []
        tab.on("request", lambda request: self.asked.append(request.url))
        tab.on("websocket", lambda socket: self.asked.append(socket.url))
        tab.on("console", lambda m: self.trouble.append(m.text) if m.type == "error" else None)
        tab.on("pageerror", lambda error: self.trouble.append(str(error)))
        tab.goto(f"{address}/lab")
        tab.wait_for_function("window.jupyterapp?.shell?.currentWidget", timeout=SLOWEST)


class Notebook:
    """An open notebook in JupyterLab with its own kernel."""

    def __init__(self, jupyterlab: Lab, folder: str) -> None:
        self.jupyterlab, self.tab, self.folder = jupyterlab, jupyterlab.tab, jupyterlab.folder / folder
        self.path = f"{folder}/notebook.ipynb"
        self.panel = panel = self.tab.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        self.explorables = panel.locator(".jp-OutputArea-output .explorable-live")
        self.slider = self.explorables.locator("input[type=range]")
        self.shown = self.explorables.locator("output")  # the slider's value
        self.lab = panel.locator(".jp-OutputArea-output .widget-vbox")
        self.figure = self.lab.locator("svg")
        self.bring()

    def bring(self) -> None:
        """Open the notebook, or activate its tab."""
        self.tab.evaluate(OPEN, self.path)
        front = "(path) => jupyterapp.shell.currentWidget?.context?.path === path"
        self.tab.wait_for_function(front, arg=self.path)

    def command(self, name: str) -> None:
        self.tab.evaluate("(name) => jupyterapp.commands.execute(name)", name)

    def run(self, source: str) -> str:
        """Execute `source` in a new cell and return what it prints; fail if it raises an exception."""
        outputs = self.tab.evaluate(RUN, source)
        assert not [o for o in outputs if o["output_type"] == "error"], outputs
        return "".join(o.get("text", "") for o in outputs).strip()

    def state(self) -> str:
        """The state of the kernel according to the server, busy or idle."""
        kernel = self.tab.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.id")
        address = f"{self.jupyterlab.address}/api/kernels/{kernel}"
        with urllib.request.urlopen(address, timeout=5) as answer:
            return str(json.load(answer)["execution_state"])

    def drawn(self) -> str:
        return self.explorables.locator(".mark.lines path.line").get_attribute("d") or ""

    def reset(self) -> None:
        self.explorables.get_by_role("button", name="Reset").click()
        expect(self.shown).to_have_text("9")

    def button(self, name: str) -> Locator:
        return self.lab.get_by_role("button", name=name, exact=True)

    def bar(self) -> float:
        """The value of the progress bar in percent."""
        full = re.search(r"width: ([\d.]+)%", self.lab.locator(".progress-bar").get_attribute("style") or "")
        return float(full[1]) if full else 0
