"""Projected subgradient steps beside torch.optim.SGD, a numpy loop and optax's compiled scan.

    python benchmarks/sgd.py

Workload: the mean of |a_i . theta - b_i| over n = 1024 rows in d = 20 dimensions, the unit ball, 10,000 steps
of R / (G sqrt t), one row a step and seed, the averaged iterate, float64; 256 seeds at once, and one alone.
All ways get the same array of rows, so their averages have to agree to 1e-12.

optax is no part of the environment. To have its rows, install it beside and point to it; without it they are
left out. Its time is that of a compiled function, compiled before.

    python -m pip install --target peers jax==0.10.2 optax==0.2.8
    PYTHONPATH=peers python benchmarks/sgd.py
"""

import time
from collections.abc import Callable

import harness  # first: it sets the threads
import numpy as np
import torch

from explainers import sgd

try:
    import jax
    import optax
except ImportError:
    jax = optax = None

ROWS, DIM, STEPS, SEEDS = 1024, 20, 10_000, 256


def with_ours(a, b, rows, theta, etas) -> np.ndarray:
    """`projected_sgd`: no autograd, the subgradient is written down."""
    a, b, rows, theta, etas = map(torch.from_numpy, (a, b, rows, theta, etas))
    return sgd.projected_sgd(sgd.absolute_loss(a, b), rows, theta, etas, sgd.project_ball).average.numpy()


def with_ours_in_inference_mode(*problem: np.ndarray) -> np.ndarray:
    """The same call where the caller says that nothing will ever be differentiated."""
    with torch.inference_mode():
        return with_ours(*problem)


def with_torch_optim(a, b, rows, theta, etas, lookup=lambda a, row: a[row]) -> np.ndarray:
    """The seeds are rows of one parameter: autograd, the step, and the projection by hand."""
    a, b, rows = map(torch.from_numpy, (a, b, rows))
    parameter = torch.tensor(theta, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    total = torch.zeros_like(parameter, requires_grad=False)
    for row, eta in zip(rows, etas.tolist(), strict=True):
        total += parameter.detach()
        optimizer.param_groups[0]["lr"] = eta
        optimizer.zero_grad()
        ((parameter * lookup(a, row)).sum(-1) - lookup(b, row)).abs().sum().backward()
        optimizer.step()
        with torch.no_grad():
            parameter /= parameter.norm(dim=-1, keepdim=True).clamp(min=1)
    return (total / len(rows)).numpy()


def with_torch_optim_and_our_lookup(*problem: np.ndarray) -> np.ndarray:
    """The same with the rows looked up as in the library, where no second thread is woken each time."""
    return with_torch_optim(
        *problem,
        lookup=lambda a, row: torch.nn.functional.embedding(row, a) if a.ndim == 2 else a.take(row),
    )


def with_numpy(a, b, rows, theta, etas) -> np.ndarray:
    """A plain loop over the steps, all seeds at once."""
    total = np.zeros_like(theta)
    for row, eta in zip(rows, etas.tolist(), strict=True):
        total += theta
        features = a[row]
        theta = theta - eta * np.sign((theta * features).sum(1) - b[row])[:, None] * features
        theta = theta / np.maximum(1, np.sqrt((theta * theta).sum(1, keepdims=True)))
    return total / len(rows)


def with_optax() -> Callable[..., np.ndarray]:
    """`optax.sgd` and its projection, one compiled scan over the steps, mapped over the seeds."""
    jax.config.update("jax_enable_x64", True)

    @jax.jit
    def averages(a, b, rows, theta, etas):
        optimizer = optax.sgd(lambda step: etas[step])

        def loss(theta, row):
            return abs(a[row] @ theta - b[row])

        def step(carry, row):
            theta, state, total = carry
            updates, state = optimizer.update(jax.grad(loss)(theta, row), state)
            moved = optax.projections.projection_l2_ball(optax.apply_updates(theta, updates), 1.0)
            return (moved, state, total + theta), None

        def average(theta, rows):
            start = (theta, optimizer.init(theta), jax.numpy.zeros_like(theta))
            return jax.lax.scan(step, start, rows)[0][2] / len(rows)

        return jax.vmap(average, in_axes=(0, 1))(theta, rows)

    return lambda *problem: np.asarray(averages(*problem))


def main() -> None:
    """Run and record."""
    started = time.perf_counter()
    torch.set_num_threads(2)
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(ROWS, DIM)), rng.normal(size=ROWS)
    rows = rng.integers(ROWS, size=(STEPS, SEEDS))
    theta = rng.normal(size=(SEEDS, DIM))
    theta /= 2 * np.linalg.norm(theta, axis=1, keepdims=True)
    longest = np.linalg.norm(a, axis=1).max()
    etas = 1 / (longest * np.sqrt(np.arange(1, STEPS + 1)))
    ways = {
        "torch.optim.SGD": with_torch_optim,
        "torch.optim.SGD, our lookup": with_torch_optim_and_our_lookup,
        "numpy loop": with_numpy,
        "projected_sgd": with_ours,
        "projected_sgd in inference_mode": with_ours_in_inference_mode,
    }
    if optax is None:
        print("optax is not installed: its rows are left out")
    else:
        ways["optax, compiled"] = with_optax()
    measured = []
    for seeds in (SEEDS, 1):
        problem = (a, b, np.ascontiguousarray(rows[:, :seeds]), theta[:seeds], etas)
        expected = with_numpy(*problem)
        for name, way in ways.items():
            error = np.abs(way(*problem) - expected).max()
            assert error < 1e-12, f"{name}: averages differ by {error}"
        cases = {name: lambda way=way, problem=problem: way(*problem) for name, way in ways.items()}
        words = f"{STEPS:,} steps of {seeds} seed{'s' if seeds > 1 else ''}"
        measured += harness.rows(words, harness.compare(cases, rounds=9), "torch.optim.SGD")
    harness.record("sgd", measured, "explainers.sgd", time.perf_counter() - started)


if __name__ == "__main__":
    main()
