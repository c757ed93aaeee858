"""Directives: `cards`, `all-claims` and `versions` for pages that summarize all chapters, and `margin`."""

import platform
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from explainers.notebook.claim import is_extra
from extension import cards, export, ledger
from extension.elements import html

BOOK_PAGES = [
    ("book/claims", "Every claim", "in one searchable table"),
    ("book/status", "Status", "of the last build"),
    ("book/reference", "The library", "function by function"),
    ("book/glossary", "Glossary", "of the terms used"),
    ("book/bibliography", "Bibliography", "of the sources"),
]
FIRST = "before its code"  # when a bar was written if its claim does not say otherwise
VERSIONS = (
    "torch",
    "sympy",
    "numpy",
    "scipy",
    "scikit-learn",
    "matplotlib",
    "jupyter-book",
    "myst-nb",
    "Sphinx",
)


class Placeholder(nodes.General, nodes.Element):
    """A node that `fill` replaces after all pages have been read."""


class PlaceholderDirective(SphinxDirective):
    """`cards`, `all-claims` or `versions`: inserts a placeholder, since other pages have not been read
    yet."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        return [Placeholder(kind=self.name)]


class Margin(SphinxDirective):
    """The directive `margin`, a note in the margin beside the next paragraph."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        note = nodes.container("", classes=["margin"], is_div=True)
        self.state.nested_parse(self.content, self.content_offset, note)
        return [note]


def parts(env: BuildEnvironment) -> list[dict[str, Any]]:
    """The parts of the book with their chapters, as dicts for the templates.

    The entry `doc` of a chapter is the name of its page, or None if it is not written.
    """
    return [
        {
            "part": part.name,
            "says": part.says,
            "chapters": [
                {**vars(entry.card), "name": entry.name, "doc": _page(env, entry.name)}
                for entry in part.chapters
            ],
        }
        for part in _cached_parts(Path(env.srcdir))
    ]


@cache
def _cached_parts(root: Path) -> list[cards.Part]:
    return cards.parts(root)  # called for every page, with the same result during a build


def _page(env: BuildEnvironment, name: str) -> str | None:
    doc = f"notebooks/{name}"
    return doc if doc in env.found_docs else None


def book_pages(env: BuildEnvironment) -> list[tuple[str, str, str]]:
    """The existing pages about the book: document, text of the link, and text after it."""
    return [entry for entry in BOOK_PAGES if entry[0] in env.found_docs]


def _cards(env: BuildEnvironment, builder: Builder, docname: str) -> str:
    sections = []
    for part in parts(env):
        content = "".join(_card(env, builder, docname, chapter) for chapter in part["chapters"])
        sections.append(
            _part(part["part"], part["says"], f'<div class="cards">{content}</div>', len(part["chapters"]))
        )
    links = "".join(
        f'<li><a href="{builder.get_relative_uri(docname, doc)}">{name}</a> {words}</li>'
        for doc, name, words in book_pages(env)
    )
    sections.append(
        _part("The book itself", "What stands behind the chapters", f'<ul class="itself">{links}</ul>', 1)
    )
    return f'<div class="parts">{"".join(sections)}</div>'


def _part(name: str, says: str, content: str, width: int) -> str:
    id = re.sub(r"\W+", "-", name.lower())
    return (
        f'<section class="part width-{min(width, 3)}" id="{id}" aria-labelledby="{id}-title">'
        f'<h2 id="{id}-title">{name}</h2><p>{says}</p>{content}</section>'
    )


def _card(env: BuildEnvironment, builder: Builder, docname: str, chapter: dict[str, Any]) -> str:
    picture = (Path(env.srcdir) / f"book/pictures/{chapter['name']}.svg").read_text(encoding="utf-8")
    title, foot = escape(chapter["title"]), '<span class="to-come">not yet written</span>'
    if chapter["doc"]:
        title = f'<a href="{builder.get_relative_uri(docname, chapter["doc"])}">{title}</a>'
        claims = ledger.of_article(ledger.rows(env, chapter["doc"]))
        foot = f"{ledger.marks(claims)}<span>{ledger.total(claims)}</span>"
        foot += f'<span class="hidden">: {ledger.counts(claims)}</span>'
    state = "" if chapter["doc"] else " waiting"
    return (
        f'<article class="card{state}"><div class="picture">{picture}</div><h3>{title}</h3>'
        f"<p><b>{escape(chapter['short'])}.</b> {escape(chapter['says'])}</p>"
        f'<div class="foot">{foot}</div></article>'
    )


