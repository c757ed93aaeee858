"""Known densities to fit: with the truth at hand, a fit is judged without noise."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Density = Callable[[Float[Tensor, " points"]], Float[Tensor, " points"]]

_CENTRES = (-0.78, -0.55, -0.3, -0.12, 0.18, 0.45, 0.72)
_WIDTHS = (0.035, 0.05, 0.03, 0.035, 0.055, 0.035, 0.05)
_WEIGHTS = (0.11, 0.16, 0.10, 0.17, 0.20, 0.11, 0.15)


def seven_modes(x: Float[Tensor, " points"]) -> Float[Tensor, " points"]:
    """A density on [-1, 1]: seven narrow Gaussians, unequal in place, width and weight.

    The tails outside [-1, 1] hold less than 1e-7 of the mass.
    """
    return _bumps(x, _CENTRES, _WIDTHS, _WEIGHTS)


def _bumps(x: Tensor, *places: tuple[float, ...]) -> Tensor:
    centres, widths, weights = (x.new_tensor(values) for values in places)
    bumps = torch.exp(-((x[:, None] - centres) ** 2) / (2 * widths**2)) / (
        widths * math.sqrt(2 * math.pi)
    )
    return bumps @ weights


def two_modes(x: Float[Tensor, " points"]) -> Float[Tensor, " points"]:
    """A density on [-1, 1]: two broad Gaussians, sixty to forty.

    The tails outside [-1, 1] hold less than 1e-4 of the mass.
    """
    return _bumps(x, (-0.4, 0.35), (0.14, 0.08), (0.6, 0.4))


def step(x: Float[Tensor, " points"]) -> Float[Tensor, " points"]:
    """A density on [-1, 1] that jumps: 1/5 below zero and 4/5 from there on."""
    return torch.where(x < 0, 0.2, 0.8).to(x.dtype)


def quantiles(
    density: Density, count: int, *, points: int = 20_001
) -> Float[Tensor, " count"]:
    """`count` numbers in [-1, 1] that cut the mass of `density` into equal parts.

    A sample without luck: the average over it is the expectation up to about 1 / count.
    By trapezoids on `points` places and linear interpolation. Raises `ValueError` for a
    `count` below 1.
    """
    if count < 1:
        raise ValueError(f"count: {count} is not at least 1")
    x = torch.linspace(-1, 1, points, dtype=torch.float64)
    mass = torch.cat([x.new_zeros(1), torch.cumulative_trapezoid(density(x), x)])
    u = (torch.arange(count, dtype=torch.float64) + 0.5) / count * mass[-1]
    right = torch.searchsorted(mass, u).clamp(1, points - 1)
    share = (u - mass[right - 1]) / (mass[right] - mass[right - 1])
    return x[right - 1] + share * (x[right] - x[right - 1])


def divergence(
    truth: Float[Tensor, " points"], fit: Float[Tensor, " points"], width: float
) -> float:
    """KL(truth || fit) in nats, a Riemann sum over points that are `width` apart."""
    return float(torch.where(truth > 0, truth * (truth / fit).log(), 0).sum() * width)
