"""`make chapter`: the files that it makes and edits, and the errors after which nothing is written."""

import datetime
import difflib
import shutil
import sys
from pathlib import Path

import pytest

from explainers import resources

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book"))

import new_chapter  # noqa: E402  (the path comes first)
import rooms  # noqa: E402
from extension import cards  # noqa: E402

TODAY = datetime.date(2030, 1, 2)
PLANNED = [entry for part in cards.parts(ROOT) for entry in part.chapters if not entry.written]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the checkout with the files that the command reads."""
    left_out = shutil.ignore_patterns("__pycache__", "template", "theme", "*.js", "*.css", "*.png")
    for folder in ("benchmarks", "book", "lib", "notebooks", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=left_out)
    for name in ("_toc.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.setattr(new_chapter, "ROOT", tmp_path)
    return tmp_path


def contents(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def made(root: Path, name: str, title: str = "", part: str = "", prefix: str = "") -> set[str]:
    """Make a chapter; return the names of the shared files that changed."""
    before = contents(root)
    new = new_chapter.new_entry(root, name, title, part, prefix, TODAY)
    own, shared = new_chapter.make(root, new)
    after = contents(root)
    assert set(own) == after.keys() - before.keys()
    changed = {path for path in before if before[path] != after[path]}
    assert changed == set(shared)
    return {path.relative_to(root).as_posix() for path in changed}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["10th", "--title", "T"],
            "name: expected a letter a-z and at least one of a-z, 0-9 and _, and no keyword, got '10th'",
        ),
        (["Tenth", "--title", "T"], "name: expected a letter a-z"),
        (["ten-th", "--title", "T"], "name: expected a letter a-z"),
        (["../tenth", "--title", "T"], "name: expected a letter a-z"),
        (["class", "--title", "T"], "name: expected a letter a-z"),
        (["", "--title", "T"], "name: expected a letter a-z"),
        (["sgd", "--title", "T"], "name: the chapter sgd already exists"),
        (["decoder", "--title", "T"], "name: explainers.decoder is already a module of the library"),
        (["derive", "--title", "T"], "name: explainers.derive is already a module of the library"),
        (["chapters", "--title", "T"], "name: tests/chapters already exists"),
        (["byte_lm", "--title", "T"], "name: lib/explainers/studies/byte_lm.py already exists"),
        (["pen", "--title", "T"], "name: book/pictures/pen.py already exists"),
        (["tenth"], "title: tenth is not planned and needs one"),
        (["tenth", "--title", " "], "title: tenth is not planned and needs one"),
        (["tenth", "--title", "T", "--part", "Cooking"], "part: expected one of ['Attention', "),
        (
            ["tenth", "--title", "T", "--prefix", "Te"],
            "prefix: expected two to four capital letters, got 'Te'",
        ),
        (["tenth", "--title", "T", "--prefix", "SG"], "prefix: SG is already used by sgd"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_and_nothing_is_written(
    house: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    before = contents(house)
    monkeypatch.setattr(sys, "argv", ["new_chapter.py", *arguments])
    with pytest.raises(SystemExit) as refused:
        new_chapter.main()
    assert str(refused.value).startswith(says)
    assert "\n" not in str(refused.value)
    assert contents(house) == before


def test_a_chapter_that_is_not_planned_comes_last_in_its_part(house: Path) -> None:
    title = 'Of "quotes", colons: and a \\ backslash'
    assert made(house, "tenth", title, "Generating") == {"_toc.yml", "pyproject.toml", "book/reference.md"}
    assert rooms.complaints(house) == rooms.complaints(ROOT)
    head = resources.read_chapter(house / "book/claims/tenth.yml")
    assert (head.prefix, head.count, head.card.title) == ("TN", 1, title)
    assert head.article.date == TODAY
    assert f"# {title}\n" in (house / "notebooks/tenth.md").read_text(encoding="utf-8")
    (generating,) = (names for part, names in cards.contents(house) if part == "Generating")
    assert generating[-1] == "tenth"
    with pytest.raises(ValueError, match="name: the chapter tenth already exists"):
        made(house, "tenth", title)
    made(house, "eleventh", "Another one")  # whose article is not the same
    assert rooms.complaints(house) == rooms.complaints(ROOT)


@pytest.mark.parametrize("turn", [1, -1], ids=["in order", "in reverse"])
def test_planned_chapters_become_real_ones_with_what_is_known_of_them(house: Path, turn: int) -> None:
    for entry in PLANNED[::turn]:
        drawing = (house / f"book/pictures/{entry.name}.svg").read_bytes()
        shared = made(house, entry.name)
        assert shared == {"_toc.yml", "pyproject.toml", "book/reference.md", "book/chapters.yml"}
        assert rooms.complaints(house) == rooms.complaints(ROOT)
        head = resources.read_chapter(house / f"book/claims/{entry.name}.yml")
        assert (head.article, head.card, head.prefix) == (entry.article, entry.card, entry.prefix)
        assert (house / f"book/pictures/{entry.name}.svg").read_bytes() == drawing
    assert all(entry.written for part in cards.parts(house) for entry in part.chapters)


def test_a_planned_chapter_has_the_title_that_is_planned(house: Path) -> None:
    for entry in PLANNED[:1]:
        with pytest.raises(ValueError, match=f"title: {entry.name} is planned in book/chapters.yml"):
            made(house, entry.name, "Another title")
        made(house, entry.name, entry.card.title, entry.card.part)


def test_the_shared_files_keep_their_formatting(house: Path) -> None:
    names = ("_toc.yml", "pyproject.toml", "book/reference.md", "book/chapters.yml")
    for entry in PLANNED:
        made(house, entry.name)
    for name in names:
        old, new = ((root / name).read_text(encoding="utf-8").splitlines() for root in (ROOT, house))
        lines = [line for line in difflib.ndiff(old, new) if line[0] in "+-"]
        gone, come = ([line[2:] for line in lines if line[0] == sign] for sign in "-+")
        if name == "pyproject.toml":
            assert [len(gone), len(come)] == [1, 1]
        elif name == "book/chapters.yml":
            assert set(come) <= {"  chapters: []"}
        else:
            assert gone == []


@pytest.mark.parametrize(
    ("name", "prefix"),
    [("ninth", "NN"), ("mla", "ML"), ("fourier_density", "FR"), ("aeon", "AE"), ("x2y", "XY")],
)
def test_a_prefix_is_derived_from_the_name(name: str, prefix: str) -> None:
    assert new_chapter.derived_prefix(name) == prefix
