"""Losses of data, each also by its definition; losses of an adversary, and the regret that they cause."""

import pytest
import torch
from torch import Tensor

from explainers import sgd
from explainers.sgd import average_regret
from tests.sgd.draws import F64, normal, rng_of
from tests.sgd.sets import Set

LOSSES = {"absolute": sgd.absolute_loss, "hinge": sgd.hinge_loss, "logistic": sgd.logistic_loss}
KINDS = pytest.mark.parametrize("kind", list(LOSSES))


def data(kind: str, rows: int = 40, dim: int = 3, seed: int = 0) -> tuple[Tensor, Tensor]:
    a, b = normal(rows, dim, seed=seed), normal(rows, seed=seed + 1)
    return a, b if kind == "absolute" else b.sign()


def written_out(kind: str, a: Tensor, b: Tensor, theta: Tensor) -> Tensor:
    """The loss of one row by its definition, (seeds,)."""
    inner = (a * theta).sum(-1)
    if kind == "absolute":
        return (inner - b).abs()
    return (1 - b * inner).relu() if kind == "hinge" else torch.log1p(torch.exp(-b * inner))


def rows_of(steps: int, rows: int = 40, seed: int = 3) -> Tensor:
    return torch.randint(rows, (steps,), generator=rng_of(seed))


ROUNDING = 1 + 1e-12


def adversary(kind: str, gradient: float, seed: int) -> tuple[sgd.Loss, list[Tensor]]:
    """Linear losses <g_t, theta> whose g_t may depend on the run so far; the list fills with them."""
    rng, met = rng_of(seed), []

    def loss(theta: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        random = normal(*theta.shape, seed=rng)
        direction = {
            "random": random,
            "against the point": theta + 1e-9 * random,  # the loss of where it stands is as high as can be
            "off and back": random + 30 * torch.sin(t / 3) * torch.ones_like(theta),
            "onwards": torch.ones_like(theta) + 0.1 * random,
            "one sign each": random.abs() * random[:, :1].sign(),
        }[kind]
        g = gradient * direction / direction.norm(dim=-1, keepdim=True)
        met.append(g)
        return (g * theta).sum(-1), g

    return loss, met


KINDS_OF_ADVERSARY = ["random", "against the point", "off and back", "onwards", "one sign each"]


def worst_regret(domain: Set, run: sgd.Run, met: list[Tensor]) -> Tensor:
    """The regret against the best fixed point of each prefix, (steps, seeds); exact for linear losses."""
    total = torch.stack(met).cumsum(0)
    least = (total * domain.lowest(total)).sum(-1)
    t = torch.arange(1, len(met) + 1, dtype=F64)[:, None]
    regret = average_regret(run.losses, torch.zeros_like(run.losses)) - least / t
    best_of_all = domain.lowest(total[-1])
    comparator = (torch.stack(met) * best_of_all).sum(-1)
    torch.testing.assert_close(average_regret(run.losses, comparator)[-1], regret[-1])
    return regret
