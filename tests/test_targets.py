"""Known densities: area one, and samples without luck."""

import math

import pytest
import torch
from scipy.integrate import quad

from explainers.targets import divergence, quantiles, seven_modes


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
    with pytest.raises(ValueError, match="count"):
        quantiles(seven_modes, 0)


def test_divergence_is_zero_for_itself_and_the_known_value_otherwise() -> None:
    x = torch.linspace(-8, 8, 16_001, dtype=torch.float64)
    p, q = (torch.exp(-((x - m) ** 2) / 2) / math.sqrt(2 * math.pi) for m in (0.0, 0.5))
    assert divergence(p, p, 1e-3) == 0
    assert math.isclose(divergence(p, q, 1e-3), 0.125, rel_tol=1e-6)
    assert divergence(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0]), 1.0) == 0
