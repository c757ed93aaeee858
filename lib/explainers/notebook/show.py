"""Display source code of the library, static figures and tables, on the site and in any
notebook."""

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
from explainers.notebook import picture, style
from explainers.notebook.words import tidy

SOURCE_MIME = "application/vnd.explainers.source+json"
FIGURE_MIME = "application/vnd.explainers.figure+json"
CAPTION_MIME = "application/vnd.explainers.caption+json"
TABLE_MIME = "application/vnd.explainers.table+json"
VIEW_MIME = "application/vnd.jupyter.widget-view+json"

_PHONE, _DPI = 358, 100
_ROOT = Path(explainers.__file__).parents[1]


class Source:
    """The source code of `obj`, with its file and its first and last line."""

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
    """The source code of a function or class of the library, to be displayed as the
    last expression of a cell.

    Raises `ValueError` if `obj` is not defined in the package `explainers`.
    """
    return Source(_check_ours(obj))


def _check_ours(obj: Any) -> Any:
    if not getattr(obj, "__module__", "").startswith("explainers."):
        raise ValueError(f"obj: {obj!r} is not defined in the package explainers")
    return obj


class _Folded(Source):
    """Source code that is folded in a plain notebook, too."""

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle = super()._repr_mimebundle_()
        code = bundle["text/markdown"]
        folded = f"<details><summary>Code</summary>\n\n{code}\n\n</details>"
        return bundle | {"text/markdown": folded}


def show_proof(prove: Callable[..., Any], *lemmas: Any) -> Any:
    """Display the derivation `prove(*lemmas)`, with the source code of `prove` below
    it, and return the derivation.

    `prove` is a function of `explainers.proofs`. Raises `ValueError` for a function
    from elsewhere, and any exception that `prove` raises.
    """
    source = _Folded(_check_ours(prove))
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
    """A figure in two layouts: panels side by side, and stacked for a phone.

    Each panel is a function that takes Matplotlib axes and draws into them; it is
    called once for each layout. `alt` describes the figure for those who do not see it.
    `ratios` are the relative widths of the panels, by default equal. In pixels, `width`
    is the total width side by side, and `height` and `phone_height` are the height of
    the plotting area of one panel in the two layouts. Raises `ValueError` if `alt` is
    blank, if there are no panels, or if `ratios` has another length.
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
            raise ValueError("alt: expected a description of the figure, got none")
        if not panels:
            raise ValueError("panels: expected at least one, got none")
        if ratios is not None and len(ratios) != len(panels):
            raise ValueError(f"ratios: expected {len(panels)}, got {len(ratios)}")
        self.panels, self.alt = panels, alt
        self.ratios = ratios or [1] * len(panels)
        self.width, self.height, self.phone_height = width, height, phone_height

    def __repr__(self) -> str:
        return self.alt

    def wide(self, *, fluid: bool = False) -> str:
        """The panels side by side as SVG, in the colours of the light theme.

        With `fluid=True` it shrinks to the width of its container.
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
        """The stacked panels as SVG, in the colours of the light theme."""
        style.use()
        ones = [1] * len(self.panels)
        return _svg(
            self.panels, ones, _PHONE, self.phone_height, stacked=True,
            salt=f"{self.alt} phone",
        )  # fmt: skip

    def mime(self, caption: str = "") -> dict[str, Any]:
        """The figure by MIME type: plain text, SVG and an HTML image with title and
        alternative text, and the form for the site, which holds both layouts and
        `caption`."""
        wide = self.wide()
        title = picture.title_of(caption, self.alt)
        named = picture.with_words(wide, title, self.alt)
        return {
            "text/plain": self.alt,
            "text/html": picture.as_image(named),
            "image/svg+xml": named,
            FIGURE_MIME: {
                "wide": _themed(wide),
                "phone": _themed(self.phone()),
                "alt": self.alt,
                "caption": caption,
            },
        }

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return self.mime()


def widget_bundle(
    bundle: Any,
    still: dict[str, Any],
    mime_type: str,
    extra: dict[str, Any],
    metadata: dict[str, Any] | None = None,
) -> Any:
    """The MIME bundle of a widget with its still picture, the result of `Drawing.mime`.

    There is no HTML image in it, which a front end might prefer to the widget; the
    export puts one in the widget's place. The form for the site, of type `mime_type`,
    is that of a figure with the keys of `extra` added. `metadata` holds what changes
    with every execution. Returns None if `bundle` is None, which Jupyter takes as
    nothing to display.
    """
    if bundle is None:
        return None
    data, known = bundle if isinstance(bundle, tuple) else (bundle, {})
    forms = {mime_type: still[FIGURE_MIME] | extra}
    forms |= {name: still[name] for name in ("text/plain", "image/svg+xml")}
    return {**data, **forms}, {**known, mime_type: metadata} if metadata else known


