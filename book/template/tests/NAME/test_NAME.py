"""Geometric sums: the quotient is the sum, also where it could not divide."""

import pytest
import torch

from explainers import NAME


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_the_quotient_is_the_sum(count: int) -> None:
    ratio = torch.tensor([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0], dtype=torch.float64)
    added_up = torch.zeros_like(ratio)
    for power in range(count):
        added_up += ratio**power
    torch.testing.assert_close(NAME.geometric_sum(ratio, count), added_up)


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match=r"count: .*-1"):
        NAME.geometric_sum(torch.zeros(3), -1)
