"""The parts of the book and their chapters.

The metadata of a written chapter is at the head of `book/claims/<chapter>.yml`; `book/chapters.yml` has the
parts, and the metadata of planned chapters.
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
    """The metadata of a chapter; `written` if it has a list of claims, else it is planned."""

    name: str
    article: Article
    prefix: str
    card: Card
    written: bool

    @property
    def sort_key(self) -> tuple[datetime.date, int]:
        """Date and number of the article, which order the chapters of a part."""
        return self.article.date, self.article.number


@dataclass(frozen=True)
class Part:
    """A part of the book, with its chapters ordered by the dates of their articles."""

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
    """The parts of the book at `root`, with their written and planned chapters.

    Raises `ValueError` that names file and key if the metadata of a chapter are malformed.
    """
    listed = [resources.parse(_Listed, content, PARTS) for content in _load(root / PARTS)]
    entries = [_planned(part.part, content) for part in listed for content in part.chapters]
    entries += [_written(path) for path in sorted((root / "book/claims").glob("*.yml"))]
    names = [part.part for part in listed]
    for entry in entries:
        if entry.card.part not in names:
            raise ValueError(f"{entry.name}.yml: card: part: {entry.card.part!r} is not one of {names}")
    entries.sort(key=lambda entry: entry.sort_key)
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
    """The caption of each part in `_toc.yml` that has chapters, and the names of these in order."""
    listed = []
    for part in _load(root / CONTENTS).get("parts", []):
        files = [entry["file"] for entry in part["chapters"]]
        names = [file.removeprefix("notebooks/") for file in files if file.startswith("notebooks/")]
        if names:
            listed.append((part.get("caption", ""), names))
    return listed


def mismatches(root: Path) -> list[str]:
    """One sentence for each disagreement between the metadata, `_toc.yml` and the files of the book."""
    try:
        announced = parts(root)
    except ValueError as error:
        return [str(error)]
    written = [entry.name for part in announced for entry in part.chapters if entry.written]
    planned = [entry.name for part in announced for entry in part.chapters if not entry.written]
    listed = [name for _, names in contents(root) for name in names]
    complaints = [
        f"{name}: its card is in {PARTS} and in book/claims/{name}.yml" for name in written if name in planned
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
    counts = Counter(f"prefix {entry.prefix}" for entry in entries)
    counts.update(f"article {entry.article.number}" for entry in entries)
    return [f"{value}: used by more than one chapter" for value, count in counts.items() if count > 1]


def _out_of_order(announced: list[Part], toc: list[tuple[str, list[str]]]) -> list[str]:
    right = [(part.name, [entry.name for entry in part.chapters if entry.written]) for part in announced]
    right = [(name, chapters) for name, chapters in right if chapters]
    if toc == right:
        return []
    return [
        f"_toc.yml: its parts and chapters are {_format_toc(toc)}; in the order of {PARTS} and of the "
        f"articles' dates they are {_format_toc(right)}"
    ]


def _format_toc(toc: list[tuple[str, list[str]]]) -> str:
    return "; ".join(f"{part}: {', '.join(chapters)}" for part, chapters in toc)
