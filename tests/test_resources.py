"""The metadata of chapters, and the errors for malformed ones."""

import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from explainers import resources
from explainers.resources import Article, Card, Chapter

HEAD: dict[str, Any] = {
    "article": {"number": 1234, "title": "On nothing", "date": datetime.date(2024, 5, 6)},
    "prefix": "NO",
    "count": 1,
    "card": {"part": "Training", "title": "Nothing at all", "short": "Nothing", "says": "It is not there."},
    "sentinel": "nothing comes of it",
    "claims": [],
}


def written(folder: Path, head: Any) -> Path:
    path = folder / "nothing.yml"
    path.write_text(yaml.safe_dump(head), encoding="utf-8")
    return path


def test_a_head_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert resources.read_chapter(written(tmp_path, HEAD)) == Chapter(
        "nothing",
        Article(1234, "On nothing", datetime.date(2024, 5, 6)),
        "NO",
        1,
        Card("Training", "Nothing at all", "Nothing", "It is not there."),
        "nothing comes of it",
    )


def test_an_article_is_found_by_its_number() -> None:
    assert resources.chapter("fourier_density").article.url == "https://kexue.fm/archives/10007"


@pytest.mark.parametrize("chapter", resources.chapters())
def test_the_head_of_a_chapter_is_well_formed(chapter: str) -> None:
    assert resources.chapter(chapter).name == chapter


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("article", "10007"), ("article.number", "10007"), ("article.number", True), ("article.title", ""),
        ("article.date", "7 March 2024"), ("article.date", datetime.datetime(2024, 3, 7, 12)),
        ("article.author", "Su"), ("prefix", "fd"), ("prefix", None), ("count", 0), ("count", "40"),
        ("card", None), ("card.part", 3), ("card.says", ""), ("sentinel", ["a", "b"]), ("claims", None),
        ("sentinal", "a slip"),
    ],
)  # fmt: skip
def test_a_malformed_value_is_named_with_its_file_and_key(tmp_path: Path, place: str, value: object) -> None:
    *outer, key = place.split(".")
    head = {**HEAD, **{name: {**HEAD[name], key: value} for name in outer}} if outer else {**HEAD, key: value}
    with pytest.raises(ValueError, match=rf"nothing\.yml: {': '.join([*outer, key])}: "):
        resources.read_chapter(written(tmp_path, head))


@pytest.mark.parametrize(
    "place", ["article", "article.date", "prefix", "count", "card.part", "sentinel", "claims"]
)
def test_a_missing_key_is_named_with_its_file(tmp_path: Path, place: str) -> None:
    *outer, key = place.split(".")
    head = {**HEAD, **{name: {**HEAD[name]} for name in outer}}
    del (head[outer[0]] if outer else head)[key]
    with pytest.raises(ValueError, match=rf"nothing\.yml: {': '.join([*outer, key])}: "):
        resources.read_chapter(written(tmp_path, head))


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "article: [\n"])
def test_what_is_no_head_at_all_is_named_by_its_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "nothing.yml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"nothing\.yml"):
        resources.read_chapter(path)


def test_an_unknown_chapter_is_named() -> None:
    with pytest.raises(ValueError, match=r"chapter: .*'nothing'.*fourier_density"):
        resources.chapter("nothing")
