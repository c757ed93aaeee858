"""Explorables and labs in JupyterLab, operated by keyboard and mouse; without the built site."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from playwright.sync_api import Browser, expect

from tests.book.jupyterlab_tab import KERNEL, RUN, RUN_CELL, SLOWEST, Lab, Notebook, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("jupyterlab")]  # one server for all

ROOT = Path(__file__).parents[2]

# Two explorables, which must not disturb each other, and a lab, which is quick until `pause` says otherwise
WORKSHOP = [
    """
import time

import numpy as np

from explainers.notebook import show
from explainers.notebook.explore import Choice, Slider, explore, lines
from explainers.notebook.lab import lab

x = np.linspace(0, 1, 20)
waves = {"sine": np.sin, "cosine": np.cos}


def wave(kind):
    return {"x": x, "y": waves[kind](x)}


explore(wave, kind=Choice([*waves]), view=lines("x", "y"), alt="A wave.")
""",
    """
explore(wave, kind=Choice([*waves]), view=lines("x", "y"), alt="Another wave.")
""",
    """
pause = 0


def run(height, kind):
    for done in range(1, 61):
        time.sleep(pause)
        if kind == "broken" and done > 5:
            raise ValueError("a clear message")
        words = f"step {done}, height {height}"
        yield done, 60, show.Drawing(lambda ax: ax.set_title(words), alt=words, width=896, height=150)


