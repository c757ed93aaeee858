"""Schedules: their steps, and the closed form of each bound."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from explainers import sgd
from explainers.sgd import average_regret, projected_sgd, regret_bound
from tests.sgd.draws import F64, SEEDS, rng_of, uniform
from tests.sgd.losses import KINDS_OF_ADVERSARY, ROUNDING, adversary, worst_regret
from tests.sgd.sets import Set, ball, sets

horizons = st.integers(1, 3000)
sizes = st.floats(1e-3, 1e3)


@given(sizes, sizes, horizons)
def test_the_closed_form_of_constant_steps_is_the_bound(diameter: float, gradient: float, T: int) -> None:
    schedule = sgd.constant(diameter, gradient)
    steps = schedule.step_sizes(T)
    assert steps.shape == (T,)
    assert torch.unique(steps).numel() == 1
    bound = regret_bound(diameter, gradient, steps)[-1].item()
    assert schedule.bound(T) == pytest.approx(bound, rel=1e-12)
    assert schedule.bound(T) == pytest.approx(diameter * gradient / math.sqrt(T), rel=1e-12)
    for factor in (0.9, 1.1):  # no other constant step has a smaller one
        assert regret_bound(diameter, gradient, factor * steps)[-1] > bound * 1.004


@given(sizes, sizes, horizons, st.none() | st.floats(1e-3, 1e3))
def test_the_closed_form_of_decaying_steps_is_above_the_bound_by_the_slack_of_the_root_sum(
    diameter: float, gradient: float, T: int, alpha: float | None
) -> None:
    schedule = sgd.decaying(diameter, gradient, alpha)
    alpha = alpha or diameter / (math.sqrt(2) * gradient)
    roots = np.arange(1, T + 1) ** -0.5
    np.testing.assert_allclose(schedule.step_sizes(T), alpha * roots, rtol=1e-14)
    bound = regret_bound(diameter, gradient, schedule.step_sizes(T))[-1].item()
    slack = gradient**2 * alpha / (2 * T) * (2 * math.sqrt(T) - 1 - roots.sum())
    assert schedule.bound(T) >= bound * (1 - 1e-12)
    assert schedule.bound(T) - bound == pytest.approx(slack, rel=1e-6, abs=1e-12 * bound)
    assert 0 <= slack + 1e-12 <= gradient**2 * alpha / (2 * T) * 0.461 + 2e-12  # 1 + zeta(1/2) = -0.460...


@given(sizes, sizes, horizons)
def test_what_is_said_of_the_factors_of_decaying_steps(diameter: float, gradient: float, T: int) -> None:
    unit = diameter * gradient / math.sqrt(T)
    best = sgd.decaying(diameter, gradient)
    assert best.bound(T) < math.sqrt(2) * unit
    assert sgd.decaying(diameter, gradient, diameter / gradient).bound(T) < 1.5 * unit
    zinkevich = diameter**2 * math.sqrt(T) / 2 + (math.sqrt(T) - 1 / 2) * gradient**2
    assert T * sgd.decaying(diameter, gradient, 1.0).bound(T) == pytest.approx(zinkevich, rel=1e-12)
    far = 10**10
    least = diameter * gradient / math.sqrt(far) * math.sqrt(2)
    assert best.bound(far) == pytest.approx(least, rel=1e-4)
    for factor in (0.8, 1.25):
        assert (
            sgd.decaying(diameter, gradient, factor * diameter / (math.sqrt(2) * gradient)).bound(far) > least
        )


def test_doubling_steps_are_those_of_the_horizon_of_their_block() -> None:
    steps = sgd.doubling(2.0, 3.0).step_sizes(2**17 + 5)
    blocks = np.array([t.bit_length() - 1 for t in range(1, 2**17 + 6)])
    np.testing.assert_allclose(steps, 2 / (3 * np.sqrt(2.0**blocks)), rtol=1e-14)
    for diameter, gradient in ((2.0, 3.0), (0.7, 0.3), (1e-3, 49.0)):
        for T in (
            *range(1, 70),
            1000,
            4097,
        ):  # rounding that depends on T or on the place made them grow once
            assert (sgd.doubling(diameter, gradient).step_sizes(T).diff() <= 0).all()


@pytest.mark.parametrize(("diameter", "gradient"), [(1.0, 1.0), (2.0, 3.0), (1e-3, 50.0)])
def test_the_bound_of_doubling_holds_at_each_time_up_to_5000(diameter: float, gradient: float) -> None:
    schedule = sgd.doubling(diameter, gradient)
    claimed = torch.tensor([schedule.bound(T) for T in range(1, 5001)], dtype=F64)
    # restarting the bound of constant steps at each block: D G sqrt(N), and a block that is not over
    blocks = [0.0]
    for block in range(13):
        n, t = 2**block, torch.arange(1, 2**block + 1, dtype=F64)
        eta = diameter / (gradient * math.sqrt(n))
        blocks += (blocks[-1] + diameter**2 / (2 * eta) + gradient**2 / 2 * eta * t).tolist()
    times = torch.arange(1, 5001, dtype=F64)
    assert (torch.tensor(blocks[1:5001], dtype=F64) <= claimed * times).all()
    assert (regret_bound(diameter, gradient, schedule.step_sizes(5000)) <= claimed).all()


@pytest.mark.parametrize("kind", KINDS_OF_ADVERSARY)
def test_no_adversary_gets_above_the_bound_of_doubling(kind: str) -> None:
    domain, schedule = ball(1, 1.0), sgd.doubling(2.0, 3.0)
    loss, met = adversary(kind, 3.0, 0)
    steps = schedule.step_sizes(2000)
    start = domain.points(100, rng_of(0))
    run = projected_sgd(loss, torch.arange(2000), start, steps, domain.project)
    claimed = torch.tensor([schedule.bound(T) for T in range(1, 2001)], dtype=F64)
    assert (worst_regret(domain, run, met) <= claimed[:, None]).all()


def test_a_schedule_is_named() -> None:
    made = [sgd.constant(1, 1), sgd.decaying(1, 1), sgd.doubling(1, 1), sgd.strongly_convex(1, 1)]
    assert [schedule.name for schedule in made] == ["constant", "decaying", "doubling", "strongly convex"]
    assert all(schedule.step_sizes(1).shape == (1,) for schedule in made)


def quadratic_regret(
    curvature: float, believed: float, targets: Tensor, start: Tensor
) -> tuple[Tensor, Tensor]:
    """Regret on mu/2 |theta - x_t|^2 in the unit ball against the best of each prefix, and the bound."""
    schedule = sgd.strongly_convex(
        believed, 2 * curvature
    )  # no two points of the ball are farther than 2 apart

    def loss(theta: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        return curvature / 2 * (theta - x).square().sum(-1), curvature * (theta - x)

    steps = len(targets)
    run = projected_sgd(loss, targets, start, schedule.step_sizes(steps), sgd.project_ball, trajectory=True)
    assert run.gradient_norms is not None
    assert run.gradient_norms.max() <= 2 * curvature * ROUNDING
    t = torch.arange(1, steps + 1, dtype=F64)[:, None]
    mean = targets.cumsum(0) / t[..., None]
    spread = targets.square().sum(-1).cumsum(0) / t - mean.square().sum(-1)
    regret = average_regret(run.losses, torch.zeros_like(run.losses)) - curvature / 2 * spread
    return regret, torch.tensor([schedule.bound(T) for T in range(1, steps + 1)], dtype=F64)


@settings(max_examples=40)
@given(st.integers(1, 4), st.floats(0.01, 100), st.floats(0.2, 1), st.integers(1, 80), SEEDS)
def test_regret_on_curved_losses_stays_below_their_bound(
    dim: int, curvature: float, belief: float, steps: int, seed: int
) -> None:
    draws = ball(dim, 1.0).points(steps * 30, rng_of(seed)).reshape(steps, 30, dim)
    jumps = draws / draws.norm(dim=-1, keepdim=True) * draws[:, :, :1].sign()
    for targets in (draws, jumps):
        start = -targets[0]
        regret, bound = quadratic_regret(curvature, belief * curvature, targets, start)
        assert (regret <= bound[:, None] * ROUNDING + 1e-13 * curvature).all()


def test_a_curvature_believed_too_large_breaks_the_bound() -> None:
    regret, bound = quadratic_regret(
        1.0, 20.0, torch.ones(100, 1, 1, dtype=F64), -torch.ones(1, 1, dtype=F64)
    )
    assert regret[-1] > 5 * bound[-1]


@pytest.mark.parametrize("kind", KINDS_OF_ADVERSARY)
@settings(max_examples=25)
@given(sets, st.integers(1, 80), SEEDS)
def test_adagrad_norm_stays_below_its_bound_without_knowing_a_gradient(
    kind: str, domain: Set, steps: int, seed: int
) -> None:
    even, met = adversary(kind, 1.0, seed)
    lengths = 10 ** (6 * uniform(steps, 30, seed=seed) - 3)  # a million times longer, or shorter
    lengths[0] = 0  # and nothing to begin with

    def loss(theta: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        value, gradient = even(theta, t)
        met[-1] = lengths[t].unsqueeze(-1) * gradient
        return lengths[t] * value, met[-1]

    rule = sgd.adagrad_norm(domain.diameter)
    start = domain.points(30, rng_of(seed))
    run = projected_sgd(loss, torch.arange(steps), start, rule, domain.project, trajectory=True)
    assert run.gradient_norms is not None
    t = torch.arange(1, steps + 1, dtype=F64)[:, None]
    bound = math.sqrt(2) * domain.diameter * run.gradient_norms.square().cumsum(0).sqrt() / t
    # the value of a loss has rounding errors as large as the point is far from the origin
    rounding = 1e-13 * lengths.cumsum(0) / t * (domain.diameter + start.norm(dim=-1).max())
    assert (worst_regret(domain, run, met) <= bound * ROUNDING + rounding).all()


@pytest.mark.parametrize("dtype", [torch.float32, F64])
@pytest.mark.parametrize("diameter", [1e-3, 1.0, 1e6])
def test_adagrad_norm_waits_for_the_first_gradient(dtype: torch.dtype, diameter: float) -> None:
    rule = sgd.adagrad_norm(diameter)
    steps = rule(torch.tensor([0.0, 0.5, 8.0], dtype=dtype))
    torch.testing.assert_close(steps, torch.tensor([0.0, diameter, diameter / 4], dtype=dtype))

    def loss(theta: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        return x * theta[..., 0], x * torch.ones_like(theta)

    run = projected_sgd(
        loss, torch.tensor([0.0, 0.0, 2.0], dtype=dtype), torch.zeros(1, 1, dtype=dtype), rule
    )
    assert run.last.item() == pytest.approx(-diameter / math.sqrt(2))
