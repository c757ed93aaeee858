"""Make the files of a new chapter from book/template: `make chapter NAME=ninth TITLE="A title"`.

    python book/new_chapter.py NAME [--title TITLE] [--part PART] [--prefix PREFIX]

The new chapter is small, complete, and passes all tests: a function with tests and wrong versions, a claim
that a cell decides, a page, and a picture. The files that all chapters share are edited, too. Title, part and
article of a chapter that is planned in book/chapters.yml are taken from there.
"""

import argparse
import datetime
import itertools
import json
import keyword
import re
import sys
from pathlib import Path

import draw_pictures
import rooms
from explainers.resources import Article, Card
from extension import cards

ROOT = Path(__file__).parents[1]
TEMPLATE = Path(__file__).parent / "template"
SAYS = "The powers of a number, added up by one division."


def new_entry(root: Path, name: str, title: str, part: str, prefix: str, today: datetime.date) -> cards.Entry:
    """The metadata of the new chapter; empty arguments are taken from book/chapters.yml or have defaults.

    Raises `ValueError` that begins with the argument if it is invalid or already in use.
    """
    parts = cards.parts(root)
    entries = [entry for part in parts for entry in part.chapters]
    _check_name(root, name, entries)
    planned = next((entry for entry in entries if entry.name == name), None)
    if planned:
        for what, given, known in (("title", title, planned.card.title), ("part", part, planned.card.part)):
            if given not in ("", known):
                raise ValueError(f"{what}: {name} is planned in {cards.PARTS} with {known!r}, got {given!r}")
        article, card, prefix = planned.article, planned.card, prefix or planned.prefix
    else:
        names = [part.name for part in parts]
        if not title.strip() or "\n" in title:
            raise ValueError(
                f'title: {name} is not planned and needs one: make chapter NAME={name} TITLE="…"'
            )
        if part and part not in names:
            raise ValueError(f"part: expected one of {names}, got {part!r}")
        taken = {entry.article.number for entry in entries}
        number = next(number for number in itertools.count(1) if number not in taken)
        article = Article(number, title, today)
        card = Card(part or names[-1], title, name.replace("_", " ").capitalize(), SAYS)
        prefix = prefix or derived_prefix(name)
    if not re.fullmatch("[A-Z]{2,4}", prefix):
        raise ValueError(f"prefix: expected two to four capital letters, got {prefix!r}; set it by PREFIX=")
    for entry in entries:
        if entry.prefix == prefix and entry.name != name:
            raise ValueError(f"prefix: {prefix} is already used by {entry.name}; set another one by PREFIX=")
    return cards.Entry(name, article, prefix, card, written=True)


def _check_name(root: Path, name: str, entries: list[cards.Entry]) -> None:
    if not re.fullmatch("[a-z][a-z0-9_]+", name) or keyword.iskeyword(name):
        raise ValueError(
            f"name: expected a letter a-z and at least one of a-z, 0-9 and _, and no keyword, got {name!r}"
        )
    if any(entry.name == name and entry.written for entry in entries):
        raise ValueError(f"name: the chapter {name} already exists")
    module = root / "lib/explainers" / name
    if module.is_dir() or module.with_suffix(".py").exists():
        raise ValueError(f"name: explainers.{name} is already a module of the library")
    planned = any(entry.name == name for entry in entries)
    for path in rooms.paths(name):
        if (root / path).exists() and not (planned and path.startswith("book/pictures/")):
            raise ValueError(f"name: {path} already exists")


def derived_prefix(name: str) -> str:
    """The first two consonants of `name` as capitals, or its first two letters if there are fewer."""
    letters = re.sub("[^a-z]", "", name)
    consonants = re.sub("[aeiou]", "", letters)
    return (consonants if len(consonants) > 1 else letters)[:2].upper()


# ---- the chapter's own files


