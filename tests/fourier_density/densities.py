"""Densities with nothing special about them, and samples of two bumps."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from explainers.fourier_density import FourierDensity

Support = tuple[float, float] | str

BOTH = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
SUPPORTS = pytest.mark.parametrize("support", [(-1.0, 1.0), (2, 7), "real"])


def random_a(num_frequencies: int, *batch: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*batch, num_frequencies + 1, dtype=torch.complex128, generator=generator)


def random_model(
    num_frequencies: int, *batch: int, support: Support = "real", seed: int = 0
) -> FourierDensity:
    """An asymmetric density with nothing special about it, in float64."""
    model = FourierDensity(num_frequencies, support=support, batch_shape=batch).double()
    with torch.no_grad():
        model.parts.copy_(torch.view_as_real(random_a(num_frequencies, *batch, seed=seed)))
        if support == "real":
            model.loc.fill_(0.7)
            model.log_scale.fill_(math.log(1.6))
    return model


def two_bumps(n: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    rng = np.random.default_rng(seed)
    left = rng.random(n) < 0.7
    x = np.where(left, rng.normal(-0.5, 0.12, n), rng.normal(0.4, 0.2, n))
    return torch.tensor(x[np.abs(x) < 1], dtype=dtype)
