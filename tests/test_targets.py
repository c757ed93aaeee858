"""Known densities: area one, and samples without luck."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import kstest

from explainers.targets import (
    Density,
    draw_samples,
    equal_modes,
    gauss4,
    kl_divergence,
    mixed3,
    quantiles,
    raised_cosines,
    seven_modes,
    step,
    two_modes,
)


def at(x: float) -> float:
    return seven_modes(torch.tensor([x], dtype=torch.float64)).item()


def test_seven_modes_is_a_density_with_seven_modes() -> None:
    assert math.isclose(
        quad(at, -1, 1, limit=400, points=[-0.78, -0.55, -0.3, -0.12, 0.18, 0.45, 0.72])[0], 1, abs_tol=1e-7
    )
    p = seven_modes(torch.linspace(-1, 1, 4001, dtype=torch.float64))
    assert ((p[1:-1] > p[:-2]) & (p[1:-1] > p[2:])).sum() == 7


def test_quantiles_cut_the_mass_into_equal_parts() -> None:
    points = quantiles(seven_modes, 10)
    masses = [quad(at, -1, float(point), limit=400)[0] for point in points]
    assert torch.allclose(
        torch.tensor(masses, dtype=torch.float64), torch.arange(0.05, 1, 0.1, dtype=torch.float64), atol=1e-5
    )


def test_quantiles_refuse_to_count_to_nothing() -> None:
    with pytest.raises(ValueError, match="num_quantiles"):
        quantiles(seven_modes, 0)


def test_divergence_is_zero_for_itself_and_the_known_value_otherwise() -> None:
    x = torch.linspace(-8, 8, 16_001, dtype=torch.float64)
    p, q = (torch.exp(-((x - m) ** 2) / 2) / math.sqrt(2 * math.pi) for m in (0.0, 0.5))
    assert kl_divergence(p, p, 1e-3) == 0
    assert math.isclose(kl_divergence(p, q, 1e-3), 0.125, rel_tol=1e-6)
    assert kl_divergence(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0]), 1.0) == 0


@pytest.mark.parametrize(
    ("density", "reach", "miss"),
    [
        (two_modes, 1.0, 1e-4),
        (step, 1.0, 1e-4),
        (raised_cosines, 1.0, 1e-6),
        (partial(equal_modes, num_modes=20, scale=0.018), 1.0, 6e-3),
        (gauss4, 6.0, 1e-9),
        (mixed3, 6.0, 1e-4),
    ],
)
def test_a_target_is_a_density(density: Density, reach: float, miss: float) -> None:
    x = torch.linspace(-reach, reach, 200_001, dtype=torch.float64)
    assert (density(x) >= 0).all()
    assert abs(torch.trapezoid(density(x), x).item() - 1) < miss


def test_draws_follow_their_density_and_repeat_with_their_seed() -> None:
    first, again = (
        draw_samples(mixed3, 5000, support=(-6, 6), generator=torch.Generator().manual_seed(3))
        for _ in range(2)
    )
    assert torch.equal(first, again)
    x = torch.linspace(-6, 6, 40_001, dtype=torch.float64)
    mass = torch.cumulative_trapezoid(mixed3(x), x).numpy()
    assert kstest(first.numpy(), lambda v: np.interp(v, x[1:].numpy(), mass)).pvalue > 0.001
    with pytest.raises(ValueError, match="num_samples"):
        draw_samples(mixed3, 0)