def own_files(root: Path, new: cards.Entry) -> dict[Path, str]:
    """The text of each new file of the chapter, from the template; files that exist are left out."""
    values = {
        "NAME": new.name,
        "PREFIX": new.prefix,
        "TITLE": new.card.title,
        "PART": new.card.part,
        "SHORT": new.card.short,
        "SAYS": new.card.says,
        "ARTICLE": new.article.title,
        "NUMBER": str(new.article.number),
        "URL": new.article.url,
        "DATE": new.article.date.isoformat(),
        "DAY": f"{new.article.date.day} {new.article.date:%B %Y}",
    }
    texts = {}
    for source in sorted(path for path in TEMPLATE.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        target = root / source.relative_to(TEMPLATE).as_posix().replace("NAME", new.name)
        if not target.exists():
            texts[target] = _filled(
                source.read_text(encoding="utf-8"), values, quoted=target.suffix == ".yml"
            )
    return texts


def _filled(text: str, values: dict[str, str], *, quoted: bool) -> str:
    """`text` with its placeholders replaced, escaped for double quotes of YAML if `quoted`."""

    def value(placeholder: re.Match[str]) -> str:
        words = values[placeholder[0]]
        return json.dumps(words, ensure_ascii=False)[1:-1] if quoted else words

    return re.sub(rf"\b(?:{'|'.join(values)})\b", value, text)


# ---- the files that all chapters share


def add_to_contents(text: str, new: cards.Entry, parts: list[cards.Part]) -> str:
    """The text of _toc.yml with the chapter added to its part, ordered by the dates of the articles."""
    names = [part.name for part in parts]
    *others, siblings = (
        [entry for entry in part.chapters if entry.written]
        for part in parts[: names.index(new.card.part) + 1]
    )
    before = [entry for entry in siblings if entry.sort_key < new.sort_key]
    lines = text.splitlines(keepends=True)
    added, caption = _listed(new), f"  - caption: {new.card.part}\n"
    if caption in lines:
        place = lines.index(_listed(before[-1])) + 1 if before else lines.index(caption) + 2
    else:
        last = [entry for part in others for entry in part][-1:]
        place = lines.index(_listed(last[0])) + 1 if last else lines.index("parts:\n") + 1
        added = f"{caption}    chapters:\n{added}"
    lines.insert(place, added)
    return "".join(lines)


def _listed(entry: cards.Entry) -> str:
    return f"      - file: notebooks/{entry.name}\n"


def add_to_layers(text: str, name: str, layer: str) -> str:
    """The text of pyproject.toml with the chapter added to `layer`, the layer of all chapters."""
    return text.replace(f'"{layer}"', f'"{" | ".join(sorted([*layer.split(" | "), name]))}"')


def add_to_reference(text: str, new: cards.Entry, chapters: list[str]) -> str:
    """The text of book/reference.md with a section for the chapter's module after those of other chapters."""
    sections = re.split("^(?=## )", text, flags=re.M)
    documented = [f"automodule:: explainers.{name}\n" for name in chapters]
    last = max(n for n, section in enumerate(sections) if any(line in section for line in documented))
    module = f".. automodule:: explainers.{new.name}\n   :members:\n"
    sections.insert(last + 1, f"## {new.card.short}\n\n```{{eval-rst}}\n{module}```\n\n")
    return "".join(sections)


def remove_card(text: str, name: str) -> str:
    """The text of book/chapters.yml without the card of the chapter `name`."""
    lines = text.splitlines(keepends=True)
    start = lines.index(f"  - name: {name}\n")
    following = (n for n in range(start + 1, len(lines)) if lines[n].startswith(("  - name:", "- part:")))
    end = next(following, len(lines))
    only = lines[start - 1] == "  chapters:\n" and not "".join(lines[end : end + 1]).startswith("  - name:")
    lines[start - only : end] = ["  chapters: []\n"] if only else []
    return "".join(lines)


def shared_files(root: Path, new: cards.Entry) -> dict[Path, str]:
    """The new text of each shared file that changes."""
    parts = cards.parts(root)
    entries = [entry for part in parts for entry in part.chapters]
    written = [entry.name for entry in entries if entry.written]

    def text(name: str) -> str:
        return (root / name).read_text(encoding="utf-8")

    texts = {
        root / cards.CONTENTS: add_to_contents(text(cards.CONTENTS), new, parts),
        root / rooms.RULES: add_to_layers(text(rooms.RULES), new.name, rooms.layer(root)),
        root / rooms.REFERENCE: add_to_reference(text(rooms.REFERENCE), new, written),
    }
    if any(entry.name == new.name for entry in entries):
        texts[root / cards.PARTS] = remove_card(text(cards.PARTS), new.name)
    return texts


# ---- the command


def make(root: Path, new: cards.Entry) -> tuple[list[Path], list[Path]]:
    """Write the chapter's own files and edit the shared ones; return the paths of both."""
    own, shared = own_files(root, new), shared_files(root, new)  # both may raise, so nothing is written yet
    for path, text in {**own, **shared}.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    drawings = [path for path in own if path.match("book/pictures/*.py")]
    return [*own, *(draw_pictures.write(path) for path in drawings)], [*shared]


def main() -> None:
    """Make the chapter that the command line describes, and print the paths of its files."""
    parser = argparse.ArgumentParser(description="Make the files of a new chapter.")
    parser.add_argument("name", help="of its module and all its files")
    parser.add_argument("--title", default="", help="of the page and its card; known for a planned chapter")
    parser.add_argument("--part", default="", help="of the book; the last one if none is given")
    parser.add_argument("--prefix", default="", help="of its claims; derived from the name if none is given")
    given = parser.parse_args()
    try:
        new = new_entry(ROOT, given.name, given.title, given.part, given.prefix, datetime.date.today())
        own, shared = make(ROOT, new)
    except ValueError as error:
        sys.exit(str(error))
    for what, paths in (("made", own), ("edited", shared)):
        for path in paths:
            print(f"{what:8}{path.relative_to(ROOT).as_posix()}")
    print(f"\nIts claims begin with {new.prefix}-. Its article is {new.article.url}, of {new.article.date}:")
    print(f"“{new.article.title}”. If that is wrong,")
    print(f"correct book/claims/{new.name}.yml and the source line of notebooks/{new.name}.md.")


if __name__ == "__main__":
    main()
