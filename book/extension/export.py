"""Export of a chapter as a notebook for Colab, JupyterLab and VS Code, which do not support MyST.

`lint` allows few directives and roles of MyST. Here margin notes become quotes, labelled equations get their
number, references to equations, terms and sources become text, and the terms and sources that were used are
listed at the end. Code cells keep their outputs, and are folded if the site folds them
(`folding.is_folded`). A solution is a section that starts collapsed. In the place of a widget, which needs a
kernel, stands its picture with its words; the widget comes when the cell is run.
"""

import base64
import hashlib
import json
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import nbformat
import yaml
from docutils import nodes
from nbformat import NotebookNode
from pybtex import PybtexEngine
from pybtex.database import Entry, parse_file
from sphinx.application import Sphinx

from extension.elements import html
from extension.folding import SOLUTION, is_folded

WIDGETS = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
COLAB = "https://colab.research.google.com/github/{project}/blob/{branch}/notebooks/{name}.ipynb"
INSTALL = '''\
# @title Install the book's library (in Colab half a minute; nothing to do where it is here already)
# nbval ignores the output: it depends on the packages that were installed before.
import importlib.metadata as packages
import os
import subprocess
import sys


def install(source):
    """Install `source` with pip; return one line about what changed."""
    before = {package.name: package.version for package in packages.distributions()}
    if "explainers" in before:
        return f"explainers {before['explainers']} is here already."
    pip = [sys.executable, "-m", "pip", "install", "--quiet", source]
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"pip could not install {source}:\\n{done.stderr}")
    after = {package.name: package.version for package in packages.distributions()}
    new = sorted(f"{name} {after[name]}" for name in after.keys() - before.keys())
    other = [name for name in before if after.get(name) != before[name]]
    words = f"Installed {', '.join(new)}."
    if other:
        words += f" Changed {', '.join(other)}: restart the session before you go on."
    return words + f" PyTorch is {after['torch']}."


print(install(os.environ.get("EXPLAINERS_SOURCE", "git+REPOSITORY@REFERENCE")))'''
OURS = "application/vnd.explainers."
COLLAPSED = "jp-MarkdownHeadingCollapsed"  # a heading, in JupyterLab
FOLDED = {"jupyter": {"source_hidden": True}, "cellView": "form"}  # code, in JupyterLab and in Colab
_HEADING = f"#### {SOLUTION}"
_FENCE = re.compile(r"^ *(`{3,}|:{3,})\{(\w+)\} *(.*)$")
_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_ROLE = re.compile(r"\{(term|eq|cite|cite:[tp])\}`([^`]+)`|(`+).*?\3")


@dataclass(frozen=True)
class Address:
    """The repository and branch of the exported notebooks, and the git reference of the library they
    install."""

    repository: str
    branch: str
    reference: str

    @classmethod
    def from_config(cls, root: Path) -> "Address":
        """The address in `_config.yml` of the book at `root`."""
        config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]
        return cls(*(config[f"notebooks_{key}"] for key in ("repository", "branch", "reference")))

    def colab_url(self, name: str) -> str:
        """The URL that opens the notebook of the chapter `name` in Colab."""
        project = self.repository.removeprefix("https://github.com/")
        return COLAB.format(project=project, branch=self.branch, name=name)

    def install_code(self) -> str:
        """The code of the first cell, which installs the library."""
        return INSTALL.replace("REPOSITORY", self.repository).replace("REFERENCE", self.reference)


