"""The search: sections, claims, terms, sources and functions are found, each with a line of context.

Sphinx's own index stays underneath, with its words and its stems; its documents are sections here.
"""

import json
import re
import textwrap
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString
from docutils import nodes
from docutils.utils import new_document
from sphinx.application import Sphinx
from sphinx.search import IndexBuilder
from sphinx.search import js_index as searchindex

# what is found: the element that has the address
PLACES = "section[id], .claim[id], .ledger-table tr[id], .glossary dt[id], dt.sig[id], .citation[id]"
UNREAD = (
    "script, style, template, noscript, pre, button, svg, input, "
    ".headerlink, .claim-code, .contents, .sig-paren, .opened"
)
# the pages that only list what stands elsewhere are found by their headings
LISTS = ("book/claims", "book/status")
TEXTS = "searchtexts.js"
BAR, HAT, TILDE = "\u0304", "\u0302", "\u0303"
_ACCENTS = {"¯": BAR, "_": BAR, "\u0332": BAR, "‾": BAR, "ˆ": HAT, "^": HAT, "˜": TILDE, "~": TILDE}


def text_of(math: Tag) -> str:
    """A formula as a line that can be read and searched: `η_t ≤ 1/√T`, never its LaTeX."""
    children = [child for child in math.children if isinstance(child, Tag) and child.name != "annotation"]
    inner = [text_of(child) for child in children]
    match math.name:
        case "msub" | "munder":
            return f"{inner[0]}_{_grouped(inner[1])}"
        case "mover":
            return inner[0] + _ACCENTS.get(inner[1].strip(), "")
        case "msup":
            prime = inner[1].strip() in ("′", "″", "*", "∗")
            return inner[0] + inner[1] if prime else f"{inner[0]}^{_grouped(inner[1])}"
        case "msubsup" | "munderover":
            return f"{inner[0]}_{_grouped(inner[1])}^{_grouped(inner[2])}"
        case "mfrac":
            return f"{_grouped(inner[0])}/{_grouped(inner[1])}"
        case "msqrt":
            return f"√{_grouped(''.join(inner))}"
        case "mi" | "mn" | "mtext":
            return math.get_text()
        case "mo":
            sign = math.get_text()
            return f" {sign} " if sign in "=<>≤≥≠≈+∈→∼≔" or sign in "−-" else sign
        case "mspace":
            return " "
    return "".join(inner)


def _grouped(text: str) -> str:
    return text if len(text.strip()) <= 1 or re.fullmatch(r"[\w.]+|\(.*\)", text) else f"({text.strip()})"


def places(html: str, page: str) -> Iterator[dict[str, str]]:
    """What can be found on a built page: its id, its title and its text without that of places inside it."""
    main = BeautifulSoup(html, "html.parser").select_one("main")
    if main is None:
        return
    for math in main.select("math"):
        math.replace_with(f"{text_of(math)} " if math.get("display") == "block" else text_of(math))
    for block in main.select("td, th, p, li, dd, div, summary, tr, h1, h2, h3, h4, option"):
        block.append(" ")
    if page in LISTS:  # their rows stand elsewhere, or change with every build
        for body in main.select("tbody"):
            body.decompose()
    titles = {id(place): _title(place) for place in main.select(PLACES)}
    for unread in main.select(UNREAD):
        unread.decompose()
    for place in main.select(PLACES):
        body = place
        if place.name == "dt":
            described = place.find_next_sibling("dd")
            body = described if isinstance(described, Tag) else place
        yield {
            "id": str(place["id"]),
            "title": titles[id(place)],
            "text": _own(body),
        }


def _title(place: Tag) -> str:
    if place.name == "section":
        heading = place.find(re.compile("^h[1-6]$"))
        return _plain(heading.get_text().rstrip("# \n")) if heading else ""
    classes = place.get_attribute_list("class")
    if place.name == "tr" or "claim" in classes:
        return str(place["id"]).upper()
    if "sig" in classes:
        return str(place["id"]).removeprefix("explainers.")
    if place.name == "dt":
        return _plain(place.get_text().rstrip("# \n"))
    source = _plain(place.get_text()).lstrip("[0123456789] ").split(" URL: ")[0]
    return textwrap.shorten(source, 120, placeholder=" …")


def _own(body: Tag) -> str:
    """The text of a place, without that of the places inside it and without its heading."""
    parts: list[str] = []

    def collect(node: Tag) -> None:
        for child in node.children:
            if isinstance(child, NavigableString):
                parts.append(str(child))
            elif isinstance(child, Tag) and child.name not in ("h1", "h2", "h3"):
                inside = child.get("id") and child in found
                if not inside and not (child.name == "dd" and child.find_previous_sibling("dt") in found):
                    collect(child)

    found = body.select(PLACES)
    collect(body)
    return _plain("".join(parts))


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _words(text: str) -> str:
    """A text with its words as they are typed: without accents, and the parts of a name beside it."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", plain)
    return f"{plain} {parts}" if parts != plain else plain


def write(app: Sphinx, error: Exception | None) -> None:
    """Write Sphinx's index of all places, and their texts beside it."""
    if error is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    # beside the index of the pages, which Sphinx has fed and keeps in its environment
    kept = (
        "titles", "filenames", "mapping", "title_mapping", "all_titles", "index_entries",
        "objtypes", "objnames",
    )  # fmt: skip
    empty: dict[str, dict[Any, Any]] = {f"_search_index_{name}": {} for name in kept}
    environment = SimpleNamespace(domains={}, version=app.env.version, **empty)
    index = IndexBuilder(cast(Any, environment), "en", {}, "")
    texts: list[list[str]] = []
    for page in sorted(app.env.found_docs):
        html = (out / f"{page}.html").read_text(encoding="utf-8")
        found = list(places(html, page))
        name = found[0]["title"]  # the page's own section
        for place in found:
            key = f"{len(texts):05d}"  # Sphinx sorts its documents by name
            document = new_document(key)
            title = nodes.title(text=_words(place["title"]))
            document += nodes.section("", title, nodes.paragraph(text=_words(place["text"])))
            index.feed(key, "", place["title"], document)
            texts.append([page, place["id"], place["title"], name, place["text"]])
    with (out / "searchindex.js").open("w", encoding="utf-8") as file:
        index.dump(file, searchindex)
    written = json.dumps(texts, ensure_ascii=False, separators=(",", ":"))
    (out / TEXTS).write_text(f"const TEXTS = {written};\n", encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.connect("build-finished", write, priority=500)
