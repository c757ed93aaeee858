"""Random tensors of float64, the same for the same seed."""

import torch
from hypothesis import strategies as st
from torch import Tensor

F64 = torch.float64
SEEDS = st.integers(0, 2**31)


def rng_of(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int | torch.Generator = 0) -> Tensor:
    return torch.randn(*shape, dtype=F64, generator=rng_of(seed) if isinstance(seed, int) else seed)


def uniform(*shape: int, seed: int | torch.Generator = 0) -> Tensor:
    return torch.rand(*shape, dtype=F64, generator=rng_of(seed) if isinstance(seed, int) else seed)
