"""How large the average regret is beside its bound, on a game and on real data."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from scipy.optimize import linprog
from sklearn.datasets import load_breast_cancer, load_diabetes
from torch import Tensor

from explainers import sgd
from explainers.experiments import Experiment, Preset


@dataclass(frozen=True)
class Problem:
    """Convex losses on a set, with the two numbers that the bound needs.

    `draw(steps, generator)` gives samples for one seed, `comparator(samples)` the best
    fixed point in hindsight, (1, dim), and `excess_loss(theta)` the mean loss over the
    data, less the least possible, (seeds,).
    """

    loss: sgd.Loss
    projection: sgd.Projection
    theta0: Tensor
    diameter: float
    gradient_bound: float
    draw: Callable[[int, torch.Generator], Tensor]
    comparator: Callable[[Tensor], Tensor]
    excess_loss: Callable[[Tensor], Tensor]


def standardised(x: np.ndarray) -> Tensor:
    """Columns with mean 0 and variance 1."""
    return torch.from_numpy((x - x.mean(0)) / x.std(0))


@cache
def breast_cancer() -> tuple[Tensor, Tensor]:
    """Wisconsin breast cancer: 569 rows of 30 standardised features and a constant 1,
    and labels, -1 malignant and 1 benign."""
    bunch = load_breast_cancer()
    features = standardised(bunch.data)
    constant = torch.ones(len(features), 1, dtype=features.dtype)
    return torch.cat([features, constant], -1), torch.from_numpy(2.0 * bunch.target - 1)


@cache
def diabetes() -> tuple[Tensor, Tensor]:
    """Diabetes: 442 rows of 10 standardised features, and the standardised target."""
    bunch = load_diabetes()
    return standardised(bunch.data), standardised(bunch.target)


def random_signs() -> Problem:
    """Losses e theta on [-1, 1] with fair random signs e: there is nothing to learn."""
    return Problem(
        loss=sgd.linear_loss,
        projection=sgd.project_box,
        theta0=torch.zeros(1, 1, dtype=torch.float64),
        diameter=2.0,
        gradient_bound=1.0,
        draw=rademacher,
        comparator=lambda samples: -samples.sum(0).sign(),
        excess_loss=lambda theta: torch.zeros_like(theta[:, 0]),
    )


def rademacher(steps: int, generator: torch.Generator, games: int = 1) -> Tensor:
    """Fair signs, (steps, games, 1)."""
    drawn = torch.randint(2, (steps, games, 1), generator=generator)
    return (2 * drawn - 1).double()


def _drawn_rows(rows: int) -> Callable[[int, torch.Generator], Tensor]:
    return lambda steps, generator: torch.randint(rows, (steps, 1), generator=generator)


def _shares(samples: Tensor, rows: int) -> Tensor:
    """How often each row occurs, as a share, (rows, 1)."""
    return torch.bincount(samples.flatten(), minlength=rows)[:, None] / len(samples)


@cache
def absolute() -> Problem:
    """|a . theta - b| on the diabetes set, theta in the box [-1, 1]^10."""
    a, b = diabetes()
    loss = sgd.absolute_loss(a, b)

    def best(shares: Tensor) -> Tensor:
        """A linear programme: least shares . s with s >= a theta - b, s >= b - a
        theta."""
        count, dim = a.shape
        minus = -np.eye(count)
        solution = linprog(
            np.concatenate([np.zeros(dim), shares[:, 0].numpy()]),
            A_ub=np.block([[a.numpy(), minus], [-a.numpy(), minus]]),
            b_ub=np.concatenate([b.numpy(), -b.numpy()]),
            bounds=[(-1, 1)] * dim + [(0, None)] * count,
        )
        return torch.from_numpy(solution.x[:dim])[None]

    every = torch.arange(len(a))[:, None]
    even = torch.full((len(a), 1), 1 / len(a), dtype=torch.float64)
    least = loss(best(even), every)[0].mean()
    return Problem(
        loss=loss,
        projection=sgd.project_box,
        theta0=torch.zeros(1, a.shape[1], dtype=torch.float64),
        diameter=2 * a.shape[1] ** 0.5,
        gradient_bound=a.norm(dim=-1).max().item(),
        draw=_drawn_rows(len(a)),
        comparator=lambda samples: best(_shares(samples, len(a))),
        excess_loss=lambda theta: loss(theta, every)[0].mean(0) - least,
    )


@cache
def logistic(radius: float = 3.0) -> Problem:
    """Logistic loss on the cancer set, theta in a ball."""
    a, y = breast_cancer()
    loss, every = sgd.logistic_loss(a, y), torch.arange(len(a))[:, None]
    start = torch.zeros(1, a.shape[1], dtype=torch.float64)

    def projection(x: Tensor) -> Tensor:
        return sgd.project_ball(x, radius)

    def best(shares: Tensor) -> sgd.BestInHindsight:
        return sgd.best_in_hindsight(loss, every, start, projection, weights=shares)

    even = torch.full((len(a), 1), 1 / len(a), dtype=torch.float64)
    least = best(even).value
    lengths = a.norm(dim=-1)
    return Problem(
        loss=loss,
        projection=projection,
        theta0=start,
        diameter=2 * radius,
        # |a| sigmoid(-y a . theta), largest where theta points straight away
        gradient_bound=(lengths * torch.sigmoid(radius * lengths)).max().item(),
        draw=_drawn_rows(len(a)),
        comparator=lambda samples: best(_shares(samples, len(a))).theta,
        excess_loss=lambda theta: loss(theta, every)[0].mean(0) - least,
    )


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "random signs": random_signs,
    "absolute loss": absolute,
    "logistic loss": logistic,
}


def schedules(diameter: float, gradient_bound: float) -> dict[str, sgd.Schedule]:
    """The schedules with fixed steps that the sweep compares, by name."""
    best = diameter / (2**0.5 * gradient_bound)
    return {
        "constant": sgd.constant(diameter, gradient_bound),
        "decaying": sgd.decaying(diameter, gradient_bound),
        "decaying, ten times": sgd.decaying(diameter, gradient_bound, 10 * best),
        "decaying, a tenth": sgd.decaying(diameter, gradient_bound, best / 10),
        "doubling": sgd.doubling(diameter, gradient_bound),
    }


SCHEDULES = [*schedules(1.0, 1.0), "AdaGrad-norm"]


def compare(seed: int, problem: str, schedule: str, steps: int) -> dict[str, float]:
    """Average regret after the last step, its bound, and the mean loss above the least
    of the averaged and of the last iterate."""
    game = PROBLEMS[problem]()
    generator = torch.Generator().manual_seed(seed)
    samples = game.draw(steps, generator)
    fixed = schedules(game.diameter, game.gradient_bound).get(schedule)
    rule = fixed.step_sizes(steps) if fixed else sgd.adagrad_norm(game.diameter)
    run = sgd.projected_sgd(
        game.loss, samples, game.theta0, rule, game.projection, trajectory=not fixed
    )
    comparator = game.loss(game.comparator(samples), samples)[0]
    if run.gradient_norms is None:
        bound = schedules(game.diameter, game.gradient_bound)[schedule].bound(steps)
    else:
        squares = run.gradient_norms.square().sum().item()
        bound = game.diameter * (2 * squares) ** 0.5 / steps
    return {
        "regret": (run.losses - comparator).mean().item(),
        "bound": bound,
        "excess_of_average": game.excess_loss(run.average).item(),
        "excess_of_last": game.excess_loss(run.last).item(),
    }


EXPERIMENTS = [
    Experiment(
        "sgd",
        compare,
        {
            "cpu": Preset(
                range(10),
                {
                    "problem": list(PROBLEMS),
                    "schedule": SCHEDULES,
                    "steps": [100, 1_000, 10_000, 100_000],
                },
            )
        },
    )
]
