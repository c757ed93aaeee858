"""The files of every chapter exist, and the files that list chapters agree."""

import datetime
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book"))

import rooms  # noqa: E402  (the path comes first)


def test_every_chapter_has_its_rooms_and_every_room_its_chapter() -> None:
    complaints = rooms.complaints(ROOT)
    assert not complaints, "\n" + "\n".join(complaints)


CARD = {"part": "Letters", "title": "A letter", "short": "Letter", "says": "One of a few."}


def article(number: int) -> dict[str, Any]:
    return {"number": number, "title": f"On letter {number}", "date": datetime.date(2024, 1, number)}


def write(path: Path, content: object = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A checkout with two chapters, alpha and beta, and the planned chapter gamma."""
    for number, name in enumerate(("alpha", "beta"), start=1):
        head = {"article": article(number), "prefix": name[:2].upper(), "count": 1, "card": CARD}
        write(tmp_path / f"book/claims/{name}.yml", {**head, "sentinel": "A letter.", "claims": []})
        for room in (
            f"notebooks/{name}.md", f"lib/explainers/{name}.py", f"tests/{name}/__init__.py",
            f"tests/{name}/test_{name}.py", f"book/pictures/{name}.py",
        ):  # fmt: skip
            write(tmp_path / room)
    for path in (
        "lib/explainers/studies/__init__.py", "lib/explainers/studies/byte_lm.py",
        "lib/explainers/decoder.py",
        "lib/explainers/studies/alpha.py", "lib/explainers/proofs/beta.py", "benchmarks/beta.py",
        "benchmarks/decoder.py", "benchmarks/harness.py", "tests/book/__init__.py",
        "tests/studies/__init__.py", "book/pictures/pen.py", "book/pictures/gamma.py",
        *(f"book/pictures/{name}.svg" for name in ("alpha", "beta", "gamma")),
    ):  # fmt: skip
        write(tmp_path / path)
    planned = {"name": "gamma", "article": article(3), "prefix": "GA", **CARD}
    del planned["part"]
    write(tmp_path / "book/chapters.yml", [{"part": "Letters", "says": "A few", "chapters": [planned]}])
    write(tmp_path / "_toc.yml", {
        "root": "index",
        "parts": [
            {"caption": "Letters", "chapters": [{"file": "notebooks/alpha"}, {"file": "notebooks/beta"}]},
            {"caption": "The book itself", "chapters": [{"file": "book/claims"}]},
        ],
    })  # fmt: skip
    modules = ("alpha", "beta", "decoder")
    write(tmp_path / "book/reference.md", "\n".join(f".. automodule:: explainers.{name}" for name in modules))
    layers = '[[tool.importlinter.contracts]]\nlayers = ["studies", "alpha | beta", "decoder"]\n'
    write(tmp_path / "pyproject.toml", layers)
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_house_in_order_is_not_complained_of(house: Path) -> None:
    assert rooms.complaints(house) == []


@pytest.mark.parametrize(
    ("gone", "says"),
    [
        ("lib/explainers/beta.py", "beta: lib/explainers/beta.py is missing"),
        ("tests/beta", "beta: tests/beta/ is missing, a package with test_*.py"),
        ("tests/beta/__init__.py", "beta: tests/beta/ is missing, a package with test_*.py"),
        ("tests/beta/test_beta.py", "beta: tests/beta/ is missing, a package with test_*.py"),
        ("book/pictures/beta.py", "beta: book/pictures/beta.py is missing"),
        ("book/pictures/beta.svg", "beta: book/pictures/beta.svg is missing (python book/draw_pictures.py)"),
    ],
)
def test_a_room_that_is_missing_is_named(house: Path, gone: str, says: str) -> None:
    path = house / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert says in rooms.complaints(house)


def test_rooms_that_are_missing_are_all_named(house: Path) -> None:
    for path in ("notebooks/alpha.md", "lib/explainers/beta.py", "book/pictures/alpha.py"):
        (house / path).unlink()
    complaints = rooms.complaints(house)
    for path in ("notebooks/alpha.md", "lib/explainers/beta.py", "book/pictures/alpha.py"):
        assert any(path in text for text in complaints)


@pytest.mark.parametrize(
    "path",
    ["notebooks/omega.md", "tests/omega/test_omega.py", "book/pictures/omega.py", "book/pictures/omega.svg",
     "lib/explainers/studies/omega.py", "lib/explainers/proofs/omega.py", "benchmarks/omega.py"],
)  # fmt: skip
def test_a_room_without_a_chapter_is_named(house: Path, path: str) -> None:
    write(house / path)
    (said,) = rooms.complaints(house)
    assert said.endswith(": there is no chapter omega")
    assert path.startswith(said.partition(":")[0])


TOC, BETA, PARTS = "_toc.yml", "book/claims/beta.yml", "book/chapters.yml"
REFERENCE, RULES = "book/reference.md", "pyproject.toml"


@pytest.mark.parametrize(
    ("path", "old", "new", "says"),
    [
        (TOC, "- file: notebooks/beta", "", "beta: book/claims/beta.yml announces it, but _toc.yml does not"),
        (
            TOC,
            "notebooks/beta",
            "notebooks/omega",
            "omega: _toc.yml lists notebooks/omega, but no book/claims",
        ),
        (TOC, "notebooks/beta", "notebooks/omega", "omega: _toc.yml lists notebooks/omega, but there is no"),
        (
            TOC,
            "caption: Letters",
            "caption: Signs",
            "_toc.yml: its parts and chapters are Signs: alpha, beta",
        ),
        (BETA, "2024-01-02", "2023-01-02", "_toc.yml: its parts and chapters are Letters: alpha, beta; in"),
        (BETA, "prefix: BE", "prefix: AL", "prefix AL: used by more than one chapter"),
        (BETA, "prefix: BE", "prefix: GA", "prefix GA: used by more than one chapter"),
        (BETA, "number: 2", "number: 1", "article 1: used by more than one chapter"),
        (BETA, "count: 1", "count: one", "beta.yml: count: expected int, got 'one'"),
        (BETA, "part: Letters", "part: Signs", "beta.yml: card: part: 'Signs' is not one of"),
        (
            PARTS,
            "name: gamma",
            "name: beta",
            "beta: its card is in book/chapters.yml and in book/claims/",
        ),
        (PARTS, "title: A letter", "", "book/chapters.yml: gamma: title: missing"),
        (REFERENCE, "explainers.beta", "explainers.decoder", "beta: book/reference.md does not document"),
        (REFERENCE, "explainers.beta", "explainers.gone", "book/reference.md: it documents explainers.gone"),
        (
            RULES,
            "alpha | beta",
            "alpha",
            "beta: it is missing in the layer of the chapters in pyproject.toml",
        ),
        (
            RULES,
            "alpha | beta",
            "alpha | beta | omega",
            "pyproject.toml: 'omega' is in the layer of the chapters",
        ),
    ],
)
def test_what_disagrees_is_named(house: Path, path: str, old: str, new: str, says: str) -> None:
    edit(house / path, old, new)
    assert any(text.startswith(says) for text in rooms.complaints(house)), rooms.complaints(house)


def test_chapters_stand_in_the_order_of_their_articles_dates(house: Path) -> None:
    toc = house / "_toc.yml"
    edit(toc, "notebooks/beta", "notebooks/alpha ")
    edit(toc, "notebooks/alpha\n", "notebooks/beta\n")
    (said,) = rooms.complaints(house)
    assert said.endswith("dates they are Letters: alpha, beta")
