"""Known densities to fit: with the truth at hand, a fit is judged without noise.

The densities raise `TypeError` if the points are not a floating-point tensor, and
`ValueError` for another shape than (points,) and for NaN.
"""

import math
from collections.abc import Callable
from numbers import Real

import torch
from jaxtyping import Float
from torch import Tensor

from explainers import checks

Density = Callable[[Float[Tensor, " points"]], Float[Tensor, " points"]]

_LOCATIONS = (-0.78, -0.55, -0.3, -0.12, 0.18, 0.45, 0.72)
_SCALES = (0.035, 0.05, 0.03, 0.035, 0.055, 0.035, 0.05)
_WEIGHTS = (0.11, 0.16, 0.10, 0.17, 0.20, 0.11, 0.15)


def seven_modes(x: Float[Tensor, " points"]) -> Float[Tensor, " points"]:
    """A density on [-1, 1]: seven narrow Gaussians, unequal in place, width and weight.

    The tails outside [-1, 1] hold less than 1e-7 of the mass.
    """
    return _bumps(x, _LOCATIONS, _SCALES, _WEIGHTS)


def _bumps(x: Tensor, *parameters: tuple[float, ...]) -> Tensor:
    _check_points("x", x)
    locations, scales, weights = (x.new_tensor(values) for values in parameters)
    bumps = torch.exp(-((x[:, None] - locations) ** 2) / (2 * scales**2)) / (
        scales * math.sqrt(2 * math.pi)
    )
    return bumps @ weights


def two_modes(x: Float[Tensor, " points"]) -> Float[Tensor, " points"]:
    """A density on [-1, 1]: two broad Gaussians, sixty to forty.

    The tails outside [-1, 1] hold less than 1e-4 of the mass.
    """
    return _bumps(x, (-0.4, 0.35), (0.14, 0.08), (0.6, 0.4))


def step(x: Float[Tensor, " points"]) -> Float[Tensor, " points"]:
    """A density on [-1, 1] that jumps: 1/5 below zero and 4/5 from there on."""
    _check_points("x", x)
    return torch.where(x < 0, 0.2, 0.8).to(x.dtype)


def gauss4(x: Float[Tensor, " points"]) -> Float[Tensor, " points"]:
    """A density on the line: four Gaussians, as a mixture has them; within [-6, 6]."""
    return _bumps(
        x, (-2.0, -0.5, 1.2, 2.5), (0.35, 0.5, 0.25, 0.4), (0.25, 0.35, 0.2, 0.2)
    )


def mixed3(x: Float[Tensor, " points"]) -> Float[Tensor, " points"]:
    """A density on the line: a cusp, two jumps and a bump; within [-6, 6].

    0.35 Laplace(-2, scale 1/4) + 0.4 U[-1/2, 3/2] + 0.25 N(2.6, 0.2).
    """
    _check_points("x", x)
    cusp = 2 * torch.exp(-4 * (x + 2).abs())
    box = torch.where((x >= -0.5) & (x <= 1.5), 0.5, 0.0).to(x.dtype)
    return 0.35 * cusp + 0.4 * box + _bumps(x, (2.6,), (0.2,), (0.25,))


def equal_modes(
    x: Float[Tensor, " points"], num_modes: int, scale: float
) -> Float[Tensor, " points"]:
    """A density on [-1, 1]: `num_modes` equal Gaussians of standard deviation `scale`,
    equally spaced, half a spacing from the ends.

    Raises `ValueError` for `num_modes` below 1 and a `scale` that is not positive,
    `TypeError` for other types.
    """
    checks.integer("num_modes", num_modes, least=1)
    checks.positive("scale", scale)
    locations = tuple((2 * k + 1) / num_modes - 1 for k in range(num_modes))
    return _bumps(x, locations, (scale,) * num_modes, (1 / num_modes,) * num_modes)


