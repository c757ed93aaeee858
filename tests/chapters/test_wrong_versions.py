"""Verdicts are earned: wrong versions of a chapter's central functions make its claims fail."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import jupytext
import pytest
import torch

from explainers import fourier_density, sgd
from explainers.notebook import claim as kit
from explainers.notebook import explore, lab, show
from explainers.resources import chapter_claims
from explainers.studies import sgd as sgd_study

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
# the verdict and the truth of every claim that was reached
Found = dict[str, tuple[str, bool]]


@dataclass(frozen=True)
class Wrong:
    """A function of the chapter replaced, and the claims that must notice."""

    function: str
    version: Callable[..., Any]
    noticed: set[str]


@dataclass(frozen=True)
class Chapter:
    """What is made wrong, which claims cannot notice and why, and whose cells take long for nothing."""

    module: ModuleType
    wrong: Mapping[str, Wrong]
    proved_alone: Mapping[str, str]
    skipped: set[str]


def mirrored(a: torch.Tensor) -> torch.Tensor:
    """The conjugate on the other factor."""
    return _autocorrelation(a).conj().resolve_conj()


def circular(a: torch.Tensor) -> torch.Tensor:
    """The Fourier transform without room for the shifts."""
    return torch.fft.ifft(torch.fft.fft(a).abs().square()).conj().resolve_conj()


def one_frequency_off(a: torch.Tensor) -> torch.Tensor:
    """Shift n taken for shift n + 1, and the mean left where it is."""
    c = _autocorrelation(a)
    return torch.cat([c[..., :1], c[..., 1:].roll(1, -1)], -1)


def unnormalised(a: torch.Tensor) -> torch.Tensor:
    """The logarithm of the area forgotten."""
    return torch.zeros(a.shape[:-1])


def cut_off(amplitude: torch.Tensor) -> torch.Tensor:
    """The gradient lost on the way."""
    return _log_power(amplitude).detach()


_autocorrelation, _log_power = fourier_density.autocorrelation, fourier_density.log_power
FOURIER = Chapter(
    fourier_density,
    {
        "mirrored": Wrong("autocorrelation", mirrored, {"FD-21", "FD-26", "FD-39"}),
        "circular": Wrong("autocorrelation", circular, {"FD-17", "FD-21", "FD-22", "FD-24"}),
        "one frequency off": Wrong("autocorrelation", one_frequency_off, {"FD-21", "FD-24", "FD-26"}),
        "unnormalised": Wrong("log_mass", unnormalised, {"FD-25", "FD-26", "FD-27"}),
        "cut off": Wrong("log_power", cut_off, {"FD-05", "FD-28"}),
    },
    {
        "FD-16": "a proof with no code of the library in it; the mutants of its derivations are refused",
        "FD-04": "kernel estimates, written out on the page",
        "FD-07": "mixtures of Gaussians, written out on the page",
        "FD-37": "draws from a mixture, written out on the page",
        "FD-40": "a count",
        "FD-X2": "eigenvalues of matrices written out on the page",
        "FD-X4": "a property of every sum of waves, right or wrong",
        "FD-X5": "the wrong versions change neither what is squared nor that it is",
    },
    # two claims train for seconds with no code of the library, or none that is made wrong
    {"FD-12", "FD-02"},
)


def after_the_update(loss: sgd.Loss, samples: torch.Tensor, *rest: Any, **keywords: Any) -> sgd.Run:
    """Each loss as it is after the step that it caused."""
    run = _projected_sgd(loss, samples, *rest, **{**keywords, "trajectory": True})
    assert run.trajectory is not None
    pairs = zip(run.trajectory[1:], samples, strict=True)
    return run._replace(losses=torch.stack([loss(theta, sample)[0] for theta, sample in pairs]))


def uphill(loss: sgd.Loss, *rest: Any, **keywords: Any) -> sgd.Run:
    """With the gradient instead of against it."""

    def turned(theta: torch.Tensor, sample: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        value, gradient = loss(theta, sample)
        return value, -gradient

    return _projected_sgd(turned, *rest, **keywords)


def one_step_early(
    loss: sgd.Loss, samples: torch.Tensor, theta0: torch.Tensor, steps: Any, *rest: Any, **keywords: Any
) -> sgd.Run:
    """Each step as long as the next one should be."""
    steps = torch.cat([steps[1:], steps[-1:]]) if isinstance(steps, torch.Tensor) else steps
    return _projected_sgd(loss, samples, theta0, steps, *rest, **keywords)


def radius_for_diameter(diameter: float, gradient: float, steps: torch.Tensor) -> torch.Tensor:
    """Half of the diameter in its place."""
    return _regret_bound(diameter / 2, gradient, steps)


def halves_forgotten(diameter: float, gradient: float, steps: torch.Tensor) -> torch.Tensor:
    """Both terms without their one half."""
    return 2 * _regret_bound(diameter, gradient, steps)


def start_forgotten(distance: float, gradient: float, steps: torch.Tensor) -> torch.Tensor:
    """As if the run began at the point that it is compared with."""
    return _weighted(0.0, gradient, steps)


def clipped(x: torch.Tensor, radius: float = 1.0) -> torch.Tensor:
    """Coordinate by coordinate."""
    return x.clamp(-radius, radius)


def onto_the_sphere(x: torch.Tensor, radius: float = 1.0) -> torch.Tensor:
    """Scaled to the radius also from inside."""
    return radius * torch.nn.functional.normalize(x, dim=-1)


def scaled_onto_simplex(x: torch.Tensor, total: float = 1.0) -> torch.Tensor:
    """Negative coordinates cut off, and the rest divided by its sum."""
    kept = x.clamp(min=1e-9)
    return total * kept / kept.sum(-1, keepdim=True)


def wrong_label(a: torch.Tensor, y: torch.Tensor) -> sgd.Loss:
    """The gradient of the other label's loss."""
    right, other = _logistic_loss(a, y), _logistic_loss(a, -y)
    return lambda theta, row: (right(theta, row)[0], other(theta, row)[1])


