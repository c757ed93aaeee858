"""Pictures with words: SVG that names itself, and an HTML image that keeps its words.

Notebook front ends show SVG as an image without alternative text, JupyterLab none at
all in a notebook that it does not trust. An HTML image is shown everywhere.
"""

import base64
import re
from html import escape


def with_words(svg: str, title: str, alt: str) -> str:
    """`svg` with a title and an alternative text."""
    named = f'<svg role="img" aria-label="{escape(alt)}" '
    svg = svg.replace("<svg ", named, 1)
    return svg.replace(">", f"><title>{escape(title)}</title>", 1)


def as_image(svg: str) -> str:
    """The result of `with_words` as an HTML image with the same words."""
    title, alt, width = (
        re.search(pattern, svg)[1]  # type: ignore[index]  # with_words wrote them
        for pattern in ("<title>(.*?)</title>", ' aria-label="(.*?)"', ' width="(.*?)"')
    )
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<img alt="{alt}" title="{title}" width="{width}" '
        f'src="data:image/svg+xml;base64,{data}">'
    )


def title_of(caption: str, alt: str) -> str:
    """The first sentence of a caption, which is bold there, or of `alt` if it holds a
    formula or there is no caption."""
    bold = re.match(r"\*\*([^*$]+)\*\*", caption)
    if bold:
        return re.sub("<[^>]*>", "", bold[1])
    return re.split(r"(?<=[.?!])\s", alt, maxsplit=1)[0]
