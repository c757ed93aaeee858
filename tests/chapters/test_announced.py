"""Title and source of a page, and when its bars were written, are as its list of claims announces them."""

import re
import subprocess
from pathlib import Path

import jupytext
import pytest
import yaml

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


def git(*words: str) -> str:
    """What git prints, nothing where it fails: a file need not exist in each commit."""
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout


def first_commits(name: str) -> tuple[dict[str, str], dict[str, str]]:
    """Where the bar of each claim, and where its verdict first appears, after those of the template."""
    bars: dict[str, str] = {}
    verdicts: dict[str, str] = {}
    template = (ROOT / "book/template/book/claims/NAME.yml").read_text(encoding="utf-8")
    listed, page = f"book/claims/{name}.yml", f"notebooks/{name}.md"
    log = git("log", "--full-history", "--topo-order", "--reverse", "--format=%H", "--", listed, page)
    for commit in log.split():
        claims = yaml.safe_load(git("show", f"{commit}:{listed}") or "{}").get("claims", [])
        if [claim["text"] for claim in claims] == [yaml.safe_load(template)["claims"][0]["text"]]:
            continue
        for claim in claims:
            if "bar" in claim:
                bars.setdefault(claim["id"], commit)
        for id in re.findall(r'claim\(\s*"([A-Z]+-\w+)"', git("show", f"{commit}:{page}")):
            verdicts.setdefault(id, commit)
    return bars, verdicts


@pytest.mark.parametrize("name", resources.chapters())
def test_a_list_says_which_bars_were_not_committed_before_their_code(name: str) -> None:
    bars, verdicts = first_commits(name)
    if not bars or {*bars.values()} & {*git("rev-list", "--max-parents=0", "HEAD").split()}:
        pytest.skip("the history begins with this chapter, or does not have it")
    late = {}
    for id, entry in resources.chapter_claims(name).items():
        if "bar" in entry and id in bars and id in verdicts:
            if bars[id] == verdicts[id]:
                late[id] = "with its code"
            elif git("merge-base", bars[id], verdicts[id]).strip() != bars[id]:
                late[id] = "after its code"
    claims = resources.chapter_claims(name)
    said = {id: entry["written"] for id, entry in claims.items() if "written" in entry}
    assert {id: when for id, when in said.items() if when.endswith("its code")} == late
