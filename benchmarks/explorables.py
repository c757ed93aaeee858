"""Benchmark of two ways to show widgets and formulas on a static page: ours, and that of Jupyter Book 1.

    .venv/bin/python benchmarks/explorables.py [--navigations 15] [--json PATH] [--cache FOLDER]

Needs the built book (`make book`), Chromium (`make browser`), and npm with its registry. It serves two sites:
- ours, as built: our host reads a state without the JavaScript module of the widgets, which is a file of the
site, and formulas are MathML;
- stock, where our host, module and stylesheet are replaced by what myst-nb links by default (require.js, then
html-manager, at the versions below) with anywidget's AMD module from its wheel, and with the complete state
of the executed notebook. Formulas are LaTeX again, set by the MathJax that Sphinx links by default, with the
options of myst-parser. The Content-Security-Policy of the pages is removed, since html-manager violates it.
Our host removes the still picture when the widget is live; the stock pages keep it.
One local server serves both, so the network is not measured.

Every navigation has a new context (cold caches) in one browser, and the two routes alternate. The times to
the first and the last drawing are from the start of navigation until a live drawing has its curve in the
page. A page is complete when it has been painted, all of its formulas are set and the first drawing is there.
The time of a key is from its keydown to the end of the module's handler. Sizes are of response bodies;
gzip is `gzip -9` of each, except fonts, which are compressed already. What a route loads "for widgets" are
the files that the other route does not load, and the widgets' scripts in the page.
"""

import argparse
import gzip
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import jupytext
from jupyter_cache import get_cache
from playwright.sync_api import Browser, Response, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.book import browser as chromium  # noqa: E402  (the path comes first)

PAGES = ("notebooks/fourier_density", "notebooks/sgd", "index")
PACKAGES = ("requirejs@2.3.4", "@jupyter-widgets/html-manager@1.0.15", "mathjax@3.2.2")
MINIFIER = "terser@5.36.0"  # myst-nb links require.js minified, npm has it only in full
ANYWIDGET = Path(sys.prefix) / "share/jupyter/nbextensions/anywidget/index.js"
STATE, VIEW = (f'<script type="application/vnd.jupyter.widget-{kind}+json">' for kind in ("state", "view"))
LOCAL_ONLY = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"  # requests to other hosts fail
PRESSES = 50
GOALS = {"first drawing, ms": 0.6, "complete, ms": 0.2}  # ours to stock
WEIGHT = 300  # kB gzipped, of a chapter

# The folder of this script, from which requirejs loads anywidget, and html-manager its fonts.
PATHS = """const here = document.currentScript.src;
window.__jupyter_widgets_assets_path__ = new URL(".", here).href;
requirejs.config({ paths: { anywidget: new URL("anywidget", here).href } });
"""
# As myst-parser sets it
MATHJAX = """<script>
window.MathJax = {"options": {"processHtmlClass": "tex2jax_process|mathjax_process|math"}};
</script>
<script defer="defer" src="STATIC/mathjax/tex-mml-chtml.js"></script></head>"""
# Records when drawings appear, also in shadow trees, when the first and the last formula is set, and the
# times of keys. Still pictures do not match.
WATCH = """(() => {
  const bench = window.bench = { drawn: [], keys: [], formulas: [] }, roots = [], seen = new Set();
  const sets = ["math", "mjx-container"].map((tag) => document.getElementsByTagName(tag));
  let count = 0;
  const look = () => {
    const present = sets[0].length + sets[1].length;
    if (present > count) bench.formulas = [bench.formulas[0] ?? performance.now(), performance.now()];
    count = present;
    for (const root of roots) for (const live of root.querySelectorAll(".explorable-live")) {
      if (seen.has(live) || !live.querySelector('.mark path[d]:not([d=""])')) continue;
      seen.add(live);
      bench.drawn.push(performance.now());
    }
  };
  const watch = (root) => {
    roots.push(root);
    new MutationObserver(look).observe(root, { childList: true, subtree: true, attributeFilter: ["d"] });
    return root;
  };
  watch(document);
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) { return watch(attach.call(this, options)); };
  let down = 0;
  addEventListener("keydown", (event) => { down = event.timeStamp; }, true);
  addEventListener("input", () => { bench.keys.push(performance.now() - down); });
})();"""
QUIET = "() => Promise.all([window.MathJax?.startup?.promise, document.fonts.ready]).then(() => undefined)"
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
FORMULA = re.compile(
    r'<math([^>]*)>.*?<annotation encoding="application/x-tex">(.*?)</annotation></semantics></math>'
)


@dataclass
class Measurement:
    """One route on one page: times in milliseconds, and pairs of raw and gzipped sizes in bytes."""

    first: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    formula: list[float] = field(default_factory=list)
    complete: list[float] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)
    loaded: dict[str, tuple[int, int]] = field(default_factory=dict)
    inside: tuple[int, int] = (0, 0)  # the widgets' scripts in the page
    outside: set[str] = field(default_factory=set)


