"""The claims of every article and the verdicts that the executed notebooks gave them.

The verdicts are read from the notebooks' outputs and from nowhere else. From them come the line of a claim in
the text, the marks under a chapter's title, the ledger that closes a chapter, and what `places` makes of all.
"""

import re
from collections import Counter
from html import escape
from pathlib import PurePosixPath
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from explainers.resources import chapter_claims, chapters
from extension.elements import Fold, Summary, box, html

COLLECTING = {"index", "book/claims", "book/status"}
LEDGER_TITLE = "All claims of the article"
GROUPS = {
    "refuted": "Refuted",
    "qualified": "Qualified",
    "holds": "Holds",
    "quoted": "Quoted, not tested",
    "later": "Not yet tested",
}
_WORDS = {"holds": "hold", "later": "not yet tested"}
_RING = '<circle cx="8" cy="8" r="6.6" fill="none" stroke="currentColor" stroke-width="1.4"/>'
_DASHED = _RING.replace("/>", ' stroke-dasharray="2.6 1.9"/>')
_GLYPHS = {
    "holds": _RING + '<path d="M5 8.2l2.1 2.1L11 6" fill="none" stroke="currentColor" stroke-width="1.4"/>',
    "qualified": _RING + '<path d="M8 1.4a6.6 6.6 0 0 1 0 13.2z" fill="currentColor"/>',
    "refuted": '<circle cx="8" cy="8" r="7.3" fill="currentColor"/>'
    '<path d="M5.6 5.6l4.8 4.8m0-4.8l-4.8 4.8" stroke="var(--paper)" stroke-width="1.7"/>',
    "quoted": _DASHED,
    "later": _DASHED,
}
logger = logging.getLogger(__name__)


def is_extra(id: str) -> bool:
    """Whether `id` is our own addition: never counted as the article's."""
    return id.split("-")[1].startswith("X")


def glyph(verdict: str) -> str:
    """The sign of a verdict; the word stands beside it."""
    return f'<svg class="glyph" viewBox="0 0 16 16" aria-hidden="true">{_GLYPHS[verdict]}</svg>'


def marks(rows: list[dict[str, Any]]) -> str:
    """One bar for each claim, in the article's order; the counts in words stand beside it."""
    bars = "".join(f'<i class="{row["verdict"]}"></i>' for row in rows)
    return f'<span class="marks" aria-hidden="true">{bars}</span>'


def counts(rows: list[dict[str, Any]]) -> str:
    """How many claims there are of each verdict, in words."""
    found = Counter(row["verdict"] for row in rows)
    order = dict.fromkeys(("holds", *GROUPS))  # what holds comes first here, and last in the ledger
    return ", ".join(
        "1 holds" if (verdict, found[verdict]) == ("holds", 1)
        else f"{found[verdict]} {_WORDS.get(verdict, verdict)}"
        for verdict in order
        if found[verdict]
    )  # fmt: skip


def number(rows: list[dict[str, Any]]) -> str:
    """How many claims there are, in words."""
    return f"{len(rows)} claims" if len(rows) != 1 else "1 claim"


def inline(text: str) -> str:
    """A line of our Markdown as HTML: formulas in dollars, code in backticks, emphasis in stars."""
    parts = re.split(r"(\$[^$]+\$|`[^`]+`)", text)
    for index, part in enumerate(parts):
        if part.startswith("$"):
            parts[index] = (
                rf'<span class="math notranslate nohighlight">\({escape(part[1:-1], quote=False)}\)</span>'
            )
        elif part.startswith("`"):
            parts[index] = f"<code>{escape(part[1:-1])}</code>"
        else:
            parts[index] = re.sub(r"\*([^*]+)\*", r"<em>\1</em>", escape(part))
    return "".join(parts)


def note(env: BuildEnvironment, docname: str, node: nodes.Element) -> None:
    """Keep the verdict that an executed page gave."""
    verdicts = _verdicts(env).setdefault(docname, {})
    verdicts[node["claim"]["id"]] = node["claim"]


def _verdicts(env: BuildEnvironment) -> dict[str, dict[str, dict[str, str]]]:
    return env.__dict__.setdefault("book_verdicts", {})  # Sphinx keeps what stands on the environment


def rows(env: BuildEnvironment, docname: str) -> list[dict[str, Any]]:
    """Every claim of the chapter `docname` with its verdict, in the article's order; our additions last."""
    given = _verdicts(env).get(docname, {})
    found = []
    for id, entry in chapter_claims(PurePosixPath(docname).name).items():
        marked = "quoted" if "quoted" in entry else "later"
        verdict = given.get(id, {"verdict": marked, "measured": entry.get("quoted", "") or "", "because": ""})
        found.append({**entry, **verdict})
    return sorted(found, key=lambda row: is_extra(row["id"]))


