"""Wrong versions of the chapter's central functions, and the claims that must notice each."""

from torch import Tensor

from explainers import NAME
from tests.chapters.wrong import Wrong

_geometric_sum = NAME.geometric_sum


def one_power_more(ratio: Tensor, count: int) -> Tensor:
    """The power `count` is added as well."""
    return _geometric_sum(ratio, count + 1)


def one_power_less(ratio: Tensor, count: int) -> Tensor:
    """The power 0 is left out."""
    return _geometric_sum(ratio, count) - 1


def alternating(ratio: Tensor, count: int) -> Tensor:
    """Every other power is subtracted."""
    return _geometric_sum(-ratio, count)


def added_above(ratio: Tensor, count: int) -> Tensor:
    """A plus where the quotient has its minus."""
    return (1 + ratio**count) / (1 - ratio)


def endless(ratio: Tensor, count: int) -> Tensor:
    """The sum of all powers, however many were asked for."""
    return 1 / (1 - ratio)


WRONG = {
    "one power more": Wrong(NAME, "geometric_sum", one_power_more, {"PREFIX-01"}),
    "one power less": Wrong(NAME, "geometric_sum", one_power_less, {"PREFIX-01"}),
    "alternating": Wrong(NAME, "geometric_sum", alternating, {"PREFIX-01"}),
    "added above": Wrong(NAME, "geometric_sum", added_above, {"PREFIX-01"}),
    "endless": Wrong(NAME, "geometric_sum", endless, {"PREFIX-01"}),
}
# Claims that hold by a proof alone, with no code of the library in it: the mutants of these derivations are
# refused
PROVED: set[str] = set()
# Titles of the derivations that the chapter makes and that the mutants attack
DERIVATIONS: list[str] = []