class MarkdownExporter:
    """Converts the Markdown of one page, cell by cell, and collects the terms and sources that it uses.

    `root` is the folder of the book, `folder` that of the page, and `prose` all Markdown of the page.
    """

    def __init__(self, root: Path, folder: Path, prose: str) -> None:
        self.root, self.folder = root, folder
        labels = re.findall(r"^:label: *(\S+)", prose, flags=re.M)
        self.numbers = {label: number for number, label in enumerate(labels, start=1)}
        self.sources: dict[str, Entry] = {}
        self.terms: dict[str, str] = {}

    def plain(self, source: str) -> str:
        """The CommonMark of a cell.

        Raises `ValueError` for other directives, and for labels, terms and sources that the book does not
        have.
        """
        lines, out = iter(source.splitlines()), []
        for line in lines:
            if opened := _FENCE.match(line):
                out += self._directive(opened[2], opened[3], list(_until(opened[1], lines)))
            elif fence := re.match(r"`{3,}", line):
                out += [line, *_until(fence[0], lines), fence[0]]
            else:
                out.append(self._words(line))
        return "\n".join(out)

    def _directive(self, name: str, argument: str, body: list[str]) -> list[str]:
        options = {}
        while body and (option := re.match(r":(\w+): *(.*)", body[0])):
            options[option[1]] = option[2]
            body = body[1:]
        if name == "math":
            tag = [f"\\tag{{{self._number(options['label'])}}}"] if "label" in options else []
            return ["$$", *body, *tag, "$$"]
        words = self.plain("\n".join(body)).strip().splitlines()
        if name == "margin":
            title = [f"**{argument}**", ""] if argument else []
            return [f"> {line}".rstrip() for line in [*title, *words]]
        if name == "figure":
            image = (self.folder / argument).read_bytes()
            kind, _ = mimetypes.guess_type(argument)
            data = base64.b64encode(image).decode()
            return [f"![{options.get('alt', '')}](data:{kind};base64,{data})", "", *words]
        raise ValueError(f"directive {{{name}}} is not supported by the export")

    def _words(self, line: str) -> str:
        """A line with its roles replaced by text, except in code between backticks."""
        return _ROLE.sub(lambda match: self._role(match) if match[1] else match[0], line)

    def _role(self, role: re.Match[str]) -> str:
        kind, content = role[1], role[2]
        if kind == "eq":
            return f"({self._number(content)})"
        if kind == "term":
            words, _, target = content.partition(" <")
            name = target.rstrip(">") or words
            self.terms[name] = _lookup("term", name, _glossary(self.root), name.lower())
            return words
        keys = [key.strip() for key in content.split(",")]
        entries = [_lookup("source", key, _bibliography(self.root)) for key in keys]
        self.sources.update(zip(keys, entries, strict=True))
        if kind == "cite:t":
            return ", ".join(f"{_names(e)} [{_linked(e.fields['year'], e)}]" for e in entries)
        return "[" + ", ".join(_linked(f"{_names(e)}, {e.fields['year']}", e) for e in entries) + "]"

    def _number(self, label: str) -> int:
        return int(_lookup("equation", label, self.numbers))

    def terms_and_sources(self) -> Iterator[str]:
        """The Markdown of the last cells: the definitions of the terms, and the sources."""
        if self.terms:
            named = sorted(self.terms.items(), key=lambda item: item[0].lower())
            plain = MarkdownExporter(self.root, self.root / "book", "")
            lines = [f"- **{name}**: {plain.plain(meaning)}" for name, meaning in named]
            yield "## Terms\n\n" + "\n".join(lines)
        if self.sources:
            listed = PybtexEngine().format_from_files(
                [str(self.root / "book/references.bib")], style="plain", citations=[*self.sources],
                output_backend="markdown",
            )  # fmt: skip
            # it escapes all punctuation, even where that is not needed
            unescaped = re.sub(r"\\([^\w\s*_`\[\]\\])", r"\1", listed)
            texts = re.split(r"^\[\d+\] ", unescaped, flags=re.M)[1:]
            entries = [" ".join(text.split()) for text in texts]
            yield "## Sources\n\n" + "\n".join(f"- {entry}" for entry in entries)


def _lookup(what: str, name: str, known: dict[str, Any], key: str = "") -> Any:
    if (key or name) not in known:
        raise ValueError(f"the book has no {what} {name!r}")
    return known[key or name]


