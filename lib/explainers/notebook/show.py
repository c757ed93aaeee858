"""Show the library's source and static figures, on the site and in any notebook."""

import datetime
import inspect
import io
import re
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import explainers
from explainers.notebook import style
from explainers.notebook.words import tidy

SOURCE_MIME = "application/vnd.explainers.source+json"
FIGURE_MIME = "application/vnd.explainers.figure+json"
CAPTION_MIME = "application/vnd.explainers.caption+json"
TABLE_MIME = "application/vnd.explainers.table+json"
VIEW_MIME = "application/vnd.jupyter.widget-view+json"

_PHONE, _DPI = 358, 100
_ROOT = Path(explainers.__file__).parents[1]


class Source:
    """A piece of the library, as it stands in its file."""

    def __init__(self, obj: Any) -> None:
        obj = inspect.unwrap(obj)  # checked at call time in the tests
        lines, self.first = inspect.getsourcelines(obj)
        self.code = textwrap.dedent("".join(lines))
        self.last = self.first + len(lines) - 1
        self.path = str(
            Path(inspect.getsourcefile(obj) or "").relative_to(_ROOT).as_posix()
        )

    def __repr__(self) -> str:
        return f"# {self.path}, lines {self.first} to {self.last}\n{self.code.rstrip()}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {
            "text/plain": repr(self),
            "text/markdown": f"```python\n{self!r}\n```",
            SOURCE_MIME: {
                "path": self.path,
                "first": self.first,
                "last": self.last,
                "code": self.code,
            },
        }


def show_source(obj: Any) -> Source:
    """The source of a function or class of the library, to stand as a cell's last
    expression."""
    return Source(_ours(obj))


def _ours(obj: Any) -> Any:
    if not getattr(obj, "__module__", "").startswith("explainers."):
        raise ValueError(f"obj: {obj!r} does not come from the library")
    return obj


class _Folded(Source):
    """The same, folded in a plain notebook too."""

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle = super()._repr_mimebundle_()
        code = bundle["text/markdown"]
        folded = f"<details><summary>Code</summary>\n\n{code}\n\n</details>"
        return bundle | {"text/markdown": folded}


def show_proof(prove: Callable[..., Any], *lemmas: Any) -> Any:
    """Display the derivation that `prove(*lemmas)` makes, and behind it the source of
    `prove`, a function of `explainers.proofs`; return the derivation.

    Raises `ValueError` for a function that does not come from the library, and whatever
    the proof raises.
    """
    source = _Folded(_ours(prove))
    derivation = prove(*lemmas)
    display(derivation)
    display(source)
    return derivation


class _Bundle:
    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return self.data


class Drawing:
    """Panels side by side, stacked on a phone, and a text that says what is seen.

    Each panel is a function that draws into the Matplotlib axes it is given; it is
    called once for each of the two layouts. `width` is that of all panels together
    where they stand side by side, `height` and `phone_height` those of one panel's
    plotting area, in pixels. Raises `ValueError` without `alt` or without panels.
    """

    def __init__(
        self,
        *panels: Callable[[Axes], object],
        alt: str,
        ratios: Sequence[float | int] | None = None,
        width: int = 896,
        height: int = 280,
        phone_height: int = 220,
    ) -> None:
        if not alt.strip():
            raise ValueError("alt: say in words what is seen")
        if not panels:
            raise ValueError("panels: there is nothing to draw")
        if ratios is not None and len(ratios) != len(panels):
            raise ValueError(f"ratios: {len(ratios)} for {len(panels)} panels")
        self.panels, self.alt = panels, alt
        self.ratios = ratios or [1] * len(panels)
        self.width, self.height, self.phone_height = width, height, phone_height

    def __repr__(self) -> str:
        return self.alt

    def wide(self, *, fluid: bool = False) -> str:
        """The SVG of the panels side by side, in the light theme's colours.

        It has its own size; with `fluid` it shrinks with what holds it.
        """
        style.use()
        shape = "width: 100%; height: auto; " if fluid else ""
        svg = _svg(
            self.panels, self.ratios, self.width, self.height, stacked=False,
            salt=f"{self.alt} wide",
        )  # fmt: skip
        return svg.replace(
            "<svg ", f'<svg style="{shape}max-width: {self.width}px" ', 1
        )

    def phone(self) -> str:
        """The SVG of the panels stacked."""
        style.use()
        ones = [1] * len(self.panels)
        return _svg(
            self.panels, ones, _PHONE, self.phone_height, stacked=True,
            salt=f"{self.alt} phone",
        )  # fmt: skip

    def mime(self, caption: str = "") -> dict[str, Any]:
        """All forms of it by MIME type, the site's own with `caption`."""
        wide = self.wide()
        return {
            "text/plain": self.alt,
            "image/svg+xml": wide,
            FIGURE_MIME: {
                "wide": _themed(wide),
                "phone": _themed(self.phone()),
                "alt": self.alt,
                "caption": caption,
            },
        }

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return self.mime()


