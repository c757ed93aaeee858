"""The myst-nb renderer of the outputs of `explainers.notebook`: JSON under MIME types
of our own becomes docutils nodes.

Only myst-nb imports this module. Formulas become math nodes, which the page's renderer
of formulas sets as those of the text. The book's Sphinx extension processes some of the
nodes further and finds them by their class.
"""

import json
import re
from collections.abc import Callable
from typing import Any, ClassVar

from docutils import nodes
from myst_nb.core.render import MimeData, MimeRenderPlugin, NbElementRenderer

KIT = "application/vnd.explainers."


_KINDS = (
    "claim", "derivation", "source", "figure", "caption", "explorable", "lab", "table",
)  # fmt: skip


class KitRenderer(MimeRenderPlugin):
    """Renders the MIME types of `explainers.notebook`."""

    mime_priority_overrides: ClassVar[list[tuple[str, str, int | None]]] = [
        ("*", f"{KIT}{kind}+json", 1) for kind in _KINDS
    ]

    @staticmethod
    def handle_mime(
        renderer: NbElementRenderer, data: MimeData, inline: bool
    ) -> list[nodes.Node] | None:
        """The nodes of `data` if its MIME type is one of ours, else None, which tells
        myst-nb to use its own renderer."""
        match = re.fullmatch(re.escape(KIT) + r"(\w+)\+json", data.mime_type)
        if match is None or inline:
            return None
        # what changes with every execution, such as a widget's id, comes as metadata
        content: Any = data.content | data.output_metadata.get(data.mime_type, {})

        def markdown(text: str) -> list[nodes.Node]:
            return (
                renderer.render_markdown_inline(MimeData("text/markdown", text))
                if text
                else []
            )

        return _NODES[match[1]](content, markdown)


Markdown = Callable[[str], list[nodes.Node]]


def _container(name: str, *children: nodes.Node, **attributes: Any) -> nodes.container:
    return nodes.container("", *children, classes=[name], is_div=True, **attributes)


def _claim(data: dict[str, Any], markdown: Markdown) -> list[nodes.Node]:
    return [
        _container(
            "claim",
            _container("claim-article", *markdown(data["text"])),
            _container(
                "claim-found", *markdown(f"{data['found']} {data['because']}".rstrip())
            ),
            claim={
                key: data[key]
                for key in ("id", "source", "verdict", "found", "because")
            },
        )
    ]


def _math(latex: str) -> nodes.math:
    # \displaystyle: sums keep their limits above and below in a derivation's grid
    return nodes.math("", rf"\displaystyle {latex}" if latex else "")


def _derivation(data: dict[str, Any], markdown: Markdown) -> list[nodes.Node]:
    """One derivation, or a block of several: under its title those that are brief come
    one after another, in one grid, and a longer one has its own parts."""
    blocks: list[nodes.Node] = []
    if "parts" in data or not data["brief"]:
        blocks.append(_container("derivation-title", *markdown(data["title"])))
    for part in data.get("parts", [data]):
        blocks += _given(part, markdown)
        rows = _rows(part, markdown)
        grid = blocks[-1] if blocks else None
        if part["brief"] and grid is not None and "brief" in grid["classes"]:
            grid += rows
        else:
            blocks.append(_container("rows", *rows))
            blocks[-1]["classes"] += ["brief"] * part["brief"]
        if part["says"] and not part["brief"]:
            blocks.append(_container("qed", *markdown(part["says"])))
        if part["rests_on"]:
            words = "Rests on " + "; ".join(part["rests_on"]) + "."
            blocks.append(_container("rests-on", *markdown(words)))
    return [_container("derivation", *blocks)]


def _given(data: dict[str, Any], markdown: Markdown) -> list[nodes.Node]:
    """The conditions: whose they are, and those that are added."""
    given = "; ".join(data["assumptions"])
    words = [data["under"], f"Given: {given}." if given else ""]
    text = " ".join(part for part in words if part)
    return [_container("assumptions", *markdown(text))] if text else []


def _rows(data: dict[str, Any], markdown: Markdown) -> list[nodes.Node]:
    """The rows of a chain. The last of a brief one ends with the sign that it is
    proved, in the place of the words that say how."""
    rows: list[nodes.Node] = []
    for row in data["rows"]:
        reason = _container("why")
        if row["number"] is not None and not data["brief"]:
            reason += _container("number", nodes.Text(str(row["number"])))
        because = _container("because", *markdown(row["because"]))
        reason += because
        if data["brief"] and row is data["rows"][-1]:
            because["classes"].append("proved")
        if row["proof"] and not data["brief"]:
            reason += _container("proof", *markdown(row["proof"]))
        lhs, rel, rhs = (
            _container(name, *([_math(row[name])] if row[name] else []))
            for name in ("lhs", "rel", "rhs")
        )
        rows.append(
            _container(
                "row",
                lhs,
                rel,
                _container("formula", rhs, _container("leader")),
                reason,
            )
        )
    return rows


