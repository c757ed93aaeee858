"""Verdicts are earned: wrong versions of a chapter's central functions make its claims fail."""

from functools import cache

import pytest

from explainers.resources import chapter_claims, chapters
from tests.chapters import wrong
from tests.chapters.slices import Outcome, right_run

pytestmark = pytest.mark.slow
WRONGS = {chapter: wrong.of_chapter(chapter) for chapter in chapters()}
# a chapter's right run serves all its wrong versions, so they stay together in one process
CHAPTERS = [pytest.param(name, id=name, marks=pytest.mark.xdist_group(f"wrong {name}")) for name in WRONGS]
CASES = [
    pytest.param(name, mistake, id=f"{name}-{mistake}", marks=pytest.mark.xdist_group(f"wrong {name}"))
    for name, about in WRONGS.items()
    for mistake in about.versions
]
EARNED = {"DERIV", "BOUND", "ALGO", "MEAS"}


@cache
def made(name: str, mistake: str) -> Outcome:
    """What comes of it, for the claims that must notice."""
    version = WRONGS[name].versions[mistake]
    return right_run(name).wrong(version, version.noticed)


@pytest.mark.parametrize("name", CHAPTERS)
def test_with_the_right_functions_every_claim_is_true(name: str) -> None:
    listed = {id for id, entry in chapter_claims(name).items() if "bar" in entry}
    verdicts = right_run(name).verdicts
    assert set(verdicts) == listed
    assert {id for id, verdict in verdicts.items() if not verdict.true} == set()


@pytest.mark.parametrize(("name", "mistake"), CASES)
def test_a_wrong_version_makes_the_right_claims_fail(name: str, mistake: str) -> None:
    assert made(name, mistake).failed >= WRONGS[name].versions[mistake].noticed


@pytest.mark.parametrize("name", CHAPTERS)
def test_slices_say_the_same_when_nothing_is_wrong(name: str) -> None:
    slices = {mistake: made(name, mistake).ran for mistake in WRONGS[name].versions}
    assert all(slices.values()), f"no cell runs a function that is made wrong: {slices}"
    places = frozenset[int]().union(*slices.values())
    control = right_run(name).right(places)
    assert control.verdicts == right_run(name).verdicts
    assert control.differed <= {"random"}  # a first import may draw from Python's generator


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_claim_that_holds_can_fail(name: str) -> None:
    entries, about = chapter_claims(name), WRONGS[name]
    holds = {
        id
        for id, verdict in right_run(name).verdicts.items()
        if verdict.verdict == "holds" and entries[id]["kind"] in EARNED
    }
    failed = {id for mistake in about.versions for id in made(name, mistake).failed}
    assert holds - failed == about.proved


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_claim_is_excused_by_derivations_that_are_attacked_and_by_nothing_else(name: str) -> None:
    about = WRONGS[name]
    for id in about.proved:
        (trace,) = (trace for trace in right_run(name).traces if id in trace.said)
        assert trace.derivations, f"{id} rests on no derivation"
        assert {d.title for d in trace.derivations} <= {*about.derivations}


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_derivation_that_the_page_finishes_is_attacked(name: str) -> None:
    titles = [d.title for d in right_run(name).said.derivations if d.theorem is not None]
    assert sorted(titles) == sorted(WRONGS[name].derivations)
