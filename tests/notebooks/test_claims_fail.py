"""Verdicts are earned: wrong versions of a chapter's central functions make its claims fail."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jupytext
import pytest
import torch

from explainers import fourier_density
from explainers.notebook import claim as kit
from explainers.notebook import explore, lab, show
from explainers.resources import chapter_claims

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
_right = fourier_density.autocorrelation
_right_power = fourier_density.log_power


def mirrored(a: torch.Tensor) -> torch.Tensor:
    """The conjugate on the other factor."""
    return _right(a).conj().resolve_conj()


def circular(a: torch.Tensor) -> torch.Tensor:
    """The Fourier transform without room for the shifts."""
    return torch.fft.ifft(torch.fft.fft(a).abs().square()).conj().resolve_conj()


def one_frequency_off(a: torch.Tensor) -> torch.Tensor:
    """Shift n taken for shift n + 1, and the mean left where it is."""
    c = _right(a)
    return torch.cat([c[..., :1], c[..., 1:].roll(1, -1)], -1)


def unnormalised(a: torch.Tensor) -> torch.Tensor:
    """The logarithm of the area forgotten."""
    return torch.zeros(a.shape[:-1])


def cut_off(amplitude: torch.Tensor) -> torch.Tensor:
    """The gradient lost on the way."""
    return _right_power(amplitude).detach()


WRONG: dict[str, tuple[str, Callable[[torch.Tensor], torch.Tensor], set[str]]] = {
    "mirrored": ("autocorrelation", mirrored, {"FD-21", "FD-26", "FD-39"}),
    "circular": ("autocorrelation", circular, {"FD-17", "FD-21", "FD-22", "FD-24"}),
    "one frequency off": ("autocorrelation", one_frequency_off, {"FD-21", "FD-24", "FD-26"}),
    "unnormalised": ("log_mass", unnormalised, {"FD-25", "FD-26", "FD-27"}),
    "cut off": ("log_power", cut_off, {"FD-05", "FD-28"}),
}
PROVED_ALONE = {
    "FD-16": "a proof with no code of the library in it; the mutants of its three derivations are refused",
    "FD-04": "kernel estimates, written out on the page",
    "FD-07": "mixtures of Gaussians, written out on the page",
    "FD-37": "draws from a mixture, written out on the page",
    "FD-40": "a count",
    "FD-X2": "eigenvalues of matrices written out on the page",
    "FD-X4": "a property of every sum of waves, right or wrong",
    "FD-X5": "the wrong versions change neither what is squared nor that it is",
}


def _claimed(source: str) -> list[str]:
    return re.findall(r'claim\("([A-Z]+-\d+)"\)', source)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, tuple[str, bool]]]]:
    """Run the chapter's cells in this process; the verdict and the truth of every claim that was reached."""
    found: dict[str, tuple[str, bool]] = {}

    def note(self: kit.Claim, verdict: str, condition: object, measured: object, because: str) -> kit.Outcome:
        found[self.id] = verdict, bool(condition)
        return kit.Outcome(self.id, "", verdict, str(measured), because)  # type: ignore[arg-type]  # a literal

    monkeypatch.setattr(kit.Claim, "_verdict", note)
    monkeypatch.setattr(show, "figure", lambda *_, **__: None)
    monkeypatch.setattr(show, "show_source", lambda _: None)
    monkeypatch.setattr(explore, "explore", lambda *_, **__: None)
    monkeypatch.setattr(lab, "lab", lambda *_, **__: None)

    wrong: list[str] = []

    def cells(right: bool = False) -> dict[str, tuple[str, bool]]:
        namespace: dict[str, Any] = {}
        for cell in jupytext.read(ROOT / "notebooks/fourier_density.md").cells:
            # two claims train for seconds with no code of the library, or none that is made wrong
            if cell.cell_type == "code" and (right or not {"FD-12", "FD-02"} & set(_claimed(cell.source))):
                try:
                    exec(compile(cell.source, "cell", "exec"), namespace)
                # what a caption asserts may fail too, and a fit, as soon as a function is wrong
                except (AssertionError, FloatingPointError):
                    wrong.append(cell.source)
        assert not (right and wrong), wrong
        return found

    dtype = torch.get_default_dtype()
    yield cells
    torch.set_default_dtype(dtype)


def test_with_the_right_functions_every_claim_is_true(
    run: Callable[..., dict[str, tuple[str, bool]]],
) -> None:
    found = run(right=True)
    listed = {id for id, entry in chapter_claims("fourier_density").items() if "bar" in entry}
    assert set(found) == listed
    assert {id for id, (_, true) in found.items() if not true} == set()


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_version_makes_the_right_claims_fail(
    name: str, run: Callable[..., dict[str, tuple[str, bool]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    function, wrong, expected = WRONG[name]
    monkeypatch.setattr(fourier_density, function, wrong)
    failed = {id for id, (_, true) in run().items() if not true}
    assert failed >= expected


def test_every_claim_that_holds_can_fail(
    run: Callable[..., dict[str, tuple[str, bool]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    holds: set[str] = set()
    failed: set[str] = set()
    for function, wrong, _ in WRONG.values():
        with monkeypatch.context() as patch:
            patch.setattr(fourier_density, function, wrong)
            for id, (verdict, true) in run().items():
                if verdict == "holds" and chapter_claims("fourier_density")[id]["kind"] in {
                    "DERIV",
                    "BOUND",
                    "ALGO",
                    "MEAS",
                }:
                    holds.add(id)
                if not true:
                    failed.add(id)
    assert holds - failed == set(PROVED_ALONE)
