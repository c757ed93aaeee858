"""The claims of every article with their verdicts, and their display on the pages.

The verdicts are read from the outputs of the executed notebooks only. They are shown as the line of a claim
in the text, as marks below the title of a chapter, and in the ledger, the table of all claims at its end.
"""

import re
from collections import Counter
from collections.abc import Iterable
from html import escape
from pathlib import PurePosixPath
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from explainers.notebook.claim import is_extra
from explainers.resources import chapter_claims, chapters
from extension import formulas
from extension.elements import Fold, Summary, box, html

SUMMARY_PAGES = {"index", "book/claims", "book/status"}
LEDGER_TITLE = "All claims of the article"
GROUPS = {
    "refuted": "Refuted",
    "qualified": "Qualified",
    "holds": "Holds",
    "definition": "Definitions and tautologies, checked",
    "quoted": "Quoted, not tested",
    "later": "Not yet tested",
}
_WORDS = {  # of one, of several; in the order of the counts
    "definition": ("definition", "definitions"),
    "holds": ("holds", "hold"),
    "qualified": ("qualified", "qualified"),
    "refuted": ("refuted", "refuted"),
    "quoted": ("quoted", "quoted"),
    "later": ("not yet tested", "not yet tested"),
}
_RING = '<circle cx="8" cy="8" r="6.6" fill="none" stroke="currentColor" stroke-width="1.4"/>'
_DASHED = _RING.replace("/>", ' stroke-dasharray="2.6 1.9"/>')
_GLYPHS = {
    "holds": _RING + '<path d="M5 8.2l2.1 2.1L11 6" fill="none" stroke="currentColor" stroke-width="1.4"/>',
    "qualified": _RING + '<path d="M8 1.4a6.6 6.6 0 0 1 0 13.2z" fill="currentColor"/>',
    "definition": _RING + '<path d="M5 6.6h6M5 9.4h6" fill="none" stroke="currentColor" stroke-width="1.4"/>',
    "refuted": '<circle cx="8" cy="8" r="7.3" fill="currentColor"/>'
    '<path d="M5.6 5.6l4.8 4.8m0-4.8l-4.8 4.8" stroke="var(--paper)" stroke-width="1.7"/>',
    "quoted": _DASHED,
    "later": _DASHED,
}
logger = logging.getLogger(__name__)


def group(row: dict[str, Any]) -> str:
    """The key of `GROUPS` of a claim: its verdict, unless it holds by definition or as a tautology."""
    empty = row["kind"] == "DEF" or row.get("tautology", False)
    return "definition" if row["verdict"] == "holds" and empty else str(row["verdict"])


def glyph(verdict: str) -> str:
    """The icon of a verdict or group as SVG, hidden from screen readers: the page has the word beside it."""
    return f'<svg class="glyph" viewBox="0 0 16 16" aria-hidden="true">{_GLYPHS[verdict]}</svg>'


def marks(rows: list[dict[str, Any]]) -> str:
    """One mark for each claim as HTML, hidden from screen readers: the page has the counts beside it."""
    return _drawn(map(group, rows))


def _drawn(groups: Iterable[str]) -> str:
    bars = "".join(f'<i class="{name}"></i>' for name in groups)
    return f'<span class="marks" aria-hidden="true">{bars}</span>'


def _totals(rows: list[dict[str, Any]]) -> dict[str, str]:
    """By group: "3 hold"."""
    totals = Counter(map(group, rows))
    return {
        name: f"{totals[name]} {one if totals[name] == 1 else several}"
        for name, (one, several) in _WORDS.items()
        if totals[name]
    }


def counts(rows: list[dict[str, Any]]) -> str:
    """The number of claims in each group: "2 definitions, 3 hold, 1 refuted"."""
    return ", ".join(_totals(rows).values())


def legend(rows: list[dict[str, Any]]) -> str:
    """The counts as HTML, each with the mark that stands for one claim of its group."""
    return ", ".join(
        f'<span class="glue">{_drawn([name])} {words}</span>' for name, words in _totals(rows).items()
    )