def _source(data: dict[str, Any], _: Markdown) -> list[nodes.Node]:
    code = nodes.literal_block(data["code"], data["code"], language="python")
    place = _container(
        "source-place",
        nodes.inline("", data["path"], classes=["path"]),
        nodes.inline("", f"lines {data['first']}–{data['last']}", classes=["lines"]),
    )
    return [_container("source", place, code, lines=data["last"] - data["first"] + 1)]


def _figure(data: dict[str, Any], markdown: Markdown) -> list[nodes.Node]:
    figure = _container("figure-drawing", *_drawings(data))
    if data["caption"]:
        figure += _container("figure-caption", *markdown(data["caption"]))
    return [figure]


def _drawings(data: dict[str, Any]) -> list[nodes.Node]:
    drawings: list[nodes.Node] = []
    for size in ("wide", "phone"):
        named = data[size].replace(
            "<svg ",
            f'<svg class="{size}" role="img" aria-label="{_attribute(data["alt"])}" ',
            1,
        )
        drawings.append(_html(named))
    return drawings


def _html(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")


def _explorable(data: dict[str, Any], markdown: Markdown) -> list[nodes.Node]:
    """A still picture in a box of the widget's height, and the widget's view."""
    name, heights = _attribute(data["name"]), data["heights"]
    room = "; ".join(f"--{size}-room: {px}px" for size, px in heights.items())
    view = json.dumps(
        {"version_major": 2, "version_minor": 0, "model_id": data["model"]}
    )
    kind = "application/vnd.jupyter.widget-view+json"
    return [
        _html(f'<div class="explorable" id="{name}" data-explorable>'),
        _html(f'<div class="explorable-room" style="{room}">'),
        _container("figure-drawing", *_drawings(data)),
        _html(f'<script type="{kind}">{view}</script></div>'),
        _html('<div class="explorable-foot explorable-live">'),
        _container("figure-caption", *markdown(data["caption"])),
        _html("<noscript><p>With JavaScript this figure has controls.</p></noscript>"),
        *_sentences(data["sentences"], markdown),
        _html('<div class="actions"></div></div></div>'),
    ]


def _sentences(sentences: dict[str, list[str]], markdown: Markdown) -> list[nodes.Node]:
    """All sentences that a caption may have, for the script to choose from."""
    found: list[nodes.Node] = []
    for name, texts in sentences.items():
        found.append(_html(f'<template data-sentences="{name}">'))
        found += [_container("sentence", *_inline(markdown(text))) for text in texts]
        found.append(_html("</template>"))
    return found


def _lab(data: dict[str, Any], markdown: Markdown) -> list[nodes.Node]:
    """The figure of the default settings, and a container that the book's extension
    fills with a link to where it can be run."""
    return [*_figure(data, markdown), _container("lab-place", lab=data["controls"])]


def _table(data: dict[str, Any], markdown: Markdown) -> list[nodes.Node]:
    columns = len(data["head"])

    def row(cells: list[str]) -> nodes.row:
        entries = [nodes.entry("", *_paragraph(markdown(cell))) for cell in cells]
        return nodes.row("", *entries)

    group = nodes.tgroup("", cols=columns)
    group += [nodes.colspec(colwidth=1) for _ in range(columns)]
    group += nodes.thead("", row(data["head"]))
    group += nodes.tbody("", *(row(cells) for cells in data["rows"]))
    title = nodes.title("", "", *_inline(markdown(data["caption"])))
    parts: list[nodes.Node] = [
        nodes.table("", title, group, classes=["colwidths-auto"])
    ]
    if data["source"]:
        parts.append(_container("provenance", *markdown(data["source"])))
    return parts


def _inline(content: list[nodes.Node]) -> list[nodes.Node]:
    """The children of `content` if it is a single paragraph, else `content`."""
    if len(content) == 1 and isinstance(content[0], nodes.paragraph):
        return list(content[0].children)
    return content


def _paragraph(content: list[nodes.Node]) -> list[nodes.Node]:
    return [nodes.paragraph("", "", *_inline(content))]


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def _caption(_: dict[str, Any], __: Markdown) -> list[nodes.Node]:
    return [
        nodes.comment()
    ]  # the figure above has it; an empty answer would bring back the plain form


_NODES: dict[str, Callable[[dict[str, Any], Markdown], list[nodes.Node]]] = {
    "claim": _claim,
    "derivation": _derivation,
    "source": _source,
    "figure": _figure,
    "caption": _caption,
    "explorable": _explorable,
    "lab": _lab,
    "table": _table,
}
