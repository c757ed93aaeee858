"""Fitting by maximum likelihood."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from explainers.fourier_density import FourierDensity
from tests.fourier_density.densities import BOTH, Support, two_bumps


def known_density(dtype: torch.dtype = torch.float64) -> FourierDensity:
    """Frequencies up to 3, on [-1, 1], asymmetric, nowhere 0."""
    model = FourierDensity(3).to(dtype)
    with torch.no_grad():
        model.parts.copy_(torch.tensor([[1, 0], [0.5, 0.3], [-0.2, 0.25], [0.1, -0.1]]))
    return model


@BOTH
@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_fit_recovers_a_known_density(dtype: torch.dtype, method: str) -> None:
    truth = known_density(dtype)
    samples = truth.sample((20_000,), torch.Generator().manual_seed(3))
    model = FourierDensity(3).to(dtype)
    history = model.fit(samples, method=method, steps=300)
    # of 20,000 samples the standard error of a coefficient is at most 1 / (2 sqrt(20,000)) = 0.0035 a part
    torch.testing.assert_close(model.coefficients, truth.coefficients, rtol=0, atol=0.015)
    entropy_of_sample = -truth.log_prob(samples).mean()
    assert history.dtype == dtype
    assert history[-1] <= entropy_of_sample + 1e-5  # the best fit is at least as likely as the truth
    assert history[-1] < history[0] - 0.1


@pytest.mark.parametrize("support", [(-1.0, 1.0), "real"])
def test_both_methods_find_the_same_density(support: Support) -> None:
    samples = two_bumps(2000)
    y = torch.linspace(-0.95, 0.95, 60, dtype=torch.float64)
    models = [FourierDensity(5, support=support).double() for _ in range(2)]
    losses = [models[0].fit(samples)[-1], models[1].fit(samples, method="adam")[-1]]
    torch.testing.assert_close(*losses, rtol=0, atol=1e-4)
    torch.testing.assert_close(models[0].log_prob(y).exp(), models[1].log_prob(y).exp(), rtol=0, atol=0.03)


@pytest.mark.parametrize("num_frequencies", [1, 2, 10, 32, 64])
@pytest.mark.parametrize("target", ["two bumps", "symmetric", "one point"])
def test_fit_leaves_the_uniform_start(num_frequencies: int, target: str) -> None:
    bumps = two_bumps(1000, dtype=torch.float32)
    samples = {"two bumps": bumps, "symmetric": torch.cat([bumps, -bumps]), "one point": bumps[:1]}[target]
    history = FourierDensity(num_frequencies).fit(samples, steps=40)
    assert history.isfinite().all()
    assert (history.diff() <= 1e-5).all()
    uniform = math.log(2)
    assert history[0] == pytest.approx(uniform, abs=1e-5)
    assert history[-1] < uniform - 0.01


def test_more_waves_fit_at_least_as_well() -> None:
    samples = two_bumps(1000)
    finals = [FourierDensity(n).double().fit(samples)[-1].item() for n in (1, 2, 4, 8, 16, 32)]
    assert all(later <= earlier + 1e-6 for earlier, later in itertools.pairwise(finals))


def test_fit_finds_the_best_of_the_family_where_it_is_known() -> None:
    """With N = 1 and support [-1, 1] the densities are 1/2 + Re c exp(i pi x), |c| <= 1/2."""
    samples = two_bumps(500)
    model = FourierDensity(1).double()
    history = model.fit(samples)
    radius, angle = np.meshgrid(np.linspace(0, 0.5, 101), np.linspace(-np.pi, np.pi, 181))
    waves = np.cos(np.pi * samples.numpy()[:, None, None] + angle)
    grid = -np.log(np.maximum(0.5 + radius * waves, 1e-300)).mean(0)
    assert history[-1] <= grid.min() + 1e-9
    assert history[-1] == pytest.approx(grid.min(), abs=1e-3)


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
@pytest.mark.parametrize("support", [(-1.0, 1.0), "real"])
def test_a_batch_is_fitted_like_each_alone(method: str, support: Support) -> None:
    samples = torch.stack([two_bumps(1200, seed)[:800] for seed in range(6)], -1).reshape(800, 2, 3)
    samples[:, 1] = samples[:, 1] * 0.3 + 0.1
    batch = FourierDensity(4, support=support, batch_shape=(2, 3)).double()
    history = batch.fit(samples, method=method, steps=120)
    assert history.shape[1:] == (2, 3)
    y = torch.linspace(-0.9, 0.9, 40, dtype=torch.float64)
    together = batch.log_prob(y[:, None, None])
    for i, j in itertools.product(range(2), range(3)):
        alone = FourierDensity(4, support=support).double()
        losses = alone.fit(samples[:, i, j], method=method, steps=120)
        torch.testing.assert_close(history[-1, i, j], losses[-1], rtol=0, atol=1e-9)
        torch.testing.assert_close(history[: len(losses), i, j], losses, rtol=0, atol=1e-6)
        torch.testing.assert_close(together[:, i, j].exp(), alone.log_prob(y).exp(), rtol=0, atol=1e-4)


def test_a_penalty_smooths() -> None:
    samples = two_bumps(50)
    rough = []
    for penalty in (0, 1e-4, 1e-2, 1.0):
        model = FourierDensity(16).double()
        model.fit(samples, penalty=penalty)
        rough.append(model.roughness.item())
    assert all(later < earlier for earlier, later in itertools.pairwise(rough))
    assert rough[-1] < 0.1


def test_a_penalty_helps_on_few_samples() -> None:
    few, held_out = two_bumps(50), two_bumps(5000, seed=1)
    losses = []
    for penalty in (0, 1e-3):
        model = FourierDensity(16).double()
        model.fit(few, penalty=penalty)
        losses.append(-model.log_prob(held_out).mean().item())
    assert losses[1] < losses[0]


def test_history_belongs_to_the_parameters_that_callback_sees() -> None:
    samples = two_bumps(400)
    model = FourierDensity(4, support="real").double()
    seen = []

    def callback(step: int, nll: Tensor) -> bool:
        torch.testing.assert_close(nll, -model.log_prob(samples).mean().detach())
        seen.append((step, nll))
        return step == 5

    history = model.fit(samples, callback=callback)
    assert [step for step, _ in seen] == [0, 1, 2, 3, 4, 5]
    assert torch.equal(history, torch.stack([nll for _, nll in seen]))
    torch.testing.assert_close(history[-1], -model.log_prob(samples).mean().detach())


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_fit_is_deterministic_and_forgets(method: str) -> None:
    samples = two_bumps(300)
    states = []
    for seed, earlier in ((0, 0), (1, 200)):
        torch.manual_seed(seed)
        model = FourierDensity(5, support="real").double()
        if earlier:
            model.fit(2 + samples[:earlier])
        model.fit(samples, method=method, steps=20)
        states.append(model.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
@pytest.mark.parametrize("unit", [1e-8, 1e6])
def test_fit_on_the_line_follows_shift_and_stretch(method: str, unit: float) -> None:
    samples = two_bumps(1000)
    y = torch.linspace(-0.9, 0.9, 30, dtype=torch.float64)
    plain, moved = (FourierDensity(6, support="real").double() for _ in range(2))
    plain.fit(samples, method=method, steps=60)
    moved.fit(unit * (samples - 5), method=method, steps=60)
    assert moved.scale.item() == pytest.approx(unit * plain.scale.item(), rel=1e-3)
    torch.testing.assert_close(moved.cdf(unit * (y - 5)), plain.cdf(y), rtol=0, atol=1e-4)


def test_one_far_outlier_does_not_spoil_the_start() -> None:
    samples = two_bumps(2000)
    y = torch.linspace(-1, 1, 50, dtype=torch.float64)
    clean, dirty = (FourierDensity(6, support="real").double() for _ in range(2))
    clean.fit(samples)
    dirty.fit(torch.cat([samples, torch.tensor([50.0], dtype=torch.float64)]))
    torch.testing.assert_close(dirty.log_prob(y).exp(), clean.log_prob(y).exp(), rtol=0, atol=0.15)


Drawn = tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]  # a sample, and its density


def gauss4(n: int, seed: int) -> Drawn:
    weight, mean, deviation = (
        [0.25, 0.35, 0.2, 0.2],
        np.array([-2, -0.5, 1.2, 2.5]),
        np.array([0.35, 0.5, 0.25, 0.4]),
    )
    rng = np.random.default_rng(seed)
    which = rng.choice(4, n, p=weight)
    density = lambda y: stats.norm.pdf(y[:, None], mean, deviation) @ weight  # noqa: E731
    return rng.normal(mean[which], deviation[which]), density


def mixed3(n: int, seed: int) -> Drawn:
    rng = np.random.default_rng(seed)
    parts = [stats.laplace(-2, 0.25), stats.uniform(-0.5, 2), stats.norm(2.6, 0.2)]
    weight = [0.35, 0.4, 0.25]
    draws = np.stack([part.rvs(n, random_state=rng) for part in parts])
    density = lambda y: sum(w * part.pdf(y) for w, part in zip(weight, parts, strict=True))  # noqa: E731
    return draws[rng.choice(3, n, p=weight), np.arange(n)], density


@pytest.mark.parametrize(("target", "bar"), [(gauss4, 0.005), (mixed3, 0.10)])
def test_the_start_from_the_data_reaches_a_small_divergence(
    target: Callable[[int, int], Drawn], bar: float
) -> None:
    grid = np.linspace(-8, 8, 16_001)
    divergences = []
    for seed in range(5):
        samples, density = target(8192, seed)
        model = FourierDensity(10, support="real").double()
        model.fit(torch.tensor(samples))
        p, log_q = density(grid), model.log_prob(torch.tensor(grid)).detach().numpy()
        divergences.append(
            np.trapezoid(np.where(p > 0, p * (np.log(np.maximum(p, 1e-300)) - log_q), 0), grid)
        )
    assert np.median(divergences) <= bar