def total(rows: list[dict[str, Any]]) -> str:
    """The number of claims: "3 claims"."""
    return f"{len(rows)} claims" if len(rows) != 1 else "1 claim"


def bar_note(row: dict[str, Any]) -> str:
    """What is said as HTML of a bar that was not written before its cell, or was changed after it."""
    notes = [f"Bar written {row['written']}."] if "written" in row else []
    notes += [f"Bar changed later. {row['changed']}"] if "changed" in row else []
    return "".join(f' <span class="changed">{inline(note)}</span>' for note in notes)


def inline(text: str) -> str:
    """One line of Markdown as HTML: formulas in dollars, code in backticks, emphasis in asterisks."""
    parts = re.split(r"(\$[^$]+\$|`[^`]+`)", text)
    for index, part in enumerate(parts):
        if part.startswith("$"):
            parts[index] = formulas.mathml(part[1:-1])
        elif part.startswith("`"):
            parts[index] = f"<code>{escape(part[1:-1])}</code>"
        else:
            parts[index] = re.sub(r"\*([^*]+)\*", r"<em>\1</em>", escape(part))
    return "".join(parts)


def store_verdict(env: BuildEnvironment, docname: str, node: nodes.Element) -> None:
    """Store the verdict in the attribute `claim` of `node`, an output of the page `docname`."""
    verdicts = _verdicts(env).setdefault(docname, {})
    verdicts[node["claim"]["id"]] = node["claim"]


def _verdicts(env: BuildEnvironment) -> dict[str, dict[str, dict[str, str]]]:
    return env.__dict__.setdefault("book_verdicts", {})  # Sphinx pickles the environment between builds


def rows(env: BuildEnvironment, docname: str) -> list[dict[str, Any]]:
    """Each claim of the chapter `docname` as a dict with its verdict, in the article's order; our additions
    last.

    A claim without a verdict has "quoted" or "later" instead.
    """
    given = _verdicts(env).get(docname, {})
    claims = []
    for id, entry in chapter_claims(PurePosixPath(docname).name).items():
        marked = "quoted" if "quoted" in entry else "later"
        verdict = given.get(id, {"verdict": marked, "found": entry.get("quoted", "") or "", "because": ""})
        claims.append({**entry, **verdict})
    return sorted(claims, key=lambda row: is_extra(row["id"]))


