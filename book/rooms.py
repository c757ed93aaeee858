"""The rooms of a chapter: whoever knows the name of a chapter knows where everything of it stands.

Every chapter has the first five, and those of the second kind when it needs them. Nothing lists the chapters:
`complaints` compares what announces them (`book/claims`, `_toc.yml`) with the rooms that are there.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from extension import cards

EVERY = ("notebooks/{}.md", "lib/explainers/{}.py", "tests/{}", "book/claims/{}.yml", "book/pictures/{}.py")
SOME = ("lib/explainers/studies/{}.py", "lib/explainers/proofs/{}.py", "benchmarks/{}.py")
REFERENCE, RULES = "book/reference.md", "pyproject.toml"
# what stands among the rooms of chapters and is of none
SHARED = {
    "tests/{}": {"book", "chapters"},
    "book/pictures/{}.py": {"pen"},
    "lib/explainers/studies/{}.py": {"__init__", "byte_lm"},
    "lib/explainers/proofs/{}.py": {"__init__"},
    "benchmarks/{}.py": {"harness", "explorables"},
}


def of(name: str) -> list[str]:
    """The rooms that the chapter `name` may have, as paths relative to the checkout."""
    return [room.format(name) for room in (*EVERY, *SOME)]


def complaints(root: Path) -> list[str]:
    """What is missing, left over or in disagreement in the checkout at `root`, each in a sentence."""
    try:
        announced = cards.parts(root)
    except ValueError as error:
        return [str(error)]
    entries = [entry for part in announced for entry in part.chapters]
    listed = [name for _, names in cards.contents(root) for name in names]
    chapters = list(dict.fromkeys([*(entry.name for entry in entries if entry.written), *listed]))
    planned = {entry.name for entry in entries if not entry.written}
    return [
        *cards.mismatches(root),
        *(text for name in chapters for text in _missing(root, name)),
        *_orphans(root, set(chapters), planned),
        *_reference(root, chapters),
        *_layers(root, chapters),
    ]


def _missing(root: Path, name: str) -> Iterator[str]:
    for room in EVERY:
        path = root / room.format(name)
        if room == "tests/{}":
            if not (path / "__init__.py").is_file() or not list(path.glob("test_*.py")):
                yield f"{name}: {room.format(name)}/ is missing, a package with test_*.py"
        elif not path.is_file():
            yield f"{name}: {room.format(name)} is missing"


def _orphans(root: Path, chapters: set[str], planned: set[str]) -> Iterator[str]:
    """Rooms of no chapter. Any module may stand in the library; `_layers` knows which are chapters."""
    library = {path.stem for path in (root / "lib/explainers").iterdir()}
    for room in ("notebooks/{}.md", "tests/{}", "book/pictures/{}.py", "book/pictures/{}.svg", *SOME):
        known = chapters | SHARED.get(room, set())
        if room.startswith("book/pictures"):
            known |= planned
        if room in ("tests/{}", "benchmarks/{}.py"):  # they mirror the shared modules, too
            known |= library
        for path in sorted(root.glob(room.format("*"))):
            if path.stem not in known and not path.stem.startswith("__pyc") and _is_room(room, path):
                yield f"{path.relative_to(root).as_posix()}: there is no chapter {path.stem}"


def _is_room(room: str, path: Path) -> bool:
    return path.is_dir() == (room == "tests/{}")


def _reference(root: Path, chapters: list[str]) -> Iterator[str]:
    text = (root / REFERENCE).read_text(encoding="utf-8")
    documented = re.findall(r"^\.\. automodule:: explainers\.(\S+)$", text, flags=re.M)
    for name in chapters:
        if name not in documented:
            yield f"{name}: {REFERENCE} does not document explainers.{name}"
    for name in documented:
        place = root / "lib/explainers" / name.replace(".", "/")
        if not place.with_suffix(".py").is_file() and not place.is_dir():
            yield f"{REFERENCE}: it documents explainers.{name}, which does not exist"


def layer(root: Path) -> str:
    """The layer of the chapters in `pyproject.toml`, as it is written; empty if there is none."""
    chapters = {path.stem for path in (root / "book/claims").glob("*.yml")}
    rules = tomllib.loads((root / RULES).read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = [text for contract in rules["contracts"] for text in contract.get("layers", [])]
    return next((text for text in layers if chapters & set(text.split(" | "))), "")


def _layers(root: Path, chapters: list[str]) -> Iterator[str]:
    stands = layer(root).split(" | ")
    for name in chapters:
        if name not in stands:
            yield f"{name}: it is not among the chapters in the layers of pyproject.toml"
    for name in stands:
        if name not in chapters:
            yield f"pyproject.toml: {name!r} stands among the chapters, and there is no such chapter"
