"""Widgets on the static page: their state as the host reads it, and one copy of what all pages share."""

import json
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import explainers

STATE = "application/vnd.jupyter.widget-state+json"
SHARED = "explainers.notebook.explore.widget.Explorable"
MODULE, LOOK, HOST = "explorable.js", "explorable.css", "afm-host.js"
# what Jupyter needs of a model and the host does not
UNUSED = ("_dom_classes", "_esm", "_css", "layout", "tabbable", "tooltip")


def write_shared(app: Sphinx) -> None:
    """Write the module of the explorables as a script that registers its text, and their stylesheet."""
    source = Path(explainers.__file__).parent / "notebook/explore"
    if not source.is_dir():
        return  # a book without explorables
    folder = Path(app.doctreedir).parent / "shared"
    folder.mkdir(parents=True, exist_ok=True)
    text = (source / MODULE).read_text(encoding="utf-8")
    script = f"(globalThis.afm ??= {{}})[{json.dumps(SHARED)}] = {json.dumps(text, ensure_ascii=False)};\n"
    (folder / MODULE).write_text(script, encoding="utf-8")
    (folder / LOOK).write_text((source / LOOK).read_text(encoding="utf-8"), encoding="utf-8")
    app.config.html_static_path.append(str(folder))
    app.add_js_file(MODULE, defer="defer")
    app.add_css_file(LOOK)


def take_state(scripts: list[Any]) -> str:
    """The state of a page's explorables, out of its scripts: no module in it, and no other widget."""
    bodies = [script.attributes["body"] for script in scripts if script.attributes.get("type") == STATE]
    models = json.loads(bodies[0])["state"] if bodies else {}
    kept = {
        id: {"state": {key: value for key, value in model["state"].items() if not _unused(key)}}
        | ({"buffers": model["buffers"]} if "buffers" in model else {})
        for id, model in models.items()
        if model["state"].get("_anywidget_id") == SHARED
    }
    return json.dumps({"state": kept}, separators=(",", ":")).replace("</", r"<\/")


def _unused(key: str) -> bool:
    return key in UNUSED or key.startswith(("_model_", "_view_"))


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.connect("builder-inited", write_shared)
