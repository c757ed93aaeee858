"""The best fixed point in hindsight, against SciPy's solvers."""

import math

import numpy as np
import pytest
import torch
from scipy import optimize
from torch import Tensor

from explainers import sgd
from tests.sgd.draws import F64, normal, rng_of
from tests.sgd.losses import data, rows_of
from tests.sgd.sets import ball, box


def squares_loss(a: Tensor, b: Tensor) -> sgd.Loss:
    def loss(theta: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        error = (a[row] * theta).sum(-1) - b[row]
        return error.square() / 2, error.unsqueeze(-1) * a[row]

    return loss


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["ball", "box"])
@pytest.mark.parametrize("kind", ["logistic", "squares"])
def test_the_best_fixed_point_is_that_of_scipy(kind: str, name: str, seed: int) -> None:
    a, b = data("logistic" if kind == "logistic" else "absolute", 60, 4, seed)
    loss = sgd.logistic_loss(a, b) if kind == "logistic" else squares_loss(a, b)
    domain = ball(4, 0.2) if name == "ball" else box(4, *torch.tensor([[-0.1] * 4, [0.2] * 4], dtype=F64))
    samples = torch.randint(60, (50, 3), generator=rng_of(seed))
    start = domain.points(3, rng_of(seed))
    best = sgd.best_in_hindsight(loss, samples, start, domain.project)
    assert domain.holds(best.theta).max() <= 1e-14
    torch.testing.assert_close(best.value, loss(best.theta, samples)[0].mean(0), rtol=1e-14, atol=0)
    for i in range(3):

        def mean(p: np.ndarray, rows: Tensor = samples[:, [i]]) -> tuple[float, np.ndarray]:
            value, gradient = loss(torch.tensor(p[None]), rows)
            return value.mean().item(), gradient.mean((0, 1)).numpy()

        if name == "ball":
            options = {"ftol": 1e-15, "maxiter": 500}
            edge = {"type": "ineq", "fun": lambda p: 0.2**2 - (p**2).sum(), "jac": lambda p: -2 * p}
            solved = optimize.minimize(
                mean, start[i].numpy(), jac=True, method="SLSQP", constraints=[edge], options=options
            )
        else:
            options = {"ftol": 1e-15, "gtol": 1e-12}
            solved = optimize.minimize(
                mean, start[i].numpy(), jac=True, method="L-BFGS-B", bounds=[(-0.1, 0.2)] * 4, options=options
            )
        assert best.value[i].item() == pytest.approx(solved.fun, abs=1e-6)
        # a solver that may step beyond the edge by its own tolerance can be lower by no more than that
        assert best.value[i].item() <= solved.fun + 1e-8


def test_the_best_fixed_point_is_one_for_seeds_with_the_same_samples() -> None:
    a, b = data("logistic")
    loss, rows, start = sgd.logistic_loss(a, b), rows_of(50), sgd.project_ball(normal(4, 3))
    for samples in (rows, rows[:, None], rows[:, None].expand(-1, 4)):
        best = sgd.best_in_hindsight(loss, samples, start, sgd.project_ball)
        assert best.theta.shape == (4, 3)
        torch.testing.assert_close(best.theta, best.theta[:1].expand(4, -1), rtol=0, atol=1e-6)
        expected = loss(best.theta, rows[:, None])[0].mean(0)
        torch.testing.assert_close(best.value, expected, rtol=1e-14, atol=0)


def test_weights_stand_for_samples_that_occur_many_times() -> None:
    a, b = data("logistic", 20)
    counts = torch.randint(1, 9, (20,), generator=rng_of(0))
    start = torch.zeros(2, 3, dtype=F64)
    loss, rows = sgd.logistic_loss(a, b), torch.arange(20)[:, None]
    often = sgd.best_in_hindsight(loss, rows.repeat_interleave(counts, 0), start, sgd.project_ball)
    weights = (counts / counts.sum()).to(F64)[:, None]
    weighed = sgd.best_in_hindsight(loss, rows, start, sgd.project_ball, weights=weights)
    plain = sgd.best_in_hindsight(loss, rows, start, sgd.project_ball)
    torch.testing.assert_close(often.value, weighed.value, rtol=0, atol=1e-7)  # the weights were float32 once
    torch.testing.assert_close(often.theta, weighed.theta, rtol=0, atol=1e-5)
    assert (plain.value - weighed.value).abs().max() > 1e-3


