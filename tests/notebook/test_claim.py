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
    outcome = claim("FD-25").holds(1 + 1 == 2, "area 1 within 3e-09")
    data = outcome._repr_mimebundle_()
    assert data[MIME]["id"] == "FD-25"
    assert data[MIME]["verdict"] == "holds"
    assert data[MIME]["text"] == chapter_claims("fourier_density")["FD-25"]["text"]
    assert data[MIME]["measured"] == "area 1 within 3e−9"
    assert "FD-25" in data["text/plain"]
    assert data["text/markdown"].startswith("**Holds.**")


@pytest.mark.parametrize("verdict", ["holds", "qualified", "refuted"])
def test_a_false_condition_is_an_error_that_quotes_the_bar(verdict: str) -> None:
    with pytest.raises(ClaimFailedError, match="FD-24") as caught:
        getattr(claim("FD-24"), verdict)(sum([1]) == 2, "lowest -0.3", because="of a reason")
    assert "10,000 random draws" in str(caught.value)
    assert "lowest -0.3" in str(caught.value)


@pytest.mark.parametrize("true", [True, np.bool_(True), torch.tensor(True), sympy.true])
def test_truth_comes_from_any_library(true: object) -> None:
    assert claim("FD-13").holds(true, "").verdict == "holds"


@pytest.mark.parametrize("false", [np.bool_(False), torch.tensor(False), sympy.false])
def test_falsehood_comes_from_any_library(false: object) -> None:
    with pytest.raises(ClaimFailedError):
        claim("FD-13").holds(false, "")


@pytest.mark.parametrize("condition", ["yes", 1, None, [True], sympy.Symbol("x") > 0])
def test_what_has_no_truth_value_is_refused(condition: object) -> None:
    with pytest.raises(TypeError, match="condition"):
        claim("FD-13").holds(condition, "")


def test_an_unknown_id_is_refused() -> None:
    with pytest.raises(ValueError, match="FD-99"):
        claim("FD-99")


def test_a_reader_may_run_a_cell_again() -> None:
    first, second = (claim("FD-13").holds(1 < 2, "") for _ in range(2))
    assert repr(first) == repr(second)


def test_qualified_and_refuted_say_why() -> None:
    with pytest.raises(ValueError, match="because"):
        claim("FD-38").refuted(1 < 2, "ends at 0")


def test_a_claim_for_later_takes_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = {"FD-34": {"id": "FD-34", "kind": "MEAS", "text": "To come.", "later": True}}
    monkeypatch.setattr(module, "chapter_claims", lambda _: waiting)
    with pytest.raises(ValueError, match="later"):
        claim("FD-34").holds(1 < 2, "")


def test_our_own_additions_only_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "chapters", lambda: ("fourier_density",))
    monkeypatch.setattr(module, "chapter_claims", lambda _: {"FD-X9": {"text": "Ours."}})
    with pytest.raises(ValueError, match="can only be holds"):
        claim("FD-X9").refuted(1 < 2, "", because="of a reason")
    assert claim("FD-X9").holds(1 < 2, "").verdict == "holds"


def test_numbers_are_written_as_a_reader_writes_them() -> None:
    assert tidy("1.5e-09 and 3e+04, -0.2, x-1, $e^{-2}$ -3") == "1.5e−9 and 3e4, −0.2, x-1, $e^{-2}$ −3"
