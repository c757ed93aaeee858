"""Sets, described without the library: membership, points, the diameter, the lowest point in a direction."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from hypothesis import strategies as st
from torch import Tensor

from explainers import sgd
from tests.sgd.draws import SEEDS, normal, rng_of, uniform


@dataclass(frozen=True)
class Set:
    name: str
    project: Callable[[Tensor], Tensor]
    holds: Callable[[Tensor], Tensor]  # how far beyond its edge a point is, at most
    points: Callable[[int, torch.Generator], Tensor]
    diameter: float
    lowest: Callable[[Tensor], Tensor]  # the point of the set where <s, point> is least


def ball(dim: int, radius: float) -> Set:
    def points(n: int, rng: torch.Generator) -> Tensor:
        x = normal(n, dim, seed=rng)
        return radius * x / x.norm(dim=-1, keepdim=True) * uniform(n, 1, seed=rng) ** (1 / dim)

    return Set(
        "ball",
        lambda x: sgd.project_ball(x, radius),
        lambda x: x.norm(dim=-1) - radius,
        points,
        2 * radius,
        lambda s: -radius * s / s.norm(dim=-1, keepdim=True).clamp(min=1e-300),
    )


def box(dim: int, low: Tensor, high: Tensor) -> Set:
    return Set(
        "box",
        lambda x: sgd.project_box(x, low, high),
        lambda x: torch.maximum(low - x, x - high).amax(-1),
        lambda n, rng: low + (high - low) * uniform(n, dim, seed=rng),
        (high - low).norm().item(),
        lambda s: torch.where(s > 0, low, high),
    )


def simplex(dim: int, total: float) -> Set:
    def points(n: int, rng: torch.Generator) -> Tensor:
        x = -uniform(n, dim, seed=rng).clamp(min=1e-300).log() + 1e-300
        return total * x / x.sum(-1, keepdim=True)

    return Set(
        "simplex",
        lambda x: sgd.project_simplex(x, total),
        lambda x: torch.maximum(-x.amin(-1), (x.sum(-1) - total).abs()),
        points,
        math.sqrt(2) * total,
        lambda s: total * torch.nn.functional.one_hot(s.argmin(-1), dim).to(s),
    )


def make_set(name: str, dim: int, size: float, seed: int = 0) -> Set:
    if name == "box":
        ends = size * normal(2, dim, seed=seed)
        return box(dim, ends.amin(0), ends.amax(0))
    return {"ball": ball, "simplex": simplex}[name](dim, size)


NAMES = ["ball", "box", "simplex"]
sets = st.builds(make_set, st.sampled_from(NAMES), st.integers(2, 6), st.floats(0.01, 100), SEEDS)


def dim_of(domain: Set) -> int:
    return domain.points(1, rng_of(0)).shape[-1]


def scattered(domain: Set, n: int, seed: int) -> Tensor:
    """Points inside, near and far outside."""
    rng = rng_of(seed)
    return domain.diameter * normal(n, dim_of(domain), seed=rng) * 10 ** (4 * uniform(n, 1, seed=rng) - 2)
