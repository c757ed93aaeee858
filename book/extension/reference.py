"""The reference of the library: docstrings are plain text where autodoc expects reStructuredText, each module
has its name above it, and the page lists its modules."""

import re
from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

PREFIX = "module-"  # of the id that autodoc gives to a module


def to_markup(_: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Escape | and *, as in |A|^2 and (n, *batch), outside of code, and put the name of a module above its
    docstring; `lines` is changed in place."""
    literal: int | None = None  # the indentation of the line whose "::" began a block of literal text
    for index, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if literal is not None and line.strip() and indent <= literal:
            literal = None
        if literal is None:
            if line.rstrip().endswith("::"):
                literal = indent
            parts = re.split(r"(`[^`]*`)", line)
            parts[::2] = [re.sub(r"\||(?<=[(\s])\*(?=\w+[,)])", r"\\\g<0>", part) for part in parts[::2]]
            lines[index] = "".join(parts)
    if what == "module":
        lines[:0] = [f".. rubric:: {name}", "   :class: module", ""]


def contents(doctree: nodes.document) -> str:
    """The sections of a page with their modules as an HTML list; nothing if it has no modules."""
    places = []
    for section in doctree.findall(nodes.section):
        ids = [id for node in section.findall(nodes.Element) for id in node.get("ids", [])]
        modules = [_link(id, id.removeprefix(f"{PREFIX}explainers.")) for id in ids if id.startswith(PREFIX)]
        if modules and not any(isinstance(child, nodes.section) for child in section):
            title = _link(section["ids"][0], section[0].astext())
            places.append(f"<li>{title}<ul><li>{'</li><li>'.join(modules)}</li></ul></li>")
    return f"<ul>{''.join(places)}</ul>" if places else ""


def _link(id: str, words: str) -> str:
    return f'<a href="#{escape(id)}">{escape(words)}</a>'


def add_contents(
    _: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give the list to the page's template."""
    context["modules"] = contents(doctree) if doctree is not None else ""


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")  # defines the event
    app.connect("autodoc-process-docstring", to_markup)
    app.connect("html-page-context", add_contents)
