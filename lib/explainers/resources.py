"""What the book reads besides code: the claims of each article and the recorded runs.

Both live at the top of the checkout (`book/claims`, `results`) and travel inside the
wheel, so that a notebook finds them wherever it runs, and never by a relative path.
"""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parents[1]
_PLACES = {"claims": "book/claims", "results": "results"}


def folder(kind: str) -> Path:
    """The folder of "claims" or "results": the checkout's, else the package's."""
    if kind not in _PLACES:
        raise ValueError(f"kind: {kind!r} is not one of {sorted(_PLACES)}")
    in_checkout = (_CHECKOUT / "_toc.yml").exists() and _PACKAGE.parent.name == "lib"
    return _CHECKOUT / _PLACES[kind] if in_checkout else _PACKAGE / "data" / kind


def cache_folder() -> Path:
    """Where what was unpacked or downloaded once is kept; EXPLAINERS_CACHE moves it."""
    return Path(os.environ.get("EXPLAINERS_CACHE") or Path.home() / ".cache/explainers")


@cache
def chapter_claims(chapter: str) -> dict[str, dict[str, Any]]:
    """The claims of one chapter by id, in the article's order.

    Raises `ValueError` when no file lists claims for `chapter`.
    """
    path = folder("claims") / f"{chapter}.yml"
    if not path.is_file():
        known = sorted(file.stem for file in folder("claims").glob("*.yml"))
        raise ValueError(
            f"chapter: no claims are listed for {chapter!r}; there are lists for "
            f"{known}"
        )
    # utf-8 is spelled out because Windows would read the book's typographic signs in
    # its own code page
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))["claims"]
    return {entry["id"]: entry for entry in entries}


@cache
def chapters() -> tuple[str, ...]:
    """The chapters that list claims, in alphabetical order."""
    return tuple(sorted(file.stem for file in folder("claims").glob("*.yml")))


def record(name: str) -> dict[str, Any]:
    """The recorded run `results/<name>.json`, as it was written.

    Raises `ValueError` when there is none, or when the file holds no JSON object.
    """
    path = folder("results") / f"{name}.json"
    if not path.is_file():
        known = sorted(file.stem for file in folder("results").glob("*.json"))
        raise ValueError(f"name: no run is recorded as {name!r}; there are {known}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"name: {path.name} holds no JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"name: {path.name} holds no JSON object")
    return content
