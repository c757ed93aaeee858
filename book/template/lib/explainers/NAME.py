"""Geometric sums, without adding up.

For every number r but 1, the first n powers of r add up to a quotient, and for r = 1
to n::

    1 + r + ... + r^(n-1) = (1 - r^n) / (1 - r)
"""

import torch
from jaxtyping import Float
from torch import Tensor


def geometric_sum(ratio: Float[Tensor, "..."], count: int) -> Float[Tensor, "..."]:
    """The sum of the first `count` powers of each `ratio`, from the power 0 on.

    Raises `ValueError` if `count` is negative.
    """
    if count < 0:
        raise ValueError(f"count: expected at least 0, got {count}")
    is_one = ratio == 1
    quotient = (1 - ratio**count) / torch.where(is_one, 1, 1 - ratio)
    return torch.where(is_one, count, quotient)
