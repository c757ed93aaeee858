"""Explorables on static pages: the state of the widgets of each page, and one script and one stylesheet for
all."""

import json
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import explainers

STATE = "application/vnd.jupyter.widget-state+json"
SHARED = "explainers.notebook.explore.widget.Explorable"
MODULE, STYLESHEET, HOST = "explorable.js", "explorable.css", "afm-host.js"
# traits of a widget that Jupyter needs and a static page does not
UNUSED = ("_dom_classes", "_esm", "_css", "layout", "tabbable", "tooltip")


def without_comments(text: str, name: str) -> str:
    """A script or a stylesheet of this book without its comments, a sixth of what a reader would load.

    A comment stands on lines of its own, or behind two blanks at the end of one.
    """
    if name.endswith(".css"):
        return re.sub(r"^/\*.*?\*/\n| */\*.*?\*/", "", text, flags=re.M | re.S)
    return re.sub(r"^ *//.*\n|  +// .*$", "", text, flags=re.M)


def write_shared(app: Sphinx) -> None:
    """Write the shared script, which registers the text of the JavaScript module, and the stylesheet."""
    source = Path(explainers.__file__).parent / "notebook/explore"
    if not source.is_dir():
        return  # the library of this book has no explorables
    folder = Path(app.doctreedir).parent / "shared"
    folder.mkdir(parents=True, exist_ok=True)
    text, style = (
        without_comments((source / name).read_text(encoding="utf-8"), name) for name in (MODULE, STYLESHEET)
    )
    script = f"(globalThis.afm ??= {{}})[{json.dumps(SHARED)}] = {json.dumps(text, ensure_ascii=False)};\n"
    (folder / MODULE).write_text(script, encoding="utf-8")
    (folder / STYLESHEET).write_text(style, encoding="utf-8")
    app.config.html_static_path.append(str(folder))
    app.add_js_file(MODULE, defer="defer")
    app.add_css_file(STYLESHEET)


def page_state(scripts: list[Any]) -> str:
    """The JSON state of the explorables of a page, from its `scripts`, without unused traits and other
    widgets."""
    bodies = [script.attributes["body"] for script in scripts if script.attributes.get("type") == STATE]
    models = json.loads(bodies[0])["state"] if bodies else {}
    states = {
        id: {"state": {key: value for key, value in model["state"].items() if not _unused(key)}}
        | ({"buffers": model["buffers"]} if "buffers" in model else {})
        for id, model in models.items()
        if model["state"].get("_anywidget_id") == SHARED
    }
    return json.dumps({"state": states}, separators=(",", ":")).replace("</", r"<\/")


def _unused(key: str) -> bool:
    return key in UNUSED or key.startswith(("_model_", "_view_"))


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.connect("builder-inited", write_shared)
