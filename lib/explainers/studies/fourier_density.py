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
    "twenty modes": (partial(targets.equal_modes, num_modes=20, scale=0.018), INTERVAL),
    "gauss4": (targets.gauss4, LINE),
    "mixed3": (targets.mixed3, LINE),
    "raised cosines": (targets.raised_cosines, INTERVAL),
}


def fit_fourier(
    samples: Tensor, num_parameters: int, support: tuple[float, float]
) -> LogDensity:
    """Squares of Fourier sums with `num_parameters` real numbers; on the line two of
    them are the location and the scale of the map."""
    if support == INTERVAL:
        model = FourierDensity(num_parameters // 2 - 1).double()
    else:
        model = FourierDensity(num_parameters // 2 - 2, support="real").double()
    model.fit(samples)
    return lambda x: model.log_prob(x).detach()


def fit_mixture(
    samples: Tensor, num_parameters: int, seed: int, start: str = "kmeans"
) -> LogDensity:
    """A Gaussian mixture by EM, from one of scikit-learn's starts."""
    mixture = GaussianMixture(
        (num_parameters + 1) // 3, random_state=seed, max_iter=500, init_params=start
    )
    mixture.fit(samples[:, None].numpy())
    return lambda x: torch.from_numpy(mixture.score_samples(x[:, None].numpy()))


def fit_mixture_by_gradient(
    samples: Tensor, num_parameters: int, seed: int, steps: int = 1000
) -> LogDensity:
    """The same mixture by Adam at rate 0.02, falling along a cosine.

    It starts with its locations at random samples and with one scale for all, the
    standard deviation of the data over the number of components.
    """
    count = (num_parameters + 1) // 3
    rng = torch.Generator().manual_seed(seed)
    locations = samples[torch.randperm(len(samples), generator=rng)[:count]].clone()
    log_scales = torch.full_like(locations, math.log(samples.std().item() / count))
    parameters = [locations, log_scales, torch.zeros_like(locations)]
    for parameter in parameters:
        parameter.requires_grad_()

    def log_density(x: Tensor) -> Tensor:
        u = (x[:, None] - locations) * torch.exp(-log_scales)
        terms = torch.log_softmax(parameters[2], 0) - log_scales - u.square() / 2
        return torch.logsumexp(terms, -1) - math.log(2 * math.pi) / 2

    _adam(parameters, lambda: -log_density(samples).mean(), steps)
    return lambda x: log_density(x).detach()


def fit_monotone_network(
    samples: Tensor, num_parameters: int, seed: int, steps: int = 1000
) -> LogDensity:
    """A distribution function that is a network with non-negative weights, by Adam.

    Two hidden layers of r units, r^2 + 6 r + 1 numbers, with the activations u +
    tanh(s) tanh(u) of Ballé et al. 2018 (arXiv 1802.01436, appendix 6.1), which only
    rise; r is the largest that `num_parameters` allow. The slope is carried along with
    the value, so no second derivative is needed. It starts like that paper's: about a
    logistic as wide as the data.
    """
    units = max(r for r in range(1, 40) if r * r + 6 * r + 1 <= num_parameters)
    rng = torch.Generator().manual_seed(seed)
    sizes = [(1, units), (units, units), (units, 1)]
    location, scale = samples.mean(), samples.std()
    raw, shifts, bends = [], [], []
    for inputs, outputs in sizes:
        # softplus^-1 of 1 / inputs: each layer passes on about what it is given
        start = math.log(math.expm1(1 / inputs))
        raw.append(torch.full((inputs, outputs), start, dtype=samples.dtype))
        shifts.append(torch.rand(outputs, generator=rng, dtype=samples.dtype) * 2 - 1)
        bends.append(torch.zeros(outputs, dtype=samples.dtype))
    parameters = [*raw, *shifts, *bends[:-1]]
    for parameter in parameters:
        parameter.requires_grad_()

    def log_density(x: Tensor) -> Tensor:
        value, slope = ((x - location) / scale)[:, None], torch.ones_like(x)[:, None]
        for layer, (weight, shift) in enumerate(zip(raw, shifts, strict=True)):
            weight = torch.nn.functional.softplus(weight)
            value, slope = value @ weight + shift, slope @ weight
            if layer < len(raw) - 1:
                bend, u = torch.tanh(bends[layer]), torch.tanh(value)
                value, slope = value + bend * u, slope * (1 + bend * (1 - u.square()))
        value, slope = value[:, 0], slope[:, 0]
        # the sigmoid's slope, in a form that keeps its logarithm far out
        log_sigmoid = torch.nn.functional.logsigmoid
        return log_sigmoid(value) + log_sigmoid(-value) + slope.log() - scale.log()

    _adam(parameters, lambda: -log_density(samples).mean(), steps)
    return lambda x: log_density(x).detach()


def _adam(parameters: list[Tensor], loss: Callable[[], Tensor], steps: int) -> None:
    optimizer = torch.optim.Adam(parameters, lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.autograd.backward(loss())
        optimizer.step()
        schedule.step()


def fit_kernel(samples: Tensor) -> LogDensity:
    """A kernel estimate with Scott's width; it keeps every sample."""
    kernel = gaussian_kde(samples.numpy())
    return lambda x: torch.from_numpy(kernel.logpdf(x.numpy()))


def fit(
    model: str,
    samples: Tensor,
    num_parameters: int,
    support: tuple[float, float],
    seed: int,
) -> LogDensity:
    """One of the models by name."""
    if model == "fourier":
        return fit_fourier(samples, num_parameters, support)
    if model == "mixture":
        return fit_mixture(samples, num_parameters, seed)
    if model == "mixture by gradient":
        return fit_mixture_by_gradient(samples, num_parameters, seed)
    if model == "monotone network":
        return fit_monotone_network(samples, num_parameters, seed)
    return fit_kernel(samples)


def grid(support: tuple[float, float]) -> Tensor:
    """The points of all quadratures."""
    return torch.linspace(*support, 6_001, dtype=torch.float64)


def kl_divergence(p: Tensor, q: Tensor, x: Tensor) -> float:
    """KL(p || q) in nats, of two densities on the grid `x`."""
    return targets.kl_divergence(p, q, float(x[1] - x[0]))


def count_modes(truth: Tensor, fitted: Tensor, x: Tensor) -> tuple[int, int]:
    """How many modes of `truth` are the nearest to a mode of the fit, and how many
    there are. A mode counts from a tenth of the highest."""
    true_modes, fitted_modes = _modes(truth, x), _modes(fitted, x)
    recovered = {int((true_modes - mode).abs().argmin()) for mode in fitted_modes}
    return len(recovered), len(true_modes)


def _modes(p: Tensor, x: Tensor) -> Tensor:
    inner = p[1:-1]
    rises = (inner > p[:-2]) & (inner >= p[2:]) & (inner > 0.1 * p.max())
    return x[1:-1][rises]


def compare(
    seed: int, target: str, model: str, numbers: int, samples: int
) -> dict[str, float]:
    """KL and modes of one model on one known target."""
    density, support = TARGETS[target]
    rng = torch.Generator().manual_seed(seed)
    drawn = targets.draw_samples(density, samples, support=support, generator=rng)
    x = grid(support)
    truth, fitted = density(x), fit(model, drawn, numbers, support, seed)(x).exp()
    recovered, modes = count_modes(truth, fitted, x)
    return {"kl": kl_divergence(truth, fitted, x), "found": recovered, "modes": modes}


def boundary(
    seed: int, width: float, model: str, waves: int, modes: int, samples: int
) -> dict[str, float]:
    """KL on `modes` equal modes of one width, at the size of `waves` waves."""
    density = partial(targets.equal_modes, num_modes=modes, scale=width)
    rng = torch.Generator().manual_seed(seed)
    drawn = targets.draw_samples(density, samples, generator=rng)
    x = grid(INTERVAL)
    fitted = fit(model, drawn, 2 * waves + 2, INTERVAL, seed)(x).exp()
    return {"kl": kl_divergence(density(x), fitted, x)}


def starts(seed: int, model: str, numbers: int, samples: int) -> dict[str, float]:
    """KL of a mixture on twenty modes from one random start on one fixed sample."""
    density, support = TARGETS["twenty modes"]
    rng = torch.Generator().manual_seed(0)
    drawn = targets.draw_samples(density, samples, support=support, generator=rng)
    x = grid(support)
    if model == "by gradient":
        fitted = fit_mixture_by_gradient(drawn, numbers, seed)
    else:
        fitted = fit_mixture(drawn, numbers, seed, start=model.removeprefix("EM from "))
    return {"kl": kl_divergence(density(x), fitted(x).exp(), x)}


def column(name: str) -> Tensor:
    """A real column of scikit-learn's bundled sets."""
    if name == "petal length":
        return torch.from_numpy(load_iris().data[:, 2].astype(np.float64))
    names = list(load_breast_cancer().feature_names)
    return torch.from_numpy(
        load_breast_cancer().data[:, names.index(name)].astype(np.float64)
    )


def cross_validate(seed: int, data: str, model: str, numbers: int) -> dict[str, float]:
    """Mean log-likelihood of values left out, in nats, five folds of one shuffle."""
    values = column(data)
    order = torch.randperm(len(values), generator=torch.Generator().manual_seed(seed))
    folds = values[order].chunk(5)
    scores = []
    for k in range(5):
        train = torch.cat([fold for i, fold in enumerate(folds) if i != k])
        fitted = fit(model, train, numbers, LINE, seed)
        scores.append(fitted(folds[k]).clamp(min=-30).mean().item())
    return {"nats": sum(scores) / 5}


def penalised(seed: int, penalty: float, waves: int, samples: int) -> dict[str, float]:
    """Log-likelihood of 2,000 unseen draws of gauss4, in nats, and the power of the
    upper half of the waves, after a fit to a few draws with a penalty."""
    rng = torch.Generator().manual_seed(seed)
    drawn = targets.draw_samples(targets.gauss4, samples, support=LINE, generator=rng)
    unseen = targets.draw_samples(targets.gauss4, 2000, support=LINE, generator=rng)
    model = FourierDensity(waves, support="real").double()
    model.fit(drawn, penalty=penalty)
    upper = model.coefficients[waves // 2 + 1 :].detach()
    return {
        "nats": model.log_prob(unseen).clamp(min=-30).mean().item(),
        "power": upper.abs().square().sum().item(),
    }


MODELS = ["fourier", "mixture", "mixture by gradient", "monotone network", "kernel"]
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
        "fourier_density_starts",
        starts,
        {
            "cpu": Preset(
                range(20),
                {
                    "model": [
                        "EM from kmeans",
                        "EM from random_from_data",
                        "by gradient",
                    ]
                },
                {"numbers": 59, "samples": 4096},
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
                    "waves": [8, 12, 16, 24, 32, 48, 64],
                },
                {"modes": 10, "samples": 4096},
            )
        },
    ),
    Experiment(
        "fourier_density_penalty",
        penalised,
        {
            "cpu": Preset(
                range(5),
                {"penalty": [0.0, 1e-4, 1e-3, 1e-2, 1e-1, 1.0]},
                {"waves": 16, "samples": 50},
            )
        },
    ),
    Experiment(
        "fourier_density_real",
        cross_validate,
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