def of_article(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that are the article's own claims."""
    return [row for row in found if not is_extra(row["id"])]


def line(node: nodes.container, source: nodes.Element) -> nodes.Element:
    """A claim in the text: a sentence, and in the margin what was measured, which opens the code."""
    id, verdict = node["claim"]["id"], node["claim"]["verdict"]
    says, because, measured = node.children
    word = nodes.strong("", f"{verdict.capitalize()}. ")
    summary = Summary(
        "",
        nodes.inline("", "", *_inlines(measured), classes=["measured"]),
        nodes.Text(" "),
        nodes.inline("", id, classes=["claim-id"]),
        nodes.Text(" "),
        nodes.inline("", "Code", classes=["closed"]),
        nodes.inline("", "Hide code", classes=["opened"]),
    )
    return box(
        "claim",
        html(glyph(verdict)),
        box("claim-says", word, *_inlines(says), nodes.Text(" "), *_inlines(because)),
        Fold("", summary, source, classes=["claim-code"]),
        ids=[id.lower()],
    )


def _inlines(element: nodes.Node) -> list[nodes.Node]:
    children = list(element.children)
    return list(children[0].children) if children and isinstance(children[0], nodes.paragraph) else children


def table(found: list[dict[str, Any]], placed: set[str]) -> str:
    """The ledger's table; ids that have no line in the text (`placed`) are anchored here."""
    groups = {
        name: [row for row in of_article(found) if row["verdict"] == verdict]
        for verdict, name in GROUPS.items()
    }
    groups["What we add"] = [row for row in found if is_extra(row["id"])]
    bodies = []
    for name, members in groups.items():
        if not members:
            continue
        lines = "".join(_row(row, placed) for row in members)
        bodies.append(f'<tbody><tr><th colspan="3" scope="rowgroup">{name}</th></tr>{lines}</tbody>')
    head = "<thead><tr><th>Claim</th><th>In our words</th><th>Measured</th></tr></thead>"
    content = head + "".join(bodies)
    return (
        '<div class="scroll" role="region" tabindex="0" aria-label="Claims">'
        f'<table class="ledger-table">{content}</table></div>'
    )


def _row(row: dict[str, Any], placed: set[str]) -> str:
    id = row["id"]
    anchor = "" if id.lower() in placed else f' id="{id.lower()}"'
    name = f'<a href="#{id.lower()}">{id}</a>' if id.lower() in placed else id
    measured = inline(str(row["measured"]))
    if "changed" in row:
        measured += f' <span class="changed">Bar changed. {inline(row["changed"])}</span>'
    because = f" {inline(row['because'])}" if row["because"] else ""
    return (
        f'<tr{anchor}><td class="claim-name">{glyph(row["verdict"])} {name}</td>'
        f"<td>{inline(row['text'])}{because}</td><td>{measured}</td></tr>"
    )


class Chapter(SphinxTransform):
    """The head and the ledger of a chapter, once its cells gave their verdicts."""

    default_priority = 420

    def apply(self, **_: Any) -> None:
        docname = self.env.docname
        if PurePosixPath(docname).name not in chapters() or not docname.startswith("notebooks/"):
            return
        found = of_article(rows(self.env, docname))
        summary = f"{number(found)}: {counts(found)}"
        title = next(iter(self.document.findall(nodes.section)))
        paragraphs = [child for child in title.children if isinstance(child, nodes.paragraph)][:2]
        if len(paragraphs) == 2:
            lead, source = paragraphs
            lead["classes"].append("lead")
            source["classes"].append("article-source")
            link = (
                '<a class="claim-counts" href="#all-claims-of-the-article">'
                f"{marks(found)} <span>{summary}</span></a>"
            )
            source.parent.insert(source.parent.index(source) + 1, html(link))
        for section in self.document.findall(nodes.section):
            if section[0].astext() == LEDGER_TITLE:
                self._ledger(section)

    def _ledger(self, section: nodes.section) -> None:
        found = rows(self.env, self.env.docname)
        own = of_article(found)
        placed = {
            id
            for node in self.document.findall(nodes.container)
            for id in node["ids"]
            if "claim" in node["classes"]
        }
        title, *rest = section.children
        heading = Summary(
            "",
            nodes.rubric(
                "",
                f"All {number(own)} of the article" if len(own) > 1 else "The claim of the article",
                classes=["ledger-title"],
                **{"heading-level": 2},
            ),
            html(f'<span class="ledger-counts">{counts(own)}</span>{marks(own)}'),
        )
        code = [
            box(
                "ledger-code",
                nodes.paragraph("", "The code that decides the claims not met in the text:"),
                *rest,
            )
        ]
        section.children = []
        section += [
            title,
            Fold("", heading, html(table(found, placed)), *(code if rest else []), classes=["ledger"]),
        ]
        section["classes"].append("ledger-section")


def check(_: Sphinx, env: BuildEnvironment) -> None:
    """Every listed claim of an existing chapter has a verdict, or says why it has none."""
    for docname in env.found_docs:
        name = PurePosixPath(docname).name
        if docname.startswith("notebooks/") and name in chapters():
            given = _verdicts(env).get(docname, {})
            for id, entry in chapter_claims(name).items():
                if id not in given and not {"quoted", "later"} & set(entry):
                    logger.warning("claim %s has no verdict", id, location=docname)


def purge(_: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget a page that is read again."""
    _verdicts(env).pop(docname, None)


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_transform(Chapter)
    app.connect("env-check-consistency", check)
    app.connect("env-purge-doc", purge)