def _until(fence: str, lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line.strip() == fence:
            return
        yield line


@cache
def _bibliography(root: Path) -> dict[str, Entry]:
    return dict(parse_file(str(root / "book/references.bib")).entries)


@cache
def _glossary(root: Path) -> dict[str, str]:
    text = (root / "book/glossary.md").read_text(encoding="utf-8")
    return {name.lower(): meaning for name, meaning in re.findall(r"^(\S.*)\n {2}(\S.*)$", text, flags=re.M)}


def _names(entry: Entry) -> str:
    """The last names of the authors: one or two, or the first one and "et al."."""
    people = [" ".join(map(str, p.rich_prelast_names + p.rich_last_names)) for p in entry.persons["author"]]
    return " and ".join(people) if len(people) < 3 else f"{people[0]} *et al.*"


def _linked(words: str, entry: Entry) -> str:
    return f"[{words}]({entry.fields['url']})" if "url" in entry.fields else words


def notebook(root: Path, path: Path, executed: NotebookNode) -> NotebookNode:
    """The exported notebook of the page at `path`, from its `executed` notebook."""
    prose = "\n".join(cell.source for cell in executed.cells if cell.cell_type == "markdown")
    exporter = MarkdownExporter(root, path.parent, prose)
    first = nbformat.v4.new_code_cell(Address.from_config(root).install_code(), metadata=FOLDED)
    first.metadata["tags"] = ["nbval-ignore-output"]
    cells, in_solution = [first], False
    for cell in executed.cells:
        if cell.cell_type == "code":
            cells.append(_code(cell, in_solution=in_solution))
            continue
        for part in _sections(exporter.plain(cell.source), in_solution=in_solution):
            if re.match("#{1,4} ", part):
                in_solution = part == _HEADING
            cells.append(_markdown(part, **{COLLAPSED: True} if part == _HEADING else {}))
    cells += [_markdown(words) for words in exporter.terms_and_sources()]
    for number, cell in enumerate(cells):
        cell.id = hashlib.sha256(f"{number} {cell.source}".encode()).hexdigest()[:8]
        cell.metadata["id"] = cell.id  # Colab reads it there
    keys = ("kernelspec", "language_info")
    metadata = {key: executed.metadata[key] for key in keys if key in executed.metadata}
    collapsed = [cell.id for cell in cells if COLLAPSED in cell.metadata]
    name = path.with_suffix(".ipynb").name
    metadata["colab"] = {"name": name, "provenance": [], "collapsed_sections": collapsed}
    exported = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(exported)
    return exported


def _markdown(source: str, **metadata: bool) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(source, metadata=metadata)


def _sections(text: str, *, in_solution: bool) -> list[str]:
    """`text` as parts, so that a solution's heading is one of its own, and the next heading begins one: front
    ends fold what lies between them."""
    if not in_solution and _HEADING not in text:
        return [text]
    parts = re.split(rf"^({_HEADING})$|^(?=#{{1,3}} )", text, flags=re.M)
    return [part.strip() for part in parts if part and part.strip()]


def _code(cell: NotebookNode, *, in_solution: bool) -> NotebookNode:
    """A code cell with its outputs, folded if the site folds it."""
    tags = cell.metadata.get("tags", [])
    title = cell.metadata.get("mystnb", {}).get("code_prompt_show", "")
    plain = nbformat.v4.new_code_cell(cell.source, execution_count=cell.execution_count)
    plain.outputs = [_plain_output(output) for output in cell.outputs]
    for_nbval = [tag for tag in tags if tag.startswith("nbval-")]
    if for_nbval:
        plain.metadata["tags"] = for_nbval
    if is_folded(cell.source, tags, in_solution=in_solution):
        plain.source = f"# @title {title or _named(cell)}\n{cell.source}"
        plain.metadata.update(FOLDED)
    return plain


def _named(cell: NotebookNode) -> str:
    """What folded code is for: the claims that it decides, in words, or a derivation."""
    claims = [data for output in cell.outputs if (data := output.get("data", {}).get(f"{OURS}claim+json"))]
    if claims:
        return " ".join(f"{data['id']}. {data['text']}" for data in claims)
    named = re.search(r'(?:derive|claim|judge)\(\s*"([^"]+)"', cell.source)
    return named[1] if named else "Code"


def _plain_output(output: NotebookNode) -> NotebookNode:
    """The output without the MIME types of the notebook kit, which only the site uses, and with a widget's
    picture in its place."""
    plain = NotebookNode(output)
    for part in {"data", "metadata"} & set(plain):
        plain[part] = {kind: form for kind, form in plain[part].items() if not kind.startswith(OURS)}
    data = plain.get("data", {})
    if data.pop(VIEW, None):
        from explainers.notebook import picture  # not at the top: build.py first sets the path of the library

        data["text/html"] = picture.as_image(data["image/svg+xml"])
    return plain


def with_stable_ids(executed: NotebookNode) -> NotebookNode:
    """The notebook with ids of widgets that are hashes of their position and content instead of random."""
    models = executed.metadata.get("widgets", {}).get(WIDGETS, {}).get("state", {})
    places = {id: str(number) for number, id in enumerate(models)}

    def renamed(names: dict[str, str], content: Any) -> str:
        return _ID.sub(lambda id: names.get(id[0], id[0]), json.dumps(content))

    names = {
        id: hashlib.sha256(f"{places[id]} {renamed(places, model)}".encode()).hexdigest()[:32]
        for id, model in models.items()
    }
    return nbformat.from_dict(json.loads(renamed(names, executed)))


def link_notebooks(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Add links to Colab and to the exported notebook below the title of a chapter."""
    name = docname.removeprefix("notebooks/")
    for line in [node for node in doctree.findall(nodes.paragraph) if "article-source" in node["classes"]]:
        url = escape(Address.from_config(Path(app.srcdir)).colab_url(name))
        line += html(
            f' <span class="run"><a href="{url}">Run it in Colab</a> or '
            f'<a href="{escape(name)}.ipynb" download>download the notebook</a>.</span>'
        )


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    for key in ("repository", "branch", "reference"):
        app.add_config_value(f"notebooks_{key}", "", "env")
    app.connect("doctree-resolved", link_notebooks)
