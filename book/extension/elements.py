"""Docutils nodes of the site for folds and scrolling boxes, with their HTML."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


class Fold(nodes.General, nodes.Element):
    """An HTML element `details`; its first child is a `Summary`."""


class Scroll(nodes.General, nodes.Element):
    """A box that scrolls horizontally and can get the focus, with the attribute `label` as its name."""


class Summary(nodes.General, nodes.Element):
    """The HTML element `summary`, the line that opens a fold."""


def fold(summary: str, *children: nodes.Node, classes: list[str]) -> Fold:
    """A `Fold` of `children` with plain text as its summary."""
    return Fold("", Summary("", nodes.Text(summary)), *children, classes=classes)


def box(name: str, *children: nodes.Node, **attributes: object) -> nodes.container:
    """A container that becomes a `div` of the class `name`."""
    return nodes.container("", *children, classes=[name], is_div=True, **attributes)


def html(text: str) -> nodes.raw:
    """A node that is written to the page as the HTML `text`."""
    return nodes.raw("", text, format="html")


def replace_emoji(_: Sphinx, doctree: nodes.document, __: str) -> None:
    """Replace the emoji in myst-nb's table of executions by a word, for which the book has a font."""
    for mark in list(doctree.findall(nodes.Text)):
        if mark.astext() == "✅":
            mark.parent.replace(mark, nodes.Text("ran"))


def wrap_tables(_: Sphinx, doctree: nodes.document, __: str) -> None:
    """Put every table into a `Scroll` box, so that a wide table does not widen the page."""
    for table in list(doctree.findall(nodes.table)):
        title = next((node.astext() for node in table.children if isinstance(node, nodes.title)), "Table")
        box_ = Scroll("", table.deepcopy(), label=title)
        table.replace_self(box_)
        box_["ids"] = []  # the table keeps its own


def _open_fold(self: HTML5Translator, node: Fold) -> None:
    self.body.append(self.starttag(node, "details"))


def _close_fold(self: HTML5Translator, _: Fold) -> None:
    self.body.append("</details>\n")


def _open_summary(self: HTML5Translator, node: Summary) -> None:
    self.body.append(self.starttag(node, "summary", ""))


def _close_summary(self: HTML5Translator, _: Summary) -> None:
    self.body.append("</summary>\n")


def _open_scroll(self: HTML5Translator, node: Scroll) -> None:
    region = {"class": "scroll", "role": "region", "tabindex": "0", "aria-label": node["label"]}
    self.body.append(self.starttag(node, "div", **region))


def _close_scroll(self: HTML5Translator, _: Scroll) -> None:
    self.body.append("</div>\n")


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_node(Fold, html=(_open_fold, _close_fold))
    app.add_node(Scroll, html=(_open_scroll, _close_scroll))
    app.add_node(Summary, html=(_open_summary, _close_summary))
    app.connect("doctree-resolved", replace_emoji)
    app.connect("doctree-resolved", wrap_tables, priority=900)
