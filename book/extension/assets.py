"""The scripts and stylesheets of each page and of the site: only those that are needed, all of them local."""

import re
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from extension import formulas, places, widgets

SEARCH_SCRIPTS = ("documentation_options", "doctools", "sphinx_highlight")  # and those of search.html
STATIC_FILES = (  # of those that Sphinx copies into _static, these are used
    "book.css", "page.js", "icon.svg", "fonts", "searchtools.js", "language_data.js", "search.js",
    widgets.HOST, widgets.MODULE, widgets.STYLESHEET,
    *(f"{name}.js" for name in SEARCH_SCRIPTS),
)  # fmt: skip
WRITTEN_HERE = ("book.css", "page.js", "search.js")
# the Pygments classes that the stylesheet colours, as short elements: comments, strings, keywords, numbers
COLOURED = {
    "i": "c|c1|cm|ch|sd|gp",
    "q": "s|s1|s2|sa|sb",
    "b": "k|kn|kd|kc|kr|ow|kt",
    "u": "mi|mf|mh|mb|il",
}
_ELEMENTS = {name: element for element, names in COLOURED.items() for name in names.split("|")}


def choose(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], _: nodes.document | None
) -> None:
    """Reduce the scripts and stylesheets of a page to those that it needs, and add data for the templates."""
    wanted = ["page.js"]
    if templatename == "search.html":
        wanted += [f"{name}.js" for name in SEARCH_SCRIPTS]
    scripts, styles = context["script_files"], ["book.css"]
    if "data-explorable" in context.get("body", ""):
        wanted += [widgets.MODULE, widgets.HOST]
        styles.append(widgets.STYLESHEET)
        context["widget_state"] = (widgets.STATE, widgets.page_state(scripts))
    context["script_files"] = [f for name in wanted for f in scripts if str(f.filename).endswith(name)]
    context["css_files"] = [
        f for f in context["css_files"] if any(str(f.filename).endswith(name) for name in styles)
    ]
    # the fonts that the first screen may need beside those of text and labels, as classes for page.js
    kinds = {"italics": "<em", "formulas": "<math"}
    context["fonts"] = " ".join(name for name, tag in kinds.items() if tag in context.get("body", ""))
    context["parts"], context["itself"] = places.parts(app.env), places.book_pages(app.env)
    context["kind"] = (
        "home"
        if pagename == app.config.root_doc
        else "chapter"
        if pagename.startswith("notebooks/")
        else "page"
    )
    # chapters are read in turn, pages about the book are not
    for name, link in (("before", context.get("prev")), ("after", context.get("next"))):
        context[name] = link if link and "/" not in link["link"] else None
    # docutils writes ARIA roles that violate the accessibility rules
    for key in ("body", "toc"):
        for role in (' role="doc-backlink"', ' role="list"', ' role="doc-biblioentry"', ' role="listitem"'):
            context[key] = context.get(key, "").replace(role, "")
    body = context["body"].replace(' aria-label="Toggle hidden content"', "")
    body = re.sub(
        r'<div class="highlight">.*?</div>', lambda listing: lightened(listing[0]), body, flags=re.S
    )
    context["body"] = formulas.in_lines(_classes(body))


def _classes(body: str) -> str:
    """The body without the classes that docutils puts on all its elements and no stylesheet names."""

    def kept(found: re.Match[str]) -> str:
        names = [name for name in found[1].split() if name not in ("docutils", "container")]
        return f' class="{" ".join(names)}"' if names else ""

    return re.sub(r' class="([^"<>]*)"', kept, body)


def lightened(listing: str) -> str:
    """A listing of code with the marks that have a colour only: Pygments marks every token, which would be a
    third of the size of a chapter."""

    def mark(token: re.Match[str]) -> str:
        element = _ELEMENTS.get(token[1])
        return f"<{element}>{token[2]}</{element}>" if element else token[2]

    marked = re.sub(r'<span class="([a-z]{1,2}\d?)">([^<]*)</span>', mark, listing)
    return re.sub(rf"</({'|'.join(COLOURED)})>(\s*)<\1>", r"\2", marked)


def finish(app: Sphinx, error: Exception | None) -> None:
    """Delete files that no page uses."""
    if error is not None:
        return
    static = Path(app.outdir) / "_static"
    for name in WRITTEN_HERE:
        text = (static / name).read_text(encoding="utf-8")
        (static / name).write_text(widgets.without_comments(text, name), encoding="utf-8")
    for path in static.iterdir():
        if path.name not in STATIC_FILES:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in (".buildinfo", "jupyter_execute", "reports"):
        path = Path(app.outdir) / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_js_file("page.js", priority=1)
    app.connect("html-page-context", choose, priority=900)
    app.connect("build-finished", finish, priority=900)
