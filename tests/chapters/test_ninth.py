"""A ninth chapter needs one command: in a copy of the checkout it is made, built and checked."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

pytestmark = [pytest.mark.book, pytest.mark.slow, pytest.mark.xdist_group("ninth")]  # one copy for all

ROOT = Path(__file__).parents[2]
TITLE = "Nobody has to add"
OWN = {
    "notebooks/ninth.md", "lib/explainers/ninth.py", "tests/ninth/__init__.py", "tests/ninth/test_ninth.py",
    "tests/ninth/wrong.py", "tests/ninth/answers.py", "book/claims/ninth.yml", "book/pictures/ninth.py",
    "book/pictures/ninth.svg",
}  # fmt: skip
SHARED = {"_toc.yml", "pyproject.toml", "book/reference.md"}


def tracked() -> set[str]:
    """The files of this checkout that are under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return {name for name in listed.split("\0") if name and (ROOT / name).is_file()}


def run(root: Path, *command: str) -> str:
    """What a command prints in the copy, with the copy's library; it has to succeed."""
    hidden = {name for name in os.environ if name.startswith("PYTEST_")}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment["PYTHONPATH"] = os.pathsep.join([str(root / "lib"), str(root / "book")])
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-10_000:]
    return done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout and what its last build executed, with a ninth chapter in it."""
    root = tmp_path_factory.mktemp("copy")
    for name in tracked():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, root / name)
    shutil.copytree(ROOT / "_build/.jupyter_cache", root / "_build/.jupyter_cache")
    # what `make chapter` needs is there already
    here = f"BIN={Path(sys.executable).parent}"
    run(root, "make", "chapter", here, "--assume-old=.venv/ready", "NAME=ninth", f"TITLE={TITLE}")
    return root


def test_it_edits_three_of_the_files_that_all_chapters_share(copy: Path) -> None:
    before = tracked()
    changed = {name for name in before if (copy / name).read_bytes() != (ROOT / name).read_bytes()}
    assert changed == SHARED
    made = {
        path.relative_to(copy).as_posix()
        for folder in ("benchmarks", "book", "lib", "notebooks", "results", "tests")
        for path in (copy / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert made - before == OWN


def test_it_is_a_page_with_its_card_its_claims_and_its_reference(copy: Path) -> None:
    said = run(copy, sys.executable, "book/build.py")
    assert re.search(r"executing 1 of \d+ notebooks\n  notebooks/ninth\.md", said), said
    site = copy / "_build/html"

    def page(name: str) -> BeautifulSoup:
        return BeautifulSoup((site / name).read_text(encoding="utf-8"), "html.parser")

    chapter = page("notebooks/ninth.html")
    assert "One power and one division are enough" in chapter.get_text()
    assert len(chapter.select(".claim")) == 1
    assert (site / "notebooks/ninth.ipynb").is_file()
    cards = [card for card in page("index.html").select(".card") if TITLE in card.get_text()]
    assert [[link["href"] for link in card.select("h3 a")] for card in cards] == [["notebooks/ninth.html"]]
    assert cards[0].select(".marks i.holds")
    rows = page("book/claims.html").select('#all-claims a[href="../notebooks/ninth.html#nn-01"]')
    assert [row.get_text() for row in rows] == ["NN-01"]
    assert page("book/reference.html").find(id="explainers.ninth.geometric_sum")


def test_its_tests_pass_and_those_of_every_chapter(copy: Path) -> None:
    chosen = (
        "tests/ninth",
        "tests/chapters",
        "-k",
        "ninth or rooms",
        "--ignore=tests/chapters/test_ninth.py",
    )
    said = run(copy, sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *chosen)
    assert "passed" in said
    assert "failed" not in said


def test_it_keeps_the_rules_of_style_imports_and_types(copy: Path) -> None:
    run(copy, sys.executable, "-m", "ruff", "check", ".")
    run(copy, sys.executable, "-m", "ruff", "format", "--check", ".")
    run(copy, str(Path(sys.executable).with_name("lint-imports")), "--no-cache")
    files = sorted(name for name in OWN if name.endswith(".py"))
    run(copy, sys.executable, "-m", "mypy", *files)