def figure(*panels: Callable[[Axes], object], caption: str = "", **layout: Any) -> None:
    """Display a `Drawing` of `panels` with its caption.

    `caption` is Markdown, its first sentence bold. The other keywords are those of
    `Drawing`; `alt` is required.
    """
    display(_Bundle(Drawing(*panels, **layout).mime(tidy(caption))))
    show_caption(tidy(caption))


def show_caption(text: str, **keywords: Any) -> Any:
    """Display a caption as an output of its own, for notebooks; the site shows the
    caption of the figure instead. `keywords` are those of `display`, whose result is
    returned."""
    return display(caption_output(text), **keywords) if text else None


def caption_output(text: str) -> Any:
    """What `show_caption` displays."""
    plain = re.sub(r"</?span[^>]*>", "", text)
    return _Bundle({"text/plain": plain, "text/markdown": plain, CAPTION_MIME: {}})


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    caption: str,
    record: Any = None,
) -> None:
    """Display a table, with a line below it that says where its numbers come from.

    Cells and caption are Markdown. `record` is the recorded run or the benchmark that
    the numbers were read from. Raises `ValueError` for a row that has more or fewer
    cells than `head`.
    """
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"rows: expected {len(head)} cells, got {row!r}")
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
    """One line about a recorded run or benchmark: what it is, device, version of torch,
    date, seconds, and the command that runs it again."""
    made = record.made
    date = datetime.date.fromisoformat(made["date"])
    return (
        f"{record.summary}, "
        f"{made['device']}, torch {made['versions']['torch'].partition('+')[0]}, "
        f"{date.day} {date:%B %Y}, {made['seconds']:.0f} s. Again with "
        f"`{made['command']}`."
    )


_EXTRA_DIGITS = re.compile(r"(\d+\.\d\d)\d+")


def _themed(svg: str) -> str:
    """`svg` with custom properties of the theme in place of the light theme's
    colours."""
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
    return _clean(file.getvalue(), width, total)


def _clean(svg: str, width: int, height: int) -> str:
    """Matplotlib's SVG without header, metadata and unused ids."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.S)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.S)
    used = set(re.findall(r"(?:url\(#|href=\"#)([^\")]+)", svg))
    svg = re.sub(r' id="([^"]+)"', lambda m: m[0] if m[1] in used else "", svg)
    # Matplotlib's style rule would apply to every element of the page
    svg = re.sub(r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>\s*", "", svg, flags=re.S)
    head = (
        '<svg stroke-linejoin="round" stroke-linecap="butt" '
        f'viewBox="0 0 {width * 0.72:g} {height * 0.72:g}" '
        f'width="{width}" height="{height}" xmlns="http://www.w3.org/2000/svg" '
        'xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    svg = re.sub(r"<svg[^>]*>", head, svg, count=1)
    # coordinates need no more than two decimals; numbers in a label keep theirs
    svg = re.sub(r"<[^>]*>", lambda tag: _EXTRA_DIGITS.sub(r"\1", tag[0]), svg)
    svg = re.sub(r'(?<= d=")[^"]*', lambda path: _shortened(path[0]), svg)
    return re.sub(r"\s*\n\s*", "\n", svg)


def _shortened(path: str) -> str:
    """The path of an SVG with lines from point to point in tenths, which is half of the
    size of a page's pictures."""
    if not re.fullmatch(r"[MLz\d\s.-]*", path):
        return path
    parts, x, y, start = [], 0, 0, (0, 0)
    for letter, right, down in re.findall(r"([ML]) (\S+) (\S+)|z", path):
        if not letter:
            parts.append("z")
            x, y = start
            continue
        dx, dy = round(10 * float(right)) - x, round(10 * float(down)) - y
        x, y = x + dx, y + dy
        if letter == "M":
            start = x, y
            parts.append(f"M{x / 10:g} {y / 10:g}")
        elif dx or dy or parts[-1][0] == "M":  # a line without a length is a dot
            parts.append(f"l{dx / 10:g} {dy / 10:g}")
    return "".join(parts)
