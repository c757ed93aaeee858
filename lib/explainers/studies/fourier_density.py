"""Squares of Fourier sums beside mixtures and kernels, at equal numbers of parameters.

Two real numbers are counted for each complex coefficient, three for each Gaussian (less
one, since the weights add up to 1), though of a list a_0 ... a_N two are free.
"""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from scipy.stats import gaussian_kde
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.mixture import GaussianMixture
from torch import Tensor

from explainers import targets
from explainers.experiments import Experiment, Preset
from explainers.fourier_density import FourierDensity

LogDensity = Callable[[Tensor], Tensor]
INTERVAL, LINE = (-1.0, 1.0), (-6.0, 6.0)
TARGETS: dict[str, tuple[targets.Density, tuple[float, float]]] = {
    "twenty modes": (partial(targets.equal_modes, count=20, width=0.018), INTERVAL),
    "gauss4": (targets.gauss4, LINE),
    "mixed3": (targets.mixed3, LINE),
    "raised cosines": (targets.raised_cosines, INTERVAL),
}


def fit_fourier(
    samples: Tensor, numbers: int, support: tuple[float, float]
) -> LogDensity:
    """Squares of Fourier sums with `numbers` real numbers; on the line two of them are
    the place and the width of the map."""
    if support == INTERVAL:
        model = FourierDensity(numbers // 2 - 1).double()
    else:
        model = FourierDensity(numbers // 2 - 2, support="real").double()
    model.fit(samples)
    return lambda x: model.log_prob(x).detach()


def fit_mixture(samples: Tensor, numbers: int, seed: int) -> LogDensity:
    """A Gaussian mixture by expectation maximisation, from one k-means start."""
    mixture = GaussianMixture((numbers + 1) // 3, random_state=seed, max_iter=500)
    mixture.fit(samples[:, None].numpy())
    return lambda x: torch.from_numpy(mixture.score_samples(x[:, None].numpy()))


def fit_mixture_by_gradient(
    samples: Tensor, numbers: int, seed: int, steps: int = 1000
) -> LogDensity:
    """The same mixture by Adam at rate 0.02, falling along a cosine.

    It starts with its centres at random samples and with one width for all, the spread
    of the data over the number of components.
    """
    count = (numbers + 1) // 3
    rng = torch.Generator().manual_seed(seed)
    centres = samples[torch.randperm(len(samples), generator=rng)[:count]].clone()
    log_widths = torch.full_like(centres, math.log(samples.std().item() / count))
    parameters = [centres, log_widths, torch.zeros_like(centres)]
    for parameter in parameters:
        parameter.requires_grad_()

    def log_density(x: Tensor) -> Tensor:
        u = (x[:, None] - centres) * torch.exp(-log_widths)
        terms = torch.log_softmax(parameters[2], 0) - log_widths - u.square() / 2
        return torch.logsumexp(terms, -1) - math.log(2 * math.pi) / 2

    optimizer = torch.optim.Adam(parameters, lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.autograd.backward(-log_density(samples).mean())
        optimizer.step()
        schedule.step()
    return lambda x: log_density(x).detach()


def fit_kernel(samples: Tensor) -> LogDensity:
    """A kernel estimate with Scott's width; it keeps every sample."""
    kernel = gaussian_kde(samples.numpy())
    return lambda x: torch.from_numpy(kernel.logpdf(x.numpy()))


def fit(
    model: str, samples: Tensor, numbers: int, support: tuple[float, float], seed: int
) -> LogDensity:
    """One of the four by name."""
    if model == "fourier":
        return fit_fourier(samples, numbers, support)
    if model == "mixture":
        return fit_mixture(samples, numbers, seed)
    if model == "mixture by gradient":
        return fit_mixture_by_gradient(samples, numbers, seed)
    return fit_kernel(samples)


def divergence_from(
    density: targets.Density,
    fitted: LogDensity,
    support: tuple[float, float],
    points: int = 6_001,
) -> float:
    """KL(density || fitted) in nats, by quadrature."""
    x = torch.linspace(*support, points, dtype=torch.float64)
    return targets.divergence(
        density(x), fitted(x).exp(), (support[1] - support[0]) / (points - 1)
    )


def modes_found(
    density: targets.Density, fitted: LogDensity, support: tuple[float, float]
) -> tuple[int, int]:
    """How many peaks of `density` have a peak of the fit for their nearest, and all.

    A peak of the fit counts from a tenth of its highest, and finds one peak at most.
    """
    x = torch.linspace(*support, 6_001, dtype=torch.float64)
    true, found = _peaks(density(x), x), _peaks(fitted(x).exp(), x)
    if not len(found):
        return 0, len(true)
    nearest = (found[:, None] - true).abs().argmin(1)
    return len(set(nearest.tolist())), len(true)


def _peaks(p: Tensor, x: Tensor) -> Tensor:
    inner = p[1:-1]
    return x[1:-1][(inner > p[:-2]) & (inner >= p[2:]) & (inner > 0.1 * p.max())]


def compare(
    seed: int, target: str, model: str, numbers: int, samples: int
) -> dict[str, float]:
    """KL and modes of one model on one known target."""
    density, support = TARGETS[target]
    rng = torch.Generator().manual_seed(seed)
    drawn = targets.draws(density, samples, support=support, generator=rng)
    fitted = fit(model, drawn, numbers, support, seed)
    found, modes = modes_found(density, fitted, support)
    return {
        "kl": divergence_from(density, fitted, support),
        "found": found,
        "modes": modes,
    }


def boundary(
    seed: int, width: float, model: str, waves: int, modes: int, samples: int
) -> dict[str, float]:
    """KL on `modes` equal modes of one width, at the size of `waves` waves."""
    density = partial(targets.equal_modes, count=modes, width=width)
    rng = torch.Generator().manual_seed(seed)
    drawn = targets.draws(density, samples, generator=rng)
    fitted = fit(model, drawn, 2 * waves + 2, INTERVAL, seed)
    return {"kl": divergence_from(density, fitted, INTERVAL)}


def column(name: str) -> Tensor:
    """A real column of scikit-learn's bundled sets."""
    if name == "petal length":
        return torch.from_numpy(load_iris().data[:, 2].astype(np.float64))
    names = list(load_breast_cancer().feature_names)
    return torch.from_numpy(
        load_breast_cancer().data[:, names.index(name)].astype(np.float64)
    )


def held_out(seed: int, data: str, model: str, numbers: int) -> dict[str, float]:
    """Mean log-likelihood of values left out, in nats, five folds of one shuffle."""
    values = column(data)
    order = torch.randperm(len(values), generator=torch.Generator().manual_seed(seed))
    folds = values[order].chunk(5)
    scores = []
    for k in range(5):
        kept = torch.cat([fold for i, fold in enumerate(folds) if i != k])
        fitted = fit(model, kept, numbers, LINE, seed)
        scores.append(fitted(folds[k]).clamp(min=-30).mean().item())
    return {"nats": sum(scores) / 5}


MODELS = ["fourier", "mixture", "mixture by gradient", "kernel"]
EXPERIMENTS = [
    Experiment(
        "fourier_density",
        compare,
        {
            "cpu": Preset(
                range(5),
                {"target": list(TARGETS), "model": MODELS, "numbers": [24, 44, 60, 90]},
                {"samples": 8192},
            )
        },
    ),
    Experiment(
        "fourier_density_boundary",
        boundary,
        {
            "cpu": Preset(
                range(5),
                {
                    "width": [0.01, 0.015, 0.02, 0.03, 0.04],
                    "model": ["fourier", "mixture"],
                    "waves": [8, 12, 16, 24, 32, 48, 64, 96],
                },
                {"modes": 10, "samples": 4096},
            )
        },
    ),
    Experiment(
        "fourier_density_real",
        held_out,
        {
            "cpu": Preset(
                range(5),
                {
                    "data": ["petal length", "mean radius"],
                    "model": ["fourier", "mixture", "kernel"],
                    "numbers": [6, 8, 12, 16, 20, 24],
                },
            )
        },
    ),
]