def test_the_best_fixed_point_inside_has_no_slope_and_on_the_edge_points_outwards() -> None:
    a, b = data("absolute")
    loss, rows, start = squares_loss(a, b), torch.arange(40)[:, None], torch.zeros(1, 3, dtype=F64)
    inside = sgd.best_in_hindsight(loss, rows, start, lambda x: sgd.project_ball(x, 10))
    free = sgd.best_in_hindsight(loss, rows, start)
    expected = torch.linalg.lstsq(a, b[:, None]).solution.T
    for best in (inside, free):
        torch.testing.assert_close(best.theta, expected, rtol=0, atol=1e-7)
        assert loss(best.theta, rows)[1].mean(0).norm() < 1e-7
    radius = expected.norm().item() / 2
    edge = sgd.best_in_hindsight(loss, rows, start, lambda x: sgd.project_ball(x, radius))
    assert edge.theta.norm().item() == pytest.approx(radius, rel=1e-12)
    assert edge.value > inside.value + 1e-4
    slope = loss(edge.theta, rows)[1].mean(0)
    cosine = torch.nn.functional.cosine_similarity(slope, edge.theta)
    assert cosine.item() == pytest.approx(-1, abs=1e-9)


def test_the_search_is_fast_on_a_narrow_valley() -> None:
    """Curvatures from 1 to 100: it takes fewer than 200, and gradient steps without momentum 3,000."""
    scale = torch.logspace(0, 1, 5, dtype=F64)
    a = math.sqrt(5) * torch.diag(scale)
    loss = squares_loss(a, math.sqrt(5) * scale)
    best = sgd.best_in_hindsight(loss, torch.arange(5), torch.zeros(2, 5, dtype=F64), max_iter=250, tol=1e-6)
    torch.testing.assert_close(best.theta, torch.ones(2, 5, dtype=F64), rtol=0, atol=1e-6)


def test_a_loss_with_kinks_has_no_best_fixed_point_here() -> None:
    a, b = data("absolute")
    with pytest.raises(
        RuntimeError, match=r"loss: (no minimum .* 300 iterations|it has a kink); .*smooth convex"
    ):
        sgd.best_in_hindsight(
            sgd.absolute_loss(a, b),
            torch.arange(40)[:, None],
            torch.zeros(2, 3, dtype=F64),
            sgd.project_ball,
            max_iter=300,
        )


@pytest.mark.parametrize("start", [[5.0, 1000.0], [3.0, 7.0]])
def test_a_kink_that_stops_the_search_at_once_is_no_minimum(start: list[float]) -> None:
    def ridge(theta: Tensor, _: Tensor) -> tuple[Tensor, Tensor]:
        weights, away = torch.tensor([1.0, 1e-3], dtype=F64), theta - torch.tensor([1000.1, 0.0], dtype=F64)
        return (weights * away.abs()).sum(-1)[None], (weights * away.sign())[None]

    with pytest.raises(RuntimeError, match="loss: it has a kink"):
        sgd.best_in_hindsight(ridge, torch.zeros(1), torch.tensor([start], dtype=F64))


def test_the_search_refuses_a_bad_start_and_tolerance() -> None:
    a, b = data("logistic")
    loss, rows = sgd.logistic_loss(a, b), torch.arange(40)[:, None]
    with pytest.raises(ValueError, match="theta0: seed 0 starts outside"):
        sgd.best_in_hindsight(loss, rows, torch.full((1, 3), 5.0, dtype=F64), sgd.project_ball)
    with pytest.raises(ValueError, match=r"tol: .*got 0"):
        sgd.best_in_hindsight(loss, rows, torch.zeros(1, 3, dtype=F64), tol=0.0)
