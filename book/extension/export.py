"""A chapter as a plain notebook: what Colab, JupyterLab and VS Code show without knowing of MyST.

The book allows little Markdown beyond CommonMark (`lint`), so little has to be resolved: margin notes become
quotes, labelled equations get their number, references to equations, terms and sources become words, and the
sources and terms that were named stand at the end. The code cells keep their outputs and widgets; the cells
that the site folds are folded here too.
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

WIDGETS = "application/vnd.jupyter.widget-state+json"
COLAB = "https://colab.research.google.com/github/{project}/blob/{branch}/notebooks/{name}.ipynb"
INSTALL = '''\
# @title Install the book's library (in Colab half a minute; nothing to do where it is here already)
# nbval ignores what this prints: it says what the machine had before.
import importlib.metadata as packages
import os
import subprocess
import sys


def install(source):
    """Install with pip, and say what that changed."""
    before = {each.name: each.version for each in packages.distributions()}
    if "explainers" in before:
        return f"explainers {before['explainers']} is here already."
    pip = [sys.executable, "-m", "pip", "install", "--quiet", source]
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"pip could not install {source}:\\n{done.stderr}")
    after = {each.name: each.version for each in packages.distributions()}
    new = sorted(f"{name} {after[name]}" for name in after.keys() - before.keys())
    other = [name for name in before if after.get(name) != before[name]]
    words = f"Installed {', '.join(new)}."
    if other:
        words += f" Changed {', '.join(other)}: restart the session before you go on."
    return words + f" PyTorch is {after['torch']}."


print(install(os.environ.get("EXPLAINERS_SOURCE", "git+REPOSITORY@REFERENCE")))'''
OURS = "application/vnd.explainers."
SOLUTION = "Solution"
COLLAPSED = "jp-MarkdownHeadingCollapsed"  # a heading, in JupyterLab
FOLDED = {"jupyter": {"source_hidden": True}, "cellView": "form"}  # code, in JupyterLab and in Colab
_FENCE = re.compile(r"^ *(`{3,}|:{3,})\{(\w+)\} *(.*)$")
_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_ROLE = re.compile(r"\{(term|eq|cite|cite:[tp])\}`([^`]+)`|(`+).*?\3")


@dataclass(frozen=True)
class Address:
    """Where the exported notebooks are kept, and which version of the library they install."""

    repository: str
    branch: str
    reference: str

    @classmethod
    def of(cls, root: Path) -> "Address":
        """As the book's configuration has it."""
        config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]
        return cls(*(config[f"notebooks_{key}"] for key in ("repository", "branch", "reference")))

    def in_colab(self, name: str) -> str:
        """The address under which Colab opens the notebook of a chapter."""
        project = self.repository.removeprefix("https://github.com/")
        return COLAB.format(project=project, branch=self.branch, name=name)

    def install(self) -> str:
        """The code of the first cell."""
        return INSTALL.replace("REPOSITORY", self.repository).replace("REFERENCE", self.reference)


class Text:
    """The Markdown of one page, made plain cell after cell."""

    def __init__(self, root: Path, folder: Path, prose: str) -> None:
        self.root, self.folder = root, folder
        labels = re.findall(r"^:label: *(\S+)", prose, flags=re.M)
        self.numbers = {label: number for number, label in enumerate(labels, start=1)}
        self.sources: dict[str, Entry] = {}
        self.terms: dict[str, str] = {}

    def plain(self, source: str) -> str:
        """The Markdown of a cell without MyST."""
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
        raise ValueError(f"directive {{{name}}} has no plain form")

    def _words(self, line: str) -> str:
        """A line with its roles resolved; what stands in backticks is code and left alone."""
        return _ROLE.sub(lambda found: self._role(found) if found[1] else found[0], line)

    def _role(self, role: re.Match[str]) -> str:
        kind, content = role[1], role[2]
        if kind == "eq":
            return f"({self._number(content)})"
        if kind == "term":
            words, _, target = content.partition(" <")
            name = target.rstrip(">") or words
            self.terms[name] = _found("term", name, _glossary(self.root), name.lower())
            return words
        keys = [key.strip() for key in content.split(",")]
        entries = [_found("source", key, _bibliography(self.root)) for key in keys]
        self.sources.update(zip(keys, entries, strict=True))
        if kind == "cite:t":
            return ", ".join(f"{_names(e)} [{_linked(e.fields['year'], e)}]" for e in entries)
        return "[" + ", ".join(_linked(f"{_names(e)}, {e.fields['year']}", e) for e in entries) + "]"

    def _number(self, label: str) -> int:
        return int(_found("equation", label, self.numbers))

    def closing(self) -> Iterator[str]:
        """The cells that say what the terms mean and which the sources are."""
        if self.terms:
            named = sorted(self.terms.items(), key=lambda item: item[0].lower())
            plain = Text(self.root, self.root / "book", "")
            lines = [f"- **{name}**: {plain.plain(meaning)}" for name, meaning in named]
            yield "## Terms\n\n" + "\n".join(lines)
        if self.sources:
            listed = PybtexEngine().format_from_files(
                [str(self.root / "book/references.bib")], style="plain", citations=[*self.sources],
                output_backend="markdown",
            )  # fmt: skip
            # it escapes all punctuation, also where that has no meaning
            read = re.sub(r"\\([^\w\s*_`\[\]\\])", r"\1", listed)
            entries = [" ".join(each.split()) for each in re.split(r"^\[\d+\] ", read, flags=re.M)[1:]]
            yield "## Sources\n\n" + "\n".join(f"- {entry}" for entry in entries)


