"""What each page loads, and what the finished site holds: no more than it needs, and all of it local."""

import re
import shutil
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from extension import places, widgets

SEARCH_SCRIPTS = ("documentation_options", "doctools", "sphinx_highlight")  # and those of search.html
KEPT = (  # of what Sphinx copies into _static
    "book.css", "page.js", "icon.svg", "fonts", "mathjax", "searchtools.js", "language_data.js",
    widgets.HOST, widgets.MODULE, widgets.LOOK,
    *(f"{name}.js" for name in SEARCH_SCRIPTS),
)  # fmt: skip
# the classes of Pygments that the stylesheet gives a tone: comments, strings, keywords, numbers
TONED = "c|c1|cm|ch|sd|gp|s|s1|s2|sa|sb|k|kn|kd|kc|kr|ow|kt|mi|mf|mh|mb|il"
MATHJAX = "mathjax/tex-chtml.js"


def choose(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], _: nodes.document | None
) -> None:
    """Keep a page's own script and style, MathJax where there is a formula; give templates their data."""
    formulas = 'class="math ' in context.get("body", "")
    wanted = ["page.js"]
    if templatename == "search.html":
        wanted += [f"{name}.js" for name in SEARCH_SCRIPTS]
    scripts, styles = context["script_files"], ["book.css"]
    if "data-explorable" in context.get("body", ""):
        wanted += [widgets.MODULE, widgets.HOST]
        styles.append(widgets.LOOK)
        context["widget_state"] = (widgets.STATE, widgets.take_state(scripts))
    wanted += [MATHJAX] if formulas else []
    # in the order of `wanted`: deferred scripts run as they stand, and the formulas' engine takes its time
    context["script_files"] = [f for name in wanted for f in scripts if str(f.filename).endswith(name)]
    context["css_files"] = [
        f for f in context["css_files"] if any(str(f.filename).endswith(name) for name in styles)
    ]
    context["parts"], context["itself"] = places.parts(app.env), places.itself(app.env)
    context["kind"] = (
        "home"
        if pagename == app.config.root_doc
        else "chapter"
        if pagename.startswith("notebooks/")
        else "page"
    )
    # a chapter's neighbours in its own folder are chapters; the pages about the book are not read in turn
    for name, link in (("before", context.get("prev")), ("after", context.get("next"))):
        context[name] = link if link and "/" not in link["link"] else None
    # docutils gives these roles that the accessibility rules do not know, and levels that they miss
    for key in ("body", "toc"):
        for role in (' role="doc-backlink"', ' role="list"', ' role="doc-biblioentry"', ' role="listitem"'):
            context[key] = context.get(key, "").replace(role, "")
    body = context["body"].replace(' aria-label="Toggle hidden content"', "")
    # Pygments marks every token; the marks without a tone are a third of a chapter's weight
    context["body"] = re.sub(rf'<span class="(?!(?:{TONED})")[a-z]{{1,2}}\d?">([^<]*)</span>', r"\1", body)


def finish(app: Sphinx, error: Exception | None) -> None:
    """Copy MathJax in, and take out what no page links."""
    if error is not None:
        return
    static = Path(app.outdir) / "_static"
    package = Path(
        str(distribution("sphinx-mathjax-offline").locate_file("sphinx-mathjax-offline/static/mathjax"))
    )
    for name in ("tex-chtml.js", "output/chtml/fonts/woff-v2"):
        source, target = package / name, static / "mathjax" / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)
    for path in static.iterdir():
        if path.name not in KEPT:
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
