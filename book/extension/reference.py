"""The reference of the library: docstrings as they are written for readers of the code."""

import re

from sphinx.application import Sphinx


def escape(_: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Keep |A|^2 and (n, *batch) from being read as reStructuredText, outside of code."""
    for index, line in enumerate(lines):
        parts = re.split(r"(`[^`]*`)", line)
        parts[::2] = [re.sub(r"\||(?<=[(\s])\*(?=\w+[,)])", r"\\\g<0>", part) for part in parts[::2]]
        lines[index] = "".join(parts)


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")  # whose event this is
    app.connect("autodoc-process-docstring", escape)
