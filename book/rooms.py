"""The rooms of a chapter: the paths of its files, which all contain its name.

Every chapter has the files and folders in `REQUIRED`, and may have those in `OPTIONAL`. There is no list of
chapters: `complaints` compares `book/claims` and `_toc.yml` with the files that exist.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from extension import cards

REQUIRED = (
    "notebooks/{}.md",
    "lib/explainers/{}.py",
    "tests/{}",
    "book/claims/{}.yml",
    "book/pictures/{}.py",
)
OPTIONAL = ("lib/explainers/studies/{}.py", "lib/explainers/proofs/{}.py", "benchmarks/{}.py")
REFERENCE, RULES = "book/reference.md", "pyproject.toml"
# files in the same folders that belong to no chapter
SHARED = {
    "tests/{}": {"book", "chapters"},
    "book/pictures/{}.py": {"pen"},
    "lib/explainers/studies/{}.py": {"__init__", "byte_lm"},
    "lib/explainers/proofs/{}.py": {"__init__"},
    "benchmarks/{}.py": {"harness", "explorables"},
}


def paths(name: str) -> list[str]:
    """The files and folders that the chapter `name` may have, relative to the checkout."""
    return [room.format(name) for room in (*REQUIRED, *OPTIONAL)]


def complaints(root: Path) -> list[str]:
    """One sentence for each file of a chapter that is missing in the checkout at `root`, for each file
    without a chapter, and for each disagreement between the files that list chapters."""
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
    for room in REQUIRED:
        path = root / room.format(name)
        if room == "tests/{}":
            if not (path / "__init__.py").is_file() or not list(path.glob("test_*.py")):
                yield f"{name}: {room.format(name)}/ is missing, a package with test_*.py"
        elif not path.is_file():
            yield f"{name}: {room.format(name)} is missing"


def _orphans(root: Path, chapters: set[str], planned: set[str]) -> Iterator[str]:
    """One sentence for each file without a chapter, except modules of the library; `_layers` checks those."""
    library = {path.stem for path in (root / "lib/explainers").iterdir()}
    for room in ("notebooks/{}.md", "tests/{}", "book/pictures/{}.py", "book/pictures/{}.svg", *OPTIONAL):
        known = chapters | SHARED.get(room, set())
        if room.startswith("book/pictures"):
            known |= planned
        if room in ("tests/{}", "benchmarks/{}.py"):  # shared modules have tests and benchmarks, too
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
    """The import layer of the chapters in `pyproject.toml`, "a | b | c"; empty if there is none."""
    chapters = {path.stem for path in (root / "book/claims").glob("*.yml")}
    rules = tomllib.loads((root / RULES).read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = [text for contract in rules["contracts"] for text in contract.get("layers", [])]
    return next((text for text in layers if chapters & set(text.split(" | "))), "")


def _layers(root: Path, chapters: list[str]) -> Iterator[str]:
    members = layer(root).split(" | ")
    for name in chapters:
        if name not in members:
            yield f"{name}: it is missing in the layer of the chapters in pyproject.toml"
    for name in members:
        if name not in chapters:
            yield f"pyproject.toml: {name!r} is in the layer of the chapters, but there is no such chapter"
