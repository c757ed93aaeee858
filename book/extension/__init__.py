"""The book's Sphinx extension: its theme, the claims of every page, and the pages made of them."""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

BOOK = Path(__file__).parents[1]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register everything; Sphinx calls this."""
    # here and not above: these read the book's library, whose place build.py sets before Sphinx starts
    from extension import assets, cells, elements, export, ledger, outdated, places, reference, widgets

    app.add_config_value(
        "comments_config", {}, "html"
    )  # Jupyter Book sets it whether its extension is there or not
    app.add_html_theme("book", str(BOOK / "theme"))
    for module in (elements, cells, ledger, export, places, outdated, reference, widgets, assets):
        module.setup(app)
    app.set_html_assets_policy("always")  # then assets.choose decides, also for formulas in a table made late
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