_projected_sgd, _regret_bound, _weighted = sgd.projected_sgd, sgd.regret_bound, sgd.weighted_average_bound
_logistic_loss = sgd.logistic_loss
SGD = Chapter(
    sgd,
    {
        "after the update": Wrong("projected_sgd", after_the_update, {"SG-04", "SG-X3"}),
        "uphill": Wrong("projected_sgd", uphill, {"SG-02", "SG-03", "SG-21"}),
        "one step early": Wrong("projected_sgd", one_step_early, {"SG-02", "SG-21", "SG-22"}),
        "a radius for a diameter": Wrong("regret_bound", radius_for_diameter, {"SG-X2"}),
        "halves forgotten": Wrong("regret_bound", halves_forgotten, {"SG-13"}),
        "start forgotten": Wrong("weighted_average_bound", start_forgotten, {"SG-X1", "SG-X5"}),
        "clipped": Wrong("project_ball", clipped, {"SG-30", "SG-X2"}),
        "onto the sphere": Wrong("project_ball", onto_the_sphere, {"SG-29", "SG-31", "SG-33"}),
        "scaled onto the simplex": Wrong("project_simplex", scaled_onto_simplex, {"SG-30", "SG-32", "SG-33"}),
        "the other label": Wrong("logistic_loss", wrong_label, {"SG-19"}),
    },
    {
        "SG-06": "a proof with no code of the library in it, like the next four; its mutants are refused",
        "SG-09": "a proof",
        "SG-11": "a proof, and a sum written out on the page",
        "SG-12": "a proof",
        "SG-X6": "a proof, and sums written out on the page",
        "SG-X7": "about clipping itself; the wrong projections are right, or nearer, outside of the ball",
    },
    set(),
)

CHAPTERS = {"fourier_density": FOURIER, "sgd": SGD}
CASES = [
    pytest.param(chapter, name, id=f"{chapter}-{name}", marks=pytest.mark.xdist_group(f"wrong {chapter}"))
    for chapter, about in CHAPTERS.items()
    for name in about.wrong
]
EACH = [
    pytest.param(chapter, id=chapter, marks=pytest.mark.xdist_group(f"wrong {chapter}"))
    for chapter in CHAPTERS
]


def _claimed(source: str) -> list[str]:
    return re.findall(r'claim\("([A-Z]+-\w+)"\)', source)


@cache
def found(chapter: str, name: str = "") -> Found:
    """Run the chapter's cells in this process, with one function made wrong."""
    about, verdicts, wrong = CHAPTERS[chapter], {}, []

    def note(self: kit.Claim, verdict: str, condition: object, measured: object, because: str) -> kit.Outcome:
        verdicts[self.id] = verdict, bool(condition)
        return kit.Outcome(self.id, "", verdict, str(measured), because)  # type: ignore[arg-type]  # a literal

    dtype = torch.get_default_dtype()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kit.Claim, "_verdict", note)
        for module, function in (
            (show, "figure"),
            (show, "show_source"),
            (show, "table"),
            (explore, "explore"),
            (lab, "lab"),
        ):
            patch.setattr(module, function, lambda *_, **__: None)
        if name:
            patch.setattr(about.module, about.wrong[name].function, about.wrong[name].version)
        _forget()
        namespace: dict[str, Any] = {}
        for cell in jupytext.read(ROOT / f"notebooks/{chapter}.md").cells:
            if cell.cell_type == "code" and not (name and about.skipped & set(_claimed(cell.source))):
                try:
                    exec(compile(cell.source, "cell", "exec"), namespace)
                # as soon as a function is wrong, what a caption asserts may fail too, and a fit, and then
                # what a later cell would use is missing
                except Exception:
                    if not name:
                        raise
                    wrong.append(cell.source)
    _forget()
    torch.set_default_dtype(dtype)
    return verdicts


def _forget() -> None:
    """What a study has computed with another version of the library."""
    for problem in (sgd_study.absolute, sgd_study.logistic):
        problem.cache_clear()


@pytest.mark.parametrize("chapter", EACH)
def test_with_the_right_functions_every_claim_is_true(chapter: str) -> None:
    listed = {id for id, entry in chapter_claims(chapter).items() if "bar" in entry}
    assert set(found(chapter)) == listed
    assert {id for id, (_, true) in found(chapter).items() if not true} == set()


@pytest.mark.parametrize(("chapter", "name"), CASES)
def test_a_wrong_version_makes_the_right_claims_fail(chapter: str, name: str) -> None:
    failed = {id for id, (_, true) in found(chapter, name).items() if not true}
    assert failed >= CHAPTERS[chapter].wrong[name].noticed


@pytest.mark.parametrize("chapter", EACH)
def test_every_claim_that_holds_can_fail(chapter: str) -> None:
    entries, holds, failed = chapter_claims(chapter), set(), set()
    for name in CHAPTERS[chapter].wrong:
        for id, (verdict, true) in found(chapter, name).items():
            if verdict == "holds" and entries[id]["kind"] in {"DERIV", "BOUND", "ALGO", "MEAS"}:
                holds.add(id)
            if not true:
                failed.add(id)
    assert holds - failed == set(CHAPTERS[chapter].proved_alone)
