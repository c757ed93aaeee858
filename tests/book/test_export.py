"""Exported notebooks: plain Markdown, folded code, stable ids, and the text of the page."""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book"))

from explainers import resources  # noqa: E402  (the path comes first)
from explainers.notebook import picture  # noqa: E402
from extension import export  # noqa: E402

CHAPTERS = resources.chapters()
MYST = {
    "a directive": r"^\s*(?:`{3,}|:{3,}|~{3,})\s*\{",
    "the end of a colon fence": r"^\s*:{3,}\s*$",
    "a role": r"\{[\w:.+-]+\}`",
    "an option": r"^\s*:[\w-]+:(?:\s|$)",
    "a label": r"^\([\w-]+\)=",
    "a comment": r"^%",
    "a break between cells": r"^\+\+\+",
    "attributes": r"^\{[.#]|\]\{",
    "a link to a source file": r"\]\([^)]*\.md[)#]",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a bibliography and a glossary."""
    (tmp_path / "book").mkdir()
    (tmp_path / "book/references.bib").write_text(
        "@misc{two2001, author={Ah, A. and De la Beh, B.}, title={On It}, year={2001},\n"
        "  url={https://a.example/1}}\n"
        "@book{three1999, author={Ah, A. and Beh, B. and Ceh, C.}, title={All of It},\n"
        "  publisher={P}, year={1999}}\n"
    )
    (tmp_path / "book/glossary.md").write_text(
        "# Glossary\n\n```{glossary}\nnorm\n  The length of a {term}`vector`.\n\nvector\n  A list.\n```\n"
    )
    return tmp_path


def plain(folder: Path, source: str, prose: str = "") -> str:
    return export.MarkdownExporter(folder, folder, prose or source).plain(source)


def test_a_margin_note_becomes_a_quote(folder: Path) -> None:
    source = "Before.\n\n```{margin}\nA *note* of {term}`norm`.\n\nOf two.\n```\n\nAfter."
    assert plain(folder, source) == "Before.\n\n> A *note* of norm.\n>\n> Of two.\n\nAfter."
    assert plain(folder, ":::{margin} Title\nA note.\n:::") == "> **Title**\n>\n> A note."


def test_labelled_equations_are_numbered_in_the_order_of_the_page(folder: Path) -> None:
    first = "```{math}\n:label: one\na=b\n```"
    second = "As {eq}`two` and {eq}`one` say:\n\n```{math}\n:label: two\nc=d\n```\n\n```{math}\ne=f\n```"
    text = export.MarkdownExporter(folder, folder, f"{first}\n\n{second}")
    assert text.plain(first) == "$$\na=b\n\\tag{1}\n$$"
    assert text.plain(second) == "As (2) and (1) say:\n\n$$\nc=d\n\\tag{2}\n$$\n\n$$\ne=f\n$$"


def test_citations_name_their_authors_and_lead_to_the_source(folder: Path) -> None:
    assert plain(folder, "So {cite:p}`two2001,three1999`.") == (
        "So [[Ah and De la Beh, 2001](https://a.example/1), Ah *et al.*, 1999]."
    )
    assert plain(folder, "{cite:t}`two2001` and {cite}`three1999`") == (
        "Ah and De la Beh [[2001](https://a.example/1)] and [Ah *et al.*, 1999]"
    )


def test_what_was_named_is_explained_at_the_end(folder: Path) -> None:
    text = export.MarkdownExporter(folder, folder, "")
    assert (
        text.plain("{term}`Norms <norm>` {cite:p}`two2001`")
        == "Norms [[Ah and De la Beh, 2001](https://a.example/1)]"
    )
    terms, sources = text.terms_and_sources()
    assert terms == "## Terms\n\n- **norm**: The length of a vector."
    assert sources.startswith("## Sources\n\n- A. Ah and B. De la Beh. On it. 2001.")
    assert "(https://a.example/1)" in sources
    assert list(export.MarkdownExporter(folder, folder, "").terms_and_sources()) == []


def test_a_figure_stands_in_the_notebook_itself(folder: Path) -> None:
    (folder / "dot.svg").write_text("<svg/>")
    source = "```{figure} dot.svg\n:alt: A dot.\n\nWhat the *dot* is.\n```"
    assert plain(folder, source) == "![A dot.](data:image/svg+xml;base64,PHN2Zy8+)\n\nWhat the *dot* is."


def test_code_is_left_alone(folder: Path) -> None:
    assert plain(folder, "Write `{term}` or ``a`b``.") == "Write `{term}` or ``a`b``."
    fenced = "```python\nprint('{eq}`x`')\n```"
    assert plain(folder, fenced) == fenced


@pytest.mark.parametrize(
    ("source", "says"),
    [("```{note}\nx\n```", "directive {note} is not supported by the export"),
     ("{eq}`nothing`", "equation 'nothing'"), ("{cite:p}`nobody`", "source 'nobody'"),
     ("{term}`nowhere`", "term 'nowhere'")],
)  # fmt: skip
def test_what_cannot_be_resolved_is_named(folder: Path, source: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        plain(folder, source)


def made(folder: Path, *cells: nbformat.NotebookNode) -> nbformat.NotebookNode:
    config = dict.fromkeys(("notebooks_repository", "notebooks_branch", "notebooks_reference"), "x")
    (folder / "_config.yml").write_text(yaml.safe_dump({"sphinx": {"config": config}}))
    return export.notebook(folder, folder / "page.md", nbformat.v4.new_notebook(cells=list(cells)))


def squeezed(code: str) -> str:
    return "".join(code.split())


def code(source: str, *tags: str, title: str = "") -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell(source)
    cell.metadata["tags"] = [*tags]
    if title:
        cell.metadata["mystnb"] = {"code_prompt_show": title}
    return cell


def test_one_rule_folds_code_in_jupyterlab_and_in_colab(folder: Path) -> None:
    cells = made(
        folder, code("1"), code("\n".join("abcdefghijklmnopqrstuvwx")), code("1", "hide-input"),
        code("2", "hide-cell", title="The symbols"), code("p = show_proof(p)", "proof", title="Lemma"),
        code('claim("AB-01").holds(x)', "ledger"), code('x = 1\nclaim("AB-02").holds(x)'),
        code('d = derive(\n    "A sum")', "hide-input"), code('judge(\n    "f",\n)', "judge"),
        code("\n".join("abcdefghijklmnopqrstuvwxy")),
    ).cells  # fmt: skip
    titles = ["1", "a", "# @title Code", "# @title The symbols", "# @title Lemma", "# @title AB-01",
              "# @title AB-02", "# @title A sum", "# @title f", "# @title Code"]  # fmt: skip
    assert [cell.source.splitlines()[0] for cell in cells[1:]] == titles
    hidden = [(cell.metadata.get("cellView"), cell.metadata.get("jupyter")) for cell in cells[1:]]
    folded, open_ = ("form", {"source_hidden": True}), (None, None)
    assert hidden == [folded if title.startswith("#") else open_ for title in titles]


def test_a_solution_is_a_section_that_starts_collapsed_and_ends_at_the_next_heading(folder: Path) -> None:
    question = "### 1. Why?\n\nThink.\n\n#### Solution\n\nSo that $a=b$."
    text, after = (
        nbformat.v4.new_markdown_cell(words) for words in (question, "More.\n\n## What then\n\nEnd.")
    )
    notebook = made(folder, text, code("print('so')"), after, code("2"))
    assert [cell.source for cell in notebook.cells[1:]] == [
        "### 1. Why?\n\nThink.", "#### Solution", "So that $a=b$.", "# @title Code\nprint('so')",
        "More.", "## What then\n\nEnd.", "2",
    ]  # fmt: skip
    collapsed = [cell.metadata["id"] for cell in notebook.cells if cell.metadata.get(export.COLLAPSED)]
    assert collapsed == [notebook.cells[2].metadata["id"]] == notebook.metadata["colab"]["collapsed_sections"]


def test_a_widget_is_saved_as_its_picture(folder: Path) -> None:
    svg = picture.with_words('<svg width="9" xmlns="http://www.w3.org/2000/svg"/>', "A dot.", "One dot.")
    data = {export.VIEW: {"model_id": "1"}, "image/svg+xml": svg, "text/plain": "One dot."}
    cell = code("explore(f)")
    cell.outputs = [nbformat.v4.new_output("display_data", data)]
    (output,) = made(folder, cell).cells[1].outputs
    kept = {"image/svg+xml": svg, "text/plain": "One dot."}
    assert output.data == {**kept, "text/html": picture.as_image(svg)}
    assert 'alt="One dot." title="A dot." width="9"' in output.data["text/html"]


def test_ids_derive_from_the_content(folder: Path) -> None:
    first, again = (made(folder, code("1"), code("1")) for _ in range(2))
    ids = [cell.id for cell in first.cells]
    assert ids == [cell.id for cell in again.cells]
    assert len(set(ids)) == 3


def test_the_ids_of_widgets_derive_from_their_place_and_content() -> None:
    def executed(inner: str, outer: str, value: int) -> nbformat.NotebookNode:
        view = {"model_id": outer}
        cell = code("w")
        cell.outputs = [nbformat.v4.new_output("display_data", {"application/x-view+json": view})]
        state = {
            inner: {"state": {"value": value}},
            outer: {"state": {"child": f"IPY_MODEL_{inner}"}},
        }
        widgets = {export.WIDGETS: {"state": state}}
        return nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": widgets})

    def ids(notebook: nbformat.NotebookNode) -> tuple[str, str, str, str]:
        (inner, _), (outer, model) = notebook.metadata["widgets"][export.WIDGETS]["state"].items()
        return (
            inner,
            outer,
            model["state"]["child"],
            notebook.cells[0].outputs[0]["data"]["application/x-view+json"]["model_id"],
        )

    one, two = (ids(export.with_stable_ids(executed(c * 32, d * 32, 1))) for c, d in ("ab", "cd"))
    assert one == two
    assert one[2] == f"IPY_MODEL_{one[0]}"
    assert one[3] == one[1]
    other = ids(export.with_stable_ids(executed("a" * 32, "b" * 32, 2)))
    assert other[0] != one[0]


def test_the_addresses_stand_in_the_configuration_alone() -> None:
    address = export.Address.from_config(ROOT)
    assert address.repository.startswith("https://github.com/")
    texts = [
        path
        for name in ("*.md", "*.yml", "*.toml", "*.cff", "*.py", "*.html", "*.js", "Makefile")
        for path in ROOT.rglob(name)
        if not {".venv", "_build", ".git"} & set(path.relative_to(ROOT).parts)
    ]
    project = address.repository.removeprefix("https://github.com/")
    assert {path.name for path in texts if project in path.read_text(encoding="utf-8")} == {"_config.yml"}
    config = (ROOT / "_config.yml").read_text(encoding="utf-8")
    assert config.count(project) == 1
    for value in (address.branch, address.reference):
        assert len(re.findall(rf"\b{re.escape(value)}\b", config)) == 1


@pytest.mark.book
@pytest.mark.parametrize("name", CHAPTERS)
class TestOfTheBook:
    @staticmethod
    def notebook(site: Path, name: str) -> nbformat.NotebookNode:
        return nbformat.read(site / f"notebooks/{name}.ipynb", as_version=4)

    @staticmethod
    def page(site: Path, name: str) -> BeautifulSoup:
        return BeautifulSoup((site / f"notebooks/{name}.html").read_text(encoding="utf-8"), "html.parser")

    @staticmethod
    def source(name: str) -> str:
        return (ROOT / f"notebooks/{name}.md").read_text(encoding="utf-8")

    def test_it_is_valid_and_executed(self, name: str, site: Path) -> None:
        notebook = self.notebook(site, name)
        nbformat.validate(notebook)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert all(cell.execution_count for cell in cells[1:])
        errors = [o for cell in cells for o in cell.outputs if o.output_type == "error"]
        assert errors == []

    def test_no_myst_leaked(self, name: str, site: Path) -> None:
        for cell in self.notebook(site, name).cells:
            if cell.cell_type == "markdown":
                prose = re.sub(r"^```python$.*?^```$", "", cell.source, flags=re.M | re.S)
                for what, pattern in MYST.items():
                    assert not re.search(pattern, prose, flags=re.M), f"{what} in {cell.source!r}"

    def test_its_equations_and_citations_are_those_of_the_page(self, name: str, site: Path) -> None:
        page = self.page(site, name)
        prose = "\n".join(c.source for c in self.notebook(site, name).cells if c.cell_type == "markdown")
        numbers = [tag.get_text().strip("()#") for tag in page.select(".eqno")]
        assert re.findall(r"\\tag\{(\d+)\}", prose) == numbers
        # without links and emphasis, as the page reads
        read = re.sub(r"\[([^][]*)\]\([^)]*\)", r"\1", prose).replace("*", "")
        cited = [tag.get_text().replace("\xa0", " ") for tag in page.select("main .bibtex-citation")]
        assert len(cited) >= self.source(name).count("{cite")
        for words in cited:
            assert words in read

    def test_its_claims_and_derivations_are_plain(self, name: str, site: Path) -> None:
        outputs = [
            output.data
            for cell in self.notebook(site, name).cells
            if cell.cell_type == "code"
            for output in cell.outputs
            if "data" in output
        ]
        assert not [kind for data in outputs for kind in data if kind.startswith(export.OURS)]
        aligned = any("aligned" in data.get("text/markdown", "") for data in outputs)
        assert aligned == (".qed(" in self.source(name))
        verdicts = [data["text/plain"] for data in outputs if ". Found: " in data.get("text/plain", "")]
        listed = [entry for entry in resources.chapter_claims(name).values() if "bar" in entry]
        assert len(verdicts) == len(listed)
        for entry in listed:
            who = "We add" if "-X" in entry["id"] else "Article"
            assert any(words.startswith(f"{entry['id']}. {who}: {entry['text']}\n") for words in verdicts)

    def test_folded_code_carries_the_claim_in_words(self, name: str, site: Path) -> None:
        titles = [
            cell.source.partition("\n")[0]
            for cell in self.notebook(site, name).cells
            if cell.cell_type == "code"
        ]
        named = [title for title in titles if re.match(r"# @title [A-Z]+-\w\w\b", title)]
        texts = {id: entry["text"] for id, entry in resources.chapter_claims(name).items()}
        assert named
        for title in named:
            id = title.split()[2].rstrip(".")
            assert title.startswith(f"# @title {id}. {texts[id]}")

    def test_its_pictures_carry_their_words_and_stand_in_the_place_of_widgets(
        self, name: str, site: Path
    ) -> None:
        notebook = self.notebook(site, name)
        assert "widgets" not in notebook.metadata
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        pictures = {
            cell.id: output.data
            for cell in cells
            for output in cell.outputs
            if "image/svg+xml" in output.get("data", {})
        }
        calls = r"^(?:show\.figure|explore|lab)\("
        assert len(pictures) == len(re.findall(calls, self.source(name), flags=re.M))
        for data in pictures.values():
            assert export.VIEW not in data
            svg = ElementTree.fromstring(data["image/svg+xml"])
            image = BeautifulSoup(data["text/html"], "html.parser").img
            assert image is not None
            assert svg.attrib["role"] == "img"
            assert svg.attrib["aria-label"] == image["alt"] == data["text/plain"]
            assert svg[0].tag.endswith("title")
            assert svg[0].text == image["title"] != ""

    def test_nbconvert_describes_every_picture(self, name: str, site: Path) -> None:
        convert = HTMLExporter().from_notebook_node  # type: ignore[no-untyped-call]
        html, _ = convert(self.notebook(site, name))
        page = BeautifulSoup(html, "html.parser")
        assert "No description" not in html
        assert all(image.get("alt") for image in page.find_all("img"))
        shown = re.findall(r"^(?:show\.figure|explore|lab)\(", self.source(name), flags=re.M)
        assert len(page.select("img[src^='data:image/svg']")) == len(shown)

    def test_it_folds_the_code_that_the_page_folds(self, name: str, site: Path) -> None:
        page = self.page(site, name)
        for hidden in page.select("main details"):
            hidden.extract()
        open_code = {squeezed(code.get_text()) for code in page.select("main .cell_input pre")}
        for cell in self.notebook(site, name).cells[1:]:
            if cell.cell_type != "code" or "show_source(" in cell.source:  # the page leaves such calls out
                continue
            folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
            assert folded == cell.source.startswith("# @title")
            assert folded == (squeezed(cell.source) not in open_code), cell.source

    def test_the_page_leads_to_it(self, name: str, site: Path) -> None:
        colab, download = self.page(site, name).select(".article-source .run a")
        assert colab["href"] == export.Address.from_config(ROOT).colab_url(name)
        assert re.fullmatch(
            r"https://colab\.research\.google\.com/github/[\w-]+/[\w-]+/blob/[\w-]+/notebooks/\w+\.ipynb",
            str(colab["href"]),
        )
        assert download["href"] == f"{name}.ipynb"
        assert download.has_attr("download")
