"""The parts of the book and the chapters in them, gathered from where each is announced.

A chapter that is written announces itself at the head of `book/claims/<chapter>.yml`; `book/chapters.yml`
names the parts and holds the cards of the chapters that are still to come.
"""

import datetime
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from explainers import resources
from explainers.resources import Article, Card

PARTS, CONTENTS = "book/chapters.yml", "_toc.yml"


@dataclass(frozen=True)
class Entry:
    """A chapter as the book announces it; `written` if it has claims of its own."""

    name: str
    article: Article
    prefix: str
    card: Card
    written: bool

    @property
    def place(self) -> tuple[datetime.date, int]:
        """By this it is sorted among the chapters of its part."""
        return self.article.date, self.article.number


@dataclass(frozen=True)
class Part:
    """A part of the book, its chapters in the order of their articles' dates."""

    name: str
    says: str
    chapters: tuple[Entry, ...]


@dataclass(frozen=True)
class _Planned:
    name: str
    article: Article
    prefix: str
    title: str
    short: str
    says: str


@dataclass(frozen=True)
class _Listed:
    part: str
    says: str
    chapters: list


def parts(root: Path) -> list[Part]:
    """The parts of the book at `root`, each with its chapters, written or not.

    Raises `ValueError` that names file and key where a head or a card is malformed.
    """
    listed = [resources.parse(_Listed, content, PARTS) for content in _load(root / PARTS)]
    entries = [_planned(part.part, content) for part in listed for content in part.chapters]
    entries += [_written(path) for path in sorted((root / "book/claims").glob("*.yml"))]
    names = [part.part for part in listed]
    for entry in entries:
        if entry.card.part not in names:
            raise ValueError(f"{entry.name}.yml: card: part: {entry.card.part!r} is not one of {names}")
    entries.sort(key=lambda entry: entry.place)
    return [
        Part(part.part, part.says, tuple(entry for entry in entries if entry.card.part == part.part))
        for part in listed
    ]


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _planned(part: str, content: Any) -> Entry:
    name = content.get("name", part) if isinstance(content, dict) else part
    card = resources.parse(_Planned, content, f"{PARTS}: {name}")
    return Entry(
        card.name, card.article, card.prefix, Card(part, card.title, card.short, card.says), written=False
    )


def _written(path: Path) -> Entry:
    head = resources.read_chapter(path)
    return Entry(head.name, head.article, head.prefix, head.card, written=True)


def contents(root: Path) -> list[tuple[str, list[str]]]:
    """What `_toc.yml` lists: the caption of each part that holds chapters, and their names in order."""
    listed = []
    for part in _load(root / CONTENTS).get("parts", []):
        files = [entry["file"] for entry in part["chapters"]]
        names = [file.removeprefix("notebooks/") for file in files if file.startswith("notebooks/")]
        if names:
            listed.append((part.get("caption", ""), names))
    return listed


def mismatches(root: Path) -> list[str]:
    """Where the cards, `_toc.yml` and the files that a build reads disagree, each in a sentence."""
    try:
        announced = parts(root)
    except ValueError as error:
        return [str(error)]
    written = [entry.name for part in announced for entry in part.chapters if entry.written]
    planned = [entry.name for part in announced for entry in part.chapters if not entry.written]
    listed = [name for _, names in contents(root) for name in names]
    complaints = [
        f"{name}: its card stands in {PARTS} and in book/claims/{name}.yml"
        for name in written
        if name in planned
    ]
    complaints += [
        f"{name}: _toc.yml lists notebooks/{name}, but there is no notebooks/{name}.md"
        for name in listed
        if not (root / f"notebooks/{name}.md").is_file()
    ]
    complaints += [
        f"{name}: _toc.yml lists notebooks/{name}, but no book/claims/{name}.yml announces it"
        for name in listed
        if name not in written
    ]
    complaints += [
        f"{name}: book/claims/{name}.yml announces it, but _toc.yml does not list notebooks/{name}"
        for name in written
        if name not in listed
    ]
    complaints += [
        f"{name}: book/pictures/{name}.svg is missing (python book/draw_pictures.py)"
        for name in sorted({*written, *planned})
        if not (root / f"book/pictures/{name}.svg").is_file()
    ]
    return complaints or [*_shared(announced), *_out_of_order(announced, contents(root))]


def _shared(announced: list[Part]) -> list[str]:
    entries = [entry for part in announced for entry in part.chapters]
    facts = Counter(f"prefix {entry.prefix}" for entry in entries)
    facts.update(f"article {entry.article.number}" for entry in entries)
    return [f"{fact}: of more than one chapter" for fact, count in facts.items() if count > 1]


def _out_of_order(announced: list[Part], toc: list[tuple[str, list[str]]]) -> list[str]:
    right = [(part.name, [entry.name for entry in part.chapters if entry.written]) for part in announced]
    right = [(name, chapters) for name, chapters in right if chapters]
    if toc == right:
        return []
    return [
        f"_toc.yml: its parts and chapters are {_spelled(toc)}; in the order of {PARTS} and of the articles' "
        f"dates they are {_spelled(right)}"
    ]


def _spelled(toc: list[tuple[str, list[str]]]) -> str:
    return "; ".join(f"{part}: {', '.join(chapters)}" for part, chapters in toc)
