"""Verdicts on claims: their output, and the errors for false conditions and for misuse."""

import numpy as np
import pytest
import sympy
import torch

from explainers.notebook import claim as module
from explainers.notebook.claim import MIME, ClaimFailedError, claim
from explainers.notebook.words import tidy
from explainers.resources import chapter_claims


def test_a_verdict_carries_the_claim_in_our_words() -> None:
    outcome = claim("FD-25").holds(1 + 1 == 2, "The area is 1 within 3e-09.")
    data = outcome._repr_mimebundle_()
    assert data[MIME]["id"] == "FD-25"
    assert data[MIME]["verdict"] == "holds"
    assert data[MIME]["text"] == chapter_claims("fourier_density")["FD-25"]["text"]
    assert data[MIME]["found"] == "The area is 1 within 3e−9."


@pytest.mark.parametrize("form", ["text/plain", "text/markdown"])
def test_the_articles_words_and_our_finding_are_two_things(form: str) -> None:
    outcome = claim("FD-38").refuted(1 < 2, "It ends at 0, not at 1.", because="A sign is lost.")
    words = outcome._repr_mimebundle_()[form].replace("*", "").split()
    said = chapter_claims("fourier_density")["FD-38"]["text"]
    shown = f"Article: {said} Refuted. Found: It ends at 0, not at 1. A sign is lost.".split()
    assert " ".join(shown) in " ".join(words)
    assert "FD-38" in " ".join(words)


@pytest.mark.parametrize(
    "found",
    ["", "Proved.", "area 1 within 3e-09.", "The area is 1", "The area\nis 1.", "The area is 1. "],
)
def test_what_is_no_whole_sentence_is_refused(found: str) -> None:
    with pytest.raises(ValueError, match=r"found: .* claim FD-25 "):
        claim("FD-25").holds(1 < 2, found)
    with pytest.raises(ValueError, match=r"because: .* claim FD-24 "):
        claim("FD-24").qualified(1 < 2, "It is so.", because=found)


@pytest.mark.usefixtures("unchecked")
def test_a_number_is_no_sentence() -> None:
    with pytest.raises(ValueError, match=r"found: .* claim FD-25 .* 1\.0"):
        claim("FD-25").holds(1 < 2, 1.0)  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize(
    "found", ["$N$ waves are enough.", "20,000 draws fit.", "`fit` ends at 1.", "Ümlaute go too."]
)
def test_a_sentence_starts_as_sentences_do(found: str) -> None:
    assert claim("FD-25").holds(1 < 2, found).found == found


@pytest.mark.parametrize("verdict", ["holds", "qualified", "refuted"])
def test_a_false_condition_is_an_error_that_quotes_the_bar(verdict: str) -> None:
    because = {} if verdict == "holds" else {"because": "There is a reason."}
    with pytest.raises(ClaimFailedError, match="FD-24") as caught:
        getattr(claim("FD-24"), verdict)(sum([1]) == 2, "The lowest value is -0.3.", **because)
    assert "10,000 random draws" in str(caught.value)
    assert "The lowest value is −0.3." in str(caught.value)


@pytest.mark.parametrize("true", [True, np.bool_(True), torch.tensor(True), sympy.true])
def test_truth_comes_from_any_library(true: object) -> None:
    assert claim("FD-13").holds(true, "It is so.").verdict == "holds"


@pytest.mark.parametrize("false", [np.bool_(False), torch.tensor(False), sympy.false])
def test_falsehood_comes_from_any_library(false: object) -> None:
    with pytest.raises(ClaimFailedError):
        claim("FD-13").holds(false, "It is so.")


@pytest.mark.parametrize("condition", ["yes", 1, None, [True], sympy.Symbol("x") > 0])
def test_what_has_no_truth_value_is_refused(condition: object) -> None:
    with pytest.raises(TypeError, match="condition"):
        claim("FD-13").holds(condition, "It is so.")


def test_an_unknown_id_is_refused() -> None:
    with pytest.raises(ValueError, match="FD-99"):
        claim("FD-99")


def test_a_reader_may_run_a_cell_again() -> None:
    first, second = (claim("FD-13").holds(1 < 2, "It is so.") for _ in range(2))
    assert repr(first) == repr(second)


def test_qualified_and_refuted_say_why() -> None:
    with pytest.raises(ValueError, match="because"):
        claim("FD-38").refuted(1 < 2, "It ends at 0.", because="")


def test_a_claim_for_later_takes_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = {"FD-34": {"id": "FD-34", "kind": "MEAS", "text": "To come.", "later": True}}
    monkeypatch.setattr(module, "chapter_claims", lambda _: waiting)
    with pytest.raises(ValueError, match="later"):
        claim("FD-34").holds(1 < 2, "It is so.")


def test_our_own_additions_only_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "chapters", lambda: ("fourier_density",))
    monkeypatch.setattr(module, "chapter_claims", lambda _: {"FD-X9": {"text": "Ours."}})
    with pytest.raises(ValueError, match="can only be holds"):
        claim("FD-X9").refuted(1 < 2, "It is not.", because="There is a reason.")
    outcome = claim("FD-X9").holds(1 < 2, "It is so.")
    assert repr(outcome) == "FD-X9. We add: Ours.\nHolds. Found: It is so."


def test_numbers_are_written_as_a_reader_writes_them() -> None:
    assert tidy("1.5e-09 and 3e+04, -0.2, x-1, $e^{-2}$ -3") == "1.5e−9 and 3e4, −0.2, x-1, $e^{-2}$ −3"