lab(run, height=Slider(1, 20, default=5, label="Height"), kind=Choice(["sound", "broken"], label="Kind"))
""",
]

# `explore` shows the widget and gives none back
WIDGET = """
import ipywidgets
made = ipywidgets.widgets.widget._instances.values()
[widget] = [w for w in made if type(w).__name__ == "Explorable"]
"""

# A cell that takes until a file appears
WORK = """
import pathlib, time
started = time.monotonic()
while not pathlib.Path("go").exists() and time.monotonic() - started < 60:
    time.sleep(0.05)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A local JupyterLab with default settings: its address and its folder."""
    tmp = tmp_path_factory.mktemp("jupyterlab")
    folder, settings = tmp / "notebooks", tmp / "settings"
    folder.mkdir()
    for name, values in {
        "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
        "@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True},
    }.items():
        file = settings / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(values), encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("JUPYTER")} | {
        "JUPYTER_CONFIG_DIR": str(tmp / "config"),
        "JUPYTER_DATA_DIR": str(tmp / "data"),
        "JUPYTER_RUNTIME_DIR": str(tmp / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp / "workspaces"),
        "IPYTHONDIR": str(tmp / "ipython"),
        "PYTHONPATH": str(ROOT / "lib"),
    }
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser",
        "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=",
        "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    log = tmp / "log"
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, cwd=tmp, stdout=output, stderr=output)
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{address}/api/status", timeout=5):
                return True
        except OSError:
            return False

    try:
        until(answers, "JupyterLab does not answer")
        yield address, folder
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def jupyterlab(browser: Browser, server: tuple[str, Path]) -> Iterator[Lab]:
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    yield Lab(context.new_page(), *server)
    context.close()


@pytest.fixture(scope="module")
def _home(jupyterlab: Lab) -> Notebook:
    return written(jupyterlab, "home", jupytext.read(ROOT / "index.md"))


@pytest.fixture(scope="module")
def _workshop(jupyterlab: Lab) -> Notebook:
    cells = [nbformat.v4.new_code_cell(source.strip()) for source in WORKSHOP]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return written(
        jupyterlab, "workshop", nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    )


def written(jupyterlab: Lab, folder: str, content: Any) -> Notebook:
    """An open notebook in its own folder, with all cells executed."""
    (jupyterlab.folder / folder).mkdir()
    nbformat.write(content, jupyterlab.folder / folder / "notebook.ipynb")
    notebook = Notebook(jupyterlab, folder)
    notebook.command("runmenu:run-all")
    return notebook


@pytest.fixture
def home(_home: Notebook) -> Notebook:
    """The notebook of the home page in the active tab, with all cells executed."""
    _home.bring()
    expect(_home.slider).to_be_visible(timeout=SLOWEST)
    return _home


@pytest.fixture
def workshop(_workshop: Notebook) -> Notebook:
    """The notebook with two explorables and a lab in the active tab, with all cells executed."""
    _workshop.bring()
    expect(_workshop.figure).to_be_visible(timeout=SLOWEST)
    return _workshop


def test_the_home_page_shows_its_explorable(home: Notebook) -> None:
    expect(home.explorables).to_have_count(1)
    expect(home.shown).to_be_visible()
    assert home.drawn().startswith("M")


def test_jupyterlab_leaves_its_keys_to_a_slider(home: Notebook) -> None:
    home.reset()
    home.slider.focus()
    # in command mode JupyterLab folds headings with the first two, and goes to another cell with the next two
    for key, value in [("ArrowRight", 10), ("ArrowLeft", 9), ("ArrowUp", 10), ("ArrowDown", 9), ("End", 24)]:
        home.tab.keyboard.press(key)
        expect(home.shown).to_have_text(str(value))
        expect(home.slider).to_be_focused()


def test_an_explorable_moves_while_the_kernel_is_busy_and_tells_it_afterwards(home: Notebook) -> None:
    home.reset()
    process, go, before = int(home.run("import os; print(os.getpid())")), home.folder / "go", home.drawn()
    home.tab.evaluate(f"(source) => {{ ({RUN})(source); }}", WORK)  # started and not waited for
    until(lambda: home.state() == "busy", "the kernel has nothing to do")
    # a busy kernel hears widgets all the same, in another thread; one that the system has stopped does not
    os.kill(process, signal.SIGSTOP)
    try:
        home.slider.focus()
        home.tab.keyboard.press("ArrowRight")
        expect(home.shown).to_have_text("10", timeout=1000)
        assert home.drawn() != before
        assert home.state() == "busy"
    finally:
        os.kill(process, signal.SIGCONT)
        go.touch()
    until(lambda: home.state() == "idle", "the kernel does not end its cell")
    until(lambda: home.run(WIDGET + "print(widget.value)") == "{'waves': 10}", "the kernel does not follow")


def test_a_value_set_in_python_moves_an_explorable(home: Notebook) -> None:
    home.reset()
    before = home.drawn()
    home.run(WIDGET + "widget.value = {'waves': 3}")
    expect(home.shown).to_have_text("3")
    assert home.drawn() != before


def test_an_explorable_in_a_saved_notebook_moves_before_a_cell_is_run(home: Notebook) -> None:
    home.reset()
    home.command("docmanager:save")
    (home.jupyterlab.folder / "saved").mkdir()
    # a copy: another kernel, which knows of nothing, and the state that the notebook was saved with
    shutil.copy(home.folder / "notebook.ipynb", home.jupyterlab.folder / "saved")
    # JupyterLab waits two seconds for a saved widget; a kernel that is still starting can take all of them
    home.tab.evaluate(KERNEL, "saved/notebook.ipynb")
    saved = Notebook(home.jupyterlab, "saved")
    expect(saved.slider).to_be_visible()
    before = saved.drawn()
    saved.slider.focus()
    saved.tab.keyboard.press("ArrowRight")
    expect(saved.shown).to_have_text("10")
    assert saved.drawn() != before
    assert saved.run("print('explore' in globals())") == "False"


def test_two_explorables_keep_their_choices_apart(workshop: Notebook) -> None:
    first, second = (workshop.explorables.nth(i).get_by_role("radio") for i in (0, 1))
    first.nth(0).check()
    second.nth(1).check()
    expect(first.nth(0)).to_be_checked(timeout=1000)
    expect(second.nth(1)).to_be_checked()


def test_the_figure_of_a_lab_is_not_cut_off(workshop: Notebook) -> None:
    room, figure = workshop.lab.bounding_box(), workshop.figure.bounding_box()
    assert room
    assert figure
    assert figure["x"] + figure["width"] <= room["x"] + room["width"]


def test_a_lab_shows_the_figure_of_its_defaults_at_once(workshop: Notebook) -> None:
    expect(workshop.figure).to_contain_text(re.compile(r"step \d+, height"))
    assert workshop.bar() > 0


def test_a_lab_runs_with_the_readers_setting_until_it_is_stopped(workshop: Notebook) -> None:
    workshop.run("pause = 0.1")
    workshop.button("sound").click()
    workshop.lab.get_by_role("slider").focus()
    workshop.tab.keyboard.press("Home")
    expect(workshop.lab.locator(".widget-readout")).to_have_text("1")
    workshop.button("Run").click()
    expect(workshop.figure).to_contain_text(re.compile(r"step \d, height 1"))
    early = workshop.bar()
    assert early < 100
    expect(workshop.figure).to_contain_text(re.compile(r"step \d\d, height 1"))
    until(lambda: early < workshop.bar() < 100, "the progress bar does not move")
    assert workshop.run("print('hea' + 'rd')") == "heard"
    expect(workshop.button("Run")).to_be_disabled()  # that was while it ran
    workshop.button("Stop").click()
    expect(workshop.lab).to_contain_text(re.compile(r"Stopped at \d+ of 60\."))
    expect(workshop.button("Run")).to_be_enabled()
    expect(workshop.button("Stop")).to_be_disabled()
    stopped = re.search(r"Stopped at (\d+) of 60", workshop.lab.inner_text())
    assert stopped
    assert int(stopped[1]) < 60
    assert workshop.run("time.sleep(3 * pause); print('hea' + 'rd')") == "heard"
    expect(workshop.figure).to_contain_text(f"step {stopped[1]}, height 1")  # no step was taken since


def test_a_lab_shows_an_error_and_runs_again(workshop: Notebook) -> None:
    workshop.run("pause = 0")
    workshop.button("broken").click()
    workshop.button("Run").click()
    expect(workshop.lab).to_contain_text("ValueError: a clear message")
    expect(workshop.figure).to_contain_text("step 5,")  # the last one before it
    assert workshop.run("print('hea' + 'rd')") == "heard"
    workshop.button("sound").click()
    workshop.button("Run").click()
    expect(workshop.figure).to_contain_text("step 60,", timeout=SLOWEST)
    expect(workshop.lab).not_to_contain_text("ValueError")


@pytest.mark.book
def test_an_exported_chapter_opens_and_its_first_explorable_moves(jupyterlab: Lab) -> None:
    chapter = ROOT / "_build/html/notebooks/fourier_density.ipynb"
    (jupyterlab.folder / "exported").mkdir()
    shutil.copy(chapter, jupyterlab.folder / "exported/notebook.ipynb")
    exported = Notebook(jupyterlab, "exported")
    # nothing has been run: in the place of a figure stands its picture, not its alternative text as text
    still = exported.panel.locator(".jp-OutputArea-output img[alt]").first
    expect(still).to_be_visible(timeout=SLOWEST)
    assert still.evaluate("image => image.decode().then(() => image.naturalWidth)") > 300
    assert "Controls" in str(still.get_attribute("alt"))
    expect(exported.panel.locator(".jp-RenderedText", has_text="Controls set")).to_have_count(0)
    # the first cell finds the library, the next code cell draws the figure
    codes = [n for n, c in enumerate(nbformat.read(chapter, as_version=4).cells) if c.cell_type == "code"][:2]
    outputs = [exported.tab.evaluate(RUN_CELL, number) for number in codes]
    assert "is here already" in outputs[0][0]["text"]
    assert not [output for output in outputs[1] if output["output_type"] == "error"]
    first = exported.explorables.first
    expect(first).to_be_visible(timeout=SLOWEST)
    line, slider = first.locator(".mark.lines path.line").first, first.locator("input[type=range]").first
    before = line.get_attribute("d")
    slider.focus()
    exported.tab.keyboard.press("ArrowRight")
    expect(line).not_to_have_attribute("d", before or "")


def test_nothing_is_asked_of_another_host_and_no_error_is_logged(home: Notebook, workshop: Notebook) -> None:
    jupyterlab = home.jupyterlab
    host = jupyterlab.address.partition("//")[2]
    ours = (f"http://{host}/", f"ws://{host}/", f"blob:http://{host}/", "data:")
    assert any(url.startswith("ws:") for url in jupyterlab.asked)
    assert [url for url in jupyterlab.asked if not url.startswith(ours)] == []
    assert jupyterlab.trouble == []