def raised_cosines(x: Float[Tensor, " points"]) -> Float[Tensor, " points"]:
    """A density on [-1, 1]: five bumps (1 + cos) / 2, unequal in width."""
    _check_points("x", x)
    locations, scales, weights = (
        x.new_tensor(values)
        for values in (
            (-0.75, -0.4, 0.0, 0.35, 0.75),
            (0.2, 0.12, 0.25, 0.08, 0.18),
            (0.2, 0.15, 0.3, 0.15, 0.2),
        )
    )
    u = ((x[:, None] - locations) / scales).clamp(-1, 1)
    return (weights / scales * (1 + torch.cos(math.pi * u)) / 2).sum(-1)


def draw_samples(
    density: Density,
    num_samples: int,
    *,
    support: tuple[float, float] = (-1.0, 1.0),
    generator: torch.Generator | None = None,
) -> Float[Tensor, " samples"]:
    """Independent draws from `density`, by its inverse distribution function.

    As exact as `quantiles`. Raises `ValueError` for `num_samples` below 1, a support
    whose ends are not finite and in order, and a `density` that is negative, not finite
    or zero everywhere on it, `TypeError` for other types.
    """
    checks.integer("num_samples", num_samples, least=1)
    if not (
        isinstance(support, tuple | list)
        and len(support) == 2
        and all(isinstance(end, Real) for end in support)
        and -math.inf < support[0] < support[1] < math.inf
    ):
        raise ValueError(
            f"support: expected a pair of finite numbers lo < hi, got {support!r}"
        )
    checks.generator("generator", generator)
    u = torch.rand(num_samples, dtype=torch.float64, generator=generator)
    return _inverse(density, u, support, 40_001)


def quantiles(
    density: Density, num_quantiles: int, *, num_points: int = 20_001
) -> Float[Tensor, " quantiles"]:
    """The quantiles of `density` on [-1, 1] at (k + 1/2) / num_quantiles, in order.

    The average over them is the expectation up to about 1 / num_quantiles. By the
    trapezoidal rule on `num_points` points and linear interpolation. Raises
    `ValueError` for `num_quantiles` below 1, `num_points` below 2 and a `density` that
    is negative, not finite or zero everywhere, `TypeError` for other types.
    """
    checks.integer("num_quantiles", num_quantiles, least=1)
    checks.integer("num_points", num_points, least=2)
    u = (torch.arange(num_quantiles, dtype=torch.float64) + 0.5) / num_quantiles
    return _inverse(density, u, (-1.0, 1.0), num_points)


def _inverse(
    density: Density, u: Tensor, support: tuple[float, float], points: int
) -> Tensor:
    checks.function("density", density)
    x = torch.linspace(*support, points, dtype=torch.float64)
    height = density(x)
    if not isinstance(height, Tensor) or height.shape != x.shape:
        raise ValueError(f"density: expected one number for each of {points} points")
    if not bool((height.isfinite() & (height >= 0)).all() and (height > 0).any()):
        raise ValueError(
            "density: expected finite numbers from 0 up, not all of them 0, on "
            f"{support}"
        )
    mass = torch.cat([x.new_zeros(1), torch.cumulative_trapezoid(height, x)])
    u = u * mass[-1]
    right = torch.searchsorted(mass, u).clamp(1, points - 1)
    share = (u - mass[right - 1]) / (mass[right] - mass[right - 1])
    return x[right - 1] + share * (x[right] - x[right - 1])


def kl_divergence(
    p: Float[Tensor, " points"], q: Float[Tensor, " points"], dx: float
) -> float:
    """KL(p || q) in nats, a Riemann sum over points that are `dx` apart.

    Infinite where `q` is 0 and `p` is not. Raises `TypeError` if a density is not a
    floating-point tensor, `ValueError` for other shapes, numbers below 0 or not finite
    and a `dx` that is not positive.
    """
    for name, density in (("p", p), ("q", q)):
        _check_points(name, density)
        if not bool((density.isfinite() & (density >= 0)).all()):
            raise ValueError(f"{name}: expected finite numbers from 0 up")
    checks.tensor("q", q, p.shape, fit="p")
    checks.positive("dx", dx)
    return float(torch.where(p > 0, p * (p / q).log(), 0).sum() * dx)


def _check_points(name: str, x: Tensor) -> None:
    checks.floats(name, x, ("points",))
    checks.not_nan(name, x)
