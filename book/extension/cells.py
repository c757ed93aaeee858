"""Transforms of cells for the site: claims as lines, code folded, source code with its file and lines."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from extension import ledger
from extension.elements import Fold, Summary, fold

logger = logging.getLogger(__name__)

FOLD_ABOVE = 24  # lines: longer code is folded


class PreferKitMime(SphinxTransform):
    """Replace an output that has a MIME type of the notebook kit by this form alone.

    myst-nb keeps all forms of an output until it writes a page. Until then the others would be part of the
    page, in the search index and in the numbering of equations.
    """

    default_priority = 400

    def apply(self, **_: Any) -> None:
        for bundle in list(self.document.findall(nodes.container)):
            if bundle.get("nb_element") != "mime_bundle":
                continue
            for form in bundle.children:
                if form["mime_type"].startswith("application/vnd.explainers."):
                    bundle.replace_self(form.children)
                    break


class Cells(SphinxTransform):
    """Rearrange cells with claims, proofs and source code, and fold long code."""

    default_priority = 410

    def apply(self, **_: Any) -> None:
        env = self.document.settings.env
        boxes = list(self.document.findall(nodes.container))
        for cell in [node for node in boxes if node.get("nb_element") == "cell_code"]:
            tags = cell["cell_metadata"].get("tags", [])
            source = next((n for n in cell.children if n.get("nb_element") == "cell_code_source"), None)
            claims = [node for node in cell.findall(nodes.container) if "claim" in node]
            for node in claims:
                ledger.store_verdict(env, env.docname, node)
            if source is not None and "proof" in tags:
                self._proof(cell, source)
            elif source is not None and "ledger" in tags:
                title = self._ledger_title(cell, claims)
                cell.replace_self(Fold("", title, source, classes=["cell", "ledger-cell"]))
            elif source is not None and claims:
                self._claim(cell, source, claims)
            elif source is not None and "hide_mode" not in cell:
                self._fold_long(source)
            for listing in [node for node in cell.findall(nodes.container) if "source" in node["classes"]]:
                if "proof" not in tags:
                    self._fold_long(listing, listing["lines"])
                # the call of show_source is redundant
                if source in cell.children:
                    cell.remove(source)

    @staticmethod
    def _ledger_title(cell: nodes.container, claims: list[nodes.container]) -> Summary:
        """What the code in the ledger is for: the claims that it decides, in words, and what it derives."""
        title = Summary("")
        for node in claims:
            # without formulas, which the table above has and which weigh a lot as MathML
            words = [
                nodes.Text("…") if isinstance(part, nodes.math) else part.deepcopy()
                for part in ledger.inlines(node[0])
            ]
            title += nodes.inline("", node["claim"]["id"], classes=["claim-id"])
            title += [nodes.Text(" "), *words, nodes.Text(" ")]
        boxes = cell.findall(nodes.container)
        derived = [node.astext() for node in boxes if "derivation-title" in node["classes"]]
        title += nodes.Text("; ".join(derived))
        return title if title.astext() else Summary("", nodes.Text("Preparation"))

    @staticmethod
    def _proof(cell: nodes.container, source: nodes.Element) -> None:
        """Replace a cell by a fold with the derivation, and in it a fold with the call and its source
        code."""
        boxes = list(cell.findall(nodes.container))
        derivation = next(node for node in boxes if "derivation" in node["classes"])
        listing = next(node for node in boxes if "source" in node["classes"])
        title = cell["cell_metadata"].get("mystnb", {}).get("code_prompt_show") or derivation[0].astext()
        code = fold("Code", source, listing, classes=["proof-code"])
        cell.children = []
        cell += fold(title, derivation, code, classes=["hide", "proof"])

    def _claim(self, cell: nodes.container, source: nodes.Element, claims: list[nodes.container]) -> None:
        if len(claims) > 1:
            logger.warning(
                "a cell in the text gives one verdict: %s", claims[1]["claim"]["id"], location=cell
            )
        line = ledger.claim_line(claims[0], source)
        for node in claims:
            node.parent.remove(node)
        cell.remove(source)
        cell.replace_self([*(child for child in cell.children if child.children), line])

    @staticmethod
    def _fold_long(listing: nodes.Element, lines: int | None = None) -> None:
        code = next(iter(listing.findall(nodes.literal_block)), None)
        if code is None:
            return
        count = lines or code.astext().count("\n") + 1
        if count > FOLD_ABOVE:
            code.replace_self(fold(f"Show {count} lines", code.deepcopy(), classes=["long-code"]))


class CodeBelow(SphinxPostTransform):
    """Move the folded code of a figure below it, in the order in which a reader tabs through the page."""

    default_priority = 200  # right after myst-nb folds it
    formats = ("html",)

    def run(self, **_: Any) -> None:
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("hide_mode") == "input" and len(cell.children) > 1:
                cell.append(cell.pop(0))


class RepeatedAssumptions(SphinxTransform):
    """Shorten the assumptions of a derivation that are those of the previous one to "Given as before."."""

    default_priority = 415

    def apply(self, **_: Any) -> None:
        last = ""
        for given in [n for n in self.document.findall(nodes.container) if "assumptions" in n["classes"]]:
            words = given.astext()
            if words == last:
                given.children = []
                given += nodes.paragraph("", "Given as before.")
            last = words


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_transform(PreferKitMime)
    app.add_transform(Cells)
    app.add_transform(RepeatedAssumptions)
    app.add_post_transform(CodeBelow)