def fetch(folder: Path) -> Path:
    """The folder in `folder` with the files of the npm packages, downloaded if these versions are missing."""
    target, new = folder / re.sub(r"\W+", "-", " ".join(PACKAGES)), folder / "new"
    if target.is_dir():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    names = subprocess.check_output(["npm", "pack", "--silent", *PACKAGES], cwd=folder, text=True)
    for name in names.split():
        with tarfile.open(folder / name) as archive:
            archive.extractall(folder, filter="data")  # all into `package`
    shutil.copytree(folder / "package/dist", new, dirs_exist_ok=True)
    shutil.copytree(folder / "package/es5", new / "mathjax", dirs_exist_ok=True)
    minify = ["npm", "exec", "-y", MINIFIER, "--", "-c", "-m", "-o", "new/require.js", "package/require.js"]
    subprocess.run(minify, cwd=folder, check=True)
    return new.rename(target)


def make_stock(site: Path, name: str) -> None:
    """Change the page `name` in the folder `site` to the stock route.

    Exits with a message if the page is not of the same build as the executed notebook, or has another
    structure.
    """
    page = site / f"{name}.html"
    html = page.read_text(encoding="utf-8")
    _, notebook = get_cache(ROOT / "_build/.jupyter_cache").merge_match_into_notebook(
        jupytext.read(ROOT / f"{name}.md")
    )
    state = notebook["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]
    for view in re.findall(rf"{re.escape(VIEW)}(.*?)</script>", html):
        if json.loads(view)["model_id"] not in state["state"]:
            raise SystemExit(f"{name}: the site and the executed notebook are of different builds; run again")
    static = "../" * name.count("/") + "_static/stock"
    scripts = "".join(
        f'<script src="{static}/{file}.js" data-jupyter-widgets-cdn="https://cdn.jsdelivr.net/npm/"></script>'
        for file in ("require", "paths", "embed-amd")
    )
    whole = STATE + json.dumps(state).replace("</script>", r"<\/script>")  # as myst-nb writes it
    for pattern, text in (
        (r'<meta http-equiv="Content-Security-Policy"[^>]*>', ""),
        (r"<link [^>]*/explorable\.css[^>]*>", ""),
        (r"<script [^>]*/explorable\.js[^>]*></script>", ""),
        (r"<script [^>]*/afm-host\.js[^>]*></script>", scripts),
        (rf"(?s){re.escape(STATE)}.*?(?=</script>)", whole),
    ):
        html, count = re.subn(pattern, text.replace("\\", r"\\"), html)
        if count != 1:
            raise SystemExit(f"{name}: expected one match of {pattern}, got {count}")
    page.write_text(as_latex(html, static), encoding="utf-8")


def as_latex(html: str, static: str) -> str:
    """The page `html` with its formulas as LaTeX and MathJax from the folder `static`, if it has any."""

    def latex(formula: re.Match[str]) -> str:
        if "block" in formula[1]:
            return rf"\[{formula[2]}\]"
        return rf'<span class="math notranslate nohighlight">\({formula[2]}\)</span>'

    changed, count = FORMULA.subn(latex, html)
    if not count:
        return html
    # our script waits for the font of the formulas on pages of this class
    changed = changed.replace(' formulas"', '"', 1).replace(
        '<body class="', '<body class="tex2jax_ignore ', 1
    )
    return changed.replace("</head>", MATHJAX.replace("STATIC", static), 1)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve `folder` by HTTP from a new process; the value is its address."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "-b", "127.0.0.1", "-p", "HTTP/1.1"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=folder, text=True, **pipes) as process:
        try:
            assert process.stdout
            yield "http://127.0.0.1:" + process.stdout.readline().split(" port ")[1].split()[0]
        finally:
            process.terminate()


def visit(browser: Browser, start: str, name: str, into: Measurement) -> None:
    """Open a page with cold caches, and add times and, at the first visit, sizes to `into`."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(WATCH)
    tab = context.new_page()
    requests: list[str] = []
    responses: list[Response] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("response", lambda response: responses.append(response))
    tab.goto(f"{start}{name}.html")
    count = tab.content().count(VIEW)
    tab.wait_for_function("count => bench.drawn.length >= count", arg=count, timeout=60_000)
    tab.wait_for_load_state("networkidle")
    tab.evaluate(QUIET)
    drawn, formulas = tab.evaluate("bench.drawn"), tab.evaluate("bench.formulas")
    into.first.append(drawn[0])
    into.last.append(drawn[-1])
    into.formula += formulas[:1]
    into.complete.append(max(drawn[0], tab.evaluate(PAINTED), *formulas))
    slider = tab.locator(".explorable-live input[type=range]").first
    slider.focus()
    ahead = slider.evaluate("input => Number(input.value) < Number(input.max)")
    for press in range(PRESSES):
        tab.keyboard.press("ArrowRight" if (press % 2 == 0) == ahead else "ArrowLeft")
    into.keys += (keys := tab.evaluate("bench.keys"))
    assert len(keys) == PRESSES, f"{name}: {len(keys)} of {PRESSES} keys moved the slider"
    into.outside |= {url for url in requests if not url.startswith((start, "blob:", "data:"))}
    if not into.loaded:
        add_sizes([response for response in responses if response.url.startswith(start)], start, into)
    context.close()


def add_sizes(responses: list[Response], start: str, into: Measurement) -> None:
    """Add the sizes of the responses to `into`."""
    for response in responses:
        path = response.url.removeprefix(start).split("?")[0]
        assert response.ok, f"{response.status}: {path}"
        body = response.body()
        packed = len(body) if path.endswith("woff2") else len(gzip.compress(body, 9))
        into.loaded[path] = len(body), packed
        if path.endswith(".html"):
            bare = re.sub(rb'(?s)<script type="application/vnd\.jupyter\.widget-.*?</script>', b"", body)
            into.inside = len(body) - len(bare), packed - len(gzip.compress(bare, 9))


def summary(route: Measurement, other: Measurement) -> dict[str, float]:
    """The numbers of one route by name, with the unit in the name; `other` is the other route on the same
    page."""
    own = [size for path, size in route.loaded.items() if path not in other.loaded]
    raw, packed = (sum(size[i] for size in route.loaded.values()) / 1000 for i in (0, 1))
    own_raw, own_packed = ((sum(size[i] for size in own) + route.inside[i]) / 1000 for i in (0, 1))
    return {
        "requests": len(route.loaded),
        "kB": round(raw, 1),
        "kB gzipped": round(packed, 1),
        "for widgets: requests": len(own),
        "for widgets: kB": round(own_raw, 1),
        "for widgets: kB gzipped": round(own_packed, 1),
        **({"first formula, ms": round(statistics.median(route.formula), 1)} if route.formula else {}),
        "complete, ms": round(statistics.median(route.complete), 1),
        "complete, ms, least": round(min(route.complete), 1),
        "complete, ms, most": round(max(route.complete), 1),
        "first drawing, ms": round(statistics.median(route.first), 1),
        "first drawing, ms, least": round(min(route.first), 1),
        "first drawing, ms, most": round(max(route.first), 1),
        "last drawing, ms": round(statistics.median(route.last), 1),
        "key, ms": round(statistics.median(route.keys), 2),
        "key, ms, p90": round(statistics.quantiles(route.keys, n=10)[-1], 2),
        "requests to other hosts": len(route.outside),
    }


def main() -> None:
    """Measure both routes on all pages, print the numbers, and write them if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--navigations", type=int, default=15, help="number of navigations for each route and page"
    )
    parser.add_argument("--json", type=Path, help="file for the numbers")
    parser.add_argument("--cache", type=Path, help="folder that keeps the npm packages")
    options = parser.parse_args()
    results = {name: {"ours": Measurement(), "stock": Measurement()} for name in PAGES}
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        sites = Path(scratch) / "sites"
        for route in ("ours", "stock"):
            shutil.copytree(ROOT / "_build/html", sites / route)
        for name in PAGES:
            make_stock(sites / "stock", name)
        static = sites / "stock/_static/stock"
        shutil.copytree(fetch((options.cache or Path(scratch) / "npm").resolve()), static)
        shutil.copyfile(ANYWIDGET, static / "anywidget.js")
        (static / "paths.js").write_text(PATHS, encoding="utf-8")
        arguments = [*chromium.ARGUMENTS, LOCAL_ONLY]
        browser = playwright.chromium.launch(executable_path=chromium.installed(), args=arguments)
        machine = f"{os.cpu_count()} cores, Chromium {browser.version}, {date.today()}"
        with served(sites) as address:
            for turn in range(options.navigations + 1):  # the first warms the browser up
                for name, routes in results.items():
                    for route, measured in routes.items():
                        visit(browser, f"{address}/{route}/", name, measured if turn else Measurement())
        browser.close()
    machine += f", load {os.getloadavg()[2]:.1f}"
    report: dict[str, Any] = {"machine": machine, "navigations": options.navigations}
    print(f"{machine}; medians of {options.navigations} cold navigations, the routes in turn")
    for name, routes in results.items():
        ours, stock = (summary(routes[a], routes[b]) for a, b in (("ours", "stock"), ("stock", "ours")))
        outside = {route: sorted(measured.outside) for route, measured in routes.items()}
        report[name] = {"ours": ours, "stock": stock, "asked of other hosts": outside}
        print(f"\n{name:<28}{'ours':>9}{'stock':>9}{'ratio':>8}")
        for key, value in ours.items():
            ratio = f"{value / stock[key]:8.2f}" if stock[key] else ""
            goal = f"  (goal: at most {GOALS[key]})" if key in GOALS else ""
            if key == "kB gzipped" and name.startswith("notebooks/"):
                goal = f"  (goal: ours at most {WEIGHT} kB)"
            print(f"{key:<28}{value:>9}{stock[key]:>9}{ratio}{goal}")
        for route, urls in outside.items():
            print("".join(f"  {route} asks for {url}\n" for url in urls), end="")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