def with_widget(
    bundle: Any,
    drawn: dict[str, Any],
    kind: str,
    ours: dict[str, Any],
    metadata: dict[str, Any] | None = None,
) -> Any:
    """The MIME bundle of a widget together with its still picture, `Drawing.mime`.

    The site's own form, of type `kind`, is that of a figure and what `ours` adds;
    `metadata` is what may differ from one execution to the next.
    """
    if bundle is None:  # it is not to be shown
        return None
    data, known = bundle if isinstance(bundle, tuple) else (bundle, {})
    forms = {kind: drawn[FIGURE_MIME] | ours}
    forms |= {name: drawn[name] for name in ("text/plain", "image/svg+xml")}
    return {**data, **forms}, {**known, kind: metadata} if metadata else known


def figure(*panels: Callable[[Axes], object], caption: str = "", **layout: Any) -> None:
    """Display a `Drawing` of `panels` with its caption.

    `caption` is Markdown, its first sentence bold; the other keywords are those of
    `Drawing`, and `alt` is one that has to be given.
    """
    display(_Bundle(Drawing(*panels, **layout).mime(tidy(caption))))
    show_caption(tidy(caption))


def show_caption(text: str) -> None:
    """Display a caption under a figure; on the site the figure itself has it."""
    if text:
        plain = re.sub(r"</?span[^>]*>", "", text)
        display(
            _Bundle({"text/plain": plain, "text/markdown": plain, CAPTION_MIME: {}})
        )


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    caption: str,
    record: Any = None,
) -> None:
    """Display a table, and under it where its numbers come from.

    Cells are Markdown. `record` is the recorded run or benchmark behind it, of
    `explainers.experiments`; a stale one should be said so in the caption.
    Raises `ValueError` for a row that is not as long as the head.
    """
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"rows: {row!r} has not {len(head)} cells")
    cells = [[tidy(cell) for cell in row] for row in rows]
    source = "" if record is None else provenance(record)
    lines = [
        "| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *cells]
    ]
    plain = "\n\n".join(filter(None, [tidy(caption), "\n".join(lines), source]))
    data = {
        "head": list(head),
        "rows": cells,
        "caption": tidy(caption),
        "source": source,
    }
    display(_Bundle({"text/plain": plain, "text/markdown": plain, TABLE_MIME: data}))


def provenance(record: Any) -> str:
    """One line on what a recorded run or benchmark is and how it was made."""
    made = record.made
    date = datetime.date.fromisoformat(made["date"])
    return (
        f"{record.summary}, "
        f"{made['device']}, torch {made['versions']['torch'].partition('+')[0]}, "
        f"{date.day} {date:%B %Y}, {made['seconds']:.0f} s. Again with "
        f"`{made['command']}`."
    )


_LONG = re.compile(r"(\d+\.\d\d)\d+")


def _themed(svg: str) -> str:
    """`svg` with the theme's tokens in place of the light theme's colours."""
    names = {value: name for name, value in style.COLOURS.items()}
    return re.sub(
        r"#[0-9a-f]{6}",
        lambda m: f"var(--{names[m[0]]})" if m[0] in names else m[0],
        svg,
    )


def _svg(
    panels: Sequence[Callable[[Axes], object]],
    ratios: Sequence[float | int],
    width: int,
    height: int,
    stacked: bool,
    salt: str,
) -> str:
    top, bottom, gap = 36, 28, 44
    rows, columns = (len(panels), 1) if stacked else (1, len(panels))
    total = rows * (top + height + bottom)
    # Figure() instead of pyplot: nothing is left open, and no backend shows the figure
    # a second time
    drawing = Figure(figsize=(width / _DPI, total / _DPI), dpi=_DPI)
    usable = width - 4 - gap * (columns - 1)
    left = 2.0
    for index, panel in enumerate(panels):
        share = ratios[index] / sum(ratios) * usable if not stacked else usable
        y = total - (index + 1 if stacked else 1) * (top + height + bottom) + bottom
        panel(
            drawing.add_axes((left / width, y / total, share / width, height / total))
        )
        left += 0 if stacked else share + gap
    file = io.StringIO()
    # ids come from the salt: one for each figure and layout keeps them apart on a page
    with mpl.rc_context({"svg.hashsalt": salt}):
        drawing.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return _light(file.getvalue(), width, total)


def _light(svg: str, width: int, height: int) -> str:
    """Matplotlib's SVG without header, metadata, and ids that nothing refers to."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.S)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.S)
    used = set(re.findall(r"(?:url\(#|href=\"#)([^\")]+)", svg))
    svg = re.sub(r' id="([^"]+)"', lambda m: m[0] if m[1] in used else "", svg)
    # Matplotlib's own rule is for every element of the page that holds the drawing
    svg = re.sub(r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>\s*", "", svg, flags=re.S)
    head = (
        '<svg stroke-linejoin="round" stroke-linecap="butt" '
        f'viewBox="0 0 {width * 0.72:g} {height * 0.72:g}" '
        f'width="{width}" height="{height}" xmlns="http://www.w3.org/2000/svg" '
        'xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    svg = re.sub(r"<svg[^>]*>", head, svg, count=1)
    # coordinates need no more than two decimals; numbers in a label keep theirs
    svg = re.sub(r"<[^>]*>", lambda tag: _LONG.sub(r"\1", tag[0]), svg)
    return re.sub(r"\s*\n\s*", "\n", svg)
