"""Transforms of cells for the site: claims as lines, code folded (`folding`), source code with its file and
lines."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from extension import ledger
from extension.elements import Fold, Summary, fold
from extension.folding import FOLD_ABOVE, SOLUTION

logger = logging.getLogger(__name__)

SOURCE = "cell_code_source"


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


class Solutions(SphinxTransform):
    """Replace the section "Solution" of an exercise by a fold: its text and outputs, then all its code.

    The cell that judges the reader's function stands before the solution and contains the book's. Its code
    goes into the solution, too; its words remain below the question.
    """

    default_priority = 405

    def apply(self, **_: Any) -> None:
        for section in list(self.document.findall(nodes.section)):
            if section[0].astext() != SOLUTION:
                continue
            cells = [
                *(cell for cell in _cells(section.parent) if "tag_judge" in cell["classes"]),
                *_cells(section),
            ]
            sources = [child for cell in cells for child in cell if child.get("nb_element") == SOURCE]
            for source in sources:
                cell = source.parent
                cell.remove(source)
                if not cell.children:
                    cell.parent.remove(cell)
            code = [fold("Code", *sources, classes=["solution-code"])] if sources else []
            section.replace_self(fold(SOLUTION, *section[1:], *code, classes=["hide", "solution"]))


def _cells(node: nodes.Node) -> list[nodes.container]:
    """The code cells in a node."""
    return [box for box in node.findall(nodes.container) if box.get("nb_element") == "cell_code"]


class Cells(SphinxTransform):
    """Rearrange cells with claims, proofs and source code, and fold long code."""

    default_priority = 410

    def apply(self, **_: Any) -> None:
        env = self.document.settings.env
        for cell in _cells(self.document):
            tags = cell["cell_metadata"].get("tags", [])
            source = next((n for n in cell.children if n.get("nb_element") == SOURCE), None)
            claims = [node for node in cell.findall(nodes.container) if "claim" in node]
            for node in claims:
                ledger.store_verdict(env, env.docname, node)
            if source is not None and "proof" in tags:
                self._proof(cell, source)
            elif source is not None and cell.get("hide_mode") == "all" and self._derivations(cell):
                self._lemma(cell, source)
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

    @staticmethod
    def _derivations(cell: nodes.container) -> list[nodes.container]:
        return [node for node in cell.findall(nodes.container) if "derivation" in node["classes"]]

    @staticmethod
    def _lemma(cell: nodes.container, source: nodes.Element) -> None:
        """Replace a cell that is folded by a fold with what it shows, and in it a fold with its code."""
        title = cell["cell_metadata"].get("mystnb", {}).get("code_prompt_show", "Proof")
        shown = [child for child in cell.children if child is not source]
        del cell["hide_mode"]
        cell.children = []
        cell += fold(title, *shown, fold("Code", source, classes=["proof-code"]), classes=["hide", "proof"])

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
            if words == last and words.startswith("Given:"):
                given.children = []
                given += nodes.paragraph("", "Given as before.")
            last = words


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_transform(PreferKitMime)
    app.add_transform(Solutions)
    app.add_transform(Cells)
    app.add_transform(RepeatedAssumptions)
    app.add_post_transform(CodeBelow)