def _all_claims(env: BuildEnvironment, builder: Builder, docname: str) -> str:
    chapters, lines, listed = [], [], []
    order = list(ledger.GROUPS)
    for chapter in (chapter for part in parts(env) for chapter in part["chapters"] if chapter["doc"]):
        page = builder.get_relative_uri(docname, chapter["doc"])
        claims = ledger.rows(env, chapter["doc"])
        own = ledger.of_article(claims)
        listed += claims
        chapters.append(
            f'<li><a href="{page}">{escape(chapter["title"])}</a> {ledger.marks(own)} '
            f"<span>{ledger.total(own)}: {ledger.legend(own)}</span></li>"
        )
        for row in sorted(claims, key=lambda row: order.index(ledger.group(row))):
            says, found = ledger.says_and_found(row)
            lines.append(
                f'<tr><td class="claim-name"><a href="{page}#{row["id"].lower()}">{row["id"]}</a> '
                f'<span class="verdict">{ledger.glyph(ledger.group(row))} {_verdict_word(row)}</span></td>'
                f"{says}{found}<td>{_bar_word(row)}</td></tr>"
            )
    heads = ("Claim and verdict", "The article says", "We found", "Bar written")
    head = f"<thead><tr>{''.join(f'<th>{name}</th>' for name in heads)}</tr></thead>"
    return (
        f'<ul class="chapter-counts">{"".join(chapters)}</ul><p id="bars">{_bars_in_words(listed)}</p>'
        '<p class="filter"><label for="filter">Show the claims that contain</label>'
        '<input id="filter" type="search" autocomplete="off" placeholder="tanh, refuted, FD-38" '
        'data-filter="all-claims">'
        '<output for="filter" id="filter-count"></output></p>'
        '<div class="scroll wide" role="region" tabindex="0" aria-label="All claims">'
        f'<table class="ledger-table" id="all-claims">{head}<tbody>{"".join(lines)}</tbody></table></div>'
    )


def _verdict_word(row: dict[str, Any]) -> str:
    empty = "holds, a tautology" if "tautology" in row else "holds, a definition"
    word = {"later": "not yet tested", "definition": empty}.get(ledger.group(row), row["verdict"])
    return f"{word} (ours)" if is_extra(row["id"]) else word


def _bar_word(row: dict[str, Any]) -> str:
    """When the bar of a claim was written, and whether it was changed after a measurement."""
    if "bar" not in row:
        return "no bar"
    return str(row.get("written", FIRST)) + (", changed later" if "changed" in row else "")


def _bars_in_words(claims: list[dict[str, Any]]) -> str:
    """How many bars were written when, and how many were changed."""
    bars = [row for row in claims if "bar" in row]
    written = Counter(row.get("written", FIRST) for row in bars)
    said = ", ".join(f"{when} {count}" for when, count in written.most_common())
    changed = sum("changed" in row for row in bars)
    return (
        f"When the {len(bars)} bars were written, ours included: {said}. "
        f"Changed when a measurement had been seen: {changed} of them."
    )


def _versions(*_: object) -> str:
    lines = "".join(f"<tr><td>{name}</td><td>{version(name)}</td></tr>" for name in VERSIONS)
    lines = f"<tr><td>Python</td><td>{platform.python_version()}</td></tr>{lines}"
    head = "<thead><tr><th>Package</th><th>Version</th></tr></thead>"
    return f"<table>{head}<tbody>{lines}</tbody></table>"


_FILL: dict[str, Callable[[BuildEnvironment, Builder, str], str]] = {
    "cards": _cards,
    "all-claims": _all_claims,
    "versions": _versions,
}


def fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Replace the placeholders of a page by their content."""
    for placeholder in list(doctree.findall(Placeholder)):
        placeholder.replace_self(html(_FILL[placeholder["kind"]](app.env, app.builder, docname)))


def fill_labs(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Add a line below the figure of a lab, with its controls and a link to a running notebook."""
    for place in [node for node in doctree.findall(nodes.container) if "lab" in node]:
        names = "; ".join(escape(name) for name in place["lab"])
        url = escape(export.Address.from_config(Path(app.srcdir)).colab_url(docname.rpartition("/")[2]))
        place += html(
            f'<p><b>A lab.</b> In <a href="{url}">a running notebook</a> this figure has controls ({names}), '
            "Run and Stop beside it.</p>"
        )


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_node(Placeholder)
    app.connect("doctree-resolved", fill_labs)
    for name in _FILL:
        app.add_directive(name, PlaceholderDirective)
    app.add_directive("margin", Margin)
    app.connect("doctree-resolved", fill)
