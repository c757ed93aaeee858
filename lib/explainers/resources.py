"""The data files of the book: the claims of each chapter and the recorded runs.

They are in the folders `book/claims` and `results` of the checkout, and in the wheel,
so that notebooks can read them from any working directory.
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
_FOLDERS = {"claims": "book/claims", "results": "results"}
_T = TypeVar("_T")


@dataclass(frozen=True)
class Article:
    """The article that a chapter explains: its number at kexue.fm, its title in English
    and its date of publication."""

    number: int
    title: str
    date: datetime.date

    @property
    def url(self) -> str:
        """The address of the article."""
        return f"https://kexue.fm/archives/{self.number}"


@dataclass(frozen=True)
class Card:
    """The card of a chapter on the home page: the part of the book, the title, a short
    name, and one sentence, `says`."""

    part: str
    title: str
    short: str
    says: str


@dataclass(frozen=True)
class Chapter:
    """The metadata of a chapter, from the head of its list of claims.

    The ids of its claims begin with `prefix`. `count` is the number of claims of the
    article, without our own additions. `sentinel` is a sentence that the built page
    must contain.
    """

    name: str
    article: Article
    prefix: str
    count: int
    card: Card
    sentinel: str


def folder(kind: str) -> Path:
    """The folder of the kind "claims" or "results", in the checkout or, if the package
    is installed, in the package. Raises `ValueError` for another kind."""
    if kind not in _FOLDERS:
        raise ValueError(f"kind: expected one of {sorted(_FOLDERS)}, got {kind!r}")
    root = checkout()
    return root / _FOLDERS[kind] if root else _PACKAGE / "_shipped" / kind


def checkout() -> Path | None:
    """The top folder of the checkout that contains the package; None if the package is
    installed elsewhere."""
    in_checkout = (_CHECKOUT / "_toc.yml").exists() and _PACKAGE.parent.name == "lib"
    return _CHECKOUT if in_checkout else None


def cache_folder() -> Path:
    """The folder for downloaded and unpacked files, by default ~/.cache/explainers; the
    environment variable EXPLAINERS_CACHE overrides it."""
    return Path(os.environ.get("EXPLAINERS_CACHE") or Path.home() / ".cache/explainers")


@cache
def chapter_claims(chapter: str) -> dict[str, dict[str, Any]]:
    """The claims of one chapter by id, in the article's order.

    Raises `ValueError` if the chapter has no list of claims. The result is cached.
    """
    return read_claims(_claims_file(chapter))


def read_claims(path: Path) -> dict[str, dict[str, Any]]:
    """The claims of the list at `path` by id. Nothing is cached."""
    return {entry["id"]: entry for entry in _load(path)["claims"]}


@cache
def chapter(name: str) -> Chapter:
    """The metadata of the chapter `name`.

    Raises `ValueError` if it has no list of claims, or if the head of the list is
    malformed; see `read_chapter`. The result is cached.
    """
    return read_chapter(_claims_file(name))


def read_chapter(path: Path) -> Chapter:
    """The metadata of a chapter, from the head of the list of claims at `path`.

    Raises `ValueError` that names the file and the key if one is missing, unknown or of
    the wrong type.
    """
    content = _load(path)
    if not isinstance(content, dict) or not isinstance(content.get("claims"), list):
        raise ValueError(f"{path.name}: claims: expected a list")
    head = {key: value for key, value in content.items() if key != "claims"}
    parsed = parse(Chapter, {"name": path.stem, **head}, path.name)
    if not re.fullmatch("[A-Z]+", parsed.prefix):
        raise ValueError(
            f"{path.name}: prefix: expected capital letters, got {parsed.prefix!r}"
        )
    if parsed.count < 1:
        raise ValueError(f"{path.name}: count: expected at least 1, got {parsed.count}")
    return parsed


def parse(cls: type[_T], content: Any, where: str) -> _T:
    """An instance of the dataclass `cls` with the values of the dict `content`, nested
    dataclasses from nested dicts.

    Raises `ValueError` that begins with `where` and names the key if one is missing,
    unknown, empty or of the wrong type.
    """
    if not isinstance(content, dict):
        raise ValueError(f"{where}: expected keys and values, got {content!r}")
    types = get_type_hints(cls)
    for key in content:
        if key not in types:
            raise ValueError(f"{where}: {key}: unknown key, expected {list(types)}")
    values = {}
    for key, expected in types.items():
        if key not in content:
            raise ValueError(f"{where}: {key}: missing")
        value = content[key]
        if isinstance(expected, type) and is_dataclass(expected):
            value = parse(expected, value, f"{where}: {key}")
        # not isinstance: a bool is an int as well, and a datetime a date
        elif type(value) is not expected or value == "":
            raise ValueError(
                f"{where}: {key}: expected {expected.__name__}, got {value!r}"
            )
        values[key] = value
    return cls(**values)


def _claims_file(chapter: str) -> Path:
    path = folder("claims") / f"{chapter}.yml"
    if not path.is_file():
        raise ValueError(
            f"chapter: {chapter!r} has no list of claims, expected one of "
            f"{list(chapters())}"
        )
    return path


def _load(path: Path) -> Any:
    # the default encoding of Windows is not utf-8
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name}: not valid YAML: {error}") from error


@cache
def chapters() -> tuple[str, ...]:
    """The names of all chapters with a list of claims, in alphabetical order."""
    return tuple(sorted(file.stem for file in folder("claims").glob("*.yml")))


def record(name: str) -> dict[str, Any]:
    """The content of the file `results/<name>.json`.

    Raises `ValueError` if there is none, or if it is not a JSON object.
    """
    path = folder("results") / f"{name}.json"
    if not path.is_file():
        known = sorted(file.stem for file in folder("results").glob("*.json"))
        raise ValueError(f"name: no run is recorded as {name!r}; there are {known}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"name: {path.name} is not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"name: {path.name} is not a JSON object")
    return content
