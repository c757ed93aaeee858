"""The pages that Sphinx must read again although their source is unchanged."""

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from extension import fingerprint, ledger


def find(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """The notebooks whose fingerprint changed; after any change also the pages that summarize all
    chapters."""
    root = Path(app.srcdir)
    known: dict[str, str] = env.__dict__.get("page_fingerprints", {})
    current = {
        name.removesuffix(".md"): fingerprint.of_page(root, name) for name in fingerprint.notebooks(root)
    }
    env.__dict__["page_fingerprints"] = current
    stale = {name for name, value in current.items() if known.get(name) != value}
    if stale or removed or (added | changed) & set(current):
        stale |= {name for name in fingerprint.documents(root) if name in ledger.SUMMARY_PAGES}
    return sorted(stale & env.found_docs)


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.connect("env-get-outdated", find)