def _found(what: str, name: str, known: dict[str, Any], key: str = "") -> Any:
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
    """The authors as the site has them: all of two, or the first of more."""
    people = [" ".join(map(str, p.rich_prelast_names + p.rich_last_names)) for p in entry.persons["author"]]
    return " and ".join(people) if len(people) < 3 else f"{people[0]} *et al.*"


def _linked(words: str, entry: Entry) -> str:
    return f"[{words}]({entry.fields['url']})" if "url" in entry.fields else words


def notebook(root: Path, path: Path, executed: NotebookNode) -> NotebookNode:
    """The executed notebook of the page at `path` as one that any Jupyter shows as it is meant."""
    prose = "\n".join(cell.source for cell in executed.cells if cell.cell_type == "markdown")
    text = Text(root, path.parent, prose)
    first = nbformat.v4.new_code_cell(Address.of(root).install(), metadata=FOLDED)
    first.metadata["tags"] = ["nbval-ignore-output"]
    cells = [first]
    for cell in executed.cells:
        cells += _code(cell) if cell.cell_type == "code" else [_markdown(text.plain(cell.source))]
    cells += [_markdown(words) for words in text.closing()]
    for number, cell in enumerate(cells):
        cell.id = hashlib.sha256(f"{number} {cell.source}".encode()).hexdigest()[:8]
        cell.metadata["id"] = cell.id  # where Colab looks for it
    kept = ("kernelspec", "language_info", "widgets")
    metadata = {key: executed.metadata[key] for key in kept if key in executed.metadata}
    collapsed = [cell.id for cell in cells if COLLAPSED in cell.metadata]
    name = path.with_suffix(".ipynb").name
    metadata["colab"] = {"name": name, "provenance": [], "collapsed_sections": collapsed}
    made = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(made)
    return made


def _markdown(source: str, **metadata: bool) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(source, metadata=metadata)


def _code(cell: NotebookNode) -> list[NotebookNode]:
    """A code cell with its outputs, out of sight if the site folds it."""
    tags = cell.metadata.get("tags", [])
    title = cell.metadata.get("mystnb", {}).get("code_prompt_show", "")
    plain = nbformat.v4.new_code_cell(cell.source, execution_count=cell.execution_count)
    plain.outputs = [_plain_output(output) for output in cell.outputs]
    for_nbval = [tag for tag in tags if tag.startswith("nbval-")]
    if for_nbval:
        plain.metadata["tags"] = for_nbval
    if title == SOLUTION:  # in a section of its own, since Colab can fold that and no output
        return [_markdown(f"#### {SOLUTION}", **{COLLAPSED: True}), plain]
    if {"hide-input", "hide-cell", "ledger", "proof"} & set(tags):
        named = re.search(r'(?:derive|claim)\(\s*"([^"]+)"', cell.source)
        plain.source = f"# @title {title or (named[1] if named else 'Code')}\n{cell.source}"
        plain.metadata.update(FOLDED)
    return [plain]


def _plain_output(output: NotebookNode) -> NotebookNode:
    """The output without the forms that only the site knows."""
    kept = NotebookNode(output)
    for part in {"data", "metadata"} & set(kept):
        kept[part] = {kind: form for kind, form in kept[part].items() if not kind.startswith(OURS)}
    return kept


def steady(executed: NotebookNode) -> NotebookNode:
    """The notebook with ids of widgets that derive from what they hold, the same at every execution."""
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
    """Say under a chapter's title where its notebook runs, and give it."""
    name = docname.removeprefix("notebooks/")
    for line in [node for node in doctree.findall(nodes.paragraph) if "article-source" in node["classes"]]:
        url = escape(Address.of(Path(app.srcdir)).in_colab(name))
        line += html(
            f' <span class="run"><a href="{url}">Run it in Colab</a> or '
            f'<a href="{escape(name)}.ipynb" download>download the notebook</a>.</span>'
        )


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    for key in ("repository", "branch", "reference"):
        app.add_config_value(f"notebooks_{key}", "", "env")
    app.connect("doctree-resolved", link_notebooks)
