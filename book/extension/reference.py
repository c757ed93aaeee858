"""Docstrings for the reference of the library: they are plain text, and autodoc expects reStructuredText."""

import re

from sphinx.application import Sphinx


def escape(_: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Escape | and *, as in |A|^2 and (n, *batch), outside of code; `lines` is changed in place."""
    for index, line in enumerate(lines):
        parts = re.split(r"(`[^`]*`)", line)
        parts[::2] = [re.sub(r"\||(?<=[(\s])\*(?=\w+[,)])", r"\\\g<0>", part) for part in parts[::2]]
        lines[index] = "".join(parts)


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")  # defines the event
    app.connect("autodoc-process-docstring", escape)
