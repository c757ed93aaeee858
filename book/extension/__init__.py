"""The Sphinx extension of the book: theme, outputs of the notebooks, claims, and export of notebooks."""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

BOOK = Path(__file__).parents[1]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the theme and all modules of the extension; Sphinx calls this."""
    # not at the top: these import the book's library, whose path build.py sets before Sphinx starts
    from extension import (
        assets,
        cells,
        elements,
        export,
        formulas,
        ledger,
        outdated,
        places,
        reference,
        search,
        widgets,
    )

    app.add_config_value(
        "comments_config", {}, "html"
    )  # Jupyter Book sets this value even without the extension that defines it
    app.add_html_theme("book", str(BOOK / "theme"))
    for module in (
        elements,
        formulas,
        cells,
        ledger,
        export,
        places,
        outdated,
        reference,
        search,
        widgets,
        assets,
    ):
        module.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
