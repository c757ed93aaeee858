"""The problems of the SGD sweep are what they say, and their comparators cannot be beaten."""

import pytest
import torch

from explainers import sgd
from explainers.studies import experiments
from explainers.studies import sgd as study

EACH = pytest.mark.parametrize("name", study.PROBLEMS)


def drawn(problem: study.Problem, seed: int = 0, steps: int = 200) -> torch.Tensor:
    return problem.draw(steps, torch.Generator().manual_seed(seed))


def inside(problem: study.Problem, count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    points = torch.randn(count, problem.theta0.shape[1], generator=generator, dtype=torch.float64)
    return problem.projection(2 * points)


@EACH
def test_no_gradient_in_the_set_is_longer_than_stated(name: str) -> None:
    problem = study.PROBLEMS[name]()
    samples = drawn(problem, steps=2000)
    lengths = [problem.loss(point[None], samples)[1].norm(dim=-1).max() for point in inside(problem, 50)]
    assert max(lengths) <= problem.gradient_bound * (1 + 1e-12)


def test_the_longest_gradient_of_the_logistic_loss_is_reached() -> None:
    problem, (features, labels) = study.logistic(), study.breast_cancer()
    row = int((features.norm(dim=-1) * torch.sigmoid(3 * features.norm(dim=-1))).argmax())
    worst = -3 * labels[row] * features[row] / features[row].norm()
    gradient = problem.loss(worst[None], torch.tensor([row]))[1]
    assert gradient.norm().item() == pytest.approx(problem.gradient_bound, rel=1e-12)


@EACH
def test_no_two_points_of_the_set_are_farther_apart_than_stated(name: str) -> None:
    problem = study.PROBLEMS[name]()
    points = inside(problem, 500)
    assert torch.cdist(points, points).max() <= problem.diameter * (1 + 1e-12)


@EACH
@pytest.mark.parametrize("seed", range(3))
def test_no_point_of_the_set_beats_the_comparator(name: str, seed: int) -> None:
    problem = study.PROBLEMS[name]()
    samples = drawn(problem, seed)
    best = problem.comparator(samples)
    torch.testing.assert_close(problem.projection(best), best, atol=1e-9, rtol=0)
    least = problem.loss(best, samples)[0].mean()
    for size in (1.0, 0.1, 0.01, 0.001):
        for point in inside(problem, 50):
            near = problem.projection(best + size * (point - best))
            assert problem.loss(near, samples)[0].mean() >= least - 1e-9


@EACH
def test_the_mean_loss_is_nowhere_below_the_least(name: str) -> None:
    problem = study.PROBLEMS[name]()
    assert (problem.excess_loss(inside(problem, 200)) >= -1e-9).all()


@EACH
@pytest.mark.parametrize("schedule", study.SCHEDULES)
def test_a_cell_repeats_with_its_seed_and_keeps_its_bound(name: str, schedule: str) -> None:
    cell = study.compare(1, name, schedule, steps=200)
    assert cell == study.compare(1, name, schedule, steps=200)
    assert cell != study.compare(2, name, schedule, steps=200)
    assert cell["regret"] <= cell["bound"]


def test_signs_are_fair_and_of_size_one() -> None:
    drawn = study.rademacher(10_000, torch.Generator().manual_seed(0), games=3)
    assert drawn.shape == (10_000, 3, 1)
    assert set(drawn.flatten().tolist()) == {-1.0, 1.0}
    assert drawn.mean().abs() < 0.02


def test_every_schedule_of_the_sweep_has_steps_that_never_grow() -> None:
    for schedule in study.schedules(2.0, 3.0).values():
        sgd.regret_bound(2.0, 3.0, schedule.step_sizes(10_000))  # raises if they do


def test_the_sweep_is_known_by_name() -> None:
    preset = experiments()["sgd"].presets["cpu"]
    assert len(list(preset.cells())) == 720