def of_article(claims: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The claims of the article, without our additions."""
    return [row for row in claims if not is_extra(row["id"])]


def claim_line(node: nodes.container, source: nodes.Element) -> nodes.Element:
    """The line of a claim in the text: what the article says; below it icon, verdict and what was found;
    and a fold with the code `source`."""
    id, who, verdict = (node["claim"][key] for key in ("id", "source", "verdict"))
    article, found = node.children
    summary = Summary(
        "",
        nodes.inline("", id, classes=["claim-id"]),
        nodes.Text(" "),
        nodes.inline("", "Code", classes=["closed"]),
        nodes.inline("", "Hide code", classes=["opened"]),
    )
    return box(
        "claim",
        box("claim-article", nodes.emphasis("", f"{who}:"), nodes.Text(" "), *inlines(article)),
        box(
            "claim-verdict",
            html(glyph(verdict)),
            box(
                "claim-found",
                nodes.strong("", f"{verdict.capitalize()}."),
                nodes.Text(" "),
                nodes.emphasis("", "Found:"),
                nodes.Text(" "),
                *inlines(found),
            ),
            Fold("", summary, source, classes=["claim-code"]),
        ),
        ids=[id.lower()],
    )


def inlines(element: nodes.Node) -> list[nodes.Node]:
    """The content of a box of the claim's output, without the paragraph around it."""
    children = list(element.children)
    return list(children[0].children) if children and isinstance(children[0], nodes.paragraph) else children


def table(claims: list[dict[str, Any]], placed: set[str]) -> str:
    """The table of the ledger as HTML. Claims whose line in the text has an id in `placed` are linked to
    it."""
    groups = {
        title: [row for row in of_article(claims) if group(row) == name] for name, title in GROUPS.items()
    }
    groups["What we add"] = [row for row in claims if is_extra(row["id"])]
    bodies = []
    for name, members in groups.items():
        if not members:
            continue
        lines = "".join(_row(row, placed) for row in members)
        bodies.append(f'<tbody><tr><th colspan="3" scope="rowgroup">{name}</th></tr>{lines}</tbody>')
    head = "<thead><tr><th>Claim</th><th>The article says</th><th>We found</th></tr></thead>"
    content = head + "".join(bodies)
    return (
        '<div class="scroll" role="region" tabindex="0" aria-label="Claims">'
        f'<table class="ledger-table">{content}</table></div>'
    )


def _row(row: dict[str, Any], placed: set[str]) -> str:
    id = row["id"]
    anchor = "" if id.lower() in placed else f' id="{id.lower()}"'
    name = f'<a href="#{id.lower()}">{id}</a>' if id.lower() in placed else id
    return (
        f'<tr{anchor}><td class="claim-name">{glyph(group(row))} {name}</td>'
        f"{''.join(says_and_found(row))}</tr>"
    )


def says_and_found(row: dict[str, Any]) -> tuple[str, str]:
    """The cells of a table with what the article says, and with what was found and when its bar was made."""
    found = inline(f"{row['found']} {row['because']}".rstrip())
    kind = "" if {"quoted", "later"} & set(row) else ' class="found"'
    who = "adds" if is_extra(row["id"]) else "says"
    return f'<td class="{who}">{inline(row["text"])}</td>', f"<td{kind}>{found}{bar_note(row)}</td>"


class Chapter(SphinxTransform):
    """Add the counts of verdicts to the head of a chapter, and make its ledger."""

    default_priority = 420

    def apply(self, **_: Any) -> None:
        docname = self.env.docname
        if PurePosixPath(docname).name not in chapters() or not docname.startswith("notebooks/"):
            return
        claims = of_article(rows(self.env, docname))
        summary = f"{total(claims)}, one mark each: {legend(claims)}"
        title = next(iter(self.document.findall(nodes.section)))
        paragraphs = [child for child in title.children if isinstance(child, nodes.paragraph)][:2]
        if len(paragraphs) == 2:
            lead, source = paragraphs
            lead["classes"].append("lead")
            source["classes"].append("article-source")
            link = (
                '<a class="claim-counts" href="#all-claims-of-the-article">'
                f"{marks(claims)} <span>{summary}</span></a>"
            )
            source.parent.insert(source.parent.index(source) + 1, html(link))
        for section in self.document.findall(nodes.section):
            if section[0].astext() == LEDGER_TITLE:
                self._ledger(section)

    def _ledger(self, section: nodes.section) -> None:
        claims = rows(self.env, self.env.docname)
        own = of_article(claims)
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
                f"All {total(own)} of the article" if len(own) > 1 else "The claim of the article",
                classes=["ledger-title"],
                **{"heading-level": 2},
            ),
            html(f'<span class="ledger-counts">{legend(own)}</span>{marks(own)}'),
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
            Fold("", heading, html(table(claims, placed)), *(code if rest else []), classes=["ledger"]),
        ]
        section["classes"].append("ledger-section")


def check(_: Sphinx, env: BuildEnvironment) -> None:
    """Warn about each claim of a written chapter that has no verdict and is not marked quoted or later."""
    for docname in env.found_docs:
        name = PurePosixPath(docname).name
        if docname.startswith("notebooks/") and name in chapters():
            given = _verdicts(env).get(docname, {})
            for id, entry in chapter_claims(name).items():
                if id not in given and not {"quoted", "later"} & set(entry):
                    logger.warning("claim %s has no verdict", id, location=docname)


def purge(_: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Delete the stored verdicts of a page that is read again."""
    _verdicts(env).pop(docname, None)


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_transform(Chapter)
    app.connect("env-check-consistency", check)
    app.connect("env-purge-doc", purge)
