"""What the book reads besides code: what a chapter says of itself and of the claims of
its article, and the recorded runs.

Both live at the top of the checkout (`book/claims`, `results`) and travel inside the
wheel, so that a notebook finds them wherever it runs, and never by a relative path.
"""

import datetime
import json
import os
import re
from dataclasses import dataclass, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parents[1]
_PLACES = {"claims": "book/claims", "results": "results"}
_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class Article:
    """The article that a chapter explains: its number at kexue.fm, its title in English
    and the day on which it appeared."""

    number: int
    title: str
    date: datetime.date

    @property
    def url(self) -> str:
        """Where it can be read."""
        return f"https://kexue.fm/archives/{self.number}"


@dataclass(frozen=True)
class Card:
    """A chapter on the home page: the part it stands in, its title, its short name and
    one sentence."""

    part: str
    title: str
    short: str
    says: str


@dataclass(frozen=True)
class Chapter:
    """What a chapter says of itself at the head of its list of claims.

    `prefix` begins the ids of its claims, `count` is the number of those that are the
    article's own, and `sentinel` is a sentence that the built page must hold.
    """

    name: str
    article: Article
    prefix: str
    count: int
    card: Card
    sentinel: str


def folder(kind: str) -> Path:
    """The folder of "claims" or "results": the checkout's, else the package's."""
    if kind not in _PLACES:
        raise ValueError(f"kind: {kind!r} is not one of {sorted(_PLACES)}")
    root = checkout()
    return root / _PLACES[kind] if root else _PACKAGE / "_shipped" / kind


def checkout() -> Path | None:
    """The top of the checkout that the package lies in; None if it is installed."""
    in_checkout = (_CHECKOUT / "_toc.yml").exists() and _PACKAGE.parent.name == "lib"
    return _CHECKOUT if in_checkout else None


def cache_folder() -> Path:
    """Where what was unpacked or downloaded once is kept; EXPLAINERS_CACHE moves it."""
    return Path(os.environ.get("EXPLAINERS_CACHE") or Path.home() / ".cache/explainers")


@cache
def chapter_claims(chapter: str) -> dict[str, dict[str, Any]]:
    """The claims of one chapter by id, in the article's order.

    Raises `ValueError` when no file lists claims for `chapter`.
    """
    return read_claims(_claims_file(chapter))


def read_claims(path: Path) -> dict[str, dict[str, Any]]:
    """The claims of the list at `path` by id, as it is now."""
    return {entry["id"]: entry for entry in _load(path)["claims"]}


@cache
def chapter(name: str) -> Chapter:
    """What the chapter `name` says of itself.

    Raises `ValueError` when no file lists claims for it, or when the head of that file
    is malformed.
    """
    return read_chapter(_claims_file(name))


def read_chapter(path: Path) -> Chapter:
    """The head of the list of claims at `path`.

    Raises `ValueError` that names the file and the key where one is missing, unknown or
    of another kind.
    """
    content = _load(path)
    if not isinstance(content, dict) or not isinstance(content.get("claims"), list):
        raise ValueError(f"{path.name}: claims: expected a list")
    head = {key: value for key, value in content.items() if key != "claims"}
    found = parse(Chapter, {"name": path.stem, **head}, path.name)
    if not re.fullmatch("[A-Z]+", found.prefix):
        raise ValueError(
            f"{path.name}: prefix: expected capital letters, got {found.prefix!r}"
        )
    if found.count < 1:
        raise ValueError(f"{path.name}: count: expected at least 1, got {found.count}")
    return found


def parse(kind: type[_Kind], content: Any, where: str) -> _Kind:
    """An instance of the dataclass `kind` with the values that the mapping `content`
    has for its fields.

    Raises `ValueError` that begins with `where` and names the key where one is missing,
    unknown, blank or of another type.
    """
    if not isinstance(content, dict):
        raise ValueError(f"{where}: expected keys and values, got {content!r}")
    types = get_type_hints(kind)
    for key in content:
        if key not in types:
            raise ValueError(f"{where}: {key}: not one of the keys {list(types)}")
    values = {}
    for key, expected in types.items():
        if key not in content:
            raise ValueError(f"{where}: {key}: missing")
        value = content[key]
        if isinstance(expected, type) and is_dataclass(expected):
            value = parse(expected, value, f"{where}: {key}")
        # not isinstance: a truth value is an int as well, and a time of day a date
        elif type(value) is not expected or value == "":
            raise ValueError(
                f"{where}: {key}: expected {expected.__name__}, got {value!r}"
            )
        values[key] = value
    return kind(**values)


def _claims_file(chapter: str) -> Path:
    path = folder("claims") / f"{chapter}.yml"
    if not path.is_file():
        raise ValueError(
            f"chapter: no claims are listed for {chapter!r}; there are lists for "
            f"{list(chapters())}"
        )
    return path


def _load(path: Path) -> Any:
    # utf-8 is spelled out because Windows would read the book's typographic signs in
    # its own code page
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name}: not readable as YAML: {error}") from error


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
    except (ValueError, RecursionError) as error:
        raise ValueError(f"name: {path.name} holds no JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"name: {path.name} holds no JSON object")
    return content
