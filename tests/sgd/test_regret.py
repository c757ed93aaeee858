"""Regret stays below its bounds, on random losses and against adversaries."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from explainers import sgd
from explainers.sgd import AssumptionWarning, average_regret, projected_sgd, regret_bound
from tests.sgd.draws import F64, SEEDS, normal, rng_of, uniform
from tests.sgd.losses import KINDS_OF_ADVERSARY, ROUNDING, adversary, data, worst_regret
from tests.sgd.sets import NAMES, Set, ball, dim_of, make_set, sets


@pytest.mark.usefixtures("unchecked")
def test_regret_refuses_a_comparator_of_another_shape() -> None:
    with pytest.raises(ValueError, match=r"comparator_losses: .*\(4, 2\) to fit losses, got \(4,\)"):
        average_regret(torch.zeros(4, 2), torch.zeros(4))


@pytest.mark.parametrize("shape", [(7,), (7, 3), (7, 3, 2)])
def test_regret_is_the_running_mean_of_differences(shape: tuple[int, ...]) -> None:
    losses, comparator = normal(*shape), normal(*shape, seed=1)
    regret = average_regret(losses, comparator)
    expected = np.stack([(losses - comparator)[: t + 1].mean(0) for t in range(7)])
    np.testing.assert_allclose(regret, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 3)])  # as many seeds as steps: nothing may be swapped
def test_weights_weigh_steps(shape: tuple[int, ...]) -> None:
    losses, comparator, weights = normal(3, 3), normal(3, 3, seed=1), uniform(*shape)
    regret = average_regret(losses, comparator, weights)
    full = (weights.reshape(3, -1) if len(shape) == 1 else weights).expand(3, 3).numpy()
    gaps = (losses - comparator).numpy()
    expected = np.stack([np.average(gaps[: t + 1], 0, full[: t + 1]) for t in range(3)])
    np.testing.assert_allclose(regret, expected, rtol=0, atol=1e-14)


def mixed_losses(
    steps: int, seeds: int, dim: int, gradient: float, size: float, seed: int
) -> tuple[sgd.Loss, Tensor]:
    """(loss, samples), linear, absolute, hinge and logistic mixed for each seed and step.

    No subgradient is longer than `gradient`, and some are that long.
    """
    rng = rng_of(seed)
    a = normal(steps, seeds, dim, seed=rng) + normal(1, seeds, dim, seed=rng)
    a = a / a.norm(dim=-1, keepdim=True) * gradient
    a = a * torch.where(uniform(steps, seeds, 1, seed=rng) < 0.3, uniform(steps, seeds, 1, seed=rng), 1.0)
    b = size * gradient * normal(steps, seeds, seed=rng)
    kind = torch.randint(4, (steps, seeds), generator=rng)
    hinge_at = torch.where(uniform(steps, seeds, seed=rng) < 0.5, 1.0, b.abs())

    def loss(theta: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        inner = (a[t] * theta).sum(-1)
        error, short, k = inner - b[t], hinge_at[t] - inner, kind[t]
        values = [inner, error.abs(), short.relu(), torch.nn.functional.softplus(-inner)]
        slopes = [torch.ones_like(inner), error.sign(), -(short > 0).to(inner), -torch.sigmoid(-inner)]

        def pick(choices: list[Tensor]) -> Tensor:
            return torch.stack(choices).gather(0, k[None])[0]

        return pick(values), pick(slopes).unsqueeze(-1) * a[t]

    return loss, torch.arange(steps)


def schedule_steps(name: str, diameter: float, gradient: float, steps: int, seeds: int, seed: int) -> Tensor:
    unit = diameter / gradient
    if name == "sorted":
        draws = unit * 10 ** (4 * uniform(steps, seeds, seed=seed) - 3)
        return draws.sort(0, descending=True).values
    if name == "decaying":
        alpha = unit * 10 ** (3 * uniform(1, seed=seed).item() - 1.5)
        return sgd.decaying(diameter, gradient, alpha).step_sizes(steps)
    return {"constant": sgd.constant, "doubling": sgd.doubling}[name](diameter, gradient).step_sizes(steps)


SCHEDULES = ["constant", "decaying", "doubling", "sorted"]


@settings(max_examples=40)
@given(sets, st.sampled_from(SCHEDULES), st.floats(0.01, 100), st.integers(1, 80), SEEDS)
def test_regret_stays_below_the_bound(domain: Set, name: str, gradient: float, steps: int, seed: int) -> None:
    seeds, dim = 30, dim_of(domain)
    loss, samples = mixed_losses(steps, seeds, dim, gradient, domain.diameter, seed)
    etas = schedule_steps(name, domain.diameter, gradient, steps, seeds, seed)
    run = projected_sgd(
        loss, samples, domain.points(seeds, rng_of(seed)), etas, domain.project, trajectory=True
    )
    assert run.trajectory is not None
    assert run.gradient_norms is not None
    assert run.gradient_norms.max() <= gradient * ROUNDING
    bound = regret_bound(domain.diameter, gradient, etas).reshape(steps, -1)
    slopes = [loss(run.trajectory[t], samples[t])[1] for t in range(steps)]
    rivals = [
        *(domain.points(seeds, rng_of(seed + i)) for i in range(1, 5)),
        domain.project(run.average),
        domain.project(run.last),
        domain.lowest(torch.stack(slopes).sum(0)),
    ]
    for rival in rivals:
        comparator = torch.stack([loss(rival, t)[0] for t in samples])
        assert (average_regret(run.losses, comparator) <= bound * ROUNDING).all()


@pytest.mark.parametrize("kind", KINDS_OF_ADVERSARY)
@settings(max_examples=25)
@given(sets, st.sampled_from(SCHEDULES), st.floats(0.01, 100), st.integers(1, 80), SEEDS)
def test_no_adversary_gets_above_the_bound_at_any_time(
    kind: str, domain: Set, name: str, gradient: float, steps: int, seed: int
) -> None:
    loss, met = adversary(kind, gradient, seed)
    etas = schedule_steps(name, domain.diameter, gradient, steps, 30, seed)
    run = projected_sgd(loss, torch.arange(steps), domain.points(30, rng_of(seed)), etas, domain.project)
    bound = regret_bound(domain.diameter, gradient, etas).reshape(steps, -1)
    assert (worst_regret(domain, run, met) <= bound * ROUNDING).all()


@pytest.mark.parametrize("name", SCHEDULES)
def test_zero_of_1280_sequences_on_an_interval_exceed_the_bound(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    """On the line the best fixed point of losses with kinks is a kink or an end: none is left out."""
    steps, seeds, gradient, domain = 60, 1280, 1.5, ball(1, 2.0)
    rng = rng_of(7)
    a = gradient * torch.where(uniform(steps, seeds, seed=rng) < 0.5, 1.0, uniform(steps, seeds, seed=rng))
    a = a * normal(steps, seeds, seed=rng).add(normal(seeds, seed=rng)).sign()
    b, hinge = a * 4 * normal(steps, seeds, seed=rng), uniform(steps, seeds, seed=rng) < 0.5

    def loss(theta: Tensor, t: Tensor | int) -> tuple[Tensor, Tensor]:
        error = a[t] * theta[..., 0] - b[t]
        slope = torch.where(hinge[t], (error > 0).to(F64), error.sign())
        return torch.where(hinge[t], error.relu(), error.abs()), (slope * a[t]).unsqueeze(-1)

    etas = schedule_steps(name, domain.diameter, gradient, steps, seeds, 0)
    if name == "decaying":
        etas = sgd.decaying(domain.diameter, gradient).step_sizes(steps)
    run = projected_sgd(loss, torch.arange(steps), domain.points(seeds, rng), etas, domain.project)
    bound = regret_bound(domain.diameter, gradient, etas).reshape(steps, -1)
    worst = torch.zeros(steps, seeds, dtype=F64)
    for rival in (*(b / a).clamp(-2, 2), *torch.tensor([-2.0, 2.0], dtype=F64)[:, None].expand(-1, seeds)):
        comparator = torch.stack([loss(rival.unsqueeze(-1), t)[0] for t in range(steps)])
        worst = torch.maximum(worst, average_regret(run.losses, comparator) / bound)
    record_property("measured", f"SGD, {name}: regret is at most {worst.max():.3f} of the bound")
    assert (worst <= ROUNDING).all()
    assert worst.max() > 0.3  # the losses are hard enough for a bound 4 times too small to fail


@pytest.mark.parametrize("name", SCHEDULES)
def test_regret_against_the_best_of_smooth_losses_stays_below_the_bound(name: str) -> None:
    steps, seeds = 40, 50
    a, b = data("logistic", 300, 4)
    rows = torch.randint(300, (steps, seeds), generator=rng_of(1))
    gradient, domain = a.norm(dim=-1).max().item(), ball(4, 1.5)
    etas = schedule_steps(name, domain.diameter, gradient, steps, seeds, 0)
    start = domain.points(seeds, rng_of(0))
    loss = sgd.logistic_loss(a, b)
    run = projected_sgd(loss, rows, start, etas, domain.project)
    best = sgd.best_in_hindsight(loss, rows, start, domain.project)
    regret = average_regret(run.losses, loss(best.theta, rows)[0])
    assert (regret <= regret_bound(domain.diameter, gradient, etas).reshape(steps, -1) * ROUNDING).all()
    rival = loss(domain.points(seeds, rng_of(5)), rows)[0]
    assert (regret[-1] >= average_regret(run.losses, rival)[-1] - 1e-7).all()


@settings(max_examples=40)
@given(st.integers(1, 6), st.floats(0.01, 100), st.floats(0.01, 100), st.integers(1, 80), SEEDS)
@pytest.mark.filterwarnings("ignore::explainers.sgd.AssumptionWarning")
def test_weighted_regret_stays_below_its_bound_for_any_steps_without_a_set(
    dim: int, gradient: float, distance: float, steps: int, seed: int
) -> None:
    seeds = 30
    etas = distance / gradient * 10 ** (4 * uniform(steps, seeds, seed=seed) - 3)
    start = distance * normal(seeds, dim, seed=seed)
    away = normal(seeds, dim, seed=seed + 1)
    rival = start + distance * away / away.norm(dim=-1, keepdim=True)
    loss, samples = mixed_losses(steps, seeds, dim, gradient, distance, seed)
    for one, weights in ((etas, etas), (etas[:, 0], etas[:, 0])):
        run = projected_sgd(loss, samples, start, one)
        comparator = torch.stack([loss(rival, t)[0] for t in samples])
        regret = average_regret(run.losses, comparator, weights)
        bound = sgd.weighted_regret_bound(distance * ROUNDING, gradient, one).reshape(steps, -1)
        assert (regret <= bound * ROUNDING).all()


@pytest.mark.parametrize("kind", KINDS_OF_ADVERSARY)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore::explainers.sgd.AssumptionWarning")
def test_weighted_regret_stays_below_its_bound_in_a_set(name: str, kind: str) -> None:
    domain, steps = make_set(name, 3, 2.0), 100
    loss, met = adversary(kind, 1.5, 0)
    etas = 10 ** (2 * uniform(steps, seed=1) - 2)
    run = projected_sgd(loss, torch.arange(steps), domain.points(64, rng_of(0)), etas, domain.project)
    total = (etas[:, None, None] * torch.stack(met)).cumsum(0)
    least = (total * domain.lowest(total)).sum(-1) / etas.cumsum(0)[:, None]
    regret = average_regret(run.losses, torch.zeros_like(run.losses), etas) - least
    # no point of the set is farther from the start than its diameter
    assert (regret <= sgd.weighted_regret_bound(domain.diameter, 1.5, etas)[:, None] * ROUNDING).all()


def slope_one(theta: Tensor, sample: Tensor) -> tuple[Tensor, Tensor]:
    return theta[..., 0] + 0 * sample, torch.ones_like(theta)


def test_growing_steps_break_the_first_bound_and_not_the_second() -> None:
    """The loss theta on [0, 1], from 1: 99 steps of 1e-6, then one of 1."""
    etas = torch.tensor([1e-6] * 99 + [1.0], dtype=F64)
    with pytest.warns(AssumptionWarning):
        run = projected_sgd(
            slope_one,
            torch.zeros(100, dtype=F64),
            torch.ones(1, 1, dtype=F64),
            etas,
            lambda x: sgd.project_box(x, 0, 1),
        )
    regret = average_regret(run.losses, torch.zeros(100, 1, dtype=F64))[-1, 0]
    formula = 1 / (2 * 100 * etas[-1]) + etas.sum() / (2 * 100)
    assert regret > 0.9999
    assert formula < 0.0101
    with pytest.raises(ValueError, match="step 100"):
        regret_bound(1.0, 1.0, etas)
    weighted = average_regret(run.losses, torch.zeros(100, 1, dtype=F64), etas)[:, 0]
    assert (weighted <= sgd.weighted_regret_bound(1.0, 1.0, etas) * ROUNDING).all()


def test_a_walk_straight_across_attains_both_bounds() -> None:
    """One step of size D / G from one end to the other: no smaller bound would be true."""

    def loss(theta: Tensor, _: Tensor) -> tuple[Tensor, Tensor]:
        return 3 * theta[..., 0], 3 * torch.ones_like(theta)

    run = projected_sgd(loss, torch.zeros(1), torch.ones(1, 1, dtype=F64), torch.tensor([2 / 3], dtype=F64))
    regret = average_regret(run.losses, torch.tensor([[-3.0]], dtype=F64)).item()
    assert run.last.item() == pytest.approx(-1)
    assert regret == pytest.approx(regret_bound(2.0, 3.0, torch.tensor([2 / 3])).item())
    assert regret == pytest.approx(sgd.weighted_regret_bound(2.0, 3.0, torch.tensor([2 / 3])).item())


def test_the_bounds_are_their_formulas() -> None:
    etas = uniform(30, 4).sort(0, descending=True).values
    for t in (1, 2, 17, 30):
        first = 4 / (2 * t * etas[t - 1]) + 9 / (2 * t) * etas[:t].sum(0)
        second = (4 + 9 * (etas[:t] ** 2).sum(0)) / (2 * etas[:t].sum(0))
        torch.testing.assert_close(regret_bound(2.0, 3.0, etas)[t - 1], first)
        torch.testing.assert_close(sgd.weighted_regret_bound(2.0, 3.0, etas)[t - 1], second)
    torch.testing.assert_close(regret_bound(2.0, 3.0, etas[:, 0]), regret_bound(2.0, 3.0, etas)[:, 0])
