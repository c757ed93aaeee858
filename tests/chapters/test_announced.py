"""Title and source of a page are those in the metadata of its chapter."""

from pathlib import Path

import jupytext
import pytest

from explainers import resources

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", resources.chapters())
def test_a_page_begins_with_the_title_and_the_source_that_its_chapter_announces(name: str) -> None:
    chapter = resources.chapter(name)
    article = chapter.article
    first = jupytext.read(ROOT / f"notebooks/{name}.md").cells[0].source
    title, _, source = first.split("\n\n")[:3]
    assert title == f"# {chapter.card.title}"
    assert source.startswith(
        f"An independent explanation of [“{article.title}”]({article.url}) by Su Jianlin, Scientific Spaces, "
        f"{article.date.day} {article.date:%B %Y}, in Chinese."
    )
